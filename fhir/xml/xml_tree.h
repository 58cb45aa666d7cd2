/*
 * Text to libxml2's tree, with every guard: no document type, entities, network, other encodings;
 * ceilings on bytes, depth and nodes. Each element knows its offset. For the other files of
 * fhir/xml.
 */
#ifndef FHIR_XML_XML_TREE_H
#define FHIR_XML_XML_TREE_H

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "fhir/base/arena.h"
#include "fhir/base/diag.h"
#include "fhir/base/limits.h"
#include "fhir/base/source.h"

#define FHIR_NAMESPACE "http://hl7.org/fhir"
#define XHTML_NAMESPACE "http://www.w3.org/1999/xhtml"

/* The library's memory is none of the arena's: it is released by xml_tree_close() or, at the
 * latest, with the arena. */
struct xml_tree {
    const xmlNode *root; /* borrowed until xml_tree_close */
    xmlParserCtxt *parser;
    xmlDoc *doc;
};

/*
 * STATUS_INVALID and STATUS_LIMIT: the first fault is in diags. depth: of elements, at most
 * XML_DEPTH_MOST whatever it says. Lives in the arena.
 */
enum { XML_DEPTH_MOST = 250 }; /* the library itself stops at 256 */
enum status xml_tree_open(struct arena *arena, const struct source *source,
                          const struct limits *limits, size_t depth, struct diag_list *diags,
                          struct xml_tree **tree_out);
void xml_tree_close(struct xml_tree *tree);

/* Offset of the '<' of an element's tag. */
uint32_t xml_offset(const xmlNode *element);
/* The tag from '<' to the end of its name. */
struct span xml_tag_span(const struct source *source, const xmlNode *element);
/* The attribute of that name as written in the tag; the tag when it is not there. */
struct span xml_attribute_span(const struct source *source, const xmlNode *element,
                               const xmlAttr *attribute);

/* Text that is not blank, from its first to its last character that is none. */
struct span xml_text_span(const struct source *source, const xmlNode *text);

struct slice xml_name(const xmlNode *element);
/* Of the element's namespace; empty when it is in none. */
struct slice xml_namespace(const xmlNode *element);
/* With entities and character references resolved. Borrowed from the tree, or in the arena. */
struct slice xml_attribute_text(struct arena *arena, const xmlAttr *attribute);
struct slice xml_text(const xmlNode *text);
/* The node itself or the next sibling that is an element or text other than blanks; NULL: none.
 * Comments and processing instructions are not in the tree. */
const xmlNode *xml_content(const xmlNode *node);

#endif
