#include "fhir/validate/run.h"

enum { SEEN_MAX = 64 }; /* elements of one object told apart without asking the arena */

/* The elements that an object has so far, for cardinality and choices given twice. */
struct seen {
    const struct model_element **at;
    struct slice *names; /* the JSON name it was given by, without underscore */
    size_t count;
};

static struct frame child_frame(const struct run *run, const struct frame *up,
                                const struct model_element *element)
{
    return (struct frame){up, model_element_name(run->model, element), FRAME_SINGLE, up->depth + 1};
}

/* ---- unknown members ---- */

/* All JSON names that the type's children may have; lives in the arena. */
static struct slice *json_names(const struct run *run, const struct model_type *type,
                                size_t *count_out)
{
    size_t count = 0;
    for (size_t i = 0; i < type->element_count; i++) {
        count += model_element_at(run->model, type, i)->type_count;
    }
    struct slice *names = ARENA_ARRAY(run->diags->arena, count + 1, struct slice);
    size_t n = 0;
    for (size_t i = 0; i < type->element_count; i++) {
        const struct model_element *element = model_element_at(run->model, type, i);
        for (size_t t = 0; t < element->type_count; t++) {
            names[n++] = model_element_json_name(run->model, element, t);
        }
    }
    *count_out = count;
    return names;
}

/* "value", or "valueHuman": the names that the choice it was meant for does have. */
static bool hint_choice(const struct run *run, struct diag *diag, const struct model_type *type,
                        struct slice name)
{
    enum { SHOWN = 6 };
    for (size_t i = 0; i < type->element_count; i++) {
        const struct model_element *element = model_element_at(run->model, type, i);
        struct slice stem = model_element_name(run->model, element);
        struct slice rest = slice_part(name, stem.len, name.len);
        if (!model_is_choice(element) || !slice_starts_with(name, stem) ||
            (rest.len != 0 && rest.at[0] != '[' && (rest.at[0] < 'A' || rest.at[0] > 'Z'))) {
            continue;
        }
        struct buf list;
        buf_init(&list, run->diags->arena, SIZE_MAX / 4);
        for (size_t t = 0; t < element->type_count && t < SHOWN; t++) {
            buf_add_cstr(&list, t == 0 ? "" : ", ");
            buf_add_slice(&list, model_element_json_name(run->model, element, t));
        }
        diag_hint(run->diags, diag, "%.*s is written with the name of its type: %.*s%s",
                  SLICE_ARGS(stem), SLICE_ARGS(buf_view(&list)),
                  element->type_count > SHOWN ? " ..." : "");
        return true;
    }
    return false;
}

static void tell_unknown(struct run *run, const struct model_type *type, const struct json *member,
                         const struct frame *frame)
{
    struct slice name = json_name(member);
    struct slice type_name = model_type_name(run->model, type);
    struct diag *diag =
        run_add(run, DIAG_VALIDATE_UNKNOWN_ELEMENT, member, frame, "%.*s has no element \"%.*s\"",
                SLICE_ARGS(type_name), SLICE_ARGS(name));
    diag->span = json_name_span(run->source, member);
    if (run_is_full(run)) {
        return;
    }
    size_t count = 0;
    struct slice *names = json_names(run, type, &count);
    diag_hint_nearest(run->diags, diag, name, names, count);
    if (diag->hint.len == 0 && !hint_choice(run, diag, type, name)) {
        diag_hint(run->diags, diag, "what FHIR has no element for goes into an extension");
    }
}

/* ---- one value ---- */

static void check_object(struct run *run, const struct model_type *type, const struct json *object,
                         const struct frame *frame);

static bool is_empty(const struct json *json)
{
    return (json_is(json, JSON_ARRAY) || json_is(json, JSON_OBJECT)) && json_first(json) == NULL;
}

