#include "gateway/mapping/build.h"
#include "gateway/mapping/load.h"
#include "gateway/mapping/safety.h"
#include "gateway/plan/narrative.h"

/*
 * What no child changes is decided once, when a mapping is loaded: a value made of literals, codes,
 * texts without a place for a value and what a part was given becomes a fixed value; a condition on
 * what a part was given goes away, with what it stands for when it is false. What every item asks
 * of the same visit (its day, who the child is) gets a number, and is found once in an evaluation.
 * The evaluator itself makes these values; what it has a fault to tell of stays as it was, so that
 * it is told when it happens. `eplan explain` walks the templates as they were written.
 */

struct lasting {
    const struct template *leaf;
};

struct settling {
    struct loader *l;
    struct build build; /* in an evaluation that knows no child */
    const struct item_rule *item;
    bool in_each;
    bool unsafe;             /* a fixed value may not stand in a plan */
    struct lasting *lasting; /* by their memo - 1 */
    size_t lasting_count;
};

struct reads {
    const struct settling *settling;
    bool given;   /* something that the part was given */
    bool unknown; /* something that only a child tells */
};

static void note_read(void *arg, unsigned place)
{
    struct reads *reads = arg;
    const struct item_rule *item = reads->settling->item;
    for (size_t i = 0; i < item->with_count; i++) {
        if (item->with[i].place == place) {
            reads->given = true;
            return;
        }
    }
    const struct mapping *m = reads->settling->l->mapping;
    reads->unknown = reads->unknown || m->values[place - 1].items.at == NULL;
}

/* Yields the same for every child. */
static bool is_constant(const struct settling *s, const struct expr *expr)
{
    struct reads reads = {.settling = s};
    bool asks = path_expr_uses(expr->path, note_read, &reads);
    return !s->in_each && !asks && !reads.unknown;
}

static bool are_constant(const struct settling *s, const struct piece *pieces)
{
    bool constant = true;
    for (const struct piece *it = pieces; it != NULL; it = it->next) {
        constant = constant && (it->expr == NULL || is_constant(s, it->expr));
    }
    return constant;
}

/* ---- values that several items have ---- */

/* Yields the same wherever it stands in the plans of one evaluation. */
static bool are_lasting(const struct settling *s, const struct piece *pieces)
{
    struct reads reads = {.settling = s};
    for (const struct piece *it = pieces; it != NULL; it = it->next) {
        if (it->expr != NULL) {
            path_expr_uses(it->expr->path, note_read, &reads);
        }
    }
    return !s->in_each && !reads.given;
}

static struct slice expr_text(const struct expr *expr)
{
    return path_expr_span(expr->path).source->text;
}

static bool same_pieces(const struct piece *a, const struct piece *b)
{
    for (; a != NULL && b != NULL; a = a->next, b = b->next) {
        if (a->set != b->set || !slice_equal(a->literal, b->literal) ||
            (a->expr == NULL) != (b->expr == NULL) ||
            (a->expr != NULL && !slice_equal(expr_text(a->expr), expr_text(b->expr)))) {
            return false;
        }
    }
    return a == b;
}

static void number_lasting(struct settling *s, struct template *leaf)
{
    for (size_t i = 0; i < s->lasting_count; i++) {
        if (s->lasting[i].leaf->kind == leaf->kind &&
            same_pieces(s->lasting[i].leaf->pieces, leaf->pieces)) {
            leaf->memo = (unsigned)i + 1;
            return;
        }
    }
    struct lasting lasting = {leaf};
    LOAD_ADD(s->l, s->lasting, s->lasting_count, lasting);
    leaf->memo = (unsigned)s->lasting_count;
}

/* ---- fixed values ---- */

/* Makes the value now. False: there is a fault to be told when it is met, and nothing is done. */
static bool make(struct settling *s, const struct template *template, struct json **value_out)
{
    s->build.text = SLICE_NONE;
    return build_value(&s->build, template, value_out) == STATUS_OK;
}

static void judge_fixed(struct settling *s, const struct template *fixed)
{
    if (json_first(fixed->literal) != NULL) {
        s->unsafe = s->unsafe || safety_value_fault(fixed->literal, s->item->goal) != NULL;
        return;
    }
    struct json *object = json_new_object(s->l->arena);
    json_add(s->l->arena, object, fixed->name, json_copy(s->l->arena, fixed->literal));
    s->unsafe = s->unsafe || safety_value_fault(object, s->item->goal) != NULL;
}

