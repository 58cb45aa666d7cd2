/*
 * FHIR XML and FHIR JSON are two spellings of one element tree; the model tables say how they
 * correspond (FHIR R4 xml.html, json.html). Reading gives the JSON form, writing takes it, so that
 * nothing else in the project knows XML. JSON to XML to JSON is the identity but for the order of
 * members, which becomes the model's, and the spelling of a narrative, which becomes canonical.
 * Document types, entities and the network are refused. The only user of libxml2.
 * Tests: tests/unit/fhir/xml/, tests/convert/, tests/diagnostics/xml-*, fuzzed by fuzz_xml.c.
 */
#ifndef FHIR_XML_XML_H
#define FHIR_XML_XML_H

#include "fhir/base/arena.h"
#include "fhir/base/diag.h"
#include "fhir/base/limits.h"
#include "fhir/base/source.h"
#include "fhir/json/json.h"
#include "fhir/model/model.h"

/* To be called once, before any thread starts and before any other call here. */
void xml_library_init(void);

/*
 * Reads one resource. Every fault is added to diags, not only the first. STATUS_OK: *json_out is
 * set; elements in wrong order have been put right with a warning. STATUS_INVALID, STATUS_LIMIT:
 * *json_out untouched. Values carry offsets: of the tag they stand in (json_span). limits: bytes
 * and nodes of the text; depth as json_parse counts it, so that what is read can be written as JSON
 * and read again. A narrative is kept as canonical text: attributes by name, the XHTML namespace
 * declared on the div and nowhere else, no comments, empty elements as HTML can bear them. Lives in
 * the arena.
 */
enum status xml_read(struct arena *arena, const struct model *model, const struct source *source,
                     const struct limits *limits, struct diag_list *diags,
                     const struct json **json_out);

enum xml_style {
    XML_COMPACT, /* no blanks between elements; line ends only inside a narrative */
    XML_PRETTY,  /* two spaces a level; a narrative stays as it is; ends without newline */
};

/*
 * Writes a resource as a document with XML declaration. Every fault is added to diags, in
 * `source`, the text that the resource was read from (NULL: built). STATUS_OK: *text_out is set,
 * NUL-terminated, lives in the arena. STATUS_INVALID: not a resource of the model, a value of the
 * wrong kind, a narrative that is no XHTML, a character that XML cannot hold; STATUS_LIMIT: deeper
 * than limits->depth. *text_out is then untouched.
 */
enum status xml_write(struct arena *arena, const struct model *model, const struct json *resource,
                      const struct source *source, enum xml_style style,
                      const struct limits *limits, struct diag_list *diags, struct slice *text_out);

/* True when a text that is a JSON or XML document is the latter: its first character is '<', after
 * blanks or a byte order mark. */
bool xml_looks_like(struct slice text);

#endif
