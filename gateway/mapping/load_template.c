#include "fhir/types/datetime.h"
#include "gateway/mapping/describe.h"
#include "gateway/mapping/safety.h"

/*
 * Templates: a FHIR resource in YAML. Every key is an element of the model or begins with $. A
 * single value where the element repeats is wrapped into an array, so that an author need not know
 * which elements do.
 */

static struct template *new_template(struct loader *l, enum template_kind kind,
                                     const struct yaml *node)
{
    struct template *template = ARENA_NEW(l->arena, struct template);
    *template = (struct template){.kind = kind, .span = node->span};
    return template;
}

static void hint_elements(struct loader *l, struct diag *diag, const struct model_type *type,
                          struct slice word)
{
    struct slice names[512];
    size_t count = 0;
    const struct model_element *element;
    for (size_t i = 0; (element = model_element_at(l->model, type, i)) != NULL; i++) {
        for (size_t k = 0; k < element->type_count && count < 512; k++) {
            names[count++] = model_element_json_name(l->model, element, k);
        }
    }
    diag_hint_nearest(l->diags, diag, word, names, count);
}

/* ---- scalars ---- */

static bool is_json_number(struct loader *l, struct slice text)
{
    struct diag_list unheard;
    diag_init(&unheard, l->arena, 1);
    const struct json *json = NULL;
    struct source *source = source_create(l->arena, SLICE("number"), text);
    return json_parse(l->arena, source, l->limits, &unheard, &json) == STATUS_OK &&
           json_kind(json) == JSON_NUMBER;
}

static void check_date(struct loader *l, const struct yaml *node, enum datetime_form form,
                       const char *what)
{
    struct datetime date;
    struct datetime_fault fault;
    if (datetime_parse(node->scalar.text, form, &date, &fault) != STATUS_OK) {
        load_fault(l, DIAG_MAPPING_VALUE, node->span, "%s is expected here: %s", what, fault.why);
    }
}

static const struct json *literal_of(struct loader *l, const struct yaml *node,
                                     const struct model_type *type)
{
    struct slice text = node->scalar.text;
    enum model_format format = type != NULL ? (enum model_format)type->format : MODEL_FORMAT_STRING;
    switch (format) {
    case MODEL_FORMAT_BOOLEAN:
        if (!slice_is(text, "true") && !slice_is(text, "false")) {
            load_fault(l, DIAG_MAPPING_VALUE, node->span, "true or false is expected here");
        }
        return json_new_bool(l->arena, slice_is(text, "true"));
    case MODEL_FORMAT_DECIMAL:
    case MODEL_FORMAT_INTEGER:
    case MODEL_FORMAT_POSITIVEINT:
    case MODEL_FORMAT_UNSIGNEDINT:
        if (!is_json_number(l, text)) {
            load_fault(l, DIAG_MAPPING_VALUE, node->span, "a number is expected here");
        }
        return json_new_number(l->arena, text);
    case MODEL_FORMAT_DATE:
        check_date(l, node, FORM_FHIR_DATE, "a date");
        break;
    case MODEL_FORMAT_DATETIME:
        check_date(l, node, FORM_FHIR_DATETIME, "a date, or a date with time and offset,");
        break;
    case MODEL_FORMAT_INSTANT:
        check_date(l, node, FORM_FHIR_INSTANT, "a date with time and offset");
        break;
    case MODEL_FORMAT_STRING:
    case MODEL_FORMAT_MARKDOWN:
        load_check_words(l, text, node->span);
        break;
    default:
        break;
    }
    return json_new_string(l->arena, text);
}

