// uses: fhir/json fhir/model fhir/diff
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fhir/diff/resource_diff.h"
#include "gateway/plan/merge_steps.h"
#include "gateway/plan/plan_merge.h"

/* JSON with ' for ". */
static const struct json *read_text(struct arena *arena, const char *text)
{
    struct slice json = arena_copy(arena, slice_of(text));
    char *at = arena_cstr(arena, json);
    for (size_t i = 0; i < json.len; i++) {
        at[i] = at[i] == '\'' ? '"' : at[i];
    }
    struct diag_list diags;
    diag_init(&diags, arena, 5);
    const struct json *read = NULL;
    assert_int_equal(json_parse(arena, source_create(arena, SLICE("t"), slice_of(at)),
                                &LIMITS_DEFAULT, &diags, &read),
                     STATUS_OK);
    return read;
}

static const struct json *plan(struct arena *arena, const char *type, const char *members)
{
    return read_text(arena, arena_printf(arena, "{'resourceType':'%s'%s%s}", type,
                                         members[0] != '\0' ? "," : "", members)
                                .at);
}

/* Only members; wanted NULL: as base. */
struct row {
    const char *what;
    const char *type;
    const char *wanted;
    const char *base;
    const char *theirs;
    const char *ours;
    const char *merged;
    const char *kept;
    const char *changed;
    size_t conflicts;
};

