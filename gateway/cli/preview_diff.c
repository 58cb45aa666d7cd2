#include "gateway/cli/preview_diff.h"

#include "fhir/diff/resource_diff.h"
#include "gateway/plan/dress.h"
#include "gateway/plan/plan_diff.h"

enum { EPISODES_MOST = 20, CHANGES_SHOWN = 40, KEYS_MOST = 128 };

struct standing { /* what the EHR holds of one item */
    struct slice key;
    struct slice type;
    const struct json *resource; /* NULL: nothing */
};

struct comparing {
    struct workbench *bench;
    struct ehr_session *session;
    struct slice patient;
    struct uuid space;
    struct standing standing[KEYS_MOST];
    size_t count;
    bool failed;
    bool differs;
};

/* ---- looking up ---- */

static const struct json *find_episode(struct comparing *c, const struct evaluation_result *result,
                                       struct slice key, struct slice type, uint32_t episode)
{
    struct arena *arena = c->bench->cli->arena;
    struct item_key of = {.ehr = ehr_session_ehr(c->session)->name,
                          .patient = c->patient,
                          .mapping = mapping_name(c->bench->mapping),
                          .plan = result->plan,
                          .key = key,
                          .episode = episode};
    struct ehr_request request = {.verb = EHR_FIND,
                                  .type = type,
                                  .system = SLICE(DRESS_IDENTIFIER_SYSTEM),
                                  .value = dress_urn(arena, dress_identifier(c->space, &of)),
                                  .lane = c->patient};
    const struct ehr_answer *answer = ehr_session_ask(c->session, &request);
    if (answer == NULL || answer->outcome != EHR_DONE) {
        if (answer == NULL || answer->outcome != EHR_ABSENT) {
            fprintf(c->bench->cli->err, "%.*s: %s\n", SLICE_ARGS(type),
                    answer != NULL ? ehr_outcome_name(answer->outcome) : "not sent");
            c->failed = true;
        }
        return NULL;
    }
    return answer->match_count != 0 ? answer->matches[0] : NULL;
}

/* The latest episode that the EHR knows: a new one begins where the last was ended. */
static void look_up(struct comparing *c, const struct evaluation_result *result, struct slice key,
                    struct slice type)
{
    struct standing *standing = &c->standing[c->count++];
    *standing = (struct standing){key, type, NULL};
    for (uint32_t episode = 1; episode <= EPISODES_MOST && !c->failed; episode++) {
        const struct json *found = find_episode(c, result, key, type, episode);
        if (found == NULL) {
            return;
        }
        standing->resource = found;
        if (!plan_diff_is_ended(found)) {
            return;
        }
    }
}

static const struct standing *standing_of(const struct comparing *c, struct slice key)
{
    for (size_t i = 0; i < c->count; i++) {
        if (slice_equal(c->standing[i].key, key)) {
            return &c->standing[i];
        }
    }
    return NULL;
}

/* ---- telling ---- */

static struct slice target_of(void *arg, struct slice key)
{
    struct comparing *c = arg;
    const struct standing *standing = standing_of(c, key);
    struct arena *arena = c->bench->cli->arena;
    struct slice id = standing != NULL ? json_get_text(standing->resource, "id") : SLICE_NONE;
    return id.len != 0
               ? arena_printf(arena, "%.*s/%.*s", SLICE_ARGS(standing->type), SLICE_ARGS(id))
               : arena_printf(arena, "new:%.*s", SLICE_ARGS(key));
}

static struct slice value_text(struct comparing *c, const struct json *value)
{
    return value != NULL ? json_write(c->bench->cli->arena, value, JSON_COMPACT) : SLICE("nothing");
}

/* "description" of "Goal.description.text" */
static struct slice top_element(struct slice path)
{
    struct slice type = SLICE_NONE;
    struct slice element = SLICE_NONE;
    slice_cut(&path, '.', &type);
    slice_cut(&path, '.', &element);
    return slice_part(element, 0, slice_find(element, SLICE("["), 0));
}

