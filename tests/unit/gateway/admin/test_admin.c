/* The control socket where it cannot be opened, and where nobody listens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_socket_that_cannot_be_opened_is_told),
        cmocka_unit_test(nobody_listens_is_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
