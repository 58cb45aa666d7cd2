#include <stdlib.h>

#include "gateway/mapping/load.h"

/* ---- what is used ---- */

void load_use_name(struct loader *l, const char *kind, struct slice name)
{
    struct slice full =
        kind[0] == '\0' ? name : arena_printf(l->arena, "%s.%.*s", kind, SLICE_ARGS(name));
    LOAD_ADD(l, l->uses, l->use_count, full);
}

static bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* %readiness.where(...) names readiness, %sets.ready names sets.ready: each is noted as it begins.
 */
void load_use_names_of(struct loader *l, struct slice expression)
{
    size_t at = 0;
    while ((at = slice_find(expression, SLICE("%"), at)) != SIZE_MAX) {
        size_t from = ++at;
        while (at < expression.len && is_name_character(expression.at[at])) {
            at++;
        }
        struct slice name = slice_part(expression, from, at - from);
        if (slice_is(name, "sets") && at < expression.len && expression.at[at] == '.') {
            at++;
            while (at < expression.len && is_name_character(expression.at[at])) {
                at++;
            }
            name = slice_part(expression, from, at - from);
        }
        LOAD_ADD(l, l->uses, l->use_count, name);
    }
}

static int by_name(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

static bool is_used(const struct loader *l, const char *kind, struct slice name)
{
    struct slice full =
        kind[0] == '\0' ? name : arena_printf(l->arena, "%s.%.*s", kind, SLICE_ARGS(name));
    return l->use_count != 0 &&
           bsearch(&full, l->uses, l->use_count, sizeof *l->uses, by_name) != NULL;
}

/* A case names a code by a word of its own. */
static void use_codes_of_cases(struct loader *l, const struct mapping_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct slice text = files[i].text;
        if (!slice_starts_with(files[i].path, SLICE("cases/")) ||
            !slice_ends_with(files[i].path, SLICE("/case.yaml"))) {
            continue;
        }
        for (size_t at = 0; at < text.len; at++) {
            size_t from = at;
            while (at < text.len && is_name_character(text.at[at])) {
                at++;
            }
            if (at != from) {
                load_use_name(l, "codes", slice_part(text, from, at - from));
            }
        }
    }
}

/* ---- what is not ---- */

static void tell(struct loader *l, struct span span, const char *what, struct slice name)
{
    struct diag *diag = load_fault(l, DIAG_MAPPING_UNUSED, span, "nothing uses the %s \"%.*s\"",
                                   what, SLICE_ARGS(name));
    diag_hint(l->diags, diag, "take it out, or use it");
}

static void tell_unused_rules(struct loader *l)
{
    const struct mapping *m = l->mapping;
    for (size_t i = 0; i < m->fact_count; i++) {
        if (!is_used(l, "", m->facts[i].name)) {
            tell(l, m->facts[i].span, "fact", m->facts[i].name);
        }
    }
    for (size_t i = 0; i < m->define_count; i++) {
        if (!is_used(l, "", m->defines[i].name)) {
            tell(l, m->defines[i].expr.span, "definition", m->defines[i].name);
        }
    }
    for (size_t i = 0; i < m->site_count; i++) {
        if (!is_used(l, "site", m->site[i].name)) {
            tell(l, m->site[i].span, "site row", m->site[i].name);
        }
    }
    for (size_t i = 0; i < l->mapping->source_count; i++) {
        if (!is_used(l, "sources", l->mapping->sources[i].name)) {
            tell(l, l->mapping->sources[i].span, "source", l->mapping->sources[i].name);
        }
    }
}

/* What a part does with it is tried by no case: nobody gives it. */
static void tell_unused_params(struct loader *l, const struct part_rule *part)
{
    const struct yaml *params = part->params;
    for (const struct yaml *it = params != NULL ? params->first : NULL; it != NULL; it = it->next) {
        struct slice full =
            arena_printf(l->arena, "%.*s.%.*s", SLICE_ARGS(part->name), SLICE_ARGS(it->key.text));
        if (!is_used(l, "params", full)) {
            load_fault(l, DIAG_MAPPING_UNUSED, it->key.span,
                       "no plan gives the part \"%.*s\" a \"%.*s\"", SLICE_ARGS(part->name),
                       SLICE_ARGS(it->key.text));
        }
    }
}

