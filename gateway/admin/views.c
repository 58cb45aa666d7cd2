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

/* ---- EHRs ---- */

struct choice {
    struct slice name;
    struct slice first;
    size_t count;
    bool found;
};

static void look_at_ehr(void *to, const struct config_ehr *ehr, const struct ehr_health *health)
{
    struct choice *choice = to;
    (void)health;
    choice->first = choice->count++ == 0 ? ehr->name : choice->first;
    choice->found = choice->found || slice_equal(ehr->name, choice->name);
}

bool view_knows_ehr(const struct desk *desk, struct slice name)
{
    struct choice choice = {.name = name};
    desk->each_ehr(desk->arg, look_at_ehr, &choice);
    return choice.found;
}

enum status view_which_ehr(const struct desk *desk, struct arena *arena, struct slice named,
                           struct slice *ehr_out)
{
    struct choice choice = {.name = named};
    if (named.len == 0) {
        desk->each_ehr(desk->arg, look_at_ehr, &choice);
        named = choice.count == 1 ? choice.first : SLICE_NONE;
    }
    if (named.len == 0) {
        return STATUS_INVALID;
    }
    *ehr_out = arena_copy(arena, named);
    return STATUS_OK;
}
