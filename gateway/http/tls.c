#include "gateway/http/tls.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "gateway/base/secret.h"

struct tls_server {
    SSL_CTX *context;
    int64_t expires_us;
    const struct clock *clock;
};

/* The first reason on the queue of OpenSSL, the one that the others follow from; empties it. */
static const char *reason(void)
{
    const char *text = ERR_reason_error_string(ERR_peek_error());
    ERR_clear_error();
    return text != NULL ? text : "unknown reason";
}

static enum status wrong_file(struct diag_list *diags, struct span span, const char *hint,
                              const char *path, const char *what)
{
    struct diag *diag = diag_add(diags, DIAG_TLS_FILE, span, "%s %s", path, what);
    if (hint != NULL) {
        diag_hint(diags, diag, "%s", hint);
    }
    return STATUS_INVALID;
}

/* Opens for reading, so that a file that is not there is told from one that is wrong. */
static enum status can_open(const char *path, struct span span, struct diag_list *diags)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        struct diag *diag = diag_add(diags, DIAG_TLS_FILE, span, "%s cannot be opened: %s", path,
                                     strerrordesc_np(errno));
        diag_hint(diags, diag,
                  errno == ENOENT ? "correct the path, or make the file; for a trial, "
                                    "certs/make-dev-certs.sh makes all of them"
                                  : "let the user that runs eplan read it");
        return STATUS_IO;
    }
    fclose(file);
    return STATUS_OK;
}

static int64_t utc_of(const ASN1_TIME *time)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(time, &tm) != 1) {
        return INT64_MIN; /* a time that cannot be read is long past */
    }
    int64_t days = clock_days(tm.tm_year + 1900, (unsigned)tm.tm_mon + 1, (unsigned)tm.tm_mday);
    return (days * 86400 + (int64_t)tm.tm_hour * 3600 + (int64_t)tm.tm_min * 60 + tm.tm_sec) *
           1000000;
}

/* A warning when the certificate is not valid now. */
static bool check_time(const X509 *cert, const char *path, const struct clock *clock,
                       struct span span, struct diag_list *diags)
{
    int64_t now = clock_utc(clock);
    int64_t ends = utc_of(X509_get0_notAfter(cert));
    int64_t starts = utc_of(X509_get0_notBefore(cert));
    if (now >= starts && now < ends) {
        return true;
    }
    char when[CLOCK_TEXT_SIZE];
    clock_format(now >= ends ? ends : starts, when);
    struct diag *diag = diag_add(diags, DIAG_TLS_EXPIRY, span, "the certificate in %s %s %s", path,
                                 now >= ends ? "ended on" : "is not valid before", when);
    diag_hint(diags, diag, now >= ends ? "renew it and reload" : "check this machine's clock");
    return false;
}

static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)arg;
    return -1;
}

static enum status load_key(SSL_CTX *context, const char *path, struct span span,
                            struct diag_list *diags)
{
    struct secret *pem = NULL;
    enum status status = secret_load(path, span, diags, &pem);
    if (status != STATUS_OK) {
        return status;
    }
    struct slice text = secret_view(pem);
    BIO *bio = BIO_new_mem_buf(text.at, (int)text.len);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
    BIO_free(bio);
    secret_destroy(&pem);
    if (key == NULL) {
        ERR_clear_error();
        return wrong_file(diags, span, "it must hold an unencrypted private key in PEM form", path,
                          "holds no private key that can be read");
    }
    int used = SSL_CTX_use_PrivateKey(context, key);
    EVP_PKEY_free(key);
    if (used != 1) {
        ERR_clear_error();
        return wrong_file(diags, span,
                          "a certificate and its key are made together: name the two that belong "
                          "to each other",
                          path, "is not the key of the certificate");
    }
    return STATUS_OK;
}

static enum status load_pair(SSL_CTX *context, const char *cert_file, const char *key_file,
                             struct span span, struct diag_list *diags)
{
    enum status status = can_open(cert_file, span, diags);
    if (status != STATUS_OK) {
        return status;
    }
    if (SSL_CTX_use_certificate_chain_file(context, cert_file) != 1) {
        char what[200];
        snprintf(what, sizeof what, "holds no certificate that can be used: %s", reason());
        return wrong_file(diags, span, "it must hold a certificate in PEM form, ours first",
                          cert_file, what);
    }
    return load_key(context, key_file, span, diags);
}

static enum status load_roots(SSL_CTX *context, const char *path, struct span span,
                              struct diag_list *diags)
{
    enum status status = can_open(path, span, diags);
    if (status == STATUS_OK && SSL_CTX_load_verify_file(context, path) != 1) {
        ERR_clear_error();
        status = wrong_file(diags, span, "it must hold certificates of authorities in PEM form",
                            path, "holds no certificate that can be read");
    }
    return status;
}

