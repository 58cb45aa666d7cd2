#include "fhir/path/path.h"
#include "fhir/validate/run.h"
#include "fhir/validate/validator.h"

/* Checked without the engine, each to the same effect; tests/unit/fhir/validate/ compares. */
static const char *const native[] = {
    "ele-1", /* structure.c: it holds for every element, and structure sees it anyway */
    "ref-1", /* reference.c: by index, since the expression reads all contained resources each time
              */
};

static bool is_native(struct slice key)
{
    for (size_t i = 0; i < sizeof native / sizeof *native; i++) {
        if (slice_is(key, native[i])) {
            return true;
        }
    }
    return false;
}

/* ---- compiling ---- */

static const struct model_type *common_base(const struct model *model, const struct model_type *a,
                                            const struct model_type *b)
{
    while (a != NULL && !model_is_subtype(model, b, a)) {
        a = model_type_base(model, a);
    }
    return a;
}

/* The type that all values have for which the constraint holds. */
struct holder {
    const struct model_type *type;
    bool seen;
};

static void note_holder(const struct model *model, struct holder *holders,
                        const struct model_constraint *constraint, const struct model_type *type)
{
    struct holder *holder = &holders[model_constraint_index(model, constraint)];
    holder->type = holder->seen ? common_base(model, holder->type, type) : type;
    holder->seen = true;
}

static struct holder *find_holders(struct arena *arena, const struct model *model)
{
    struct holder *holders = ARENA_ARRAY(arena, model_constraint_count(model), struct holder);
    for (size_t t = 0; t < model_type_count(model); t++) {
        const struct model_type *type = model_type_at(model, t);
        const struct model_constraint *constraint;
        for (size_t i = 0; (constraint = model_type_constraint(model, type, i)) != NULL; i++) {
            note_holder(model, holders, constraint, type);
        }
        for (size_t e = 0; e < type->element_count; e++) {
            const struct model_element *element = model_element_at(model, type, e);
            for (size_t i = 0; (constraint = model_element_constraint(model, element, i)) != NULL;
                 i++) {
                for (size_t n = 0; n < element->type_count; n++) {
                    note_holder(model, holders, constraint, model_element_type(model, element, n));
                }
            }
        }
    }
    return holders;
}

static const struct path_expr *compile(struct validator *validator, struct arena *arena,
                                       const struct source *source,
                                       const struct model_type *context, struct diag_list *diags)
{
    struct path_scope scope = {.model = validator->model, .context = context};
    const struct path_expr *expr = NULL;
    enum status status = path_compile(arena, source, &scope, &LIMITS_DEFAULT, diags, &expr);
    return status == STATUS_OK ? expr : NULL;
}

/* First with what is known of the context, which is stricter and faster; where that finds fault
 * (an invariant that several types share, about elements that their base has not), without. */
static const struct path_expr *compile_constraint(struct validator *validator, struct arena *arena,
                                                  const struct model_constraint *constraint,
                                                  const struct model_type *context)
{
    const struct model *model = validator->model;
    struct slice key = model_constraint_key(model, constraint);
    struct source *source =
        source_create(arena, key, model_constraint_expression(model, constraint));
    struct diag_list diags;
    diag_init(&diags, arena, 1);
    const struct path_expr *expr = compile(validator, arena, source, context, &diags);
    if (expr == NULL) {
        expr = compile(validator, arena, source, NULL, &diags);
    }
    if (expr == NULL) {
        struct buf text;
        buf_init(&text, arena, SIZE_MAX / 4);
        diag_render_all(&diags, &text);
        validator->refused[validator->refused_count++] = buf_view(&text);
    }
    return expr;
}

void invariants_compile(struct validator *validator, struct arena *arena)
{
    const struct model *model = validator->model;
    size_t count = model_constraint_count(model);
    validator->compiled = ARENA_ARRAY(arena, count, const struct path_expr *);
    validator->refused = ARENA_ARRAY(arena, count, struct slice);
    struct holder *holders = find_holders(arena, model);
    for (size_t i = 0; i < count; i++) {
        const struct model_constraint *constraint = model_constraint_at(model, i);
        if (!is_native(model_constraint_key(model, constraint))) {
            validator->compiled[i] =
                compile_constraint(validator, arena, constraint, holders[i].type);
        }
    }
}

/* ---- evaluating ---- */

