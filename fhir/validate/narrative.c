#include "fhir/validate/run.h"

/*
 * FHIR R4 json.html and narrative.html: the text of Narrative.div is one <div> element in the XHTML
 * namespace. Only the frame is looked at here; what stands inside is the business of the invariants
 * txt-1 and txt-2, which read it as XML.
 */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The value of xmlns in the start tag; SLICE_NONE: none. */
static struct slice default_namespace(struct slice tag)
{
    for (size_t at = slice_find(tag, SLICE("xmlns"), 0); at != SIZE_MAX;
         at = slice_find(tag, SLICE("xmlns"), at + 1)) {
        size_t i = at + 5;
        while (i < tag.len && is_space(tag.at[i])) {
            i++;
        }
        if (at == 0 || !is_space(tag.at[at - 1]) || i >= tag.len || tag.at[i] != '=') {
            continue;
        }
        i++;
        while (i < tag.len && is_space(tag.at[i])) {
            i++;
        }
        if (i < tag.len && (tag.at[i] == '"' || tag.at[i] == '\'')) {
            const char *end = memchr(tag.at + i + 1, tag.at[i], tag.len - i - 1);
            if (end != NULL) {
                return slice_part(tag, i + 1, (size_t)(end - tag.at) - i - 1);
            }
        }
    }
    return SLICE_NONE;
}

const char *narrative_fault(struct slice text)
{
    text = slice_trim(text);
    if (!slice_starts_with(text, SLICE("<div")) || text.len < 5 ||
        !(is_space(text.at[4]) || text.at[4] == '>' || text.at[4] == '/')) {
        return "it does not begin with <div";
    }
    size_t close = slice_find(text, SLICE(">"), 0);
    if (close == SIZE_MAX) {
        return "it has no end of its <div ...>";
    }
    struct slice tag = slice_part(text, 0, close);
    if (!slice_is(default_namespace(tag), "http://www.w3.org/1999/xhtml")) {
        return "it is not in the XHTML namespace";
    }
    bool closed = slice_ends_with(text, SLICE("</div>")) || text.at[close - 1] == '/';
    return closed ? NULL : "it does not end with </div>";
}
