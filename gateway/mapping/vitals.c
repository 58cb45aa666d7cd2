#include <math.h>

#include "fhir/growth/bundle.h"
#include "gateway/mapping/eval.h"
#include "gateway/mapping/growth_fields.h"

/*
 * Growth of the visit: fhir/growth reads the measurements, pairs and assesses them; here only which
 * facts it reads, and which of its visits is the one that is evaluated.
 */

/* A plan stands on what is final: a preliminary or registered value may still change. */
static bool is_final(const struct json *observation)
{
    struct slice status = json_get_text(observation, "status");
    return slice_is(status, "final") || slice_is(status, "amended") ||
           slice_is(status, "corrected");
}

static const struct json *fact_resources(const struct eval *e, const struct fact_rule *rule)
{
    for (size_t i = 0; rule != NULL && i < e->input->fact_count; i++) {
        if (slice_equal(e->input->facts[i].name, rule->name)) {
            return e->input->facts[i].resources;
        }
    }
    return NULL;
}

static bool is_read(const struct mapping *m, const struct fact_rule *rule)
{
    bool read = rule == m->weight || rule == m->height;
    for (size_t i = 0; i < m->growth_also_count; i++) {
        read = read || rule == m->growth_also[i];
    }
    return read;
}

static const struct json **gather(const struct eval *e, size_t *count_out)
{
    const struct mapping *m = e->mapping;
    size_t room = 0;
    for (size_t i = 0; i < m->fact_count; i++) {
        room += json_count(fact_resources(e, &m->facts[i]));
    }
    const struct json **resources = ARENA_ARRAY(e->arena, room + 1, const struct json *);
    *count_out = 0;
    for (size_t i = 0; i < m->fact_count; i++) {
        if (!is_read(m, &m->facts[i])) {
            continue;
        }
        for (const struct json *it = json_first(fact_resources(e, &m->facts[i])); it != NULL;
             it = json_next(it)) {
            bool observed = slice_is(json_get_text(it, "resourceType"), "Observation");
            if (!observed || is_final(it)) {
                resources[(*count_out)++] = it;
            }
        }
    }
    return resources;
}

/* ---- which visit ---- */

static struct growth_date visit_date(const struct eval *e)
{
    const struct datetime *date = &e->input->visit.date;
    return (struct growth_date){date->year, date->month, date->day};
}

static bool is_of_encounter(struct slice reference, struct slice id)
{
    size_t history = slice_find(reference, SLICE("/_history/"), 0);
    reference = slice_part(reference, 0, history);
    size_t from = reference.len;
    for (; from != 0 && reference.at[from - 1] != '/'; from--) {
    }
    return slice_equal(slice_part(reference, from, SIZE_MAX), id);
}

/* By encounter; measurements without one, or a visit without one, by calendar day. The last that
 * fits: a correction may be recorded days after. */
static const struct growth_visit *find_visit(const struct eval *e,
                                             const struct growth_result *record)
{
    struct slice encounter = e->input->visit.encounter;
    int64_t day = growth_date_days(visit_date(e));
    for (size_t i = record->count; i-- > 0;) {
        const struct growth_visit *visit = &record->visits[i];
        bool both = encounter.len != 0 && visit->encounter.len != 0;
        if (both ? is_of_encounter(visit->encounter, encounter)
                 : growth_date_days(visit->date) == day) {
            return visit;
        }
    }
    return NULL;
}

/* A visit at which nothing was measured: sex and age are known all the same. */
static struct growth_visit unmeasured(const struct eval *e, const struct growth_child *child)
{
    struct growth_visit visit = {.ehr_difference = NAN};
    struct growth_input input = growth_input_none();
    for (int kind = 0; kind < GROWTH_KIND_COUNT; kind++) {
        visit.value[kind] = NAN;
    }
    visit.trend = (struct growth_trend){NAN, NAN, NAN, NAN, NAN, NAN, NAN, 0};
    input.sex = child->sex;
    input.age = child->birth_fault == GROWTH_DATE_OK
                    ? growth_age_between(child->birth, visit_date(e))
                    : GROWTH_AGE_UNKNOWN;
    growth_assess(&input, &visit.assessment);
    return visit;
}

enum status evaluate_growth(struct eval *e)
{
    if (e->mapping->weight == NULL || e->mapping->height == NULL) {
        return STATUS_OK; /* a mapping without `growth:` */
    }
    struct growth_bundle bundle;
    struct growth_result record;
    struct diag_list unheard; /* what is left out stands in %growth.flags, and quotes a record */
    size_t count = 0;
    const struct json **resources = gather(e, &count);
    diag_init(&unheard, e->arena, 0);
    if (growth_resources_read(e->arena, e->input->patient, resources, count, &unheard, &bundle) !=
        STATUS_OK) {
        diag_add(e->diags, DIAG_MAPPING_EVALUATION, e->mapping->weight->span,
                 "the child has more measurements than are read");
        return STATUS_LIMIT;
    }
    bundle.child.today = visit_date(e);
    growth_record_assess(e->arena, &bundle.child, bundle.measurements, bundle.count, &record);
    const struct growth_visit *found = find_visit(e, &record);
    struct growth_visit visit = found != NULL ? *found : unmeasured(e, &bundle.child);
    e->result->growth = visit.assessment;
    e->result->assessed = true;
    for (int i = 0; i < GROWTH_FIELD_COUNT; i++) {
        enum growth_field field = (enum growth_field)i;
        unsigned place = PLACE_GROWTH + (unsigned)i;
        if (e->all || e->mapping->values[place - 1].used) {
            evaluate_publish(e, place,
                             growth_variable_items(e->arena, &bundle.child, &visit, field));
        }
    }
    return STATUS_OK;
}
