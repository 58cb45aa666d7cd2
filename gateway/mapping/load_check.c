#include "gateway/mapping/load.h"
#include "gateway/mapping/reading.h"

/* What the files of a folder must agree on; asked when all of them are read. */

/* ---- plans ---- */

/* Which plans the table proposes exists is known only when all plans are loaded. */
static void check_targets(struct loader *l)
{
    const struct mapping *m = l->mapping;
    for (size_t i = 0; i < m->row_count; i++) {
        const struct row *row = &m->rows[i];
        if (row->action != ACTION_PROPOSE || mapping_find_plan(m, row->target) != NULL) {
            continue;
        }
        struct slice *names = ARENA_ARRAY(l->arena, m->plan_count + 1, struct slice);
        for (size_t k = 0; k < m->plan_count; k++) {
            names[k] = m->plans[k].name;
        }
        struct diag *diag =
            load_fault(l, DIAG_MAPPING_UNDEFINED, row->span, "there is no plan \"%.*s\" in plans/",
                       SLICE_ARGS(row->target));
        diag_hint_nearest(l->diags, diag, row->target, names, m->plan_count);
    }
}

/* ---- texts ---- */

static const struct text_file *find_file(const struct mapping *m, struct slice plan,
                                         struct slice language)
{
    for (size_t i = 0; i < m->text_count; i++) { /* of an overlay, that of what it extends */
        if (slice_equal(m->texts[i].plan, plan) && slice_equal(m->texts[i].language, language)) {
            return &m->texts[i];
        }
    }
    return NULL;
}

static void tell_missing(struct loader *l, const struct text_use *use, struct slice language,
                         enum audience audience)
{
    struct diag *diag = load_fault(
        l, DIAG_MAPPING_TEXT_MISSING, use->span, "texts/%.*s.%.*s.yaml has no %s text \"%.*s\"",
        SLICE_ARGS(use->plan), SLICE_ARGS(language), audience == FOR_STAFF ? "staff" : "family",
        SLICE_ARGS(use->key));
    diag_hint(l->diags, diag, "add it there; a text that is missing is never left out silently");
}

static bool has_texts(const struct mapping *m, struct slice plan, struct slice language)
{
    return find_file(m, plan, language) != NULL || find_file(m, SHARED_TEXTS, language) != NULL;
}

static void require_text(struct loader *l, const struct text_use *use, struct slice language,
                         enum audience audience)
{
    if (!has_texts(l->mapping, use->plan, language) || use->key.len == 0 ||
        mapping_find_text(l->mapping, use->plan, language, audience, use->key) != NULL) {
        return; /* a whole file that is missing is told once */
    }
    tell_missing(l, use, language, audience);
}

static void require_files(struct loader *l, const struct plan_rule *plan,
                          const struct slice *languages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!has_texts(l->mapping, plan->name, languages[i])) {
            load_fault(l, DIAG_MAPPING_TEXT_MISSING,
                       (struct span){plan->span.source, plan->span.start, plan->span.start},
                       "this plan has no texts/%.*s.%.*s.yaml", SLICE_ARGS(plan->name),
                       SLICE_ARGS(languages[i]));
        }
    }
}

/* A family text of one language has to be there in all: a plan's own text beside the shared one of
 * another language would say two things. */
static void check_translations(struct loader *l, const struct text_file *file)
{
    const struct mapping *m = l->mapping;
    for (size_t i = 0; i < file->count; i++) {
        for (size_t k = 0; k < m->family_language_count && file->entries[i].audience == FOR_FAMILY;
             k++) {
            struct text_use use = {file->plan, file->entries[i].key, file->entries[i].span, true};
            if (has_texts(m, file->plan, m->family_languages[k]) &&
                mapping_find_own_text(m, use.plan, m->family_languages[k], FOR_FAMILY, use.key) ==
                    NULL) {
                tell_missing(l, &use, m->family_languages[k], FOR_FAMILY);
            }
        }
    }
}

/* ---- the same in every language ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The next run of digits from *at on; false: there is none. */
static bool next_number(struct slice text, size_t *at, struct slice *number_out)
{
    size_t from = *at;
    while (from < text.len && !is_digit(text.at[from])) {
        from++;
    }
    size_t end = from;
    while (end < text.len && is_digit(text.at[end])) {
        end++;
    }
    *at = end;
    *number_out = slice_part(text, from, end - from);
    return end != from;
}

static size_t count_number(struct slice text, struct slice wanted)
{
    size_t count = 0;
    size_t at = 0;
    struct slice number;
    while (next_number(text, &at, &number)) {
        count += slice_equal(number, wanted);
    }
    return count;
}

/* Each number of `text` stands as often in `other`, wherever it stands there. */
static bool has_numbers_of(struct slice other, struct slice text)
{
    size_t at = 0;
    struct slice number;
    while (next_number(text, &at, &number)) {
        if (count_number(other, number) != count_number(text, number)) {
            return false;
        }
    }
    return true;
}

/* Against the first language: a step of 5 times a week is not one of 6 in Spanish. */
static void check_alike(struct loader *l, const struct text_file *file)
{
    const struct mapping *m = l->mapping;
    struct slice language = m->staff_language_count != 0 ? m->staff_languages[0] : SLICE_NONE;
    const struct text_file *first = find_file(m, file->plan, language);
    if (first == NULL || slice_equal(file->language, language) || first->layer != file->layer) {
        return;
    }
    if (first->grade != file->grade) {
        load_fault(l, DIAG_MAPPING_TRANSLATION,
                   (struct span){file->span.source, file->span.start, file->span.start},
                   "these texts are for grade %u, those in \"%.*s\" for %u", (unsigned)file->grade,
                   SLICE_ARGS(language), (unsigned)first->grade);
    }
    for (size_t i = 0; i < file->count; i++) {
        const struct text_entry *entry = &file->entries[i];
        const struct text_entry *other =
            mapping_find_own_text(m, file->plan, language, entry->audience, entry->key);
        if (other != NULL && (!has_numbers_of(other->text, entry->text) ||
                              !has_numbers_of(entry->text, other->text))) {
            struct diag *diag = load_fault(l, DIAG_MAPPING_TRANSLATION, entry->span,
                                           "this text has other numbers than the one in \"%.*s\"",
                                           SLICE_ARGS(language));
            diag_hint(l->diags, diag, "it stands in %.*s", SLICE_ARGS(load_place(l, other->span)));
        }
    }
}

