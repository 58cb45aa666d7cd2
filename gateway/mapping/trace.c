#include "gateway/mapping/trace.h"

enum {
    STEPS_MOST = 1024,
    NAMES_MOST = 64,
    VALUE_MOST = 160,
    ITEMS_SHOWN = 5,
    ITEMS_KEPT = 64,
    BECAUSE_MOST = 4
};

struct step {
    struct span span;
    struct path_items items;
};

struct trace {
    struct eval *eval;
    struct json *root;
    struct step steps[STEPS_MOST]; /* of the last expression: parts before what they are part of */
    size_t step_count;
    struct slice item; /* whose resource is built */
    struct buf path;   /* of the element that is built */
    const struct text_entry *text;
    const struct expr *each; /* what $this is one of; NULL: nothing */
};

/* ---- making JSON ---- */

static void put(struct trace *t, struct json *object, const char *name, struct slice text)
{
    json_add(t->eval->arena, object, slice_of(name), json_new_string(t->eval->arena, text));
}

static struct json *list_of(struct trace *t, const char *name)
{
    struct json *list = (struct json *)json_get(t->root, name);
    if (list == NULL) {
        list = json_new_array(t->eval->arena);
        json_add(t->eval->arena, t->root, slice_of(name), list);
    }
    return list;
}

static struct json *add_entry(struct trace *t, const char *list)
{
    struct json *entry = json_new_object(t->eval->arena);
    json_append(list_of(t, list), entry);
    return entry;
}

static void put_place(struct trace *t, struct json *object, const char *name, struct span span)
{
    struct span outer = span_outermost(span);
    if (outer.source != NULL) {
        put(t, object, name,
            arena_printf(t->eval->arena, "%.*s:%u", SLICE_ARGS(outer.source->name),
                         span_place(outer).line));
    }
}

/* On one line: an expression of a block has several. */
static struct slice one_line(struct arena *arena, struct slice text)
{
    struct buf out;
    buf_init(&out, arena, text.len + 1);
    bool space = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        bool blank = c == ' ' || c == '\n' || c == '\r' || c == '\t';
        if (!blank) {
            if (space && out.len != 0) {
                buf_add_char(&out, ' ');
            }
            buf_add_char(&out, c);
        }
        space = blank;
    }
    return buf_view(&out);
}

/* ---- values in words ---- */

static struct slice cut(struct arena *arena, struct slice text)
{
    size_t len = VALUE_MOST;
    if (text.len <= len) {
        return text;
    }
    while (len > 0 && ((unsigned char)text.at[len] & 0xc0) == 0x80) {
        len--; /* not within a character */
    }
    return arena_printf(arena, "%.*s ...", SLICE_ARGS(slice_part(text, 0, len)));
}

static struct slice resource_name(struct arena *arena, const struct json *resource)
{
    return arena_printf(arena, "%.*s/%.*s", SLICE_ARGS(json_get_text(resource, "resourceType")),
                        SLICE_ARGS(json_get_text(resource, "id")));
}

static struct slice json_words(struct arena *arena, const struct json *json)
{
    const struct json *coding = json_first(json_get(json, "coding"));
    coding = coding != NULL ? coding : json;
    if (json_get_text(json, "resourceType").len != 0) {
        return resource_name(arena, json);
    }
    if (json_is(coding, JSON_OBJECT) && json_get_text(coding, "code").len != 0 &&
        json_get(coding, "value") == NULL) {
        return arena_printf(arena, "%.*s|%.*s", SLICE_ARGS(json_get_text(coding, "system")),
                            SLICE_ARGS(json_get_text(coding, "code")));
    }
    if (json_is(json, JSON_OBJECT) || json_is(json, JSON_ARRAY)) {
        return cut(arena, json_write(arena, json, JSON_COMPACT));
    }
    return json_is(json, JSON_TRUE)    ? SLICE("true")
           : json_is(json, JSON_FALSE) ? SLICE("false")
                                       : cut(arena, json_text(json));
}

