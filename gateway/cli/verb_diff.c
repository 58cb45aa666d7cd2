#include "fhir/diff/resource_diff.h"
#include "fhir/json/json.h"
#include "gateway/cli/arguments.h"
#include "gateway/cli/verbs.h"
#include "gateway/cli/workbench.h"
#include "gateway/mapping/approvals.h"
#include "gateway/mapping/family_page.h"

enum { CHANGES_SHOWN = 20, WORDS_MOST = 256 * 1024, CHANGES_MOST = 4 * 1024 * 1024 };

/* One child on both versions. */
struct side {
    struct workbench bench;
    struct child child;
    struct evaluation_result result;
    enum status status;
};

/* Cases that change in the same way. */
struct group {
    struct slice changes; /* lines */
    struct buf names;
    size_t count;
    struct group *next;
};

struct comparison {
    struct cli *cli;
    struct side a;
    struct side b;
    struct arena *kept; /* what outlives a case */
    struct buf changes; /* of the case that is compared */
    struct group *first;
    struct group **last;
    size_t cases;
    size_t changed;
    size_t untried;
};

/* ---- telling ---- */

static void tell(struct comparison *c, const char *what, struct slice from, struct slice to)
{
    if (slice_equal(from, to)) {
        return;
    }
    if (from.len == 0) {
        buf_printf(&c->changes, "  %s, new: %.*s\n", what, SLICE_ARGS(to));
    } else if (to.len == 0) {
        buf_printf(&c->changes, "  %s, no longer: %.*s\n", what, SLICE_ARGS(from));
    } else {
        buf_printf(&c->changes, "  %s: %.*s -> %.*s\n", what, SLICE_ARGS(from), SLICE_ARGS(to));
    }
}

/* Puts the case to those that change likewise. */
static void add_to_group(struct comparison *c, struct slice name, struct slice title)
{
    struct group *group = c->first;
    while (group != NULL && !slice_equal(group->changes, buf_view(&c->changes))) {
        group = group->next;
    }
    if (group == NULL) {
        group = ARENA_NEW(c->kept, struct group);
        group->changes = arena_copy(c->kept, buf_view(&c->changes));
        buf_init(&group->names, c->kept, WORDS_MOST);
        *c->last = group;
        c->last = &group->next;
    }
    buf_printf(&group->names, "%.*s: %.*s\n", SLICE_ARGS(name), SLICE_ARGS(title));
    group->count++;
}

static void tell_groups(const struct comparison *c)
{
    for (const struct group *group = c->first; group != NULL; group = group->next) {
        fprintf(c->cli->out, "%.*s%.*s\n", SLICE_ARGS(buf_view(&group->names)),
                SLICE_ARGS(group->changes));
    }
}

/* ---- outcome and row ---- */

static struct slice joined(struct arena *arena, const struct slice *list, size_t count)
{
    struct buf out;
    buf_init(&out, arena, WORDS_MOST);
    for (size_t i = 0; i < count; i++) {
        buf_printf(&out, "%s%.*s", i != 0 ? ", " : "", SLICE_ARGS(list[i]));
    }
    return buf_view(&out);
}

static struct slice outcome_words(struct arena *arena, const struct side *side)
{
    static const char *const words[] = {
        [OUTCOME_PROPOSAL] = "a plan is proposed",
        [OUTCOME_HAND_OVER] = "handed over to a clinician",
        [OUTCOME_HOLD] = "held",
        [OUTCOME_DROP] = "nothing is proposed",
        [OUTCOME_NOT_ELIGIBLE] = "the visit is not eligible",
    };
    const struct evaluation_result *r = &side->result;
    struct slice holds = joined(arena, r->holds, r->hold_count);
    struct slice why = r->plan.len != 0 ? r->plan : holds.len != 0 ? holds : r->reason;
    if (side->status != STATUS_OK) {
        return SLICE("the evaluation fails");
    }
    return arena_printf(arena, "%s%s%.*s", words[r->outcome], why.len != 0 ? ": " : "",
                        SLICE_ARGS(why));
}

/* ---- the plan ---- */

