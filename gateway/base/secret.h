/*
 * Secrets: passwords, tokens, private keys. Held apart from other memory, out of core files, wiped
 * when destroyed. The type is opaque and has no text form; the bytes are seen by secret_view()
 * alone, at the place that needs them. Tests: tests/unit/gateway/base/test_secret.c.
 */
#ifndef GATEWAY_BASE_SECRET_H
#define GATEWAY_BASE_SECRET_H

#include <stdbool.h>

#include "fhir/base/diag.h"
#include "fhir/base/slice.h"
#include "fhir/base/status.h"

struct secret;

enum { SECRET_MAX = 64 * 1024 };

/*
 * Reads a file, without its last line end. It must be a regular file of ours or root's that nobody
 * else can read: mode 0600 or less, or 0640 when it is root's. STATUS_IO (absent, unreadable),
 * STATUS_REFUSED (others can read it), STATUS_INVALID (empty), STATUS_LIMIT (over SECRET_MAX
 * bytes): a diagnostic at `span` (where the file was named) says what to do. Caller destroys.
 */
enum status secret_load(const char *path, struct span span, struct diag_list *diags,
                        struct secret **secret_out);

/* A copy of up to SECRET_MAX bytes; NULL: no memory, or too many. Caller destroys. */
struct secret *secret_create(struct slice bytes);

/* Wipes. Accepts NULL. */
void secret_destroy(struct secret **secret);

/* The bytes, NUL-terminated. Borrowed until secret_destroy. Never to be logged or stored. */
struct slice secret_view(const struct secret *secret);

/* Compares with what a stranger sent; the time does not tell where they differ, nor the length. */
bool secret_equal(const struct secret *secret, struct slice bytes);

#endif
