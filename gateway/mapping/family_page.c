#include "gateway/mapping/family_page.h"

#include "gateway/mapping/find.h"
#include "gateway/plan/narrative.h"

enum { TEXT_MOST = 64 * 1024, PAGE_MOST = 512 * 1024, DAYS_OF_WEEK = 7 };

/* ---- the texts ---- */

struct telling {
    const struct mapping *mapping;
    struct arena *arena;
    const struct evaluation_result *result;
    struct diag_list *diags;
    struct slice language;        /* of the texts */
    const struct text_file *file; /* the plan's own, NULL: it has none; then `shared` */
    const struct text_file *shared;
    struct phrase_value values[2];
    size_t value_count;
};

/* "es" serves "es-MX" where there is nothing nearer. */
static const struct text_file *find_file(const struct mapping *m, struct slice plan,
                                         struct slice language)
{
    const struct text_file *near = NULL;
    struct slice primary = slice_part(language, 0, slice_find(language, SLICE("-"), 0));
    for (size_t i = 0; i < m->text_count; i++) {
        const struct text_file *file = &m->texts[i];
        bool family = false;
        for (size_t k = 0; k < file->count; k++) {
            family = family || file->entries[k].audience == FOR_FAMILY;
        }
        if (!family || !slice_equal(file->plan, plan)) {
            continue;
        }
        if (slice_equal(file->language, language)) {
            return file;
        }
        near = slice_equal(file->language, primary) ? file : near;
    }
    return near;
}

static bool render(struct telling *t, const struct text_entry *entry, struct slice *text_out)
{
    struct buf out;
    struct slice missing = SLICE_NONE;
    buf_init(&out, t->arena, TEXT_MOST);
    if (phrase_render(entry->phrase, t->language, t->values, t->value_count, &out, &missing) !=
        STATUS_OK) {
        diag_add(t->diags, DIAG_MAPPING_EVALUATION, entry->span,
                 "the plan gives no value \"%.*s\" for this family text", SLICE_ARGS(missing));
        return false;
    }
    *text_out = buf_view(&out);
    return true;
}

static const struct text_entry *find_entry(const struct telling *t, struct slice key)
{
    return mapping_find_text(t->mapping, t->result->plan, t->language, FOR_FAMILY, key);
}

static bool is_chosen(const struct family_choice *choice, struct slice key)
{
    for (size_t i = 0; i < choice->goal_count; i++) {
        if (slice_equal(choice->goals[i], key)) {
            return true;
        }
    }
    return choice->goal_count == 0;
}

enum { PLACES = 5 };

static const char *const places[PLACES] = {
#define SETTING(name) #name,
#include "gateway/mapping/settings.def"
};

/* goal.water.home, goal.water.school, ... of goal.water */
static bool tell_tries(struct telling *t, struct slice goal, struct family_text *text)
{
    for (size_t i = 0; i < PLACES; i++) {
        const struct text_entry *entry =
            find_entry(t, arena_printf(t->arena, "%.*s.%s", SLICE_ARGS(goal), places[i]));
        struct family_try *try = &text->tries[text->try_count];
        if (entry != NULL) {
            *try = (struct family_try){.goal = text->goal_count - 1, .place = slice_of(places[i])};
            if (!render(t, entry, &try->text)) {
                return false;
            }
            text->try_count++;
        }
    }
    return true;
}

static bool tell_goals(struct telling *t, const struct family_choice *choice,
                       struct family_text *text)
{
    text->goals = ARENA_ARRAY(t->arena, t->result->item_count + 1, struct slice);
    text->tries = ARENA_ARRAY(t->arena, t->result->item_count * PLACES + 1, struct family_try);
    text->chosen = choice->goal_count != 0;
    for (size_t i = 0; i < t->result->item_count; i++) {
        const struct plan_item *item = &t->result->items[i];
        if (!slice_is(item->type, "Goal") || !is_chosen(choice, item->key)) {
            continue;
        }
        const struct text_entry *entry = find_entry(t, item->text);
        if (entry == NULL) {
            diag_add(t->diags, DIAG_MAPPING_TEXT_MISSING,
                     (t->file != NULL ? t->file : t->shared)->span,
                     "there is no family text for %.*s", SLICE_ARGS(item->key));
            return false;
        }
        if (!render(t, entry, &text->goals[text->goal_count++]) ||
            !tell_tries(t, item->text, text)) {
            return false;
        }
    }
    return true;
}

