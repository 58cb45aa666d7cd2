#include "gateway/mapping/load.h"

/*
 * A mapping that extends another one: what it may say otherwise (mappings/README.md, "A site's own
 * mapping"). It may make things safer, and never less safe; each attempt is told with its place.
 */

void load_loosens(struct loader *l, struct span span, const char *sentence, const char *hint)
{
    struct diag *diag = load_fault(l, DIAG_MAPPING_LOOSENS, span, "%s", sentence);
    diag_hint(l->diags, diag, "%s", hint);
}

/* ---- what a hold reads ---- */

static bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
}

/* %name stands in the text: as the whole of a name, or before its fields. */
static bool names(struct slice text, struct slice name)
{
    size_t at = 0;
    while ((at = slice_find(text, SLICE("%"), at)) != SIZE_MAX) {
        struct slice rest = slice_part(text, ++at, SIZE_MAX);
        size_t end = 0;
        while (end < rest.len && is_name_character(rest.at[end])) {
            end++;
        }
        struct slice word = slice_part(rest, 0, end);
        if (slice_starts_with(word, name) &&
            (word.len == name.len || word.at[name.len] == '.' || name.at[name.len - 1] == '.')) {
            return true;
        }
    }
    return false;
}

static bool feeds_growth(const struct mapping *m, struct slice name)
{
    bool found = (m->weight != NULL && slice_equal(m->weight->name, name)) ||
                 (m->height != NULL && slice_equal(m->height->name, name));
    for (size_t i = 0; i < m->growth_also_count; i++) {
        found = found || slice_equal(m->growth_also[i]->name, name);
    }
    return found;
}

bool load_hold_reads(const struct loader *l, struct slice name)
{
    const struct mapping *m = l->mapping;
    bool growth = feeds_growth(m, name);
    bool *reads = ARENA_ARRAY(l->arena, m->define_count + 1, bool);
    for (size_t i = 0; i < m->define_count + m->hold_count; i++) {
        bool hold = i >= m->define_count;
        struct slice text =
            span_text(hold ? m->holds[i - m->define_count].when.span : m->defines[i].expr.span);
        bool found = names(text, name) || (growth && names(text, SLICE("growth.")));
        for (size_t k = 0; k < m->define_count && k < i && !found; k++) {
            found = reads[k] && names(text, m->defines[k].name);
        }
        if (found && hold) {
            return true;
        }
        if (!hold) {
            reads[i] = found;
        }
    }
    return false;
}

/* ---- searches ---- */

enum { CRITERIA_MOST = 32 };

struct criterion {
    struct slice name;
    struct slice text; /* name=value */
};

/* "Type?a=b&c=d" at its & that stand outside of {{ }}. */
static size_t criteria_of(struct slice search, struct criterion *out)
{
    size_t count = 0;
    size_t from = slice_find(search, SLICE("?"), 0);
    unsigned depth = 0;
    from = from == SIZE_MAX ? search.len : from + 1;
    for (size_t at = from; at <= search.len && count < CRITERIA_MOST; at++) {
        struct slice rest = slice_part(search, at, SIZE_MAX);
        depth += slice_starts_with(rest, SLICE("{{"));
        depth -= depth != 0 && slice_starts_with(rest, SLICE("}}"));
        if ((at == search.len || (search.at[at] == '&' && depth == 0)) && at > from) {
            struct criterion one = {.text = slice_part(search, from, at - from)};
            one.name = slice_part(one.text, 0, slice_find(one.text, SLICE("="), 0));
            out[count++] = one;
        }
        from = at < search.len && search.at[at] == '&' && depth == 0 ? at + 1 : from;
    }
    return count;
}

static const struct criterion *find_criterion(const struct criterion *list, size_t count,
                                              struct slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(list[i].name, name)) {
            return &list[i];
        }
    }
    return NULL;
}

/* Some EHRs refuse a search without category. Conditions must still come from both lists. */
static bool is_harmless(const struct loader *l, const struct fact_rule *fact,
                        const struct criterion *added)
{
    bool condition =
        fact->type != NULL && slice_is(model_type_name(l->model, fact->type), "Condition");
    if (slice_is(added->name, "_count") || slice_is(added->name, "_sort")) {
        return true;
    }
    if (!slice_is(added->name, "category")) {
        return false;
    }
    return !condition ||
           (slice_find(added->text, SLICE("problem-list-item"), 0) != SIZE_MAX &&
            slice_find(added->text, SLICE("encounter-diagnosis"), 0) != SIZE_MAX) ||
           !load_hold_reads(l, fact->name);
}