static const struct row rows[] = {
    {"nobody changed anything", "CarePlan", NULL, "'title':'a'", "'title':'a'", "'title':'a'",
     "'title':'a'", "", "", 0},
    {"an empty list is an element that is absent", "CarePlan",
     "'goal':[{'reference':'Goal/1'},{'reference':'Goal/2'}]", "'title':'a'",
     "'goal':[],'title':'a'", "'goal':[{'reference':'Goal/1'}],'title':'a'",
     "'goal':[{'reference':'Goal/1'}],'title':'a'", "", "goal", 0},
    {"an empty list that nothing replaces stays", "CarePlan", NULL, "'title':'a'",
     "'goal':[],'title':'a'", "'title':'b'", "'goal':[],'title':'b'", "", "title", 0},
    {"ours alone changed", "CarePlan", NULL, "'title':'a','status':'draft'",
     "'title':'a','status':'draft'", "'title':'b','status':'draft'", "'title':'b','status':'draft'",
     "", "title", 0},
    {"theirs alone changed", "CarePlan", NULL, "'title':'a'", "'title':'x'", "'title':'a'",
     "'title':'x'", "title", "", 0},
    {"each changed an element of their own", "CarePlan", NULL, "'title':'a','description':'a'",
     "'title':'x','description':'a'", "'title':'a','description':'b'",
     "'title':'x','description':'b'", "title", "description", 0},
    {"both changed one: the clinician's", "CarePlan", NULL, "'description':'a'",
     "'description':'x'", "'description':'b'", "'description':'x'", "description", "", 1},
    {"both changed one the same way", "CarePlan", NULL, "'description':'a'", "'description':'b'",
     "'description':'b'", "'description':'b'", "", "", 0},
    {"both changed one that the gateway owns", "CarePlan", NULL, "'title':'a'", "'title':'x'",
     "'title':'b'", "'title':'b'", "", "title", 0},
    {"what the gateway owns stays the clinician's while the mapping's value does", "CarePlan", NULL,
     "'title':'a'", "'title':'x'", "'title':'a'", "'title':'x'", "title", "", 0},
    {"what the clinician owns stays though nobody touched it", "CarePlan", NULL, "'status':'draft'",
     "'status':'draft'", "'status':'active'", "'status':'draft'", "", "", 0},
    {"the clinician took an element out", "CarePlan", NULL, "'description':'a','title':'a'",
     "'title':'a'", "'description':'a','title':'a'", "'title':'a'", "description", "", 0},
    {"the clinician took out what we changed", "CarePlan", NULL, "'description':'a','title':'a'",
     "'title':'a'", "'description':'b','title':'a'", "'title':'a'", "description", "", 1},
    {"we want an element no more", "CarePlan", NULL, "'description':'a','title':'a'",
     "'description':'a','title':'a'", "'title':'a'", "'title':'a'", "", "description", 0},
    {"we want no more what the clinician changed", "CarePlan", NULL, "'description':'a'",
     "'description':'x'", "", "'description':'x'", "description", "", 1},
    {"both added one", "CarePlan", NULL, "'title':'a'", "'title':'a','description':'x'",
     "'title':'a','description':'b'", "'title':'a','description':'x'", "description", "", 1},
    {"the clinician added one", "CarePlan", NULL, "'title':'a'",
     "'title':'a','note':[{'text':'x'}]", "'title':'a'", "'title':'a','note':[{'text':'x'}]",
     "note", "", 0},

    /* wanted beside base: proposed again only when the mapping's own value changes */
    {"kept once, and the mapping wants what it wanted", "CarePlan", "'description':'b'",
     "'description':'x'", "'description':'x'", "'description':'b'", "'description':'x'", "", "", 0},
    {"kept once, and the mapping's own value changes", "CarePlan", "'description':'b'",
     "'description':'x'", "'description':'x'", "'description':'c'", "'description':'c'", "",
     "description", 0},
    {"kept once, changed again, and the mapping's own value changes", "CarePlan",
     "'description':'b'", "'description':'x'", "'description':'y'", "'description':'c'",
     "'description':'y'", "description", "", 1},
    {"what the EHR rewrote when it was filed is no conflict", "CarePlan", "'title':' a '",
     "'title':'a'", "'title':'a'", "'title':' a '", "'title':'a'", "", "", 0},
    {"what the EHR added when it was filed stays", "CarePlan", "'title':'a'",
     "'title':'a','created':'2026-01-01'", "'title':'a','created':'2026-01-01'", "'title':'b'",
     "'title':'b','created':'2026-01-01'", "", "title", 0},

    /* datatypes are one element; backbone elements are not */
    {"a period is never mixed of two", "CarePlan", NULL,
     "'period':{'start':'2026-01-01','end':'2026-04-01'}",
     "'period':{'start':'2026-01-01','end':'2026-03-01'}",
     "'period':{'start':'2026-02-01','end':'2026-05-01'}",
     "'period':{'start':'2026-02-01','end':'2026-05-01'}", "", "period", 0},
    {"a code is never mixed of two", "ServiceRequest", NULL, "'code':{'text':'a'}",
     "'code':{'text':'x'}", "'code':{'text':'a','coding':[{'code':'1'}]}", "'code':{'text':'x'}",
     "code", "", 1},
    {"the members of a backbone element are merged", "Goal", NULL,
     "'target':[{'id':'1','dueDate':'2026-01-01','detailString':'a'}]",
     "'target':[{'id':'1','dueDate':'2026-02-02','detailString':'a'}]",
     "'target':[{'id':'1','dueDate':'2026-01-01','detailString':'b'}]",
     "'target':[{'id':'1','dueDate':'2026-02-02','detailString':'b'}]", "target.dueDate",
     "target.detailString", 0},

    /* lists */
    {"items by reference: both added one", "CarePlan", NULL, "'goal':[{'reference':'Goal/1'}]",
     "'goal':[{'reference':'Goal/1'},{'reference':'Goal/9'}]",
     "'goal':[{'reference':'Goal/1'},{'reference':'Goal/2'}]",
     "'goal':[{'reference':'Goal/1'},{'reference':'Goal/9'},{'reference':'Goal/2'}]", "goal",
     "goal", 0},
    {"items by reference: one taken out stays out", "CarePlan", NULL,
     "'goal':[{'reference':'Goal/1'},{'reference':'Goal/2'}]", "'goal':[{'reference':'Goal/2'}]",
     "'goal':[{'reference':'Goal/1'},{'reference':'Goal/2'},{'reference':'Goal/3'}]",
     "'goal':[{'reference':'Goal/2'},{'reference':'Goal/3'}]", "goal", "goal", 0},
    {"items by reference: the EHR's display is kept", "CarePlan", NULL,
     "'goal':[{'reference':'Goal/1'}]",
     "'goal':[{'reference':'Goal/1','display':'x'},{'reference':'Goal/9'}]",
     "'goal':[{'reference':'Goal/1'},{'reference':'Goal/2'}]",
     "'goal':[{'reference':'Goal/1','display':'x'},{'reference':'Goal/9'},{'reference':'Goal/2'}]",
     "goal", "goal", 0},
    {"items by reference: one that we want no more goes", "CarePlan", NULL,
     "'goal':[{'reference':'Goal/1'},{'reference':'Goal/2'}]",
     "'goal':[{'reference':'Goal/1'},{'reference':'Goal/2'},{'reference':'Goal/9'}]",
     "'goal':[{'reference':'Goal/1'}]", "'goal':[{'reference':'Goal/1'},{'reference':'Goal/9'}]",
     "goal", "goal", 0},
    {"items by code, in another order", "CarePlan", NULL,
     "'category':[{'coding':[{'system':'s','code':'1'}]},{'coding':[{'system':'s','code':'2'}]}]",
     "'category':[{'coding':[{'system':'s','code':'2'}]},{'coding':[{'system':'s','code':'1'}],"
     "'text':'x'}]",
     "'category':[{'coding':[{'system':'s','code':'1'}]},{'coding':[{'system':'s','code':'2'}]},"
     "{'coding':[{'system':'s','code':'3'}]}]",
     "'category':[{'coding':[{'system':'s','code':'2'}]},{'coding':[{'system':'s','code':'1'}],"
     "'text':'x'},{'coding':[{'system':'s','code':'3'}]}]",
     "category", "category", 0},
    {"items by identifier come before items by reference", "CarePlan", NULL,
     "'contributor':[{'identifier':[{'value':'1'}],'display':'a'}]",
     "'contributor':[{'identifier':[{'value':'1'}],'display':'a'},{'identifier':[{'value':'9'}]}]",
     "'contributor':[{'identifier':[{'value':'1'}],'display':'b'}]",
     "'contributor':[{'identifier':[{'value':'1'}],'display':'b'},{'identifier':[{'value':'9'}]}]",
     "contributor", "contributor", 0},
    {"the same code twice: one element, the clinician's", "CarePlan", NULL,
     "'category':[{'coding':[{'code':'1'}]}]",
     "'category':[{'coding':[{'code':'1'}]},{'coding':[{'code':'1'}],'text':'x'}]",
     "'category':[{'coding':[{'code':'2'}]}]",
     "'category':[{'coding':[{'code':'1'}]},{'coding':[{'code':'1'}],'text':'x'}]", "category", "",
     1},
    {"some with a key and some without: one element, the clinician's", "CarePlan", NULL,
     "'activity':[{'reference':{'reference':'ServiceRequest/1'}}]",
     "'activity':[{'reference':{'reference':'ServiceRequest/1'}},{'detail':{'description':'x'}}]",
     "'activity':[{'reference':{'reference':'ServiceRequest/2'}}]",
     "'activity':[{'reference':{'reference':'ServiceRequest/1'}},{'detail':{'description':'x'}}]",
     "activity", "", 1},
    {"the same, while ours stays: the clinician's, and no conflict", "CarePlan", NULL,
     "'activity':[{'reference':{'reference':'ServiceRequest/1'}}]",
     "'activity':[{'reference':{'reference':'ServiceRequest/1'}},{'detail':{'description':'x'}}]",
     "'activity':[{'reference':{'reference':'ServiceRequest/1'}}]",
     "'activity':[{'reference':{'reference':'ServiceRequest/1'}},{'detail':{'description':'x'}}]",
     "activity", "", 0},
    {"items by whole equality: both added one", "Goal", NULL, "'note':[{'text':'a'}]",
     "'note':[{'text':'a'},{'text':'x'}]", "'note':[{'text':'a'},{'text':'b'}]",
     "'note':[{'text':'a'},{'text':'x'}]", "note", "", 0},
    {"items by whole equality, not owned", "CarePlan", NULL, "'instantiatesUri':['u:a']",
     "'instantiatesUri':['u:a','u:x']", "'instantiatesUri':['u:a','u:b']",
     "'instantiatesUri':['u:a','u:x','u:b']", "instantiatesUri", "instantiatesUri", 0},
    {"items by whole equality: both rewrote one", "CarePlan", NULL, "'instantiatesUri':['u:a']",
     "'instantiatesUri':['u:x']", "'instantiatesUri':['u:b']", "'instantiatesUri':['u:x']",
     "instantiatesUri", "", 1},
    {"the whole list was taken out", "CarePlan", NULL, "'goal':[{'reference':'Goal/1'}]", "",
     "'goal':[{'reference':'Goal/1'},{'reference':'Goal/2'}]", "", "goal", "", 1},
    {"nothing is left of a list", "CarePlan", NULL,
     "'goal':[{'reference':'Goal/1'},{'reference':'Goal/2'}]", "'goal':[{'reference':'Goal/2'}]",
     "'goal':[{'reference':'Goal/1'}]", "", "goal", "goal", 0},

    /* not compared */
    {"meta, id, text and extensions are the EHR's", "CarePlan", NULL, "'title':'a'",
     "'id':'7','meta':{'versionId':'3'},'extension':[{'url':'u'}],'_title':{'id':'x'},'title':'a'",
     "'title':'b','meta':{'tag':[]}",
     "'id':'7','meta':{'versionId':'3'},'extension':[{'url':'u'}],'_title':{'id':'x'},'title':'b'",
     "", "title", 0},
    {"an extension added within an element is no change of it", "CarePlan", NULL,
     "'period':{'start':'2026-01-01'}", "'period':{'start':'2026-01-01','extension':[{'url':'u'}]}",
     "'period':{'start':'2026-02-01'}", "'period':{'start':'2026-02-01','extension':[{'url':'u'}]}",
     "", "period", 0},
};

