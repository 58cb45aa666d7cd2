/*
 * TLS by OpenSSL: the context of our listeners, the certificate a client showed, and a check of the
 * files that the HTTP client is to use. TLS 1.2 and 1.3 only, no renegotiation, no compression. A
 * server's pair is changed by building the next one whole and swapping; a pair that cannot be used
 * leaves the old one in place. Loop thread, except tls_peer_*. Tests:
 * tests/unit/gateway/http/test_tls.c.
 */
#ifndef GATEWAY_HTTP_TLS_H
#define GATEWAY_HTTP_TLS_H

#include <stdint.h>

#include "fhir/base/diag.h"
#include "fhir/base/slice.h"
#include "fhir/base/status.h"
#include "gateway/base/clock.h"

struct ssl_ctx_st;
struct ssl_st;

enum tls_clients {
    TLS_CLIENTS_NONE,     /* no certificate is asked for */
    TLS_CLIENTS_OPTIONAL, /* none is fine; one that does not verify ends the handshake */
    TLS_CLIENTS_REQUIRED
};

struct tls_server_config {
    const char *cert_file; /* PEM: our certificate, then those between it and its root */
    const char *key_file;  /* PEM, not encrypted, readable by us alone (secret.h) */
    enum tls_clients clients;
    const char *client_ca_file;  /* PEM; needed unless TLS_CLIENTS_NONE */
    const char *client_crl_file; /* PEM; NULL: revocation is not checked */
    bool tls_1_3_only;
    struct span span; /* where the files are named, for diagnostics */
};

struct tls_server;

/*
 * STATUS_OK; a certificate out of its time is then a warning in diags, because the rest of the
 * gateway can work without its listener. Otherwise diags says which file and what is wrong with it.
 * Caller destroys.
 */
enum status tls_server_create(const struct tls_server_config *config, const struct clock *clock,
                              struct diag_list *diags, struct tls_server **tls_out);

/* As create, and then new connections use it. Not STATUS_OK, or a certificate out of its time: all
 * stays as it was. */
enum status tls_server_reload(struct tls_server *tls, const struct tls_server_config *config,
                              struct diag_list *diags);

/* Connections already made keep what they need. Accepts NULL. */
void tls_server_destroy(struct tls_server **tls);

/* When our certificate ends, UTC microseconds. */
int64_t tls_server_expires(const struct tls_server *tls);

/* Borrowed until reload or destroy. For server.c. */
struct ssl_ctx_st *tls_server_context(const struct tls_server *tls);

/*
 * A client's certificate, verified against client_ca_file in this connection's handshake or the one
 * it resumes. Map it to a sender by name or key, never by the subject's text. Shared by requests of
 * a connection: tls_peer_keep / tls_peer_release, any thread.
 */
struct tls_peer {
    uint8_t spki_sha256[32];   /* of the DER SubjectPublicKeyInfo, as curl and RFC 7469 pin it */
    const struct slice *names; /* subjectAltName: "DNS:...", "URI:...", "email:...", "IP:..." */
    size_t name_count;
    struct slice subject; /* RFC 2253, for people */
    int64_t not_after_us; /* UTC */
};

/* NULL: the client showed none (or no memory). Caller releases. */
const struct tls_peer *tls_peer_create(const struct ssl_st *ssl);
const struct tls_peer *tls_peer_keep(const struct tls_peer *peer); /* accepts NULL */
void tls_peer_release(const struct tls_peer *peer);                /* accepts NULL */

/* ---- files of the HTTP client ---- */

struct tls_client_config {
    const char *ca_file;   /* PEM; NULL: the system's roots */
    const char *cert_file; /* PEM chain; NULL: we show no certificate */
    const char *key_file;  /* PEM; with cert_file */
    struct span span;
};

/* Says what is wrong with the files before the first connection does. */
enum status tls_client_check(const struct tls_client_config *config, const struct clock *clock,
                             struct diag_list *diags);

#endif
