#include "gateway/cli/selection.h"

#include <string.h>

enum kind { TEXT, NUMBER, AGE, FLAG };

static const struct {
    const char *option;
    const char *name; /* in the request */
    enum kind kind;
    bool acts; /* only for verbs that act */
} options[] = {
    {"--ehr", "ehr", TEXT, false},         {"--patient", "patient", TEXT, false},
    {"--mapping", "mapping", TEXT, false}, {"--state", "state", TEXT, false},
    {"--because", "because", TEXT, false}, {"--older", "older", AGE, false},
    {"--newer", "newer", AGE, false},      {"--all", "all", FLAG, false},
    {"--limit", "limit", NUMBER, false},   {"--from", "from", TEXT, false},
    {"--reason", "why", TEXT, true},       {"--dry-run", "dry", FLAG, true},
    {"--last", "last", NUMBER, true},
};

enum { OPTION_COUNT = sizeof options / sizeof *options };

/* "90s", "20min", "2h", "7d" as seconds. */
static bool read_age(struct slice text, uint64_t *seconds_out)
{
    static const struct {
        const char *name;
        uint64_t seconds;
    } units[] = {{"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};
    enum { DIGITS_MOST = 6 };
    size_t digits = 0;
    uint64_t number;
    while (digits < text.len && text.at[digits] >= '0' && text.at[digits] <= '9') {
        digits++;
    }
    if (digits == 0 || digits > DIGITS_MOST ||
        !slice_to_u64(slice_part(text, 0, digits), &number)) {
        return false;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (slice_is(slice_part(text, digits, SIZE_MAX), units[i].name)) {
            *seconds_out = number * units[i].seconds;
            return *seconds_out != 0 && *seconds_out <= INT32_MAX;
        }
    }
    return false;
}

static void add_number(struct cli *cli, struct json *request, const char *name, uint64_t number)
{
    json_add(
        cli->arena, request, slice_of(name),
        json_new_number(cli->arena, arena_printf(cli->arena, "%llu", (unsigned long long)number)));
}

static int add_value(struct cli *cli, const char *verb, struct json *request, size_t option,
                     const char *value)
{
    const char *name = options[option].name;
    uint64_t number;
    if (options[option].kind == TEXT) {
        json_add(cli->arena, request, slice_of(name), json_new_string(cli->arena, slice_of(value)));
        return EXIT_DONE;
    }
    bool good = options[option].kind == AGE ? read_age(slice_of(value), &number)
                                            : slice_to_u64(slice_of(value), &number) && number != 0;
    if (!good) {
        return cli_usage(cli, verb, "%s is %s, not \"%s\"", options[option].option,
                         options[option].kind == AGE ? "an age like 90s, 20min, 2h or 7d"
                                                     : "a number above 0",
                         value);
    }
    add_number(cli, request, name, number);
    return EXIT_DONE;
}

static size_t find_option(const char *argument, bool acts)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if ((acts || !options[i].acts) && strcmp(options[i].option, argument) == 0) {
            return i;
        }
    }
    return OPTION_COUNT;
}

static int read_option(struct cli *cli, int argc, char **argv, int *at, bool acts,
                       struct selection *selection)
{
    size_t option = find_option(argv[*at], acts);
    bool flag = option < OPTION_COUNT && options[option].kind == FLAG;
    if (flag) {
        json_add(cli->arena, selection->request, slice_of(options[option].name),
                 json_new_bool(cli->arena, true));
        return EXIT_DONE;
    }
    if (option < OPTION_COUNT && *at + 1 < argc &&
        json_get(selection->request, options[option].name) == NULL) {
        ++*at;
        return add_value(cli, argv[0], selection->request, option, argv[*at]);
    }
    if (acts && argv[*at][0] != '-' && json_get(selection->request, "what") == NULL) {
        json_add(cli->arena, selection->request, SLICE("what"),
                 json_new_string(cli->arena, slice_of(argv[*at])));
        return EXIT_DONE;
    }
    return cli_usage(cli, argv[0], "does not know \"%s\" here", argv[*at]);
}

int selection_read(struct cli *cli, int argc, char **argv, bool acts, struct selection *out)
{
    struct selection selection = {"/etc/eplan/gateway.yaml", false, json_new_object(cli->arena)};
    int exit = EXIT_DONE;
    json_add(cli->arena, selection.request, SLICE("verb"),
             json_new_string(cli->arena, slice_of(argv[0])));
    for (int i = 1; i < argc && exit == EXIT_DONE; i++) {
        if (strcmp(argv[i], "-c") == 0 && i + 1 < argc) {
            selection.config_path = argv[++i];
        } else if (strcmp(argv[i], "--json") == 0) {
            selection.json = true;
        } else {
            exit = read_option(cli, argc, argv, &i, acts, &selection);
        }
    }
    *out = selection;
    return exit;
}

void selection_set(struct cli *cli, struct selection *selection, const char *name,
                   struct slice value)
{
    struct json *next = json_new_object(cli->arena);
    for (const struct json *at = json_first(selection->request); at != NULL; at = json_next(at)) {
        if (!slice_is(json_name(at), name)) {
            json_add(cli->arena, next, json_name(at), json_copy(cli->arena, at));
        }
    }
    json_add(cli->arena, next, slice_of(name), json_new_string(cli->arena, value));
    selection->request = next;
}