static const struct slice gateway_owns[] = {{"care-plan.title", 15}, {"care-plan.period", 16}};
static const struct slice clinician_owns[] = {{"*.status", 8}, {"goals.*.note", 12}};
static const struct plan_owns owns = {gateway_owns, 2, clinician_owns, 2};

static void elements_are_merged(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        const struct plan_sides sides = {
            .wanted = plan(arena, row->type, row->wanted != NULL ? row->wanted : row->base),
            .base = plan(arena, row->type, row->base),
            .theirs = plan(arena, row->type, row->theirs),
            .ours = plan(arena, row->type, row->ours)};
        struct slice item =
            strcmp(row->type, "Goal") == 0 ? SLICE("goals.water") : SLICE("care-plan");
        struct plan_merge merge;
        plan_merge(arena, model_r4(), &sides, &owns, item, &merge);
        const struct json *want = plan(arena, row->type, row->merged);
        if (!json_equal(merge.merged, want) || merge.conflicts != row->conflicts ||
            !slice_is(plan_paths_text(arena, &merge.kept), row->kept) ||
            !slice_is(plan_paths_text(arena, &merge.changed), row->changed) ||
            merge.unchanged != json_equal(merge.merged, sides.theirs)) {
            fail_msg("%s: %s, kept [%s], changed [%s], %zu", row->what,
                     json_write(arena, merge.merged, JSON_COMPACT).at,
                     plan_paths_text(arena, &merge.kept).at,
                     plan_paths_text(arena, &merge.changed).at, merge.conflicts);
        }
    }
    arena_destroy(&arena);
}

