#include "gateway/mapping/describe.h"
#include "gateway/mapping/growth_fields.h"
#include "gateway/mapping/safety.h"

/* ---- variables ---- */

unsigned load_place_of(struct loader *l, struct slice name)
{
    struct mapping *m = l->mapping;
    for (size_t i = 0; i < m->value_count; i++) {
        if (slice_equal(m->values[i].name, name)) {
            return (unsigned)i + 1;
        }
    }
    struct named_value value = {.name = name};
    LOAD_ADD(l, m->values, m->value_count, value);
    return (unsigned)m->value_count;
}

void load_fixed_places(struct loader *l)
{
    static const char *const names[] = {
        [PLACE_PATIENT] = "patient",
        [PLACE_VISIT_DATE] = "visit.date",
        [PLACE_VISIT_ENCOUNTER] = "visit.encounter",
        [PLACE_ACCEPTOR] = "acceptor",
        [PLACE_SPEAKER] = "speaker",
        [PLACE_PROTECTS_TEENS] = "ehr.protectsTeens",
    };
    for (unsigned place = PLACE_PATIENT; place < PLACE_GROWTH; place++) {
        load_place_of(l, slice_of(names[place]));
    }
    for (int i = 0; i < GROWTH_FIELD_COUNT; i++) {
        load_place_of(l, growth_variable_name((enum growth_field)i));
    }
}

void load_settle_places(struct loader *l)
{
    struct mapping *m = l->mapping;
    for (size_t i = 0; i < m->fact_count; i++) {
        m->facts[i].place = load_place_of(l, m->facts[i].name);
    }
    for (size_t i = 0; i < m->define_count; i++) {
        m->defines[i].place = load_place_of(l, m->defines[i].name);
    }
    for (size_t i = 0; i < m->set_count; i++) {
        struct path_item *url = ARENA_NEW(l->arena, struct path_item);
        *url = path_item_string(m->sets[i].url);
        unsigned place = load_place_of(l, m->sets[i].variable);
        m->values[place - 1].items = (struct path_items){url, 1};
    }
}

static void add_variable(struct loader *l, const struct path_variable *variable)
{
    if (l->variable_count == VARIABLES_MOST) {
        arena_fail(l->arena, STATUS_LIMIT);
    }
    l->variables[l->variable_count] = *variable;
    l->variables[l->variable_count++].place = load_place_of(l, variable->name);
}

static void mark_used(void *arg, unsigned place)
{
    ((struct mapping *)arg)->values[place - 1].used = true;
}

void load_new_variable(struct loader *l, const struct yaml *member)
{
    for (size_t i = 0; i < l->variable_count; i++) {
        if (slice_equal(l->variables[i].name, member->key.text)) {
            struct diag *diag = load_fault(
                l, l->overlay ? DIAG_MAPPING_LOOSENS : DIAG_MAPPING_DUPLICATE, member->key.span,
                "the name %%%.*s has a meaning already", SLICE_ARGS(member->key.text));
            diag_hint(l->diags, diag, "choose another name");
            return;
        }
    }
}

void load_system_variable(struct loader *l, struct slice name, enum path_kind kind, bool many)
{
    struct path_variable variable = {.name = name, .is_system = true, .system = kind, .many = many};
    add_variable(l, &variable);
}

void load_fhir_variable(struct loader *l, struct slice name, const struct model_type *type,
                        bool many)
{
    struct path_variable variable = {.name = name, .fhir_type = type, .many = many};
    add_variable(l, &variable);
}

void load_typed_variable(struct loader *l, struct slice name, const struct path_type *type)
{
    struct path_variable variable = {.name = name, .type = type, .many = true};
    add_variable(l, &variable);
}

static bool knows_set(void *arg, struct slice url)
{
    const struct loader *l = arg;
    return mapping_find_set_by_url(l->mapping, url) != NULL;
}

bool load_check_race(struct loader *l, struct slice text, struct span span)
{
    const char *race = safety_race_word(text);
    if (race != NULL) {
        struct diag *diag = load_fault(l, DIAG_MAPPING_FORBIDDEN, span,
                                       "a rule reads race or ethnicity (\"%s\")", race);
        diag_hint(l->diags, diag, "no rule does; measures of fairness may, outside of a mapping");
    }
    return race == NULL;
}