static const struct plan_item *find_item(const struct evaluation_result *result, struct slice key)
{
    for (size_t i = 0; i < result->item_count; i++) {
        if (slice_equal(result->items[i].key, key)) {
            return &result->items[i];
        }
    }
    return NULL;
}

static struct slice item_words(const struct plan_item *item)
{
    const struct json *r = item != NULL ? item->resource : NULL;
    struct slice words = json_get_text(r, "title");
    words = words.len != 0 ? words : json_get_text(json_get(r, "description"), "text");
    words = words.len != 0 ? words : json_get_text(json_get(r, "code"), "text");
    return words.len != 0 || item == NULL ? words : item->key;
}

static const char *kind_words(const struct plan_item *item)
{
    return slice_is(item->type, "Goal")             ? "goal"
           : slice_is(item->type, "ServiceRequest") ? "order"
                                                    : "plan";
}

static struct slice value_words(struct arena *arena, const struct json *value)
{
    return json_is(value, JSON_STRING) ? json_text(value)
           : value != NULL             ? json_write(arena, value, JSON_COMPACT)
                                       : SLICE_NONE;
}

/* What is told by its words already is not told again as an element. */
static bool is_told(struct slice path)
{
    static const char *const told[] = {"Goal.description.text", "CarePlan.title",
                                       "ServiceRequest.code.text"};
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        if (slice_is(path, told[i])) {
            return true;
        }
    }
    return false;
}

static void compare_item(struct comparison *c, const struct plan_item *from,
                         const struct plan_item *to)
{
    static const char *const ignored[] = {"text", "goal", "activity"};
    struct resource_diff diff;
    tell(c, kind_words(to != NULL ? to : from), item_words(from), item_words(to));
    if (from == NULL || to == NULL) {
        return;
    }
    resource_diff(c->cli->arena, from->resource, to->resource, ignored, 3, CHANGES_SHOWN, &diff);
    for (size_t i = 0; i < diff.count; i++) {
        if (!is_told(diff.changes[i].path)) {
            struct slice path = arena_printf(c->cli->arena, "%.*s (%.*s)",
                                             SLICE_ARGS(diff.changes[i].path), SLICE_ARGS(to->key));
            tell(c, path.at, value_words(c->cli->arena, diff.changes[i].from),
                 value_words(c->cli->arena, diff.changes[i].to));
        }
    }
}

static void compare_items(struct comparison *c)
{
    const struct evaluation_result *a = &c->a.result;
    const struct evaluation_result *b = &c->b.result;
    for (size_t i = 0; i < a->item_count; i++) {
        compare_item(c, &a->items[i], find_item(b, a->items[i].key));
    }
    for (size_t i = 0; i < b->item_count; i++) {
        if (find_item(a, b->items[i].key) == NULL) {
            compare_item(c, NULL, &b->items[i]);
        }
    }
}

static struct slice prompt_words(struct comparison *c, const struct side *side, struct slice key)
{
    for (size_t i = 0; i < side->result.prompt_count; i++) {
        if (slice_equal(side->result.prompts[i], key)) {
            struct slice text =
                mapping_prompt_text(side->bench.mapping, c->cli->arena, side->result.plan, key);
            return text.len != 0 ? text : key;
        }
    }
    return SLICE_NONE;
}

static void compare_prompts(struct comparison *c)
{
    const struct evaluation_result *a = &c->a.result;
    const struct evaluation_result *b = &c->b.result;
    for (size_t i = 0; i < a->prompt_count; i++) {
        tell(c, "prompt", prompt_words(c, &c->a, a->prompts[i]),
             prompt_words(c, &c->b, a->prompts[i]));
    }
    for (size_t i = 0; i < b->prompt_count; i++) {
        if (prompt_words(c, &c->a, b->prompts[i]).len == 0) {
            tell(c, "prompt", SLICE_NONE, prompt_words(c, &c->b, b->prompts[i]));
        }
    }
}

/* ---- what the family reads ---- */

