#include "gateway/mapping/load.h"

/*
 * Words that no resource, page or identifier carries (clinical/REVIEW.md, "Words and visibility"):
 * each is looked for as the beginning of a word, in any case.
 */
static const char *const judging[] = {"obes", "fat ",      "overweight", "sobrepeso",
                                      "gord", "percentil", "IMC",        "BMI"};

struct reading {
    struct text_file *file;
    enum audience audience;
};

static bool starts_word(struct slice text, size_t at)
{
    return at == 0 || !((text.at[at - 1] >= 'a' && text.at[at - 1] <= 'z') ||
                        (text.at[at - 1] >= 'A' && text.at[at - 1] <= 'Z'));
}

static const char *judging_word(struct slice text)
{
    for (size_t i = 0; i < sizeof judging / sizeof *judging; i++) {
        size_t len = strlen(judging[i]);
        for (size_t at = 0; at + len <= text.len; at++) {
            if (strncasecmp(text.at + at, judging[i], len) == 0 && starts_word(text, at)) {
                return judging[i];
            }
        }
    }
    return NULL;
}

static void read_entry(struct loader *l, const struct yaml *node, struct reading *reading)
{
    struct slice text = load_text(l, node);
    if (text.len == 0) {
        return;
    }
    struct text_entry entry = {
        .key = node->key.text, .audience = reading->audience, .span = node->key.span};
    struct source *source = yaml_source(l->arena, &node->scalar, node->key.text);
    const char *word = judging_word(text);
    if (word != NULL) {
        struct diag *diag =
            load_fault(l, DIAG_MAPPING_FORBIDDEN, node->span,
                       "a word that judges or names a category (\"%s\") stands in a text", word);
        diag_hint(l->diags, diag,
                  "every text can be read by the family; say what to do, not what the child is");
    }
    if (phrase_compile(l->arena, source, l->diags, &entry.phrase) == STATUS_OK) {
        struct text_file *file = reading->file;
        LOAD_ADD(l, file->entries, file->count, entry);
    }
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
    ((struct text_file *)target)->language = load_name(l, node);
}

static void read_grade(struct loader *l, const struct yaml *node, void *target)
{
    (void)target;
    uint64_t grade = 0;
    struct slice text = load_text(l, node);
    if (text.len != 0 && (!slice_to_u64(text, &grade) || grade < 1 || grade > 12)) {
        load_fault(l, DIAG_MAPPING_VALUE, node->span,
                   "a school grade from 1 to 12 is expected here");
    }
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
    struct text_file file = {.reviewed_by = SLICE("none"), .span = root->span};
    load_map(l, root, fields, sizeof fields / sizeof *fields, &file);
    struct mapping *m = l->mapping;
    LOAD_ADD(l, m->texts, m->text_count, file);
}
