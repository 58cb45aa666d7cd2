#include <stdio.h>

#include "fhir/path/eval.h"
#include "fhir/path/type.h"

/* Items: their types, their System values, their JSON. */

struct path_item path_item_of(const struct model *model, const struct json *json,
                              const struct model_type *type)
{
    (void)model;
    struct path_item item = {.kind = PATH_NODE, .type = type};
    bool resource = type != NULL ? type->kind == MODEL_RESOURCE : true;
    item.node = (struct path_node){.json = json, .resource = resource ? json : NULL};
    return item;
}

const struct model_type *path_item_type(const struct model *model, const struct path_item *item)
{
    if (item->kind != PATH_NODE || (item->type != NULL && !item->type->abstract)) {
        return item->kind == PATH_NODE ? item->type : NULL;
    }
    struct slice name = json_get_text(item->node.json, "resourceType");
    const struct model_type *type = name.len != 0 ? model_type_find(model, name) : NULL;
    return type != NULL && type->kind == MODEL_RESOURCE ? type : item->type;
}

struct slice path_item_type_name(struct arena *arena, const struct model *model,
                                 const struct path_item *item)
{
    if (item->kind != PATH_NODE) {
        return arena_printf(arena, "System.%s", kind_name(item->kind));
    }
    const struct model_type *type = path_item_type(model, item);
    if (type == NULL) {
        return SLICE("System.Any");
    }
    return type_ref_text(arena, model, type_ref_of(model, type));
}

struct slice item_words(struct evaluation *eval, const struct path_item *item)
{
    if (item->kind == PATH_NODE && path_item_type(eval->model, item) == NULL) {
        return SLICE("a value of unknown type");
    }
    return path_item_type_name(eval->arena, eval->model, item);
}

/* A type named in the text, and an item. */
bool item_is(struct evaluation *eval, const struct path_item *item, const struct type_spec *spec)
{
    if (item->kind != PATH_NODE) {
        return item->kind == spec->system && spec->system != PATH_NODE;
    }
    if (spec->fhir == NULL) {
        return false;
    }
    if (item->type == NULL && spec->fhir->kind == MODEL_RESOURCE && !spec->fhir->abstract) {
        /* The common filter over a Bundle: by name, without a look into the model. */
        return slice_equal(json_get_text(item->node.json, "resourceType"), spec->fhir_name);
    }
    const struct model_type *type = path_item_type(eval->model, item);
    if (type == NULL || type == spec->fhir) {
        return type == spec->fhir;
    }
    return !spec->exact && model_is_subtype(eval->model, type, spec->fhir);
}

/* ---- System values ---- */

struct path_item item_decimal(struct evaluation *eval, struct decimal value)
{
    struct decimal *copy = arena_alloc(eval->arena, sizeof *copy);
    *copy = value;
    return (struct path_item){.kind = PATH_DECIMAL, .decimal = copy};
}

struct path_item item_quantity(struct evaluation *eval, struct quantity value)
{
    struct quantity *copy = arena_alloc(eval->arena, sizeof *copy);
    *copy = value;
    return (struct path_item){.kind = PATH_QUANTITY, .quantity = copy};
}

static enum path_kind datetime_item_kind(const struct datetime *value)
{
    return value->kind == DATETIME_DATE   ? PATH_DATE
           : value->kind == DATETIME_TIME ? PATH_TIME
                                          : PATH_DATETIME;
}

struct path_item item_datetime(struct evaluation *eval, const struct datetime *value)
{
    struct datetime *copy = arena_alloc(eval->arena, sizeof *copy);
    *copy = *value;
    return (struct path_item){.kind = datetime_item_kind(value), .datetime = copy};
}

struct decimal value_decimal(const struct path_item *value)
{
    return value->kind == PATH_INTEGER ? decimal_from_int64(value->integer) : *value->decimal;
}

struct quantity value_quantity(const struct path_item *value)
{
    return value->kind == PATH_QUANTITY ? *value->quantity
                                        : quantity_of_number(value_decimal(value));
}

