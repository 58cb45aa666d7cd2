#include <stdlib.h>

#include "fhir/validate/run.h"

/* ---- finding among many: sorted, so that hostile keys cost no more than others ---- */

static int compare_rows(const void *left, const void *right)
{
    return slice_compare(((const struct index_row *)left)->key,
                         ((const struct index_row *)right)->key);
}

static void index_add(struct text_index *index, struct slice key, const struct json *value)
{
    if (key.len != 0) {
        index->rows[index->count++] = (struct index_row){key, value};
    }
}

static void index_sort(struct text_index *index)
{
    if (index->count > 1) {
        qsort(index->rows, index->count, sizeof *index->rows, compare_rows);
    }
    index->made = true;
}

static const struct json *index_find(const struct text_index *index, struct slice key)
{
    if (index->count == 0) {
        return NULL;
    }
    struct index_row wanted = {key, NULL};
    const struct index_row *row =
        bsearch(&wanted, index->rows, index->count, sizeof *index->rows, compare_rows);
    return row != NULL ? row->value : NULL;
}

const struct json *find_contained(struct run *run, struct slice id)
{
    if (!run->contained.made) {
        const struct json *contained = json_get(run->root, "contained");
        run->contained.rows = ARENA_ARRAY(run->arena, json_count(contained) + 1, struct index_row);
        for (const struct json *c = json_first(contained); c != NULL; c = json_next(c)) {
            index_add(&run->contained, json_get_text(c, "id"), c);
        }
        index_sort(&run->contained);
    }
    return index_find(&run->contained, id);
}

const struct json *find_entry(struct run *run, struct slice url)
{
    if (run->bundle == NULL) {
        return NULL;
    }
    if (!run->entries.made) {
        const struct json *entries = json_get(run->bundle, "entry");
        run->entries.rows = ARENA_ARRAY(run->arena, 2 * json_count(entries) + 1, struct index_row);
        for (const struct json *e = json_first(entries); e != NULL; e = json_next(e)) {
            const struct json *resource = json_get(e, "resource");
            struct slice type = json_get_text(resource, "resourceType");
            struct slice id = json_get_text(resource, "id");
            if (resource == NULL) {
                continue;
            }
            index_add(&run->entries, json_get_text(e, "fullUrl"), resource);
            if (type.len != 0 && id.len != 0) {
                index_add(&run->entries,
                          arena_printf(run->arena, "%.*s/%.*s", SLICE_ARGS(type), SLICE_ARGS(id)),
                          resource);
            }
        }
        index_sort(&run->entries);
    }
    return index_find(&run->entries, url);
}

/* ---- reading a literal reference (FHIR R4 references.html#literal) ---- */

struct target {
    struct slice type; /* SLICE_NONE: the text does not tell */
    struct slice id;
};

static const struct model_type *resource_named(const struct run *run, struct slice name)
{
    const struct model_type *type = model_type_find(run->model, name);
    return type != NULL && type->kind == MODEL_RESOURCE ? type : NULL;
}

/* Cuts the part behind the last slash off *text. */
static struct slice cut_last(struct slice *text)
{
    size_t at = text->len;
    while (at != 0 && text->at[at - 1] != '/') {
        at--;
    }
    struct slice last = slice_part(*text, at, text->len);
    *text = slice_part(*text, 0, at != 0 ? at - 1 : 0);
    return last;
}

/* "...Type/id" or "...Type/id/_history/version". */
static struct target read_tail(struct slice text)
{
    struct slice rest = text;
    struct slice id = cut_last(&rest);
    struct slice type = cut_last(&rest);
    if (slice_is(type, "_history")) {
        id = cut_last(&rest);
        type = cut_last(&rest);
    }
    return (struct target){type, id};
}

static bool has_scheme(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c == ':') {
            return i != 0;
        }
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (i != 0 && c >= '0' && c <= '9') || (i != 0 && (c == '+' || c == '-' || c == '.')))) {
            return false;
        }
    }
    return false;
}

/* ---- telling ---- */

static void hint_types(struct run *run, struct diag *diag, struct slice name)
{
    if (run_is_full(run)) {
        return;
    }
    size_t count = model_type_count(run->model);
    struct slice *names = ARENA_ARRAY(run->diags->arena, count, struct slice);
    for (size_t i = 0; i < count; i++) {
        const struct model_type *type = model_type_at(run->model, i);
        names[i] = type->kind == MODEL_RESOURCE ? model_type_name(run->model, type) : SLICE_NONE;
    }
    diag_hint_nearest(run->diags, diag, name, names, count);
    if (diag->hint.len == 0) {
        diag_hint(run->diags, diag,
                  "a reference is written Type/id, a whole URL, or #id for a "
                  "contained resource");
    }
}

static struct slice target_names(const struct run *run, const struct value *value)
{
    enum { SHOWN = 8 };
    const struct model_element *element = value->member->element;
    size_t count = model_target_count(run->model, element, value->member->choice);
    struct buf list;
    buf_init(&list, run->diags->arena, SIZE_MAX / 4);
    for (size_t i = 0; i < count && i < SHOWN; i++) {
        buf_add_cstr(&list, i == 0 ? "" : i + 1 == count ? " or " : ", ");
        buf_add_slice(
            &list, model_type_name(run->model,
                                   model_target_at(run->model, element, value->member->choice, i)));
    }
    if (count > SHOWN) {
        buf_add_cstr(&list, " ...");
    }
    return buf_view(&list);
}

