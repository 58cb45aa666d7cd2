/*
 * Where store_verify() gets rows from: one way for each kind of store, by code of its own that
 * shares nothing with the writer. Private to gateway/store.
 */
#ifndef GATEWAY_STORE_VERIFY_SOURCE_H
#define GATEWAY_STORE_VERIFY_SOURCE_H

#include "gateway/store/store_verify.h"

struct verify_source;

struct verify_row {
    const struct verify_source *source;
    void *result; /* the source's */
    int at;
};

struct verify_source {
    /* Shows every row of a statement. NULL, or what is wrong:
     * borrowed until the next call. */
    const char *(*each)(struct verify_source *source, const char *sql,
                        void (*look)(const struct verify_row *row, void *arg), void *arg);
    struct slice (*column)(const struct verify_row *row, int n); /* borrowed until look returns */
    int64_t (*number)(const struct verify_row *row, int n);
    bool (*is_number)(const struct verify_row *row, int n);
    void (*close)(struct verify_source *source); /* harmless when done twice */
};

/* NULL: it cannot be opened. Closed by the arena as well, if it runs out in the middle. */
struct verify_source *verify_open_sqlite(struct slice state_dir, struct arena *arena);
struct verify_source *verify_open_pg(struct slice url, struct arena *arena);

#endif