static enum status number_value(struct arena *arena, struct slice text, bool whole,
                                struct path_item *value_out)
{
    struct decimal value;
    int64_t integer;
    if (decimal_parse(text, &value) != STATUS_OK) {
        return STATUS_INVALID;
    }
    if (whole) {
        if (decimal_to_int64(value, &integer) != STATUS_OK || integer > INT32_MAX ||
            integer < INT32_MIN) {
            return STATUS_INVALID;
        }
        *value_out = path_item_integer((int32_t)integer);
        return STATUS_OK;
    }
    struct decimal *copy = arena_alloc(arena, sizeof *copy);
    *copy = value;
    *value_out = (struct path_item){.kind = PATH_DECIMAL, .decimal = copy};
    return STATUS_OK;
}

static enum status moment_value(struct arena *arena, struct slice text, enum datetime_form form,
                                struct path_item *value_out)
{
    struct datetime *value = arena_alloc(arena, sizeof *value);
    if (datetime_parse(text, form, value, NULL) != STATUS_OK) {
        return STATUS_INVALID;
    }
    *value_out = (struct path_item){.kind = datetime_item_kind(value), .datetime = value};
    return STATUS_OK;
}

/* FHIR R4 fhirpath.html 2.9.1: a comparator or a missing value leaves a Quantity without a System
 * value. */
static enum status quantity_value(struct arena *arena, const struct json *json,
                                  struct path_item *value_out)
{
    const struct json *number = json_get(json, "value");
    struct decimal value;
    if (!json_is(number, JSON_NUMBER) || json_get(json, "comparator") != NULL) {
        return STATUS_ABSENT;
    }
    if (decimal_parse(json_text(number), &value) != STATUS_OK) {
        return STATUS_INVALID;
    }
    struct quantity *copy = arena_alloc(arena, sizeof *copy);
    *copy = quantity_of_fhir(value, json_get_text(json, "system"), json_get_text(json, "code"),
                             json_get_text(json, "unit"));
    *value_out = (struct path_item){.kind = PATH_QUANTITY, .quantity = copy};
    return STATUS_OK;
}

static enum status untyped_value(struct arena *arena, const struct json *json,
                                 const struct path_item *item, struct path_item *value_out)
{
    switch (json_kind(json)) {
    case JSON_TRUE:
    case JSON_FALSE:
        *value_out = path_item_boolean(json_kind(json) == JSON_TRUE);
        return STATUS_OK;
    case JSON_STRING:
        *value_out = path_item_string(json_text(json));
        return STATUS_OK;
    case JSON_NUMBER:
        if (number_value(arena, json_text(json), true, value_out) == STATUS_OK &&
            memchr(json_text(json).at, '.', json_text(json).len) == NULL) {
            return STATUS_OK;
        }
        return number_value(arena, json_text(json), false, value_out);
    default:
        *value_out = *item;
        return STATUS_OK;
    }
}

static enum status primitive_value(struct arena *arena, const struct model_type *type,
                                   const struct json *json, struct path_item *value_out)
{
    static const enum datetime_form forms[MODEL_SYSTEM_COUNT] = {
        [MODEL_SYSTEM_DATE] = FORM_FHIR_DATE,
        [MODEL_SYSTEM_DATETIME] = FORM_FHIR_DATETIME,
        [MODEL_SYSTEM_TIME] = FORM_FHIR_TIME};
    enum json_kind kind = json_kind(json);
    bool fits = kind == JSON_STRING;
    switch ((enum model_system)type->system) {
    case MODEL_SYSTEM_BOOLEAN:
        *value_out = path_item_boolean(kind == JSON_TRUE);
        return kind == JSON_TRUE || kind == JSON_FALSE ? STATUS_OK : STATUS_INVALID;
    case MODEL_SYSTEM_INTEGER:
    case MODEL_SYSTEM_DECIMAL:
        if (kind != JSON_NUMBER) {
            return STATUS_INVALID;
        }
        return number_value(arena, json_text(json), type->system == MODEL_SYSTEM_INTEGER,
                            value_out);
    case MODEL_SYSTEM_DATE:
    case MODEL_SYSTEM_DATETIME:
    case MODEL_SYSTEM_TIME:
        return fits ? moment_value(arena, json_text(json), forms[type->system], value_out)
                    : STATUS_INVALID;
    default:
        *value_out = path_item_string(json_text(json));
        return fits ? STATUS_OK : STATUS_INVALID;
    }
}