/* An item written before wanted was kept: what stands in base of what we write is what we wanted.
 */
static void without_wanted_it_is_told_from_base(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    const struct json *base =
        plan(arena, "CarePlan", "'title':'a','created':'2026-01-01','goal':[{'reference':'G/1'}]");
    const struct plan_sides sides = {
        .base = base, .theirs = base, .ours = plan(arena, "CarePlan", "'title':'b'")};
    struct plan_merge merge;
    plan_merge(arena, model_r4(), &sides, NULL, SLICE("care-plan"), &merge);
    assert_true(
        json_equal(merge.merged, plan(arena, "CarePlan", "'title':'b','created':'2026-01-01'")));
    arena_destroy(&arena);
}

/* ---- text ---- */

#define TEXT(body)                                                                                 \
    "'text':{'status':'generated','div':'<div xmlns=\\'http://www.w3.org/1999/xhtml\\'>" body      \
    "</div>'}"

static void text_is_told_anew_unless_the_clinician_changed_it(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    static const char ours[] =
        "'title':'a','description':'c'," TEXT("<p>a</p><p>c</p><ul><li>Drink water</li></ul>");
    static const char base[] =
        "'title':'a','description':'b'," TEXT("<p>a</p><p>b</p><ul><li>Drink water</li></ul>");
    static const struct {
        const char *theirs;
        const char *merged;
    } texts[] = {
        {"'title':'X & Y','description':'b'," TEXT("<p>a</p><p>b</p><ul><li>Drink water</li></ul>"),
         TEXT("<p>X &amp; Y</p><p>c</p><ul><li>Drink water</li></ul>")},
        {"'title':'X & Y','description':'b'," TEXT("<p>Tuesday</p>"), TEXT("<p>Tuesday</p>")},
        {"'title':'a','description':'b','goal':[{'reference':'Goal/9'}]," TEXT(
             "<p>a</p><p>b</p><ul><li>Drink water</li></ul>"),
         TEXT("<p>a</p><p>c</p>")},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const struct plan_sides sides = {.base = plan(arena, "CarePlan", base),
                                         .theirs = plan(arena, "CarePlan", texts[i].theirs),
                                         .ours = plan(arena, "CarePlan", ours)};
        struct plan_merge merge;
        plan_merge(arena, model_r4(), &sides, NULL, SLICE("care-plan"), &merge);
        const struct json *want = json_get(plan(arena, "CarePlan", texts[i].merged), "text");
        assert_string_equal(json_get_text(json_get(merge.merged, "text"), "div").at,
                            json_get_text(want, "div").at);
        assert_false(merge.unchanged);
    }
    arena_destroy(&arena);
}

