#include "gateway/cli/ask.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "gateway/admin/admin.h"
#include "gateway/admin/opening.h"

static const char *const default_path = "/etc/eplan/gateway.yaml";

/* ---- arguments ---- */

static bool takes_value(const char *argument, const char *name, unsigned allowed, int i, int argc)
{
    return allowed != 0 && strcmp(argument, name) == 0 && i + 1 < argc;
}

int ask_read(struct cli *cli, int argc, char **argv, unsigned takes, struct ask *ask_out)
{
    struct ask ask = {.config_path = default_path};
    for (int i = 1; i < argc; i++) {
        if (takes_value(argv[i], "-c", 1, i, argc)) {
            ask.config_path = argv[++i];
        } else if (takes_value(argv[i], "--ehr", takes & ASK_EHR, i, argc)) {
            ask.ehr = argv[++i];
        } else if ((takes & ASK_JSON) != 0 && strcmp(argv[i], "--json") == 0) {
            ask.json = true;
        } else if ((takes & ASK_OPEN) != 0 && strcmp(argv[i], "--open") == 0) {
            ask.open = true;
        } else if ((takes & ASK_WHAT) != 0 && argv[i][0] != '-' && ask.what == NULL) {
            ask.what = argv[i];
        } else {
            return cli_usage(cli, argv[0], "does not know \"%s\"", argv[i]);
        }
    }
    if ((takes & ASK_WHAT) != 0 && ask.what == NULL) {
        return cli_usage(cli, argv[0], "names what it is about");
    }
    *ask_out = ask;
    return EXIT_DONE;
}

/* ---- answering for a daemon that does not run ---- */

static void each_configured(void *arg, admin_each *each, void *to)
{
    const struct config *config = arg;
    for (size_t i = 0; i < config->ehr_count; i++) {
        each(to, &config->ehrs[i], NULL);
    }
}

static struct slice account(struct arena *arena)
{
    const struct passwd *entry = getpwuid(geteuid());
    return entry != NULL ? arena_copy(arena, slice_of(entry->pw_name))
                         : arena_printf(arena, "uid-%lu", (unsigned long)geteuid());
}

/* Closed when it has answered, so that the next question can open it again; in any case with the
 * arena. */
struct opened {
    struct store *store;
    struct keyring *keys;
};

static void close_opened(void *arg)
{
    struct opened *opened = arg;
    store_close(&opened->store);
    keyring_destroy(&opened->keys);
}

static int answer_alone(struct cli *cli, const struct config *config, struct slice request,
                        struct slice *answer_out)
{
    struct diag_list diags;
    struct opened *opened = ARENA_NEW(cli->arena, struct opened);
    struct slice path = arena_printf(cli->arena, "%.*s", SLICE_ARGS(config->gateway.state_dir));
    diag_init(&diags, cli->arena, 10);
    if (access(path.at, F_OK) != 0) {
        fprintf(cli->err, "%s: there is no store here, and no daemon runs\n", path.at);
        return EXIT_UNREADABLE;
    }
    enum status status =
        opening_store(config, &clock_system, &random_system, &diags, &opened->keys, &opened->store);
    if (status != STATUS_OK) {
        cli_print_diags(cli, &diags);
        return status == STATUS_REFUSED ? EXIT_AGAIN : EXIT_UNREADABLE;
    }
    arena_defer(cli->arena, close_opened, opened);
    struct desk desk = {.store = opened->store,
                        .clock = &clock_system,
                        .each_ehr = each_configured,
                        .arg = (void *)config};
    *answer_out = desk_answer(&desk, cli->arena, request, account(cli->arena));
    close_opened(opened);
    return EXIT_DONE;
}

/* ---- asking ---- */

static const struct json *request_of(struct cli *cli, const char *verb, const struct ask *ask)
{
    struct json *request = json_new_object(cli->arena);
    json_add(cli->arena, request, SLICE("verb"), json_new_string(cli->arena, slice_of(verb)));
    if (ask->ehr != NULL) {
        json_add(cli->arena, request, SLICE("ehr"),
                 json_new_string(cli->arena, slice_of(ask->ehr)));
    }
    if (ask->what != NULL) {
        json_add(cli->arena, request, SLICE("what"),
                 json_new_string(cli->arena, slice_of(ask->what)));
    }
    if (ask->open) {
        json_add(cli->arena, request, SLICE("open"), json_new_bool(cli->arena, true));
    }
    return request;
}