/* "86", "Condition/1, Condition/4", "nothing". */
static struct slice items_words(struct eval *e, struct path_items items)
{
    struct buf out;
    buf_init(&out, e->arena, 8192);
    for (size_t i = 0; i < items.count && i < ITEMS_SHOWN; i++) {
        const struct json *json = path_item_json(e->arena, e->mapping->model, &items.at[i]);
        buf_printf(&out, "%s%.*s", i != 0 ? ", " : "", SLICE_ARGS(json_words(e->arena, json)));
    }
    if (items.count > ITEMS_SHOWN) {
        buf_printf(&out, " and %zu more", items.count - ITEMS_SHOWN);
    }
    return items.count != 0 ? buf_view(&out) : SLICE("nothing");
}

/* ---- the part that decided ---- */

enum step_truth { STEP_FALSE, STEP_TRUE, STEP_EMPTY, STEP_OTHER };

static enum step_truth truth_of(struct eval *e, const struct step *step)
{
    struct path_item value;
    if (step->items.count == 0) {
        return STEP_EMPTY;
    }
    if (step->items.count > 1 ||
        path_item_value(e->arena, e->mapping->model, &step->items.at[0], &value) != STATUS_OK ||
        value.kind != PATH_BOOLEAN) {
        return STEP_OTHER;
    }
    return value.boolean ? STEP_TRUE : STEP_FALSE;
}

static bool is_inside(struct span inner, struct span outer)
{
    return inner.start >= outer.start && inner.end <= outer.end &&
           inner.end - inner.start < outer.end - outer.start;
}

/* A part of `whole` that is part of none of its parts. A part of a criterion was evaluated for each
 * item: its first time stands for all. */
static bool is_direct(const struct trace *t, size_t part, const struct step *whole)
{
    if (!is_inside(t->steps[part].span, whole->span)) {
        return false;
    }
    for (size_t i = 0; i < t->step_count; i++) {
        struct span between = t->steps[i].span;
        if (is_inside(between, whole->span) && is_inside(t->steps[part].span, between)) {
            return false;
        }
        if (i < part && between.start == t->steps[part].span.start &&
            between.end == t->steps[part].span.end) {
            return false;
        }
    }
    return true;
}

/* Down to the smallest part that alone is as the whole came out. */
static const struct step *deciding(const struct trace *t)
{
    const struct step *at = &t->steps[t->step_count - 1];
    enum step_truth truth = truth_of(t->eval, at);
    for (size_t depth = 0; truth != STEP_OTHER && depth < STEPS_MOST; depth++) {
        const struct step *same = NULL;
        size_t count = 0;
        for (size_t i = 0; i < t->step_count; i++) {
            if (is_direct(t, i, at) && truth_of(t->eval, &t->steps[i]) == truth) {
                same = same != NULL ? same : &t->steps[i];
                count++;
            }
        }
        if (same == NULL || (count > 1 && truth != STEP_EMPTY)) {
            return at; /* several are alike: together they decided */
        }
        at = same;
    }
    return at;
}

static bool is_literal(struct slice text)
{
    return text.len == 0 || strchr("'@0123456789{", text.at[0]) != NULL;
}

static void put_deciding(struct trace *t, struct json *decision, const struct step *part)
{
    struct arena *arena = t->eval->arena;
    struct json *decided = json_new_object(arena);
    struct json *because = json_new_array(arena);
    size_t count = 0;
    put(t, decided, "part", one_line(arena, span_text(part->span)));
    put(t, decided, "value", items_words(t->eval, part->items));
    for (size_t i = 0; i < t->step_count && count < BECAUSE_MOST; i++) {
        struct slice text = span_text(t->steps[i].span);
        if (is_direct(t, i, part) && !is_literal(text)) {
            struct json *entry = json_new_object(arena);
            put(t, entry, "part", one_line(arena, text));
            put(t, entry, "value", items_words(t->eval, t->steps[i].items));
            json_append(because, entry);
            count++;
        }
    }
    if (count != 0) {
        json_add(arena, decided, SLICE("because"), because);
    }
    json_add(arena, decision, SLICE("decided-by"), decided);
}

/* ---- what it came from ---- */

struct names {
    struct slice at[NAMES_MOST];
    size_t count;
};

static void add_name(struct names *names, struct slice name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (slice_equal(names->at[i], name)) {
            return;
        }
    }
    if (names->count < NAMES_MOST) {
        names->at[names->count++] = name;
    }
}

static bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static void add_names_of(struct eval *e, struct names *names, struct slice text, size_t defines);