void load_check_search(struct loader *l, const struct fact_rule *fact, const struct yaml *node)
{
    static const char *const kept[] = {"patient", "subject", "code", "date"};
    struct criterion was[CRITERIA_MOST];
    struct criterion is[CRITERIA_MOST];
    struct slice search = node->scalar.text;
    size_t was_count = criteria_of(fact->text, was);
    size_t is_count = criteria_of(search, is);
    struct slice type = slice_part(search, 0, slice_find(search, SLICE("?"), 0));
    if (fact->read || !slice_starts_with(fact->text, type) || type.len == search.len) {
        load_loosens(l, node->span, "this does not search for what the fact is made of",
                     "a search keeps its type of resource; what is read by its id stays so");
        return;
    }
    for (size_t i = 0; i < was_count; i++) {
        const struct criterion *now = find_criterion(is, is_count, was[i].name);
        bool keep = now != NULL;
        for (size_t k = 0; k < sizeof kept / sizeof *kept; k++) {
            keep = keep || slice_is(was[i].name, kept[k]);
        }
        if (keep && (now == NULL || !slice_equal(now->text, was[i].text))) {
            load_loosens(
                l, node->span,
                arena_printf(l->arena, "the criterion \"%.*s\" is not as it was",
                             SLICE_ARGS(was[i].text))
                    .at,
                "patient, code and date stay word for word; another may be left out whole");
        }
    }
    for (size_t i = 0; i < is_count; i++) {
        if (find_criterion(was, was_count, is[i].name) == NULL && !is_harmless(l, fact, &is[i])) {
            load_loosens(l, node->span,
                         arena_printf(l->arena, "the criterion \"%.*s\" may leave out what counts",
                                      SLICE_ARGS(is[i].text))
                             .at,
                         "add `category` (of conditions that a hold reads: problem-list-item and "
                         "encounter-diagnosis), `_count` or `_sort`");
        }
    }
}

/* ---- rows ---- */

static bool covers(const struct mapping *m, const struct row *row, const size_t *at)
{
    for (size_t i = 0; i < m->input_count; i++) {
        size_t bit = at[i] == m->inputs[i].count ? (size_t)CELL_UNKNOWN : at[i];
        if ((row->cells[i] >> bit & 1) == 0) {
            return false;
        }
    }
    return true;
}

static const char *loosened(const struct row *was, const struct row *is)
{
    if (is->action == ACTION_HAND_OVER) {
        return NULL;
    }
    if (was == NULL) {
        return "this row decides where the extended mapping holds the child";
    }
    if (is->action == ACTION_DROP) {
        return was->action == ACTION_DROP ? NULL : "this row is silent where somebody was told";
    }
    if (was->action != ACTION_PROPOSE) {
        return "this row proposes a plan where the extended mapping does not";
    }
    return slice_equal(was->ask, is->ask) ? NULL : "this row does not ask what was asked";
}

static void check_row(struct loader *l, const struct row *row, size_t others)
{
    const struct mapping *m = l->mapping;
    size_t at[INPUTS_MOST] = {0};
    for (bool more = true; more;) {
        const struct row *was = NULL;
        for (size_t i = 0; i < others && was == NULL; i++) {
            was = covers(m, &m->rows[i], at) ? &m->rows[i] : NULL;
        }
        const char *sentence = covers(m, row, at) ? loosened(was, row) : NULL;
        if (sentence != NULL) {
            load_loosens(l, row->span, sentence,
                         was == NULL ? "say `hand-over`, or name the values"
                                     : arena_printf(l->arena,
                                                    "its row stands in %.*s; a row of "
                                                    "one's own may always hand over",
                                                    SLICE_ARGS(load_place(l, was->span)))
                                           .at);
            return;
        }
        more = false;
        for (size_t i = m->input_count; i-- > 0 && !more;) {
            more = ++at[i] <= m->inputs[i].count;
            at[i] = more ? at[i] : 0;
        }
    }
}

static bool overlap(const struct mapping *m, const struct row *a, const struct row *b)
{
    for (size_t i = 0; i < m->input_count; i++) {
        if ((a->cells[i] & b->cells[i]) == 0) {
            return false;
        }
    }
    return true;
}

void load_overlay_rows(struct loader *l, size_t first)
{
    struct mapping *m = l->mapping;
    size_t added = m->row_count - first;
    for (size_t i = first; i < m->row_count; i++) {
        check_row(l, &m->rows[i], first);
        for (size_t k = first; k < i; k++) {
            if (overlap(m, &m->rows[i], &m->rows[k])) {
                load_fault(l, DIAG_MAPPING_TABLE, m->rows[i].span,
                           "two rows of this file are for the same child");
            }
        }
    }
    struct row *rows = ARENA_ARRAY(l->arena, m->row_count + 1, struct row);
    for (size_t i = 0; i < m->row_count; i++) {
        rows[i] = m->rows[i < added ? first + i : i - added];
    }
    m->rows = rows;
}

/* ---- sets ---- */

void load_check_grown(struct loader *l)
{
    for (size_t i = 0; i < l->grown_count; i++) {
        struct slice name = arena_printf(l->arena, "sets.%.*s", SLICE_ARGS(l->grown[i].name));
        if (!load_hold_reads(l, name)) {
            load_loosens(l, l->grown[i].span,
                         "no hold reads this set: with more codes, more children get a plan",
                         "only sets of holds may grow; a set that its mapping marks `site: true` "
                         "is the site's to write");
        }
    }
}
