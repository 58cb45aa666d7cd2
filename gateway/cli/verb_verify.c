#include <string.h>

#include "gateway/admin/opening.h"
#include "gateway/cli/ask.h"
#include "gateway/cli/verbs.h"
#include "gateway/store/store_verify.h"

static const char *const default_path = "/etc/eplan/gateway.yaml";

struct verify {
    const char *config_path; /* of -c; NULL: not given */
    const char *state_dir;   /* NULL: as the configuration says */
    bool json;
};

static int read_arguments(struct cli *cli, int argc, char **argv, struct verify *verify_out)
{
    struct verify verify = {NULL, NULL, false};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-c") == 0 && i + 1 < argc) {
            verify.config_path = argv[++i];
        } else if (strcmp(argv[i], "--json") == 0) {
            verify.json = true;
        } else if (argv[i][0] != '-' && verify.state_dir == NULL) {
            verify.state_dir = argv[i];
        } else {
            return cli_usage(cli, "verify", "does not know \"%s\"", argv[i]);
        }
    }
    *verify_out = verify;
    return EXIT_DONE;
}

static void destroy_keys(void *arg)
{
    struct keyring *keys = arg;
    keyring_destroy(&keys);
}

/* With a folder alone there are no keys: sealed records are looked at by their checksums. */
static int find_store(struct cli *cli, const struct verify *verify, struct slice *dir_out,
                      const struct keyring **keys_out)
{
    const struct config *config = NULL;
    struct keyring *keys = NULL;
    struct diag_list diags;
    if (verify->state_dir != NULL && verify->config_path == NULL) {
        *dir_out = slice_of(verify->state_dir);
        return EXIT_DONE;
    }
    int exit =
        ask_config(cli, verify->config_path != NULL ? verify->config_path : default_path, &config);
    if (exit != EXIT_DONE) {
        return exit;
    }
    diag_init(&diags, cli->arena, 10);
    if (opening_keys(config, &diags, &keys) != STATUS_OK) {
        cli_print_diags(cli, &diags);
        return EXIT_UNREADABLE;
    }
    arena_defer(cli->arena, destroy_keys, keys);
    *keys_out = keys;
    bool shared = slice_starts_with(config->gateway.store, SLICE("postgres"));
    *dir_out = verify->state_dir != NULL ? slice_of(verify->state_dir)
               : shared                  ? config->gateway.store
                                         : config->gateway.state_dir;
    return EXIT_DONE;
}

/* "S7"; the file itself has no rule. */
static struct slice rule_name(struct arena *arena, unsigned rule)
{
    return rule != 0 ? arena_printf(arena, "S%u", rule) : SLICE("file");
}

static void add_text(struct arena *arena, struct json *object, const char *name, struct slice text)
{
    json_add(arena, object, slice_of(name), json_new_string(arena, text));
}

static void add_number(struct arena *arena, struct json *object, const char *name, size_t number)
{
    json_add(arena, object, slice_of(name),
             json_new_number(arena, arena_printf(arena, "%zu", number)));
}

static void print_json(struct cli *cli, const struct store_faults *faults)
{
    struct arena *arena = cli->arena;
    struct json *answer = json_new_object(arena);
    struct json *list = json_new_array(arena);
    for (size_t i = 0; i < faults->count; i++) {
        struct json *entry = json_new_object(arena);
        add_text(arena, entry, "rule", rule_name(arena, faults->at[i].rule));
        add_text(arena, entry, "fault", faults->at[i].sentence);
        add_text(arena, entry, "where", faults->at[i].where);
        json_append(list, entry);
    }
    json_add(arena, answer, SLICE("ok"), json_new_bool(arena, faults->all == 0));
    add_number(arena, answer, "records", faults->records);
    add_number(arena, answer, "trail-lines", faults->lines);
    add_number(arena, answer, "not-opened", faults->sealed);
    add_number(arena, answer, "found", faults->all);
    json_add(arena, answer, SLICE("faults"), list);
    fprintf(cli->out, "%.*s\n", SLICE_ARGS(json_write(arena, answer, JSON_COMPACT)));
}

static void print_text(struct cli *cli, struct slice dir, const struct store_faults *faults)
{
    for (size_t i = 0; i < faults->count; i++) {
        fprintf(cli->out, "%.*s: %.*s (%.*s)\n",
                SLICE_ARGS(rule_name(cli->arena, faults->at[i].rule)),
                SLICE_ARGS(faults->at[i].sentence), SLICE_ARGS(faults->at[i].where));
    }
    if (faults->all > faults->count) {
        fprintf(cli->out, "and %zu more\n", faults->all - faults->count);
    }
    fprintf(cli->out, "%.*s: %s%zu records and %zu lines of the trail were looked at\n",
            SLICE_ARGS(dir), faults->all == 0 ? "every rule holds; " : "", faults->records,
            faults->lines);
    if (faults->sealed != 0) {
        fprintf(cli->out, "%zu of them are sealed under keys that are not here: checksums only\n",
                faults->sealed);
    }
}

int verb_verify(struct cli *cli, int argc, char **argv)
{
    struct verify verify = {NULL, NULL, false};
    struct slice dir = SLICE_NONE;
    const struct keyring *keys = NULL;
    struct store_faults faults = {0};
    int exit = read_arguments(cli, argc, argv, &verify);
    if (exit == EXIT_DONE) {
        exit = find_store(cli, &verify, &dir, &keys);
    }
    if (exit != EXIT_DONE) {
        return exit;
    }
    if (store_verify(dir, keys, cli->arena, &faults) != STATUS_OK) {
        fprintf(cli->err, "%.*s: there is no store here that can be opened\n", SLICE_ARGS(dir));
        return EXIT_UNREADABLE;
    }
    if (verify.json) {
        print_json(cli, &faults);
    } else {
        print_text(cli, dir, &faults);
    }
    return faults.all == 0 ? EXIT_DONE : EXIT_FOUND;
}
