#include <string.h>

#include "gateway/cli/fhirpath_session.h"
#include "gateway/cli/verbs.h"

struct options {
    const char *file;
    const char *expression;
    bool batch;
    bool ast;
    bool functions;
    const char *variables[FHIRPATH_VARIABLES];
    size_t variable_count;
};

static int take_value(struct cli *cli, int argc, char **argv, int *i, const char **value_out)
{
    if (*i + 1 >= argc) {
        return cli_usage(cli, "fhirpath", "%s needs a value", argv[*i]);
    }
    *value_out = argv[++*i];
    return EXIT_DONE;
}

static int take_variable(struct cli *cli, int argc, char **argv, int *i, struct options *options)
{
    const char *text = NULL;
    int exit = take_value(cli, argc, argv, i, &text);
    if (exit != EXIT_DONE || text == NULL) {
        return exit;
    }
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        return cli_usage(cli, "fhirpath", "--var is followed by NAME=EXPRESSION");
    }
    if (options->variable_count == FHIRPATH_VARIABLES) {
        return cli_usage(cli, "fhirpath", "at most %d variables", FHIRPATH_VARIABLES);
    }
    options->variables[options->variable_count++] = text;
    return EXIT_DONE;
}

static int take_option(struct cli *cli, int argc, char **argv, int *i, struct options *options,
                       struct fhirpath_session *session)
{
    const char *word = argv[*i];
    if (strcmp(word, "-r") == 0) {
        return take_value(cli, argc, argv, i, &options->file);
    }
    if (strcmp(word, "--var") == 0) {
        return take_variable(cli, argc, argv, i, options);
    }
    const struct {
        const char *word;
        bool *flag;
    } flags[] = {{"--strict", &session->strict},
                 {"--trace", &session->trace},
                 {"--batch", &options->batch},
                 {"--ast", &options->ast},
                 {"--functions", &options->functions}};
    for (size_t k = 0; k < sizeof flags / sizeof *flags; k++) {
        if (strcmp(word, flags[k].word) == 0) {
            *flags[k].flag = true;
            return EXIT_DONE;
        }
    }
    if (word[0] == '-' && word[1] == '-' && word[2] != '\0') {
        return cli_usage(cli, "fhirpath", "there is no option %s", word);
    }
    if (options->expression != NULL) {
        return cli_usage(cli, "fhirpath", "one expression, in quotes");
    }
    options->expression = word;
    return EXIT_DONE;
}

/* ---- one expression ---- */

static int exit_of(const struct diag_list *diags)
{
    const struct diag *first = fhirpath_first_error(diags);
    return first != NULL && diag_code_kind(first->code) == KIND_EXECUTION ? EXIT_EVALUATION
                                                                          : EXIT_UNREADABLE;
}

/* Compiles and evaluates; the diagnostics are printed. */
static int evaluate(struct fhirpath_session *session, struct slice name, struct slice text,
                    const struct json *context, const struct path_expr **expr_out,
                    struct path_items *items_out)
{
    struct cli *cli = session->cli;
    struct diag_list diags;
    diag_init(&diags, cli->arena, session->limits.diagnostics);
    const struct source *source = source_create(cli->arena, name, text);
    const struct path_expr *expr = NULL;
    enum status status =
        fhirpath_evaluate(session, cli->arena, source, context, &diags, &expr, items_out);
    cli_print_diags(cli, &diags);
    *expr_out = expr;
    return status == STATUS_OK ? EXIT_DONE : exit_of(&diags);
}

static int set_variables(struct fhirpath_session *session, const struct options *options,
                         const struct json *context)
{
    for (size_t i = 0; i < options->variable_count; i++) {
        struct slice rest = slice_of(options->variables[i]);
        struct slice name;
        slice_cut(&rest, '=', &name);
        const struct path_expr *expr;
        struct path_items items;
        int exit = evaluate(session, arena_printf(session->cli->arena, "%%%.*s", SLICE_ARGS(name)),
                            rest, context, &expr, &items);
        if (exit != EXIT_DONE) {
            return exit;
        }
        session->variables[i] = (struct path_variable){.name = name, .type = path_expr_type(expr)};
        session->values[i] = (struct path_value){.name = name, .items = items};
        session->variable_count = i + 1;
    }
    return EXIT_DONE;
}

static void print_tree(struct cli *cli, const struct path_expr *expr)
{
    struct buf text;
    buf_init(&text, cli->arena, SIZE_MAX / 4);
    path_print_tree(expr, &text);
    fwrite(text.at, 1, text.len, cli->out);
}

static void print_result(struct fhirpath_session *session, struct path_items items)
{
    struct arena *arena = session->cli->arena;
    for (size_t i = 0; i < items.count; i++) {
        struct arena_mark mark = arena_mark(arena);
        struct slice type = path_item_type_name(arena, session->model, &items.at[i]);
        struct slice value =
            json_write(arena, path_item_json(arena, session->model, &items.at[i]), JSON_COMPACT);
        fprintf(session->cli->out, "%.*s\t%.*s\n", SLICE_ARGS(type), SLICE_ARGS(value));
        arena_rewind(arena, mark);
    }
}

static void print_functions(struct cli *cli)
{
    const char *section = "";
    const struct path_function *row;
    for (size_t i = 0; (row = path_function_at(i)) != NULL; i++) {
        if (strcmp(row->section, section) != 0) {
            fprintf(cli->out, "%s%s\n", i == 0 ? "" : "\n", row->section);
            section = row->section;
        }
        fprintf(cli->out, "  %-42s %s\n", row->usage, row->sentence);
    }
}

static int run_one(struct fhirpath_session *session, const struct options *options)
{
    struct cli *cli = session->cli;
    const struct json *context = NULL;
    if (options->file != NULL) {
        struct diag_list diags;
        struct slice why = SLICE_NONE;
        diag_init(&diags, cli->arena, session->limits.diagnostics);
        enum status status =
            fhirpath_read(session, cli->arena, options->file, &diags, &why, &context);
        cli_print_diags(cli, &diags);
        if (status != STATUS_OK) {
            if (why.len != 0) {
                fprintf(cli->err, "%.*s\n", SLICE_ARGS(why));
            }
            return EXIT_UNREADABLE;
        }
    }
    int exit = set_variables(session, options, context);
    if (exit != EXIT_DONE) {
        return exit;
    }
    const struct path_expr *expr;
    struct path_items items = {NULL, 0};
    exit = evaluate(session, SLICE("expression"), slice_of(options->expression), context, &expr,
                    &items);
    if (options->ast && expr != NULL) {
        print_tree(cli, expr);
        return EXIT_DONE;
    }
    print_result(session, items);
    return exit;
}

int verb_fhirpath(struct cli *cli, int argc, char **argv)
{
    struct options options = {.file = NULL};
    struct fhirpath_session session;
    fhirpath_session_init(&session, cli);
    for (int i = 1; i < argc; i++) {
        int exit = take_option(cli, argc, argv, &i, &options, &session);
        if (exit != EXIT_DONE) {
            return exit;
        }
    }
    if (options.functions) {
        print_functions(cli);
        return EXIT_DONE;
    }
    if (options.batch) {
        if (options.expression != NULL || options.file != NULL) {
            return cli_usage(cli, "fhirpath", "--batch takes its expressions from standard input");
        }
        return fhirpath_batch(&session);
    }
    if (options.expression == NULL) {
        return cli_usage(cli, "fhirpath", "an expression is needed");
    }
    return run_one(&session, &options);
}
