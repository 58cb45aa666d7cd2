#include "gateway/mapping/schema.h"

#include "gateway/mapping/case_run.h"
#include "gateway/mapping/describe.h"

/* mapping.yaml is a mapping, or extends one. */
static void describe_rules(struct loader *l, const struct yaml *root)
{
    load_rules(l, describe_or(l, root));
    l->overlay = true;
    load_rules(l, describe_or(l, root));
}

static void describe_case(struct loader *l, const struct yaml *root)
{
    case_describe(l, root);
}

static const char *const names[] = {"mapping", "plan", "part", "texts", "concepts", "case"};

static void (*const readers[])(struct loader *l, const struct yaml *root) = {
    describe_rules, load_plan, load_part, load_text_file, load_concepts, describe_case};

enum { KIND_COUNT = sizeof names / sizeof *names };

const char *const *mapping_schema_kinds(size_t *count_out)
{
    *count_out = KIND_COUNT;
    return names;
}

struct json *mapping_schema(struct arena *arena, const struct model *model, struct slice kind)
{
    struct limits limits = LIMITS_DEFAULT;
    struct diag_list unheard;
    size_t which = 0;
    while (which < KIND_COUNT && !slice_is(kind, names[which])) {
        which++;
    }
    if (which == KIND_COUNT) {
        return NULL;
    }
    diag_init(&unheard, arena, 1);
    struct loader *l = ARENA_NEW(arena, struct loader);
    *l = (struct loader){.arena = arena,
                         .model = model,
                         .limits = &limits,
                         .diags = &unheard,
                         .describing = true,
                         .definitions = json_new_object(arena),
                         .mapping = ARENA_NEW(arena, struct mapping)};
    l->mapping->arena = arena;
    l->mapping->model = model;
    struct json *schema = json_new_object(arena);
    json_add(arena, schema, SLICE("$schema"),
             json_new_string(arena, SLICE("https://json-schema.org/draft/2020-12/schema")));
    json_add(arena, schema, SLICE("title"),
             json_new_string(arena, arena_printf(arena, "eplan: %s", names[which])));
    readers[which](l, describe_node(l, schema));
    if (json_first(l->definitions) != NULL) {
        json_add(arena, schema, SLICE("$defs"), l->definitions);
    }
    return schema;
}