enum status path_item_value(struct arena *arena, const struct model *model,
                            const struct path_item *item, struct path_item *value_out)
{
    if (item->kind != PATH_NODE) {
        *value_out = *item;
        return STATUS_OK;
    }
    const struct json *json = item->node.json;
    if (json == NULL || json_kind(json) == JSON_NULL) {
        return STATUS_ABSENT;
    }
    const struct model_type *type = path_item_type(model, item);
    if (type == NULL) {
        return untyped_value(arena, json, item, value_out);
    }
    if (type->kind == MODEL_PRIMITIVE) {
        return primitive_value(arena, type, json, value_out);
    }
    if (type->system == MODEL_SYSTEM_QUANTITY) {
        enum status status = quantity_value(arena, json, value_out);
        if (status != STATUS_ABSENT) {
            return status;
        }
    }
    *value_out = *item;
    return STATUS_OK;
}

bool item_value(struct evaluation *eval, const struct path_item *item, struct span span,
                struct path_item *value_out)
{
    if (item->kind != PATH_NODE) {
        *value_out = *item;
        return true;
    }
    if (item->type != NULL && item->type->kind == MODEL_PRIMITIVE &&
        item->type->system == MODEL_SYSTEM_STRING && json_is(item->node.json, JSON_STRING)) {
        *value_out = path_item_string(json_text(item->node.json)); /* the common case, at once */
        return true;
    }
    enum status status = path_item_value(eval->arena, eval->model, item, value_out);
    if (status == STATUS_INVALID) {
        struct slice shown = json_write(eval->arena, item->node.json, JSON_COMPACT);
        enum { SHOWN = 40 };
        eval_stop(eval, DIAG_PATH_VALUE, span, NULL, "%.*s is no %.*s",
                  SLICE_ARGS(slice_part(shown, 0, SHOWN)), SLICE_ARGS(item_words(eval, item)));
    }
    return status == STATUS_OK;
}

const struct path_item *single_item(struct evaluation *eval, struct path_items items,
                                    struct span span, const char *what)
{
    if (items.count > 1) {
        eval_stop(eval, DIAG_PATH_SINGLETON, span,
                  "pick one with first(), or go through them with select()",
                  "%s takes one item, and here are %zu", what, items.count);
    }
    return items.count == 1 ? &items.at[0] : NULL;
}

bool single_value(struct evaluation *eval, struct path_items items, struct span span,
                  const char *what, struct path_item *value_out)
{
    const struct path_item *item = single_item(eval, items, span, what);
    return item != NULL && item_value(eval, item, span, value_out);
}

/* ---- text and JSON ---- */

bool item_text(struct evaluation *eval, const struct path_item *value, struct slice *text_out)
{
    char decimal[DECIMAL_TEXT];
    char moment[DATETIME_TEXT];
    char quantity[QUANTITY_TEXT];
    switch (value->kind) {
    case PATH_BOOLEAN:
        *text_out = value->boolean ? SLICE("true") : SLICE("false");
        return true;
    case PATH_STRING:
        *text_out = value->text;
        return true;
    case PATH_INTEGER:
        *text_out = arena_printf(eval->arena, "%lld", (long long)value->integer);
        return true;
    case PATH_DECIMAL:
        *text_out =
            arena_copy(eval->arena, slice_from(decimal, decimal_print(*value->decimal, decimal)));
        return true;
    case PATH_DATE:
    case PATH_DATETIME:
    case PATH_TIME:
        *text_out =
            arena_copy(eval->arena, slice_from(moment, datetime_print(value->datetime, moment)));
        return true;
    case PATH_QUANTITY:
        *text_out = arena_copy(eval->arena,
                               slice_from(quantity, quantity_print(value->quantity, quantity)));
        return true;
    default:
        return false;
    }
}

static const struct json *decimal_json(struct arena *arena, struct decimal value)
{
    char text[DECIMAL_TEXT];
    return json_new_number(arena, slice_from(text, decimal_print(value, text)));
}

/* FHIR R4 fhirpath.html#quantity, read backwards. */
static const char *ucum_of_word(enum calendar_unit unit)
{
    static const char *const codes[] = {
        [CALENDAR_YEAR] = "a",   [CALENDAR_MONTH] = "mo",      [CALENDAR_WEEK] = "wk",
        [CALENDAR_DAY] = "d",    [CALENDAR_HOUR] = "h",        [CALENDAR_MINUTE] = "min",
        [CALENDAR_SECOND] = "s", [CALENDAR_MILLISECOND] = "ms"};
    return codes[unit];
}

