#include <errno.h>

#include "fhir/json/json.h"
#include "fhir/validate/validate.h"
#include "fhir/xml/xml.h"
#include "gateway/cli/verbs.h"

struct validation {
    struct cli *cli;
    const struct validator *validator;
    struct limits limits;
    struct arena *arena;   /* of one resource; emptied after each */
    bool quiet;            /* errors only */
    struct source *source; /* of the resource under way */
    int verdict;           /* on it: EXIT_DONE, EXIT_FOUND or EXIT_UNREADABLE */
    int exit;              /* the worst verdict */
};

static void destroy_arena(void *arg)
{
    struct arena *arena = arg;
    arena_destroy(&arena);
}

static void note_verdict(struct validation *v, int verdict)
{
    v->verdict = verdict;
    if (verdict > v->exit) {
        v->exit = verdict;
    }
}

static void print_diags(struct validation *v, const struct diag_list *diags)
{
    struct buf text;
    buf_init(&text, v->arena, SIZE_MAX / 4);
    for (const struct diag *diag = diags->first; diag != NULL; diag = diag->next) {
        if (!v->quiet || diag->severity <= SEVERITY_ERROR) {
            diag_render(diag, &text);
        }
    }
    if (diags->dropped != 0) {
        buf_printf(&text, "and %u more\n", diags->dropped);
    }
    fwrite(text.at, 1, text.len, v->cli->err);
}

/* Runs inside arena_run(v->arena). */
static enum status check_text(void *arg)
{
    struct validation *v = arg;
    struct diag_list diags;
    const struct json *resource = NULL;
    diag_init(&diags, v->arena, v->limits.diagnostics);
    enum status status =
        xml_looks_like(v->source->text)
            ? xml_read(v->arena, model_r4(), v->source, &v->limits, &diags, &resource)
            : json_parse(v->arena, v->source, &v->limits, &diags, &resource);
    if (status != STATUS_OK) {
        note_verdict(v, EXIT_UNREADABLE);
    } else {
        status = validate_resource(v->validator, v->arena, v->source, resource, &v->limits, &diags);
        note_verdict(v, status == STATUS_OK ? EXIT_DONE : EXIT_FOUND);
    }
    print_diags(v, &diags);
    return STATUS_OK;
}

static void tell_limit(struct validation *v, const char *path, unsigned line, enum status status)
{
    fprintf(v->cli->err, "%s:%u: cannot be checked: %s\n", path, line,
            status == STATUS_LIMIT ? "it is larger than allowed" : "there is no memory");
    note_verdict(v, EXIT_UNREADABLE);
}

/* ---- one document ---- */

struct file_work {
    struct validation *v;
    const char *path;
};

static enum status check_file(void *arg)
{
    struct file_work *work = arg;
    struct validation *v = work->v;
    if (cli_read(v->cli, v->arena, work->path, v->limits.bytes, &v->source) != STATUS_OK) {
        note_verdict(v, EXIT_UNREADABLE);
        return STATUS_ABSENT; /* told already */
    }
    return check_text(v);
}

static void validate_file(struct validation *v, const char *path)
{
    struct file_work work = {v, path};
    enum status status = arena_run(v->arena, check_file, &work);
    if (status == STATUS_LIMIT || status == STATUS_NO_MEMORY) {
        tell_limit(v, path, 1, status);
    }
    if (status != STATUS_ABSENT) {
        static const char *const words[] = {
            [EXIT_DONE] = "valid", [EXIT_FOUND] = "faults", [EXIT_UNREADABLE] = "unreadable"};
        fprintf(v->cli->out, "%s: %s\n", path, words[v->verdict]);
    }
    arena_reset(v->arena);
}

/* ---- NDJSON: a resource a line, in the memory of one ---- */

struct line_work {
    struct validation *v;
    const char *path;
    FILE *file;
    unsigned line; /* from 1 */
    bool ended;
    bool blank;
};

/* Reads up to and without the line end. */
static struct slice read_line(struct line_work *work)
{
    char chunk[4096];
    size_t filled = 0;
    struct buf text;
    buf_init(&text, work->v->arena, work->v->limits.bytes);
    int c = getc_unlocked(work->file);
    while (c != EOF && c != '\n') {
        chunk[filled++] = (char)c;
        if (filled == sizeof chunk) {
            buf_add(&text, chunk, filled);
            filled = 0;
        }
        c = getc_unlocked(work->file);
    }
    buf_add(&text, chunk, filled);
    work->ended = c == EOF;
    return buf_view(&text);
}

static enum status check_line(void *arg)
{
    struct line_work *work = arg;
    struct slice text = read_line(work);
    work->blank = slice_trim(text).len == 0;
    if (work->blank) {
        return STATUS_OK;
    }
    work->v->source = source_create(work->v->arena, slice_of(work->path), text);
    work->v->source->lines_before = work->line - 1;
    return check_text(work->v);
}

/* A line that was too long is left where reading gave up. */
static void skip_line(struct line_work *work)
{
    int c = getc_unlocked(work->file);
    while (c != EOF && c != '\n') {
        c = getc_unlocked(work->file);
    }
    work->ended = c == EOF;
}

static void validate_lines(struct validation *v, const char *path)
{
    struct line_work work = {.v = v, .path = path, .file = fopen(path, "rb")};
    if (work.file == NULL) {
        fprintf(v->cli->err, "%s: cannot be opened: %s\n", path, strerror(errno));
        note_verdict(v, EXIT_UNREADABLE);
        return;
    }
    unsigned counts[EXIT_UNREADABLE + 1] = {0};
    while (!work.ended) {
        work.line++;
        work.blank = false;
        enum status status = arena_run(v->arena, check_line, &work);
        if (status != STATUS_OK) {
            tell_limit(v, path, work.line, status);
            skip_line(&work);
        }
        if (!work.blank) {
            counts[v->verdict]++;
        }
        arena_reset(v->arena);
    }
    if (ferror(work.file) != 0) {
        fprintf(v->cli->err, "%s: cannot be read: %s\n", path, strerror(errno));
        note_verdict(v, EXIT_UNREADABLE);
    }
    fclose(work.file);
    fprintf(v->cli->out, "%s: %u valid, %u with faults, %u unreadable\n", path, counts[EXIT_DONE],
            counts[EXIT_FOUND], counts[EXIT_UNREADABLE]);
}

int verb_validate(struct cli *cli, int argc, char **argv)
{
    struct validation v = {.cli = cli, .limits = LIMITS_DEFAULT};
    int first = 1;
    if (first < argc && strcmp(argv[first], "-q") == 0) {
        v.quiet = true;
        first++;
    }
    if (first >= argc || (argv[first][0] == '-' && argv[first][1] != '\0')) {
        return cli_usage(cli, "validate", "needs a file");
    }
    v.arena = arena_create((size_t)1 << 30);
    if (v.arena == NULL) {
        fputs("eplan validate: there is no memory to start\n", cli->err);
        return EXIT_FAULT;
    }
    arena_defer(cli->arena, destroy_arena, v.arena);
    v.validator = validator_create(cli->arena, model_r4());
    for (int i = first; i < argc; i++) {
        if (slice_ends_with(slice_of(argv[i]), SLICE(".ndjson"))) {
            validate_lines(&v, argv[i]);
        } else {
            validate_file(&v, argv[i]);
        }
    }
    return v.exit;
}