static void tell_unused_parts(struct loader *l)
{
    const struct mapping *m = l->mapping;
    for (size_t i = 0; i < m->set_count; i++) {
        if (!is_used(l, "sets", m->sets[i].name)) {
            tell(l, m->sets[i].span, "set", m->sets[i].name);
        }
    }
    for (size_t i = 0; i < m->code_count; i++) {
        if (!is_used(l, "codes", m->codes[i].name)) {
            tell(l, m->codes[i].span, "code", m->codes[i].name);
        }
    }
    for (size_t i = 0; i < l->part_count; i++) {
        if (!is_used(l, "parts", l->parts[i].name)) {
            tell(l, l->parts[i].span, "part", l->parts[i].name);
        } else {
            tell_unused_params(l, &l->parts[i]);
        }
    }
}

/* ---- plans and texts ---- */

static void tell_unused_plans(struct loader *l)
{
    const struct mapping *m = l->mapping;
    for (size_t i = 0; i < m->plan_count; i++) {
        bool used = false;
        for (size_t k = 0; k < m->row_count; k++) {
            used = used || (m->rows[k].action == ACTION_PROPOSE &&
                            slice_equal(m->rows[k].target, m->plans[i].name));
        }
        if (!used) {
            load_fault(l, DIAG_MAPPING_UNUSED, m->plans[i].span,
                       "no row of the decision table proposes the plan \"%.*s\"",
                       SLICE_ARGS(m->plans[i].name));
        }
    }
}

static bool is_setting(struct slice word)
{
    static const char *const settings[] = {
#define SETTING(name) #name,
#include "gateway/mapping/settings.def"
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        if (slice_is(word, settings[i])) {
            return true;
        }
    }
    return false;
}

/* "goal.water" of "goal.water.school": what a family can do somewhere belongs to its goal. */
static struct slice goal_of(const struct text_entry *entry)
{
    size_t dot = entry->key.len;
    while (dot != 0 && entry->key.at[dot - 1] != '.') {
        dot--;
    }
    bool strategy = dot != 0 && entry->audience == FOR_FAMILY &&
                    is_setting(slice_part(entry->key, dot, SIZE_MAX));
    return strategy ? slice_part(entry->key, 0, dot - 1) : entry->key;
}

static bool is_text_used(const struct loader *l, const struct text_file *file,
                         const struct text_entry *entry)
{
    struct slice key = goal_of(entry);
    bool shared = slice_equal(file->plan, SHARED_TEXTS);
    if (entry->audience == FOR_FAMILY &&
        (slice_is(entry->key, "title") || slice_is(entry->key, "intro"))) {
        return true; /* of the family's page */
    }
    for (size_t i = 0; i < l->text_use_count; i++) {
        const struct text_use *use = &l->text_uses[i];
        if ((shared || slice_equal(use->plan, file->plan)) &&
            (use->key.len == 0 ||
             (slice_equal(use->key, key) && (entry->audience == FOR_STAFF || use->goal)))) {
            return true;
        }
    }
    return false;
}

static void tell_unused_texts(struct loader *l, const struct text_file *file)
{
    const struct mapping *m = l->mapping;
    struct span start = {file->span.source, file->span.start, file->span.start};
    bool staff = load_is_listed(m->staff_languages, m->staff_language_count, file->language);
    bool family = load_is_listed(m->family_languages, m->family_language_count, file->language);
    if (file->language.len != 0 && !staff && !family) {
        load_fault(l, DIAG_MAPPING_UNUSED, start,
                   "nobody is written to in \"%.*s\": it stands in no list of `languages`",
                   SLICE_ARGS(file->language));
    }
    for (size_t i = 0; i < file->count; i++) {
        if (!is_text_used(l, file, &file->entries[i])) {
            load_fault(l, DIAG_MAPPING_UNUSED, file->entries[i].span,
                       "nothing uses the %s text \"%.*s\"",
                       file->entries[i].audience == FOR_STAFF ? "staff" : "family",
                       SLICE_ARGS(file->entries[i].key));
        }
    }
}

void load_tell_unused(struct loader *l, const struct mapping_file *files, size_t count)
{
    use_codes_of_cases(l, files, count);
    if (l->use_count != 0) {
        qsort(l->uses, l->use_count, sizeof *l->uses, by_name);
    }
    tell_unused_rules(l);
    tell_unused_parts(l);
    tell_unused_plans(l);
    for (size_t i = 0; i < l->mapping->text_count; i++) {
        tell_unused_texts(l, &l->mapping->texts[i]);
    }
}
