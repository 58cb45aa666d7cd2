// uses: gateway/store gateway/work gateway/base fhir/base
/*
 * Fills a store with messages that wait, for `./tests/bench waiting`:
 *   bench_waiting STATE-DIR ENVIRONMENT EHR COUNT
 * One message for each visit of a child of its own, due at once, 1 KiB each.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/store/store.h"

enum { AT_ONCE = 1000, BODY = 1024 };

struct one {
    struct store_accept tx;
    struct trigger trigger;
    char key[32];
    char patient[32];
    char visit[32];
};

struct filling {
    struct store *store;
    struct slice ehr;
    struct one *ones;
    char body[BODY];
    _Atomic size_t left;
    _Atomic bool failed;
};

static void accepted(struct store_tx *tx, void *arg)
{
    struct filling *filling = arg;
    if (tx->status != STATUS_OK) {
        atomic_store(&filling->failed, true);
    }
    atomic_fetch_sub(&filling->left, 1);
}

static void make(struct filling *filling, struct one *one, unsigned long n)
{
    snprintf(one->key, sizeof one->key, "waits-%lu", n);
    snprintf(one->patient, sizeof one->patient, "child-%lu", n);
    snprintf(one->visit, sizeof one->visit, "Encounter/%lu", n);
    one->trigger = (struct trigger){slice_of(one->patient), slice_of(one->visit)};
    one->tx = (struct store_accept)STORE_TX(ACCEPT);
    one->tx.in.message = (struct message){.ehr = filling->ehr,
                                          .kind = MESSAGE_POLL,
                                          .sender = filling->ehr,
                                          .key = slice_of(one->key),
                                          .resource_type = SLICE("Observation"),
                                          .resource_id = slice_of(one->key),
                                          .resource_version = SLICE("1"),
                                          .payload = slice_from(filling->body, BODY)};
    one->tx.in.triggers = &one->trigger;
    one->tx.in.trigger_count = 1;
}

static bool fill(struct filling *filling, unsigned long count)
{
    for (unsigned long n = 0; n < count && !atomic_load(&filling->failed);) {
        size_t batch = count - n < AT_ONCE ? (size_t)(count - n) : AT_ONCE;
        atomic_store(&filling->left, batch);
        for (size_t i = 0; i < batch; i++) {
            make(filling, &filling->ones[i], n++);
            if (store_submit(filling->store, &filling->ones[i].tx.tx, accepted, filling) !=
                STATUS_OK) {
                return false;
            }
        }
        while (atomic_load(&filling->left) != 0) {
            usleep(200);
        }
    }
    return !atomic_load(&filling->failed);
}

int main(int argc, char **argv)
{
    struct arena *arena = arena_create(0);
    struct diag_list diags;
    if (argc != 5 || arena == NULL) {
        fputs("usage: bench_waiting STATE-DIR ENVIRONMENT EHR COUNT\n", stderr);
        return 64;
    }
    struct filling filling = {.ehr = slice_of(argv[3]),
                              .ones = calloc(AT_ONCE, sizeof(struct one))};
    struct store_options options = {.state_dir = slice_of(argv[1]),
                                    .environment = slice_of(argv[2]),
                                    .clock = clock_system,
                                    .random = random_system};
    memset(filling.body, ' ', BODY);
    diag_init(&diags, arena, 5);
    bool good = filling.ones != NULL && store_open(&options, &diags, &filling.store) == STATUS_OK &&
                fill(&filling, strtoul(argv[4], NULL, 10));
    store_close(&filling.store);
    free(filling.ones);
    arena_destroy(&arena);
    return good ? 0 : 1;
}
