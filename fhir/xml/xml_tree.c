#include "fhir/xml/xml_tree.h"

#include <libxml/SAX2.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlerror.h>
#include <strings.h>

#include "fhir/base/buf.h"

enum { NAME_SHOWN = 80 };

/* What the callbacks see. They run inside the library, so they must not allocate from the arena,
 * which may jump: the fault is noted here and told afterwards. */
struct guard {
    struct slice text;
    size_t depth;
    size_t nodes; /* still allowed */
    bool found;
    enum diag_code code;
    int library_code;
    uint32_t start;
    uint32_t end;
    int line;              /* of the tag that is not closed */
    char name[NAME_SHOWN]; /* what the library names first: an entity, attribute, opening tag */
    char other[NAME_SHOWN];
    char message[2 * NAME_SHOWN]; /* the library's own words */
};

static struct guard *guard_of(void *parser)
{
    return ((xmlParserCtxt *)parser)->_private;
}

/* Where the parser stands. There is no conversion between encodings, so bytes are bytes. */
static uint32_t position(void *parser)
{
    long at = xmlByteConsumed(parser);
    size_t len = guard_of(parser)->text.len;
    return at < 0 ? 0 : (size_t)at > len ? (uint32_t)len : (uint32_t)at;
}

/* Offset of the last `c` before `at`; `at` when there is none. */
static uint32_t back_to(struct slice text, uint32_t at, char c)
{
    const char *hit = at != 0 ? memrchr(text.at, c, at) : NULL;
    return hit != NULL ? (uint32_t)(hit - text.at) : at;
}

static void note_fault(void *parser, enum diag_code code, uint32_t start)
{
    struct guard *guard = guard_of(parser);
    if (!guard->found) {
        guard->found = true;
        guard->code = code;
        guard->start = start;
        guard->end = position(parser) > start ? position(parser) : start + 1;
    }
}

static void copy_shown(char shown[], size_t room, const char *text)
{
    size_t len = text != NULL ? strcspn(text, "\n") : 0;
    if (len >= room) {
        len = room - 1;
    }
    if (len != 0) {
        memcpy(shown, text, len);
    }
    shown[len] = '\0';
}

static void on_error(void *parser, xmlErrorPtr error)
{
    struct guard *guard = guard_of(parser);
    if (error->level < XML_ERR_ERROR || guard->found) {
        return;
    }
    note_fault(parser, DIAG_XML_SYNTAX, position(parser));
    guard->library_code = error->code;
    guard->line = error->int1;
    copy_shown(guard->name, sizeof guard->name, error->str1);
    copy_shown(guard->other, sizeof guard->other, error->str2);
    copy_shown(guard->message, sizeof guard->message, error->message);
}

static void on_doctype(void *parser, const xmlChar *name, const xmlChar *public_id,
                       const xmlChar *system_id)
{
    (void)name;
    (void)public_id;
    (void)system_id;
    note_fault(parser, DIAG_XML_DOCTYPE, back_to(guard_of(parser)->text, position(parser), '<'));
    xmlStopParser(parser);
}

/* The signature is the library's. NOLINTNEXTLINE(readability-function-size) */
static void on_start(void *arg, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int namespace_count, const xmlChar **namespaces, int attribute_count,
                     int defaulted_count, const xmlChar **attributes)
{
    xmlParserCtxt *parser = arg;
    struct guard *guard = guard_of(parser);
    /* Within a tag < can only be its first character. */
    uint32_t start = back_to(guard->text, position(parser), '<');
    size_t more = 1 + (size_t)attribute_count;
    if ((size_t)parser->nodeNr >= guard->depth || guard->nodes < more) {
        note_fault(parser, DIAG_XML_LIMIT, start);
        guard->library_code = guard->nodes < more;
        xmlStopParser(parser);
        return;
    }
    guard->nodes -= more;
    xmlSAX2StartElementNs(parser, name, prefix, uri, namespace_count, namespaces, attribute_count,
                          defaulted_count, attributes);
    if (parser->node != NULL) {
        parser->node->_private = (void *)(uintptr_t)start;
    }
}

static void on_text(void *arg, const xmlChar *text, int len)
{
    xmlParserCtxt *parser = arg;
    xmlSAX2Characters(parser, text, len);
    xmlNode *last = parser->node != NULL ? parser->node->last : NULL;
    if (last != NULL && last->type == XML_TEXT_NODE && last->_private == NULL) {
        struct slice source = guard_of(parser)->text;
        uint32_t end = position(parser);
        uint32_t start = end > (uint32_t)len ? end - (uint32_t)len : 0;
        if (memcmp(source.at + start, text, end - start) != 0) { /* it was a reference */
            start = back_to(source, end, '&');
        }
        last->_private = (void *)(uintptr_t)start;
    }
}

