/* Opening a store in PostgreSQL: this node's folder and name, the schema, what a crash left. */
#include "gateway/store/store_pg_driver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/store/store_folder.h"

enum { GROUP_CEILING = 64 * 1024 * 1024, WORDS_SIZE = 33 };

/* A paused node must not keep others waiting with a transaction that is open. Every statement of
 * the store is a search by an index, on tables that no statistics were made of yet as well;
 * planning each anew would cost more than most of them. */
static const char writer_settings[] =
    "SET enable_seqscan = off;SET jit = off;SET plan_cache_mode = force_generic_plan;"
    "SET search_path = eplan;SET synchronous_commit = on;SET lock_timeout = '30s';"
    "SET statement_timeout = '60s';SET idle_in_transaction_session_timeout = '10s'";
static const char reader_settings[] =
    "SET search_path = eplan;SET default_transaction_read_only = on;SET statement_timeout = '30s'";

struct opening {
    struct pg_backend *backend;
    const struct store_options *options;
    struct diag_list *diags;
    char dir[STORE_PATH_MOST];
};

static enum status refuse(struct opening *opening, enum status status, const char *what,
                          const char *advice)
{
    return store_refuse(opening->diags, "postgresql", status, what, advice);
}

static enum status lost(struct opening *opening, const struct pg_connection *pg)
{
    return refuse(opening, STATUS_IO, pg->error, NULL);
}

/* The node's own word, made once and kept in its folder: its claims are known after a restart. */
static enum status read_node(struct opening *opening)
{
    struct pg_backend *backend = opening->backend;
    char path[STORE_PATH_MOST];
    char text[UUID_TEXT_SIZE] = "";
    if (!store_folder_path(opening->dir, "node", path)) {
        return refuse(opening, STATUS_INVALID, "the path is too long", NULL);
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return refuse(opening, STATUS_IO, strerror(errno), NULL);
    }
    struct uuid id;
    ssize_t got = read(fd, text, sizeof text - 1);
    bool known = got == UUID_TEXT_SIZE - 1 && uuid_read(slice_from(text, (size_t)got), &id);
    if (!known) {
        uuid_write(uuid_v7(&backend->store.clock, &backend->store.random), text);
        known = pwrite(fd, text, UUID_TEXT_SIZE - 1, 0) == UUID_TEXT_SIZE - 1 && fsync(fd) == 0;
    }
    close(fd);
    if (!known) {
        return refuse(opening, STATUS_IO, "the node's name cannot be kept", NULL);
    }
    snprintf(backend->owner, sizeof backend->owner, "node-%s", text);
    backend->store.owner = slice_of(backend->owner);
    return STATUS_OK;
}

/* One node after the other opens; all that run share the schema. */
static enum status share_schema(struct opening *opening)
{
    struct pg_connection *pg = &opening->backend->writer;
    pg_queue(pg, "SELECT pg_advisory_lock(1699769454, 3)", NULL, 0);
    enum status status = pg_upgrade(pg, sql_upgrades, sql_upgrade_count, opening->diags);
    if (status != STATUS_OK) {
        return status;
    }
    pg_queue(pg, "SELECT pg_advisory_lock_shared(1699769454, 2)", NULL, 0);
    status = pg_ask(pg, "SELECT pg_advisory_unlock(1699769454, 3)", NULL, 0, NULL);
    return status == STATUS_OK ? STATUS_OK : lost(opening, pg);
}

static enum status check_environment(struct opening *opening)
{
    struct pg_connection *pg = &opening->backend->writer;
    char wanted[128];
    char what[256];
    PGresult *result = NULL;
    snprintf(wanted, sizeof wanted, "%.*s",
             SLICE_ARGS(slice_part(opening->options->environment, 0, sizeof wanted - 1)));
    const char *const values[] = {wanted};
    pg_queue(pg, "INSERT INTO word VALUES('environment', $1) ON CONFLICT DO NOTHING", values, 1);
    enum status status =
        pg_ask(pg, "SELECT value FROM word WHERE name = 'environment'", NULL, 0, &result);
    if (status != STATUS_OK) {
        return lost(opening, pg);
    }
    if (strcmp(PQgetvalue(result, 0, 0), wanted) != 0) {
        snprintf(what, sizeof what, "is the store of environment \"%.64s\", not of \"%.64s\"",
                 PQgetvalue(result, 0, 0), wanted);
        status = refuse(opening, STATUS_REFUSED, what,
                        "name another database, or correct the environment");
    }
    PQclear(result);
    return status;
}

