/*
 * Strictness: every kind of wrong text, each with the message exactly as a person reads it. The
 * texts are read under small ceilings, so that those have rows too.
 */
#include "json_case.h"

static const struct limits small = {.bytes = 200, .depth = 4, .nodes = 20};

static void assert_refused(struct slice text, const char *want)
{
    struct arena *arena = arena_create(0);
    struct diag_list diags;
    diag_init(&diags, arena, 10);
    static const char untouched[1];
    const struct json *mark = (const struct json *)(const void *)untouched;
    struct reading reading = {.arena = arena,
                              .source = source_create(arena, SLICE("t"), text),
                              .limits = small,
                              .diags = &diags,
                              .json = mark};
    enum status status = arena_run(arena, reading_run, &reading);
    struct buf got;
    buf_init(&got, arena, 100000);
    diag_render_all(&diags, &got);
    assert_string_equal(got.at, want);
    bool limit = strstr(want, "[json-limit]") != NULL;
    assert_int_equal(status, limit ? STATUS_LIMIT : STATUS_INVALID);
    assert_ptr_equal(reading.json, mark);
    arena_destroy(&arena);
}

static void test_every_wrong_text_is_told_exactly(void **state)
{
    (void)state;
    const struct {
        struct slice text;
        const char *want;
    } rows[] = {
#define WRONG(text, want) {SLICE(text), want},
#include "wrong_texts.def"
#undef WRONG
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_refused(rows[i].text, rows[i].want);
    }
}

/* Every text that is cut off is refused, wherever the cut is, and nothing is read behind it. */
static void test_every_prefix_is_refused(void **state)
{
    (void)state;
    static const char whole[] =
        "{\"a\":[1.5e3,true,null,{\"\\u00e9\":\"\\ud83d\\ude00\"}],\"b\":\"c\"}";
    struct limits limits = LIMITS_DEFAULT;
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        struct arena *arena = arena_create(0);
        struct diag_list diags;
        diag_init(&diags, arena, 10);
        char *exact = arena_alloc(arena, len); /* under AddressSanitizer an overrun is seen */
        memcpy(exact, whole, len);
        struct reading reading = {.arena = arena,
                                  .source =
                                      source_create(arena, SLICE("t"), slice_from(exact, len)),
                                  .limits = limits,
                                  .diags = &diags};
        assert_int_equal(arena_run(arena, reading_run, &reading), STATUS_INVALID);
        assert_int_equal(diags.count, 1);
        assert_in_range(diags.first->span.start, 0, len);
        arena_destroy(&arena);
    }
}

static void test_numbers_keep_their_text(void **state)
{
    struct arena *arena = *state;
    static const char *const texts[] = {
        "70.50", "9007199254740993",
        "1e400", "-0",
        "-0.0",  "0",
        "1E+2",  "1.0e-7",
        "0.1e1", "12345678901234567890.123456789012345678901234567890123456789012"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const struct json *json = parsed(arena, slice_of(texts[i]));
        assert_int_equal(json_kind(json), JSON_NUMBER);
        assert_string_equal(json_text(json).at, texts[i]);
        assert_int_equal(json_text(json).len, strlen(texts[i]));
        assert_string_equal(compact(arena, json), texts[i]);
    }
}

