#include <stdarg.h>

#include "gateway/mapping/case_run.h"
#include "gateway/mapping/describe.h"

/* ---- reading ---- */

struct diag *case_fault(struct running *r, const struct yaml *node, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct slice sentence = arena_vprintf(r->arena, format, args);
    va_end(args);
    return diag_add(r->diags, DIAG_MAPPING_CASE, node->span, "%.*s", SLICE_ARGS(sentence));
}

struct slice case_text(const struct yaml *node)
{
    return node != NULL && node->kind == YAML_SCALAR ? node->scalar.text : SLICE_NONE;
}

const struct yaml *case_given(const struct running *r, const char *key)
{
    const struct yaml *own = yaml_get(r->variation, key);
    return own != NULL ? own : yaml_get(r->given, key);
}

const struct yaml *case_given_in(const struct running *r, const char *map, const char *key)
{
    const struct yaml *own = yaml_get(yaml_get(r->variation, map), key);
    return own != NULL ? own : yaml_get(yaml_get(r->given, map), key);
}

enum { KEYS_MOST = 24 };

static bool is_known(struct slice key, const char *const *known, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_is(key, known[i])) {
            return true;
        }
    }
    return false;
}

static void tell_unknown_key(struct running *r, const struct yaml *member, const char *const *known,
                             size_t count)
{
    struct slice names[KEYS_MOST];
    struct buf all;
    buf_init(&all, r->arena, 4096);
    for (size_t i = 0; i < count; i++) {
        names[i] = slice_of(known[i]);
        buf_printf(&all, "%s%s", i != 0 ? ", " : "", known[i]);
    }
    struct diag *diag = diag_add(r->diags, DIAG_MAPPING_CASE, member->key.span,
                                 "there is no key \"%.*s\" here", SLICE_ARGS(member->key.text));
    diag_hint(r->diags, diag, "the keys are %.*s", SLICE_ARGS(buf_view(&all)));
    diag_hint_nearest(r->diags, diag, member->key.text, names, count);
}

bool case_keys(struct running *r, const struct yaml *node, const char *const *known, size_t count)
{
    if (node->kind != YAML_MAP) {
        case_fault(r, node, "a map is expected here, not %s", yaml_kind_name(node->kind));
        return false;
    }
    unsigned errors = r->diags->errors;
    for (const struct yaml *it = node->first; it != NULL; it = it->next) {
        if (!is_known(it->key.text, known, count)) {
            tell_unknown_key(r, it, known, count);
        }
    }
    return r->diags->errors == errors;
}

static void check_row(struct running *r, const struct yaml *row)
{
    const char *known[INPUTS_MOST];
    const struct mapping *m = r->mapping;
    for (size_t i = 0; i < m->input_count; i++) {
        known[i] = arena_cstr(r->arena, m->inputs[i].name);
    }
    case_keys(r, row, known, m->input_count);
}

static void check_names(struct running *r, const struct yaml *expect)
{
    const struct mapping *m = r->mapping;
    struct slice *ids = ARENA_ARRAY(r->arena, m->hold_count + 1, struct slice);
    for (size_t i = 0; i < m->hold_count; i++) {
        ids[i] = m->holds[i].id;
    }
    const struct yaml *one = yaml_get(expect, "hold");
    const struct yaml *all = yaml_get(expect, "holds");
    for (const struct yaml *it = one != NULL   ? one
                                 : all != NULL ? all->first
                                               : NULL;
         it != NULL; it = it == one ? NULL : it->next) {
        bool found = false;
        for (size_t i = 0; i < m->hold_count; i++) {
            found = found || slice_equal(ids[i], case_text(it));
        }
        if (!found) {
            struct diag *diag = case_fault(r, it, "there is no hold \"%.*s\" in mapping.yaml",
                                           SLICE_ARGS(case_text(it)));
            diag_hint_nearest(r->diags, diag, case_text(it), ids, m->hold_count);
        }
    }
    const struct yaml *plan = yaml_get(expect, "plan");
    if (plan != NULL && mapping_find_plan(m, case_text(plan)) == NULL) {
        case_fault(r, plan, "there is no plan \"%.*s\" in plans/", SLICE_ARGS(case_text(plan)));
    }
}

/* ---- what is expected ---- */

static const char *const expect_keys[] = {"outcome", "row",     "ask",   "reason", "say",
                                          "drop",    "plan",    "hold",  "holds",  "growth",
                                          "that",    "prompts", "timers"};
