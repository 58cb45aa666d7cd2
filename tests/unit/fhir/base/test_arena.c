/* Regions: alignment, ceilings, rewinding, deferred functions, and the way out when memory ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fhir/base/arena.h"

static void test_objects_are_aligned_and_apart(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    char *before = NULL;
    for (size_t size = 0; size < 200; size++) {
        char *at = arena_alloc(arena, size);
        assert_int_equal((uintptr_t)at % alignof(max_align_t), 0);
        memset(at, (int)size, size);
        if (before != NULL && size > 1) {
            assert_int_equal((unsigned char)before[size - 2], size - 1);
        }
        before = at;
    }
    arena_destroy(&arena);
    assert_null(arena);
    arena_destroy(&arena);
    arena_destroy(NULL);
}

static void test_zeroed_even_after_reuse(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    for (int round = 0; round < 3; round++) {
        unsigned char *at = arena_zalloc(arena, 5000);
        for (size_t i = 0; i < 5000; i++) {
            assert_int_equal(at[i], 0);
        }
        memset(at, 0xaa, 5000);
        uint64_t *array = ARENA_ARRAY(arena, 100, uint64_t);
        assert_int_equal(array[0] | array[99], 0);
        memset(array, 0xbb, 100 * sizeof *array);
        arena_reset(arena);
        assert_int_equal(arena_used(arena), 0);
    }
    arena_destroy(&arena);
}

static void test_copies_are_terminated(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    struct slice copy = arena_copy(arena, slice_from("abcdef", 3));
    assert_int_equal(copy.len, 3);
    assert_string_equal(copy.at, "abc");
    assert_string_equal(arena_cstr(arena, SLICE_NONE), "");
    struct slice joined = arena_join(arena, slice_from("abcdef", 3), SLICE("xy"));
    assert_string_equal(joined.at, "abcxy");
    assert_int_equal(joined.len, 5);
    assert_string_equal(arena_join(arena, SLICE_NONE, SLICE_NONE).at, "");
    assert_string_equal(arena_printf(arena, "%s-%05d", "x", 42).at, "x-00042");
    struct slice wide = arena_printf(arena, "%3000d", 7);
    assert_int_equal(wide.len, 3000);
    assert_int_equal(wide.at[2999], '7');
    arena_destroy(&arena);
}

struct eater {
    struct arena *arena;
    size_t size;
    size_t count; /* of allocations that succeeded */
    enum status result;
};

static enum status eat(void *arg)
{
    struct eater *eater = arg;
    for (eater->count = 0; eater->count < 1000; eater->count++) {
        memset(arena_alloc(eater->arena, eater->size), 1, eater->size);
    }
    return eater->result;
}

static void test_ceiling_ends_the_work(void **state)
{
    (void)state;
    struct arena *arena = arena_create(100000);
    struct eater eater = {.arena = arena, .size = 1000};
    assert_int_equal(arena_run(arena, eat, &eater), STATUS_LIMIT);
    assert_in_range(eater.count, 90, 100);
    assert_true(arena_used(arena) <= 100000);
    arena_reset(arena);
    eater.size = 16;
    eater.result = STATUS_ABSENT;
    assert_int_equal(arena_run(arena, eat, &eater), STATUS_ABSENT);
    assert_int_equal(eater.count, 1000);
    arena_destroy(&arena);
}

static enum status ask_too_much(void *arg)
{
    struct eater *eater = arg;
    arena_alloc(eater->arena, eater->size);
    return STATUS_OK;
}

static enum status overflow(void *arg)
{
    struct eater *eater = arg;
    arena_array(eater->arena, SIZE_MAX / 8, 16);
    return STATUS_OK;
}

static void test_absurd_sizes_are_a_limit(void **state)
{
    (void)state;
    struct arena *arena = arena_create(SIZE_MAX);
    struct eater eater = {.arena = arena};
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15, SIZE_MAX / 2 + 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        eater.size = sizes[i];
        assert_int_equal(arena_run(arena, ask_too_much, &eater), STATUS_LIMIT);
    }
    assert_int_equal(arena_run(arena, overflow, &eater), STATUS_LIMIT);
    assert_int_equal(arena_used(arena), 0);
    arena_destroy(&arena);
}

static enum status nest(void *arg)
{
    struct eater *eater = arg;
    enum status inner = arena_run(eater->arena, ask_too_much, eater);
    assert_int_equal(inner, STATUS_LIMIT);
    arena_fail(eater->arena, STATUS_REFUSED);
}

static void test_the_innermost_run_catches(void **state)
{
    (void)state;
    struct arena *arena = arena_create(1000);
    struct eater eater = {.arena = arena, .size = 2000};
    assert_int_equal(arena_run(arena, nest, &eater), STATUS_REFUSED);
    arena_destroy(&arena);
}

struct note {
    char order[16];
    size_t len;
};

struct step { /* what a deferred function is told: which it is, and where to write that down */
    struct note *note;
    char letter;
};

static void note(void *arg)
{
    const struct step *step = arg;
    step->note->order[step->note->len++] = step->letter;
}

static void test_deferred_functions_run_once_latest_first(void **state)
{
    (void)state;
    struct note here = {{0}, 0};
    struct step steps[] = {{&here, 'a'}, {&here, 'b'}, {&here, 'c'}, {&here, 'd'}, {&here, 'e'}};
    struct arena *arena = arena_create(0);
    arena_defer(arena, note, &steps[0]);
    arena_defer(arena, note, &steps[1]);
    struct arena_mark mark = arena_mark(arena);
    arena_defer(arena, note, &steps[2]);
    arena_defer(arena, note, &steps[3]);
    arena_rewind(arena, mark);
    assert_string_equal(here.order, "dc");
    arena_rewind(arena, mark);
    assert_string_equal(here.order, "dc");
    arena_wipe(arena);
    assert_string_equal(here.order, "dcba");
    arena_defer(arena, note, &steps[4]);
    arena_destroy(&arena);
    assert_string_equal(here.order, "dcbae");
}

static void test_rewind_keeps_what_is_older(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    struct arena_mark empty = arena_mark(arena);
    struct slice kept = arena_copy(arena, SLICE("kept"));
    size_t used = arena_used(arena);
    struct arena_mark mark = arena_mark(arena);
    for (int round = 0; round < 4; round++) { /* several blocks, and one larger than any block */
        for (int i = 0; i < 50; i++) {
            memset(arena_alloc(arena, 1000), 0xcc, 1000);
        }
        memset(arena_alloc(arena, (size_t)3 << 20), 0xdd, (size_t)3 << 20);
        arena_rewind(arena, mark);
        assert_int_equal(arena_used(arena), used);
        assert_string_equal(kept.at, "kept");
    }
    arena_rewind(arena, empty);
    assert_int_equal(arena_used(arena), 0);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_objects_are_aligned_and_apart),
        cmocka_unit_test(test_zeroed_even_after_reuse),
        cmocka_unit_test(test_copies_are_terminated),
        cmocka_unit_test(test_ceiling_ends_the_work),
        cmocka_unit_test(test_absurd_sizes_are_a_limit),
        cmocka_unit_test(test_the_innermost_run_catches),
        cmocka_unit_test(test_deferred_functions_run_once_latest_first),
        cmocka_unit_test(test_rewind_keeps_what_is_older),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
