#include "gateway/cli/report.h"

#include "fhir/json/json.h"

bool report_option(const char *argument, enum report_format *format_out)
{
    if (slice_is(SLICE("--json"), argument)) {
        *format_out = REPORT_JSON;
        return true;
    }
    if (slice_is(SLICE("--sarif"), argument)) {
        *format_out = REPORT_SARIF;
        return true;
    }
    return false;
}

/* ---- pieces ---- */

static void add_text(struct arena *arena, struct json *object, const char *name, struct slice text)
{
    json_add(arena, object, slice_of(name), json_new_string(arena, text));
}

static void add_number(struct arena *arena, struct json *object, const char *name, unsigned number)
{
    json_add(arena, object, slice_of(name),
             json_new_number(arena, arena_printf(arena, "%u", number)));
}

static struct json *add_object(struct arena *arena, struct json *object, const char *name)
{
    struct json *made = json_new_object(arena);
    json_add(arena, object, slice_of(name), made);
    return made;
}

static struct json *add_array(struct arena *arena, struct json *object, const char *name)
{
    struct json *made = json_new_array(arena);
    json_add(arena, object, slice_of(name), made);
    return made;
}

static struct json *append_object(struct arena *arena, struct json *array)
{
    struct json *made = json_new_object(arena);
    json_append(array, made);
    return made;
}

/* ---- our own document ---- */

static struct json *plain_report(struct arena *arena, const struct diag_list *diags)
{
    struct json *report = json_new_object(arena);
    add_number(arena, report, "errors", diags->errors);
    add_number(arena, report, "untold", diags->dropped);
    struct json *list = add_array(arena, report, "diagnostics");
    for (const struct diag *diag = diags->first; diag != NULL; diag = diag->next) {
        struct json *one = append_object(arena, list);
        struct span span = span_outermost(diag->span);
        add_text(arena, one, "code", slice_of(diag_code_name(diag->code)));
        add_text(arena, one, "severity", slice_of(diag_severity_name(diag->severity)));
        if (span.source != NULL) {
            struct place place = span_place(span);
            add_text(arena, one, "file", span.source->name);
            add_number(arena, one, "line", place.line);
            add_number(arena, one, "column", place.column);
            add_number(arena, one, "endColumn", place.column + place.width);
        }
        add_text(arena, one, "message", diag->sentence);
        if (diag->hint.len != 0) {
            add_text(arena, one, "hint", diag->hint);
        }
    }
    return report;
}

/* ---- SARIF ---- */

/* SARIF 3.58.6 knows note, warning and error. */
static struct slice level_of(enum severity severity)
{
    return severity <= SEVERITY_ERROR     ? SLICE("error")
           : severity == SEVERITY_WARNING ? SLICE("warning")
                                          : SLICE("note");
}

/* A path as a URI reference (RFC 3986): what is not plain is percent-encoded. */
static struct slice uri_of(struct arena *arena, struct slice path)
{
    struct buf uri;
    buf_init(&uri, arena, path.len * 3 + 1);
    while (slice_starts_with(path, SLICE("./"))) {
        path = slice_part(path, 2, SIZE_MAX);
    }
    for (size_t i = 0; i < path.len; i++) {
        char c = path.at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("-._~/", c) != NULL;
        buf_printf(&uri, plain ? "%c" : "%%%02X", (unsigned char)c);
    }
    return buf_view(&uri);
}

static void add_location(struct arena *arena, struct json *result, struct span span)
{
    struct place place = span_place(span);
    struct json *location = append_object(arena, add_array(arena, result, "locations"));
    struct json *physical = add_object(arena, location, "physicalLocation");
    add_text(arena, add_object(arena, physical, "artifactLocation"), "uri",
             uri_of(arena, span.source->name));
    struct json *region = add_object(arena, physical, "region");
    add_number(arena, region, "startLine", place.line);
    add_number(arena, region, "startColumn", place.column);
    add_number(arena, region, "endColumn", place.column + place.width);
    add_text(arena, add_object(arena, region, "snippet"), "text", place.text);
}

static void add_rules(struct arena *arena, struct json *driver, const struct diag_list *diags,
                      unsigned *indices)
{
    struct json *rules = add_array(arena, driver, "rules");
    unsigned count = 0;
    for (int code = 0; code < DIAG_CODE_COUNT; code++) {
        const struct diag *diag = diags->first;
        while (diag != NULL && (int)diag->code != code) {
            diag = diag->next;
        }
        if (diag == NULL) {
            continue;
        }
        struct json *rule = append_object(arena, rules);
        add_text(arena, rule, "id", slice_of(diag_code_name(diag->code)));
        add_text(arena, add_object(arena, rule, "shortDescription"), "text",
                 slice_of(diag_code_summary(diag->code)));
        add_text(arena, add_object(arena, rule, "defaultConfiguration"), "level",
                 level_of(diag_code_severity(diag->code)));
        indices[code] = count++;
    }
}

static struct json *sarif_report(struct arena *arena, const struct diag_list *diags)
{
    unsigned *indices = ARENA_ARRAY(arena, DIAG_CODE_COUNT, unsigned);
    struct json *report = json_new_object(arena);
    add_text(arena, report, "$schema", SLICE("https://json.schemastore.org/sarif-2.1.0.json"));
    add_text(arena, report, "version", SLICE("2.1.0"));
    struct json *run = append_object(arena, add_array(arena, report, "runs"));
    struct json *driver = add_object(arena, add_object(arena, run, "tool"), "driver");
    add_text(arena, driver, "name", SLICE("eplan"));
    add_text(arena, driver, "version", SLICE(EPLAN_VERSION));
    add_rules(arena, driver, diags, indices);
    add_text(arena, run, "columnKind", SLICE("unicodeCodePoints"));
    struct json *results = add_array(arena, run, "results");
    for (const struct diag *diag = diags->first; diag != NULL; diag = diag->next) {
        struct json *result = append_object(arena, results);
        struct span span = span_outermost(diag->span);
        add_text(arena, result, "ruleId", slice_of(diag_code_name(diag->code)));
        add_number(arena, result, "ruleIndex", indices[diag->code]);
        add_text(arena, result, "level", level_of(diag->severity));
        add_text(arena, add_object(arena, result, "message"), "text",
                 diag->hint.len == 0
                     ? diag->sentence
                     : arena_printf(arena, "%.*s (%.*s)", SLICE_ARGS(diag->sentence),
                                    SLICE_ARGS(diag->hint)));
        if (span.source != NULL) {
            add_location(arena, result, span);
        }
    }
    return report;
}

void report_print(struct cli *cli, enum report_format format, const struct diag_list *diags)
{
    if (format == REPORT_TEXT) {
        cli_print_diags(cli, diags);
        return;
    }
    struct json *report =
        format == REPORT_JSON ? plain_report(cli->arena, diags) : sarif_report(cli->arena, diags);
    fprintf(cli->out, "%s\n", json_write(cli->arena, report, JSON_PRETTY).at);
}
