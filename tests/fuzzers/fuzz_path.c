// uses: fhir/path
/*
 * Expression text: compiled against Patient and, when it compiles, evaluated on a small one, with
 * low ceilings. What must hold: a refusal has a diagnostic with a place inside the text, a result
 * is of a type that was foretold, and every item has JSON.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "fhir/path/path.h"

static const char patient[] =
    "{\"resourceType\":\"Patient\",\"id\":\"p\",\"contained\":[{\"resourceType\":\"Organization\","
    "\"id\":\"o\",\"name\":\"Org\"}],\"active\":true,\"name\":[{\"use\":\"official\",\"family\":"
    "\"Ruiz\",\"given\":[\"Ana\",null],\"_given\":[null,{\"id\":\"g\"}]},{\"family\":\"Lopez\"}],"
    "\"telecom\":[{\"system\":\"phone\",\"value\":\"1\",\"rank\":1}],\"gender\":\"female\","
    "\"birthDate\":\"2014-05\",\"_birthDate\":{\"extension\":[{\"url\":\"http://"
    "e\",\"valueQuantity\":"
    "{\"value\":1.50,\"unit\":\"kg\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"kg\"}}]},"
    "\"deceasedBoolean\":false,\"multipleBirthInteger\":2,\"managingOrganization\":{\"reference\":"
    "\"#o\"}}";

struct work {
    struct arena *arena;
    struct slice text;
};

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "does not hold: %s\n", what);
        abort();
    }
}

static void check_diags(const struct diag_list *diags, const struct source *source)
{
    require(diags->errors != 0, "a refusal has a diagnostic");
    for (const struct diag *diag = diags->first; diag != NULL; diag = diag->next) {
        require(diag->span.source == source, "a diagnostic has a place");
        require(diag->span.start <= diag->span.end && diag->span.end <= source->text.len,
                "the place is inside the text");
    }
    struct buf text;
    buf_init(&text, diags->arena, SIZE_MAX / 4);
    diag_render_all(diags, &text);
}

static bool foretold(const struct path_type *type, const struct model *model,
                     const struct path_item *item)
{
    if (item->kind != PATH_NODE) {
        return path_type_may_be_system(type, item->kind);
    }
    const struct model_type *own = path_item_type(model, item);
    return own == NULL || path_type_may_be(type, own);
}

static enum status run(void *arg)
{
    struct work *work = arg;
    const struct model *model = model_r4();
    struct limits limits = LIMITS_DEFAULT;
    struct diag_list diags;
    struct datetime now;
    const struct json *json;
    const struct path_expr *expr;
    limits.steps = 20000;
    limits.items = 2000;
    limits.text = 1 << 16;
    diag_init(&diags, work->arena, 20);
    datetime_parse(SLICE("2026-01-02T03:04:05.678+02:00"), FORM_FHIR_INSTANT, &now, NULL);
    const struct source *source =
        source_create(work->arena, SLICE("patient.json"), slice_of(patient));
    require(json_parse(work->arena, source, &limits, &diags, &json) == STATUS_OK, "the Patient");
    source = source_create(work->arena, SLICE("expression"), work->text);
    struct path_item context = path_item_of(model, json, NULL);
    struct path_scope scope = {.model = model, .context = path_item_type(model, &context)};
    if (path_compile(work->arena, source, &scope, &limits, &diags, &expr) != STATUS_OK) {
        check_diags(&diags, source);
        return STATUS_OK;
    }
    struct buf tree;
    buf_init(&tree, work->arena, SIZE_MAX / 4);
    path_print_tree(expr, &tree);
    struct path_env env = {.context = {&context, 1}, .now = &now};
    struct path_items items;
    if (path_evaluate(expr, &env, work->arena, &limits, &diags, &items) != STATUS_OK) {
        check_diags(&diags, source);
        return STATUS_OK;
    }
    for (size_t i = 0; i < items.count; i++) {
        require(foretold(path_expr_type(expr), model, &items.at[i]), "a result was foretold");
        json_write(work->arena, path_item_json(work->arena, model, &items.at[i]), JSON_COMPACT);
    }
    require(items.count <= 1 || path_type_is_many(path_expr_type(expr)), "so many were foretold");
    return STATUS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct work work = {.text = slice_from((const char *)data, size)};
    json_library_init();
    work.arena = arena_create((size_t)64 << 20);
    if (work.arena == NULL) {
        return 0;
    }
    if (utf8_check(work.text) == SIZE_MAX) {
        (void)arena_run(work.arena, run, &work);
    }
    arena_destroy(&work.arena);
    return 0;
}
