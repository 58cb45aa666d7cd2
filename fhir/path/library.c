#include "fhir/path/library.h"

static const struct function functions[] = {
#define FUNCTION(name, run, section, usage, input, args, min, max, result, sentence)               \
    {name, fn_##run, usage, args, input, result, min, max},
#include "fhir/path/functions.def"
};

enum { FUNCTION_COUNT = sizeof functions / sizeof *functions };

static const struct path_function described[] = {
#define FUNCTION(name, run, section, usage, input, args, min, max, result, sentence)               \
    {name, section, usage, sentence},
#define OPERATOR(sign, section, usage, sentence) {sign, section, usage, sentence},
#include "fhir/path/functions.def"
};

const struct path_function *path_function_at(size_t i)
{
    return i < sizeof described / sizeof *described ? &described[i] : NULL;
}

const struct function *function_find(struct slice name)
{
    for (size_t i = 0; i < FUNCTION_COUNT; i++) {
        const char *row = functions[i].name;
        if (name.len != 0 && row[0] == name.at[0] && slice_is(name, row)) {
            return &functions[i];
        }
    }
    return NULL;
}

struct slice function_nearest(struct slice name)
{
    struct slice names[FUNCTION_COUNT];
    for (size_t i = 0; i < FUNCTION_COUNT; i++) {
        names[i] = slice_of(functions[i].name);
    }
    return slice_nearest(name, names, FUNCTION_COUNT);
}

char function_arg(const struct function *function, unsigned i)
{
    size_t len = strlen(function->args);
    if (len != 0 && function->args[len - 1] == '*' && i >= len - 1) {
        return function->args[len - 2];
    }
    return i < len ? function->args[i] : '\0';
}
