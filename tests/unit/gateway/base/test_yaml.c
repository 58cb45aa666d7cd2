#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/yaml.h"

static struct limits limits; /* set by main */

struct reading {
    struct arena *arena;
    struct slice text;
    struct diag_list diags;
    const struct yaml *root;
};

static enum status read_text(void *arg)
{
    struct reading *reading = arg;
    diag_init(&reading->diags, reading->arena, 50);
    return yaml_parse(reading->arena, source_create(reading->arena, SLICE("f.yaml"), reading->text),
                      &limits, &reading->diags, &reading->root);
}

static struct reading begin(const char *text, size_t len)
{
    return (struct reading){.arena = arena_create((size_t)64 << 20), .text = {text, len}};
}

static const struct yaml *read_well(struct reading *reading, const char *text)
{
    *reading = begin(text, strlen(text));
    enum status status = arena_run(reading->arena, read_text, reading);
    if (status != STATUS_OK) {
        struct buf out;
        buf_init(&out, reading->arena, 10000);
        diag_render_all(&reading->diags, &out);
        fail_msg("%s: %s", status_name(status), out.at);
    }
    return reading->root;
}

static void check_texts(const char *name, struct slice text, enum status want_status,
                        const char *want)
{
    struct reading reading = begin(text.at, text.len);
    enum status status = arena_run(reading.arena, read_text, &reading);
    struct buf out;
    buf_init(&out, reading.arena, 100000);
    diag_render_all(&reading.diags, &out);
    if (status != want_status || strcmp(out.at, want) != 0) {
        fail_msg("%s: %s\n%s\nwanted:\n%s", name, status_name(status), out.at, want);
    }
    assert_null(reading.root);
    arena_destroy(&reading.arena);
}

static void a_tree_has_kinds_styles_and_places(void **state)
{
    (void)state;
    struct reading reading;
    const struct yaml *root = read_well(&reading, "name: north # the EHR\n"
                                                  "list: [1, 'two']\n"
                                                  "map:\n"
                                                  "  \"k\": |\n"
                                                  "    line\n"
                                                  "\n"
                                                  "empty:\n");
    assert_int_equal(root->kind, YAML_MAP);
    assert_int_equal(root->count, 4);
    const struct yaml *name = yaml_get(root, "name");
    assert_true(slice_is(name->scalar.text, "north"));
    assert_int_equal(name->scalar.style, YAML_PLAIN);
    assert_true(slice_is(span_text(name->key.span), "name"));
    const struct yaml *list = yaml_get(root, "list");
    assert_int_equal(list->kind, YAML_LIST);
    assert_int_equal(list->count, 2);
    assert_true(slice_is(span_text(list->span), "[1, 'two']"));
    assert_int_equal(list->first->next->scalar.style, YAML_SINGLE_QUOTED);
    const struct yaml *k = yaml_get(yaml_get(root, "map"), "k");
    assert_int_equal(k->scalar.style, YAML_LITERAL);
    assert_int_equal(k->key.style, YAML_DOUBLE_QUOTED);
    assert_true(slice_is(k->scalar.text, "line\n"));
    assert_true(slice_is(span_text(k->span), "|\n    line"));
    assert_true(slice_is(span_text(yaml_get(root, "map")->span), "\"k\": |\n    line"));
    assert_int_equal(yaml_get(root, "empty")->scalar.text.len, 0);
    assert_null(yaml_get(root, "absent"));
    assert_null(yaml_get(name, "x"));
    arena_destroy(&reading.arena);
}

