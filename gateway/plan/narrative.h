/*
 * The one renderer of Narrative.text: staff texts of a plan in, XHTML out. Every value is escaped;
 * nothing else makes XHTML. The shape is fixed, so that two plans with the same texts have the same
 * bytes: <div
 * xmlns="http://www.w3.org/1999/xhtml"><p>TITLE</p><p>PARAGRAPH</p><ul><li>LINE</li></ul></div>
 * FHIR R4 narrative.html: status `generated`, one div, no scripts, no external content.
 */
#ifndef GATEWAY_PLAN_NARRATIVE_H
#define GATEWAY_PLAN_NARRATIVE_H

#include <stdbool.h>

#include "fhir/base/arena.h"
#include "fhir/json/json.h"

struct narrative {
    struct slice title;
    struct slice language; /* BCP 47, of all texts here; empty: none is stated */
    struct slice paragraphs[4];
    size_t paragraph_count;
    const struct slice *lines; /* a list below the paragraphs; borrowed during the call */
    size_t line_count;
};

/* A Narrative datatype {status: generated, div: ...}. Lives in the arena. */
struct json *narrative_render(struct arena *arena, const struct narrative *narrative);

/*
 * A text that this page made, told anew for the resource as it stands now: its title and
 * description, or what a Goal or order says; with_lines: and the list of the text given. NULL: the
 * text given is none of ours. Lives in the arena.
 */
struct json *narrative_renew(struct arena *arena, const struct json *text,
                             const struct json *resource, bool with_lines);

/* The language that a text of ours states; may be empty. Borrowed. */
struct slice narrative_language(const struct json *text);

/* What a Goal or an order says of itself; may be empty. Borrowed from the resource. */
struct slice narrative_description(const struct json *resource);

/* Text with & < > " and ' replaced, as it stands in XML content or an attribute. Lives in the
 * arena. */
struct slice narrative_escape(struct arena *arena, struct slice text);

#endif