static bool is_told_elsewhere(struct slice key)
{
    return slice_is(key, "title") || slice_is(key, "intro") ||
           slice_starts_with(key, SLICE("goal."));
}

static bool tell_more_of(struct telling *t, const struct text_file *file, struct family_text *text)
{
    for (size_t i = 0; file != NULL && i < file->count; i++) {
        const struct text_entry *entry = &file->entries[i];
        if (entry->audience == FOR_FAMILY && !is_told_elsewhere(entry->key) &&
            find_entry(t, entry->key) == entry &&
            !render(t, entry, &text->more[text->more_count++])) {
            return false;
        }
    }
    return true;
}

static bool tell_more(struct telling *t, struct family_text *text)
{
    size_t room =
        (t->file != NULL ? t->file->count : 0) + (t->shared != NULL ? t->shared->count : 0);
    text->more = ARENA_ARRAY(t->arena, room + 1, struct slice);
    return tell_more_of(t, t->file, text) && tell_more_of(t, t->shared, text);
}

/* How long the plan runs, in whole weeks; 0: it does not say. */
static int64_t plan_weeks(const struct evaluation_result *result)
{
    for (size_t i = 0; i < result->item_count; i++) {
        const struct json *period = json_get(result->items[i].resource, "period");
        struct datetime from;
        struct datetime to;
        if (slice_is(result->items[i].type, "CarePlan") &&
            datetime_parse(json_get_text(period, "start"), FORM_FHIR_DATE, &from, NULL) ==
                STATUS_OK &&
            datetime_parse(json_get_text(period, "end"), FORM_FHIR_DATE, &to, NULL) == STATUS_OK) {
            int64_t days = datetime_day_number(to.year, to.month, to.day) -
                           datetime_day_number(from.year, from.month, from.day);
            return (days + DAYS_OF_WEEK / 2) / DAYS_OF_WEEK;
        }
    }
    return 0;
}

static void add_values(struct telling *t, size_t goals)
{
    int64_t weeks = plan_weeks(t->result);
    t->values[t->value_count++] =
        (struct phrase_value){SLICE("goals"), arena_printf(t->arena, "%zu", goals)};
    if (weeks > 0) {
        t->values[t->value_count++] =
            (struct phrase_value){SLICE("weeks"), arena_printf(t->arena, "%lld", (long long)weeks)};
    }
}

static bool check_choice(struct telling *t, const struct family_choice *choice, size_t *goals_out)
{
    size_t goals = 0;
    for (size_t i = 0; i < t->result->item_count; i++) {
        goals += slice_is(t->result->items[i].type, "Goal") &&
                 is_chosen(choice, t->result->items[i].key);
    }
    if (choice->goal_count != 0 && goals != choice->goal_count) {
        diag_add(t->diags, DIAG_MAPPING_RECORD, SPAN_NONE,
                 "not all of the chosen goals are in the plan %.*s", SLICE_ARGS(t->result->plan));
        return false;
    }
    *goals_out = goals;
    return true;
}

static bool is_reviewed(const struct text_file *file)
{
    return file == NULL || (file->reviewed_by.len != 0 && !slice_is(file->reviewed_by, "none"));
}