static void places_count_bytes_behind_wide_characters(void **state)
{
    (void)state;
    struct reading reading;
    struct buf text;
    struct arena *arena = arena_create(0);
    buf_init(&text, arena, 10000);
    buf_add_cstr(&text, "\xef\xbb\xbf");
    for (int i = 0; i < 100; i++) {
        buf_printf(&text, "k\xc3\xa9y%d: \xf0\x9f\x8d\x8e%d\r\n", i, i);
    }
    const struct yaml *root = read_well(&reading, text.at);
    int i = 0;
    for (const struct yaml *member = root->first; member != NULL; member = member->next, i++) {
        char want[32];
        snprintf(want, sizeof want, "\xf0\x9f\x8d\x8e%d", i);
        assert_true(slice_is(span_text(member->span), want));
        assert_true(slice_is(member->scalar.text, want));
    }
    assert_int_equal(i, 100);
    arena_destroy(&reading.arena);
    arena_destroy(&arena);
}

/* Each '!' of what the text means is found at the '!' that was written. */
static void bytes_map_through_quotes_escapes_and_folding(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *means;
    } rows[] = {
        {"a: x!y", "x!y"},
        {"a: x y\n  z !", "x y z !"},
        {"a: 'it''s !'", "it's !"},
        {"a: \"x\\u00e9\\n\\\"!\"", "x\xc3\xa9\n\"!"},
        {"a: \"x  \n   y\\\n   z !\"", "x yz !"},
        {"a: \"\\x21\"", "!"},
        {"a: \"a \\n\\ b!\"", "a \n b!"},
        {"a: |\n  x\n    y\n  !\n", "x\n  y\n!\n"},
        {"a: |2-\n    x !\n\n", "  x !"},
        {"a: >-\n  x\n  y\n\n  z !", "x y\nz !"},
        {"a: >+\n  x\n   more !\n  z\n\n", "x\n more !\nz\n\n"},
        {"a: \"\xe2\x80\xa8!\"", "\xe2\x80\xa8!"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reading reading;
        const struct yaml *node = yaml_get(read_well(&reading, rows[i].text), "a");
        if (!slice_is(node->scalar.text, rows[i].means)) {
            fail_msg("row %zu means %.*s", i, SLICE_ARGS(node->scalar.text));
        }
        struct source *source = yaml_source(reading.arena, &node->scalar, SLICE("expression"));
        size_t inner = slice_find(node->scalar.text, SLICE("!"), 0);
        struct span span = {source, (uint32_t)inner, (uint32_t)inner + 1};
        struct span outer = span_outermost(span);
        const char *written = rows[i].text + outer.start;
        bool escaped = strncmp(written, "\\x21", 4) == 0;
        if (*written != '!' && !escaped) {
            fail_msg("row %zu: at %s", i, written);
        }
        struct span same = yaml_span(&node->scalar, inner, inner + 1);
        assert_int_equal(same.start, outer.start);
        assert_int_equal(same.end, outer.start + (escaped ? 4 : 1));
        arena_destroy(&reading.arena);
    }
}