static void test_strings_are_decoded(void **state)
{
    struct arena *arena = *state;
    const struct {
        struct slice text;
        struct slice want;
    } rows[] = {
        {SLICE("\"\""), SLICE("")},
        {SLICE("\"plain text of more than eight bytes\""),
         SLICE("plain text of more than eight bytes")},
        {SLICE("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), SLICE("\"\\/\b\f\n\r\t")},
        {SLICE("\"\\u0041\\u00e9\\u20AC\""), SLICE("A\xc3\xa9\xe2\x82\xac")},
        {SLICE("\"\\ud83d\\ude00\""), SLICE("\xf0\x9f\x98\x80")},
        {SLICE("\"\\udbff\\udfff\""), SLICE("\xf4\x8f\xbf\xbf")},
        {SLICE("\"1234567\xc3\xa9"
               "1234567\\n1234567\x7f\""),
         SLICE("1234567\xc3\xa9"
               "1234567\n1234567\x7f")},
        {SLICE("\"\\u0001\\u001f\""), SLICE("\x01\x1f")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct slice got = json_text(parsed(arena, rows[i].text));
        assert_int_equal(got.len, rows[i].want.len);
        assert_string_equal(got.at, rows[i].want.at);
    }
}

static void test_offsets_point_at_the_values(void **state)
{
    struct arena *arena = *state;
    struct slice text =
        SLICE(" {\"a\" : [1, \"x\",{}],\n\"\\u0062\":{\"c\":null,\"d\":-2.0},\"e\":true}");
    const struct json *root = parsed(arena, text);
    assert_int_equal(json_offset(root), 1);
    const struct json *a = json_get(root, "a");
    assert_int_equal(json_offset(a), 8);
    assert_int_equal(json_count(a), 3);
    assert_int_equal(json_offset(json_first(a)), 9);
    assert_int_equal(json_offset(json_next(json_first(a))), 12);
    const struct json *b = json_get(root, "b");
    assert_string_equal(json_name(b).at, "b");
    assert_int_equal(json_name(b).len, 1);
    assert_int_equal(text.at[json_offset(b)], '{');
    assert_int_equal(json_kind(json_get(b, "c")), JSON_NULL);
    assert_int_equal(text.at[json_offset(json_get(b, "d"))], '-');
    assert_int_equal(text.at[json_offset(json_get(root, "e"))], 't');
}

static void test_members_are_found_by_exact_name(void **state)
{
    struct arena *arena = *state;
    const struct json *root = parsed(
        arena, SLICE("{\"status\":1,\"Status\":2,\"\":3,\"statu\":4,\"a\":[5],\"t\":\"x\"}"));
    assert_string_equal(json_text(json_get(root, "Status")).at, "2");
    assert_string_equal(json_text(json_get(root, "")).at, "3");
    assert_string_equal(json_text(json_member(root, slice_from("status", 5))).at, "4");
    assert_null(json_get(root, "statuss"));
    assert_null(json_get(json_get(root, "a"), "0"));
    assert_null(json_get(json_get(root, "t"), "x"));
    assert_null(json_get(NULL, "x"));
    assert_string_equal(json_get_text(root, "t").at, "x");
    assert_null(json_get_text(root, "status").at);
    assert_null(json_text(NULL).at);
    assert_null(json_text(root).at);
    assert_null(json_name(root).at);
    assert_null(json_name(json_first(json_get(root, "a"))).at);
    assert_null(json_first(json_get(root, "t")));
    assert_int_equal(json_count(root), 6);
    assert_int_equal(json_count(NULL), 0);
}

/* Ceilings of the size that a deployment uses: at the ceiling yes, one more no. */
static void test_deep_large_and_many(void **state)
{
    struct arena *arena = *state;
    struct diag_list diags;
    diag_init(&diags, arena, 10);
    struct buf text;
    buf_init(&text, arena, 1000000);
    for (unsigned more = 0; more < 2; more++) {
        text.len = 0;
        for (unsigned i = 0; i < 64 + more; i++) {
            buf_add_cstr(&text, "[");
        }
        for (unsigned i = 0; i < 64 + more; i++) {
            buf_add_cstr(&text, "]");
        }
        struct reading reading = {.arena = arena,
                                  .source = source_create(arena, SLICE("t"), buf_view(&text)),
                                  .limits = LIMITS_DEFAULT,
                                  .diags = &diags};
        assert_int_equal(arena_run(arena, reading_run, &reading), more ? STATUS_LIMIT : STATUS_OK);
        reading.limits.depth = SIZE_MAX; /* what the library can bear is a ceiling of its own */
        assert_int_equal(arena_run(arena, reading_run, &reading), STATUS_OK);
    }
    for (unsigned more = 0; more < 2; more++) {
        text.len = 0;
        buf_add_cstr(&text, "[0");
        for (unsigned i = 0; i < 998 + more; i++) {
            buf_add_cstr(&text, ",0");
        }
        buf_add_cstr(&text, "]");
        struct reading reading = {.arena = arena,
                                  .source = source_create(arena, SLICE("t"), buf_view(&text)),
                                  .limits = LIMITS_DEFAULT,
                                  .diags = &diags};
        reading.limits.nodes = 1000;
        assert_int_equal(arena_run(arena, reading_run, &reading), more ? STATUS_LIMIT : STATUS_OK);
        reading.limits.nodes = SIZE_MAX;
        reading.limits.bytes = text.len - more;
        assert_int_equal(arena_run(arena, reading_run, &reading), more ? STATUS_LIMIT : STATUS_OK);
    }
}

static void test_thousand_levels_are_refused_whatever_the_ceiling(void **state)
{
    struct arena *arena = *state;
    struct diag_list diags;
    diag_init(&diags, arena, 10);
    char *text = arena_alloc(arena, 100000);
    memset(text, '[', 100000);
    struct reading reading = {.arena = arena,
                              .source = source_create(arena, SLICE("t"), slice_from(text, 100000)),
                              .limits = LIMITS_DEFAULT,
                              .diags = &diags};
    reading.limits.depth = SIZE_MAX;
    assert_int_equal(arena_run(arena, reading_run, &reading), STATUS_LIMIT);
    assert_int_equal(diags.first->span.start, 512);
}

/* More members than are compared pairwise, the last one a duplicate written with escapes. */
static void test_duplicates_among_many_members(void **state)
{
    struct arena *arena = *state;
    for (unsigned last = 0; last < 2; last++) {
        struct buf text;
        buf_init(&text, arena, 100000);
        buf_add_char(&text, '{');
        for (unsigned i = 0; i < 500; i++) {
            buf_printf(&text, "\"name%u\":%u,", i, i);
        }
        buf_add_cstr(&text, last != 0 ? "\"n\\u0061me123\":0}" : "\"n\\u0061me\":0}");
        struct diag_list diags;
        diag_init(&diags, arena, 10);
        struct reading reading = {.arena = arena,
                                  .source = source_create(arena, SLICE("t"), buf_view(&text)),
                                  .limits = LIMITS_DEFAULT,
                                  .diags = &diags};
        enum status status = arena_run(arena, reading_run, &reading);
        if (last == 0) {
            assert_int_equal(status, STATUS_OK);
            assert_int_equal(json_count(reading.json), 501);
            continue;
        }
        assert_int_equal(status, STATUS_INVALID);
        assert_string_equal(diags.first->sentence.at, "\"name123\" stands twice in this object");
        assert_true(slice_is(span_text(diags.first->span), "\"n\\u0061me123\""));
    }
}

/* Long strings go another way than short ones, and those with escapes than those without. */
static void test_long_strings_are_what_was_written(void **state)
{
    struct arena *arena = *state;
    static const char *const tails[] = {"", "\\\"", "\\\\", "\\u00e9", "\xc3\xa9"};
    static const char *const decoded[] = {"", "\"", "\\", "\xc3\xa9", "\xc3\xa9"};
    for (size_t len = 120; len < 140; len++) {
        for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
            char plain[200];
            memset(plain, 'a', len);
            plain[len] = '\0';
            struct slice text =
                arena_printf(arena, "[\"%s%s\",{\"%s\":\"%s%s\",\"n\":-1.50},\"%s%s%s\"]", plain,
                             tails[i], plain, tails[i], plain, plain, tails[i], plain);
            struct diag_list diags;
            diag_init(&diags, arena, 10);
            struct reading reading = {.arena = arena,
                                      .source = source_create(arena, SLICE("t"), text),
                                      .limits = LIMITS_DEFAULT,
                                      .diags = &diags};
            assert_int_equal(arena_run(arena, reading_run, &reading), STATUS_OK);
            const struct json *first = json_first(reading.json);
            const struct json *object = json_next(first);
            struct slice behind = arena_printf(arena, "%s%s", plain, decoded[i]);
            struct slice before = arena_printf(arena, "%s%s", decoded[i], plain);
            assert_true(slice_equal(json_text(first), behind));
            assert_true(slice_equal(json_get_text(object, plain), before));
            assert_true(slice_is(json_text(json_get(object, "n")), "-1.50"));
            assert_true(slice_equal(json_text(json_next(object)),
                                    arena_printf(arena, "%s%s%s", plain, decoded[i], plain)));
        }
    }
}

