/*
 * Reading and writing FHIR XML as a library: what the values know, ceilings, and an arena that
 * gives out. The identity of the formats is tested by tests/convert, the messages by
 * tests/diagnostics.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fhir/xml/xml.h"

struct work {
    struct arena *arena;
    struct source *source;
    struct limits limits;
    struct diag_list diags;
    enum xml_style style;
    const struct json *json;
    struct slice text;
};

static enum status run_read(void *arg)
{
    struct work *w = arg;
    return xml_read(w->arena, model_r4(), w->source, &w->limits, &w->diags, &w->json);
}

static enum status run_write(void *arg)
{
    struct work *w = arg;
    return xml_write(w->arena, model_r4(), w->json, w->source, w->style, &w->limits, &w->diags,
                     &w->text);
}

static enum status run_json(void *arg)
{
    struct work *w = arg;
    return json_parse(w->arena, w->source, &w->limits, &w->diags, &w->json);
}

static struct work *work_of(void **state, const char *text)
{
    struct arena *arena = *state;
    struct work *w = ARENA_NEW(arena, struct work);
    w->arena = arena;
    w->source = source_create(arena, SLICE("t"), slice_of(text));
    w->limits = LIMITS_DEFAULT;
    diag_init(&w->diags, arena, 20);
    return w;
}

static enum status do_work(struct work *w, enum status (*run)(void *arg))
{
    return arena_run(w->arena, run, w);
}

static int setup(void **state)
{
    json_library_init();
    xml_library_init();
    *state = arena_create(0);
    return *state != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    struct arena *arena = *state;
    arena_destroy(&arena);
    return 0;
}

static const char patient[] =
    "<Patient xmlns=\"http://hl7.org/fhir\"><id value=\"p\"/>"
    "<text><status value=\"generated\"/><div xmlns=\"http://www.w3.org/1999/xhtml\">x</div></text>"
    "<name><given value=\"A\"/><given value=\"B &amp; C\"/></name></Patient>";

static void test_values_stand_at_their_tags(void **state)
{
    struct work *w = work_of(state, patient);
    assert_int_equal(do_work(w, run_read), STATUS_OK);
    assert_string_equal(json_write(w->arena, w->json, JSON_COMPACT).at,
                        "{\"resourceType\":\"Patient\",\"id\":\"p\",\"text\":{\"status\":"
                        "\"generated\",\"div\":\"<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">x"
                        "</div>\"},\"name\":[{\"given\":[\"A\",\"B & C\"]}]}");
    const struct json *name = json_first(json_get(w->json, "name"));
    assert_true(slice_is(span_text(json_span(w->source, name)), "<name"));
    const struct json *given = json_next(json_first(json_get(name, "given")));
    struct span span = json_span(w->source, given);
    assert_true(slice_is(span_text(span), "<given"));
    assert_true(slice_starts_with(slice_part(w->source->text, span.start, SIZE_MAX),
                                  SLICE("<given value=\"B &amp; C\"/>")));
    assert_true(slice_is(span_text(json_name_span(w->source, given)), "<given"));
    assert_true(slice_is(span_text(json_span(w->source, w->json)), "<Patient"));
    assert_true(slice_is(
        span_text(json_span(w->source, json_get(json_get(w->json, "text"), "div"))), "<div"));
}

static void test_built_values_are_written_and_told_without_place(void **state)
{
    struct work *w = work_of(state, "");
    struct arena *arena = w->arena;
    w->source = NULL;
    struct json *resource = json_new_object(arena);
    json_add(arena, resource, SLICE("active"), json_new_bool(arena, true));
    json_add(arena, resource, SLICE("resourceType"), json_new_string(arena, SLICE("Patient")));
    w->json = resource;
    assert_int_equal(do_work(w, run_write), STATUS_OK);
    assert_string_equal(w->text.at, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Patient "
                                    "xmlns=\"http://hl7.org/fhir\"><active value=\"true\"/>"
                                    "</Patient>");
    json_set(arena, resource, SLICE("active"), json_new_string(arena, SLICE("yes")));
    struct slice before = w->text;
    assert_int_equal(do_work(w, run_write), STATUS_INVALID);
    assert_ptr_equal(w->text.at, before.at);
    assert_null(w->diags.first->span.source);
    assert_string_equal(w->diags.first->sentence.at,
                        "\"active\" is a string where true or false is expected");
}

static void test_pretty(void **state)
{
    struct work *w = work_of(state, patient);
    assert_int_equal(do_work(w, run_read), STATUS_OK);
    w->style = XML_PRETTY;
    assert_int_equal(do_work(w, run_write), STATUS_OK);
    assert_string_equal(w->text.at, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                    "<Patient xmlns=\"http://hl7.org/fhir\">\n"
                                    "  <id value=\"p\"/>\n"
                                    "  <text>\n"
                                    "    <status value=\"generated\"/>\n"
                                    "    <div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>\n"
                                    "  </text>\n"
                                    "  <name>\n"
                                    "    <given value=\"A\"/>\n"
                                    "    <given value=\"B &amp; C\"/>\n"
                                    "  </name>\n"
                                    "</Patient>");
}

/* A questionnaire with items in items: `levels` of them, two levels of JSON each. */
static const char *nested(struct arena *arena, unsigned levels)
{
    struct buf text;
    buf_init(&text, arena, 100000);
    buf_add_cstr(&text, "<Questionnaire xmlns=\"http://hl7.org/fhir\">");
    for (unsigned i = 0; i < levels; i++) {
        buf_add_cstr(&text, "<item>");
    }
    buf_add_cstr(&text, "<linkId value=\"1\"/>");
    for (unsigned i = 0; i < levels; i++) {
        buf_add_cstr(&text, "</item>");
    }
    buf_add_cstr(&text, "</Questionnaire>");
    return buf_view(&text).at;
}