static struct family_text family_of(struct comparison *c, struct side *side, struct slice language)
{
    struct family_text text = {0};
    struct family_choice choice = {.language = language};
    if (side->result.item_count != 0) {
        mapping_family_text(side->bench.mapping, c->cli->arena, &side->result, &choice,
                            &side->bench.diags, &text);
    }
    return text;
}

static bool has_line(const struct slice *lines, size_t count, struct slice line)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(lines[i], line)) {
            return true;
        }
    }
    return false;
}

static void compare_lines(struct comparison *c, const char *what, const struct slice *from,
                          size_t from_count, const struct slice *to, size_t to_count)
{
    for (size_t i = 0; i < from_count && from_count == to_count; i++) {
        tell(c, what, from[i], to[i]);
    }
    for (size_t i = 0; i < from_count && from_count != to_count; i++) {
        if (!has_line(to, to_count, from[i])) {
            tell(c, what, from[i], SLICE_NONE);
        }
    }
    for (size_t i = 0; i < to_count && from_count != to_count; i++) {
        if (!has_line(from, from_count, to[i])) {
            tell(c, what, SLICE_NONE, to[i]);
        }
    }
}

static void compare_family(struct comparison *c, struct slice language)
{
    struct family_text from = family_of(c, &c->a, language);
    struct family_text to = family_of(c, &c->b, language);
    const char *what = arena_printf(c->cli->arena, "family page (%.*s)", SLICE_ARGS(language)).at;
    tell(c, what, from.title, to.title);
    tell(c, what, from.intro, to.intro);
    compare_lines(c, what, from.goals, from.goal_count, to.goals, to.goal_count);
    compare_lines(c, what, from.more, from.more_count, to.more, to.more_count);
}

static void compare_families(struct comparison *c)
{
    const struct slice *old_languages;
    const struct slice *new_languages;
    size_t old_count = mapping_family_languages(c->a.bench.mapping, &old_languages);
    size_t new_count = mapping_family_languages(c->b.bench.mapping, &new_languages);
    for (size_t i = 0; i < old_count; i++) {
        compare_family(c, old_languages[i]);
    }
    for (size_t i = 0; i < new_count; i++) {
        if (!has_line(old_languages, old_count, new_languages[i])) {
            compare_family(c, new_languages[i]);
        }
    }
}

/* ---- one case on both ---- */

static bool try_case(struct comparison *c, struct side *side, const struct mapping_file *file,
                     size_t which)
{
    struct arena *arena = c->cli->arena;
    side->result = (struct evaluation_result){.outcome = OUTCOME_HOLD};
    diag_init(&side->bench.diags, arena, LIMITS_DEFAULT.diagnostics);
    if (case_child(side->bench.mapping, arena, file, which, &side->bench.diags, &side->child) !=
        STATUS_OK) {
        return false;
    }
    side->status = mapping_evaluate(side->bench.mapping, arena, &side->child.input, &LIMITS_DEFAULT,
                                    &side->bench.diags, &side->result);
    return true;
}

static void compare_case(struct comparison *c, const struct mapping_file *file, size_t which)
{
    struct arena_mark mark = arena_mark(c->cli->arena);
    c->changes.len = 0;
    c->cases++;
    bool in_a = try_case(c, &c->a, file, which);
    bool in_b = try_case(c, &c->b, file, which);
    if (!in_a || !in_b) { /* it names a code, a hold or a fact that only one of them has */
        c->untried++;
        struct slice name = slice_part(file->path, sizeof "cases/" - 1,
                                       file->path.len - sizeof "cases//case.yaml" + 1);
        fprintf(c->cli->out, "%.*s", SLICE_ARGS(name));
        if (which != 0) {
            fprintf(c->cli->out, "/%zu", which);
        }
        fprintf(c->cli->out, ": %s\n",
                in_b   ? "only the second version understands this case"
                : in_a ? "only the first version understands this case"
                       : "neither version understands this case");
    } else {
        struct arena *arena = c->cli->arena;
        tell(c, "outcome", outcome_words(arena, &c->a), outcome_words(arena, &c->b));
        tell(c, "decided for", joined(arena, c->a.result.cells, c->a.result.cell_count),
             joined(arena, c->b.result.cells, c->b.result.cell_count));
        tell(c, "to ask", c->a.result.ask, c->b.result.ask);
        compare_items(c);
        compare_prompts(c);
        compare_families(c);
    }
    if (c->changes.len != 0) {
        const struct child *child = &c->b.child;
        add_to_group(c, child->name, child->title);
        c->changed++;
    }
    arena_rewind(c->cli->arena, mark);
}

