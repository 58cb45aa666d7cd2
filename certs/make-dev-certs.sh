#!/bin/bash
# Makes the certificates and keys of a development set-up; see README.md beside this file.
#   certs/make-dev-certs.sh [--days N] [DIRECTORY]      (default: build/certs; 30 days)
# Safe to run again: what is good for another day stays as it is.
set -euo pipefail

day=86400
days=30
ca_days=365

fail() { echo "make-dev-certs: $*" >&2; exit 64; }

if [ "${1-}" = --days ]; then
    { [[ "${2-}" =~ ^[0-9]+$ ]] && [ "$2" -lt $((ca_days - 1)) ]; } || fail "--days needs a whole number below $((ca_days - 1))"
    days=$2
    shift 2
fi
[ $# -le 1 ] || fail "usage: make-dev-certs.sh [--days N] [DIRECTORY]"
case "${1-}" in -*) fail "unknown option $1" ;; esac
command -v openssl >/dev/null || fail "openssl is missing. Install it with: apt-get install openssl"

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
directory=${1:-$here/../build/certs}
mkdir -p "$directory"
umask 077
chmod 0700 "$directory"
cd "$directory"

# Two runs at once would mix keys of one with certificates of the other.
exec 9>.lock
flock 9

good() { [ -s "$1.crt" ] && [ -s "$1.key" ] && openssl x509 -in "$1.crt" -noout -checkend "${2:-$day}" >/dev/null; }

# A file appears whole or not at all.
into() { cat >"$1.new" && mv -f "$1.new" "$1"; }

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -quiet | into "$1.key"; }

make_ca() {
    new_key ca
    openssl req -x509 -new -key ca.key -sha256 -days $ca_days -subj '/CN=eplan development CA' \
        -addext 'basicConstraints=critical,CA:TRUE,pathlen:0' -addext 'keyUsage=critical,keyCertSign,cRLSign' | into ca.crt
}

# make_leaf NAME COMMON-NAME USAGE [SUBJECT-ALTERNATIVE-NAMES]
make_leaf() {
    new_key "$1"
    {
        echo 'basicConstraints=critical,CA:FALSE'
        echo 'keyUsage=critical,digitalSignature'
        echo "extendedKeyUsage=$3"
        [ -z "${4-}" ] || echo "subjectAltName=$4"
    } >extensions.new
    openssl req -new -key "$1.key" -subj "/CN=$2" |
        openssl x509 -req -CA ca.crt -CAkey ca.key -set_serial "0x$(openssl rand -hex 16)" \
            -sha256 -days "$days" -extfile extensions.new 2>openssl.log | into "$1.crt" ||
        { cat openssl.log >&2; exit 1; }
    rm -f extensions.new openssl.log
}

# A leaf must not outlive its CA, so the CA goes once it has less left than a new leaf would have.
if ! good ca $(((days + 1) * day)) || ! openssl verify -CAfile ca.crt ca.crt >/dev/null; then
    make_ca
    rm -f server.crt client.crt
fi
signed() { openssl verify -CAfile ca.crt "$1.crt" >/dev/null 2>&1; }
if ! good server || ! signed server; then make_leaf server 127.0.0.1 serverAuth 'IP:127.0.0.1,DNS:localhost'; fi
if ! good client || ! signed client; then make_leaf client 'eplan development client' clientAuth; fi

# Keys with which the gateway signs its SMART client assertions.
[ -s smart-es384.key ] || openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -quiet | into smart-es384.key
[ -s smart-rs384.key ] || openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -quiet | into smart-rs384.key

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
bytes() { sed 's/../\\x&/g' | xargs -0 printf '%b'; }
key_id() { openssl pkey -in "$1" -pubout -outform DER | openssl dgst -sha256 -binary | base64url | cut -c1-16; }

# The public halves as a JWK set (RFC 7517), for the EHR. The last 96 bytes of a P-384 public key are x and y.
write_jwks() {
    local point modulus
    point=$(openssl pkey -in smart-es384.key -pubout -outform DER | tail -c 96 | od -An -v -tx1 | tr -d ' \n')
    modulus=$(openssl rsa -in smart-rs384.key -noout -modulus 2>/dev/null | cut -d= -f2)
    cat <<JWKS
{ "keys": [
  { "kty": "EC", "crv": "P-384", "alg": "ES384", "use": "sig", "kid": "$(key_id smart-es384.key)",
    "x": "$(printf %s "${point:0:96}" | bytes | base64url)",
    "y": "$(printf %s "${point:96:96}" | bytes | base64url)" },
  { "kty": "RSA", "alg": "RS384", "use": "sig", "kid": "$(key_id smart-rs384.key)",
    "n": "$(printf %s "$modulus" | bytes | base64url)",
    "e": "AQAB" }
] }
JWKS
}
if [ ! -s smart-jwks.json ] || [ smart-es384.key -nt smart-jwks.json ] || [ smart-rs384.key -nt smart-jwks.json ]; then
    write_jwks | into smart-jwks.json
fi
chmod 0600 ./*.crt ./*.key ./*.json .lock
