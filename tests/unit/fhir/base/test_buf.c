/* Growing bytes: always terminated, never beyond the ceiling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fhir/base/buf.h"

static void test_grows_and_stays_terminated(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    struct buf buf;
    buf_init(&buf, arena, 1000000);
    assert_string_equal(buf.at, "");
    for (int i = 0; i < 10000; i++) {
        buf_add_cstr(&buf, "0123456789");
        assert_int_equal(buf.at[buf.len], '\0');
    }
    assert_int_equal(buf_view(&buf).len, 100000);
    assert_memory_equal(buf.at + 99990, "0123456789", 10);
    arena_destroy(&arena);
}

static void test_every_way_to_add(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    struct buf buf;
    buf_init(&buf, arena, 1000);
    buf_add(&buf, NULL, 0);
    buf_add_slice(&buf, SLICE_NONE);
    buf_add_slice(&buf, SLICE("a\0b"));
    buf_add_char(&buf, 'c');
    buf_add_code(&buf, 0x20ac);
    buf_printf(&buf, "<%d%s>", 42, "x");
    char *at = buf_reserve(&buf, 2);
    memcpy(at, "yz", 3);
    buf.len += 2;
    assert_int_equal(buf.len, 14);
    assert_memory_equal(buf.at, "a\0bc\xe2\x82\xac<42x>yz", 15);
    arena_destroy(&arena);
}

struct filler {
    struct arena *arena;
    size_t ceiling;
    size_t reached;
    bool printing;
};

static enum status fill(void *arg)
{
    struct filler *filler = arg;
    struct buf buf;
    buf_init(&buf, filler->arena, filler->ceiling);
    for (filler->reached = 0; filler->reached <= filler->ceiling; filler->reached++) {
        if (filler->printing) {
            buf_printf(&buf, "%c", 'x');
        } else {
            buf_add_char(&buf, 'x');
        }
    }
    return STATUS_OK; /* the ceiling did not hold */
}

static void test_ceiling_is_exact(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    for (size_t ceiling = 0; ceiling < 300; ceiling += 13) {
        struct filler filler = {.arena = arena, .ceiling = ceiling};
        assert_int_equal(arena_run(arena, fill, &filler), STATUS_LIMIT);
        assert_int_equal(filler.reached, ceiling);
        filler.printing = true;
        assert_int_equal(arena_run(arena, fill, &filler), STATUS_LIMIT);
        assert_int_equal(filler.reached, ceiling);
        arena_reset(arena);
    }
    arena_destroy(&arena);
}

static enum status reserve_absurd(void *arg)
{
    struct buf buf;
    buf_init(&buf, arg, SIZE_MAX / 4);
    buf_add_char(&buf, 'x');
    buf_reserve(&buf, SIZE_MAX - 1);
    return STATUS_OK;
}

static void test_absurd_reserve_is_a_limit(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    assert_int_equal(arena_run(arena, reserve_absurd, arena), STATUS_LIMIT);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_and_stays_terminated),
        cmocka_unit_test(test_every_way_to_add),
        cmocka_unit_test(test_ceiling_is_exact),
        cmocka_unit_test(test_absurd_reserve_is_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