static const struct template *load_scalar(struct loader *l, const struct yaml *node,
                                          const struct model_type *type)
{
    struct template *template = new_template(l, TEMPLATE_LITERAL, node);
    if (slice_find(node->scalar.text, SLICE("{{"), 0) == SIZE_MAX) {
        if (type != NULL && type->kind != MODEL_PRIMITIVE && type->kind != MODEL_SYSTEM) {
            load_fault(l, DIAG_MAPPING_ELEMENT, node->span,
                       "an object of type %.*s is expected here, not a text",
                       SLICE_ARGS(model_type_name(l->model, type)));
            return NULL;
        }
        template->literal = literal_of(l, node, type);
        return template;
    }
    if (node->scalar.style == YAML_PLAIN) {
        struct diag *diag = load_fault(l, DIAG_MAPPING_UNQUOTED, node->span,
                                       "this text holds an expression and is not quoted");
        diag_hint(l->diags, diag, "write it in double quotes");
        return NULL;
    }
    bool whole = false;
    template->pieces = load_pieces(l, node, &whole);
    if (template->pieces == NULL) {
        return NULL;
    }
    for (const struct piece *piece = template->pieces; piece != NULL; piece = piece->next) {
        load_check_words(l, piece->literal, node->span);
    }
    template->kind = TEMPLATE_PIECES;
    if (whole && template->pieces->expr != NULL) {
        template->kind = TEMPLATE_EXPR;
        template->expr = *template->pieces->expr;
    }
    return template;
}

/* ---- control keys ---- */

static void read_for(struct loader *l, const struct yaml *node, void *target)
{
    static const char *const words[] = {"staff"};
    size_t which;
    (void)target;
    /* Family text is never part of a resource: it goes to the page that a clinician releases. */
    load_choice(l, node, words, 1, &which);
}

/* A key written plainly, or by a parameter of the part: "{{ %with.text }}". */
static void read_text_key(struct loader *l, const struct yaml *node, void *target)
{
    struct template *template = target;
    bool whole = false;
    template->pieces = load_pieces(l, node, &whole);
    if (template->pieces == NULL) {
        return;
    }
    bool literal = template->pieces->next == NULL && template->pieces->literal.len != 0;
    bool parameter =
        whole &&
        slice_starts_with(slice_trim(slice_part(node->scalar.text, 2, SIZE_MAX)), SLICE("%with."));
    if (!parameter) { /* what a part is given is noted where it is given */
        load_use_text(l, literal ? node->scalar.text : SLICE_NONE, node->span);
    }
}

static void read_code_key(struct loader *l, const struct yaml *node, void *target)
{
    struct template *template = target;
    bool whole = false;
    template->pieces = load_pieces(l, node, &whole);
    if (template->pieces == NULL || template->pieces->expr != NULL) {
        return;
    }
    struct mapping *m = l->mapping;
    load_use_name(l, "codes", node->scalar.text);
    template->concept = mapping_find_code(m, node->scalar.text);
    if (template->concept != NULL) {
        load_check_code(l, template->concept, node->span);
    }
    if (template->concept == NULL) {
        struct slice *names = ARENA_ARRAY(l->arena, m->code_count + 1, struct slice);
        for (size_t i = 0; i < m->code_count; i++) {
            names[i] = m->codes[i].name;
        }
        struct diag *diag =
            load_fault(l, DIAG_MAPPING_UNDEFINED, node->span,
                       "there is no code \"%.*s\" in concepts/", SLICE_ARGS(node->scalar.text));
        diag_hint_nearest(l->diags, diag, node->scalar.text, names, m->code_count);
    }
}

static void read_site_key(struct loader *l, const struct yaml *node, void *target)
{
    struct template *template = target;
    struct slice name = load_name(l, node);
    load_use_name(l, "site", name);
    for (size_t i = 0; i < l->mapping->site_count; i++) {
        if (slice_equal(l->mapping->site[i].name, name)) {
            template->literal = l->mapping->site[i].value;
            return;
        }
    }
    if (name.len != 0) {
        load_fault(l, DIAG_MAPPING_UNDEFINED, node->span,
                   "there is no site row \"%.*s\" in mapping.yaml", SLICE_ARGS(name));
    }
}

static void check_unit(struct loader *l, const struct yaml *node)
{
    bool names_unit = slice_is(node->key.text, "unit") || slice_is(node->key.text, "code");
    const char *kind =
        names_unit && node->kind == YAML_SCALAR ? safety_unit(node->scalar.text) : NULL;
    if (kind != NULL) {
        load_fault(l, DIAG_MAPPING_FORBIDDEN, node->span,
                   "an amount in \"%.*s\": a plan has no weight target and counts no calories",
                   SLICE_ARGS(node->scalar.text));
    }
}