/* ---- telling ---- */

struct fault_row {
    int library_code;
    char from;
    const char *sentence;
    const char *hint;
};

static const struct fault_row fault_rows[] = {
#define XML_FAULT(code, from, sentence, hint) {code, from, sentence, hint},
#include "fhir/xml/xml_faults.def"
#undef XML_FAULT
};

static struct span fault_span(const struct source *source, const struct guard *guard, char from)
{
    uint32_t start = from != '\0' ? back_to(source->text, guard->start, from) : guard->start;
    return (struct span){source, start, start < guard->start ? guard->start : guard->end};
}

static void tell_named_character(struct diag_list *diags, struct diag *diag, const char *name)
{
    static const struct {
        const char *name;
        const char *text;
    } rows[] = {{"nbsp", "U+00A0"},         {"copy", "\xc2\xa9"},      {"reg", "\xc2\xae"},
                {"deg", "\xc2\xb0"},        {"plusmn", "\xc2\xb1"},    {"micro", "\xc2\xb5"},
                {"middot", "\xc2\xb7"},     {"frac12", "\xc2\xbd"},    {"times", "\xc3\x97"},
                {"eacute", "\xc3\xa9"},     {"ndash", "\xe2\x80\x93"}, {"mdash", "\xe2\x80\x94"},
                {"hellip", "\xe2\x80\xa6"}, {"euro", "\xe2\x82\xac"},  {"le", "\xe2\x89\xa4"},
                {"ge", "\xe2\x89\xa5"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            diag_hint(diags, diag, "write the character itself: %s", rows[i].text);
            return;
        }
    }
    diag_hint(diags, diag, "write the character itself; an & is written &amp;");
}

static void tell_syntax(const struct source *source, const struct guard *guard,
                        struct diag_list *diags)
{
    struct diag *diag;
    switch (guard->library_code) {
    case XML_ERR_TAG_NAME_MISMATCH:
        diag = diag_add(diags, DIAG_XML_SYNTAX, fault_span(source, guard, '<'), "</%s> closes <%s>",
                        guard->other, guard->name);
        if (source->outer == NULL) { /* else the library's line is none of the file's */
            diag_hint(diags, diag, "<%s> was opened in line %d", guard->name, guard->line);
        } else {
            diag_hint(diags, diag, "<%s> is still open", guard->name);
        }
        return;
    case XML_ERR_UNDECLARED_ENTITY:
    case XML_WAR_UNDECLARED_ENTITY:
        diag = diag_add(diags, DIAG_XML_ENTITY, fault_span(source, guard, '&'),
                        "the entity &%s; is not known in XML", guard->name);
        tell_named_character(diags, diag, guard->name);
        return;
    case XML_NS_ERR_UNDEFINED_NAMESPACE:
        diag = diag_add(diags, DIAG_XML_NAMESPACE, fault_span(source, guard, '<'),
                        "the prefix %s: is not declared", guard->name);
        diag_hint(diags, diag, "elements of FHIR need no prefix: xmlns=\"" FHIR_NAMESPACE "\"");
        return;
    case XML_ERR_NAME_REQUIRED:
        if (guard->start == 0 || source->text.at[guard->start - 1] != '&') {
            break;
        }
        diag = diag_add(diags, DIAG_XML_SYNTAX,
                        (struct span){source, guard->start - 1, guard->start}, "& stands alone");
        diag_hint(diags, diag, "an & itself is written &amp;");
        return;
    case XML_ERR_ATTRIBUTE_REDEFINED:
        diag_add(diags, DIAG_XML_SYNTAX, fault_span(source, guard, '<'),
                 "the attribute %s stands twice", guard->name);
        return;
    default:
        break;
    }
    for (size_t i = 0; i < sizeof fault_rows / sizeof *fault_rows; i++) {
        const struct fault_row *row = &fault_rows[i];
        if (row->library_code == guard->library_code) {
            diag = diag_add(diags, DIAG_XML_SYNTAX, fault_span(source, guard, row->from), "%s",
                            row->sentence);
            if (row->hint != NULL) {
                diag_hint(diags, diag, "%s", row->hint);
            }
            return;
        }
    }
    diag_add(diags, DIAG_XML_SYNTAX, fault_span(source, guard, '\0'),
             "this is not well-formed XML: %s", guard->message);
}

