#include "gateway/ehr/seen.h"

enum { FIRST_ROOM = 64 };

void seen_init(struct seen *seen, struct arena *arena)
{
    *seen = (struct seen){.arena = arena, .room = FIRST_ROOM};
    seen->places = ARENA_ARRAY(arena, seen->room, struct seen_place);
}

static struct seen_place *place_of(const struct seen *seen, struct slice text)
{
    size_t i = (size_t)slice_hash(text) & (seen->room - 1);
    while (seen->places[i].text.at != NULL && !slice_equal(seen->places[i].text, text)) {
        i = (i + 1) & (seen->room - 1);
    }
    return &seen->places[i];
}

static void grow(struct seen *seen)
{
    struct seen larger = {.arena = seen->arena, .room = seen->room * 2, .count = seen->count};
    larger.places = ARENA_ARRAY(seen->arena, larger.room, struct seen_place);
    for (size_t i = 0; i < seen->room; i++) {
        if (seen->places[i].text.at != NULL) {
            *place_of(&larger, seen->places[i].text) = seen->places[i];
        }
    }
    *seen = larger;
}

bool seen_add(struct seen *seen, struct slice text, size_t *number_out)
{
    struct seen_place *place = place_of(seen, text);
    if (place->text.at != NULL) {
        *number_out = place->number;
        return false;
    }
    *place = (struct seen_place){text, seen->count++};
    *number_out = place->number;
    if (seen->count > seen->room / 2) {
        grow(seen);
    }
    return true;
}