static const char *const outcomes[] = {"proposal", "hand-over", "hold", "drop", "not-eligible"};
static const char *const expect_lists[] = {"holds", "that", "prompts", "timers"};

static void check_expect(struct running *r, const struct yaml *expect)
{
    const size_t expect_count = sizeof expect_keys / sizeof *expect_keys;
    if (!case_keys(r, expect, expect_keys, expect_count)) {
        return;
    }
    const struct yaml *outcome = yaml_get(expect, "outcome");
    if (outcome != NULL && !is_known(case_text(outcome), outcomes, 5)) {
        struct diag *diag =
            case_fault(r, outcome, "\"%.*s\" is no outcome", SLICE_ARGS(case_text(outcome)));
        diag_hint(r->diags, diag, "write proposal, hand-over, hold, drop or not-eligible");
    }
    for (size_t i = 0; i < sizeof expect_lists / sizeof *expect_lists; i++) {
        const struct yaml *list = yaml_get(expect, expect_lists[i]);
        if (list != NULL && list->kind != YAML_LIST) {
            case_fault(r, list, "`%s` is a list, not %s", expect_lists[i],
                       yaml_kind_name(list->kind));
        }
    }
    if (yaml_get(expect, "row") != NULL) {
        check_row(r, yaml_get(expect, "row"));
    }
    if (yaml_get(expect, "growth") != NULL) {
        case_keys(r, yaml_get(expect, "growth"), case_growth_keys, CASE_GROWTH_KEYS);
    }
    check_names(r, expect);
}

static void describe_expect(struct loader *l, const struct yaml *node)
{
    for (size_t i = 0; i < sizeof expect_keys / sizeof *expect_keys; i++) {
        const struct yaml *member = describe_member(l, node, expect_keys[i]);
        bool list = false;
        for (size_t k = 0; k < sizeof expect_lists / sizeof *expect_lists; k++) {
            list = list || strcmp(expect_lists[k], expect_keys[i]) == 0;
        }
        if (strcmp(expect_keys[i], "outcome") == 0) {
            describe_words(l, member, outcomes, sizeof outcomes / sizeof *outcomes);
        } else if (list) {
            load_is(l, member, YAML_LIST);
        }
    }
    describe_close(l, node);
}

static const char *const case_keys_known[] = {"case", "why", "given", "expect", "vary"};

void case_describe(struct loader *l, const struct yaml *root)
{
    for (size_t i = 0; i < 5; i++) {
        const struct yaml *member = describe_member(l, root, case_keys_known[i]);
        const struct yaml *map = member;
        if (i < 2) {
            load_text(l, member);
            continue;
        }
        if (i == 4) { /* a neighbour: what is given beside what is expected */
            load_is(l, member, YAML_LIST);
            map = member->first;
        }
        if (i != 3) {
            case_describe_given(l, map);
        }
        if (i == 3) {
            describe_expect(l, map);
        } else if (i == 4) {
            describe_expect(l, describe_member(l, map, "expect"));
        }
        describe_close(l, map);
    }
    describe_close(l, root);
    describe_require(l, root, case_keys_known, 4);
}

bool case_check_file(struct running *r)
{
    const char *const *known = case_keys_known;
    if (!case_keys(r, r->root, known, 5)) {
        return false;
    }
    for (size_t i = 0; i < 4; i++) {
        if (yaml_get(r->root, known[i]) == NULL) {
            case_fault(r, r->root, "a case has case, why, given and expect: `%s` is missing",
                       known[i]);
            return false;
        }
    }
    case_check_given(r, r->given, false);
    check_expect(r, r->expect);
    if (yaml_get(r->expect, "outcome") == NULL && r->expect->kind == YAML_MAP) {
        case_fault(r, r->expect, "a case says its `outcome`");
    }
    const struct yaml *vary = yaml_get(r->root, "vary");
    if (vary != NULL && (vary->kind != YAML_LIST || vary->count >= VARIATIONS_MOST)) {
        case_fault(r, vary, "`vary` is a list of at most %d neighbours", VARIATIONS_MOST - 1);
        return false;
    }
    for (const struct yaml *it = vary != NULL ? vary->first : NULL; it != NULL; it = it->next) {
        case_check_given(r, it, true);
        const struct yaml *expect = yaml_get(it, "expect");
        if (expect == NULL) {
            case_fault(r, it, "a neighbour says in `expect` what differs");
        } else {
            check_expect(r, expect);
        }
    }
    return true;
}