static enum status tell(const struct source *source, const struct guard *guard, size_t depth,
                        const struct limits *limits, struct diag_list *diags)
{
    struct span span = {source, guard->start, guard->end};
    struct diag *diag;
    switch (guard->code) {
    case DIAG_XML_DOCTYPE:
        diag = diag_add(diags, DIAG_XML_DOCTYPE, span, "a document type declaration is refused");
        diag_hint(diags, diag, "take it out: FHIR has none, and entities are not read");
        return STATUS_INVALID;
    case DIAG_XML_LIMIT:
        if (guard->library_code != 0) {
            diag_add(diags, DIAG_XML_LIMIT, span,
                     "the document has more than the %zu elements and attributes allowed",
                     limits->nodes);
        } else {
            diag_add(diags, DIAG_XML_LIMIT, span,
                     "elements are nested deeper than the %zu levels allowed", depth);
        }
        return STATUS_LIMIT;
    default:
        if (guard->library_code == XML_ERR_NO_MEMORY) {
            arena_fail(diags->arena, STATUS_NO_MEMORY);
        }
        tell_syntax(source, guard, diags);
        return STATUS_INVALID;
    }
}

/* ---- before the library sees it ---- */

/* The encoding that the XML declaration names; SLICE_NONE: none. */
static struct slice declared_encoding(struct slice text)
{
    if (slice_starts_with(text, SLICE("\xef\xbb\xbf"))) {
        text = slice_part(text, 3, SIZE_MAX);
    }
    size_t end = slice_starts_with(text, SLICE("<?xml")) ? slice_find(text, SLICE("?>"), 0) : 0;
    struct slice declaration = slice_part(text, 0, end == SIZE_MAX ? 0 : end);
    size_t at = slice_find(declaration, SLICE("encoding"), 0);
    struct slice rest = slice_part(declaration, at, SIZE_MAX);
    size_t open = 0;
    while (open < rest.len && rest.at[open] != '"' && rest.at[open] != '\'') {
        open++;
    }
    if (at == SIZE_MAX || open >= rest.len) {
        return SLICE_NONE;
    }
    size_t close = slice_find(rest, slice_part(rest, open, 1), open + 1);
    return close != SIZE_MAX ? slice_part(rest, open + 1, close - open - 1) : SLICE_NONE;
}

