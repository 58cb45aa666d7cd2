#include "gateway/ehr/capability.h"

static const struct json *server_of(const struct json *statement)
{
    for (const struct json *rest = json_first(json_get(statement, "rest")); rest != NULL;
         rest = json_next(rest)) {
        if (slice_is(json_get_text(rest, "mode"), "server")) {
            return rest;
        }
    }
    return NULL;
}

static bool lists_interaction(const struct json *holder, const char *code)
{
    for (const struct json *it = json_first(json_get(holder, "interaction")); it != NULL;
         it = json_next(it)) {
        if (slice_is(json_get_text(it, "code"), code)) {
            return true;
        }
    }
    return false;
}

static bool lists_search(const struct json *resource, const char *name)
{
    for (const struct json *it = json_first(json_get(resource, "searchParam")); it != NULL;
         it = json_next(it)) {
        if (slice_is(json_get_text(it, "name"), name)) {
            return true;
        }
    }
    return false;
}

static bool speaks_json(const struct json *statement)
{
    const struct json *formats = json_get(statement, "format");
    for (const struct json *it = json_first(formats); it != NULL; it = json_next(it)) {
        if (slice_find(json_text(it), SLICE("json"), 0) != SIZE_MAX) {
            return true;
        }
    }
    return json_first(formats) == NULL;
}

enum status capability_read(const struct json *statement, struct capability_facts *facts_out,
                            const char **why_out)
{
    if (!slice_is(json_get_text(statement, "resourceType"), "CapabilityStatement")) {
        *why_out = "the answer to /metadata is no CapabilityStatement";
        return STATUS_INVALID;
    }
    struct capability_facts facts = {.fhir_version = json_get_text(statement, "fhirVersion"),
                                     .json = speaks_json(statement),
                                     .transaction =
                                         lists_interaction(server_of(statement), "transaction")};
    if (!slice_starts_with(facts.fhir_version, SLICE("4.0"))) {
        *why_out = "the EHR speaks another version of FHIR than R4 (4.0.1)";
        return STATUS_INVALID;
    }
    if (!facts.json) {
        *why_out = "the EHR does not offer JSON";
        return STATUS_INVALID;
    }
    *facts_out = facts;
    return STATUS_OK;
}

const char *capability_date_search(struct slice type)
{
    static const struct {
        const char *type;
        const char *name;
    } rows[] = {{"CarePlan", "date"}, {"Goal", "start-date"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (slice_is(type, rows[i].type)) {
            return rows[i].name;
        }
    }
    return NULL;
}

struct ability capability_of(const struct json *statement, const char *type)
{
    struct ability ability = {0};
    const struct json *it = json_first(json_get(server_of(statement), "resource"));
    while (it != NULL && !slice_is(json_get_text(it, "type"), type)) {
        it = json_next(it);
    }
    if (it == NULL) {
        return ability;
    }
    ability.read = lists_interaction(it, "read");
    ability.search = lists_interaction(it, "search-type");
    ability.create = lists_interaction(it, "create");
    ability.update = lists_interaction(it, "update");
    ability.conditional_create = json_is(json_get(it, "conditionalCreate"), JSON_TRUE);
    ability.update_create = json_is(json_get(it, "updateCreate"), JSON_TRUE);
    struct slice versioning = json_get_text(it, "versioning");
    ability.version_aware =
        slice_is(versioning, "versioned") || slice_is(versioning, "versioned-update");
    ability.search_identifier = lists_search(it, "identifier");
    const char *date = capability_date_search(slice_of(type));
    ability.search_patient = lists_search(it, "patient");
    ability.search_date = date != NULL && lists_search(it, date);
    ability.search_last_updated = lists_search(it, "_lastUpdated");
    return ability;
}