static void read_refs_key(struct loader *l, const struct yaml *node, void *target)
{
    static const char *const words[] = {"goals", "orders"};
    size_t which;
    if (load_choice(l, node, words, 2, &which)) {
        ((struct template *)target)->key = slice_of(words[which]);
    }
}

static void read_refs_as(struct loader *l, const struct yaml *node, void *target)
{
    ((struct template *)target)->wrap = load_word(l, node);
}

void load_use_text(struct loader *l, struct slice key, struct span span)
{
    struct text_use use = {l->plan, key, span, l->in_goals};
    LOAD_ADD(l, l->text_uses, l->text_use_count, use);
}

void load_check_code(struct loader *l, const struct concept *concept, struct span span)
{
    const char *word = safety_judging_word(concept->display);
    if (word != NULL) {
        load_fault(l, DIAG_MAPPING_FORBIDDEN, span,
                   "the display of this code judges or names a category (\"%s\")", word);
    }
    if (l->in_goals && safety_measure(concept->code) != NULL) {
        load_fault(l, DIAG_MAPPING_FORBIDDEN, span,
                   "a goal does not measure this: a plan has no weight target and counts no "
                   "calories");
    }
}

struct special {
    const char *key;
    enum template_kind kind;
    struct field fields[2];
    size_t count;
};

static const struct special specials[] = {
    {"$text", TEMPLATE_PHRASE, {{"$text", true, read_text_key}, {"for", true, read_for}}, 2},
    {"$code", TEMPLATE_CODE, {{"$code", true, read_code_key}, {NULL, false, NULL}}, 1},
    {"$site", TEMPLATE_SITE, {{"$site", true, read_site_key}, {NULL, false, NULL}}, 1},
    {"$refs", TEMPLATE_REFS, {{"$refs", true, read_refs_key}, {"as", false, read_refs_as}}, 2},
};

static const struct special *find_special(const struct yaml *node)
{
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++) {
        if (yaml_get(node, specials[i].key) != NULL) {
            return &specials[i];
        }
    }
    return NULL;
}

/* Those of read_control(), then the $-objects, for "did you mean". */
static const struct slice control_keys[] = {{"$each", 5}, {"$when", 5}, {"$if-unknown", 11},
                                            {"$why", 4},  {"$text", 5}, {"$code", 5},
                                            {"$site", 5}, {"$refs", 5}};
enum { CONTROL_COUNT = 4 };

/* $when, $if-unknown, $each of an object; false for any other key. */
static bool read_control(struct loader *l, const struct yaml *member, struct template *template)
{
    static const char *const words[] = {"error", "omit", "include"};
    size_t which = 0;
    struct expr *expr = ARENA_NEW(l->arena, struct expr);
    if (slice_is(member->key.text, "$when")) {
        template->when = load_expr(l, member, expr) ? expr : NULL;
    } else if (slice_is(member->key.text, "$each")) {
        template->each = load_expr(l, member, expr) ? expr : NULL;
    } else if (slice_is(member->key.text, "$if-unknown")) {
        load_choice(l, member, words, 3, &which);
        template->if_unknown = (enum if_unknown)which;
    } else if (slice_is(member->key.text, "$why")) {
        load_text(l, member);
    } else {
        return false;
    }
    return true;
}

/* ---- members ---- */

static const struct template *load_value(struct loader *l, const struct yaml *node,
                                         const struct model_type *type);

static struct slice first_codes(struct loader *l, const struct slice *codes,
                                const struct model_value_set *set)
{
    enum { SHOWN = 12 };
    struct buf text;
    buf_init(&text, l->arena, 4096);
    for (size_t i = 0; i < set->code_count && i < SHOWN; i++) {
        buf_printf(&text, "%s%.*s", i != 0 ? ", " : "", SLICE_ARGS(codes[i]));
    }
    buf_add_cstr(&text, set->code_count > SHOWN ? " ..." : "");
    return buf_view(&text);
}