/* ---- properties, over resources made at random ---- */

struct chance {
    uint64_t state;
};

static unsigned draw(struct chance *chance, unsigned below) /* splitmix64 */
{
    chance->state += 0x9e3779b97f4a7c15u;
    uint64_t z = chance->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (unsigned)((z ^ (z >> 31)) % below);
}

static void add_some(struct chance *chance, struct buf *out)
{
    static const char *const shapes[][2] = {{"'title':'", "'"},
                                            {"'description':'", "'"},
                                            {"'period':{'start':'202", "-01-01'}"},
                                            {"'note':[{'text':'", "'}]"},
                                            {"'created':'202", "'"}};
    static const char *const lists[] = {"goal", "addresses"};
    buf_add_cstr(out, "{'resourceType':'CarePlan'");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (draw(chance, 4) != 0) {
            buf_printf(out, ",%s%u%s", shapes[i][0], draw(chance, 3), shapes[i][1]);
        }
    }
    for (size_t i = 0; i < 2; i++) {
        unsigned count = draw(chance, 4);
        for (unsigned k = 0; k < count; k++) {
            if (k == 0) {
                buf_printf(out, ",'%s':[", lists[i]);
            }
            buf_printf(out, "%s{'reference':'A/%u','display':'%u'}", k != 0 ? "," : "",
                       draw(chance, 4), draw(chance, 2));
        }
        buf_add_cstr(out, count != 0 ? "]" : "");
    }
    if (draw(chance, 2) != 0) {
        buf_printf(out, ",'activity':[{'id':'1','detail':{'status':'%u','description':'%u'}}",
                   draw(chance, 2), draw(chance, 2));
        buf_add_cstr(out, draw(chance, 3) == 0 ? ",{'detail':{'description':'x'}}]" : "]");
    }
    buf_add_cstr(out, "}");
}