/* The template as it is, or a fixed value in its place; NULL: it yields nothing, for anybody. */
static struct template *fix(struct settling *s, struct template *copy)
{
    struct json *value = NULL;
    if (!make(s, copy, &value)) {
        return copy;
    }
    if (value == NULL) {
        return copy->required ? copy : NULL;
    }
    copy->kind = TEMPLATE_FIXED;
    copy->literal = value;
    copy->key = s->build.text;
    judge_fixed(s, copy);
    return copy;
}

/* ---- leaves ---- */

/* The key of a text or code that is known now; SLICE_NONE: it is not. */
static struct slice known_key(struct settling *s, const struct template *template)
{
    struct json *key = NULL;
    struct template pieces = {
        .kind = TEMPLATE_PIECES, .span = template->span, .pieces = template->pieces};
    return template->pieces != NULL && are_constant(s, template->pieces) && make(s, &pieces, &key)
               ? json_text(key)
               : SLICE_NONE;
}

static struct template *settle_phrase(struct settling *s, struct template *copy)
{
    const struct mapping *m = s->l->mapping;
    const struct slice *names;
    struct slice key = known_key(s, copy);
    const struct text_entry *entry =
        key.len != 0
            ? mapping_find_text(m, s->build.eval->plan->name, m->staff_languages[0], FOR_STAFF, key)
            : NULL;
    if (entry == NULL) {
        return copy;
    }
    copy->entry = entry;
    copy->key = key;
    return phrase_names(entry->phrase, &names) == 0 ? fix(s, copy) : copy;
}

static struct template *settle_code(struct settling *s, struct template *copy)
{
    const struct concept *concept = copy->concept;
    struct slice key = concept == NULL ? known_key(s, copy) : SLICE_NONE;
    concept = key.len != 0 ? mapping_find_code(s->l->mapping, key) : concept;
    if (concept == NULL) {
        return copy;
    }
    copy->concept = concept;
    for (const struct concept *it = concept; it != NULL; it = it->also) {
        if (it->later != NULL) { /* which one counts is a matter of the day */
            return copy;
        }
    }
    return fix(s, copy);
}

static struct template *settle_leaf(struct settling *s, struct template *copy)
{
    switch (copy->kind) {
    case TEMPLATE_LITERAL:
    case TEMPLATE_SITE:
        return fix(s, copy);
    case TEMPLATE_EXPR:
    case TEMPLATE_PIECES:
        if (are_constant(s, copy->pieces)) {
            return fix(s, copy);
        }
        if (are_lasting(s, copy->pieces)) {
            number_lasting(s, copy);
        }
        return copy;
    case TEMPLATE_PHRASE:
        return settle_phrase(s, copy);
    case TEMPLATE_CODE:
        return settle_code(s, copy);
    default:
        return copy;
    }
}

/* ---- objects and lists ---- */

static struct template *settle(struct settling *s, const struct template *template);

/* Whether something is left to be judged when the object is built: a fixed text is judged, and so
 * are the mapping's texts, but not an amount that may come to stand beside a unit. */
static bool needs_judging(const struct template *object)
{
    bool has_value = false;
    for (const struct template *it = object->first; it != NULL; it = it->next) {
        has_value = has_value || slice_is(it->name, "value");
    }
    for (const struct template *it = object->first; it != NULL; it = it->next) {
        bool shown = !slice_is(it->name, "code") && !slice_is(it->name, "unit");
        bool judged = it->kind == TEMPLATE_FIXED || (shown && it->entry != NULL);
        if (safety_is_judged(it->name) && (!judged || (!shown && has_value))) {
            return true;
        }
    }
    return false;
}

static struct template *settle_children(struct settling *s, struct template *copy)
{
    const struct template *first = copy->first;
    const struct template **last = &copy->first;
    bool fixed = copy->when == NULL && copy->each == NULL;
    bool outer = s->in_each;
    s->in_each = outer || copy->each != NULL;
    copy->first = NULL;
    for (const struct template *it = first; it != NULL; it = it->next) {
        struct template *child = settle(s, it);
        if (child != NULL) {
            fixed = fixed && child->kind == TEMPLATE_FIXED;
            child->next = NULL;
            *last = child;
            last = &child->next;
        }
    }
    s->in_each = outer;
    copy->judge = copy->kind == TEMPLATE_OBJECT && needs_judging(copy);
    return fixed ? fix(s, copy) : copy;
}

