// packages: eplan::pq
// stores: postgresql
/*
 * What a disk and an operator can do: failing and torn writes, a full disk, kill -9 and power loss;
 * in PostgreSQL, whose disk is the server's: kill -9 of the gateway, and a server that ends at once
 * in the middle of work and comes back by its log. Whatever happens: what was acked is there, and
 * every rule of INVARIANTS.md holds. The seed is printed; EPLAN_SEED and EPLAN_ROUNDS choose
 * others.
 */
#include "workload.h"

#ifdef EPLAN_SEAMS
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "gateway/store/store_seam.h"

static uint64_t seed = 20260101;
static unsigned rounds = 12;

enum { ACKS_MOST = 20000 };

struct acks {
    struct uuid ids[ACKS_MOST];
    size_t count;
};

static void keep_ack(void *arg, struct uuid id)
{
    struct acks *acks = arg;
    if (acks->count == ACKS_MOST) {
        fail_msg("more than %d acked: fewer rounds, or a longer list", ACKS_MOST);
    }
    acks->ids[acks->count++] = id;
}

static void check_acked(struct fixture *f, const struct acks *acks)
{
    struct arena *arena = arena_create(0);
    for (size_t i = 0; i < acks->count; i++) {
        struct message message;
        enum status status = store_read_message(f->store, arena, acks->ids[i], &message);
        if (status != STATUS_OK) {
            fail_msg("message %zu of %zu is lost: %s", i, acks->count, status_name(status));
        }
        arena_reset(arena);
    }
    arena_destroy(&arena);
}

static struct fixture *begin_small(void)
{
    struct fixture *f = begin();
    store_close(&f->store);
    f->options.wal_bytes = 256 * 1024; /* so that checkpoints happen as well */
    open_store(f);
    return f;
}

static void a_disk_that_fails_for_a_while_costs_answers_only(void **state)
{
    (void)state;
    static const enum seam_fault faults[] = {SEAM_FAIL, SEAM_FULL, SEAM_TORN};
    unsigned struck = 0;
    for (unsigned round = 0; round < 3 * rounds; round++) {
        struct fixture *f = begin_small();
        struct acks acks = {.count = 0};
        struct workload w = {.f = f,
                             .arena = arena_create(0),
                             .seed = seed + round,
                             .acked = keep_ack,
                             .arg = &acks};
        struct seam_plan plan = {
            .nth = 1 + roll(&w, 400), .fault = faults[round % 3], .more = roll(&w, 12)};
        store_seam_plan(f->seam, &plan);
        run_workload(&w, 150);
        struck += w.failed;
        store_seam_plan(f->seam, &(struct seam_plan){0});
        check_rules(f);
        check_acked(f, &acks);
        run_workload(&w, 30); /* it goes on by itself */
        assert_false(store_load(f->store).failing);
        reopen(f);
        check_acked(f, &acks);
        arena_destroy(&w.arena);
        end(f);
    }
    print_message("# %u transactions failed\n", struck);
    assert_true(struck > 0);
}

static void a_full_disk_refuses_and_recovers_by_itself(void **state)
{
    (void)state;
    struct fixture *f = begin_small();
    struct acks acks = {.count = 0};
    struct workload w = {
        .f = f, .arena = arena_create(0), .seed = seed, .acked = keep_ack, .arg = &acks};
    run_workload(&w, 100);
    store_seam_plan(f->seam, &(struct seam_plan){.nth = 1, .fault = SEAM_FULL, .more = UINT64_MAX});
    size_t before = acks.count;
    run_workload(&w, 60);
    assert_true(w.failed > 20);
    assert_int_equal(acks.count, before); /* nothing is acked that is not on the disk */
    assert_true(store_load(f->store).failing);
    check_acked(f, &acks); /* reading goes on */
    store_seam_plan(f->seam, &(struct seam_plan){0});
    run_workload(&w, 60);
    assert_true(acks.count > before);
    assert_false(store_load(f->store).failing);
    check_acked(f, &acks);
    arena_destroy(&w.arena);
    end(f);
}

