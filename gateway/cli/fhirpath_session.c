#include "gateway/cli/fhirpath_session.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "fhir/xml/xml.h"
#include "gateway/base/clock.h"

void fhirpath_session_init(struct fhirpath_session *session, struct cli *cli)
{
    *session = (struct fhirpath_session){.cli = cli, .model = model_r4(), .limits = LIMITS_DEFAULT};
    int64_t utc = clock_utc(&clock_system);
    time_t seconds = (time_t)(utc / 1000000);
    struct tm local;
    localtime_r(&seconds, &local);
    (void)datetime_from_utc(utc, (int)(local.tm_gmtoff / 60), &session->now);
}

enum status fhirpath_read(struct fhirpath_session *session, struct arena *arena, const char *path,
                          struct diag_list *diags, struct slice *why_out,
                          const struct json **json_out)
{
    FILE *file = strcmp(path, "-") == 0 ? session->cli->in : fopen(path, "rb");
    if (file == NULL) {
        *why_out = arena_printf(arena, "%s cannot be opened: %s", path, strerror(errno));
        return STATUS_IO;
    }
    struct slice text = SLICE_NONE;
    enum status status = cli_read_stream(arena, file, session->limits.bytes, &text);
    int fault = errno;
    if (file != session->cli->in) {
        fclose(file);
    }
    if (status != STATUS_OK) {
        *why_out = status == STATUS_LIMIT
                       ? arena_printf(arena, "%s is larger than the %zu bytes allowed", path,
                                      session->limits.bytes)
                       : arena_printf(arena, "%s cannot be read: %s", path, strerror(fault));
        return status;
    }
    struct slice name = arena_copy(arena, slice_of(path));
    const struct source *source = source_create(arena, name, text);
    return xml_looks_like(text)
               ? xml_read(arena, session->model, source, &session->limits, diags, json_out)
               : json_parse(arena, source, &session->limits, diags, json_out);
}

static void print_items(struct fhirpath_session *session, struct path_items items)
{
    struct arena *arena = session->cli->arena;
    for (size_t i = 0; i < items.count; i++) {
        struct slice type = path_item_type_name(arena, session->model, &items.at[i]);
        struct slice value =
            json_write(arena, path_item_json(arena, session->model, &items.at[i]), JSON_COMPACT);
        fprintf(session->cli->err, "  %.*s\t%.*s\n", SLICE_ARGS(type), SLICE_ARGS(value));
    }
}

static void show_trace(void *arg, struct slice name, struct path_items items)
{
    struct fhirpath_session *session = arg;
    if (!session->quiet) {
        fprintf(session->cli->err, "trace %.*s: %zu\n", SLICE_ARGS(name), items.count);
        print_items(session, items);
    }
}

static void show_step(void *arg, struct span span, struct path_items items)
{
    struct fhirpath_session *session = arg;
    struct place place = span_place(span);
    fprintf(session->cli->err, "%u:%u %.*s: %zu\n", place.line, place.column,
            SLICE_ARGS(span_text(span)), items.count);
    print_items(session, items);
}

enum status fhirpath_evaluate(struct fhirpath_session *session, struct arena *arena,
                              const struct source *source, const struct json *context,
                              struct diag_list *diags, const struct path_expr **expr_out,
                              struct path_items *items_out)
{
    struct path_item item = path_item_of(session->model, context, NULL);
    struct path_items items = {&item, context != NULL};
    struct path_scope scope = {.model = session->model,
                               .context =
                                   context != NULL ? path_item_type(session->model, &item) : NULL,
                               .variables = session->variables,
                               .variable_count = session->variable_count,
                               .strict = session->strict};
    const struct path_expr *expr = NULL;
    enum status status = path_compile(arena, source, &scope, &session->limits, diags, &expr);
    if (status != STATUS_OK) {
        return status;
    }
    *expr_out = expr;
    struct path_env env = {.context = items,
                           .values = session->values,
                           .value_count = session->variable_count,
                           .now = &session->now,
                           .trace = show_trace,
                           .step = session->trace ? show_step : NULL,
                           .arg = session};
    return path_evaluate(expr, &env, arena, &session->limits, diags, items_out);
}

const struct diag *fhirpath_first_error(const struct diag_list *diags)
{
    const struct diag *diag = diags->first;
    while (diag != NULL && diag->severity > SEVERITY_ERROR) {
        diag = diag->next;
    }
    return diag;
}