/* An arena that gives out in the middle of the library's work ends the work, not the process. */
static void test_an_exhausted_arena_ends_the_work(void **state)
{
    (void)state;
    json_library_init();
    struct slice text =
        SLICE("{\"a\":[1,2,3,\"four\",{\"b\":[true,false,null]}],\"c\":\"\\u0041\"}");
    unsigned ended = 0;
    for (size_t ceiling = 500; ceiling < 20000; ceiling += 37) {
        struct arena *arena = arena_create(ceiling);
        struct source source = {.name = SLICE("t"), .text = text};
        struct diag_list diags;
        diag_init(&diags, arena, 10);
        struct reading reading = {
            .arena = arena, .source = &source, .limits = LIMITS_DEFAULT, .diags = &diags};
        enum status status = arena_run(arena, reading_run, &reading);
        assert_true(status == STATUS_OK || status == STATUS_LIMIT);
        ended += status == STATUS_LIMIT;
        arena_destroy(&arena);
    }
    assert_in_range(ended, 10, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(test_every_wrong_text_is_told_exactly),
        WITH_ARENA(test_every_prefix_is_refused),
        WITH_ARENA(test_numbers_keep_their_text),
        WITH_ARENA(test_strings_are_decoded),
        WITH_ARENA(test_long_strings_are_what_was_written),
        WITH_ARENA(test_offsets_point_at_the_values),
        WITH_ARENA(test_members_are_found_by_exact_name),
        WITH_ARENA(test_deep_large_and_many),
        WITH_ARENA(test_thousand_levels_are_refused_whatever_the_ceiling),
        WITH_ARENA(test_duplicates_among_many_members),
        cmocka_unit_test(test_an_exhausted_arena_ends_the_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