/* Element: it has something beside an id (invariant ele-1). */
static void check_has_content(struct run *run, const struct json *object, const struct frame *frame)
{
    const struct json *first = json_first(object);
    if (first == NULL) {
        run_add(run, DIAG_VALIDATE_EMPTY, object, frame, "is an empty object");
    } else if (json_next(first) == NULL && slice_is(json_name(first), "id")) {
        run_add(run, DIAG_VALIDATE_EMPTY, object, frame,
                "has nothing but an id: an element has a value or children (ele-1)");
    }
}

static void check_extra(struct run *run, const struct value *value, const struct frame *frame)
{
    const struct json *extra = value->extra;
    if (extra == NULL) {
        return;
    }
    if (!json_is(extra, JSON_OBJECT)) {
        run_add(run, DIAG_VALIDATE_KIND, extra, frame,
                "\"_%.*s\" must be an object with id or extension, and is %s",
                SLICE_ARGS(frame->name), kind_words(extra));
        return;
    }
    check_object(run, model_type_find(run->model, SLICE("Element")), extra, frame);
    if (value->json == NULL && json_get(extra, "extension") == NULL) {
        run_add(run, DIAG_VALIDATE_EMPTY, extra, frame,
                "has neither a value nor an extension (ele-1)");
    }
}

static void check_complex(struct run *run, const struct value *value, const struct frame *frame)
{
    if (!json_is(value->json, JSON_OBJECT)) {
        struct slice name = model_type_name(run->model, value->type);
        struct diag *diag = run_add(run, DIAG_VALIDATE_KIND, value->json, frame,
                                    "must be an object (%.*s), and is %s", SLICE_ARGS(name),
                                    kind_words(value->json));
        if (slice_is(name, "CodeableConcept")) {
            diag_hint(run->diags, diag,
                      "write {\"text\": ...} or {\"coding\": [{\"system\": ..., "
                      "\"code\": ...}]}");
        } else if (slice_is(name, "Reference")) {
            diag_hint(run->diags, diag, "write {\"reference\": \"Type/id\"}");
        }
        return;
    }
    check_has_content(run, value->json, frame);
    check_object(run, value->type, value->json, frame);
}

static void check_value(struct run *run, const struct value *value, const struct frame *frame)
{
    unsigned errors = run->diags->errors;
    if (value->type->kind == MODEL_RESOURCE) {
        check_resource(run, value->member, value->type, value->json, frame);
        return;
    }
    if (value->type->kind == MODEL_PRIMITIVE) {
        check_extra(run, value, frame);
        if (value->json != NULL) {
            check_primitive(run, value, frame);
        }
    } else {
        check_complex(run, value, frame);
    }
    if (run->diags->errors == errors) {
        if (value->member->element->strength == MODEL_REQUIRED) {
            check_binding(run, value, frame);
        }
        if (slice_is(model_type_name(run->model, value->type), "Reference")) {
            check_reference(run, value, frame);
        }
    }
    /* A broken element would only give echoes of its own faults. */
    if (run->diags->errors == errors) {
        check_invariants(run, value, false, frame);
    }
}

/* ---- the values of one element ---- */

static bool is_null(const struct json *json)
{
    return json_is(json, JSON_NULL);
}

/* Item i of a repeating element; JSON null stands for "no value" or "no extension" only beside the
 * other. */
static void check_item(struct run *run, struct value value, struct frame *frame)
{
    bool primitive = value.type->kind == MODEL_PRIMITIVE;
    const struct json *given = value.json != NULL ? value.json : value.extra;
    if (is_null(value.json)) {
        value.json = NULL;
    }
    if (is_null(value.extra)) {
        value.extra = NULL;
    }
    if (value.json != NULL || (primitive && value.extra != NULL)) {
        check_value(run, &value, frame);
        return;
    }
    struct diag *diag = run_add(run, DIAG_VALIDATE_NULL, given, frame, "is null");
    diag_hint(run->diags, diag,
              primitive ? "null may only fill the place of a value that has an extension beside it"
                        : "leave the element out");
}