/* Only what we write: the EHR's own elements stay as they are. */
static void tell_changes(struct comparing *c, const struct json *from, const struct json *to)
{
    static const char *const ignored[] = {"meta", "text", "id", "identifier", "contributor"};
    struct resource_diff diff;
    resource_diff(c->bench->cli->arena, from, to, ignored, 5, CHANGES_SHOWN, &diff);
    for (size_t i = 0; i < diff.count; i++) {
        if (plan_diff_is_ours(to, top_element(diff.changes[i].path))) {
            fprintf(c->bench->cli->out, "    %.*s: %.*s -> %.*s\n",
                    SLICE_ARGS(diff.changes[i].path),
                    SLICE_ARGS(value_text(c, diff.changes[i].from)),
                    SLICE_ARGS(value_text(c, diff.changes[i].to)));
        }
    }
}

static void tell_item(struct comparing *c, const struct plan_item *item)
{
    FILE *out = c->bench->cli->out;
    struct arena *arena = c->bench->cli->arena;
    const struct json *theirs = standing_of(c, item->key)->resource;
    struct json *wanted = json_copy(arena, item->resource);
    struct slice missing;
    dress_references(arena, wanted, SLICE("#item:"), target_of, c, &missing);
    const char *what = theirs == NULL                               ? "create"
                       : plan_diff_is_ended(theirs)                 ? "create anew"
                       : !plan_diff_is_draft(theirs)                ? "leave alone"
                       : plan_diff_unchanged(arena, wanted, theirs) ? "unchanged"
                                                                    : "update";
    fprintf(out, "%s %.*s %.*s", what, SLICE_ARGS(item->type), SLICE_ARGS(item->key));
    if (theirs != NULL) {
        fprintf(out, " (%.*s/%.*s)", SLICE_ARGS(item->type),
                SLICE_ARGS(json_get_text(theirs, "id")));
    }
    fprintf(out, "%s\n", strcmp(what, "leave alone") == 0 ? ": a person has made it theirs" : "");
    if (strcmp(what, "update") == 0) {
        tell_changes(c, theirs, wanted);
    }
    c->differs = c->differs || (strcmp(what, "unchanged") != 0 && strcmp(what, "leave alone") != 0);
}

static bool is_wanted(const struct evaluation_result *result, struct slice key)
{
    for (size_t i = 0; i < result->item_count; i++) {
        if (slice_equal(result->items[i].key, key)) {
            return true;
        }
    }
    return false;
}

static void tell_left_over(struct comparing *c, const struct evaluation_result *result)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct standing *standing = &c->standing[i];
        if (standing->resource == NULL || is_wanted(result, standing->key) ||
            !plan_diff_is_draft(standing->resource)) {
            continue;
        }
        c->differs = true;
        fprintf(c->bench->cli->out, "withdraw %.*s %.*s (%.*s/%.*s)\n", SLICE_ARGS(standing->type),
                SLICE_ARGS(standing->key), SLICE_ARGS(standing->type),
                SLICE_ARGS(json_get_text(standing->resource, "id")));
    }
}

int preview_diff(struct workbench *bench, struct ehr_session *session, const struct child *child,
                 const struct evaluation_result *result)
{
    struct comparing *c = ARENA_NEW(bench->cli->arena, struct comparing);
    const struct config *config = ehr_session_config(session);
    *c = (struct comparing){
        .bench = bench, .session = session, .patient = json_get_text(child->input.patient, "id")};
    if (!uuid_read(config->gateway.identifier_namespace, &c->space)) {
        fprintf(bench->cli->err, "%.*s: has no identifier-namespace\n", SLICE_ARGS(config->file));
        return EXIT_UNREADABLE;
    }
    struct slice *keys;
    size_t count = mapping_item_keys(bench->mapping, bench->cli->arena, result->plan, &keys);
    for (size_t i = 0; i < count && i < KEYS_MOST && !c->failed; i++) {
        struct slice type = mapping_item_type(keys[i]);
        look_up(c, result, keys[i], type);
    }
    if (c->failed) {
        return EXIT_AGAIN;
    }
    for (size_t i = 0; i < result->item_count; i++) {
        tell_item(c, &result->items[i]);
    }
    tell_left_over(c, result);
    return c->differs ? EXIT_FOUND : EXIT_DONE;
}
