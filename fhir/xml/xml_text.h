/* Text as XML content or attribute, and the canonical text of a narrative. */
#ifndef FHIR_XML_XML_TEXT_H
#define FHIR_XML_XML_TEXT_H

#include "fhir/base/buf.h"
#include "fhir/xml/xml_tree.h"

/* Offset of the first character that XML 1.0 cannot hold (section 2.2); SIZE_MAX: none. */
size_t xml_impossible(struct slice text);

/* Escaped so that reading gives the same text again: line ends and tabs of an attribute too. */
void xml_add_content(struct buf *out, struct slice text);
void xml_add_attribute(struct buf *out, struct slice text);

/*
 * Appends a narrative, canonical (xml.h). False, and told, when it is not one XHTML div; what was
 * appended is then of no use. Depth is bounded by what xml_tree_open() allowed.
 */
bool xml_add_narrative(struct arena *arena, struct buf *out, const struct source *source,
                       const xmlNode *div, struct diag_list *diags);

#endif
