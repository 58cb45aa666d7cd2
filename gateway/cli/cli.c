#include "gateway/cli/cli.h"

#include <errno.h>
#include <string.h>

#include "fhir/json/json.h"
#include "fhir/xml/xml.h"
#include "gateway/cli/verbs.h"

struct verb {
    const char *name;
    cli_verb *run;
    const char *usage;
    const char *sentence;
};

static const struct verb verbs[] = {
#define VERB(name, function, usage, sentence) {name, function, usage, sentence},
#include "gateway/cli/verbs.def"
#undef VERB
};

enum { VERB_COUNT = sizeof verbs / sizeof *verbs };

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            return &verbs[i];
        }
    }
    return NULL;
}

static void print_help(FILE *out)
{
    fputs("usage: eplan VERB [ARGUMENT ...]\n\n", out);
    for (size_t i = 0; i < VERB_COUNT; i++) {
        fprintf(out, "  %-12s %s\n", verbs[i].name, verbs[i].sentence);
    }
    fputs("\n`eplan VERB --help` tells how a verb is used.\n", out);
}

static void print_verb_usage(FILE *out, const struct verb *verb)
{
    fprintf(out, "usage: eplan %s %s\n", verb->name, verb->usage);
}

int cli_usage(struct cli *cli, const char *verb, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(cli->err, "eplan %s: ", verb);
    vfprintf(cli->err, format, args);
    fputc('\n', cli->err);
    va_end(args);
    const struct verb *row = find_verb(verb);
    if (row != NULL) {
        print_verb_usage(cli->err, row);
    }
    return EXIT_USAGE;
}

enum status cli_read_stream(struct arena *arena, FILE *file, size_t ceiling, struct slice *text_out)
{
    struct buf bytes;
    buf_init(&bytes, arena, ceiling + 1);
    for (;;) {
        size_t room = ceiling + 1 - bytes.len;
        size_t want =
            bytes.len < 65536 ? 65536 : bytes.len; /* doubling: what is copied stays linear */
        if (want > room) {
            want = room;
        }
        char *at = buf_reserve(&bytes, want);
        size_t got = fread(at, 1, want, file);
        bytes.len += got;
        bytes.at[bytes.len] = '\0';
        if (bytes.len > ceiling) {
            return STATUS_LIMIT;
        }
        if (got < want) {
            *text_out = buf_view(&bytes);
            return ferror(file) ? STATUS_IO : STATUS_OK;
        }
    }
}

enum status cli_read(struct cli *cli, struct arena *arena, const char *path, size_t ceiling,
                     struct source **source_out)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? cli->in : fopen(path, "rb");
    if (file == NULL) {
        fprintf(cli->err, "%s: cannot be opened: %s\n", path, strerror(errno));
        return STATUS_IO;
    }
    struct slice text = SLICE_NONE;
    enum status status = cli_read_stream(arena, file, ceiling, &text);
    if (status == STATUS_IO) {
        fprintf(cli->err, "%s: cannot be read: %s\n", path, strerror(errno));
    } else if (status == STATUS_LIMIT) {
        fprintf(cli->err, "%s: is larger than the %zu bytes allowed\n", path, ceiling);
    } else {
        *source_out =
            source_create(arena, standard ? SLICE("standard input") : slice_of(path), text);
    }
    if (!standard) {
        fclose(file);
    }
    return status;
}

void cli_print_diags(struct cli *cli, const struct diag_list *diags)
{
    struct buf text;
    buf_init(&text, cli->arena, SIZE_MAX / 4);
    diag_render_all(diags, &text);
    fwrite(text.at, 1, text.len, cli->err);
}

struct command {
    const struct verb *verb;
    struct cli *cli;
    int argc;
    char **argv;
    int exit;
};

static enum status run_command(void *arg)
{
    struct command *command = arg;
    command->exit = command->verb->run(command->cli, command->argc, command->argv);
    return STATUS_OK;
}

static int run_verb(const struct verb *verb, int argc, char **argv)
{
    struct cli cli = {
        .in = stdin, .out = stdout, .err = stderr, .arena = arena_create((size_t)1 << 30)};
    struct command command = {.verb = verb, .cli = &cli, .argc = argc, .argv = argv};
    if (cli.arena == NULL) {
        fputs("eplan: there is no memory to start\n", stderr);
        return EXIT_FAULT;
    }
    enum status status = arena_run(cli.arena, run_command, &command);
    if (status != STATUS_OK) {
        fprintf(stderr, "eplan %s: gave up: %s\n", verb->name,
                status == STATUS_LIMIT ? "the work is larger than allowed" : "out of memory");
        command.exit = EXIT_FAULT;
    }
    arena_destroy(&cli.arena);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "eplan %s: the result cannot be written: %s\n", verb->name,
                strerror(errno));
        return EXIT_FAULT;
    }
    return command.exit;
}

int cli_main(int argc, char **argv)
{
    json_library_init();
    xml_library_init();
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0) {
        print_help(stdout);
        return EXIT_DONE;
    }
    const struct verb *verb = find_verb(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
    if (verb == NULL) {
        fprintf(stderr, "eplan: there is no verb \"%s\"\n", argv[1]);
        struct slice names[VERB_COUNT];
        for (size_t i = 0; i < VERB_COUNT; i++) {
            names[i] = slice_of(verbs[i].name);
        }
        struct slice near = slice_nearest(slice_of(argv[1]), names, VERB_COUNT);
        if (near.at != NULL) {
            fprintf(stderr, "  hint: did you mean \"%.*s\"?\n", SLICE_ARGS(near));
        } else {
            fputs("  hint: `eplan help` lists them\n", stderr);
        }
        return EXIT_USAGE;
    }
    if (argc > 2 && strcmp(argv[2], "--help") == 0) {
        print_verb_usage(stdout, verb);
        printf("%s\n", verb->sentence);
        return EXIT_DONE;
    }
    return run_verb(verb, argc - 1, argv + 1);
}
