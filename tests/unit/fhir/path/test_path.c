// label: threaded
// packages: Threads::Threads
/* The public face: what a caller gives and gets that the command line cannot show. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fhir/path/path.h"

static const char bundle[] =
    "{\"resourceType\":\"Bundle\",\"entry\":[{\"fullUrl\":\"urn:uuid:1\",\"resource\":"
    "{\"resourceType\":\"Patient\",\"id\":\"p\",\"birthDate\":\"2014-05-06\","
    "\"generalPractitioner\":"
    "[{\"reference\":\"Practitioner/d\"},{\"reference\":\"Practitioner/far\"}]}},{\"resource\":"
    "{\"resourceType\":\"Practitioner\",\"id\":\"d\",\"name\":[{\"family\":\"Near\"}]}}]}";

static const char far_away[] =
    "{\"resourceType\":\"Practitioner\",\"id\":\"far\",\"name\":[{\"family\":\"Far\"}]}";

struct fixture {
    struct arena *arena;
    const struct model *model;
    struct limits limits;
    struct diag_list diags;
    struct path_scope scope;
    struct path_env env;
    const char *text;
    enum status status;
    const struct path_expr *expr;
    struct path_items items;
};

static const struct json *read_text(struct fixture *f, const char *text)
{
    const struct json *json = NULL;
    const struct source *source = source_create(f->arena, SLICE("data"), slice_of(text));
    assert_int_equal(json_parse(f->arena, source, &f->limits, &f->diags, &json), STATUS_OK);
    return json;
}

static enum status start(void *arg)
{
    struct fixture *f = arg;
    diag_init(&f->diags, f->arena, 20);
    struct path_item *context = ARENA_NEW(f->arena, struct path_item);
    *context = path_item_of(f->model, read_text(f, bundle), NULL);
    f->scope = (struct path_scope){.model = f->model, .context = path_item_type(f->model, context)};
    f->env = (struct path_env){.context = {context, 1}};
    return STATUS_OK;
}

static int setup(void **state)
{
    static struct fixture f;
    json_library_init();
    f = (struct fixture){.arena = arena_create(0), .model = model_r4(), .limits = LIMITS_DEFAULT};
    *state = &f;
    return f.arena != NULL && arena_run(f.arena, start, &f) == STATUS_OK ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_destroy(&f->arena);
    return 0;
}

static enum status work(void *arg)
{
    struct fixture *f = arg;
    diag_init(&f->diags, f->arena, 20);
    f->expr = NULL;
    f->items = (struct path_items){NULL, 0};
    const struct source *source = source_create(f->arena, SLICE("expression"), slice_of(f->text));
    f->status = path_compile(f->arena, source, &f->scope, &f->limits, &f->diags, &f->expr);
    if (f->status == STATUS_OK) {
        f->status = path_evaluate(f->expr, &f->env, f->arena, &f->limits, &f->diags, &f->items);
    }
    return STATUS_OK;
}

static void run(struct fixture *f, const char *text)
{
    f->text = text;
    assert_int_equal(arena_run(f->arena, work, f), STATUS_OK);
}

/* The items as text, "TYPE value, ...". */
static void expect(struct fixture *f, const char *text, const char *wanted)
{
    run(f, text);
    struct buf got;
    buf_init(&got, f->arena, SIZE_MAX / 4);
    diag_render_all(&f->diags, &got);
    for (size_t i = 0; i < f->items.count; i++) {
        struct slice type = path_item_type_name(f->arena, f->model, &f->items.at[i]);
        struct slice value =
            json_write(f->arena, path_item_json(f->arena, f->model, &f->items.at[i]), JSON_COMPACT);
        buf_printf(&got, "%s%.*s %.*s", i == 0 ? "" : ", ", SLICE_ARGS(type), SLICE_ARGS(value));
    }
    assert_string_equal(got.at != NULL ? got.at : "", wanted);
}

static void expect_fault(struct fixture *f, const char *text, enum diag_code code, const char *part)
{
    run(f, text);
    struct buf got;
    buf_init(&got, f->arena, SIZE_MAX / 4);
    diag_render_all(&f->diags, &got);
    assert_true(f->status == STATUS_INVALID || f->status == STATUS_LIMIT);
    assert_non_null(f->diags.first);
    assert_int_equal(f->diags.first->code, code);
    assert_non_null(strstr(got.at, part));
}

/* ---- the clock ---- */

static void test_clock(void **state)
{
    struct fixture *f = *state;
    struct datetime now;
    assert_int_equal(
        datetime_parse(SLICE("2026-03-01T23:30:00.000-05:00"), FORM_FHIR_INSTANT, &now, NULL),
        STATUS_OK);
    expect_fault(f, "1 | today()", DIAG_PATH_NO_CLOCK, "[path-no-clock]");
    f->env.now = &now;
    expect(f, "now()", "System.DateTime \"2026-03-01T23:30:00.000-05:00\"");
    expect(f, "today()", "System.Date \"2026-03-01\"");
    expect(f, "timeOfDay()", "System.Time \"23:30:00.000\"");
    f->scope.refuse_clock = true;
    expect_fault(f, "1 | today()", DIAG_PATH_CLOCK, "[path-clock]");
}

