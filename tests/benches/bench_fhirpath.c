// uses: fhir/base fhir/json fhir/model fhir/path
/*
 * Our engine under the FHIRPath benchmark: answers the requests that are told in fhirpath_peer.mjs,
 * one JSON line each. An evaluation has an arena of its own that is reset after each round; a
 * document, an expression and the job live as long as the program.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "fhir/json/json.h"
#include "fhir/model/model.h"
#include "fhir/path/path.h"

enum { NAMES_MOST = 64 };

struct document {
    struct slice name;
    struct slice bytes;
    const struct json *root;
};

struct expression {
    struct slice name;
    struct slice text;
    const struct model_type *context; /* NULL: the Bundle itself */
    const struct path_expr *compiled;
};

struct bench {
    struct arena *keep;  /* documents, expressions, the job */
    struct arena *round; /* one round, or one request */
    const struct model *model;
    struct limits limits;
    struct document documents[NAMES_MOST];
    size_t document_count;
    struct expression expressions[NAMES_MOST];
    size_t expression_count;
    struct expression fields[NAMES_MOST];
    size_t field_count;
    const struct json *template;
    const struct json *request;
    const char *fault; /* why the request failed */
    struct slice sentence;
};

static enum status refuse(struct bench *bench, const char *fault)
{
    bench->fault = fault;
    return STATUS_INVALID;
}

/* The first diagnostic, or the words given. */
static enum status refuse_for(struct bench *bench, const struct diag_list *diags, const char *fault)
{
    if (diags->first != NULL) {
        bench->sentence = arena_copy(bench->keep, diags->first->sentence);
    }
    return refuse(bench, fault);
}

/* ---- What is kept ---- */

static enum status read_file(struct arena *arena, const char *name, struct slice *bytes_out)
{
    FILE *file = fopen(name, "rb");
    if (file == NULL) {
        return STATUS_IO;
    }
    struct buf buf;
    buf_init(&buf, arena, (size_t)64 << 20);
    size_t got;
    do {
        got = fread(buf_reserve(&buf, 65536), 1, 65536, file);
        buf.len += got;
    } while (got > 0);
    fclose(file);
    buf.at[buf.len] = '\0';
    *bytes_out = buf_view(&buf);
    return STATUS_OK;
}

static enum status parse(struct bench *bench, struct arena *arena, struct slice bytes,
                         const struct json **json_out)
{
    struct diag_list diags;
    diag_init(&diags, arena, 10);
    struct source *source = source_create(arena, SLICE("bench"), bytes);
    enum status status = json_parse(arena, source, &bench->limits, &diags, json_out);
    return status == STATUS_OK ? status : refuse_for(bench, &diags, "not JSON");
}

static enum status compile(struct bench *bench, struct arena *arena,
                           const struct expression *expression, const struct path_expr **expr_out)
{
    struct diag_list diags;
    diag_init(&diags, arena, 10);
    struct source *source = source_create(arena, SLICE("expression"), expression->text);
    struct path_scope scope = {.model = bench->model, .context = expression->context};
    if (scope.context == NULL) {
        scope.context = model_type_find(bench->model, SLICE("Bundle"));
    }
    enum status status = path_compile(arena, source, &scope, &bench->limits, &diags, expr_out);
    return status == STATUS_OK ? status : refuse_for(bench, &diags, "does not compile");
}

static struct slice keep_text(struct bench *bench, const char *member)
{
    return arena_copy(bench->keep, json_get_text(bench->request, member));
}

static enum status do_document(struct bench *bench)
{
    if (bench->document_count == NAMES_MOST) {
        return refuse(bench, "too many documents");
    }
    struct document *document = &bench->documents[bench->document_count];
    document->name = keep_text(bench, "name");
    char *file = arena_cstr(bench->round, json_get_text(bench->request, "file"));
    if (read_file(bench->keep, file, &document->bytes) != STATUS_OK) {
        return refuse(bench, "the file cannot be read");
    }
    enum status status = parse(bench, bench->keep, document->bytes, &document->root);
    bench->document_count += status == STATUS_OK;
    return status;
}