static const struct mapping_file *file_of(const struct workbench *bench, struct slice path)
{
    for (size_t i = 0; i < bench->folder.count; i++) {
        if (slice_equal(bench->folder.files[i].path, path)) {
            return &bench->folder.files[i];
        }
    }
    return NULL;
}

/* Every case of the new version, then those that only the old one has. */
static void compare_cases(struct comparison *c, const struct workbench *of, bool only_missing)
{
    for (size_t i = 0; i < of->folder.count; i++) {
        const struct mapping_file *file = &of->folder.files[i];
        if (!case_is_file(file) || (only_missing && file_of(&c->b.bench, file->path) != NULL)) {
            continue;
        }
        size_t last = case_neighbours(c->cli->arena, file);
        for (size_t which = 0; which <= last; which++) {
            compare_case(c, file, which);
        }
    }
}

/* Parts whose files differ, also where no case shows it. */
static size_t tell_parts(struct comparison *c)
{
    size_t differing = 0;
    for (int side = 0; side < 2; side++) {
        const struct mapping *mapping = side == 0 ? c->b.bench.mapping : c->a.bench.mapping;
        struct slice part;
        for (size_t i = 0; (part = mapping_part_at(mapping, i)).len != 0; i++) {
            struct slice from = mapping_part_hash(c->a.bench.mapping, part);
            struct slice to = mapping_part_hash(c->b.bench.mapping, part);
            if (slice_equal(from, to) || (side == 1 && to.len != 0)) {
                continue;
            }
            fprintf(c->cli->out, "%s%.*s", differing == 0 ? "files that differ: " : ", ",
                    SLICE_ARGS(part));
            differing++;
        }
    }
    fputs(differing != 0 ? "\n" : "", c->cli->out);
    return differing;
}

static void drop_kept(void *arg)
{
    struct arena *arena = arg;
    arena_destroy(&arena);
}

int verb_diff(struct cli *cli, int argc, char **argv)
{
    const char *words[2];
    struct comparison *c = ARENA_NEW(cli->arena, struct comparison);
    c->cli = cli;
    int exit = arguments_read(cli, argc, argv, NULL, 0, words, 2, 2, "names two folders");
    if (exit == EXIT_DONE) {
        exit = workbench_open(cli, "diff", words[0], &c->a.bench);
    }
    if (exit == EXIT_DONE) {
        exit = workbench_open(cli, "diff", words[1], &c->b.bench);
    }
    c->kept = exit == EXIT_DONE ? arena_create(0) : NULL;
    if (c->kept == NULL) {
        return exit == EXIT_DONE ? EXIT_FAULT : exit;
    }
    arena_defer(cli->arena, drop_kept, c->kept);
    c->last = &c->first;
    buf_init(&c->changes, c->kept, CHANGES_MOST);
    fprintf(cli->out, "%.*s %.*s -> %.*s %.*s\n", SLICE_ARGS(mapping_name(c->a.bench.mapping)),
            SLICE_ARGS(mapping_version(c->a.bench.mapping)),
            SLICE_ARGS(mapping_name(c->b.bench.mapping)),
            SLICE_ARGS(mapping_version(c->b.bench.mapping)));
    compare_cases(c, &c->b.bench, false);
    compare_cases(c, &c->a.bench, true);
    tell_groups(c);
    size_t parts = tell_parts(c);
    fprintf(cli->out, "%zu of %zu cases come out differently, %zu could not be compared\n",
            c->changed, c->cases, c->untried);
    return c->changed != 0 || c->untried != 0 || parts != 0 ? EXIT_FOUND : EXIT_DONE;
}
