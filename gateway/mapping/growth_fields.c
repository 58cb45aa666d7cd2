#include "gateway/mapping/growth_fields.h"

static const enum path_kind kinds[] = {
    [GROWTH_INTEGER] = PATH_INTEGER,    [GROWTH_DECIMAL] = PATH_DECIMAL,
    [GROWTH_STRING] = PATH_STRING,      [GROWTH_STRINGS] = PATH_STRING,
    [GROWTH_BOOLEAN] = PATH_BOOLEAN,    [GROWTH_DATE] = PATH_DATE,
    [GROWTH_KILOGRAMS] = PATH_QUANTITY, [GROWTH_CENTIMETRES] = PATH_QUANTITY,
};

struct slice growth_variable_name(enum growth_field field)
{
    static const char *const names[] = {
#define FIELD(id, name, type, value, sentence) "growth." name,
#include "fhir/growth/fields.def"
#undef FIELD
    };
    return slice_of(names[field]);
}

enum path_kind growth_variable_kind(enum growth_field field)
{
    return kinds[growth_field_type(field)];
}

bool growth_variable_is_many(enum growth_field field)
{
    return growth_field_type(field) == GROWTH_STRINGS;
}

/* ---- values ---- */

enum { PLACES = 8, QUANTITY_PLACES = 6 };

static struct path_items one(struct arena *arena, struct path_item item)
{
    struct path_item *items = ARENA_NEW(arena, struct path_item);
    *items = item;
    return (struct path_items){items, 1};
}

static struct path_items decimal_items(struct arena *arena, double number)
{
    struct decimal *decimal = ARENA_NEW(arena, struct decimal);
    if (decimal_from_double(number, PLACES, decimal) != STATUS_OK) {
        return (struct path_items){NULL, 0};
    }
    return one(arena, (struct path_item){.kind = PATH_DECIMAL, .decimal = decimal});
}

static struct path_items quantity_items(struct arena *arena, double number, const char *unit)
{
    struct quantity *quantity = ARENA_NEW(arena, struct quantity);
    quantity->unit = slice_of(unit);
    if (decimal_from_double(number, QUANTITY_PLACES, &quantity->value) != STATUS_OK) {
        return (struct path_items){NULL, 0};
    }
    return one(arena, (struct path_item){.kind = PATH_QUANTITY, .quantity = quantity});
}

static struct path_items date_items(struct arena *arena, struct growth_date date)
{
    struct datetime *datetime = ARENA_NEW(arena, struct datetime);
    *datetime = (struct datetime){.year = (int16_t)date.year,
                                  .month = (uint8_t)date.month,
                                  .day = (uint8_t)date.day,
                                  .kind = DATETIME_DATE,
                                  .part = PART_DAY};
    return one(arena, (struct path_item){.kind = PATH_DATE, .datetime = datetime});
}

static struct path_items flag_items(struct arena *arena, growth_flags flags)
{
    struct path_item *items = ARENA_ARRAY(arena, GROWTH_FLAG_COUNT, struct path_item);
    size_t count = 0;
    for (int flag = 0; flag < GROWTH_FLAG_COUNT; flag++) {
        if (growth_flag_has(flags, (enum growth_flag)flag)) {
            items[count++] = path_item_string(slice_of(growth_flag_name((enum growth_flag)flag)));
        }
    }
    return (struct path_items){items, count};
}

struct path_items growth_variable_items(struct arena *arena, const struct growth_child *child,
                                        const struct growth_visit *visit, enum growth_field field)
{
    struct growth_value value;
    if (!growth_field_get(child, visit, field, &value)) {
        return (struct path_items){NULL, 0};
    }
    switch (value.type) {
    case GROWTH_INTEGER:
        return one(arena, path_item_integer((int32_t)value.number));
    case GROWTH_DECIMAL:
        return decimal_items(arena, value.number);
    case GROWTH_STRING:
        return one(arena, path_item_string(slice_of(value.text)));
    case GROWTH_STRINGS:
        return flag_items(arena, value.flags);
    case GROWTH_BOOLEAN:
        return one(arena, path_item_boolean(value.truth));
    case GROWTH_DATE:
        return date_items(arena, value.date);
    case GROWTH_KILOGRAMS:
        return quantity_items(arena, value.number, "kg");
    case GROWTH_CENTIMETRES:
        return quantity_items(arena, value.number, "cm");
    }
    return (struct path_items){NULL, 0};
}