/* A code written plainly, where FHIR says which codes there are. */
static void check_binding(struct loader *l, const struct yaml *node,
                          const struct model_element *element)
{
    const struct model_value_set *set = element != NULL && element->strength == MODEL_REQUIRED
                                            ? model_element_value_set(l->model, element)
                                            : NULL;
    if (set == NULL || set->enumerable == 0 || node->kind == YAML_MAP) {
        return;
    }
    for (const struct yaml *it = node->kind == YAML_LIST ? node->first : node; it != NULL;
         it = it == node ? NULL : it->next) {
        struct slice code = it->kind == YAML_SCALAR ? it->scalar.text : SLICE_NONE;
        if (code.len == 0 || slice_find(code, SLICE("{{"), 0) != SIZE_MAX ||
            model_code_in(l->model, set, SLICE_NONE, code)) {
            continue;
        }
        struct slice *codes = ARENA_ARRAY(l->arena, set->code_count, struct slice);
        for (size_t i = 0; i < set->code_count; i++) {
            codes[i] = model_code_at(l->model, set, i).code;
        }
        struct diag *diag =
            load_fault(l, DIAG_MAPPING_ELEMENT, it->span, "\"%.*s\" is no code that \"%.*s\" knows",
                       SLICE_ARGS(code), SLICE_ARGS(node->key.text));
        diag_hint(l->diags, diag, "its codes: %.*s", SLICE_ARGS(first_codes(l, codes, set)));
        diag_hint_nearest(l->diags, diag, code, codes, set->code_count);
    }
}

/* Elements that FHIR demands; a choice by any of its names. */
static void check_required(struct loader *l, const struct yaml *node, const struct model_type *type)
{
    const struct model_element *element;
    for (size_t i = 0; (element = model_element_at(l->model, type, i)) != NULL; i++) {
        bool found = element->min == 0;
        for (size_t k = 0; k < element->type_count && !found; k++) {
            found = yaml_get(node, model_element_json_name(l->model, element, k).at) != NULL;
        }
        if (!found) {
            load_fault(l, DIAG_MAPPING_ELEMENT,
                       (struct span){node->span.source, node->span.start, node->span.start},
                       "the element \"%.*s\" is missing: every %.*s has one",
                       SLICE_ARGS(model_element_name(l->model, element)),
                       SLICE_ARGS(model_type_name(l->model, type)));
        }
    }
}

struct template *load_template_member(struct loader *l, const struct yaml *node,
                                      const struct model_type *parent)
{
    struct model_member found = {NULL, NULL, 0};
    if (parent != NULL) {
        found = model_element_by_json(l->model, parent, node->key.text);
        if (found.element == NULL) {
            struct diag *diag = load_fault(
                l, DIAG_MAPPING_ELEMENT, node->key.span, "\"%.*s\" is no element of %.*s",
                SLICE_ARGS(node->key.text), SLICE_ARGS(model_type_name(l->model, parent)));
            hint_elements(l, diag, parent, node->key.text);
            return NULL;
        }
    }
    if (node->kind == YAML_LIST && found.element != NULL && !model_repeats(found.element)) {
        load_fault(l, DIAG_MAPPING_ELEMENT, node->span, "%.*s has one value, not a list",
                   SLICE_ARGS(node->key.text));
        return NULL;
    }
    const struct template *value = load_value(l, node, found.type);
    if (value == NULL) {
        return NULL;
    }
    check_unit(l, node);
    check_binding(l, node, found.element);
    struct template *member = ARENA_NEW(l->arena, struct template);
    *member = *value;
    member->name = node->key.text;
    member->type = found.type;
    member->repeats = found.element != NULL && model_repeats(found.element);
    member->required = found.element != NULL && found.element->min != 0;
    return member;
}