static enum status load_crl(SSL_CTX *context, const char *path, struct span span,
                            struct diag_list *diags)
{
    enum status status = can_open(path, span, diags);
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    if (status == STATUS_OK && X509_STORE_load_file(store, path) != 1) {
        ERR_clear_error();
        return wrong_file(diags, span, "it must hold a revocation list in PEM form", path,
                          "holds no revocation list that can be read");
    }
    if (status == STATUS_OK) {
        X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
    }
    return status;
}

/* Our clients may offer more than one protocol; we speak one (RFC 7301). */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned in_len, void *arg)
{
    static const unsigned char http_1_1[] = "\x08http/1.1";
    unsigned char *chosen = NULL;
    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&chosen, out_len, http_1_1, sizeof http_1_1 - 1, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static enum status ask_clients(SSL_CTX *context, const struct tls_server_config *config,
                               struct diag_list *diags)
{
    static const unsigned char session_id[] = "eplan";
    if (config->clients == TLS_CLIENTS_NONE) {
        return STATUS_OK;
    }
    enum status status = load_roots(context, config->client_ca_file, config->span, diags);
    if (status != STATUS_OK) {
        return status;
    }
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(config->client_ca_file);
    if (names != NULL) {
        SSL_CTX_set_client_CA_list(context, names);
    }
    if (config->client_crl_file != NULL) {
        status = load_crl(context, config->client_crl_file, config->span, diags);
    }
    SSL_CTX_set_verify(
        context,
        SSL_VERIFY_PEER |
            (config->clients == TLS_CLIENTS_REQUIRED ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
        NULL);
    /* Without it OpenSSL refuses to resume a session that showed a certificate. */
    SSL_CTX_set_session_id_context(context, session_id, sizeof session_id - 1);
    return status;
}

static void set_protocol(SSL_CTX *context, bool tls_1_3_only)
{
    SSL_CTX_set_min_proto_version(context, tls_1_3_only ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
    /* G8: a client that drops the line is an end, not an error; nobody renegotiates. */
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(context, choose_alpn, NULL);
}

/* *in_time_out: our certificate is valid now. */
static enum status build(const struct tls_server_config *config, const struct clock *clock,
                         struct diag_list *diags, SSL_CTX **context_out, bool *in_time_out)
{
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL) {
        return STATUS_NO_MEMORY;
    }
    set_protocol(context, config->tls_1_3_only);
    enum status status =
        load_pair(context, config->cert_file, config->key_file, config->span, diags);
    if (status == STATUS_OK) {
        status = ask_clients(context, config, diags);
    }
    if (status != STATUS_OK) {
        SSL_CTX_free(context);
        return status;
    }
    *in_time_out = check_time(SSL_CTX_get0_certificate(context), config->cert_file, clock,
                              config->span, diags);
    *context_out = context;
    return STATUS_OK;
}

static void use(struct tls_server *tls, SSL_CTX *context)
{
    SSL_CTX_free(tls->context);
    tls->context = context;
    tls->expires_us = utc_of(X509_get0_notAfter(SSL_CTX_get0_certificate(context)));
}

enum status tls_server_create(const struct tls_server_config *config, const struct clock *clock,
                              struct diag_list *diags, struct tls_server **tls_out)
{
    SSL_CTX *context = NULL;
    bool in_time = false;
    struct tls_server *tls = calloc(1, sizeof *tls);
    if (tls == NULL) {
        return STATUS_NO_MEMORY;
    }
    enum status status = build(config, clock, diags, &context, &in_time);
    if (status != STATUS_OK) {
        free(tls);
        return status;
    }
    tls->clock = clock;
    use(tls, context);
    *tls_out = tls;
    return STATUS_OK;
}

enum status tls_server_reload(struct tls_server *tls, const struct tls_server_config *config,
                              struct diag_list *diags)
{
    SSL_CTX *context = NULL;
    bool in_time = false;
    enum status status = build(config, tls->clock, diags, &context, &in_time);
    if (status != STATUS_OK) {
        return status;
    }
    if (!in_time) {
        SSL_CTX_free(context);
        return STATUS_REFUSED;
    }
    use(tls, context);
    return STATUS_OK;
}

void tls_server_destroy(struct tls_server **tls)
{
    if (tls == NULL || *tls == NULL) {
        return;
    }
    SSL_CTX_free((*tls)->context);
    free(*tls);
    *tls = NULL;
}

int64_t tls_server_expires(const struct tls_server *tls)
{
    return tls->expires_us;
}

struct ssl_ctx_st *tls_server_context(const struct tls_server *tls)
{
    return tls->context;
}

enum status tls_client_check(const struct tls_client_config *config, const struct clock *clock,
                             struct diag_list *diags)
{
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    enum status status = context != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    if (status == STATUS_OK && config->ca_file != NULL) {
        status = load_roots(context, config->ca_file, config->span, diags);
    }
    if (status == STATUS_OK && config->cert_file != NULL) {
        status = load_pair(context, config->cert_file, config->key_file, config->span, diags);
        if (status == STATUS_OK) {
            check_time(SSL_CTX_get0_certificate(context), config->cert_file, clock, config->span,
                       diags);
        }
    }
    SSL_CTX_free(context);
    return status;
}

/* ---- the client's certificate ---- */

enum { PEER_NAMES = 16, PEER_TEXT = 4096, PEER_NAME = 512 };

struct peer {
    struct tls_peer public;
    _Atomic unsigned users;
    struct slice names[PEER_NAMES];
    size_t used; /* bytes of text */
    char text[PEER_TEXT];
};

/* "PREFIX:value"; one with a character below space (a NUL that hides the rest) is left out. */
static void add_name(struct peer *peer, const char *prefix, const unsigned char *value, int len)
{
    size_t prefix_len = strlen(prefix);
    if (len <= 0 || len > PEER_NAME || peer->public.name_count == PEER_NAMES ||
        prefix_len + (size_t)len >= PEER_TEXT - peer->used) {
        return;
    }
    for (int i = 0; i < len; i++) {
        if (value[i] <= ' ' || value[i] > '~') {
            return;
        }
    }
    char *at = peer->text + peer->used;
    size_t whole =
        (size_t)snprintf(at, PEER_TEXT - peer->used, "%s%.*s", prefix, len, (const char *)value);
    peer->used += whole;
    peer->names[peer->public.name_count++] = slice_from(at, whole);
}

static void add_address(struct peer *peer, const ASN1_OCTET_STRING *address)
{
    char text[48];
    const unsigned char *b = ASN1_STRING_get0_data(address);
    int len = 0;
    if (ASN1_STRING_length(address) == 4) {
        len = snprintf(text, sizeof text, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
    } else if (ASN1_STRING_length(address) == 16) {
        for (int i = 0; i < 16; i += 2) {
            len += snprintf(text + len, sizeof text - (size_t)len, "%s%x", i != 0 ? ":" : "",
                            (unsigned)(b[i] << 8 | b[i + 1]));
        }
    }
    add_name(peer, "IP:", (const unsigned char *)text, len);
}

static void read_names(struct peer *peer, X509 *cert)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        static const struct {
            int type;
            const char *prefix;
        } kinds[] = {{GEN_DNS, "DNS:"}, {GEN_URI, "URI:"}, {GEN_EMAIL, "email:"}};
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            if (name->type == kinds[k].type) {
                add_name(peer, kinds[k].prefix, ASN1_STRING_get0_data(name->d.ia5),
                         ASN1_STRING_length(name->d.ia5));
            }
        }
        if (name->type == GEN_IPADD) {
            add_address(peer, name->d.iPAddress);
        }
    }
    GENERAL_NAMES_free(names);
}