static enum status check_text(const struct source *source, const struct limits *limits,
                              struct diag_list *diags)
{
    struct slice text = source->text;
    if (text.len > limits->bytes || text.len > INT32_MAX) {
        diag_add(diags, DIAG_XML_LIMIT, (struct span){source, 0, 0},
                 "the document is larger than the %zu bytes allowed", limits->bytes);
        return STATUS_LIMIT;
    }
    size_t bad = utf8_check(text);
    struct slice encoding = declared_encoding(text);
    if (bad != SIZE_MAX) {
        struct diag *diag = diag_add(diags, DIAG_XML_ENCODING,
                                     (struct span){source, (uint32_t)bad, (uint32_t)bad + 1},
                                     "this byte is not UTF-8");
        diag_hint(diags, diag, "save the file as UTF-8");
        return STATUS_INVALID;
    }
    if (encoding.at != NULL && (encoding.len != 5 || strncasecmp(encoding.at, "utf-8", 5) != 0)) {
        uint32_t at = (uint32_t)(encoding.at - text.at);
        struct diag *diag = diag_add(diags, DIAG_XML_ENCODING,
                                     (struct span){source, at, at + (uint32_t)encoding.len},
                                     "the encoding %.*s is refused", SLICE_ARGS(encoding));
        diag_hint(diags, diag, "FHIR is UTF-8: save the file so, and say so here");
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

/* ---- reading ---- */

void xml_tree_close(struct xml_tree *tree)
{
    xmlFreeDoc(tree->doc);
    xmlFreeParserCtxt(tree->parser);
    tree->doc = NULL;
    tree->parser = NULL;
    tree->root = NULL;
}

static void close_deferred(void *tree)
{
    xml_tree_close(tree);
}

static xmlParserCtxt *new_parser(struct guard *guard)
{
    xmlParserCtxt *parser = xmlCreateMemoryParserCtxt(guard->text.at, (int)guard->text.len);
    if (parser == NULL) {
        return NULL;
    }
    /* No NOENT, DTDLOAD, DTDATTR or HUGE. The encoding was checked, so it is not switched. */
    xmlCtxtUseOptions(parser, XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_IGNORE_ENC);
    parser->_private = guard;
    parser->sax->startElementNs = on_start;
    parser->sax->characters = on_text;
    parser->sax->ignorableWhitespace = on_text;
    parser->sax->internalSubset = on_doctype;
    parser->sax->comment = NULL;
    parser->sax->processingInstruction = NULL;
    parser->sax->serror = on_error;
    return parser;
}

enum status xml_tree_open(struct arena *arena, const struct source *source,
                          const struct limits *limits, size_t depth, struct diag_list *diags,
                          struct xml_tree **tree_out)
{
    enum status status = check_text(source, limits, diags);
    if (status != STATUS_OK) {
        return status;
    }
    struct guard *guard = ARENA_NEW(arena, struct guard);
    guard->text = source->text.len != 0 ? source->text : SLICE(" ");
    guard->depth = depth < XML_DEPTH_MOST ? depth : XML_DEPTH_MOST;
    guard->nodes = limits->nodes;
    struct xml_tree *tree = ARENA_NEW(arena, struct xml_tree);
    arena_defer(arena, close_deferred, tree); /* first: then nothing of the library's can leak */
    tree->parser = new_parser(guard);
    if (tree->parser == NULL) {
        arena_fail(arena, STATUS_NO_MEMORY);
    }
    xmlParseDocument(tree->parser);
    tree->doc = tree->parser->myDoc;
    tree->parser->myDoc = NULL;
    if (!guard->found && (tree->doc == NULL || !tree->parser->wellFormed)) {
        note_fault(tree->parser, DIAG_XML_SYNTAX, position(tree->parser));
    }
    if (guard->found) {
        status = tell(source, guard, guard->depth, limits, diags);
        xml_tree_close(tree);
        return status;
    }
    tree->root = xmlDocGetRootElement(tree->doc);
    *tree_out = tree;
    return STATUS_OK;
}

/* ---- looking ---- */

uint32_t xml_offset(const xmlNode *element)
{
    return (uint32_t)(uintptr_t)element->_private;
}

static size_t skip_until(struct slice text, size_t at, const char *stop)
{
    while (at < text.len && strchr(stop, text.at[at]) == NULL) {
        at++;
    }
    return at;
}

static size_t skip_blanks(struct slice text, size_t at)
{
    while (at < text.len && strchr(" \t\r\n", text.at[at]) != NULL) {
        at++;
    }
    return at;
}

struct span xml_tag_span(const struct source *source, const xmlNode *element)
{
    uint32_t start = xml_offset(element);
    return (struct span){source, start, (uint32_t)skip_until(source->text, start + 1, " \t\r\n/>")};
}

struct span xml_attribute_span(const struct source *source, const xmlNode *element,
                               const xmlAttr *attribute)
{
    struct slice text = source->text;
    struct span tag = xml_tag_span(source, element);
    struct slice want = slice_of((const char *)attribute->name);
    for (size_t at = skip_blanks(text, tag.end); at < text.len && text.at[at] != '>';) {
        size_t name_end = skip_until(text, at, " \t\r\n=/>");
        struct slice name = slice_part(text, at, name_end - at);
        size_t quote = skip_until(text, name_end, "\"'>");
        size_t end = quote < text.len && text.at[quote] != '>'
                         ? slice_find(text, slice_part(text, quote, 1), quote + 1)
                         : SIZE_MAX;
        if (end == SIZE_MAX) {
            break;
        }
        size_t colon = attribute->ns != NULL ? slice_find(name, SLICE(":"), 0) : SIZE_MAX;
        if (slice_equal(colon != SIZE_MAX ? slice_part(name, colon + 1, SIZE_MAX) : name, want)) {
            return (struct span){source, (uint32_t)at, (uint32_t)end + 1};
        }
        at = skip_blanks(text, end + 1);
    }
    return tag;
}

struct slice xml_text(const xmlNode *text)
{
    return slice_of((const char *)text->content);
}

struct span xml_text_span(const struct source *source, const xmlNode *text)
{
    size_t start = skip_blanks(source->text, xml_offset(text));
    size_t end = skip_until(source->text, start, "<");
    struct slice shown = slice_trim(slice_part(source->text, start, end - start));
    return (struct span){source, (uint32_t)start, (uint32_t)(start + shown.len)};
}

struct slice xml_name(const xmlNode *element)
{
    return slice_of((const char *)element->name);
}

struct slice xml_namespace(const xmlNode *element)
{
    return element->ns != NULL ? slice_of((const char *)element->ns->href) : SLICE("");
}

struct slice xml_attribute_text(struct arena *arena, const xmlAttr *attribute)
{
    const xmlNode *first = attribute->children;
    if (first == NULL || first->next == NULL) {
        return first != NULL ? xml_text(first) : SLICE("");
    }
    struct buf text;
    buf_init(&text, arena, SIZE_MAX / 4);
    for (const xmlNode *part = first; part != NULL; part = part->next) {
        buf_add_slice(&text, xml_text(part));
    }
    return buf_view(&text);
}

const xmlNode *xml_content(const xmlNode *node)
{
    while (node != NULL && node->type != XML_ELEMENT_NODE &&
           (node->type != XML_TEXT_NODE || slice_trim(xml_text(node)).len == 0)) {
        node = node->next;
    }
    return node;
}
