#include "gateway/work/lever.h"

static const struct {
    const char *name;
    const char *did;
} levers[LEVER_COUNT] = {
#define LEVER(id, name, did) [LEVER_##id] = {name, did},
#include "gateway/work/levers.def"
};

const char *lever_name(enum lever lever)
{
    return (unsigned)lever < LEVER_COUNT ? levers[lever].name : "?";
}

const char *lever_did(enum lever lever)
{
    return (unsigned)lever < LEVER_COUNT ? levers[lever].did : "?";
}

bool lever_find(struct slice name, enum lever *lever_out)
{
    for (unsigned i = 0; i < LEVER_COUNT; i++) {
        if (slice_is(name, levers[i].name)) {
            *lever_out = (enum lever)i;
            return true;
        }
    }
    return false;
}