static const struct template *load_object(struct loader *l, const struct yaml *node,
                                          const struct model_type *type)
{
    const struct special *special = find_special(node);
    if (special != NULL) {
        struct template *template = new_template(l, special->kind, node);
        load_map(l, node, special->fields, special->count, template);
        return template;
    }
    struct template *object = new_template(l, TEMPLATE_OBJECT, node);
    const struct template **last = &object->first;
    /* $each first: what stands beside it speaks of $this. */
    const struct model_type *outer = l->each_type;
    const struct yaml *each = yaml_get(node, "$each");
    if (each != NULL) {
        read_control(l, each, object);
        l->each_type = NULL;
    }
    if (type != NULL) {
        check_required(l, node, type);
    }
    for (const struct yaml *member = node->first; member != NULL; member = member->next) {
        bool of_item = node == l->item && slice_is(member->key.text, "$costs");
        if (member == each || of_item || read_control(l, member, object)) {
            continue;
        }
        if (member->key.text.at[0] == '$') {
            load_unknown_key(l, member, control_keys, sizeof control_keys / sizeof *control_keys);
            continue;
        }
        if (type != NULL && type->kind == MODEL_RESOURCE &&
            slice_is(member->key.text, "resourceType")) {
            struct template *name = new_template(l, TEMPLATE_LITERAL, member);
            name->name = member->key.text;
            name->literal = json_new_string(l->arena, member->scalar.text);
            *last = name;
            last = (const struct template **)&name->next;
            continue;
        }
        struct template *value = load_template_member(l, member, type);
        if (value != NULL) {
            *last = value;
            last = (const struct template **)&value->next;
        }
    }
    l->each_type = outer;
    return object;
}

static const struct template *load_list(struct loader *l, const struct yaml *node,
                                        const struct model_type *type)
{
    struct template *list = new_template(l, TEMPLATE_LIST, node);
    const struct template **last = &list->first;
    for (const struct yaml *entry = node->first; entry != NULL; entry = entry->next) {
        const struct template *value = load_value(l, entry, type);
        if (value != NULL) {
            struct template *copy = ARENA_NEW(l->arena, struct template);
            *copy = *value;
            copy->type = type;
            *last = copy;
            last = (const struct template **)&copy->next;
        }
    }
    return list;
}

static const struct template *load_value(struct loader *l, const struct yaml *node,
                                         const struct model_type *type)
{
    switch (node->kind) {
    case YAML_MAP:
        return load_object(l, node, type);
    case YAML_LIST:
        return load_list(l, node, type);
    default:
        return load_text(l, node).len != 0 ? load_scalar(l, node, type) : NULL;
    }
}

const struct template *load_template(struct loader *l, const struct yaml *node,
                                     const struct model_type *type)
{
    if (l->describing) {
        describe_template(l, node, type);
        return NULL;
    }
    return load_value(l, node, type);
}

void describe_specials(struct loader *l, const struct yaml *node)
{
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++) {
        struct template template = {.kind = specials[i].kind};
        load_map(l, describe_or(l, node), specials[i].fields, specials[i].count, &template);
    }
}

void describe_controls(struct loader *l, const struct yaml *node)
{
    for (size_t i = 0; i < CONTROL_COUNT; i++) {
        struct template template = {.kind = TEMPLATE_OBJECT};
        const struct yaml *member = describe_member(l, node, control_keys[i].at);
        read_control(l, member, &template);
    }
}

/* ---- values without expressions ---- */

const struct json *template_constant(struct arena *arena, const struct template *template)
{
    if (template->kind == TEMPLATE_LITERAL) {
        return json_copy(arena, template->literal);
    }
    if (template->kind != TEMPLATE_OBJECT && template->kind != TEMPLATE_LIST) {
        return NULL;
    }
    bool object = template->kind == TEMPLATE_OBJECT;
    struct json *whole = object ? json_new_object(arena) : json_new_array(arena);
    for (const struct template *it = template->first; it != NULL; it = it->next) {
        const struct json *value = template_constant(arena, it);
        if (value == NULL) {
            return NULL;
        }
        if (object) {
            json_add(arena, whole, it->name, json_copy(arena, value));
        } else {
            json_append(whole, json_copy(arena, value));
        }
    }
    return whole;
}