/* NULL: it is none, and that was told. */
static const struct json *array_of(struct run *run, const struct json *json,
                                   const struct frame *frame)
{
    if (json == NULL || json_is(json, JSON_ARRAY)) {
        if (json != NULL && is_empty(json)) {
            run_add(run, DIAG_VALIDATE_EMPTY, json, frame, "is an empty array");
        }
        return json;
    }
    struct diag *diag = run_add(run, DIAG_VALIDATE_ARRAY, json, frame,
                                "may repeat, so it must be an array, and is %s", kind_words(json));
    diag_hint(run->diags, diag, "put it into [ ]");
    return NULL;
}

static void check_repeating(struct run *run, const struct model_member *member,
                            const struct json *json, const struct json *extra, struct frame *frame)
{
    const struct json *values = array_of(run, json, frame);
    const struct json *extras = array_of(run, extra, frame);
    if ((values == NULL && json != NULL) || (extras == NULL && extra != NULL)) {
        return;
    }
    const struct json *v = json_first(values);
    const struct json *e = json_first(extras);
    size_t count = 0;
    for (; v != NULL || e != NULL; count++) {
        if (v == NULL && values != NULL) {
            frame->index = FRAME_SINGLE;
            run_add(run, DIAG_VALIDATE_NULL, e, frame,
                    "\"_%.*s\" has more items than \"%.*s\": null fills the place of a value "
                    "that is not there",
                    SLICE_ARGS(frame->name), SLICE_ARGS(frame->name));
            break;
        }
        frame->index = count;
        check_item(run, (struct value){member, member->type, v, e}, frame);
        v = v != NULL ? json_next(v) : NULL;
        e = e != NULL ? json_next(e) : NULL;
    }
    frame->index = FRAME_SINGLE;
    const struct model_element *element = member->element;
    if (element->max != MODEL_MANY && count > element->max) {
        run_add(run, DIAG_VALIDATE_CARDINALITY, json != NULL ? json : extra, frame,
                "is given %zu times, and at most %u are allowed", count, element->max);
    } else if (count < element->min) {
        run_add(run, DIAG_VALIDATE_CARDINALITY, json != NULL ? json : extra, frame,
                "is given %zu times, and at least %u are required", count, element->min);
    }
}

static void check_single(struct run *run, const struct model_member *member,
                         const struct json *json, const struct json *extra, struct frame *frame)
{
    const struct json *array = json_is(json, JSON_ARRAY)    ? json
                               : json_is(extra, JSON_ARRAY) ? extra
                                                            : NULL;
    if (array != NULL) {
        struct diag *diag = run_add(run, DIAG_VALIDATE_ARRAY, array, frame,
                                    "does not repeat, so it must not be an array");
        diag_hint(run->diags, diag, "take the [ ] away");
        return;
    }
    if (is_null(json) || is_null(extra)) {
        struct diag *diag =
            run_add(run, DIAG_VALIDATE_NULL, is_null(json) ? json : extra, frame, "is null");
        diag_hint(run->diags, diag, "leave the element out");
        return;
    }
    check_value(run, &(struct value){member, member->type, json, extra}, frame);
}

/* ---- one object ---- */

/* False: the same choice was there before, under another name. */
static bool note_seen(struct run *run, struct seen *seen, const struct model_member *member,
                      struct slice name, const struct json *json, const struct frame *frame)
{
    if (model_is_choice(member->element)) {
        for (size_t i = 0; i < seen->count; i++) {
            if (seen->at[i] == member->element) {
                struct diag *diag = run_add(run, DIAG_VALIDATE_CHOICE, json, frame,
                                            "is given twice: as %.*s and as %.*s",
                                            SLICE_ARGS(seen->names[i]), SLICE_ARGS(name));
                diag->span = json_name_span(run->source, json);
                diag_hint(run->diags, diag, "a choice has one value: take one of them away");
                return false;
            }
        }
    }
    seen->at[seen->count] = member->element;
    seen->names[seen->count++] = name;
    return true;
}

