// uses: gateway/store
// packages: eplan::pq Threads::Threads
/*
 * Durable ingest into PostgreSQL: the store's accepts against a bare libpq pipeline that inserts
 * the same rows, 256 a transaction, into a table with the same columns and indexes. A private
 * server, fsync on; five rounds of each in turn, the median counts. bench_postgres_ingest
 * [MESSAGES]
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "../unit/gateway/store/postgres.h"
#include "gateway/store/store.h"

enum { ROUNDS = 5, GROUP = 256, WINDOW = 1024, PAYLOAD = 1200 };

static void must(bool done, const char *what)
{
    if (!done) {
        fprintf(stderr, "bench: %s failed\n", what);
        exit(1);
    }
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* ---- bare ---- */

static const char insert[] =
    "INSERT INTO bare VALUES($1, 'north', 1, 'vitals', $2, $5, 9223372036854775807, 'Observation',"
    " $2, '1', 1, 20000000, 120000000, $3, $4)";

static double bare(int messages, int64_t first, const char *payload)
{
    char url[192];
    PGconn *conn = PQconnectdb(postgres_url_of("postgres", url));
    const Oid types[] = {20, 25, 25, 17, 20};
    must(PQstatus(conn) == CONNECTION_OK, "connecting");
    PQclear(PQprepare(conn, "insert", insert, 5, types));
    must(PQenterPipelineMode(conn) == 1, "the pipeline");
    double start = now();
    for (int done = 0; done < messages; done += GROUP) {
        PQsendQueryParams(conn, "BEGIN", 0, NULL, NULL, NULL, NULL, 0);
        for (int i = 0; i < GROUP; i++) {
            char number[32];
            char key[32];
            char hash[32];
            snprintf(number, sizeof number, "%lld", (long long)(first + done + i));
            snprintf(key, sizeof key, "k%lld", (long long)(first + done + i));
            snprintf(hash, sizeof hash, "%lld", (long long)(int64_t)slice_hash(slice_of(key)));
            const char *const values[] = {number, key,
                                          "p1\x1f"
                                          "e1\x1e",
                                          payload, hash};
            const int lengths[] = {0, 0, 0, PAYLOAD, 0};
            const int formats[] = {0, 0, 0, 1, 0};
            must(PQsendQueryPrepared(conn, "insert", 5, values, lengths, formats, 0) == 1,
                 "insert");
        }
        PQsendQueryParams(conn, "COMMIT", 0, NULL, NULL, NULL, NULL, 0);
        must(PQpipelineSync(conn) == 1, "sync");
        for (bool synced = false; !synced;) {
            PGresult *result = PQgetResult(conn);
            must(result == NULL || PQresultStatus(result) == PGRES_COMMAND_OK ||
                     PQresultStatus(result) == PGRES_PIPELINE_SYNC,
                 "a row");
            synced = result != NULL && PQresultStatus(result) == PGRES_PIPELINE_SYNC;
            PQclear(result);
        }
    }
    double took = now() - start;
    PQfinish(conn);
    return messages / took;
}

/* ---- the store ---- */

struct post {
    struct store_accept tx;
    struct trigger trigger;
    char key[32];
    atomic_bool free;
};

static void posted(struct store_tx *tx, void *arg)
{
    struct post *post = arg;
    must(tx->status == STATUS_OK, "accepting");
    atomic_store(&post->free, true);
}

static void post_one(struct store *store, struct post *post, int64_t number, const char *payload)
{
    while (!atomic_load(&post->free)) {
        nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
    }
    atomic_store(&post->free, false);
    snprintf(post->key, sizeof post->key, "k%lld", (long long)number);
    post->trigger = (struct trigger){SLICE("p1"), SLICE("e1")};
    post->tx = (struct store_accept)STORE_TX(ACCEPT);
    post->tx.in.message = (struct message){.ehr = SLICE("north"),
                                           .kind = MESSAGE_NOTIFICATION,
                                           .sender = SLICE("vitals"),
                                           .key = slice_of(post->key),
                                           .resource_type = SLICE("Observation"),
                                           .resource_id = slice_of(post->key),
                                           .resource_version = SLICE("1"),
                                           .payload = slice_from(payload, PAYLOAD)};
    post->tx.in.triggers = &post->trigger;
    post->tx.in.trigger_count = 1;
    post->tx.in.settle_us = 20000000;
    post->tx.in.settle_most_us = 120000000;
    must(store_submit(store, &post->tx.tx, posted, post) == STATUS_OK, "submitting");
}

static double through_store(struct store *store, int messages, int64_t first, const char *payload)
{
    static struct post posts[WINDOW];
    for (int i = 0; i < WINDOW; i++) {
        atomic_store(&posts[i].free, true);
    }
    double start = now();
    for (int i = 0; i < messages; i++) {
        post_one(store, &posts[i % WINDOW], first + i, payload);
    }
    for (int i = 0; i < WINDOW; i++) {
        while (!atomic_load(&posts[i].free)) {
            nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
        }
    }
    return messages / (now() - start);
}

static int compare(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

int main(int argc, char **argv)
{
    int messages = (argc > 1 ? (int)strtol(argv[1], NULL, 10) : 20000) / GROUP * GROUP;
    char payload[PAYLOAD];
    char dir[] = "/tmp/eplan-bench-XXXXXX";
    double rates[2][ROUNDS];
    struct diag_list diags;
    struct store *store = NULL;
    for (size_t i = 0; i < sizeof payload; i++) {
        payload[i] = (char)('a' + i * 7 % 23);
    }
    const char *url = postgres_url();
    must(url != NULL && mkdtemp(dir) != NULL, "a place for it");
    struct arena *arena = arena_create(0);
    diag_init(&diags, arena, 5);
    struct store_options options = {.state_dir = slice_of(dir), .store = slice_of(url)};
    must(store_open(&options, &diags, &store) == STATUS_OK, "opening the store");
    postgres_run("CREATE TABLE bare (LIKE eplan.message INCLUDING ALL)");
    for (int round = 0; round < ROUNDS; round++) {
        int64_t first = (int64_t)round * messages;
        rates[0][round] = bare(messages, first, payload);
        rates[1][round] = through_store(store, messages, first, payload);
    }
    store_close(&store);
    arena_destroy(&arena);
    char path[64];
    snprintf(path, sizeof path, "rm -rf '%s'", dir);
    must(system(path) == 0, "removing its folder");
    qsort(rates[0], ROUNDS, sizeof(double), compare);
    qsort(rates[1], ROUNDS, sizeof(double), compare);
    double share = 100 * rates[1][ROUNDS / 2] / rates[0][ROUNDS / 2];
    printf("bare pipeline %.0f/s, store %.0f/s: %.0f %% (at least 60)\n", rates[0][ROUNDS / 2],
           rates[1][ROUNDS / 2], share);
    return share >= 60 ? 0 : 1;
}
