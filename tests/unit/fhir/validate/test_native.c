// uses: fhir/path fhir/model
/*
 * The invariants that the validator checks without the FHIRPath engine: on each document it says
 * what the engine says of the specification's own expression.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fhir/path/path.h"
#include "fhir/validate/validate.h"

static const struct sample {
    const char *key;
    const char *element; /* FHIRPath from the resource to what the invariant is about */
    bool holds;
    const char *json;
} samples[] = {
    {"ele-1", "maritalStatus", true,
     "{\"resourceType\":\"Patient\",\"maritalStatus\":{\"text\":\"x\"}}"},
    {"ele-1", "maritalStatus", true,
     "{\"resourceType\":\"Patient\",\"maritalStatus\":{\"id\":\"a\",\"text\":\"x\"}}"},
    {"ele-1", "maritalStatus", false,
     "{\"resourceType\":\"Patient\",\"maritalStatus\":{\"id\":\"a\"}}"},
    {"ele-1", "maritalStatus", false, "{\"resourceType\":\"Patient\",\"maritalStatus\":{}}"},
    {"ele-1", "birthDate", true, "{\"resourceType\":\"Patient\",\"birthDate\":\"2015-03-01\"}"},
    {"ele-1", "birthDate", false, "{\"resourceType\":\"Patient\",\"_birthDate\":{\"id\":\"a\"}}"},
    {"ele-1", "birthDate", true,
     "{\"resourceType\":\"Patient\",\"_birthDate\":{\"extension\":[{\"url\":\"http://example.org/"
     "x\",\"valueString\":\"y\"}]}}"},
    {"ref-1", "managingOrganization", true,
     "{\"resourceType\":\"Patient\",\"managingOrganization\":{\"reference\":\"Organization/o\"}}"},
    {"ref-1", "managingOrganization", true,
     "{\"resourceType\":\"Patient\",\"managingOrganization\":{\"display\":\"North Clinic\"}}"},
    {"ref-1", "managingOrganization", true,
     "{\"resourceType\":\"Patient\",\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o\","
     "\"name\":\"North Clinic\"}],\"managingOrganization\":{\"reference\":\"#o\"}}"},
    {"ref-1", "managingOrganization", false,
     "{\"resourceType\":\"Patient\",\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o\","
     "\"name\":\"North Clinic\"}],\"managingOrganization\":{\"reference\":\"#p\"},"
     "\"generalPractitioner\":[{\"reference\":\"#o\"}]}"},
    {"ref-1", "managingOrganization", false,
     "{\"resourceType\":\"Patient\",\"managingOrganization\":{\"reference\":\"#o\"}}"},
};

struct run {
    struct arena *arena;
    const struct sample *sample;
};

static struct slice expression_of(struct arena *arena, const struct sample *sample)
{
    const struct model *model = model_r4();
    const struct model_constraint *constraint;
    for (size_t i = 0; (constraint = model_constraint_at(model, i)) != NULL; i++) {
        if (slice_is(model_constraint_key(model, constraint), sample->key)) {
            return arena_printf(arena, "%s.select(%.*s)", sample->element,
                                SLICE_ARGS(model_constraint_expression(model, constraint)));
        }
    }
    fail_msg("no constraint %s", sample->key);
    return SLICE_NONE;
}

static bool engine_says(struct arena *arena, const struct sample *sample, const struct json *json,
                        struct diag_list *diags)
{
    const struct limits limits = LIMITS_DEFAULT;
    struct path_scope scope = {.model = model_r4(),
                               .context = model_type_find(model_r4(), SLICE("Patient"))};
    struct source *source = source_create(arena, SLICE("expression"), expression_of(arena, sample));
    const struct path_expr *expr;
    assert_int_equal(path_compile(arena, source, &scope, &limits, diags, &expr), STATUS_OK);
    struct path_item item = path_item_of(model_r4(), json, NULL);
    struct path_env env = {.context = {&item, 1}, .resource = json, .root_resource = json};
    struct path_items items;
    assert_int_equal(path_evaluate(expr, &env, arena, &limits, diags, &items), STATUS_OK);
    /* Unknown breaks nothing, as the validator has it. */
    return items.count == 0 || items.at[0].boolean;
}

static enum status run_sample(void *arg)
{
    struct run *run = arg;
    struct arena *arena = run->arena;
    const struct limits limits = LIMITS_DEFAULT;
    struct diag_list diags;
    diag_init(&diags, arena, 20);
    struct source *source = source_create(arena, SLICE("test"), slice_of(run->sample->json));
    const struct json *json;
    assert_int_equal(json_parse(arena, source, &limits, &diags, &json), STATUS_OK);
    print_message("# %s %s\n", run->sample->key, run->sample->json);
    assert_int_equal(engine_says(arena, run->sample, json, &diags), run->sample->holds);
    const struct validator *validator = validator_create(arena, model_r4());
    enum status status = validate_resource(validator, arena, source, json, &limits, &diags);
    assert_int_equal(status == STATUS_OK, run->sample->holds);
    return STATUS_OK;
}

static void test_native(void **state)
{
    (void)state;
    json_library_init();
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        struct run run = {arena_create(0), &samples[i]};
        assert_int_equal(arena_run(run.arena, run_sample, &run), STATUS_OK);
        arena_destroy(&run.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_native)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
