#include "fhir/path/library.h"
#include "fhir/path/type.h"

/* The static check of %name, and what is known of the context. */

static const struct path_type *any(struct checker *checker)
{
    return type_any(checker->arena, checker->model);
}

struct constant {
    const char *name;
    const char *value;
};

static const struct constant constants[] = {
    {"ucum", "http://unitsofmeasure.org"},
    {"sct", "http://snomed.info/sct"},
    {"loinc", "http://loinc.org"},
};

/* Constants become literals: %ucum, %`vs-name`, %`ext-name`. */
static bool check_constant(struct checker *checker, struct node *node)
{
    struct slice value = SLICE_NONE;
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
        if (slice_is(node->name, constants[i].name)) {
            value = slice_of(constants[i].value);
        }
    }
    if (slice_starts_with(node->name, SLICE("vs-"))) {
        value = arena_printf(checker->arena, "http://hl7.org/fhir/ValueSet/%.*s",
                             SLICE_ARGS(slice_part(node->name, 3, SIZE_MAX)));
    } else if (slice_starts_with(node->name, SLICE("ext-"))) {
        value = arena_printf(checker->arena, "http://hl7.org/fhir/StructureDefinition/%.*s",
                             SLICE_ARGS(slice_part(node->name, 4, SIZE_MAX)));
    }
    if (value.at == NULL) {
        return false;
    }
    node->kind = NODE_LITERAL;
    node->literal = path_item_string(value);
    node->type = type_system(checker->arena, checker->model, PATH_STRING);
    return true;
}

const struct path_type *check_context_type(struct checker *checker)
{
    const struct path_scope *scope = checker->scope;
    if (scope->context == NULL) {
        return any(checker);
    }
    const struct path_type *type = type_fhir(checker->arena, checker->model, scope->context);
    return scope->context_many ? type_times(checker->arena, type, 0, TYPE_MANY)
                               : type_times(checker->arena, type, 0, 1);
}

static const struct path_type *resource_type(struct checker *checker, bool root)
{
    const struct model_type *context = checker->scope->context;
    if (!root && context != NULL && context->kind == MODEL_RESOURCE) {
        return check_context_type(checker);
    }
    return type_times(checker->arena,
                      type_fhir(checker->arena, checker->model,
                                model_type_find(checker->model, SLICE("Resource"))),
                      0, 1);
}

static const struct path_type *variable_type(struct checker *checker,
                                             const struct path_variable *variable)
{
    if (variable->type != NULL) {
        return variable->type;
    }
    if (variable->fhir_type == NULL && !variable->is_system) {
        return any(checker);
    }
    const struct path_type *one =
        variable->fhir_type != NULL ? type_fhir(checker->arena, checker->model, variable->fhir_type)
                                    : type_system(checker->arena, checker->model, variable->system);
    return type_times(checker->arena, one, 0, variable->many ? TYPE_MANY : 1);
}

static void unknown_variable(struct checker *checker, const struct node *node,
                             const struct surroundings *around)
{
    struct diag *diag = diag_add(checker->diags, DIAG_PATH_UNKNOWN_VARIABLE, node->mark,
                                 "there is no variable %%%.*s", SLICE_ARGS(node->name));
    static const char *const own[] = {"context", "resource", "rootResource",
                                      "ucum",    "sct",      "loinc"};
    enum { OWN = sizeof own / sizeof *own };
    size_t count = 0;
    for (const struct binding *b = around->bindings; b != NULL; b = b->outer) {
        count++;
    }
    struct slice *names =
        ARENA_ARRAY(checker->arena, OWN + count + checker->scope->variable_count, struct slice);
    count = 0;
    for (size_t i = 0; i < OWN; i++) {
        names[count++] = slice_of(own[i]);
    }
    for (const struct binding *b = around->bindings; b != NULL; b = b->outer) {
        names[count++] = b->name;
    }
    for (size_t i = 0; i < checker->scope->variable_count; i++) {
        names[count++] = checker->scope->variables[i].name;
    }
    struct slice near = slice_nearest(node->name, names, count);
    if (near.at != NULL) {
        diag_hint(checker->diags, diag, "did you mean %%%.*s?", SLICE_ARGS(near));
    }
}

void check_variable(struct checker *checker, struct node *node, const struct surroundings *around)
{
    for (const struct binding *b = around->bindings; b != NULL; b = b->outer) {
        if (slice_equal(b->name, node->name)) {
            node->slot = b->slot;
            node->type = b->type;
            return;
        }
    }
    for (size_t i = 0; i < checker->scope->variable_count; i++) {
        if (slice_equal(checker->scope->variables[i].name, node->name)) {
            node->type = variable_type(checker, &checker->scope->variables[i]);
            node->place = checker->scope->variables[i].place;
            return;
        }
    }
    if (slice_is(node->name, "context")) {
        node->type = check_context_type(checker);
    } else if (slice_is(node->name, "resource") || slice_is(node->name, "rootResource")) {
        node->type = resource_type(checker, slice_is(node->name, "rootResource"));
    } else if (!check_constant(checker, node)) {
        unknown_variable(checker, node, around);
        node->type = any(checker);
    }
}

/* Is there a record of that name: a variable "NAME.field"? */
static bool is_record(const struct path_scope *scope, struct slice name)
{
    for (size_t i = 0; i < scope->variable_count; i++) {
        struct slice known = scope->variables[i].name;
        if (known.len > name.len && known.at[name.len] == '.' && slice_starts_with(known, name)) {
            return true;
        }
    }
    return false;
}

/* %visit.date: the field of a record is a variable of that whole name. */
void check_fuse_field(struct checker *checker, struct node *node)
{
    struct node *input = node->input;
    if (input == NULL || input->kind != NODE_VARIABLE || !is_record(checker->scope, input->name)) {
        return;
    }
    node->kind = NODE_VARIABLE;
    node->name =
        arena_printf(checker->arena, "%.*s.%.*s", SLICE_ARGS(input->name), SLICE_ARGS(node->name));
    node->input = NULL;
}
