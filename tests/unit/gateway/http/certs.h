/*
 * Certificates for tests, made by OpenSSL in the process: an authority, a server's pair and its
 * renewal, a client's, and the same of an authority that nobody trusts. P-256, one day.
 */
#ifndef TESTS_HTTP_CERTS_H
#define TESTS_HTTP_CERTS_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define UNUSED __attribute__((unused))

struct authority {
    EVP_PKEY *key;
    X509 *cert;
};

struct certs {
    char dir[64];
    struct authority ca;
    struct authority rogue;
};

/* Borrowed until this thread's eighth next call. */
static const char *cert_path(const struct certs *certs, const char *name)
{
    static _Thread_local char paths[8][160];
    static _Thread_local unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", certs->dir, name);
    return path;
}

static void cert_must(int done)
{
    if (!done) {
        fputs("the test's certificates could not be made\n", stderr);
        abort();
    }
}

static FILE *cert_open(struct certs *certs, const char *name)
{
    int fd = open(cert_path(certs, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cert_must(fd >= 0);
    return fdopen(fd, "w");
}

static void cert_extend(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    cert_must(extension != NULL && X509_add_ext(cert, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

/* issuer NULL: signed by itself. days may be negative: it ended that many days ago. */
static X509 *cert_make(EVP_PKEY *key, const char *name, const struct authority *issuer,
                       const char *usage, const char *names, int days)
{
    static long serial = 1000;
    X509 *cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3L * 86400);
    X509_gmtime_adj(X509_getm_notAfter(cert), (long)days * 86400);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(issuer != NULL ? issuer->cert : cert));
    X509_set_pubkey(cert, key);
    if (issuer == NULL) {
        cert_extend(cert, NID_basic_constraints, "critical,CA:TRUE");
    }
    if (usage != NULL) {
        cert_extend(cert, NID_ext_key_usage, usage);
    }
    if (names != NULL) {
        cert_extend(cert, NID_subject_alt_name, names);
    }
    cert_must(X509_sign(cert, issuer != NULL ? issuer->key : key, EVP_sha256()) > 0);
    return cert;
}

/* Writes NAME.pem and NAME.key. */
static void cert_leaf(struct certs *certs, const struct authority *issuer, const char *name,
                      const char *usage, const char *names, int days)
{
    char file[64];
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = cert_make(key, name, issuer, usage, names, days);
    snprintf(file, sizeof file, "%s.pem", name);
    FILE *out = cert_open(certs, file);
    PEM_write_X509(out, cert);
    fclose(out);
    snprintf(file, sizeof file, "%s.key", name);
    out = cert_open(certs, file);
    PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
    fclose(out);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static struct authority cert_authority(struct certs *certs, const char *name)
{
    char file[64];
    struct authority ca = {.key = EVP_EC_gen("P-256")};
    ca.cert = cert_make(ca.key, name, NULL, NULL, NULL, 1);
    snprintf(file, sizeof file, "%s.pem", name);
    FILE *out = cert_open(certs, file);
    PEM_write_X509(out, ca.cert);
    fclose(out);
    return ca;
}

static UNUSED struct certs *certs_create(void)
{
    struct certs *certs = calloc(1, sizeof *certs);
    strcpy(certs->dir, "/tmp/eplan-certs-XXXXXX");
    cert_must(mkdtemp(certs->dir) != NULL);
    certs->ca = cert_authority(certs, "ca");
    certs->rogue = cert_authority(certs, "rogue-ca");
    cert_leaf(certs, &certs->ca, "server", "serverAuth", "IP:127.0.0.1,DNS:localhost", 1);
    cert_leaf(certs, &certs->ca, "server2", "serverAuth", "IP:127.0.0.1,DNS:localhost", 1);
    cert_leaf(certs, &certs->ca, "expired", "serverAuth", "IP:127.0.0.1", -1);
    cert_leaf(certs, &certs->ca, "client", "clientAuth",
              "DNS:north.example,URI:urn:example:north,email:it@north.example,IP:192.0.2.7", 1);
    cert_leaf(certs, &certs->ca, "no-client", "serverAuth", "DNS:north.example", 1);
    cert_leaf(certs, &certs->rogue, "rogue", "clientAuth", "DNS:north.example", 1);
    cert_leaf(certs, &certs->rogue, "rogue-server", "serverAuth", "IP:127.0.0.1", 1);
    return certs;
}

static UNUSED void certs_destroy(struct certs *certs)
{
    char command[128];
    EVP_PKEY_free(certs->ca.key);
    X509_free(certs->ca.cert);
    EVP_PKEY_free(certs->rogue.key);
    X509_free(certs->rogue.cert);
    snprintf(command, sizeof command, "rm -rf '%s'", certs->dir);
    cert_must(system(command) == 0);
    free(certs);
}

#endif