enum status mapping_family_text(const struct mapping *mapping, struct arena *arena,
                                const struct evaluation_result *result,
                                const struct family_choice *choice, struct diag_list *diags,
                                struct family_text *text_out)
{
    struct telling t = {.mapping = mapping, .arena = arena, .result = result, .diags = diags};
    struct family_text text = {.reviewed = true};
    struct slice language = choice->language.len == 0 && mapping->family_language_count != 0
                                ? mapping->family_languages[0]
                                : choice->language;
    size_t goals = 0;
    if (!check_choice(&t, choice, &goals)) {
        return STATUS_INVALID;
    }
    t.file = find_file(mapping, result->plan, language);
    t.shared = find_file(mapping, SHARED_TEXTS, language);
    if (t.file == NULL && t.shared == NULL) {
        *text_out = text; /* no language: an interpreter */
        return STATUS_OK;
    }
    t.language = (t.file != NULL ? t.file : t.shared)->language;
    text.language = t.language;
    text.reviewed = is_reviewed(t.file) && is_reviewed(t.shared);
    add_values(&t, goals);
    const struct text_entry *title = find_entry(&t, SLICE("title"));
    const struct text_entry *intro = find_entry(&t, SLICE("intro"));
    if ((title != NULL && !render(&t, title, &text.title)) ||
        (intro != NULL && !render(&t, intro, &text.intro)) || !tell_goals(&t, choice, &text) ||
        !tell_more(&t, &text)) {
        return STATUS_INVALID;
    }
    *text_out = text;
    return STATUS_OK;
}

/* ---- the page ---- */

struct page_words {
    const char *language;
    const char *steps;
    const char *tries;
    const char *places[PLACES]; /* as in settings.def */
    const char *visit;
    const char *proposed;
    const char *unreviewed;
    bool month_first;
    const char *months[12];
};

static const struct page_words all_words[] = {
    {"en",
     "Our steps",
     "Things to try",
     {"At home", "At the clinic", "At school", "In childcare", "Near home"},
     "Visit:",
     "Draft. Your care team has not released this page yet.",
     "Nobody has reviewed this text yet. Do not hand it out.",
     true,
     {"January", "February", "March", "April", "May", "June", "July", "August", "September",
      "October", "November", "December"}},
    {"es",
     "Nuestros pasos",
     "Ideas para probar",
     {"En casa", "En la clínica", "En la escuela", "En la guardería", "Cerca de casa"},
     "Visita:",
     "Borrador. Su equipo de salud todavía no ha aprobado esta página.",
     "Nadie ha revisado este texto todavía. No lo entregue.",
     false,
     {"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
      "octubre", "noviembre", "diciembre"}},
};

static const struct page_words *words_of(struct slice language)
{
    struct slice primary = slice_part(language, 0, slice_find(language, SLICE("-"), 0));
    for (size_t i = 0; i < sizeof all_words / sizeof *all_words; i++) {
        if (slice_is(primary, all_words[i].language)) {
            return &all_words[i];
        }
    }
    return &all_words[0];
}

static const char head[] =
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<style>\n"
    "@page { margin: 20mm }\n"
    "* { box-sizing: border-box }\n"
    "body { margin: 0; background: #fff; color: #1a1a1a; font: 1.125rem/1.5 system-ui, sans-serif "
    "}\n"
    "main { max-width: 38rem; margin: 0 auto; padding: 1rem; overflow-wrap: break-word }\n"
    "h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .5rem }\n"
    "h2 { font-size: 1.25rem; margin: 1.5rem 0 .5rem }\n"
    "h3 { font-size: 1.125rem; margin: 1rem 0 .25rem }\n"
    "h3 ~ p { margin: 0 0 .25rem }\n"
    ".notice { border: 2px solid #1a1a1a; padding: .5rem .75rem; font-weight: 600 }\n"
    "ul { list-style: none; margin: 0; padding: 0 }\n"
    "li { border: 1px solid #767676; border-radius: .5rem; padding: .75rem 1rem; margin: 0 0 "
    ".75rem;"
    " font-size: 1.25rem; break-inside: avoid }\n"
    "@media print { main { max-width: none; padding: 0 } body { font-size: 13pt } li { font-size:"
    " 14pt } }\n"
    "</style>\n";