static void tell_missing(struct run *run, const struct model_element *element,
                         const struct json *object, const struct frame *frame)
{
    struct frame child = child_frame(run, frame, element);
    struct diag *diag =
        run_add(run, DIAG_VALIDATE_CARDINALITY, object, &child, "is required, and missing");
    if (model_is_choice(element)) {
        diag_hint(run->diags, diag, "write %.*s%s",
                  SLICE_ARGS(model_element_json_name(run->model, element, 0)),
                  element->type_count > 1 ? ", or the same with another type" : "");
    }
}

static void check_required(struct run *run, const struct model_type *type, const struct seen *seen,
                           const struct json *object, const struct frame *frame)
{
    for (size_t i = 0; i < type->element_count; i++) {
        const struct model_element *element = model_element_at(run->model, type, i);
        if (element->min == 0) {
            continue;
        }
        size_t at = 0;
        while (at < seen->count && seen->at[at] != element) {
            at++;
        }
        if (at == seen->count) {
            tell_missing(run, element, object, frame);
        }
    }
}

/* "_birthDate" beside "birthDate"; NULL when it is not there. */
static const struct json *companion(const struct json *object, struct slice name)
{
    char text[128];
    if (name.len + 1 > sizeof text) {
        return NULL;
    }
    text[0] = '_';
    memcpy(text + 1, name.at, name.len);
    return json_member(object, (struct slice){text, name.len + 1});
}

static bool has_companions(const struct json *object)
{
    for (const struct json *m = json_first(object); m != NULL; m = json_next(m)) {
        struct slice name = json_name(m);
        if (name.len > 1 && name.at[0] == '_') {
            return true;
        }
    }
    return false;
}

static void check_member(struct run *run, const struct model_type *type, const struct json *object,
                         const struct json *json, bool companions, struct seen *seen,
                         const struct frame *frame)
{
    struct slice name = json_name(json);
    bool extra = name.len > 1 && name.at[0] == '_';
    struct slice base = extra ? slice_part(name, 1, name.len) : name;
    struct model_member member = model_element_by_json(run->model, type, base);
    if (member.element == NULL || (extra && member.type->kind != MODEL_PRIMITIVE)) {
        tell_unknown(run, type, json, frame);
        return;
    }
    if (extra && json_member(object, base) != NULL) {
        return; /* looked at together with the value */
    }
    struct frame child = child_frame(run, frame, member.element);
    if (!note_seen(run, seen, &member, base, json, &child)) {
        return;
    }
    const struct json *value = extra ? NULL : json;
    const struct json *beside = extra ? json
                                : companions && member.type->kind == MODEL_PRIMITIVE
                                    ? companion(object, name)
                                    : NULL;
    if (model_repeats(member.element)) {
        check_repeating(run, &member, value, beside, &child);
    } else {
        check_single(run, &member, value, beside, &child);
    }
}

static void check_object(struct run *run, const struct model_type *type, const struct json *object,
                         const struct frame *frame)
{
    if (frame->depth > run->limits->depth) {
        run_add(run, DIAG_VALIDATE_LIMIT, object, frame, "is nested deeper than %zu levels",
                run->limits->depth);
        return;
    }
    if (run_is_full(run)) {
        return;
    }
    const struct model_element *elements[SEEN_MAX];
    struct slice names[SEEN_MAX];
    struct seen seen = {elements, names, 0};
    if (type->element_count > SEEN_MAX) {
        seen.at = ARENA_ARRAY(run->arena, type->element_count, const struct model_element *);
        seen.names = ARENA_ARRAY(run->arena, type->element_count, struct slice);
    }
    bool companions = has_companions(object);
    bool resource = type->kind == MODEL_RESOURCE;
    for (const struct json *m = json_first(object); m != NULL; m = json_next(m)) {
        if (!resource || !slice_is(json_name(m), "resourceType")) {
            check_member(run, type, object, m, companions, &seen, frame);
        }
    }
    check_required(run, type, &seen, object, frame);
    if (slice_is(model_type_name(run->model, type), "Bundle.entry")) {
        check_bundle_entry(run, object, frame);
    }
}