/* ---- references and value sets ---- */

static const struct json *resolve(void *arg, struct slice reference)
{
    struct fixture *f = arg;
    return slice_is(reference, "Practitioner/far") ? read_text(f, far_away) : NULL;
}

static void test_resolve(void **state)
{
    struct fixture *f = *state;
    const char *text = "Bundle.entry.resource.ofType(Patient).generalPractitioner.resolve()"
                       ".ofType(Practitioner).name.family";
    expect(f, text, "FHIR.string \"Near\"");
    f->env.resolve = resolve;
    f->env.arg = f;
    expect(f, text, "FHIR.string \"Near\", FHIR.string \"Far\"");
    expect(f, "'urn:uuid:1'.resolve().id", "FHIR.id \"p\"");
}

static enum path_member member_of(void *arg, struct slice url, struct slice system,
                                  struct slice code)
{
    (void)arg;
    (void)system;
    if (!slice_is(url, "http://example.org/vs")) {
        return PATH_MEMBER_UNKNOWN_SET;
    }
    return slice_is(code, "a") ? PATH_MEMBER_YES : PATH_MEMBER_NO;
}

static bool has_value_set(void *arg, struct slice url)
{
    (void)arg;
    return slice_is(url, "http://example.org/vs");
}

static void test_value_sets(void **state)
{
    struct fixture *f = *state;
    f->env.member_of = member_of;
    expect(f, "('a' | 'b').select(memberOf('http://example.org/vs'))",
           "System.Boolean true, System.Boolean false");
    expect(f, "'male'.memberOf(%`vs-administrative-gender`)", "System.Boolean true");
    f->scope.has_value_set = has_value_set;
    expect(f, "'a'.memberOf('http://example.org/vs')", "System.Boolean true");
    expect_fault(f, "{}.memberOf('http://example.org/other')", DIAG_PATH_VALUE_SET,
                 "is not loaded");
}

/* ---- variables and types ---- */

static void test_variables(void **state)
{
    struct fixture *f = *state;
    struct path_item three = path_item_integer(3);
    struct path_variable variables[] = {
        {.name = SLICE("n"), .is_system = true, .system = PATH_INTEGER},
        {.name = SLICE("visit.date"), .fhir_type = model_type_find(f->model, SLICE("date"))},
    };
    struct path_value values[] = {{.name = SLICE("n"), .items = {&three, 1}}};
    f->scope.variables = variables;
    f->scope.variable_count = 2;
    f->env.values = values;
    f->env.value_count = 1;
    expect(f, "%n + 1", "System.Integer 4");
    expect(f, "%visit.date.empty()", "System.Boolean true");
    expect_fault(f, "%n & 'x'", DIAG_PATH_OPERAND, "System.Integer and System.String");
    expect_fault(f, "%visit.dat", DIAG_PATH_UNKNOWN_VARIABLE, "did you mean %visit.date?");
}

static void count_use(void *arg, unsigned place)
{
    ((unsigned *)arg)[place]++;
}