/* What a name stands for, down to facts, patient and visit. A definition names only earlier ones.
 */
static void add_source(struct eval *e, struct names *names, struct slice name, size_t defines)
{
    const struct mapping *m = e->mapping;
    if (slice_is(name, "growth")) {
        add_name(names, SLICE("patient"));
        if (m->weight != NULL && m->height != NULL) { /* a mapping may do without growth */
            add_name(names, m->weight->name);
            add_name(names, m->height->name);
        }
        for (size_t i = 0; i < m->growth_also_count; i++) {
            add_name(names, m->growth_also[i]->name);
        }
        return;
    }
    for (size_t i = 0; i < defines; i++) {
        if (slice_equal(m->defines[i].name, name)) {
            struct span span = path_expr_span(m->defines[i].expr.path);
            add_names_of(e, names, span_text(span), i);
            return;
        }
    }
    if (!slice_is(name, "sets")) {
        add_name(names, name);
    }
}

static void add_names_of(struct eval *e, struct names *names, struct slice text, size_t defines)
{
    size_t at = 0;
    while ((at = slice_find(text, SLICE("%"), at)) != SIZE_MAX) {
        size_t from = ++at;
        while (at < text.len && is_name_character(text.at[at])) {
            at++;
        }
        add_source(e, names, slice_part(text, from, at - from), defines);
    }
}

static void put_names(struct trace *t, struct json *decision, const struct names *names)
{
    struct json *list = json_new_array(t->eval->arena);
    for (size_t i = 0; i < names->count; i++) {
        json_append(list, json_new_string(t->eval->arena, names->at[i]));
    }
    if (names->count != 0) {
        json_add(t->eval->arena, decision, SLICE("names"), list);
    }
}

/* The resources that the steps within a span went through. */
static void put_resources(struct trace *t, struct json *decision, struct span span)
{
    struct arena *arena = t->eval->arena;
    struct json *list = json_new_array(arena);
    const struct json *seen[NAMES_MOST];
    size_t count = 0;
    for (size_t i = 0; i < t->step_count; i++) {
        const struct step *step = &t->steps[i];
        bool inside = step->span.start >= span.start && step->span.end <= span.end;
        for (size_t k = 0; inside && k < step->items.count && count < NAMES_MOST; k++) {
            const struct json *resource =
                step->items.at[k].kind == PATH_NODE ? step->items.at[k].node.resource : NULL;
            bool known = json_get_text(resource, "id").len == 0;
            for (size_t n = 0; n < count && !known; n++) {
                known = seen[n] == resource;
            }
            if (!known) {
                seen[count++] = resource;
                json_append(list, json_new_string(arena, resource_name(arena, resource)));
            }
        }
    }
    if (count != 0) {
        json_add(arena, decision, SLICE("resources"), list);
    }
}

/* All about the expression that was evaluated last. */
static void put_decision(struct trace *t, struct json *object, const struct expr *expr)
{
    struct slice text = span_text(path_expr_span(expr->path));
    struct names names = {.count = 0};
    put_place(t, object, "at", expr->span);
    put(t, object, "expression", one_line(t->eval->arena, text));
    add_names_of(t->eval, &names, text, t->eval->mapping->define_count);
    if (t->each != NULL && t->each != expr && slice_find(text, SLICE("$this"), 0) != SIZE_MAX) {
        struct slice each = span_text(path_expr_span(t->each->path));
        put(t, object, "each", one_line(t->eval->arena, each));
        add_names_of(t->eval, &names, each, t->eval->mapping->define_count);
    }
    if (t->step_count != 0) {
        const struct step *whole = &t->steps[t->step_count - 1];
        const struct step *part = deciding(t);
        put(t, object, "value", items_words(t->eval, whole->items));
        put_deciding(t, object, part);
        put_names(t, object, &names);
        put_resources(t, object, part->span);
    }
}

/* ---- life ---- */

/* The items are the evaluator's: they are copied, the first of very many. */
static void keep_step(void *arg, struct span span, struct path_items items)
{
    struct eval *e = arg;
    struct trace *t = e->trace;
    size_t count = items.count < ITEMS_KEPT ? items.count : ITEMS_KEPT;
    struct path_item *copy = ARENA_ARRAY(e->arena, count + 1, struct path_item);
    for (size_t i = 0; i < count; i++) {
        copy[i] = items.at[i];
    }
    /* The whole comes last: it is always kept. */
    t->step_count += t->step_count < STEPS_MOST;
    t->steps[t->step_count - 1] = (struct step){span, {copy, count}};
}

