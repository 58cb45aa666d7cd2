#include "fhir/xml/xml_shape.h"

#include "fhir/json/json.h"

const struct model_type *shape_resource(const struct model *model, struct slice name,
                                        struct span span, struct diag_list *diags)
{
    const struct model_type *type = model_type_find(model, name);
    if (type != NULL && type->kind == MODEL_RESOURCE && !type->abstract) {
        return type;
    }
    struct diag *diag = diag_add(diags, DIAG_SHAPE_RESOURCE, span, "\"%.*s\" is no resource type",
                                 SLICE_ARGS(name));
    size_t count = 0;
    struct slice *names = ARENA_ARRAY(diags->arena, model_type_count(model), struct slice);
    for (size_t i = 0; i < model_type_count(model); i++) {
        const struct model_type *other = model_type_at(model, i);
        if (other->kind == MODEL_RESOURCE && !other->abstract) {
            names[count++] = model_type_name(model, other);
        }
    }
    diag_hint_nearest(diags, diag, name, names, count);
    return NULL;
}

void shape_unknown(const struct model *model, const struct model_type *type, struct slice name,
                   struct span span, struct diag_list *diags)
{
    struct diag *diag = diag_add(diags, DIAG_SHAPE_ELEMENT, span, "%.*s has no element \"%.*s\"",
                                 SLICE_ARGS(model_type_name(model, type)), SLICE_ARGS(name));
    size_t room = 0;
    for (size_t i = 0; i < type->element_count; i++) {
        room += model_element_at(model, type, i)->type_count;
    }
    size_t count = 0;
    struct slice *names = ARENA_ARRAY(diags->arena, room, struct slice);
    for (size_t i = 0; i < type->element_count; i++) {
        const struct model_element *element = model_element_at(model, type, i);
        for (size_t k = 0; k < element->type_count; k++) {
            names[count++] = model_element_json_name(model, element, k);
        }
        struct slice path_name = model_element_name(model, element);
        if (model_is_choice(element) && slice_equal(path_name, name)) {
            diag_hint(diags, diag, "its name ends in its type: \"%.*s\" for instance",
                      SLICE_ARGS(model_element_json_name(model, element, 0)));
            return;
        }
    }
    diag_hint_nearest(diags, diag, name, names, count);
}

void shape_second_choice(const struct model *model, const struct model_element *element,
                         struct slice name, struct span span, struct diag_list *diags)
{
    struct slice path_name = model_element_name(model, element);
    struct diag *diag = diag_add(diags, DIAG_SHAPE_REPEATED, span, "\"%.*s\" is a second %.*s[x]",
                                 SLICE_ARGS(name), SLICE_ARGS(path_name));
    diag_hint(diags, diag, "it may stand once, in one type");
}

size_t shape_index(const struct model *model, const struct model_type *type,
                   const struct model_element *element, size_t from)
{
    for (size_t i = 0; i < type->element_count; i++) {
        size_t at = (from + i) % type->element_count;
        if (model_element_at(model, type, at) == element) {
            return at;
        }
    }
    return 0; /* does not happen: the element was found in this type */
}

bool shape_is_number(const struct model_type *type)
{
    switch (type->format) {
    case MODEL_FORMAT_DECIMAL:
    case MODEL_FORMAT_INTEGER:
    case MODEL_FORMAT_POSITIVEINT:
    case MODEL_FORMAT_UNSIGNEDINT:
        return true;
    default:
        return false;
    }
}

bool shape_check_number(const struct model *model, const struct model_type *type, struct slice text,
                        struct span span, struct diag_list *diags)
{
    bool whole = type->format != MODEL_FORMAT_DECIMAL;
    bool good =
        text.len != 0 && text.len <= JSON_NUMBER_MOST && json_number_length(text) == text.len;
    for (size_t i = 0; good && whole && i < text.len; i++) {
        good = text.at[i] == '-' || (text.at[i] >= '0' && text.at[i] <= '9');
    }
    if (!good) {
        struct diag *diag = diag_add(diags, DIAG_SHAPE_VALUE, span, "\"%.*s\" is no %.*s",
                                     SLICE_ARGS(text), SLICE_ARGS(model_type_name(model, type)));
        diag_hint(diags, diag,
                  whole ? "digits without leading zero, a minus at most before them"
                        : "digits without leading zero, then maybe a point with digits");
    }
    return good;
}

bool shape_is_any_resource(const struct model_type *type)
{
    return type->kind == MODEL_RESOURCE && type->abstract;
}

bool shape_is_attribute(const struct model_element *element)
{
    return (element->flags & MODEL_XML_ATTR) != 0;
}