static void mistakes_are_told_with_place_and_advice(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {
        {"when: %growth.x > 3\n",
         "f.yaml:1:7: error: a value that begins with % must be quoted [yaml-quote]\n"
         "  when: %growth.x > 3\n"
         "        ^~~~~~~~~~~~~\n"
         "  hint: quote this: \"%growth.x > 3\"\n"},
        {"a: {{ %x }}\n", "f.yaml:1:4: error: unquoted braces mean a map to YAML [yaml-quote]\n"
                          "  a: {{ %x }}\n"
                          "     ^~~~~~~~\n"
                          "  hint: quote this: \"{{ %x }}\"\n"},
        {"a: {{ x }}\n", "f.yaml:1:4: error: unquoted braces mean a map to YAML [yaml-quote]\n"
                         "  a: {{ x }}\n"
                         "     ^~~~~~~\n"
                         "  hint: quote this: \"{{ x }}\"\n"},
        {"from: @2024\n",
         "f.yaml:1:7: error: a value that begins with @ must be quoted [yaml-quote]\n"
         "  from: @2024\n"
         "        ^~~~~\n"
         "  hint: quote this: \"@2024\"\n"},
        {"a: b = 'x # c'\n",
         "f.yaml:1:4: error: \" #\" begins a comment and cuts this value off [yaml-quote]\n"
         "  a: b = 'x # c'\n"
         "     ^~~~~~~~~~~\n"
         "  hint: quote this: \"b = 'x # c'\"\n"},
        {"a: Plan: small steps\n",
         "f.yaml:1:4: error: a plain value cannot have \": \" in it [yaml-quote]\n"
         "  a: Plan: small steps\n"
         "     ^~~~~~~~~~~~~~~~~\n"
         "  hint: quote this: \"Plan: small steps\"\n"},
        {"a: %x = \"y\"\n",
         "f.yaml:1:4: error: a value that begins with % must be quoted [yaml-quote]\n"
         "  a: %x = \"y\"\n"
         "     ^~~~~~~~\n"
         "  hint: quote this: '%x = \"y\"'\n"},
        {"a: %x = \"y\" or 'z'\n",
         "f.yaml:1:4: error: a value that begins with % must be quoted [yaml-quote]\n"
         "  a: %x = \"y\" or 'z'\n"
         "     ^~~~~~~~~~~~~~~\n"
         "  hint: quote this: put |- here and the value on a line of its own below\n"},
        {"a:\n\tb: 1\n", "f.yaml:2:1: error: a tab cannot indent a line [yaml-syntax]\n"
                         "   b: 1\n"
                         "  ^\n"
                         "  hint: use spaces\n"},
        {"a: \"x\n", "f.yaml:1:4: error: this quote is never closed [yaml-syntax]\n"
                     "  a: \"x\n"
                     "     ^\n"
                     "  hint: close it, or use a block: |-\n"},
        {"a: 'it's'\n", "f.yaml:1:8: error: something follows the quoted text [yaml-syntax]\n"
                        "  a: 'it's'\n"
                        "         ^~\n"
                        "  hint: a quote inside '...' is written twice\n"},
        {"a: \"x\\q\"\n",
         "f.yaml:1:6: error: this is no escape that a text in double quotes can have "
         "[yaml-syntax]\n"
         "  a: \"x\\q\"\n"
         "       ^~\n"
         "  hint: write \\\\ for a backslash, or use single quotes\n"},
        {"a: [1, 2\nb: 3\n", "f.yaml:1:4: error: this list is never closed [yaml-syntax]\n"
                             "  a: [1, 2\n"
                             "     ^\n"
                             "  hint: add ], or a comma between its entries\n"},
        {"a:\n  - b\n c: d\n",
         "f.yaml:3:2: error: this line is indented like none of the lines it could belong to "
         "[yaml-syntax]\n"
         "   c: d\n"
         "   ^~~~\n"
         "  hint: keys of one map begin in the same column\n"},
        {"a: 1\n  b: 2\n", "f.yaml:2:3: error: this key cannot stand here [yaml-syntax]\n"
                           "    b: 2\n"
                           "    ^\n"
                           "  hint: keys of one map begin in the same column\n"},
        {"a: - b\n", "f.yaml:1:4: error: a list cannot begin here [yaml-syntax]\n"
                     "  a: - b\n"
                     "     ^\n"
                     "  hint: put its first - on a line of its own\n"},
        {"a: 1\nb: 2\na: 3\na: 4\n",
         "f.yaml:3:1: error: the key \"a\" stands twice in this map [yaml-duplicate-key]\n"
         "  a: 3\n"
         "  ^\n"
         "  hint: it stands in line 1 already\n"
         "f.yaml:4:1: error: the key \"a\" stands twice in this map [yaml-duplicate-key]\n"
         "  a: 4\n"
         "  ^\n"
         "  hint: it stands in line 3 already\n"},
        {"a: &x 1\nb: *x\nc: !t 2\n",
         "f.yaml:1:4: error: anchors are not used here [yaml-refused]\n"
         "  a: &x 1\n"
         "     ^~\n"
         "  hint: write the value out where it is needed\n"
         "f.yaml:2:4: error: aliases are not used here [yaml-refused]\n"
         "  b: *x\n"
         "     ^~\n"
         "  hint: write the value out; or quote it if it is a text that begins with *\n"
         "f.yaml:3:4: error: tags are not used here [yaml-refused]\n"
         "  c: !t 2\n"
         "     ^~\n"
         "  hint: leave it out: the setting or element says what it is\n"},
        {"--- a\n--- b\n", "f.yaml:2:1: error: a second document begins here [yaml-refused]\n"
                           "  --- b\n"
                           "  ^~~\n"
                           "  hint: one file holds one document: put this into another file\n"},
        {"%YAML 1.1\n---\na\n", "f.yaml:1:1: error: directives are not used here [yaml-refused]\n"
                                "  %YAML 1.1\n"
                                "  ^~~~~~~~~\n"},
        {"? [a]\n: b\n",
         "f.yaml:1:3: error: a key must be a text, not a list or a map [yaml-refused]\n"
         "  ? [a]\n"
         "    ^\n"},
        {"", "f.yaml:1:1: error: the file is empty [yaml-syntax]\n"},
        {"a: x\xff\n", "f.yaml:1:5: error: byte 0xff at offset 4 is not UTF-8 [yaml-encoding]\n"
                       "  a: x\xef\xbf\xbd\n"
                       "      ^\n"
                       "  hint: save the file as UTF-8\n"},
        {"a: x\ab\n",
         "f.yaml:1:5: error: the control character U+0007 cannot stand in a file [yaml-encoding]\n"
         "  a: x b\n"
         "      ^\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        check_texts(rows[i].text, slice_of(rows[i].text), STATUS_INVALID, rows[i].want);
    }
}

static void ceilings_are_kept(void **state)
{
    (void)state;
    static char deep[100000];
    memset(deep, '[', sizeof deep);
    struct reading reading = begin(deep, sizeof deep);
    assert_int_equal(arena_run(reading.arena, read_text, &reading), STATUS_LIMIT);
    assert_true(
        slice_is(reading.diags.first->sentence, "lists and maps are nested more than 32 deep"));
    arena_destroy(&reading.arena);

    static char many[400000];
    for (size_t i = 0; i < sizeof many; i += 4) {
        memcpy(many + i, "- x\n", 4);
    }
    limits.nodes = 5000;
    reading = begin(many, sizeof many);
    assert_int_equal(arena_run(reading.arena, read_text, &reading), STATUS_LIMIT);
    assert_true(slice_is(reading.diags.first->sentence, "the file has more than 5000 values"));
    arena_destroy(&reading.arena);

    limits = YAML_LIMITS;
    limits.bytes = 100;
    reading = begin(many, 101);
    assert_int_equal(arena_run(reading.arena, read_text, &reading), STATUS_LIMIT);
    assert_true(slice_is(reading.diags.first->sentence, "the file has 101 bytes; 100 are allowed"));
    arena_destroy(&reading.arena);
    limits = YAML_LIMITS;
}

/* The library's memory is given back when the arena runs out in the middle. */
static void running_out_of_arena_leaks_nothing(void **state)
{
    (void)state;
    static const char text[] = "a: [b, c, {d: e, f: 'g'}]\nh: |\n  i\n  j\n";
    for (size_t ceiling = 1; ceiling < 60000; ceiling += 997) {
        struct reading reading = {.arena = arena_create(ceiling), .text = slice_of(text)};
        enum status status = arena_run(reading.arena, read_text, &reading);
        assert_true(status == STATUS_OK || status == STATUS_LIMIT);
        arena_destroy(&reading.arena);
    }
}

int main(void)
{
    limits = YAML_LIMITS;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_has_kinds_styles_and_places),
        cmocka_unit_test(places_count_bytes_behind_wide_characters),
        cmocka_unit_test(bytes_map_through_quotes_escapes_and_folding),
        cmocka_unit_test(mistakes_are_told_with_place_and_advice),
        cmocka_unit_test(ceilings_are_kept),
        cmocka_unit_test(running_out_of_arena_leaks_nothing),
    };
    return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
