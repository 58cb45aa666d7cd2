#include <stdlib.h>
#include <string.h>

#include "fhir/base/buf.h"
#include "gateway/cli/fhirpath_session.h"

/*
 * `eplan fhirpath --batch`: JSON Lines in, one answer a line, in order, flushed each. An answer to
 * a line that cannot be read is an error of kind syntax. Files are read once. Memory: one arena for
 * the files, one that each line starts anew.
 */

enum { FILES_MAX = 256 };

struct cached_file {
    char *path; /* in the arena of the files */
    const struct json *json;
    struct slice why; /* why it could not be read */
};

struct batch {
    struct fhirpath_session *session;
    struct arena *files_arena;
    struct arena *arena; /* of the line */
    struct cached_file files[FILES_MAX];
    size_t file_count;
    struct slice line;
    struct buf answer;
    const char *wanted;
};

/* ---- answers ---- */

static void add_json_text(struct batch *batch, struct slice text)
{
    buf_add_slice(&batch->answer,
                  json_write(batch->arena, json_new_string(batch->arena, text), JSON_COMPACT));
}

static void answer_error(struct batch *batch, const char *kind, struct place place,
                         struct slice message, struct slice hint)
{
    buf_printf(&batch->answer,
               "\"error\":{\"kind\":\"%s\",\"line\":%u,\"column\":%u,\"message\":", kind,
               place.line, place.column);
    add_json_text(batch, message);
    buf_add_cstr(&batch->answer, ",\"hint\":");
    add_json_text(batch, hint.at != NULL ? hint : SLICE(""));
    buf_add_char(&batch->answer, '}');
}

static void answer_diag(struct batch *batch, const struct diag_list *diags)
{
    const struct diag *diag = fhirpath_first_error(diags);
    if (diag == NULL) {
        answer_error(batch, "execution", (struct place){.line = 1, .column = 1},
                     SLICE("the evaluation failed"), SLICE_NONE);
        return;
    }
    struct place place = {.line = 1, .column = 1};
    if (diag->span.source != NULL) {
        place = span_place(diag->span);
    }
    answer_error(batch, diag_kind_name(diag_code_kind(diag->code)), place, diag->sentence,
                 diag->hint);
}

static void answer_items(struct batch *batch, struct path_items items)
{
    const struct model *model = batch->session->model;
    buf_add_cstr(&batch->answer, "\"result\":[");
    for (size_t i = 0; i < items.count; i++) {
        buf_add_cstr(&batch->answer, i == 0 ? "{\"type\":" : ",{\"type\":");
        add_json_text(batch, path_item_type_name(batch->arena, model, &items.at[i]));
        buf_add_cstr(&batch->answer, ",\"value\":");
        buf_add_slice(&batch->answer,
                      json_write(batch->arena, path_item_json(batch->arena, model, &items.at[i]),
                                 JSON_COMPACT));
        buf_add_char(&batch->answer, '}');
    }
    buf_add_char(&batch->answer, ']');
}

/* ---- files ---- */

static enum status read_file(void *arg)
{
    struct batch *batch = arg;
    struct cached_file *file = &batch->files[batch->file_count];
    struct diag_list diags;
    diag_init(&diags, batch->files_arena, 1);
    file->path = arena_cstr(batch->files_arena, slice_of(batch->wanted));
    file->json = NULL;
    file->why = SLICE_NONE;
    enum status status = fhirpath_read(batch->session, batch->files_arena, file->path, &diags,
                                       &file->why, &file->json);
    if (status != STATUS_OK && file->why.len == 0 && diags.first != NULL) {
        struct buf text;
        buf_init(&text, batch->files_arena, SIZE_MAX / 4);
        struct place place = span_place(diags.first->span);
        buf_printf(&text, "%s:%u:%u: %.*s", file->path, place.line, place.column,
                   SLICE_ARGS(diags.first->sentence));
        file->why = buf_view(&text);
    }
    return STATUS_OK;
}

static const struct cached_file *find_file(struct batch *batch, const char *path)
{
    for (size_t i = 0; i < batch->file_count; i++) {
        if (strcmp(batch->files[i].path, path) == 0) {
            return &batch->files[i];
        }
    }
    if (batch->file_count == FILES_MAX) {
        arena_reset(batch->files_arena);
        batch->file_count = 0;
    }
    batch->wanted = path;
    if (arena_run(batch->files_arena, read_file, batch) != STATUS_OK) {
        return NULL;
    }
    return &batch->files[batch->file_count++];
}

/* ---- one line ---- */

