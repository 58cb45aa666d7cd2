#include "gateway/mapping/build.h"
#include "gateway/mapping/safety.h"
#include "gateway/mapping/trace.h"

/* Templates to resources. A template builds values, never text: the result cannot be ill-formed. */

enum { DEPTH_MOST = 32, TEXT_MOST = 64 * 1024 };

static enum status fail(struct build *b, struct span span, const char *sentence)
{
    diag_add(b->eval->diags, DIAG_MAPPING_EVALUATION, span, "%s", sentence);
    return STATUS_INVALID;
}

/* ---- texts ---- */

static enum status find_text(struct build *b, struct slice key, struct span span,
                             const struct text_entry **entry_out)
{
    struct eval *e = b->eval;
    struct slice language = e->mapping->staff_languages[0];
    *entry_out = mapping_find_text(e->mapping, e->plan->name, language, FOR_STAFF, key);
    if (*entry_out == NULL) {
        diag_add(e->diags, DIAG_MAPPING_TEXT_MISSING, span,
                 "texts/%.*s.%.*s.yaml has no staff text \"%.*s\"", SLICE_ARGS(e->plan->name),
                 SLICE_ARGS(language), SLICE_ARGS(key));
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

/* Values that every staff text may use. */
static enum status render_text(struct build *b, const struct text_entry *entry,
                               struct slice *text_out)
{
    struct eval *e = b->eval;
    struct slice language = e->mapping->staff_languages[0];
    trace_text(e, entry);
    char day[DATETIME_TEXT];
    size_t len = datetime_print(&e->input->visit.date, day);
    const struct phrase_value values[] = {{SLICE("visit"), slice_from(day, len)}};
    struct buf out;
    struct slice missing = SLICE_NONE;
    buf_init(&out, e->arena, TEXT_MOST);
    if (phrase_render(entry->phrase, language, values, 1, &out, &missing) != STATUS_OK) {
        diag_add(e->diags, DIAG_MAPPING_EVALUATION, entry->span,
                 "a staff text knows no value \"%.*s\"", SLICE_ARGS(missing));
        return STATUS_INVALID;
    }
    *text_out = buf_view(&out);
    return STATUS_OK;
}

/* Text with holes: each hole gives exactly one value. */
static enum status join_pieces(struct build *b, const struct piece *pieces, struct span span,
                               struct slice *text_out)
{
    struct buf out;
    buf_init(&out, b->eval->arena, TEXT_MOST);
    for (const struct piece *piece = pieces; piece != NULL; piece = piece->next) {
        struct slice text = piece->literal;
        if (piece->expr != NULL) {
            enum status status = evaluate_text(b->eval, piece->expr, &text);
            if (status == STATUS_ABSENT) {
                return fail(b, span, "an expression in this text yields nothing");
            }
            if (status != STATUS_OK) {
                return status;
            }
        } else if (piece->set != NULL) {
            text = piece->set->url;
        }
        buf_add_slice(&out, text);
    }
    *text_out = buf_view(&out);
    return STATUS_OK;
}

/* ---- special values ---- */

static struct json *new_text(struct build *b, struct slice text)
{
    return json_new_string(b->eval->arena, text);
}

static struct json *coding_of(struct build *b, const struct concept *concept)
{
    struct arena *arena = b->eval->arena;
    struct json *coding = json_new_object(arena);
    json_add(arena, coding, SLICE("system"), new_text(b, concept->system));
    json_add(arena, coding, SLICE("code"), new_text(b, concept->code));
    json_add(arena, coding, SLICE("display"), new_text(b, concept->display));
    return coding;
}

/* As the element asks: a code, a Coding, or a CodeableConcept with text. */
static struct json *concept_value(struct build *b, const struct concept *concept,
                                  const struct model_type *type)
{
    struct arena *arena = b->eval->arena;
    concept = concept_on(concept, &b->eval->visit->date);
    struct slice name =
        type != NULL ? model_type_name(b->eval->mapping->model, type) : SLICE("CodeableConcept");
    if (slice_is(name, "Coding")) {
        return coding_of(b, concept);
    }
    if (!slice_is(name, "CodeableConcept")) {
        return new_text(b, concept->code);
    }
    struct json *value = json_new_object(arena);
    struct json *codings = json_new_array(arena);
    for (const struct concept *it = concept; it != NULL; it = it->also) {
        json_append(codings, coding_of(b, concept_on(it, &b->eval->visit->date)));
    }
    json_add(arena, value, SLICE("coding"), codings);
    json_add(arena, value, SLICE("text"), new_text(b, concept->display));
    return value;
}

static enum status build_code(struct build *b, const struct template *template,
                              struct json **value_out)
{
    const struct concept *concept = template->concept;
    if (concept == NULL) {
        struct slice name = SLICE_NONE;
        enum status status = join_pieces(b, template->pieces, template->span, &name);
        if (status != STATUS_OK) {
            return status;
        }
        concept = mapping_find_code(b->eval->mapping, name);
        if (concept == NULL) {
            return fail(b, template->span, "this names no code of concepts/");
        }
    }
    *value_out = concept_value(b, concept, template->type);
    return STATUS_OK;
}

/* References to the items of a section that this evaluation keeps; resolved to ids when they are
 * sent. */
static enum status build_refs(struct build *b, const struct template *template,
                              struct json **value_out)
{
    struct eval *e = b->eval;
    struct json *array = json_new_array(e->arena);
    for (size_t i = 0; i < e->result->item_count; i++) {
        struct slice key = e->result->items[i].key;
        if (!slice_starts_with(key, template->key) || key.len <= template->key.len ||
            key.at[template->key.len] != '.') {
            continue;
        }
        struct json *reference = json_new_object(e->arena);
        json_add(e->arena, reference, SLICE("reference"),
                 new_text(b, arena_join(e->arena, SLICE("#item:"), key)));
        if (template->wrap.len != 0) {
            struct json *wrapped = json_new_object(e->arena);
            json_add(e->arena, wrapped, template->wrap, reference);
            reference = wrapped;
        }
        json_append(array, reference);
    }
    *value_out = json_first(array) != NULL ? array : NULL;
    return STATUS_OK;
}

/* ---- expressions ---- */

static enum status build_expr(struct build *b, const struct template *template,
                              struct json **value_out)
{
    struct eval *e = b->eval;
    struct path_items items;
    enum status status = evaluate_expr(e, &template->expr, &items);
    if (status != STATUS_OK) {
        return status;
    }
    *value_out = NULL;
    if (items.count == 0) {
        return template->required ? fail(b, template->span, "this required element yields nothing")
                                  : STATUS_OK;
    }
    if (items.count == 1) {
        *value_out = json_copy(e->arena, path_item_json(e->arena, e->mapping->model, &items.at[0]));
        return STATUS_OK;
    }
    if (!template->repeats) {
        return fail(b, template->span,
                    "this element has one value, and the expression yields several");
    }
    struct json *array = json_new_array(e->arena);
    for (size_t i = 0; i < items.count; i++) {
        json_append(array,
                    json_copy(e->arena, path_item_json(e->arena, e->mapping->model, &items.at[i])));
    }
    *value_out = array;
    return STATUS_OK;
}

/* ---- objects and lists ---- */

enum status build_is_wanted(struct build *b, const struct expr *when, enum if_unknown if_unknown,
                            struct span span, bool *wanted_out)
{
    *wanted_out = true;
    if (when == NULL) {
        return STATUS_OK;
    }
    enum truth truth;
    enum status status = evaluate_truth(b->eval, when, &truth);
    if (status != STATUS_OK) {
        return status;
    }
    if (truth == TRUTH_UNKNOWN && if_unknown == UNKNOWN_IS_ERROR) {
        return fail(b, span,
                    "this condition is neither true nor false: say what then with $if-unknown");
    }
    *wanted_out = truth == TRUTH_TRUE || (truth == TRUTH_UNKNOWN && if_unknown == UNKNOWN_INCLUDES);
    return STATUS_OK;
}

static void add_value(struct json *array, struct json *value)
{
    json_append(array, value);
}

/* An element that repeats is an array, also when the author wrote one value. */
static struct json *as_array(struct build *b, const struct template *template, struct json *value)
{
    if (!template->repeats || json_kind(value) == JSON_ARRAY) {
        return value;
    }
    struct json *array = json_new_array(b->eval->arena);
    add_value(array, value);
    return array;
}

/* What is not fixed, in an object that is. */
static enum status judge(struct build *b, const struct template *object, const struct json *value)
{
    const char *fault = NULL;
    bool goal = b->item->goal;
    for (const struct json *it = json_first(value); it != NULL && fault == NULL && object->judge;
         it = json_next(it)) {
        fault = safety_member_fault(value, it, goal);
    }
    if (fault != NULL) {
        diag_add(b->eval->diags, DIAG_MAPPING_FORBIDDEN, b->item->span, "%s", fault);
    }
    return fault == NULL ? STATUS_OK : STATUS_INVALID;
}

static enum status build_members(struct build *b, const struct template *object,
                                 struct json **value_out)
{
    struct json *value = json_new_object(b->eval->arena);
    for (const struct template *it = object->first; it != NULL; it = it->next) {
        struct json *member = NULL;
        size_t mark = trace_enter(b->eval, it->name);
        if (it->repeats && it->kind == TEMPLATE_OBJECT && it->each == NULL) {
            trace_enter_index(b->eval, 0);
        }
        enum status status = build_value(b, it, &member);
        trace_leave(b->eval, mark);
        if (status != STATUS_OK) {
            return status;
        }
        if (member != NULL) {
            json_add(b->eval->arena, value, it->name, as_array(b, it, member));
        } else if (it->required) {
            return fail(b, it->span, "this required element yields nothing");
        }
    }
    *value_out = json_first(value) != NULL ? value : NULL; /* FHIR has no empty objects */
    return b->settled ? judge(b, object, value) : STATUS_OK;
}

/* $each: one object for each item, with $this in it. */
static enum status build_each(struct build *b, const struct template *object,
                              struct json **value_out)
{
    struct eval *e = b->eval;
    struct path_items items;
    enum status status = evaluate_expr(e, object->each, &items);
    if (status != STATUS_OK) {
        return status;
    }
    struct json *array = json_new_array(e->arena);
    struct path_items outer = e->env.context;
    const struct expr *outer_each = trace_each(e, object->each);
    if (items.count == 0) {
        trace_left_out(e, object->span, object->each, "there is nothing to repeat");
    }
    for (size_t i = 0; i < items.count && status == STATUS_OK; i++) {
        struct json *value = NULL;
        e->env.context = (struct path_items){&items.at[i], 1};
        size_t mark = trace_enter_index(e, b->listed + i);
        status = build_members(b, object, &value);
        trace_leave(e, mark);
        if (status == STATUS_OK && value != NULL) {
            add_value(array, value);
        }
    }
    e->env.context = outer;
    trace_each(e, outer_each);
    *value_out = json_first(array) != NULL ? array : NULL;
    return status;
}

static enum status build_object(struct build *b, const struct template *object,
                                struct json **value_out)
{
    bool wanted;
    enum status status =
        build_is_wanted(b, object->when, object->if_unknown, object->span, &wanted);
    *value_out = NULL;
    if (status == STATUS_OK && !wanted) {
        trace_left_out(b->eval, object->span, object->when, "its condition does not hold");
    }
    if (status != STATUS_OK || !wanted) {
        return status;
    }
    return object->each != NULL ? build_each(b, object, value_out)
                                : build_members(b, object, value_out);
}

static enum status build_list(struct build *b, const struct template *list, struct json **value_out)
{
    struct json *array = json_new_array(b->eval->arena);
    for (const struct template *it = list->first; it != NULL; it = it->next) {
        struct json *value = NULL;
        b->listed = json_count(array);
        size_t mark = it->each == NULL ? trace_enter_index(b->eval, b->listed)
                                       : trace_enter(b->eval, SLICE_NONE);
        enum status status = build_value(b, it, &value);
        trace_leave(b->eval, mark);
        b->listed = 0;
        if (status != STATUS_OK) {
            return status;
        }
        if (value != NULL && json_kind(value) == JSON_ARRAY) { /* of a $each */
            for (const struct json *entry = json_first(value); entry != NULL;
                 entry = json_next(entry)) {
                add_value(array, json_copy(b->eval->arena, entry));
            }
        } else if (value != NULL) {
            add_value(array, value);
        }
    }
    *value_out = json_first(array) != NULL ? array : NULL;
    return STATUS_OK;
}

static enum status build_phrase(struct build *b, const struct template *template,
                                struct json **value_out)
{
    const struct text_entry *entry = template->entry;
    struct slice key = template->key;
    struct slice text = SLICE_NONE;
    enum status status = STATUS_OK;
    if (entry == NULL) {
        status = join_pieces(b, template->pieces, template->span, &key);
        if (status == STATUS_OK) {
            status = find_text(b, key, template->span, &entry);
        }
    }
    b->text = status == STATUS_OK && b->text.len == 0 ? key : b->text;
    if (status == STATUS_OK) {
        status = render_text(b, entry, &text);
    }
    if (status == STATUS_OK) {
        *value_out = new_text(b, text);
    }
    return status;
}

static enum status build_pieces(struct build *b, const struct template *template,
                                struct json **value_out)
{
    struct slice text = SLICE_NONE;
    enum status status = join_pieces(b, template->pieces, template->span, &text);
    if (status == STATUS_OK) {
        *value_out = new_text(b, text);
    }
    return status;
}

static enum status build_kind(struct build *b, const struct template *template,
                              struct json **value_out)
{
    switch (template->kind) {
    case TEMPLATE_OBJECT:
        return build_object(b, template, value_out);
    case TEMPLATE_LIST:
        return build_list(b, template, value_out);
    case TEMPLATE_FIXED:
        b->text = b->text.len == 0 ? template->key : b->text;
        *value_out = json_copy(b->eval->arena, template->literal);
        return STATUS_OK;
    case TEMPLATE_LITERAL:
    case TEMPLATE_SITE:
        *value_out = json_copy(b->eval->arena, template->literal);
        return STATUS_OK;
    case TEMPLATE_EXPR:
        return build_expr(b, template, value_out);
    case TEMPLATE_PIECES:
        return build_pieces(b, template, value_out);
    case TEMPLATE_PHRASE:
        return build_phrase(b, template, value_out);
    case TEMPLATE_CODE:
        return build_code(b, template, value_out);
    case TEMPLATE_REFS:
        return build_refs(b, template, value_out);
    }
    return STATUS_INVALID;
}

/* An object or array that came out of an expression or a code can hold anything. */
static enum status judge_deep(struct build *b, const struct template *template,
                              const struct json *value)
{
    bool any = template->kind == TEMPLATE_EXPR || template->kind == TEMPLATE_CODE;
    const char *fault = any ? safety_value_fault(value, b->item->goal) : NULL;
    if (fault != NULL) {
        diag_add(b->eval->diags, DIAG_MAPPING_FORBIDDEN, b->item->span, "%s", fault);
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

/* A value of several elements and items is found once. */
static enum status build_once(struct build *b, const struct template *template,
                              struct json **value_out)
{
    const struct json **memo =
        template->memo != 0 && b->eval->memos != NULL ? &b->eval->memos[template->memo - 1] : NULL;
    if (memo != NULL && *memo != NULL) {
        *value_out = json_copy(b->eval->arena, *memo);
        return STATUS_OK;
    }
    enum status status = build_kind(b, template, value_out);
    if (status == STATUS_OK && b->settled && json_first(*value_out) != NULL) {
        status = judge_deep(b, template, *value_out);
    }
    if (status == STATUS_OK && memo != NULL && *value_out != NULL &&
        json_kind(*value_out) == JSON_STRING) {
        *memo = *value_out;
    }
    return status;
}

enum status build_value(struct build *b, const struct template *template, struct json **value_out)
{
    *value_out = NULL;
    if (b->depth == DEPTH_MOST) {
        return fail(b, template->span, "the template is nested too deeply");
    }
    b->depth++;
    enum status status = build_once(b, template, value_out);
    b->depth--;
    if (status == STATUS_OK && *value_out != NULL && template->kind != TEMPLATE_OBJECT &&
        template->kind != TEMPLATE_LIST) {
        trace_element(b->eval, template, *value_out);
    }
    return status;
}

enum status evaluate_object(struct eval *e, const struct template *object, struct json **value_out)
{
    struct build b = {.eval = e};
    *value_out = NULL;
    return object != NULL ? build_members(&b, object, value_out) : STATUS_OK;
}
