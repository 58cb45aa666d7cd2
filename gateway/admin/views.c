#include "gateway/admin/views.h"

void view_text(struct arena *arena, struct json *object, const char *name, struct slice text)
{
    if (text.len != 0 && utf8_check(text) == SIZE_MAX) {
        json_add(arena, object, slice_of(name), json_new_string(arena, text));
    }
}

void view_number(struct arena *arena, struct json *object, const char *name, int64_t number)
{
    struct slice text = arena_printf(arena, "%lld", (long long)number);
    json_add(arena, object, slice_of(name), json_new_number(arena, text));
}

void view_bool(struct arena *arena, struct json *object, const char *name, bool value)
{
    json_add(arena, object, slice_of(name), json_new_bool(arena, value));
}

void view_id(struct arena *arena, struct json *object, const char *name, struct uuid id)
{
    char text[UUID_TEXT_SIZE];
    if (!uuid_is_none(id)) {
        uuid_write(id, text);
        view_text(arena, object, name, slice_of(text));
    }
}

void view_time(struct arena *arena, struct json *object, const char *name, int64_t utc_us)
{
    char text[CLOCK_TEXT_SIZE];
    if (utc_us > 0 && utc_us != INT64_MAX) {
        clock_format(utc_us, text);
        view_text(arena, object, name, slice_of(text));
    }
}

void view_reason(struct arena *arena, struct json *object, enum reason reason)
{
    if (reason != REASON_NONE) {
        view_text(arena, object, "reason", slice_of(reason_name(reason)));
        view_text(arena, object, "because", slice_of(reason_sentence(reason)));
        view_text(arena, object, "do", slice_of(reason_advice(reason)));
    }
}
