#include "gateway/mapping/trace.h"

static bool one_of(struct slice text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_is(text, words[i])) {
            return true;
        }
    }
    return false;
}

bool resource_is_void(const struct json *resource)
{
    static const char *const states[] = {"entered-in-error", "cancelled"};
    static const char *const verifications[] = {"entered-in-error", "refuted"};
    if (one_of(json_get_text(resource, "status"), states, 2)) {
        return true;
    }
    const struct json *coding =
        json_first(json_get(json_get(resource, "verificationStatus"), "coding"));
    for (; coding != NULL; coding = json_next(coding)) {
        if (one_of(json_get_text(coding, "code"), verifications, 2)) {
            return true;
        }
    }
    return false;
}

struct slice resource_date(const struct json *resource)
{
    static const char *const elements[] = {"effectiveDateTime", "effectiveInstant", "recordedDate",
                                           "authoredOn", "issued"};
    static const char *const periods[] = {"effectivePeriod", "period"};
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
        struct slice text = json_get_text(resource, elements[i]);
        if (text.len != 0) {
            return text;
        }
    }
    for (size_t i = 0; i < sizeof periods / sizeof *periods; i++) {
        struct slice text = json_get_text(json_get(resource, periods[i]), "start");
        if (text.len != 0) {
            return text;
        }
    }
    return SLICE_NONE;
}

/* Later by date; where dates do not decide, by last change, then by id, so that the choice is
 * always the same. */
static bool is_later(const struct json *a, const struct json *b)
{
    struct datetime left;
    struct datetime right;
    struct slice left_text = resource_date(a);
    struct slice right_text = resource_date(b);
    if (datetime_parse(left_text, FORM_FHIR_DATETIME, &left, NULL) == STATUS_OK &&
        datetime_parse(right_text, FORM_FHIR_DATETIME, &right, NULL) == STATUS_OK) {
        enum order order = datetime_compare(&left, &right);
        if (order == ORDER_LESS || order == ORDER_GREATER) {
            return order == ORDER_GREATER;
        }
    }
    int order = slice_compare(left_text, right_text);
    if (order == 0) {
        order = slice_compare(json_get_text(json_get(a, "meta"), "lastUpdated"),
                              json_get_text(json_get(b, "meta"), "lastUpdated"));
    }
    return order != 0 ? order > 0
                      : slice_compare(json_get_text(a, "id"), json_get_text(b, "id")) > 0;
}

static bool same_code(const struct json *a, const struct json *b)
{
    const struct json *left = json_first(json_get(json_get(a, "code"), "coding"));
    const struct json *right = json_first(json_get(json_get(b, "code"), "coding"));
    return slice_equal(json_get_text(left, "system"), json_get_text(right, "system")) &&
           slice_equal(json_get_text(left, "code"), json_get_text(right, "code"));
}

/* Keeps, of each code (or of all), the latest. */
static size_t keep_latest(const struct json **kept, size_t count, const struct json *resource,
                          bool by_code)
{
    for (size_t i = 0; i < count; i++) {
        if (!by_code || same_code(kept[i], resource)) {
            kept[i] = is_later(resource, kept[i]) ? resource : kept[i];
            return count;
        }
    }
    kept[count] = resource;
    return count + 1;
}

/* "Patient/7" of "http://ehr/Patient/7/_history/2"; empty: the reference names no patient by id. */
static struct slice patient_id(struct slice reference)
{
    struct slice rest = slice_part(reference, 0, slice_find(reference, SLICE("/_history/"), 0));
    struct slice before = SLICE_NONE;
    struct slice part = SLICE_NONE;
    struct slice type = SLICE_NONE;
    while (slice_cut(&rest, '/', &part)) {
        type = before;
        before = part;
    }
    return slice_is(type, "Patient") ? part : SLICE_NONE;
}

/* "Patient/ID", as it mostly is. */
static bool is_plainly(struct slice reference, struct slice id)
{
    static const struct slice type = {"Patient/", 8};
    return id.len != 0 && reference.len == type.len + id.len &&
           slice_starts_with(reference, type) && slice_ends_with(reference, id);
}

/* A sibling's, or that of a child of the same name: a search that answers with it cannot be
 * trusted. */
static bool is_of_another(struct slice own, const struct json *resource)
{
    static const char *const elements[] = {"subject", "patient"};
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
        struct slice reference = json_get_text(json_get(resource, elements[i]), "reference");
        if (is_plainly(reference, own)) {
            continue;
        }
        struct slice id = patient_id(reference);
        if (id.len != 0 && own.len != 0 && !slice_equal(id, own)) {
            return true;
        }
    }
    return false;
}

bool evaluate_is_of_one_child(const struct eval *e)
{
    struct slice own = json_get_text(e->input->patient, "id");
    for (size_t i = 0; i < e->input->fact_count; i++) {
        const struct json *resources = e->input->facts[i].resources;
        for (const struct json *it = json_first(resources); it != NULL; it = json_next(it)) {
            if (is_of_another(own, it)) {
                return false;
            }
        }
    }
    return true;
}

static enum status publish_fact(struct eval *e, const struct fact_rule *rule,
                                const struct fact *fact)
{
    size_t room = json_count(fact->resources) + 1;
    const struct json **kept = ARENA_ARRAY(e->arena, room, const struct json *);
    size_t count = 0;
    for (const struct json *it = json_first(fact->resources); it != NULL; it = json_next(it)) {
        if (resource_is_void(it)) {
            continue;
        }
        if (rule->take == TAKE_LATEST || rule->take == TAKE_LATEST_BY_CODE) {
            count = keep_latest(kept, count, it, rule->take == TAKE_LATEST_BY_CODE);
        } else {
            kept[count++] = it;
        }
    }
    if (rule->take == TAKE_ONE && count > 1) {
        diag_add(e->diags, DIAG_MAPPING_EVALUATION, rule->span,
                 "the fact \"%.*s\" has %zu resources where one is taken", SLICE_ARGS(rule->name),
                 count);
        return STATUS_INVALID;
    }
    struct path_item *items = ARENA_ARRAY(e->arena, count + 1, struct path_item);
    for (size_t i = 0; i < count; i++) {
        items[i] = path_item_of(e->mapping->model, kept[i], NULL);
        items[i].type = path_item_type(e->mapping->model, &items[i]); /* found once for all */
    }
    trace_fact(e, rule, fact, (struct path_items){items, count});
    evaluate_publish(e, rule->place, (struct path_items){items, count});
    return STATUS_OK;
}

static const struct fact *given_fact(const struct evaluation_input *input, struct slice name)
{
    for (size_t i = 0; i < input->fact_count; i++) {
        if (slice_equal(input->facts[i].name, name)) {
            return &input->facts[i];
        }
    }
    return NULL;
}

enum status evaluate_facts(struct eval *e, const struct fact_rule **failed_out)
{
    *failed_out = NULL;
    for (size_t i = 0; i < e->mapping->fact_count; i++) {
        const struct fact_rule *rule = &e->mapping->facts[i];
        const struct fact *fact = given_fact(e->input, rule->name);
        if (fact == NULL || fact->state == FACT_FAILED) {
            trace_fact(e, rule, fact, (struct path_items){NULL, 0});
            *failed_out = *failed_out != NULL ? *failed_out : rule;
            continue;
        }
        enum status status = publish_fact(e, rule, fact);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}
