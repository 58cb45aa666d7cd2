/*
 * The store's SQL is written once, in words that SQLite knows; this turns a statement into
 * PostgreSQL's. `?N` becomes `$N`, min and max of several values least and greatest, the types INT
 * and INTEGER bigint (as ANY, which holds numbers here), BLOB bytea; STRICT and WITHOUT ROWID fall
 * away. Quoted text stays. Pure. Tests: tests/unit/gateway/store/test_dialect.c.
 */
#ifndef GATEWAY_STORE_STORE_PG_DIALECT_H
#define GATEWAY_STORE_STORE_PG_DIALECT_H

#include <stdbool.h>
#include <stddef.h>

/* NUL-terminated; false: it does not fit into size bytes. */
bool pg_dialect(const char *sql, char *out, size_t size);

#endif
