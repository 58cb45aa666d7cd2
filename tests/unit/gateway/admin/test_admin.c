/* The control socket where it cannot be opened, and where nobody listens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fhir/base/buf.h"
#include "gateway/admin/admin.h"

static void a_socket_that_cannot_be_opened_is_told(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    struct diag_list diags;
    struct buf text;
    struct admin *admin = NULL;
    struct admin_options options = {.state_dir = SLICE("/nonexistent/state")};
    diag_init(&diags, arena, 5);
    assert_int_equal(admin_create(&options, &diags, &admin), STATUS_IO);
    assert_null(admin);
    buf_init(&text, arena, 1000);
    diag_render_all(&diags, &text);
    assert_string_equal(
        text.at, "error: /nonexistent/state/control.sock: No such file or directory [control]\n");
    arena_destroy(&arena);
}

static void nobody_listens_is_absent(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    struct slice answer = SLICE_NONE;
    assert_int_equal(admin_ask(arena, SLICE("/nonexistent/state"), SLICE("{}"), &answer),
                     STATUS_ABSENT);
    arena_destroy(&arena);
}

enum { NOBODY = 65534 };

/* Root may always ask: as root the question comes from a child that is nobody. Exit status: 0, it
 * was answered; 1, it was refused in words; 2, something else. */
static int ask_as_nobody(struct slice state_dir)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct arena *arena = arena_create(0);
        struct slice answer = SLICE_NONE;
        if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)) {
            _exit(2);
        }
        if (admin_ask(arena, state_dir, SLICE("{\"verb\":\"nonsense\"}"), &answer) != STATUS_OK) {
            _exit(2);
        }
        _exit(slice_is(answer, "{\"ok\":false,\"error\":\"this account may not ask\",\"exit\":64}")
                  ? 1
                  : 0);
    }
    int ended = 0;
    waitpid(child, &ended, 0);
    return WIFEXITED(ended) ? WEXITSTATUS(ended) : 2;
}

static int ask_an_admin_of(uid_t account)
{
    char dir[] = "/tmp/eplan-test-admin-XXXXXX";
    char path[64];
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chmod(dir, 0755), 0);
    struct arena *arena = arena_create(0);
    struct diag_list diags;
    struct admin *admin = NULL;
    struct admin_options options = {.state_dir = slice_of(dir), .account = account};
    diag_init(&diags, arena, 5);
    json_library_init();
    assert_int_equal(admin_create(&options, &diags, &admin), STATUS_OK);
    snprintf(path, sizeof path, "%s/control.sock", dir);
    assert_int_equal(chmod(path, 0666), 0); /* the kernel lets anyone in: the uid alone counts */
    int ended = ask_as_nobody(slice_of(dir));
    admin_destroy(&admin);
    arena_destroy(&arena);
    assert_int_equal(rmdir(dir), 0);
    return ended;
}

static void another_account_is_refused(void **state)
{
    (void)state;
    uid_t asking = geteuid() != 0 ? geteuid() : NOBODY;
    assert_int_equal(ask_an_admin_of(asking), 0);
    assert_int_equal(ask_an_admin_of(asking - 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_socket_that_cannot_be_opened_is_told),
        cmocka_unit_test(nobody_listens_is_absent),
        cmocka_unit_test(another_account_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
