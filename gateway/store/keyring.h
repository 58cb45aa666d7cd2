/*
 * The keys under which records are sealed: the current one, and older ones under which some still
 * are. A file with one key a line, the current one first: "2 <64 hexadecimal digits>"; # begins a
 * comment. The number (1 to 4294967295) stands in each record and is never given to another key.
 * Immutable; any thread. Tests: tests/unit/gateway/store/test_seal.c.
 */
#ifndef GATEWAY_STORE_KEYRING_H
#define GATEWAY_STORE_KEYRING_H

#include <stdint.h>

#include "fhir/base/diag.h"
#include "fhir/base/slice.h"
#include "fhir/base/status.h"

struct keyring;

/* STATUS_IO, STATUS_REFUSED, STATUS_LIMIT as secret_load; STATUS_INVALID: a line that is none, a
 * number twice, no key: diags says which line, never what stands there. Caller destroys. */
enum status keyring_load(const char *path, struct diag_list *diags, struct keyring **keyring_out);

/* Wipes. Accepts NULL. */
void keyring_destroy(struct keyring **keyring);

/* The number of the current key. */
uint32_t keyring_current(const struct keyring *keyring);

/* The bytes of a key, borrowed from the keyring; SLICE_NONE: it has none of that number. */
struct slice keyring_find(const struct keyring *keyring, uint32_t number);

#endif
