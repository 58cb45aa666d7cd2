#include "fhir/path/path.h"
#include "gateway/cli/arguments.h"
#include "gateway/cli/line_editor.h"
#include "gateway/cli/verbs.h"
#include "gateway/cli/workbench.h"

enum { WORDS_MOST = 1024 };

struct repl {
    struct cli *cli;
    struct workbench bench;
    struct child child;
    struct slice words[WORDS_MOST];
    size_t variable_count;
    size_t word_count;
    bool failed; /* the last expression did */
};

static void add_word(struct repl *r, struct slice word)
{
    for (size_t i = 0; i < r->word_count; i++) {
        if (slice_equal(r->words[i], word)) {
            return;
        }
    }
    if (r->word_count < WORDS_MOST) {
        r->words[r->word_count++] = word;
    }
}

/* %names, then the functions that begin with a letter. */
static void gather_words(struct repl *r)
{
    const struct slice *names;
    size_t count = mapping_names(r->bench.mapping, r->cli->arena, &names);
    for (size_t i = 0; i < count; i++) {
        add_word(r, arena_printf(r->cli->arena, "%%%.*s", SLICE_ARGS(names[i])));
    }
    r->variable_count = r->word_count;
    const struct path_function *function;
    for (size_t i = 0; (function = path_function_at(i)) != NULL; i++) {
        char first = function->name[0];
        if ((first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z')) {
            add_word(r, slice_of(function->name));
        }
    }
}

static void print_items(struct repl *r, struct path_items items)
{
    struct arena *arena = r->cli->arena;
    const struct model *model = model_r4();
    if (items.count == 0) {
        fputs("nothing\n", r->cli->out);
    }
    for (size_t i = 0; i < items.count; i++) {
        struct slice type = path_item_type_name(arena, model, &items.at[i]);
        struct slice value =
            json_write(arena, path_item_json(arena, model, &items.at[i]), JSON_COMPACT);
        fprintf(r->cli->out, "%.*s\t%.*s\n", SLICE_ARGS(type), SLICE_ARGS(value));
    }
}

static void evaluate_line(struct repl *r, struct slice line)
{
    struct arena *arena = r->cli->arena;
    struct diag_list diags;
    struct path_items items;
    diag_init(&diags, arena, LIMITS_DEFAULT.diagnostics);
    struct source *source = source_create(arena, SLICE("expression"), arena_copy(arena, line));
    enum status status = mapping_ask(r->bench.mapping, arena, &r->child.input, source,
                                     &LIMITS_DEFAULT, &diags, &items);
    cli_print_diags(r->cli, &diags);
    r->failed = status != STATUS_OK;
    if (!r->failed) {
        print_items(r, items);
    }
}

static void print_names(const struct repl *r)
{
    for (size_t i = 0; i < r->variable_count; i++) {
        fprintf(r->cli->out, "%.*s\n", SLICE_ARGS(r->words[i]));
    }
}

static int run(struct repl *r)
{
    struct line_editor *editor = line_editor_open(r->cli, "> ", r->words, r->word_count);
    struct slice line;
    while (line_editor_next(editor, &line)) {
        struct arena_mark mark = arena_mark(r->cli->arena);
        if (slice_is(line, ":quit")) {
            break;
        }
        if (slice_is(line, ":names")) {
            print_names(r);
        } else if (slice_starts_with(line, SLICE(":"))) {
            fputs("commands: :names lists what an expression can name, :quit ends\n", r->cli->err);
        } else if (line.len != 0) {
            evaluate_line(r, line);
        }
        fflush(r->cli->out);
        arena_rewind(r->cli->arena, mark);
    }
    return r->failed ? EXIT_EVALUATION : EXIT_DONE;
}

int verb_repl(struct cli *cli, int argc, char **argv)
{
    struct repl *r = ARENA_NEW(cli->arena, struct repl);
    struct child_choice choice = {.what = NULL};
    const char *words[2];
    const struct argument_option options[] = {{"--visit", NULL, &choice.visit},
                                              {"-c", NULL, &choice.config},
                                              {"--ehr", NULL, &choice.ehr}};
    r->cli = cli;
    int exit =
        arguments_read(cli, argc, argv, options, 3, words, 2, 2, "names a folder and a child");
    if (exit == EXIT_DONE) {
        exit = workbench_open(cli, "repl", words[0], &r->bench);
    }
    if (exit == EXIT_DONE) {
        choice.what = words[1];
        exit = workbench_child(&r->bench, &choice, &r->child);
    }
    if (exit != EXIT_DONE) {
        return exit;
    }
    gather_words(r);
    return run(r);
}
