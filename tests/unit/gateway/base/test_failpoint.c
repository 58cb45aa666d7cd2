#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/failpoint.h"

#ifdef EPLAN_SEAMS
static unsigned fails_of(unsigned passings)
{
    unsigned bits = 0;
    for (unsigned i = 0; i < passings; i++) {
        bits |= (unsigned)FAILPOINT(CLIENT_BEFORE_SEND) << i;
    }
    return bits;
}

static void test_nth(void **state)
{
    (void)state;
    assert_int_equal(fails_of(4), 0);
    assert_true(failpoint_plan(SLICE("client.before-send=fail@2")));
    assert_int_equal(fails_of(4), 0x2);
    assert_true(failpoint_plan(SLICE(" client.before-send=fail@3+ ; store.after-commit=delay:0;")));
    assert_int_equal(fails_of(5), 0x1c);
    assert_int_equal(failpoint_passed(FAILPOINT_CLIENT_BEFORE_SEND), 5);
    assert_true(failpoint_plan(SLICE("client.before-send=fail")));
    assert_int_equal(fails_of(3), 0x7);
    assert_true(failpoint_plan(SLICE("")));
    assert_int_equal(fails_of(3), 0);
}

static void test_bad_plans_change_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "client.before-send",          "client.before-send=",       "client.before-send=stop",
        "no.such-point=fail",          "client.before-send=fail@",  "client.before-send=fail@0",
        "client.before-send=fail@x",   "client.before-send=delay",  "client.before-send=delay:",
        "client.before-send=delay:-1", "client.before-send=fail@+",
    };
    assert_true(failpoint_plan(SLICE("client.before-send=fail")));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(failpoint_plan(slice_of(bad[i])));
    }
    assert_int_equal(fails_of(1), 1);
    assert_true(failpoint_plan(SLICE("")));
}

static void test_delay(void **state)
{
    (void)state;
    assert_true(failpoint_plan(SLICE("server.after-reply=delay:30")));
    int64_t start = clock_monotonic(&clock_system);
    assert_false(FAILPOINT(SERVER_AFTER_REPLY));
    assert_true(clock_monotonic(&clock_system) - start >= 30000);
    assert_true(failpoint_plan(SLICE("")));
}

static void test_kill_from_environment(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        setenv("EPLAN_FAILPOINTS", "store.before-commit=kill@2", 1);
        if (!failpoint_plan_from_environment() || FAILPOINT(STORE_BEFORE_COMMIT)) {
            _exit(1);
        }
        (void)FAILPOINT(STORE_BEFORE_COMMIT);
        _exit(2);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nth),
        cmocka_unit_test(test_bad_plans_change_nothing),
        cmocka_unit_test(test_delay),
        cmocka_unit_test(test_kill_from_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
/* In a release a failpoint is a constant: usable where only constants are. */
_Static_assert(!FAILPOINT(STORE_BEFORE_COMMIT), "a failpoint of a release build does nothing");

static void test_release(void **state)
{
    (void)state;
    setenv("EPLAN_FAILPOINTS", "store.before-commit=kill", 1);
    assert_false(FAILPOINT(STORE_BEFORE_COMMIT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_release)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