/* A copy of the template in which all is decided that can be; NULL: it yields nothing. */
static struct template *settle(struct settling *s, const struct template *template)
{
    struct template *copy = ARENA_NEW(s->l->arena, struct template);
    *copy = *template;
    bool wanted = true;
    if (copy->when != NULL && is_constant(s, copy->when) &&
        build_is_wanted(&s->build, copy->when, copy->if_unknown, copy->span, &wanted) ==
            STATUS_OK) {
        if (!wanted) {
            return copy->required ? copy : NULL;
        }
        copy->when = NULL;
    }
    return copy->kind == TEMPLATE_OBJECT || copy->kind == TEMPLATE_LIST ? settle_children(s, copy)
                                                                        : settle_leaf(s, copy);
}

/* ---- items ---- */

static bool is_goal(const struct template *resource)
{
    for (const struct template *it = resource->first; it != NULL; it = it->next) {
        if (slice_is(it->name, "resourceType")) {
            return it->literal != NULL && slice_is(json_text(it->literal), "Goal");
        }
    }
    return false;
}

/* The narrative of a resource that is told by fixed texts. A CarePlan's has a line for each item of
 * the plan. False: it is not known yet. */
static bool add_narrative(struct settling *s, struct template *resource)
{
    struct arena *arena = s->l->arena;
    struct json *told = json_new_object(arena);
    const struct template **last = &resource->first;
    if (resource->kind != TEMPLATE_OBJECT || resource->when != NULL || resource->each != NULL) {
        return false;
    }
    for (const struct template *it = resource->first; it != NULL; it = it->next) {
        bool of_it = slice_is(it->name, "description") || slice_is(it->name, "code");
        bool type = slice_is(it->name, "resourceType");
        if (((of_it || type) && it->kind != TEMPLATE_FIXED) ||
            (type && slice_is(json_text(it->literal), "CarePlan"))) {
            return false;
        }
        if (of_it) {
            json_add(arena, told, it->name, json_copy(arena, it->literal));
        }
        last = (const struct template **)&it->next;
    }
    struct narrative narrative = {.language = s->l->mapping->staff_languages[0],
                                  .title = narrative_description(told)};
    struct template *text = ARENA_NEW(arena, struct template);
    *text = (struct template){.kind = TEMPLATE_FIXED,
                              .name = SLICE("text"),
                              .span = resource->span,
                              .literal = narrative_render(arena, &narrative)};
    judge_fixed(s, text);
    *last = text;
    return true;
}

static void settle_item(struct settling *s, struct item_rule *item)
{
    struct eval *e = s->build.eval;
    s->item = item;
    s->build.item = item;
    s->unsafe = false;
    item->goal = is_goal(item->resource);
    for (size_t i = 0; i < item->with_count; i++) {
        evaluate_publish(e, item->with[i].place, item->with[i].items);
    }
    struct template *settled = settle(s, item->resource);
    item->narrated = settled != NULL && add_narrative(s, settled);
    item->settled = s->unsafe ? NULL : settled;
    for (size_t i = 0; i < item->with_count; i++) {
        e->values[item->with[i].place - 1] = (struct path_items){NULL, 0};
    }
}

void settle_plans(struct loader *l)
{
    struct mapping *m = l->mapping;
    struct diag_list unheard;
    struct evaluation_result result = {.row = SIZE_MAX};
    /* Nothing that is fixed depends on the day. */
    struct evaluation_input input = {.visit.date = {.year = 2000, .month = 1, .day = 1}};
    diag_init(&unheard, l->arena, 0);
    struct eval *e = evaluate_create(m, l->arena, l->limits, &unheard);
    e->input = &input;
    e->visit = &input.visit;
    e->result = &result;
    struct settling s = {.l = l, .build.eval = e};
    for (size_t i = 0; i < m->plan_count; i++) {
        struct plan_rule *plan = &m->plans[i];
        e->plan = plan;
        for (size_t k = 0; k < plan->goal_count; k++) {
            settle_item(&s, &plan->goals[k]);
        }
        for (size_t k = 0; k < plan->order_count; k++) {
            settle_item(&s, &plan->orders[k]);
        }
        settle_item(&s, &plan->care_plan);
    }
    m->memo_count = s.lasting_count;
}
