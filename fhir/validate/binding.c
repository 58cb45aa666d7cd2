#include "fhir/validate/run.h"

/* The tail of "http://hl7.org/fhir/ValueSet/administrative-gender". */
static struct slice short_name(struct slice url)
{
    for (size_t i = url.len; i != 0; i--) {
        if (url.at[i - 1] == '/') {
            return slice_part(url, i, url.len);
        }
    }
    return url;
}

static void hint_codes(struct run *run, struct diag *diag, const struct model_value_set *set,
                       struct slice code)
{
    enum { SHOWN = 12 };
    if (run_is_full(run)) {
        return;
    }
    struct slice *codes = ARENA_ARRAY(run->diags->arena, set->code_count + 1U, struct slice);
    for (size_t i = 0; i < set->code_count; i++) {
        codes[i] = model_code_at(run->model, set, i).code;
    }
    diag_hint_nearest(run->diags, diag, code, codes, set->code_count);
    if (diag->hint.len != 0) {
        return;
    }
    struct buf list;
    buf_init(&list, run->diags->arena, SIZE_MAX / 4);
    for (size_t i = 0; i < set->code_count && i < SHOWN; i++) {
        buf_add_cstr(&list, i == 0 ? "" : ", ");
        buf_add_slice(&list, codes[i]);
    }
    diag_hint(run->diags, diag, "it may be %.*s%s", SLICE_ARGS(buf_view(&list)),
              set->code_count > SHOWN ? " ..." : "");
}

static void tell_code(struct run *run, const struct model_value_set *set, const struct json *at,
                      struct slice code, const struct frame *frame)
{
    struct slice name = short_name(model_value_set_url(run->model, set));
    struct diag *diag = run_add(run, DIAG_VALIDATE_CODE, at, frame,
                                "\"%.*s\" is none of the codes it must be one of (%.*s)",
                                SLICE_ARGS(code), SLICE_ARGS(name));
    hint_codes(run, diag, set, code);
}

static bool coding_in(const struct run *run, const struct model_value_set *set,
                      const struct json *coding)
{
    struct slice code = json_get_text(coding, "code");
    struct slice system = json_get_text(coding, "system");
    return code.at != NULL && system.at != NULL && model_code_in(run->model, set, system, code);
}

/* The code is right and its system is missing or another. */
static bool hint_system(struct run *run, struct diag *diag, const struct model_value_set *set,
                        struct slice code)
{
    for (size_t i = 0; code.at != NULL && i < set->code_count; i++) {
        struct model_code row = model_code_at(run->model, set, i);
        if (slice_equal(row.code, code)) {
            diag_hint(run->diags, diag, "its system is %.*s", SLICE_ARGS(row.system));
            return true;
        }
    }
    return false;
}

static void check_concept(struct run *run, const struct model_value_set *set,
                          const struct value *value, const struct frame *frame)
{
    const struct json *first = json_first(json_get(value->json, "coding"));
    struct slice name = short_name(model_value_set_url(run->model, set));
    for (const struct json *coding = first; coding != NULL; coding = json_next(coding)) {
        if (coding_in(run, set, coding)) {
            return;
        }
    }
    if (first == NULL) {
        struct diag *diag = run_add(run, DIAG_VALIDATE_CODE, value->json, frame,
                                    "has no coding, and must have one of %.*s", SLICE_ARGS(name));
        hint_codes(run, diag, set, SLICE_NONE);
        return;
    }
    struct slice code = json_get_text(first, "code");
    struct diag *diag = run_add(run, DIAG_VALIDATE_CODE, first, frame,
                                "has no coding that is one of %.*s", SLICE_ARGS(name));
    if (!hint_system(run, diag, set, code)) {
        hint_codes(run, diag, set, code);
    }
}

void check_binding(struct run *run, const struct value *value, const struct frame *frame)
{
    const struct model_value_set *set = model_element_value_set(run->model, value->member->element);
    if (set == NULL || set->enumerable == 0 || value->json == NULL) {
        return;
    }
    struct slice type = model_type_name(run->model, value->type);
    if (value->type->kind == MODEL_PRIMITIVE) {
        struct slice code = json_text(value->json);
        if (!model_code_in(run->model, set, SLICE_NONE, code)) {
            tell_code(run, set, value->json, code, frame);
        }
    } else if (slice_is(type, "CodeableConcept")) {
        check_concept(run, set, value, frame);
    } else if (slice_is(type, "Coding") && !coding_in(run, set, value->json)) {
        struct slice code = json_get_text(value->json, "code");
        tell_code(run, set, value->json, code, frame);
    }
}
