// uses: fhir/xml
/*
 * Any bytes as a FHIR document, XML or JSON. What is refused has a message in the text. What is
 * read from XML is JSON that our own reader takes, is written as XML and read again, and is then
 * the same; a resource written twice has the same bytes.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "fhir/xml/xml.h"

struct attempt {
    struct arena *arena;
    struct slice text;
    struct limits limits;
};

static void require(bool true_statement, const char *what)
{
    if (!true_statement) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static void check_diags(struct arena *arena, const struct diag_list *diags, enum status status,
                        struct slice text)
{
    require((diags->errors == 0) == (status == STATUS_OK), "what is refused has a message");
    for (const struct diag *diag = diags->first; diag != NULL; diag = diag->next) {
        struct span span = span_outermost(diag->span);
        require(span.source == NULL || span.end <= text.len + 2, "a fault lies in the text");
    }
    struct buf message;
    buf_init(&message, arena, SIZE_MAX / 4);
    diag_render_all(diags, &message);
    require(utf8_check(buf_view(&message)) == SIZE_MAX, "a message is UTF-8");
}

static enum status read_document(struct attempt *a, struct slice text, const struct json **out)
{
    struct diag_list diags;
    diag_init(&diags, a->arena, 20);
    struct source *source = source_create(a->arena, SLICE("input"), text);
    enum status status = xml_looks_like(text)
                             ? xml_read(a->arena, model_r4(), source, &a->limits, &diags, out)
                             : json_parse(a->arena, source, &a->limits, &diags, out);
    check_diags(a->arena, &diags, status, text);
    return status;
}

static enum status write_xml(struct attempt *a, const struct json *json, struct slice text,
                             enum xml_style style, struct slice *out)
{
    struct diag_list diags;
    diag_init(&diags, a->arena, 20);
    struct source *source = text.at != NULL ? source_create(a->arena, SLICE("input"), text) : NULL;
    enum status status =
        xml_write(a->arena, model_r4(), json, source, style, &a->limits, &diags, out);
    check_diags(a->arena, &diags, status, text);
    return status;
}

static enum status attempt_run(void *arg)
{
    struct attempt *a = arg;
    const struct json *given;
    struct slice xml;
    if (read_document(a, a->text, &given) != STATUS_OK) {
        return STATUS_OK;
    }
    enum status written = write_xml(a, given, a->text, XML_COMPACT, &xml);
    if (written != STATUS_OK) {
        require(!xml_looks_like(a->text), "what was read from XML can be written");
        return STATUS_OK;
    }
    /* What is written is canonical: one more round changes nothing. */
    const struct json *read;
    struct slice again;
    require(read_document(a, xml, &read) == STATUS_OK, "what was written is read");
    if (xml_looks_like(a->text)) {
        require(json_equal(given, read), "what was read from XML comes back");
    }
    struct slice json_text = json_write(a->arena, read, JSON_COMPACT);
    const struct json *parsed;
    require(read_document(a, json_text, &parsed) == STATUS_OK, "the JSON form is JSON");
    require(json_equal(parsed, read), "and says the same");
    require(write_xml(a, parsed, json_text, XML_COMPACT, &again) == STATUS_OK, "and is written");
    require(slice_equal(xml, again), "with the same bytes");
    require(write_xml(a, parsed, SLICE_NONE, XML_PRETTY, &again) == STATUS_OK, "pretty, too");
    require(read_document(a, again, &read) == STATUS_OK, "the pretty text is read");
    require(json_equal(parsed, read), "and says the same");
    return STATUS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_library_init();
    xml_library_init();
    struct attempt attempt = {.arena = arena_create(0),
                              .text = slice_from((const char *)data, size),
                              .limits = LIMITS_DEFAULT};
    attempt.limits.bytes = 1 << 20;
    attempt.limits.nodes = 20000;
    if (attempt.arena != NULL) {
        arena_run(attempt.arena, attempt_run, &attempt);
    }
    arena_destroy(&attempt.arena);
    return 0;
}
