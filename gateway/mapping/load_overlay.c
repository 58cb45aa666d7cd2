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
    /* In place: the table's room is what LOAD_ADD gave it. */
    struct row *before = ARENA_ARRAY(l->arena, first + 1, struct row);
    for (size_t i = 0; i < first; i++) {
        before[i] = m->rows[i];
    }
    for (size_t i = 0; i < added; i++) {
        m->rows[i] = m->rows[first + i];
    }
    for (size_t i = 0; i < first; i++) {
        m->rows[added + i] = before[i];
    }
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