static const struct json *resolve(void *arg, struct slice reference)
{
    return find_entry(arg, reference);
}

static bool is_false(const struct run *run, struct path_items items)
{
    struct path_item value;
    return items.count == 1 &&
           path_item_value(run->arena, run->model, &items.at[0], &value) == STATUS_OK &&
           value.kind == PATH_BOOLEAN && !value.boolean;
}

static void tell_broken(struct run *run, const struct model_constraint *constraint,
                        const struct json *at, const struct frame *frame)
{
    enum { EXPRESSION_SHOWN = 200 };
    struct slice expression = model_constraint_expression(run->model, constraint);
    bool advice = constraint->warning != 0 || constraint->best_practice != 0;
    struct diag *diag =
        run_add(run, advice ? DIAG_VALIDATE_ADVICE : DIAG_VALIDATE_INVARIANT, at, frame,
                "%.*s: %.*s", SLICE_ARGS(model_constraint_key(run->model, constraint)),
                SLICE_ARGS(slice_trim(model_constraint_human(run->model, constraint))));
    if (!advice && expression.len <= EXPRESSION_SHOWN) {
        diag_hint(run->diags, diag, "this must hold: %.*s", SLICE_ARGS(expression));
    }
}

/* What holds, and what is unknown (empty), breaks nothing. */
static void check_one(struct run *run, const struct model_constraint *constraint,
                      const struct value *value, bool faulty, const struct frame *frame)
{
    const struct path_expr *expr =
        run->validator->compiled[model_constraint_index(run->model, constraint)];
    /* What is best for a resource (a narrative) is not asked of one inside another. */
    if (expr == NULL || (constraint->best_practice != 0 && run->resource != run->root)) {
        return;
    }
    const struct json *at = value->json != NULL ? value->json : value->extra;
    struct path_item item = {
        .kind = PATH_NODE, .type = value->type, .node = {value->json, value->extra, run->resource}};
    struct path_env env = {.context = {&item, 1},
                           .resource = run->resource,
                           .root_resource = run->root,
                           .resolve = resolve,
                           .arg = run};
    struct arena_mark mark = arena_mark(run->arena);
    struct diag_list diags;
    diag_init(&diags, run->arena, 1);
    struct path_items items = {NULL, 0};
    bool entries_made = run->entries.made;
    enum status status = path_evaluate(expr, &env, run->arena, run->limits, &diags, &items);
    if (status != STATUS_OK) {
        if (!faulty || status == STATUS_LIMIT) {
            run_add(run, status == STATUS_LIMIT ? DIAG_VALIDATE_LIMIT : DIAG_VALIDATE_UNCHECKED, at,
                    frame, "%.*s cannot be evaluated: %.*s",
                    SLICE_ARGS(model_constraint_key(run->model, constraint)),
                    SLICE_ARGS(diags.first != NULL ? diags.first->sentence : SLICE_NONE));
        }
        return;
    }
    bool broken = is_false(run, items);
    if (run->entries.made == entries_made) {
        arena_rewind(run->arena, mark); /* else the index was made since the mark, and stays */
    }
    if (broken) {
        tell_broken(run, constraint, at, frame);
    }
}

static bool has_constraint(const struct model *model, const struct model_type *type,
                           const struct model_constraint *wanted)
{
    for (size_t i = 0; i < type->constraint_count; i++) {
        if (model_type_constraint(model, type, i) == wanted) {
            return true;
        }
    }
    return false;
}

void check_invariants(struct run *run, const struct value *value, bool faulty,
                      const struct frame *frame)
{
    const struct model_constraint *constraint;
    for (size_t i = 0; (constraint = model_type_constraint(run->model, value->type, i)) != NULL;
         i++) {
        check_one(run, constraint, value, faulty, frame);
    }
    if (value->member == NULL) {
        return;
    }
    const struct model_element *element = value->member->element;
    for (size_t i = 0; (constraint = model_element_constraint(run->model, element, i)) != NULL;
         i++) {
        check_one(run, constraint, value, faulty, frame);
    }
    const struct model_type *profile =
        model_element_profile(run->model, element, value->member->choice);
    for (size_t i = 0;
         profile != NULL && (constraint = model_type_constraint(run->model, profile, i)) != NULL;
         i++) {
        if (!has_constraint(run->model, value->type, constraint)) {
            check_one(run, constraint, value, faulty, frame);
        }
    }
}