static void read_subject(struct peer *peer, X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL) {
        return;
    }
    X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253);
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);
    if (len > 0 && (size_t)len <= PEER_TEXT - peer->used) {
        memcpy(peer->text + peer->used, text, (size_t)len);
        peer->public.subject = slice_from(peer->text + peer->used, (size_t)len);
        peer->used += (size_t)len;
    }
    BIO_free(bio);
}

static bool read_key(struct peer *peer, const X509 *cert)
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    unsigned size = 0;
    bool done = len > 0 && EVP_Digest(der, (size_t)len, peer->public.spki_sha256, &size,
                                      EVP_sha256(), NULL) == 1;
    OPENSSL_free(der);
    return done;
}

const struct tls_peer *tls_peer_create(const struct ssl_st *ssl)
{
    X509 *cert = SSL_get1_peer_certificate(ssl);
    if (cert == NULL || SSL_get_verify_result(ssl) != X509_V_OK) {
        X509_free(cert);
        return NULL;
    }
    struct peer *peer = calloc(1, sizeof *peer);
    if (peer != NULL && !read_key(peer, cert)) {
        free(peer);
        peer = NULL;
    }
    if (peer != NULL) {
        atomic_store(&peer->users, 1);
        peer->public.names = peer->names;
        peer->public.not_after_us = utc_of(X509_get0_notAfter(cert));
        read_names(peer, cert);
        read_subject(peer, cert);
    }
    X509_free(cert);
    return peer != NULL ? &peer->public : NULL;
}

/* Both know that a tls_peer is the first member of a peer that was allocated writable. */
const struct tls_peer *tls_peer_keep(const struct tls_peer *peer)
{
    if (peer != NULL) {
        atomic_fetch_add(&((struct peer *)(uintptr_t)peer)->users, 1);
    }
    return peer;
}

void tls_peer_release(const struct tls_peer *peer)
{
    struct peer *whole = (struct peer *)(uintptr_t)peer;
    if (whole != NULL && atomic_fetch_sub(&whole->users, 1) == 1) {
        free(whole);
    }
}