static void check_file(struct loader *l, const struct text_file *file)
{
    const struct mapping *m = l->mapping;
    struct span start = {file->span.source, file->span.start, file->span.start};
    bool shared = slice_equal(file->plan, SHARED_TEXTS);
    if (file->plan.len != 0 && !shared && mapping_find_plan(m, file->plan) == NULL) {
        load_fault(l, DIAG_MAPPING_UNDEFINED, start, "there is no plan \"%.*s\" in plans/",
                   SLICE_ARGS(file->plan));
        return;
    }
    const struct text_file *first = find_file(m, file->plan, file->language);
    if (first != file && first->layer != file->layer) {
        if (file->grade > first->grade) {
            load_loosens(l, start, "these texts may be harder to read than those they replace",
                         "keep the grade, or take a lower one");
        }
    } else if (first != file) {
        load_fault(l, DIAG_MAPPING_DUPLICATE, start,
                   "the plan \"%.*s\" has two files of texts in \"%.*s\"", SLICE_ARGS(file->plan),
                   SLICE_ARGS(file->language));
    }
    check_translations(l, file);
    check_alike(l, file);
}

/* As a family reads it: each value is a number of more than one. */
static struct slice rendered(struct loader *l, const struct text_entry *entry,
                             struct slice language)
{
    const struct slice *names;
    struct slice missing;
    size_t count = phrase_names(entry->phrase, &names);
    struct phrase_value *values = ARENA_ARRAY(l->arena, count + 1, struct phrase_value);
    struct buf out;
    buf_init(&out, l->arena, (size_t)1 << 20);
    for (size_t i = 0; i < count; i++) {
        values[i] = (struct phrase_value){names[i], SLICE("2")};
    }
    return phrase_render(entry->phrase, language, values, count, &out, &missing) == STATUS_OK
               ? buf_view(&out)
               : SLICE_NONE;
}

/* All family texts of a file together: a formula says little of a few words. */
enum { WORDS_LEAST = 10 };

static void check_grade(struct loader *l, const struct text_file *file)
{
    struct reading reading = {0};
    struct reading hardest = {0};
    const struct text_entry *worst = NULL;
    for (size_t i = 0; i < file->count; i++) {
        if (file->entries[i].audience != FOR_FAMILY || file->entries[i].phrase == NULL) {
            continue;
        }
        struct slice text = rendered(l, &file->entries[i], file->language);
        struct reading one = {0};
        reading_add(&reading, file->language, text);
        reading_add(&one, file->language, text);
        if (worst == NULL ||
            reading_grade(&one, file->language) > reading_grade(&hardest, file->language)) {
            worst = &file->entries[i];
            hardest = one;
        }
    }
    double grade = reading_grade(&reading, file->language);
    if (worst != NULL && reading.words >= WORDS_LEAST && file->grade != 0 &&
        grade >= (double)file->grade + 1.0) {
        struct diag *diag = load_fault(
            l, DIAG_MAPPING_GRADE, worst->span,
            "the family texts of this file are for grade %.1f, and it says %u; this one is hardest",
            grade, (unsigned)file->grade);
        diag_hint(l->diags, diag, "shorter sentences, shorter words");
    }
}

static void check_texts(struct loader *l)
{
    const struct mapping *m = l->mapping;
    for (size_t i = 0; i < m->plan_count; i++) {
        require_files(l, &m->plans[i], m->staff_languages, m->staff_language_count);
        for (size_t k = 0; k < m->family_language_count; k++) {
            if (!load_is_listed(m->staff_languages, m->staff_language_count,
                                m->family_languages[k])) {
                require_files(l, &m->plans[i], &m->family_languages[k], 1);
            }
        }
    }
    for (size_t i = 0; i < l->text_use_count; i++) {
        const struct text_use *use = &l->text_uses[i];
        for (size_t k = 0; k < m->staff_language_count; k++) {
            require_text(l, use, m->staff_languages[k], FOR_STAFF);
        }
        for (size_t k = 0; use->goal && k < m->family_language_count; k++) {
            require_text(l, use, m->family_languages[k], FOR_FAMILY);
        }
    }
    for (size_t i = 0; i < m->text_count; i++) {
        check_file(l, &m->texts[i]);
        if (reading_knows(m->texts[i].language)) {
            check_grade(l, &m->texts[i]);
        }
    }
}

/* ---- public ids ---- */

static void check_public_ids(struct loader *l)
{
    const struct mapping *m = l->mapping;
    for (size_t i = 0; i < m->plan_count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (m->plans[i].public_id.len != 0 &&
                slice_equal(m->plans[i].public_id, m->plans[k].public_id)) {
                load_fault(l, DIAG_MAPPING_DUPLICATE, m->plans[i].public_id_span,
                           "the plan \"%.*s\" has this public-id already",
                           SLICE_ARGS(m->plans[k].name));
            }
        }
    }
}

void load_check_whole(struct loader *l)
{
    check_targets(l);
    check_public_ids(l);
    check_texts(l);
}