/* ---- resources ---- */

static void hint_resource_type(struct run *run, struct diag *diag, struct slice name)
{
    if (run_is_full(run)) {
        return;
    }
    size_t count = model_type_count(run->model);
    struct slice *names = ARENA_ARRAY(run->diags->arena, count, struct slice);
    for (size_t i = 0; i < count; i++) {
        const struct model_type *type = model_type_at(run->model, i);
        bool usable = type->kind == MODEL_RESOURCE && type->abstract == 0;
        names[i] = usable ? model_type_name(run->model, type) : SLICE_NONE;
    }
    diag_hint_nearest(run->diags, diag, name, names, count);
}

/* NULL: told why. */
static const struct model_type *resource_type(struct run *run, const struct json *json,
                                              const struct frame *frame)
{
    const struct json *name = json_get(json, "resourceType");
    if (name == NULL) {
        struct diag *diag =
            run_add(run, DIAG_VALIDATE_TYPE, json, frame, "is no resource: it has no resourceType");
        diag_hint(run->diags, diag, "a resource says what it is: \"resourceType\": \"Patient\"");
        return NULL;
    }
    if (!json_is(name, JSON_STRING)) {
        run_add(run, DIAG_VALIDATE_TYPE, name, frame, "resourceType must be a string, and is %s",
                kind_words(name));
        return NULL;
    }
    struct slice text = json_text(name);
    const struct model_type *type = model_type_find(run->model, text);
    if (type == NULL || type->kind != MODEL_RESOURCE || type->abstract != 0) {
        struct diag *diag =
            run_add(run, DIAG_VALIDATE_TYPE, name, frame, "FHIR %.*s has no resource type \"%.*s\"",
                    SLICE_ARGS(model_version(run->model)), SLICE_ARGS(text));
        hint_resource_type(run, diag, text);
        return NULL;
    }
    return type;
}

static bool is_contained(const struct run *run, const struct model_member *member)
{
    return member != NULL && slice_is(model_element_name(run->model, member->element), "contained");
}

/* What the walk is in changes with each resource, and is as before behind it. */
static void check_content(struct run *run, const struct value *value, const struct frame *frame)
{
    struct run before = *run;
    bool contained = is_contained(run, value->member);
    bool bundle = slice_is(model_type_name(run->model, value->type), "Bundle");
    unsigned errors = run->diags->errors;
    run->resource = value->json;
    if (!contained) {
        run->root = value->json;
        run->contained = (struct text_index){0};
    }
    if (bundle) {
        run->bundle = value->json;
        run->entries = (struct text_index){0};
    }
    check_object(run, value->type, value->json, frame);
    check_invariants(run, value, run->diags->errors != errors, frame);
    run->resource = before.resource;
    if (!contained) {
        run->root = before.root;
        run->contained = before.contained;
    }
    if (bundle) {
        run->bundle = before.bundle;
        run->entries = before.entries;
    }
}

void check_resource(struct run *run, const struct model_member *member,
                    const struct model_type *expected, const struct json *json,
                    const struct frame *frame)
{
    if (!json_is(json, JSON_OBJECT)) {
        run_add(run, DIAG_VALIDATE_KIND, json, frame, "must be a resource (an object), and is %s",
                kind_words(json));
        return;
    }
    const struct model_type *type = resource_type(run, json, frame);
    if (type == NULL) {
        return;
    }
    if (!model_is_subtype(run->model, type, expected)) {
        run_add(run, DIAG_VALIDATE_TYPE, json, frame, "is of type %.*s, which may not stand here",
                SLICE_ARGS(model_type_name(run->model, type)));
        return;
    }
    struct frame named = *frame;
    if (frame->up == NULL) {
        named.name = model_type_name(run->model, type);
    }
    check_content(run, &(struct value){member, type, json, NULL}, &named);
}