static void test_places(void **state)
{
    struct fixture *f = *state;
    struct path_item items[] = {path_item_integer(3), path_item_integer(4)};
    struct path_variable variables[] = {
        {.name = SLICE("a"), .is_system = true, .system = PATH_INTEGER, .place = 2},
        {.name = SLICE("b"), .is_system = true, .system = PATH_INTEGER, .place = 1},
        {.name = SLICE("named"), .is_system = true, .system = PATH_INTEGER},
    };
    struct path_items placed[] = {{&items[0], 1}, {&items[1], 1}};
    f->scope.variables = variables;
    f->scope.variable_count = 3;
    f->env.placed = placed;
    f->env.placed_count = 2;
    expect(f, "%a * 10 + %b", "System.Integer 43");
    f->env.placed_count = 1; /* %a is not known yet */
    expect(f, "%a.empty() and %b = 3", "System.Boolean true");

    static const struct {
        const char *text;
        unsigned uses[3]; /* by place */
        bool asks;
    } rows[] = {
        {"%a + %a + %context.count()", {0, 0, 2}, false},
        {"iif(%b = 1, %resource.exists(), (1 | 2).where($this = %a).exists())", {0, 1, 1}, false},
        {"defineVariable('x', %b).select(%x)", {0, 1, 0}, false},
        {"%named", {0, 0, 0}, true},
        {"%b > 0 and now() > today()", {0, 1, 0}, true},
        {"type.memberOf('http://hl7.org/fhir/ValueSet/bundle-type')", {0, 0, 0}, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned uses[3] = {0};
        run(f, rows[i].text);
        assert_non_null(f->expr);
        assert_int_equal(path_expr_uses(f->expr, count_use, uses), rows[i].asks);
        assert_memory_equal(uses, rows[i].uses, sizeof uses);
    }
}

static void test_types(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text;
        const char *type;
        bool plain;
    } rows[] = {
        {"Bundle.entry", "FHIR.Bundle.entry (many)", true},
        {"Bundle.entry.first().fullUrl", "FHIR.uri", false},
        {"Bundle.entry.resource.ofType(Observation).value.ofType(Quantity)", "FHIR.Quantity (many)",
         false},
        {"1 | 'a'", "System.Integer | System.String (many)", false},
        {"{}", "nothing", false},
        {"children()", "anything", false},
        {"type.toString().length()", "System.Integer", false},
        {"Bundle.timestamp + 1 day", "System.DateTime", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        run(f, rows[i].text);
        assert_int_equal(f->status, STATUS_OK);
        struct slice type = path_type_text(f->arena, path_expr_type(f->expr));
        assert_string_equal(type.at, rows[i].type);
        assert_int_equal(path_expr_is_plain(f->expr), rows[i].plain);
    }
}

/* ---- ceilings ---- */

static void test_ceilings(void **state)
{
    struct fixture *f = *state;
    f->limits.steps = 2000;
    expect_fault(f, "(1|2|3).repeat(($this + 1) mod 1000)", DIAG_PATH_LIMIT, "more steps");
    f->limits = LIMITS_DEFAULT;
    f->limits.items = 100;
    expect_fault(f, "1.repeatAll($this | ($this + 1))", DIAG_PATH_LIMIT, "more items");
    f->limits = LIMITS_DEFAULT;
    f->limits.text = 100;
    expect_fault(f, "'0123456789'.replace('', 'abcdefghij')", DIAG_PATH_LIMIT, "more text");
    f->limits = LIMITS_DEFAULT;
    f->limits.depth = 4;
    expect_fault(f, "(((((1)))))", DIAG_PATH_NESTING, "nested too deep");
}

/* Checking takes no longer for each repeat() inside a repeat(). */
static void test_nested_repeat(void **state)
{
    struct fixture *f = *state;
    enum { DEEP = 40 };
    char room[DEEP * 24];
    size_t len = 0;
    for (int i = 0; i < DEEP; i++) {
        len += (size_t)snprintf(room + len, sizeof room - len, "children().repeat(");
    }
    len += (size_t)snprintf(room + len, sizeof room - len, "id");
    for (int i = 0; i < DEEP; i++) {
        len += (size_t)snprintf(room + len, sizeof room - len, ")");
    }
    run(f, room);
    assert_true(arena_used(f->arena) < (size_t)32 << 20);
    expect(f, "Bundle.repeat(entry.resource.repeat(contained)).count()", "System.Integer 0");
}

/* Out of memory is the caller's affair: it comes out of the caller's arena_run. */
static enum status starve(void *arg)
{
    struct fixture *f = arg;
    return path_evaluate(f->expr, &f->env, f->arena, &f->limits, &f->diags, &f->items);
}

static void test_out_of_memory(void **state)
{
    struct fixture *f = *state;
    f->limits.items = 10000;
    run(f, "(1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9).select($this.combine($this)).repeatAll($this)");
    assert_int_equal(f->status, STATUS_LIMIT);
    struct arena *small = arena_create(4096);
    struct arena *large = f->arena;
    f->arena = small;
    assert_int_equal(arena_run(small, starve, f), STATUS_LIMIT);
    f->arena = large;
    arena_destroy(&small);
}

/* ---- one expression, many threads ---- */

enum { THREADS = 4, ROUNDS = 200 };

struct thread {
    pthread_t id;
    const struct fixture *fixture;
    struct arena *arena;
    unsigned right;
};

static enum status thread_evaluate(void *arg)
{
    struct thread *thread = arg;
    struct diag_list diags;
    struct path_items items;
    diag_init(&diags, thread->arena, 5);
    enum status status = path_evaluate(thread->fixture->expr, &thread->fixture->env, thread->arena,
                                       &thread->fixture->limits, &diags, &items);
    thread->right += status == STATUS_OK && items.count == 1 && items.at[0].kind == PATH_BOOLEAN &&
                     items.at[0].boolean;
    return STATUS_OK;
}

static void *thread_run(void *arg)
{
    struct thread *thread = arg;
    for (int i = 0; i < ROUNDS; i++) {
        (void)arena_run(thread->arena, thread_evaluate, thread);
        arena_reset(thread->arena);
    }
    return NULL;
}

static void test_threads(void **state)
{
    struct fixture *f = *state;
    struct thread threads[THREADS];
    run(f,
        "Bundle.entry.resource.ofType(Patient).select(birthDate.toString().matches('^20\\\\d\\\\d')"
        " "
        "and (1 | 2).aggregate($this + $total, 0) = 3 and generalPractitioner.resolve().exists())");
    assert_int_equal(f->status, STATUS_OK);
    for (int i = 0; i < THREADS; i++) {
        threads[i] = (struct thread){.fixture = f, .arena = arena_create(0)};
        assert_int_equal(pthread_create(&threads[i].id, NULL, thread_run, &threads[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i].id, NULL);
        assert_int_equal(threads[i].right, ROUNDS);
        arena_destroy(&threads[i].arena);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_clock),         TEST(test_resolve),       TEST(test_value_sets),
        TEST(test_variables),     TEST(test_places),        TEST(test_types),
        TEST(test_ceilings),      TEST(test_nested_repeat), TEST(test_threads),
        TEST(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