static const struct json *some_plan(struct arena *arena, struct chance *chance)
{
    struct buf text;
    buf_init(&text, arena, 65536);
    add_some(chance, &text);
    return read_text(arena, text.at);
}

static struct plan_merge merged_of(struct arena *arena, const struct json *wanted,
                                   const struct json *base, const struct json *theirs,
                                   const struct json *ours)
{
    const struct plan_sides sides = {wanted, base, theirs, ours};
    struct plan_merge merge;
    plan_merge(arena, model_r4(), &sides, NULL, SLICE("care-plan"), &merge);
    return merge;
}

static void assert_same(struct arena *arena, uint64_t seed, const struct json *a,
                        const struct json *b)
{
    if (!resource_same(arena, a, b, NULL, 0)) {
        fail_msg("seed %llu: %s is not %s", (unsigned long long)seed,
                 json_write(arena, a, JSON_COMPACT).at, json_write(arena, b, JSON_COMPACT).at);
    }
}

/* No datatype that a person changed is in the merged resource otherwise than they left it. */
static void assert_no_edit_lost(const struct json *base, const struct json *theirs,
                                const struct json *merged)
{
    static const char *const elements[] = {"title", "description", "period", "created"};
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
        const struct json *now = json_get(theirs, elements[i]);
        if (!merge_same(json_get(base, elements[i]), now)) {
            assert_true(merge_same(json_get(merged, elements[i]), now));
        }
    }
    for (const struct json *it = json_first(json_get(theirs, "goal")); it != NULL;
         it = json_next(it)) { /* nor is an item that they added gone */
        bool was = false;
        bool is = false;
        for (const struct json *b = json_first(json_get(base, "goal")); b; b = json_next(b)) {
            was = was || slice_equal(json_get_text(b, "reference"), json_get_text(it, "reference"));
        }
        for (const struct json *m = json_first(json_get(merged, "goal")); m; m = json_next(m)) {
            is = is || json_equal(m, it);
        }
        assert_true(was || is);
    }
}

static void the_laws_of_merging_hold(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        struct chance chance = {seed};
        const struct json *wanted = some_plan(arena, &chance);
        const struct json *base = some_plan(arena, &chance);
        const struct json *theirs = some_plan(arena, &chance);
        const struct json *ours = some_plan(arena, &chance);
        assert_same(arena, seed, merged_of(arena, base, base, base, ours).merged, ours);
        assert_same(arena, seed, merged_of(arena, base, base, theirs, base).merged, theirs);
        assert_true(merged_of(arena, base, base, theirs, base).unchanged);

        struct plan_merge once = merged_of(arena, wanted, base, theirs, ours);
        struct plan_merge again = merged_of(arena, wanted, base, once.merged, ours);
        assert_same(arena, seed, again.merged, once.merged);
        assert_true(again.unchanged);
        struct plan_merge next = merged_of(arena, ours, once.merged, once.merged, ours);
        assert_same(arena, seed, next.merged, once.merged);
        assert_true(next.unchanged && next.conflicts == 0);
        assert_no_edit_lost(base, theirs, once.merged);
        arena_reset(arena);
    }
    arena_destroy(&arena);
}

int main(void)
{
    json_library_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_merged),
        cmocka_unit_test(without_wanted_it_is_told_from_base),
        cmocka_unit_test(text_is_told_anew_unless_the_clinician_changed_it),
        cmocka_unit_test(the_laws_of_merging_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