static const struct json *quantity_json(struct arena *arena, const struct quantity *quantity)
{
    struct json *json = json_new_object(arena);
    enum calendar_unit word = calendar_unit_of(quantity->unit);
    struct slice code = word != CALENDAR_NONE ? slice_of(ucum_of_word(word)) : quantity->unit;
    char text[DECIMAL_TEXT];
    json_add(arena, json, SLICE("value"),
             json_new_number(arena, slice_from(text, decimal_print(quantity->value, text))));
    json_add(arena, json, SLICE("unit"), json_new_string(arena, quantity->unit));
    json_add(arena, json, SLICE("system"),
             json_new_string(arena, SLICE("http://unitsofmeasure.org")));
    json_add(arena, json, SLICE("code"), json_new_string(arena, code));
    return json;
}

static const struct json *moment_json(struct arena *arena, const struct datetime *value)
{
    char text[DATETIME_TEXT];
    return json_new_string(arena, slice_from(text, datetime_print(value, text)));
}

static struct slice described_name(const struct model *model, const struct path_item *item)
{
    return item->type != NULL ? model_type_name(model, item->type)
                              : slice_of(kind_name(item->described));
}

static struct slice described_base(struct arena *arena, const struct model *model,
                                   const struct path_item *item)
{
    const struct model_type *base = item->type != NULL ? model_type_base(model, item->type) : NULL;
    return base != NULL ? type_ref_text(arena, model, type_ref_of(model, base))
                        : SLICE("System.Any");
}

static const struct json *type_info_json(struct arena *arena, const struct model *model,
                                         const struct path_item *item)
{
    struct json *json = json_new_object(arena);
    json_add(arena, json, SLICE("namespace"),
             json_new_string(arena, item->type != NULL ? SLICE("FHIR") : SLICE("System")));
    json_add(arena, json, SLICE("name"), json_new_string(arena, described_name(model, item)));
    json_add(arena, json, SLICE("baseType"),
             json_new_string(arena, described_base(arena, model, item)));
    return json;
}

const struct json *path_item_json(struct arena *arena, const struct model *model,
                                  const struct path_item *item)
{
    char number[24];
    switch (item->kind) {
    case PATH_NODE:
        return item->node.json != NULL ? item->node.json : json_new_null(arena);
    case PATH_BOOLEAN:
        return json_new_bool(arena, item->boolean);
    case PATH_STRING:
        return json_new_string(arena, item->text);
    case PATH_INTEGER:
        return json_new_number(arena,
                               slice_from(number, (size_t)snprintf(number, sizeof number, "%lld",
                                                                   (long long)item->integer)));
    case PATH_DECIMAL:
        return decimal_json(arena, *item->decimal);
    case PATH_DATE:
    case PATH_DATETIME:
    case PATH_TIME:
        return moment_json(arena, item->datetime);
    case PATH_QUANTITY:
        return quantity_json(arena, item->quantity);
    default:
        return type_info_json(arena, model, item);
    }
}

/* ---- members of System values ---- */

bool system_member(struct evaluation *eval, const struct path_item *item, struct slice name,
                   struct path_item *member_out)
{
    if (item->kind == PATH_QUANTITY && slice_is(name, "value")) {
        *member_out = item_decimal(eval, item->quantity->value);
        return true;
    }
    struct slice text = SLICE_NONE;
    if (item->kind == PATH_QUANTITY && slice_is(name, "unit")) {
        text = item->quantity->unit;
    } else if (item->kind == PATH_TYPE_INFO && slice_is(name, "namespace")) {
        text = item->type != NULL ? SLICE("FHIR") : SLICE("System");
    } else if (item->kind == PATH_TYPE_INFO && slice_is(name, "name")) {
        text = described_name(eval->model, item);
    } else if (item->kind == PATH_TYPE_INFO && slice_is(name, "baseType")) {
        text = described_base(eval->arena, eval->model, item);
    }
    *member_out = path_item_string(text);
    return text.at != NULL;
}