/* ---- children ---- */

static void send_ack(void *arg, struct uuid id)
{
    if (write(*(int *)arg, id.bytes, sizeof id.bytes) != (ssize_t)sizeof id.bytes) {
        _exit(3);
    }
}

static void take_acks(int fd, struct acks *acks)
{
    struct uuid id;
    while (read(fd, id.bytes, sizeof id.bytes) == (ssize_t)sizeof id.bytes) {
        keep_ack(acks, id);
    }
}

/* The child works on the folder until it is killed, or ends by its plan. Half of its keys are new
 * to the store: a key is remembered for days, and a child that has none left acks nothing. */
static void work_in_child(struct fixture *f, int fd, uint64_t child_seed,
                          const struct seam_plan *plan)
{
    f->options.wal_bytes = 256 * 1024;
    open_store(f);
    if (f->seam != NULL) {
        store_seam_plan(f->seam, plan);
    }
    struct workload w = {.f = f,
                         .arena = arena_create(0),
                         .seed = child_seed,
                         .first_key = (child_seed - seed) * (KEYS / 2),
                         .acked = send_ack,
                         .arg = &fd};
    run_workload(&w, plan->nth != 0 ? 400 : 1000000);
    _exit(0);
}

/* Returns how the child ended; its acks are added. */
static int with_child(struct fixture *f, uint64_t child_seed, const struct seam_plan *plan,
                      unsigned kill_after_us, struct acks *acks)
{
    int ends[2];
    int ended = 0;
    fflush(stdout);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        alarm(60);
        work_in_child(f, ends[1], child_seed, plan);
    }
    close(ends[1]);
    if (kill_after_us != 0) {
        struct uuid id;
        if (read(ends[0], id.bytes, sizeof id.bytes) != (ssize_t)sizeof id.bytes) {
            waitpid(child, &ended, 0);
            fail_msg("the child acked nothing before it ended, wait status %#x", (unsigned)ended);
        }
        keep_ack(acks, id); /* it is at work */
        struct timespec pause = {.tv_nsec = (long)kill_after_us * 1000};
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
    }
    take_acks(ends[0], acks);
    close(ends[0]);
    assert_int_equal(waitpid(child, &ended, 0), child);
    return ended;
}

static void check_after_crash(struct fixture *f, const struct acks *acks)
{
    open_store(f);
    check_rules(f);
    check_acked(f, acks);
    store_close(&f->store);
}

static void kill_9_loses_nothing_that_was_acked(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct acks acks = {.count = 0};
    struct seam_plan none = {0};
    uint64_t luck = seed;
    store_close(&f->store);
    for (unsigned round = 0; round < rounds; round++) {
        luck = luck * UINT64_C(6364136223846793005) + 1;
        unsigned after_us = 1 + (unsigned)(luck >> 33) % 60000;
        advance(f, 1000 * SECOND);
        int ended = with_child(f, seed + round, &none, after_us, &acks);
        if (!WIFSIGNALED(ended) || WTERMSIG(ended) != SIGKILL) {
            fail_msg("round %u: the child ended by itself, wait status %#x", round,
                     (unsigned)ended);
        }
        check_after_crash(f, &acks);
    }
    print_message("# %zu acked, %u kills\n", acks.count, rounds);
    open_store(f);
    end(f);
}

static void power_loss_loses_nothing_that_was_acked(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct acks acks = {.count = 0};
    uint64_t luck = seed;
    unsigned lost = 0;
    store_close(&f->store);
    for (unsigned round = 0; round < 2 * rounds; round++) {
        luck = luck * UINT64_C(6364136223846793005) + 1;
        struct seam_plan plan = {.nth = 1 + (luck >> 33) % 500, .fault = SEAM_POWER, .seed = luck};
        advance(f, 1000 * SECOND);
        int ended = with_child(f, seed + round, &plan, 0, &acks);
        assert_true(WIFEXITED(ended) && (WEXITSTATUS(ended) == 99 || WEXITSTATUS(ended) == 0));
        lost += WEXITSTATUS(ended) == 99;
        check_after_crash(f, &acks);
    }
    print_message("# %zu acked, %u power losses\n", acks.count, lost);
    assert_true(lost > 0);
    open_store(f);
    end(f);
}

