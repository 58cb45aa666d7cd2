#include "gateway/mapping/load.h"
#include "gateway/mapping/safety.h"

struct reading {
    struct text_file *file;
    enum audience audience;
};

bool load_check_words(struct loader *l, struct slice text, struct span span)
{
    const char *word = safety_judging_word(text);
    const char *amount = safety_amount_word(text);
    if (word != NULL) {
        struct diag *diag =
            load_fault(l, DIAG_MAPPING_FORBIDDEN, span,
                       "a word that judges or names a category (\"%s\") stands here", word);
        diag_hint(l->diags, diag, "the family can read it; say what to do, not what the child is");
    } else if (amount != NULL) {
        struct diag *diag =
            load_fault(l, DIAG_MAPPING_FORBIDDEN, span,
                       "a plan says nothing of how much to weigh or of calories (\"%s\")", amount);
        diag_hint(l->diags, diag, "no weight target and no calories, at any age");
    }
    return word == NULL && amount == NULL;
}

/* What a text may say in braces, by who reads it. */
static void check_values(struct loader *l, const struct text_entry *entry, struct span span)
{
    static const struct slice staff[] = {{"visit", 5}};
    static const struct slice family[] = {{"goals", 5}, {"weeks", 5}};
    const struct slice *known = entry->audience == FOR_STAFF ? staff : family;
    size_t known_count = entry->audience == FOR_STAFF ? 1 : 2;
    const struct slice *names;
    size_t count = phrase_names(entry->phrase, &names);
    for (size_t i = 0; i < count; i++) {
        bool found = false;
        for (size_t k = 0; k < known_count; k++) {
            found = found || slice_equal(names[i], known[k]);
        }
        if (!found) {
            struct diag *diag = load_fault(
                l, DIAG_MAPPING_UNDEFINED, span, "a text for %s knows no value \"%.*s\"",
                entry->audience == FOR_STAFF ? "staff" : "the family", SLICE_ARGS(names[i]));
            diag_hint(l->diags, diag, "it knows {%.*s}%s", SLICE_ARGS(known[0]),
                      known_count == 2 ? " and {weeks}" : "");
        }
    }
}

static void read_entry(struct loader *l, const struct yaml *node, struct reading *reading)
{
    struct slice text = load_text(l, node);
    if (text.len == 0 || l->describing) {
        return;
    }
    struct text_entry entry = {
        .key = node->key.text, .audience = reading->audience, .text = text, .span = node->key.span};
    struct source *source = yaml_source(l->arena, &node->scalar, node->key.text);
    load_check_words(l, text, node->span);
    struct text_file *file = reading->file;
    if (phrase_compile(l->arena, source, l->diags, &entry.phrase) == STATUS_OK) {
        check_values(l, &entry, node->span);
    }
    LOAD_ADD(l, file->entries, file->count, entry); /* one with a mistake is there all the same */
}

static void read_entries(struct loader *l, const struct yaml *node, struct reading reading)
{
    if (!load_is(l, node, YAML_MAP)) {
        return;
    }
    for (const struct yaml *member = node->first; member != NULL; member = member->next) {
        read_entry(l, member, &reading);
    }
}

static void read_staff(struct loader *l, const struct yaml *node, void *target)
{
    read_entries(l, node, (struct reading){target, FOR_STAFF});
}

static void read_family(struct loader *l, const struct yaml *node, void *target)
{
    read_entries(l, node, (struct reading){target, FOR_FAMILY});
}

static void read_plan_name(struct loader *l, const struct yaml *node, void *target)
{
    ((struct text_file *)target)->plan = load_name(l, node);
}

static void read_language(struct loader *l, const struct yaml *node, void *target)
{
    struct slice language = load_name(l, node);
    ((struct text_file *)target)->language = language;
    if (language.len != 0 && !phrase_knows(language) && !l->describing) {
        struct diag *diag = load_fault(
            l, DIAG_MAPPING_VALUE, node->span,
            "no plural and number rules are known of the language \"%.*s\"", SLICE_ARGS(language));
        diag_hint(l->diags, diag, "known are en, es, es-419, es-MX, es-PR and es-US");
    }
}

static void read_grade(struct loader *l, const struct yaml *node, void *target)
{
    uint64_t grade = 0;
    struct slice text = load_text(l, node);
    if (text.len != 0 && (!slice_to_u64(text, &grade) || grade < 1 || grade > 12)) {
        load_fault(l, DIAG_MAPPING_VALUE, node->span,
                   "a school grade from 1 to 12 is expected here");
    }
    ((struct text_file *)target)->grade = grade;
}

static void read_by(struct loader *l, const struct yaml *node, void *target)
{
    ((struct text_file *)target)->reviewed_by = load_text(l, node);
}

static void read_plain(struct loader *l, const struct yaml *node, void *target)
{
    (void)target;
    load_text(l, node);
}

static void read_reviewed(struct loader *l, const struct yaml *node, void *target)
{
    static const struct field fields[] = {
        {"as", true, read_plain}, {"by", true, read_by}, {"on", true, read_plain}};
    load_map(l, node, fields, 3, target);
}

void load_text_file(struct loader *l, const struct yaml *root)
{
    static const struct field fields[] = {
        {"text", true, read_plan_name}, {"language", true, read_language},
        {"grade", true, read_grade},    {"reviewed", true, read_reviewed},
        {"staff", false, read_staff},   {"family", false, read_family},
    };
    struct text_file file = {.reviewed_by = SLICE("none"), .span = root->span, .layer = l->layer};
    load_map(l, root, fields, sizeof fields / sizeof *fields, &file);
    struct mapping *m = l->mapping;
    LOAD_ADD(l, m->texts, m->text_count, file);
}