/* What is read can be written as JSON and read again: the depth is that of JSON. */
static void test_depth_is_counted_as_json_counts_it(void **state)
{
    for (unsigned levels = 3; levels <= 5; levels++) {
        struct work *w = work_of(state, nested(*state, levels));
        w->limits.depth = 9; /* 1 + 2 * 4 */
        enum status status = do_work(w, run_read);
        assert_int_equal(status, levels <= 4 ? STATUS_OK : STATUS_LIMIT);
        if (status == STATUS_OK) {
            w->source->text = json_write(w->arena, w->json, JSON_COMPACT);
            assert_int_equal(do_work(w, run_json), STATUS_OK);
            assert_int_equal(do_work(w, run_write), STATUS_OK);
            w->limits.depth--;
            assert_int_equal(do_work(w, run_json), levels < 4 ? STATUS_OK : STATUS_LIMIT);
            assert_int_equal(do_work(w, run_write), levels < 4 ? STATUS_OK : STATUS_LIMIT);
        }
    }
}

static void test_ceilings(void **state)
{
    struct work *w = work_of(state, patient);
    w->limits.nodes = 12; /* elements and attributes */
    assert_int_equal(do_work(w, run_read), STATUS_OK);
    w->limits.nodes--;
    assert_int_equal(do_work(w, run_read), STATUS_LIMIT);
    w->limits = LIMITS_DEFAULT;
    w->limits.bytes = sizeof patient - 1;
    assert_int_equal(do_work(w, run_read), STATUS_OK);
    w->limits.bytes--;
    assert_int_equal(do_work(w, run_read), STATUS_LIMIT);
    w = work_of(state, nested(*state, 5000));
    w->limits.depth = SIZE_MAX; /* the library's own depth is a ceiling beside it */
    assert_int_equal(do_work(w, run_read), STATUS_LIMIT);
    assert_int_equal(w->diags.count, 1);
}

static void test_faults_beyond_the_ceiling_are_counted(void **state)
{
    struct buf text;
    buf_init(&text, *state, 100000);
    buf_add_cstr(&text, "<Patient xmlns=\"http://hl7.org/fhir\">");
    for (int i = 0; i < 500; i++) {
        buf_add_cstr(&text, "<nmae/>");
    }
    buf_add_cstr(&text, "</Patient>");
    struct work *w = work_of(state, text.at);
    assert_int_equal(do_work(w, run_read), STATUS_INVALID);
    assert_int_equal(w->diags.count, 20);
    assert_int_equal(w->diags.dropped, 480);
    assert_null(w->json);
}

static void test_what_is_xml(void **state)
{
    (void)state;
    assert_true(xml_looks_like(SLICE("<Patient/>")));
    assert_true(xml_looks_like(SLICE("\xef\xbb\xbf \n<?xml")));
    assert_false(xml_looks_like(SLICE("{\"div\":\"<div>\"}")));
    assert_false(xml_looks_like(SLICE("")));
    assert_false(xml_looks_like(SLICE(" \n")));
}

/* Wherever the arena gives out, the work ends and nothing of libxml2's is left behind (which
 * LeakSanitizer sees). */
static void test_an_exhausted_arena_leaks_nothing(void **state)
{
    (void)state;
    unsigned ended = 0;
    for (size_t ceiling = 2000; ceiling < 40000; ceiling += 97) {
        struct arena *arena = arena_create(ceiling);
        struct source source = {.name = SLICE("t"), .text = slice_of(patient)};
        struct work w = {.arena = arena, .source = &source, .limits = LIMITS_DEFAULT};
        diag_init(&w.diags, arena, 20);
        enum status status = do_work(&w, run_read);
        if (status == STATUS_OK) {
            status = do_work(&w, run_write);
        }
        assert_true(status == STATUS_OK || status == STATUS_LIMIT);
        ended += status == STATUS_LIMIT;
        arena_destroy(&arena);
    }
    assert_in_range(ended, 10, 350);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(test_values_stand_at_their_tags),
        WITH(test_built_values_are_written_and_told_without_place),
        WITH(test_pretty),
        WITH(test_depth_is_counted_as_json_counts_it),
        WITH(test_ceilings),
        WITH(test_faults_beyond_the_ceiling_are_counted),
        WITH(test_what_is_xml),
        WITH(test_an_exhausted_arena_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