/* ---- PostgreSQL ---- */

/* A process of its own ends the server after a time, without a checkpoint. */
static pid_t strike_server(unsigned after_us)
{
    pid_t server = postgres_of_program.server;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct timespec pause = {.tv_nsec = (long)after_us * 1000};
        nanosleep(&pause, NULL);
        kill(server, SIGQUIT);
        _exit(0);
    }
    return child;
}

/* The store looks for its server once a second. */
static void work_until_it_is_well(struct workload *w)
{
    for (int i = 0; i < 200; i++) {
        unsigned failed = w->failed;
        run_workload(w, 5);
        bool on = false; /* who asks has a connection of their own */
        bool answers =
            store_read_switch(w->f->store, NORTH, SLICE("stop-writes"), &on) == STATUS_OK;
        if (w->failed == failed && answers) {
            return;
        }
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    fail_msg("the store did not come back to its server");
}

static void a_server_that_ends_at_once_loses_nothing_that_was_acked(void **state)
{
    (void)state;
    struct fixture *f = begin();
    struct acks acks = {.count = 0};
    struct workload w = {
        .f = f, .arena = arena_create(0), .seed = seed, .acked = keep_ack, .arg = &acks};
    uint64_t luck = seed;
    for (unsigned round = 0; round < rounds; round++) {
        luck = luck * UINT64_C(6364136223846793005) + 1;
        w.first_key += KEYS / 2;
        pid_t striker = strike_server(1 + (unsigned)(luck >> 33) % 100000);
        unsigned failed = w.failed;
        for (int i = 0; i < 1000 && w.failed == failed; i++) {
            run_workload(&w, 20);
        }
        assert_true(w.failed > failed); /* it was struck in the middle of work */
        waitpid(striker, NULL, 0);
        postgres_stop_server(&postgres_of_program, SIGQUIT);
        postgres_start_server(&postgres_of_program);
        advance(f, 1000 * SECOND);
        work_until_it_is_well(&w);
        assert_false(store_load(f->store).failing);
        check_rules(f);
        check_acked(f, &acks);
    }
    print_message("# %zu acked, %u transactions failed, %u ends of the server\n", acks.count,
                  w.failed, rounds);
    arena_destroy(&w.arena);
    end(f);
}

int main(void)
{
    const struct CMUnitTest of_a_server[] = {
        cmocka_unit_test(kill_9_loses_nothing_that_was_acked),
        cmocka_unit_test(a_server_that_ends_at_once_loses_nothing_that_was_acked),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_disk_that_fails_for_a_while_costs_answers_only),
        cmocka_unit_test(a_full_disk_refuses_and_recovers_by_itself),
        cmocka_unit_test(kill_9_loses_nothing_that_was_acked),
        cmocka_unit_test(power_loss_loses_nothing_that_was_acked),
    };
    if (getenv("EPLAN_SEED") != NULL) {
        seed = strtoull(getenv("EPLAN_SEED"), NULL, 10);
    }
    if (getenv("EPLAN_ROUNDS") != NULL) {
        rounds = (unsigned)strtoul(getenv("EPLAN_ROUNDS"), NULL, 10);
    }
    print_message("# seed %llu\n", (unsigned long long)seed);
    return wants_postgres() ? cmocka_run_group_tests_name("store faults", of_a_server, NULL, NULL)
                            : cmocka_run_group_tests_name("store faults", tests, NULL, NULL);
}
#else
static void faults_need_the_seams(void **state)
{
    (void)state;
    skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(faults_need_the_seams)};
    return cmocka_run_group_tests_name("store faults", tests, NULL, NULL);
}
#endif