/* A new store gets its key for ids; ids go on behind the last one, whatever the clock says. */
static enum status read_ids(struct opening *opening)
{
    struct sql_store *store = &opening->backend->store;
    struct pg_connection *pg = &opening->backend->writer;
    struct id_key key;
    char words[WORDS_SIZE];
    PGresult *result = NULL;
    random_fill(&store->random, key.k, sizeof key.k);
    snprintf(words, sizeof words, "%016llx%016llx", (unsigned long long)key.k[0],
             (unsigned long long)key.k[1]);
    const char *const values[] = {words};
    pg_queue(pg, "INSERT INTO word VALUES('id_key', $1) ON CONFLICT DO NOTHING", values, 1);
    enum status status = pg_ask(
        pg,
        "SELECT value, greatest((SELECT max(n) FROM message), (SELECT max(n) FROM evaluation),"
        " (SELECT max(n) FROM item), (SELECT max(n) FROM outbox), 0) FROM word WHERE name ="
        " 'id_key'",
        NULL, 0, &result);
    if (status != STATUS_OK) {
        return lost(opening, pg);
    }
    const char *text = PQgetvalue(result, 0, 0);
    if (strlen(text) == 32) {
        memcpy(words, text, 16);
        words[16] = '\0';
        key.k[0] = strtoull(words, NULL, 16);
        key.k[1] = strtoull(text + 16, NULL, 16);
        store->last_number = strtoll(PQgetvalue(result, 0, 1), NULL, 10);
    } else {
        status = refuse(opening, STATUS_INVALID, "the store has no key for its ids", NULL);
    }
    PQclear(result);
    store->writer.key = key;
    store->reader.key = key;
    return status;
}

static enum status recover_in_transaction(void *arg)
{
    struct opening *opening = arg;
    bool wrote;
    enum status status = pg_begin(opening->backend, NULL, NULL);
    if (status == STATUS_OK) {
        status = sql_check_keys(&opening->backend->store, opening->diags);
    }
    if (status == STATUS_OK) {
        status = sql_recover(&opening->backend->store);
    }
    return status == STATUS_OK ? pg_commit(opening->backend, &wrote) : status;
}

static enum status recover(struct opening *opening)
{
    struct pg_backend *backend = opening->backend;
    enum status status = arena_run(backend->store.scratch, recover_in_transaction, opening);
    arena_reset(backend->store.scratch);
    if (status != STATUS_OK) {
        if (status != STATUS_REFUSED) {
            refuse(opening, STATUS_IO, backend->writer.error, NULL);
        }
        pg_abandon(backend);
    }
    return status;
}

static enum status open_database(struct opening *opening)
{
    struct pg_backend *backend = opening->backend;
    enum status status = store_folder_take(opening->options->state_dir, opening->diags,
                                           opening->dir, &backend->lock_fd);
    if (status == STATUS_OK) {
        status = read_node(opening);
    }
    if (status == STATUS_OK && pg_join(backend) != STATUS_OK) {
        status = refuse(opening, STATUS_IO, backend->writer.error,
                        "the server must run, and let this account in: a password belongs into"
                        " ~/.pgpass or a passfile");
    }
    if (status == STATUS_OK) {
        status = share_schema(opening);
    }
    if (status == STATUS_OK) {
        status = check_environment(opening);
    }
    if (status == STATUS_OK) {
        status = read_ids(opening);
    }
    if (status == STATUS_OK) {
        status = recover(opening);
    }
    backend->opened = status == STATUS_OK;
    if (status == STATUS_OK && pg_connect(&backend->reader) != STATUS_OK) {
        status = lost(opening, &backend->reader);
    }
    return status;
}

void pg_close(void *db)
{
    struct pg_backend *backend = db;
    pg_disconnect(&backend->reader);
    pg_disconnect(&backend->writer);
    if (backend->lock_fd >= 0) {
        close(backend->lock_fd);
    }
    sql_store_clear(&backend->store);
    arena_destroy(&backend->group_arena);
    free(backend);
}

enum status pg_open(const struct store_options *options, struct diag_list *diags, void **db_out)
{
    struct pg_backend *backend = calloc(1, sizeof *backend);
    if (backend == NULL) {
        return STATUS_NO_MEMORY;
    }
    struct opening opening = {.backend = backend, .options = options, .diags = diags};
    backend->lock_fd = -1;
    backend->own_clock = options->clock.utc != NULL && options->clock.utc != clock_system.utc;
    backend->store.writer.driver = &pg_driver;
    backend->store.writer.db = &backend->writer;
    backend->store.reader.driver = &pg_driver;
    backend->store.reader.db = &backend->reader;
    backend->writer.url = backend->url;
    backend->writer.settings = writer_settings;
    backend->reader.url = backend->url;
    backend->reader.settings = reader_settings;
    snprintf(backend->url, sizeof backend->url, "%.*s", SLICE_ARGS(options->store));
    backend->group_arena = arena_create(GROUP_CEILING);
    bool ready = sql_store_init(&backend->store, options) && backend->group_arena != NULL;
    enum status status = ready ? open_database(&opening) : STATUS_NO_MEMORY;
    if (status != STATUS_OK) {
        pg_close(backend);
        return status;
    }
    *db_out = backend;
    return STATUS_OK;
}