void trace_begin(struct eval *e)
{
    struct trace *t = ARENA_NEW(e->arena, struct trace);
    t->eval = e;
    t->root = json_new_object(e->arena);
    buf_init(&t->path, e->arena, 64 * 1024);
    e->trace = t;
    e->env.step = keep_step;
    e->env.arg = e;
}

void trace_expr(struct eval *e)
{
    if (e->trace != NULL) {
        e->trace->step_count = 0;
    }
}

struct json *trace_take(struct eval *e)
{
    return e->trace != NULL ? e->trace->root : NULL;
}

/* ---- what was asked ---- */

void trace_fact(struct eval *e, const struct fact_rule *rule, const struct fact *fact,
                struct path_items kept)
{
    struct trace *t = e->trace;
    if (t == NULL) {
        return;
    }
    struct json *entry = add_entry(t, "facts");
    bool failed = fact == NULL || fact->state == FACT_FAILED;
    put(t, entry, "name", rule->name);
    put_place(t, entry, "at", rule->span);
    put(t, entry, "state", failed ? SLICE("failed") : SLICE("fetched"));
    struct json *resources = json_new_array(e->arena);
    for (size_t i = 0; i < kept.count; i++) {
        json_append(resources,
                    json_new_string(e->arena, resource_name(e->arena, kept.at[i].node.json)));
    }
    json_add(e->arena, entry, SLICE("resources"), resources);
}

static struct slice truth_word(enum truth truth)
{
    return truth == TRUTH_TRUE    ? SLICE("true")
           : truth == TRUTH_FALSE ? SLICE("false")
                                  : SLICE("unknown");
}

void trace_eligible(struct eval *e, const struct expr *eligible, enum truth truth)
{
    if (e->trace != NULL) {
        struct json *entry = add_entry(e->trace, "eligible");
        put(e->trace, entry, "name", SLICE("the visit"));
        put(e->trace, entry, "state", truth_word(truth));
        put_decision(e->trace, entry, eligible);
    }
}

void trace_define(struct eval *e, const struct define *define, struct path_items items)
{
    (void)items;
    if (e->trace != NULL) {
        struct json *entry = add_entry(e->trace, "definitions");
        put(e->trace, entry, "name", define->name);
        put_decision(e->trace, entry, &define->expr);
    }
}

void trace_hold(struct eval *e, const struct hold *hold, enum truth truth)
{
    struct trace *t = e->trace;
    if (t != NULL) {
        struct json *entry = add_entry(t, "hold-list");
        put(t, entry, "id", hold->id);
        put(t, entry, "state", truth_word(truth));
        if (hold->sensitive) {
            json_add(e->arena, entry, SLICE("sensitive"), json_new_bool(e->arena, true));
        }
        put_decision(t, entry, &hold->when);
    }
}

void trace_input(struct eval *e, const struct input *input, struct slice cell)
{
    if (e->trace != NULL) {
        struct json *entry = add_entry(e->trace, "inputs");
        put(e->trace, entry, "name", input->name);
        put(e->trace, entry, "cell", cell);
        put_decision(e->trace, entry, &input->expr);
    }
}

/* "young, child" of the values that a row takes for an input. */
static struct slice wanted_values(struct eval *e, const struct row *row, size_t input)
{
    const struct input *in = &e->mapping->inputs[input];
    struct buf out;
    buf_init(&out, e->arena, 8192);
    for (size_t i = 0; i < in->count; i++) {
        if ((row->cells[input] >> i & 1) != 0) {
            buf_printf(&out, "%s%.*s", out.len != 0 ? ", " : "", SLICE_ARGS(in->values[i]));
        }
    }
    return buf_view(&out);
}