static void check_target(struct run *run, const struct value *value, struct slice name,
                         const struct json *at, const struct frame *frame)
{
    const struct model_type *type = resource_named(run, name);
    const struct model_member *member = value->member;
    if (type == NULL || model_target_allows(run->model, member->element, member->choice, type)) {
        return;
    }
    run_add(run, DIAG_VALIDATE_REFERENCE, at, frame, "refers to a %.*s, and may refer to %.*s only",
            SLICE_ARGS(name), SLICE_ARGS(target_names(run, value)));
}

/* ---- the kinds of references; each gives the type of the target, or SLICE_NONE ---- */

static struct slice check_relative(struct run *run, const struct json *at, struct slice text,
                                   const struct frame *frame)
{
    struct slice rest = text;
    struct slice before = SLICE_NONE;
    slice_cut(&rest, '?', &before);
    struct target target = rest.at != NULL ? (struct target){before, SLICE("?")} : read_tail(text);
    if (target.id.len != 0 && resource_named(run, target.type) != NULL) {
        return target.type;
    }
    struct diag *diag = run_add(run, DIAG_VALIDATE_REFERENCE, at, frame,
                                "\"%.*s\" is no reference of the form Type/id", SLICE_ARGS(text));
    hint_types(run, diag, target.type);
    return SLICE_NONE;
}

/* Contained resources: also what invariant ref-1 asks, found by index since the invariant itself
 * looks through all contained resources at each reference. "#" is the container itself. */
static struct slice check_local(struct run *run, const struct json *at, struct slice text,
                                const struct frame *frame)
{
    struct slice id = slice_part(text, 1, text.len);
    const struct json *found = id.len == 0 ? run->root : find_contained(run, id);
    if (found == NULL && !run_is_full(run)) {
        struct diag *diag = run_add(run, DIAG_VALIDATE_REFERENCE, at, frame,
                                    "refers to \"%.*s\", and no contained resource has that id "
                                    "(ref-1)",
                                    SLICE_ARGS(text));
        struct slice *ids = ARENA_ARRAY(run->diags->arena, run->contained.count + 1, struct slice);
        for (size_t i = 0; i < run->contained.count; i++) {
            ids[i] = run->contained.rows[i].key;
        }
        diag_hint_nearest(run->diags, diag, id, ids, run->contained.count);
    }
    return json_get_text(found, "resourceType");
}

static struct slice check_absolute(struct run *run, const struct json *at, struct slice text,
                                   const struct frame *frame)
{
    const struct json *found = find_entry(run, text);
    if (found != NULL) {
        return json_get_text(found, "resourceType");
    }
    bool urn =
        slice_starts_with(text, SLICE("urn:uuid:")) || slice_starts_with(text, SLICE("urn:oid:"));
    if (urn && run->bundle != NULL) {
        struct diag *diag = run_add(run, DIAG_VALIDATE_REFERENCE, at, frame,
                                    "refers to %.*s, and no entry of the Bundle has that fullUrl",
                                    SLICE_ARGS(text));
        diag_hint(run->diags, diag, "such a reference can only be resolved inside its Bundle");
    }
    struct target target = read_tail(text);
    return !urn && resource_named(run, target.type) != NULL ? target.type : SLICE_NONE;
}

void check_reference(struct run *run, const struct value *value, const struct frame *frame)
{
    const struct json *at = json_get(value->json, "reference");
    const struct json *type_at = json_get(value->json, "type");
    struct slice text = json_text(at);
    struct slice said = json_text(type_at);
    struct slice found = SLICE_NONE;
    if (text.len != 0) {
        found = text.at[0] == '#'  ? check_local(run, at, text, frame)
                : has_scheme(text) ? check_absolute(run, at, text, frame)
                                   : check_relative(run, at, text, frame);
        check_target(run, value, found, at, frame);
    }
    if (said.len == 0 || resource_named(run, said) == NULL) {
        return;
    }
    if (found.len != 0 && !slice_equal(found, said)) {
        run_add(run, DIAG_VALIDATE_REFERENCE, type_at, frame,
                "says it refers to a %.*s, and refers to a %.*s", SLICE_ARGS(said),
                SLICE_ARGS(found));
    } else if (found.len == 0) {
        check_target(run, value, said, type_at, frame);
    }
}

/* FHIR R4 bundle.html#bundle-unique: fullUrl is absolute, and agrees with the resource's id. */
void check_bundle_entry(struct run *run, const struct json *entry, const struct frame *frame)
{
    const struct json *at = json_get(entry, "fullUrl");
    const struct json *resource = json_get(entry, "resource");
    struct slice url = json_text(at);
    struct slice id = json_get_text(resource, "id");
    struct slice type = json_get_text(resource, "resourceType");
    if (url.len == 0) {
        return;
    }
    if (!has_scheme(url)) {
        struct diag *diag = run_add(run, DIAG_VALIDATE_BUNDLE, at, frame,
                                    "fullUrl \"%.*s\" is not absolute", SLICE_ARGS(url));
        diag_hint(run->diags, diag, "write the server's base before it, or urn:uuid: and a UUID");
        return;
    }
    struct target target = read_tail(url);
    bool created = slice_is(json_get_text(json_get(entry, "request"), "method"), "POST");
    if (!slice_starts_with(url, SLICE("http")) || created || id.len == 0 || type.len == 0 ||
        resource_named(run, target.type) == NULL) {
        return;
    }
    if (!slice_equal(target.type, type) || !slice_equal(target.id, id)) {
        run_add(run, DIAG_VALIDATE_BUNDLE, at, frame,
                "fullUrl is that of %.*s/%.*s, and the resource is %.*s/%.*s",
                SLICE_ARGS(target.type), SLICE_ARGS(target.id), SLICE_ARGS(type), SLICE_ARGS(id));
    }
}