static void add(struct buf *out, struct arena *arena, const char *element, struct slice text)
{
    struct slice escaped = narrative_escape(arena, text);
    buf_printf(out, "<%s>%.*s</%s>\n", element, SLICE_ARGS(escaped), element);
}

static void add_notice(struct buf *out, const char *text)
{
    buf_printf(out, "<p class=\"notice\">%s</p>\n", text);
}

static void add_visit(struct buf *out, const struct page_words *words, const struct datetime *visit)
{
    const char *month = words->months[(visit->month - 1) % 12];
    buf_printf(out, "<p>%s ", words->visit);
    if (words->month_first) {
        buf_printf(out, "%s %d, %d", month, visit->day, visit->year);
    } else {
        buf_printf(out, "%d de %s de %d", visit->day, month, visit->year);
    }
    buf_add_cstr(out, "</p>\n");
}

/* For the goals that were picked; for all that are offered it would be no page any more. */
static void add_tries(struct buf *out, struct arena *arena, const struct family_text *text,
                      const struct page_words *words)
{
    if (!text->chosen || text->try_count == 0) {
        return;
    }
    buf_printf(out, "<h2>%s</h2>\n", words->tries);
    for (size_t i = 0; i < text->try_count; i++) {
        const struct family_try *try = &text->tries[i];
        size_t place = 0;
        while (place + 1 < PLACES && !slice_is(try->place, places[place])) {
            place++;
        }
        if (i == 0 || try->goal != text->tries[i - 1].goal) {
            add(out, arena, "h3", text->goals[try->goal]);
        }
        struct slice escaped = narrative_escape(arena, try->text);
        buf_printf(out, "<p><b>%s:</b> %.*s</p>\n", words->places[place], SLICE_ARGS(escaped));
    }
}

static void add_body(struct buf *out, struct arena *arena, const struct family_text *text,
                     const struct page_words *words, const struct datetime *visit)
{
    add(out, arena, "h1", text->title);
    if (!text->reviewed) {
        add_notice(out, words->unreviewed);
    }
    add_notice(out, words->proposed);
    add_visit(out, words, visit);
    if (text->intro.len != 0) {
        add(out, arena, "p", text->intro);
    }
    if (text->goal_count != 0) {
        buf_printf(out, "<h2 id=\"steps\">%s</h2>\n<ul aria-labelledby=\"steps\">\n", words->steps);
        for (size_t i = 0; i < text->goal_count; i++) {
            add(out, arena, "li", text->goals[i]);
        }
        buf_add_cstr(out, "</ul>\n");
    }
    add_tries(out, arena, text, words);
    for (size_t i = 0; i < text->more_count; i++) {
        add(out, arena, "p", text->more[i]);
    }
}

struct slice family_page_html(struct arena *arena, const struct family_text *text,
                              const struct datetime *visit)
{
    struct buf out;
    const struct page_words *words = words_of(text->language);
    bool told = text->language.len != 0;
    struct slice title = told ? text->title : SLICE("Interpreter");
    struct slice language =
        narrative_escape(arena, told ? text->language : slice_of(words->language));
    buf_init(&out, arena, PAGE_MOST);
    buf_printf(&out, "<!doctype html>\n<html lang=\"%.*s\">\n<head>\n", SLICE_ARGS(language));
    add(&out, arena, "title", title);
    buf_add_cstr(&out, head);
    buf_add_cstr(&out, "</head>\n<body>\n<main>\n");
    if (told) {
        add_body(&out, arena, text, words, visit);
    } else {
        buf_add_cstr(&out, "<h1>Interpreter</h1>\n<p>There is no text in this family's language. "
                           "Please ask an interpreter to talk the plan over.</p>\n");
    }
    buf_add_cstr(&out, "</main>\n</body>\n</html>\n");
    return buf_view(&out);
}
