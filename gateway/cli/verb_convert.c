#include <stddef.h>
#include <string.h>

#include "fhir/json/json.h"
#include "fhir/model/model.h"
#include "fhir/xml/xml.h"
#include "gateway/cli/verbs.h"

enum format { FORMAT_OTHER, FORMAT_JSON, FORMAT_XML };

struct request {
    const char *path;
    enum format to;
    bool pretty;
    bool lines;
};

/* Reads argv; an exit status other than EXIT_DONE when it is wrong. */
static int read_arguments(struct cli *cli, int argc, char **argv, struct request *out)
{
    struct request request = {0};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--pretty") == 0) {
            request.pretty = true;
        } else if (strcmp(argv[i], "--lines") == 0) {
            request.lines = true;
        } else if (strcmp(argv[i], "--to") == 0) {
            const char *format = i + 1 < argc ? argv[++i] : "";
            request.to = strcmp(format, "json") == 0  ? FORMAT_JSON
                         : strcmp(format, "xml") == 0 ? FORMAT_XML
                                                      : FORMAT_OTHER;
            if (request.to == FORMAT_OTHER) {
                return cli_usage(cli, "convert", "--to takes json or xml");
            }
        } else if (argv[i][0] == '-' && argv[i][1] != '\0') {
            return cli_usage(cli, "convert", "there is no option %s", argv[i]);
        } else if (request.path != NULL) {
            return cli_usage(cli, "convert", "takes one FILE");
        } else {
            request.path = argv[i];
        }
    }
    if (request.path == NULL) {
        return cli_usage(cli, "convert", "FILE is missing; - is standard input");
    }
    if (request.lines && request.pretty) {
        return cli_usage(cli, "convert", "--lines and --pretty exclude each other");
    }
    *out = request;
    return EXIT_DONE;
}

/* Reads a document of either format and writes it in the wanted one. */
static enum status convert(struct arena *arena, const struct source *source,
                           const struct request *request, struct diag_list *diags,
                           struct slice *text_out)
{
    struct limits limits = LIMITS_DEFAULT;
    bool from_xml = xml_looks_like(source->text);
    const struct json *resource;
    enum status status = from_xml ? xml_read(arena, model_r4(), source, &limits, diags, &resource)
                                  : json_parse(arena, source, &limits, diags, &resource);
    if (status != STATUS_OK) {
        return status;
    }
    bool to_xml = request->to == FORMAT_OTHER ? !from_xml : request->to == FORMAT_XML;
    if (to_xml) {
        return xml_write(arena, model_r4(), resource, source,
                         request->pretty ? XML_PRETTY : XML_COMPACT, &limits, diags, text_out);
    }
    *text_out = json_write(arena, resource, request->pretty ? JSON_PRETTY : JSON_COMPACT);
    return STATUS_OK;
}

/* XML on one line: a line end can only stand in a narrative, where &#10; means the same. */
static struct slice one_line(struct arena *arena, struct slice text)
{
    struct buf out;
    buf_init(&out, arena, SIZE_MAX / 4);
    struct slice part;
    for (struct slice rest = text; slice_cut(&rest, '\n', &part);) {
        buf_add_slice(&out, part);
        if (rest.at != NULL) {
            buf_add_cstr(&out, "&#10;");
        }
    }
    return buf_view(&out);
}

/* Tells the faults of one line in the file that it stands in. */
static void print_line_diags(struct cli *cli, const struct source *file, struct source *line,
                             const struct diag_list *diags)
{
    if (diags->first == NULL) {
        return;
    }
    uint32_t *map = ARENA_ARRAY(cli->arena, line->text.len + 1, uint32_t);
    for (size_t i = 0; i <= line->text.len; i++) {
        map[i] = (uint32_t)(line->text.at - file->text.at + (ptrdiff_t)i);
    }
    line->outer = file;
    line->map = map;
    cli_print_diags(cli, diags);
}

static bool convert_line(struct cli *cli, const struct source *file, struct slice text,
                         const struct request *request)
{
    struct arena_mark mark = arena_mark(cli->arena);
    struct source *line = source_create(cli->arena, SLICE("line"), text);
    struct diag_list diags;
    diag_init(&diags, cli->arena, LIMITS_DEFAULT.diagnostics);
    struct slice result;
    enum status status = convert(cli->arena, line, request, &diags, &result);
    print_line_diags(cli, file, line, &diags);
    if (status == STATUS_OK) {
        result = one_line(cli->arena, result);
        fwrite(result.at, 1, result.len, cli->out);
        fputc('\n', cli->out);
    }
    arena_rewind(cli->arena, mark);
    return status == STATUS_OK;
}

static int convert_lines(struct cli *cli, const struct source *file, const struct request *request)
{
    int exit = EXIT_DONE;
    struct slice line;
    for (struct slice rest = file->text; slice_cut(&rest, '\n', &line);) {
        if (slice_trim(line).len != 0 && !convert_line(cli, file, line, request)) {
            exit = EXIT_UNREADABLE;
        }
    }
    return exit;
}

static int convert_whole(struct cli *cli, const struct source *source,
                         const struct request *request)
{
    struct diag_list diags;
    diag_init(&diags, cli->arena, LIMITS_DEFAULT.diagnostics);
    struct slice text;
    enum status status = convert(cli->arena, source, request, &diags, &text);
    cli_print_diags(cli, &diags);
    if (status != STATUS_OK) {
        return EXIT_UNREADABLE;
    }
    fwrite(text.at, 1, text.len, cli->out);
    fputc('\n', cli->out);
    return EXIT_DONE;
}

enum { LINES_BYTES_MOST = 512 * 1024 * 1024 };

int verb_convert(struct cli *cli, int argc, char **argv)
{
    struct request request = {0};
    struct source *source;
    int wrong = read_arguments(cli, argc, argv, &request);
    if (wrong != EXIT_DONE) {
        return wrong;
    }
    size_t ceiling = request.lines ? LINES_BYTES_MOST : LIMITS_DEFAULT.bytes;
    if (cli_read(cli, cli->arena, request.path, ceiling, &source) != STATUS_OK) {
        return EXIT_UNREADABLE;
    }
    return request.lines ? convert_lines(cli, source, &request)
                         : convert_whole(cli, source, &request);
}