void trace_row(struct eval *e, const struct row *row, const size_t *at, bool met)
{
    static const char *const actions[] = {"propose", "hand over to", "drop as"};
    struct trace *t = e->trace;
    if (t == NULL) {
        return;
    }
    struct json *entry = add_entry(t, "rows");
    put_place(t, entry, "at", row->span);
    put(t, entry, "does",
        arena_printf(e->arena, "%s %.*s", actions[row->action], SLICE_ARGS(row->target)));
    json_add(e->arena, entry, SLICE("met"), json_new_bool(e->arena, met));
    struct buf why;
    buf_init(&why, e->arena, 16 * 1024);
    for (size_t i = 0; i < e->mapping->input_count; i++) {
        const struct input *input = &e->mapping->inputs[i];
        if ((row->cells[i] >> at[i] & 1) == 0) {
            buf_printf(&why, "%s%.*s is %.*s, the row wants %.*s", why.len != 0 ? "; " : "",
                       SLICE_ARGS(input->name),
                       SLICE_ARGS(at[i] == CELL_UNKNOWN ? SLICE("unknown") : input->values[at[i]]),
                       SLICE_ARGS(wanted_values(e, row, i)));
        }
    }
    if (why.len != 0) {
        put(t, entry, "because", buf_view(&why));
    }
    struct json *sources = json_new_array(e->arena);
    for (size_t i = 0; i < row->because_count; i++) {
        json_append(sources, json_new_string(e->arena, row->because[i]));
    }
    if (row->because_count != 0) {
        json_add(e->arena, entry, SLICE("sources"), sources);
    }
}

/* ---- what was built ---- */

void trace_item(struct eval *e, const struct item_rule *item)
{
    if (e->trace != NULL) {
        struct json *entry = add_entry(e->trace, "items");
        put(e->trace, entry, "item", item->key);
        put_place(e->trace, entry, "at", item->span);
        e->trace->item = item->key;
        e->trace->each = NULL;
        e->trace->path.len = 0;
        buf_add_cstr(&e->trace->path, "");
    }
}

size_t trace_enter(struct eval *e, struct slice name)
{
    if (e->trace == NULL) {
        return 0;
    }
    struct buf *path = &e->trace->path;
    size_t mark = path->len;
    if (name.len != 0) {
        buf_printf(path, "%s%.*s", mark != 0 ? "." : "", SLICE_ARGS(name));
    }
    return mark;
}

size_t trace_enter_index(struct eval *e, size_t index)
{
    if (e->trace == NULL) {
        return 0;
    }
    size_t mark = e->trace->path.len;
    buf_printf(&e->trace->path, "[%zu]", index);
    return mark;
}

void trace_leave(struct eval *e, size_t mark)
{
    if (e->trace != NULL) {
        e->trace->path.len = mark;
    }
}

const struct expr *trace_each(struct eval *e, const struct expr *each)
{
    const struct expr *outer = NULL;
    if (e->trace != NULL) {
        outer = e->trace->each;
        e->trace->each = each;
    }
    return outer;
}

void trace_text(struct eval *e, const struct text_entry *entry)
{
    if (e->trace != NULL) {
        e->trace->text = entry;
    }
}

static struct json *add_element(struct trace *t, const char *list)
{
    struct json *entry = add_entry(t, list);
    put(t, entry, "item", t->item);
    put(t, entry, "path", buf_view(&t->path));
    return entry;
}

void trace_element(struct eval *e, const struct template *template, const struct json *value)
{
    static const char *const kinds[] = {"object", "list", "written", "expression", "expression",
                                        "text",   "code", "site",    "references"};
    struct trace *t = e->trace;
    if (t == NULL) {
        return;
    }
    struct json *entry = add_element(t, "elements");
    put(t, entry, "kind", slice_of(kinds[template->kind]));
    put(t, entry, "built", json_words(e->arena, value));
    if (template->kind == TEMPLATE_EXPR) {
        put_decision(t, entry, &template->expr);
        return;
    }
    put_place(t, entry, "at", template->span);
    struct names names = {.count = 0};
    struct buf all;
    buf_init(&all, e->arena, 64 * 1024);
    for (const struct piece *it = template->pieces; it != NULL; it = it->next) {
        if (it->expr != NULL) {
            struct slice text = span_text(path_expr_span(it->expr->path));
            buf_printf(&all, "%s%.*s", all.len != 0 ? "; " : "", SLICE_ARGS(text));
            add_names_of(e, &names, text, e->mapping->define_count);
        }
    }
    if (t->each != NULL && all.len != 0) {
        struct slice each = span_text(path_expr_span(t->each->path));
        put(t, entry, "each", one_line(e->arena, each));
        add_names_of(e, &names, each, e->mapping->define_count);
    }
    if (all.len != 0) {
        put(t, entry, "expression", one_line(e->arena, buf_view(&all)));
        put_names(t, entry, &names);
    }
    if (template->kind == TEMPLATE_PHRASE && t->text != NULL) {
        put(t, entry, "text", t->text->key);
        put_place(t, entry, "text-at", t->text->span);
    }
}

