/*
 * Which keys of messages are surely not taken, so that the database need not be asked (a Bloom
 * filter over their hashes). Right for as long as it knows every key that was ever added; a key
 * that was removed since, or whose transaction was rolled back, only costs a question. Of the
 * store's writer: one thread. Tests: tests/unit/gateway/store/test_key_filter.c.
 */
#ifndef GATEWAY_STORE_KEY_FILTER_H
#define GATEWAY_STORE_KEY_FILTER_H

#include <stdbool.h>
#include <stdint.h>

struct key_filter;

/* Empty, one MiB: with a million keys it takes about three new keys in a hundred for ones that may
 * be taken. NULL: no memory. Caller destroys; destroying accepts NULL. */
struct key_filter *key_filter_create(void);
void key_filter_destroy(struct key_filter **filter);

void key_filter_add(struct key_filter *filter, int64_t key_hash);
/* false: it was never added. */
bool key_filter_may_have(const struct key_filter *filter, int64_t key_hash);

#endif