/* The context that the request names. False: the answer tells why there is none. */
static bool take_context(struct batch *batch, const struct json *request,
                         const struct json **context_out)
{
    struct place nowhere = {.line = 1, .column = 1};
    struct slice path = json_get_text(request, "file");
    *context_out = json_get(request, "resource");
    if (path.at == NULL) {
        return true;
    }
    const struct cached_file *file = find_file(batch, arena_cstr(batch->arena, path));
    if (file == NULL) {
        answer_error(batch, "execution", nowhere, SLICE("the file takes more memory than allowed"),
                     SLICE_NONE);
        return false;
    }
    if (file->json == NULL) {
        answer_error(batch, "execution", nowhere, file->why, SLICE_NONE);
        return false;
    }
    *context_out = file->json;
    return true;
}

static void evaluate_request(struct batch *batch, const struct json *request)
{
    const struct json *context;
    struct slice expression = json_get_text(request, "expr");
    if (expression.at == NULL) {
        answer_error(batch, "syntax", (struct place){.line = 1, .column = 1},
                     SLICE("a request has a string \"expr\""), SLICE_NONE);
        return;
    }
    if (!take_context(batch, request, &context)) {
        return;
    }
    struct diag_list diags;
    diag_init(&diags, batch->arena, batch->session->limits.diagnostics);
    const struct source *source = source_create(batch->arena, SLICE("expression"), expression);
    const struct path_expr *expr;
    struct path_items items = {NULL, 0};
    batch->session->strict = json_is(json_get(request, "strict"), JSON_TRUE);
    enum status status =
        fhirpath_evaluate(batch->session, batch->arena, source, context, &diags, &expr, &items);
    if (status == STATUS_OK) {
        answer_items(batch, items);
    } else {
        answer_diag(batch, &diags);
    }
}

static enum status run_line(void *arg)
{
    struct batch *batch = arg;
    const struct json *request = NULL;
    struct diag_list diags;
    diag_init(&diags, batch->arena, 1);
    buf_init(&batch->answer, batch->arena, SIZE_MAX / 4);
    const struct source *source = source_create(batch->arena, SLICE("request"), batch->line);
    enum status status =
        json_parse(batch->arena, source, &batch->session->limits, &diags, &request);
    const struct json *id = status == STATUS_OK ? json_get(request, "id") : NULL;
    buf_add_cstr(&batch->answer, "{\"id\":");
    buf_add_slice(&batch->answer,
                  id != NULL ? json_write(batch->arena, id, JSON_COMPACT) : SLICE("null"));
    buf_add_char(&batch->answer, ',');
    if (status == STATUS_OK) {
        evaluate_request(batch, request);
    } else {
        answer_diag(batch, &diags);
    }
    buf_add_cstr(&batch->answer, "}\n");
    return STATUS_OK;
}

static bool write_answer(struct batch *batch, enum status status)
{
    FILE *out = batch->session->cli->out;
    if (status == STATUS_OK) {
        fwrite(batch->answer.at, 1, batch->answer.len, out);
    } else {
        fputs("{\"id\":null,\"error\":{\"kind\":\"execution\",\"line\":1,\"column\":1,"
              "\"message\":\"this line takes more memory than allowed\",\"hint\":\"\"}}\n",
              out);
    }
    return fflush(out) == 0;
}

/* A line without its end; false at the end of the input. The bytes are borrowed until the next. */
static bool next_line(FILE *in, char **room, size_t *cap, struct slice *line_out)
{
    ssize_t len = getline(room, cap, in);
    if (len < 0) {
        return false;
    }
    *line_out = slice_trim(slice_from(*room, (size_t)len));
    return true;
}

int fhirpath_batch(struct fhirpath_session *session)
{
    struct batch *batch = ARENA_NEW(session->cli->arena, struct batch);
    batch->session = session;
    session->quiet = true;
    batch->files_arena = arena_create((size_t)1 << 30);
    batch->arena = arena_create((size_t)512 << 20);
    if (batch->files_arena == NULL || batch->arena == NULL) {
        arena_destroy(&batch->files_arena);
        arena_destroy(&batch->arena);
        return EXIT_FAULT;
    }
    char *room = NULL;
    size_t cap = 0;
    bool written = true;
    while (written && next_line(session->cli->in, &room, &cap, &batch->line)) {
        if (batch->line.len == 0) {
            continue;
        }
        enum status status = arena_run(batch->arena, run_line, batch);
        written = write_answer(batch, status);
        arena_reset(batch->arena);
    }
    free(room);
    arena_destroy(&batch->arena);
    arena_destroy(&batch->files_arena);
    return written ? EXIT_DONE : EXIT_FAULT;
}