static bool compile(struct loader *l, struct source *source, struct span span,
                    struct expr *expr_out)
{
    struct path_scope scope = {.model = l->model,
                               .context = l->each_type,
                               .variables = l->variables,
                               .variable_count = l->variable_count,
                               .has_value_set = knows_set,
                               .arg = l,
                               .refuse_clock = true};
    struct expr expr = {.span = span};
    load_use_names_of(l, source->text);
    if (!load_check_race(l, source->text, span)) {
        return false;
    }
    if (path_compile(l->arena, source, &scope, l->limits, l->diags, &expr.path) != STATUS_OK) {
        return false;
    }
    path_expr_uses(expr.path, mark_used, l->mapping);
    *expr_out = expr;
    return true;
}

bool load_expr(struct loader *l, const struct yaml *node, struct expr *expr_out)
{
    if (l->describing) {
        describe_expression(l, node);
        return false;
    }
    if (load_text(l, node).len == 0) {
        return false;
    }
    if (node->scalar.style == YAML_PLAIN) {
        struct diag *diag =
            load_fault(l, DIAG_MAPPING_UNQUOTED, node->span, "this expression is not quoted");
        diag_hint(l->diags, diag, "write it in double quotes, or as a block after |-");
        return false;
    }
    return compile(l, yaml_source(l->arena, &node->scalar, SLICE("expression")), node->span,
                   expr_out);
}

/* The part of a text as a source of its own, with the map that leads back into the file. */
static struct source *part_source(struct loader *l, const struct yaml_text *text, size_t from,
                                  size_t len)
{
    struct source *whole = yaml_source(l->arena, text, SLICE("expression"));
    struct source *part =
        source_create(l->arena, SLICE("expression"), slice_part(text->text, from, len));
    uint32_t *map = ARENA_ARRAY(l->arena, len + 1, uint32_t);
    for (size_t i = 0; i <= len; i++) {
        map[i] = (uint32_t)(from + i);
    }
    part->outer = whole;
    part->map = map;
    return part;
}

bool load_expr_part(struct loader *l, const struct yaml_text *text, size_t from, size_t len,
                    struct expr *expr_out)
{
    return compile(l, part_source(l, text, from, len), yaml_span(text, from, from + len), expr_out);
}

/* ---- texts with holes ---- */

/* The set when the hole is %sets.NAME and nothing else; NULL otherwise. */
static const struct concept_set *hole_set(struct loader *l, struct slice hole)
{
    static const char prefix[] = "%sets.";
    hole = slice_trim(hole);
    if (!slice_starts_with(hole, SLICE("%sets."))) {
        return NULL;
    }
    return mapping_find_set(l->mapping, slice_part(hole, sizeof prefix - 1, SIZE_MAX));
}

static bool read_hole(struct loader *l, const struct yaml_text *text, size_t from, size_t to,
                      struct piece *piece)
{
    piece->set = hole_set(l, slice_part(text->text, from, to - from));
    if (piece->set != NULL) {
        load_use_name(l, "sets", piece->set->name);
        return true;
    }
    struct expr *expr = ARENA_NEW(l->arena, struct expr);
    piece->expr = expr;
    return load_expr_part(l, text, from, to - from, expr);
}

const struct piece *load_pieces(struct loader *l, const struct yaml *node, bool *whole_out)
{
    *whole_out = false;
    if (l->describing) {
        describe_kind(l, node, YAML_SCALAR);
        return NULL;
    }
    if (load_text(l, node).len == 0) {
        return NULL;
    }
    const struct yaml_text *text = &node->scalar;
    const struct piece *first = NULL;
    const struct piece **last = &first;
    bool good = true;
    for (size_t at = 0; at < text->text.len;) {
        struct piece *piece = ARENA_NEW(l->arena, struct piece);
        *last = piece;
        last = &piece->next;
        size_t open = slice_find(text->text, SLICE("{{"), at);
        if (open != at) {
            size_t end = open < text->text.len ? open : text->text.len;
            piece->literal = slice_part(text->text, at, end - at);
            at = end;
            continue;
        }
        size_t close = slice_find(text->text, SLICE("}}"), at);
        if (close == SIZE_MAX) {
            load_fault(l, DIAG_MAPPING_VALUE, yaml_span(text, open, open + 2), "this {{ has no }}");
            return NULL;
        }
        good = read_hole(l, text, open + 2, close, piece) && good;
        *whole_out = open == 0 && close + 2 == text->text.len;
        at = close + 2;
    }
    return good ? first : NULL;
}