void trace_made(struct eval *e, const char *name, const char *how)
{
    struct trace *t = e->trace;
    if (t != NULL) {
        struct json *entry = add_entry(t, "elements");
        put(t, entry, "item", t->item);
        put(t, entry, "path", slice_of(name));
        put(t, entry, "kind", SLICE("made"));
        put(t, entry, "built", slice_of(how));
    }
}

void trace_left_out(struct eval *e, struct span span, const struct expr *when, const char *why)
{
    struct trace *t = e->trace;
    if (t == NULL) {
        return;
    }
    struct json *entry = add_element(t, "left-out");
    put(t, entry, "why", slice_of(why));
    if (when != NULL) {
        put_decision(t, entry, when);
    } else {
        put_place(t, entry, "at", span);
    }
}

void trace_prompt(struct eval *e, const struct prompt_rule *prompt, bool wanted)
{
    struct trace *t = e->trace;
    if (t == NULL) {
        return;
    }
    struct json *entry = add_entry(t, wanted ? "prompt-list" : "left-out");
    put(t, entry, "item", SLICE("prompts"));
    put(t, entry, "path", prompt->key);
    if (!wanted) {
        put(t, entry, "why", SLICE("its condition does not hold"));
    }
    if (prompt->when != NULL) {
        put_decision(t, entry, prompt->when);
    } else {
        put_place(t, entry, "at", prompt->span);
    }
}

/* ---- the whole ---- */

static struct json *texts_json(struct arena *arena, const struct slice *texts, size_t count)
{
    struct json *array = json_new_array(arena);
    for (size_t i = 0; i < count; i++) {
        json_append(array, json_new_string(arena, texts[i]));
    }
    return array;
}

static void add_growth(struct arena *arena, struct json *trace,
                       const struct evaluation_result *result)
{
    if (!result->assessed || result->growth.chart == GROWTH_CHART_NONE) {
        return;
    }
    const struct growth_assessment *a = &result->growth;
    struct json *growth = json_new_object(arena);
    json_add(arena, growth, SLICE("chart"),
             json_new_string(arena, slice_of(growth_chart_name(a->chart))));
    json_add(arena, growth, SLICE("category"),
             json_new_string(arena, slice_of(growth_category_name(a->category))));
    json_add(arena, growth, SLICE("percentile"),
             json_new_string(arena, arena_printf(arena, "%.2f", a->bmi_for_age.percentile)));
    json_add(arena, trace, SLICE("growth"), growth);
}

struct json *mapping_trace(struct arena *arena, const struct evaluation_result *result,
                           bool sensitive_too)
{
    static const struct slice neutral = {"hold", 4};
    bool hidden = result->sensitive && !sensitive_too;
    struct json *trace = json_new_object(arena);
    json_add(arena, trace, SLICE("outcome"),
             json_new_string(arena, slice_of(outcome_name(result->outcome))));
    json_add(arena, trace, SLICE("reason"),
             json_new_string(arena, hidden ? neutral : result->reason));
    json_add(arena, trace, SLICE("plan"), json_new_string(arena, result->plan));
    json_add(arena, trace, SLICE("ask"), json_new_string(arena, result->ask));
    json_add(arena, trace, SLICE("row"), texts_json(arena, result->cells, result->cell_count));
    json_add(arena, trace, SLICE("holds"),
             texts_json(arena, hidden ? &neutral : result->holds, hidden ? 1 : result->hold_count));
    json_add(arena, trace, SLICE("prompts"),
             texts_json(arena, result->prompts, result->prompt_count));
    add_growth(arena, trace, result);
    const struct json *more = sensitive_too ? json_first(result->explanation) : NULL;
    for (; more != NULL; more = json_next(more)) {
        json_add(arena, trace, json_name(more), json_copy(arena, more));
    }
    return trace;
}