static enum status do_expression(struct bench *bench)
{
    if (bench->expression_count == NAMES_MOST) {
        return refuse(bench, "too many expressions");
    }
    struct expression *expression = &bench->expressions[bench->expression_count];
    *expression =
        (struct expression){.name = keep_text(bench, "name"), .text = keep_text(bench, "text")};
    struct slice context = json_get_text(bench->request, "context");
    if (context.len > 0) {
        expression->context = model_type_find(bench->model, context);
    }
    enum status status = compile(bench, bench->keep, expression, &expression->compiled);
    bench->expression_count += status == STATUS_OK;
    return status;
}

static enum status do_job(struct bench *bench)
{
    bench->field_count = 0;
    bench->template = json_copy(bench->keep, json_get(bench->request, "template"));
    const struct json *field = json_first(json_get(bench->request, "fields"));
    for (; field != NULL; field = json_next(field)) {
        if (bench->field_count == NAMES_MOST) {
            return refuse(bench, "too many fields");
        }
        struct expression *expression = &bench->fields[bench->field_count++];
        *expression = (struct expression){.name = arena_copy(bench->keep, json_name(field)),
                                          .text = arena_copy(bench->keep, json_text(field))};
        enum status status = compile(bench, bench->keep, expression, &expression->compiled);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

/* ---- One round ---- */

struct task {
    struct bench *bench;
    enum status (*work)(struct task *task, struct arena *arena, const struct json **json_out);
    const struct document *document;
    const struct expression *expression;
    const struct json *context;
};

static enum status evaluate(struct bench *bench, const struct path_expr *expr,
                            const struct json *context, const struct model_type *type,
                            struct arena *arena, struct path_items *items_out)
{
    struct diag_list diags;
    diag_init(&diags, arena, 10);
    struct path_item item = path_item_of(bench->model, context, type);
    struct path_env env = {.context = {&item, 1}, .resource = context};
    enum status status = path_evaluate(expr, &env, arena, &bench->limits, &diags, items_out);
    return status == STATUS_OK ? status : refuse_for(bench, &diags, "does not evaluate");
}

/* json_out NULL: only the time counts. */
static enum status work_evaluate(struct task *task, struct arena *arena,
                                 const struct json **json_out)
{
    struct path_items items;
    enum status status = evaluate(task->bench, task->expression->compiled, task->context,
                                  task->expression->context, arena, &items);
    if (status != STATUS_OK || json_out == NULL) {
        return status;
    }
    struct json *array = json_new_array(arena);
    for (size_t i = 0; i < items.count; i++) {
        const struct json *value = path_item_json(arena, task->bench->model, &items.at[i]);
        json_append(array, json_copy(arena, value));
    }
    *json_out = array;
    return STATUS_OK;
}

static enum status work_compile(struct task *task, struct arena *arena,
                                const struct json **json_out)
{
    (void)json_out;
    const struct path_expr *expr;
    return compile(task->bench, arena, task->expression, &expr);
}

struct filling {
    struct bench *bench;
    struct arena *arena;
    struct slice values[NAMES_MOST]; /* of the fields, as text */
};

static struct slice value_of(const struct filling *filling, struct slice name)
{
    for (size_t i = 0; i < filling->bench->field_count; i++) {
        if (slice_equal(filling->bench->fields[i].name, name)) {
            return filling->values[i];
        }
    }
    return SLICE_NONE;
}

/* Text with {{field}} where a value goes. */
static struct slice fill_text(const struct filling *filling, struct slice text)
{
    size_t open = slice_find(text, SLICE("{{"), 0);
    if (open == SIZE_MAX) {
        return text;
    }
    struct buf out;
    buf_init(&out, filling->arena, filling->bench->limits.text);
    while (open != SIZE_MAX) {
        size_t close = slice_find(text, SLICE("}}"), open);
        buf_add_slice(&out, slice_part(text, 0, open));
        buf_add_slice(&out, value_of(filling, slice_part(text, open + 2, close - open - 2)));
        text = slice_part(text, close + 2, text.len);
        open = slice_find(text, SLICE("{{"), 0);
    }
    buf_add_slice(&out, text);
    return buf_view(&out);
}

/* A template is a few levels deep: written by this benchmark, not by a stranger. */
static struct json *fill(const struct filling *filling, const struct json *template)
{
    struct arena *arena = filling->arena;
    if (json_is(template, JSON_STRING)) {
        return json_new_string(arena, fill_text(filling, json_text(template)));
    }
    const struct json *member = json_first(template);
    struct json *copy =
        json_is(template, JSON_OBJECT) ? json_new_object(arena) : json_new_array(arena);
    for (; member != NULL; member = json_next(member)) {
        if (json_is(template, JSON_OBJECT)) {
            json_add(arena, copy, json_name(member), fill(filling, member));
        } else {
            json_append(copy, fill(filling, member));
        }
    }
    return copy;
}

static enum status work_job(struct task *task, struct arena *arena, const struct json **json_out)
{
    struct bench *bench = task->bench;
    const struct json *bundle;
    enum status status = parse(bench, arena, task->document->bytes, &bundle);
    struct filling filling = {.bench = bench, .arena = arena};
    for (size_t i = 0; status == STATUS_OK && i < bench->field_count; i++) {
        struct path_items items;
        status = evaluate(bench, bench->fields[i].compiled, bundle, NULL, arena, &items);
        if (status == STATUS_OK && items.count > 0) {
            const struct json *value = path_item_json(arena, bench->model, &items.at[0]);
            filling.values[i] = json_text(value);
        }
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct json *plan = fill(&filling, bench->template);
    struct slice bytes = json_write(arena, plan, JSON_COMPACT);
    if (json_out != NULL) {
        *json_out = plan;
    }
    return bytes.len > 0 ? STATUS_OK : refuse(bench, "nothing was written");
}

struct round {
    struct task *task;
    const struct json **json_out;
};

static enum status run_round(void *arg)
{
    struct round *round = arg;
    return round->task->work(round->task, round->task->bench->round, round->json_out);
}

static enum status find_task(struct bench *bench, struct task *task_out)
{
    struct slice name = json_get_text(bench->request, "task");
    struct slice document = json_get_text(bench->request, "document");
    struct slice expression = json_get_text(bench->request, "expression");
    struct task task = {.bench = bench, .work = work_evaluate};
    if (slice_is(name, "job")) {
        task.work = work_job;
    } else if (slice_is(name, "compile")) {
        task.work = work_compile;
    }
    for (size_t i = 0; i < bench->document_count; i++) {
        if (slice_equal(bench->documents[i].name, document)) {
            task.document = &bench->documents[i];
        }
    }
    for (size_t i = 0; i < bench->expression_count; i++) {
        if (slice_equal(bench->expressions[i].name, expression)) {
            task.expression = &bench->expressions[i];
        }
    }
    if (task.document == NULL || (task.expression == NULL && task.work != work_job)) {
        return refuse(bench, "no such document or expression");
    }
    task.context = task.document->root;
    if (task.expression != NULL && task.expression->context != NULL) {
        const struct json *entry = json_first(json_get(task.context, "entry"));
        struct slice type = model_type_name(bench->model, task.expression->context);
        while (entry != NULL &&
               !slice_equal(json_get_text(json_get(entry, "resource"), "resourceType"), type)) {
            entry = json_next(entry);
        }
        task.context = json_get(entry, "resource");
    }
    *task_out = task;
    return STATUS_OK;
}

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Rounds until the time is over, the clock read once for a batch. */
static enum status do_run(struct bench *bench)
{
    int64_t milliseconds = strtoll(
        arena_cstr(bench->round, json_text(json_get(bench->request, "milliseconds"))), NULL, 10);
    struct task task;
    enum status status = find_task(bench, &task);
    struct round round = {&task, NULL};
    struct arena_mark mark = arena_mark(bench->round);
    int64_t start = now();
    int64_t end = start + milliseconds * 1000000;
    int64_t at = start;
    int64_t rounds = 0;
    for (int64_t batch = 1; status == STATUS_OK && at < end;) {
        for (int64_t i = 0; status == STATUS_OK && i < batch; i++) {
            status = arena_run(bench->round, run_round, &round);
            arena_rewind(bench->round, mark);
        }
        rounds += batch;
        at = now();
        int64_t fit = (end - at) / 2 * rounds / (at - start + 1);
        batch = fit < 1 ? 1 : fit < batch * 2 ? fit : batch * 2;
    }
    if (status == STATUS_OK) {
        printf("{\"nanoseconds\":%.3f,\"rounds\":%lld}\n", (double)(at - start) / (double)rounds,
               (long long)rounds);
    }
    return status;
}

static enum status do_value(struct bench *bench)
{
    struct task task;
    const struct json *value = NULL;
    struct round round = {&task, &value};
    enum status status = find_task(bench, &task);
    if (status == STATUS_OK) {
        status = arena_run(bench->round, run_round, &round);
    }
    if (status == STATUS_OK) {
        printf("{\"value\":%s}\n",
               arena_cstr(bench->round, json_write(bench->round, value, JSON_COMPACT)));
    }
    return status;
}

/* ---- Requests ---- */

static enum status answer(void *arg)
{
    static const struct {
        const char *name;
        enum status (*handle)(struct bench *bench);
        bool answers; /* itself, when all is well */
    } handlers[] = {{"document", do_document, false},
                    {"expression", do_expression, false},
                    {"job", do_job, false},
                    {"run", do_run, true},
                    {"value", do_value, true}};
    struct bench *bench = arg;
    struct slice name = json_get_text(bench->request, "do");
    for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
        if (slice_is(name, handlers[i].name)) {
            enum status status = handlers[i].handle(bench);
            if (status == STATUS_OK && !handlers[i].answers) {
                puts("{}");
            }
            return status;
        }
    }
    return refuse(bench, "no such request");
}

struct line {
    struct bench *bench;
    struct slice text;
};

static enum status answer_line(void *arg)
{
    struct line *line = arg;
    struct bench *bench = line->bench;
    enum status status = parse(bench, bench->round, line->text, &bench->request);
    /* What is kept is made in the other arena, whose ceiling also ends the request. */
    return status == STATUS_OK ? arena_run(bench->keep, answer, bench) : status;
}

int main(void)
{
    json_library_init();
    static struct bench bench;
    bench.keep = arena_create((size_t)1 << 30);
    bench.round = arena_create((size_t)1 << 30);
    bench.model = model_r4();
    bench.limits = LIMITS_DEFAULT;
    char *text = NULL;
    size_t room = 0;
    ssize_t len;
    while ((len = getline(&text, &room, stdin)) > 0) {
        struct line line = {&bench, slice_trim(slice_from(text, (size_t)len))};
        bench.fault = "a ceiling was reached";
        bench.sentence = SLICE_NONE;
        enum status status = arena_run(bench.round, answer_line, &line);
        if (status != STATUS_OK) {
            struct json *answer_json = json_new_object(bench.keep);
            struct slice why = bench.sentence.len > 0 ? bench.sentence : slice_of(bench.fault);
            json_add(bench.keep, answer_json, SLICE("error"), json_new_string(bench.keep, why));
            struct slice written = json_write(bench.keep, answer_json, JSON_COMPACT);
            printf("%.*s\n", SLICE_ARGS(written));
        }
        fflush(stdout);
        arena_reset(bench.round);
    }
    free(text);
    arena_destroy(&bench.round);
    arena_destroy(&bench.keep);
    return 0;
}