static int ask_anyone(struct cli *cli, const struct config *config, struct slice request,
                      struct slice *answer_out)
{
    enum status status = admin_ask(cli->arena, config->gateway.state_dir, request, answer_out);
    if (status == STATUS_ABSENT) {
        return answer_alone(cli, config, request, answer_out);
    }
    if (status == STATUS_REFUSED) {
        fprintf(cli->err,
                "%.*s: this account may not ask the gateway\n"
                "  hint: ask as the gateway's own user or as root\n",
                SLICE_ARGS(config->gateway.state_dir));
        return EXIT_USAGE;
    }
    if (status != STATUS_OK) {
        fprintf(cli->err, "the gateway did not answer on %.*s/control.sock\n",
                SLICE_ARGS(config->gateway.state_dir));
        return EXIT_AGAIN;
    }
    return EXIT_DONE;
}

static int take_answer(struct cli *cli, struct slice text, const struct json **answer_out)
{
    struct diag_list diags;
    uint64_t exit = EXIT_FAULT;
    diag_init(&diags, cli->arena, 5);
    if (json_parse(cli->arena, source_create(cli->arena, SLICE("answer"), text), &LIMITS_DEFAULT,
                   &diags, answer_out) != STATUS_OK) {
        cli_print_diags(cli, &diags);
        return EXIT_FAULT;
    }
    if (json_is(json_get(*answer_out, "ok"), JSON_TRUE)) {
        return EXIT_DONE;
    }
    slice_to_u64(json_text(json_get(*answer_out, "exit")), &exit);
    fprintf(cli->err, "eplan: %.*s\n", SLICE_ARGS(json_get_text(*answer_out, "error")));
    return (int)exit;
}

int ask_config(struct cli *cli, const char *config_path, const struct config **config_out)
{
    struct diag_list diags;
    struct config_options options = {.check_files = false};
    diag_init(&diags, cli->arena, 200);
    if (config_load(cli->arena, slice_of(config_path), &options, &diags, config_out) != STATUS_OK) {
        cli_print_diags(cli, &diags);
        return EXIT_UNREADABLE;
    }
    return EXIT_DONE;
}

int ask_request(struct cli *cli, const char *config_path, const struct json *request,
                const struct json **answer_out, struct slice *text_out)
{
    const struct config *config = NULL;
    struct slice answer = SLICE_NONE;
    int exit = ask_config(cli, config_path, &config);
    if (exit == EXIT_DONE) {
        exit = ask_anyone(cli, config, json_write(cli->arena, request, JSON_COMPACT), &answer);
    }
    if (exit == EXIT_DONE) {
        exit = take_answer(cli, answer, answer_out);
    }
    if (exit == EXIT_DONE && text_out != NULL) {
        *text_out = answer;
    }
    return exit;
}

int ask_send(struct cli *cli, const char *verb, const struct ask *ask,
             const struct json **answer_out)
{
    struct slice answer = SLICE_NONE;
    int exit = ask_request(cli, ask->config_path, request_of(cli, verb, ask), answer_out, &answer);
    if (exit == EXIT_DONE && ask->json) {
        fprintf(cli->out, "%.*s\n", SLICE_ARGS(answer));
    }
    return exit;
}

struct slice ask_time(struct cli *cli, const struct json *object, const char *name)
{
    enum { SECONDS = 19 };
    struct slice text = json_get_text(object, name);
    if (text.len < SECONDS) {
        return SLICE("-");
    }
    return arena_printf(cli->arena, "%.*s %.*s UTC", SLICE_ARGS(slice_part(text, 0, 10)),
                        SLICE_ARGS(slice_part(text, 11, 8)));
}

/* ---- what is done beside the store ---- */

int ask_file(struct cli *cli, int argc, char **argv, const char *names,
             const char **config_path_out, const char **file_out)
{
    const char *file = NULL;
    *config_path_out = default_path;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-c") == 0 && i + 1 < argc) {
            *config_path_out = argv[++i];
        } else if (argv[i][0] != '-' && file == NULL) {
            file = argv[i];
        } else {
            return cli_usage(cli, argv[0], "does not know \"%s\"", argv[i]);
        }
    }
    if (file == NULL) {
        return cli_usage(cli, argv[0], "%s", names);
    }
    *file_out = file;
    return EXIT_DONE;
}

int ask_note(struct cli *cli, const char *config_path, const char *verb, const char *file)
{
    struct json *request = json_new_object(cli->arena);
    const struct json *answer = NULL;
    json_add(cli->arena, request, SLICE("verb"), json_new_string(cli->arena, slice_of(verb)));
    json_add(cli->arena, request, SLICE("what"), json_new_string(cli->arena, slice_of(file)));
    return ask_request(cli, config_path, request, &answer, NULL);
}
