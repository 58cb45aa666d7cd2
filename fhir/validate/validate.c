#include "fhir/validate/validate.h"

#include "fhir/validate/run.h"
#include "fhir/validate/validator.h"

const struct validator *validator_create(struct arena *arena, const struct model *model)
{
    struct validator *validator = ARENA_NEW(arena, struct validator);
    validator->model = model;
    invariants_compile(validator, arena);
    return validator;
}

size_t validator_refused_count(const struct validator *validator)
{
    return validator->refused_count;
}

struct slice validator_refused_at(const struct validator *validator, size_t i)
{
    return i < validator->refused_count ? validator->refused[i] : SLICE_NONE;
}

enum status validate_resource(const struct validator *validator, struct arena *arena,
                              const struct source *source, const struct json *resource,
                              const struct limits *limits, struct diag_list *diags)
{
    unsigned errors = diags->errors;
    struct run run = {.validator = validator,
                      .model = validator->model,
                      .arena = arena,
                      .source = source,
                      .limits = limits,
                      .diags = diags,
                      .resource = resource,
                      .root = resource};
    struct frame frame = {NULL, SLICE("Resource"), FRAME_SINGLE, 0};
    check_resource(&run, NULL, model_type_find(run.model, SLICE("Resource")), resource, &frame);
    if (run.limited) {
        return STATUS_LIMIT;
    }
    return diags->errors == errors ? STATUS_OK : STATUS_INVALID;
}
