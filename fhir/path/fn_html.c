#include "fhir/path/eval.h"

/*
 * What FHIR R4 narrative.html allows: well-formed XHTML with one div at its root, elements of the
 * lists below, their attributes, no script, form or reference to the outside but links and images,
 * and some content (txt-1, txt-2). A scanner over the text; nothing is built.
 */

enum { DEPTH_MAX = 64 };

static const char *const elements[] = {
    "a",     "abbr",   "acronym",  "b",   "big",   "blockquote", "br", "caption", "cite",
    "code",  "col",    "colgroup", "dd",  "dfn",   "div",        "dl", "dt",      "em",
    "h1",    "h2",     "h3",       "h4",  "h5",    "h6",         "hr", "i",       "img",
    "li",    "map",    "area",     "ol",  "p",     "pre",        "q",  "samp",    "small",
    "span",  "strong", "sub",      "sup", "table", "tbody",      "td", "tfoot",   "th",
    "thead", "tr",     "tt",       "ul",  "var"};

static const char *const attributes[] = {
    "abbr",       "accesskey",   "align",       "alt",        "axis",   "bgcolor", "border",
    "cellhalign", "cellpadding", "cellspacing", "cellvalign", "char",   "charoff", "charset",
    "cite",       "class",       "colspan",     "compact",    "coords", "dir",     "frame",
    "headers",    "height",      "href",        "hreflang",   "hspace", "id",      "lang",
    "longdesc",   "name",        "nowrap",      "rel",        "rev",    "rowspan", "rules",
    "scope",      "shape",       "span",        "src",        "start",  "style",   "summary",
    "tabindex",   "title",       "type",        "usemap",     "valign", "value",   "vspace",
    "width",      "xml:lang",    "xmlns"};

struct html {
    struct slice text;
    size_t at;
    struct slice open[DEPTH_MAX];
    unsigned depth;
    bool content;
    bool rooted;
};

static bool in_list(struct slice name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_is(name, list[i])) {
            return true;
        }
    }
    return false;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static char peek(const struct html *html)
{
    return html->at < html->text.len ? html->text.at[html->at] : '\0';
}

static void skip_space(struct html *html)
{
    while (is_space(peek(html))) {
        html->at++;
    }
}

static struct slice take_name(struct html *html)
{
    size_t from = html->at;
    while (html->at < html->text.len && strchr(" \t\r\n=/><\"'&", peek(html)) == NULL) {
        html->at++;
    }
    return slice_part(html->text, from, html->at - from);
}

/* &amp; &#233; &#xe9; &nbsp; -- any name: which ones XML knows is its reader's affair. */
static bool take_entity(struct html *html)
{
    size_t end = slice_find(html->text, SLICE(";"), html->at);
    bool fits = end != SIZE_MAX && end - html->at >= 2 && end - html->at < 12;
    html->at = fits ? end + 1 : html->at;
    return fits;
}

static bool take_attribute(struct html *html)
{
    struct slice name = take_name(html);
    skip_space(html);
    if (name.len == 0 || peek(html) != '=' ||
        !in_list(name, attributes, sizeof attributes / sizeof *attributes)) {
        return false;
    }
    html->at++;
    skip_space(html);
    char quote = peek(html);
    if (quote != '"' && quote != '\'') {
        return false;
    }
    html->at++;
    size_t from = html->at;
    while (html->at < html->text.len && peek(html) != quote && peek(html) != '<') {
        html->at++;
    }
    struct slice value = slice_trim(slice_part(html->text, from, html->at - from));
    if (peek(html) != quote) {
        return false;
    }
    html->at++;
    return !slice_starts_with(value, SLICE("javascript:"));
}

static bool open_element(struct html *html)
{
    struct slice name = take_name(html);
    if (!in_list(name, elements, sizeof elements / sizeof *elements) || html->depth == DEPTH_MAX ||
        (html->depth == 0 && (html->rooted || !slice_is(name, "div")))) {
        return false;
    }
    html->rooted = true;
    html->content = html->content || slice_is(name, "img");
    for (;;) {
        skip_space(html);
        if (peek(html) == '>') {
            html->at++;
            html->open[html->depth++] = name;
            return true;
        }
        if (slice_starts_with(slice_part(html->text, html->at, 2), SLICE("/>"))) {
            html->at += 2;
            return true;
        }
        if (!take_attribute(html)) {
            return false;
        }
    }
}

static bool close_element(struct html *html)
{
    html->at++;
    struct slice name = take_name(html);
    skip_space(html);
    if (peek(html) != '>' || html->depth == 0 || !slice_equal(html->open[html->depth - 1], name)) {
        return false;
    }
    html->at++;
    html->depth--;
    return true;
}

static bool take_markup(struct html *html)
{
    struct slice rest = slice_part(html->text, html->at, SIZE_MAX);
    if (slice_starts_with(rest, SLICE("<!--"))) {
        size_t end = slice_find(html->text, SLICE("-->"), html->at + 4);
        html->at = end != SIZE_MAX ? end + 3 : html->at;
        return end != SIZE_MAX;
    }
    html->at++;
    return peek(html) == '/' ? close_element(html) : open_element(html);
}

bool html_is_allowed(struct arena *arena, struct slice text)
{
    struct html *html = ARENA_NEW(arena, struct html);
    html->text = text;
    while (html->at < text.len) {
        char c = peek(html);
        bool inside = html->depth != 0;
        if (c == '<') {
            if (!take_markup(html)) {
                return false;
            }
        } else if (c == '&') {
            if (!inside || !take_entity(html)) {
                return false;
            }
            html->content = true;
        } else {
            if (!inside && !is_space(c)) {
                return false;
            }
            html->content = html->content || !is_space(c);
            html->at++;
        }
    }
    return html->rooted && html->depth == 0 && html->content;
}
