#include "gateway/base/yaml.h"

#include <stdlib.h>
#include <yaml.h>

#include "gateway/base/yaml_fault.h"

enum { DEPTH_MOST = 256, CHARACTERS_PER_STEP = 64 };

struct frame {
    struct yaml *node;
    struct yaml *last;
    struct yaml_text key; /* of the member whose value comes next */
    bool has_key;
};

struct reader {
    struct arena *arena;
    const struct source *source;
    const struct limits *limits;
    struct diag_list *diags;
    yaml_parser_t parser;
    yaml_event_t event;
    bool parser_live;
    bool event_live;
    uint32_t *steps; /* byte offset of every 64th character; NULL: one byte each */
    uint32_t skip;   /* bytes of a byte order mark */
    size_t nodes;
    size_t depth;
    struct frame stack[DEPTH_MOST];
    struct yaml *root;
    unsigned documents;
};

/* The library's memory is freed at once when all goes well, and by the arena when it does not. */
static void release(void *arg)
{
    struct reader *reader = arg;
    if (reader->event_live) {
        yaml_event_delete(&reader->event);
        reader->event_live = false;
    }
    if (reader->parser_live) {
        yaml_parser_delete(&reader->parser);
        reader->parser_live = false;
    }
}

/* ---- places: libyaml counts characters, spans count bytes ---- */

static void index_characters(struct reader *reader)
{
    struct slice text = reader->source->text;
    bool ascii = true;
    for (size_t i = 0; i < text.len && ascii; i++) {
        ascii = (unsigned char)text.at[i] < 0x80;
    }
    if (ascii) {
        return;
    }
    reader->steps = ARENA_ARRAY(reader->arena, text.len / CHARACTERS_PER_STEP + 2, uint32_t);
    size_t characters = 0;
    for (size_t at = reader->skip; at < text.len; characters++) {
        if (characters % CHARACTERS_PER_STEP == 0) {
            reader->steps[characters / CHARACTERS_PER_STEP] = (uint32_t)at;
        }
        utf8_next(text, &at);
    }
    if (characters % CHARACTERS_PER_STEP == 0) {
        reader->steps[characters / CHARACTERS_PER_STEP] = (uint32_t)text.len;
    }
}

static uint32_t byte_at(const struct reader *reader, yaml_mark_t mark)
{
    struct slice text = reader->source->text;
    size_t at = mark.index + reader->skip;
    if (reader->steps != NULL) {
        at = reader->steps[mark.index / CHARACTERS_PER_STEP];
        for (size_t i = mark.index % CHARACTERS_PER_STEP; i > 0 && at < text.len; i--) {
            utf8_next(text, &at);
        }
    }
    return (uint32_t)(at < text.len ? at : text.len);
}

static struct span event_span(const struct reader *reader)
{
    return (struct span){reader->source, byte_at(reader, reader->event.start_mark),
                         byte_at(reader, reader->event.end_mark)};
}

/* From `start` to the next blank or separator: an anchor, a tag. */
static struct span word_span(const struct reader *reader, uint32_t start)
{
    struct slice text = reader->source->text;
    uint32_t end = start;
    while (end < text.len && strchr(" \t\r\n,[]{}", text.at[end]) == NULL) {
        end++;
    }
    return (struct span){reader->source, start, end};
}

/* ---- what is looked at before libyaml sees it ---- */

static bool is_allowed(uint32_t code)
{
    return code >= 0x20 ? (code < 0x7f || code == 0x85 || code >= 0xa0) && code != 0xfeff &&
                              code != 0xfffe && code != 0xffff
                        : code == '\t' || code == '\n' || code == '\r';
}

static enum status check_bytes(struct reader *reader)
{
    struct slice text = reader->source->text;
    if (text.len > reader->limits->bytes) {
        diag_add(reader->diags, DIAG_YAML_LIMIT, (struct span){reader->source, 0, 0},
                 "the file has %zu bytes; %zu are allowed", text.len, reader->limits->bytes);
        return STATUS_LIMIT;
    }
    reader->skip = slice_starts_with(text, SLICE("\xef\xbb\xbf")) ? 3 : 0;
    for (size_t at = reader->skip, next = at; at < text.len; at = next) {
        uint32_t code = utf8_next(text, &next);
        struct span span = {reader->source, (uint32_t)at, (uint32_t)(next > at ? next : at + 1)};
        if (code == UINT32_MAX) {
            struct diag *diag =
                diag_add(reader->diags, DIAG_YAML_ENCODING, span,
                         "byte 0x%02x at offset %zu is not UTF-8", (unsigned char)text.at[at], at);
            diag_hint(reader->diags, diag, "save the file as UTF-8");
            return STATUS_INVALID;
        }
        if (!is_allowed(code)) {
            diag_add(reader->diags, DIAG_YAML_ENCODING, span,
                     "the control character U+%04X cannot stand in a file", code);
            return STATUS_INVALID;
        }
    }
    return STATUS_OK;
}

/* ---- building ---- */

static struct yaml *new_node(struct reader *reader, enum yaml_kind kind, struct span span)
{
    struct yaml *node = ARENA_NEW(reader->arena, struct yaml);
    node->kind = kind;
    node->span = span;
    return node;
}

/* True: the node is the key of a member; else it was placed in the tree. */
static bool place(struct reader *reader, struct yaml *node)
{
    if (reader->depth == 0) {
        reader->root = node;
        return false;
    }
    struct frame *frame = &reader->stack[reader->depth - 1];
    if (frame->node->kind == YAML_MAP) {
        if (!frame->has_key) {
            return true;
        }
        node->key = frame->key;
        frame->has_key = false;
    }
    if (frame->last != NULL) {
        frame->last->next = node;
    } else {
        frame->node->first = node;
    }
    frame->last = node;
    frame->node->count++;
    return false;
}

static enum yaml_style style_of(yaml_scalar_style_t style)
{
    switch (style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
        return YAML_SINGLE_QUOTED;
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
        return YAML_DOUBLE_QUOTED;
    case YAML_LITERAL_SCALAR_STYLE:
        return YAML_LITERAL;
    case YAML_FOLDED_SCALAR_STYLE:
        return YAML_FOLDED;
    case YAML_ANY_SCALAR_STYLE:
    case YAML_PLAIN_SCALAR_STYLE:
    default:
        return YAML_PLAIN;
    }
}

/* A plain text that " #" cut in two leaves a quote or a bracket open. */
static bool looks_cut(struct slice text)
{
    int single = 0;
    int twofold = 0;
    int brackets = 0;
    for (size_t i = 0; i < text.len; i++) {
        single += text.at[i] == '\'';
        twofold += text.at[i] == '"';
        brackets += text.at[i] == '(' || text.at[i] == '[' || text.at[i] == '{';
        brackets -= text.at[i] == ')' || text.at[i] == ']' || text.at[i] == '}';
    }
    return single % 2 != 0 || twofold % 2 != 0 || brackets > 0;
}

static void check_plain(struct reader *reader, const struct yaml_text *text)
{
    struct slice file = reader->source->text;
    uint32_t at = text->span.end;
    while (at < file.len && (file.at[at] == ' ' || file.at[at] == '\t')) {
        at++;
    }
    if (at > text->span.end && at < file.len && file.at[at] == '#' && looks_cut(text->text)) {
        yaml_fault_quote(reader->source, text->span.start, yaml_line_end(file, at), reader->diags,
                         "\" #\" begins a comment and cuts this value off");
    }
}

static void refuse_anchor_and_tag(struct reader *reader, const yaml_char_t *anchor,
                                  const yaml_char_t *tag)
{
    uint32_t start = byte_at(reader, reader->event.start_mark);
    struct slice file = reader->source->text;
    if (anchor != NULL) {
        size_t at = slice_find(file, SLICE("&"), start);
        struct diag *diag = diag_add(reader->diags, DIAG_YAML_REFUSED,
                                     word_span(reader, (uint32_t)(at < file.len ? at : start)),
                                     "anchors are not used here");
        diag_hint(reader->diags, diag, "write the value out where it is needed");
    }
    if (tag != NULL) {
        size_t at = slice_find(file, SLICE("!"), start);
        struct diag *diag = diag_add(reader->diags, DIAG_YAML_REFUSED,
                                     word_span(reader, (uint32_t)(at < file.len ? at : start)),
                                     "tags are not used here");
        diag_hint(reader->diags, diag, "leave it out: the setting or element says what it is");
    }
}

/* The end of a block's last line with content; libyaml's mark is behind the empty lines after it.
 */
static uint32_t trim_block(const struct reader *reader, struct span span)
{
    uint32_t end = span.end;
    while (end > span.start + 1 && strchr(" \t\r\n", reader->source->text.at[end - 1]) != NULL) {
        end--;
    }
    return end;
}

static void on_scalar(struct reader *reader)
{
    struct yaml_text text = {.style = style_of(reader->event.data.scalar.style),
                             .span = event_span(reader)};
    text.text = arena_copy(reader->arena, slice_from((const char *)reader->event.data.scalar.value,
                                                     reader->event.data.scalar.length));
    refuse_anchor_and_tag(reader, reader->event.data.scalar.anchor, reader->event.data.scalar.tag);
    if (text.style == YAML_LITERAL || text.style == YAML_FOLDED) {
        text.span.end = trim_block(reader, text.span);
    } else if (text.style == YAML_PLAIN) {
        check_plain(reader, &text);
    }
    struct yaml *node = new_node(reader, YAML_SCALAR, text.span);
    node->scalar = text;
    if (place(reader, node)) {
        struct frame *frame = &reader->stack[reader->depth - 1];
        frame->key = text;
        frame->has_key = true;
    }
}

static enum status on_alias(struct reader *reader)
{
    struct diag *diag = diag_add(reader->diags, DIAG_YAML_REFUSED,
                                 word_span(reader, byte_at(reader, reader->event.start_mark)),
                                 "aliases are not used here");
    diag_hint(reader->diags, diag,
              "write the value out; or quote it if it is a text that begins with *");
    struct yaml *node = new_node(reader, YAML_SCALAR, event_span(reader));
    node->scalar.span = node->span;
    return place(reader, node) ? STATUS_INVALID : STATUS_OK;
}

static enum status refuse_key(struct reader *reader)
{
    uint32_t at = byte_at(reader, reader->event.start_mark);
    struct slice file = reader->source->text;
    if (at > 0 && file.at[at] == '{' && file.at[at - 1] == '{') {
        uint32_t line_end = yaml_line_end(file, at);
        size_t close = slice_find(file, SLICE("}}"), at);
        uint32_t to = close < line_end ? (uint32_t)close + 2 : line_end;
        yaml_fault_quote(reader->source, at - 1, to, reader->diags,
                         "unquoted braces mean a map to YAML");
    } else {
        diag_add(reader->diags, DIAG_YAML_REFUSED, (struct span){reader->source, at, at + 1},
                 "a key must be a text, not a list or a map");
    }
    return STATUS_INVALID;
}

static enum status on_begin(struct reader *reader, enum yaml_kind kind)
{
    struct span span = event_span(reader);
    struct yaml *node = new_node(reader, kind, span);
    if (kind == YAML_LIST) {
        refuse_anchor_and_tag(reader, reader->event.data.sequence_start.anchor,
                              reader->event.data.sequence_start.tag);
    } else {
        refuse_anchor_and_tag(reader, reader->event.data.mapping_start.anchor,
                              reader->event.data.mapping_start.tag);
    }
    if (place(reader, node)) {
        return refuse_key(reader);
    }
    size_t most = reader->limits->depth < DEPTH_MOST ? reader->limits->depth : DEPTH_MOST;
    if (reader->depth >= most) {
        diag_add(reader->diags, DIAG_YAML_LIMIT, span,
                 "lists and maps are nested more than %zu deep", most);
        return STATUS_LIMIT;
    }
    reader->stack[reader->depth++] = (struct frame){.node = node};
    return STATUS_OK;
}

struct keyed {
    uint64_t hash;
    size_t order;
    const struct yaml *member;
};

static int compare_keyed(const void *left, const void *right)
{
    const struct keyed *a = left;
    const struct keyed *b = right;
    if (a->hash != b->hash) {
        return a->hash < b->hash ? -1 : 1;
    }
    int order = slice_compare(a->member->key.text, b->member->key.text);
    return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

/* Sorted by hash, so that a long map costs n log n; told in the order written. */
static void check_duplicates(struct reader *reader, const struct yaml *map)
{
    if (map->count < 2) {
        return;
    }
    struct keyed *keys = ARENA_ARRAY(reader->arena, map->count, struct keyed);
    const struct yaml **earlier = ARENA_ARRAY(reader->arena, map->count, const struct yaml *);
    size_t n = 0;
    for (const struct yaml *member = map->first; member != NULL; member = member->next, n++) {
        keys[n] = (struct keyed){slice_hash(member->key.text), n, member};
    }
    qsort(keys, n, sizeof *keys, compare_keyed);
    for (size_t i = 1; i < n; i++) {
        if (slice_equal(keys[i].member->key.text, keys[i - 1].member->key.text)) {
            earlier[keys[i].order] = keys[i - 1].member;
        }
    }
    n = 0;
    for (const struct yaml *member = map->first; member != NULL; member = member->next, n++) {
        if (earlier[n] != NULL) {
            struct diag *diag =
                diag_add(reader->diags, DIAG_YAML_DUPLICATE_KEY, member->key.span,
                         "the key \"%.*s\" stands twice in this map", SLICE_ARGS(member->key.text));
            diag_hint(reader->diags, diag, "it stands in line %u already",
                      span_place(earlier[n]->key.span).line);
        }
    }
}

static void on_end(struct reader *reader)
{
    struct frame *frame = &reader->stack[--reader->depth];
    struct span span = event_span(reader);
    if (span.end > span.start) { /* ] or } */
        frame->node->span.end = span.end;
    } else if (frame->last != NULL) {
        frame->node->span.end = frame->last->span.end;
    }
    if (frame->node->kind == YAML_MAP) {
        check_duplicates(reader, frame->node);
    }
}

static enum status on_document(struct reader *reader)
{
    if (reader->event.data.document_start.version_directive != NULL ||
        reader->event.data.document_start.tag_directives.start !=
            reader->event.data.document_start.tag_directives.end) {
        uint32_t at = byte_at(reader, reader->event.start_mark);
        diag_add(reader->diags, DIAG_YAML_REFUSED,
                 (struct span){reader->source, at, yaml_line_end(reader->source->text, at)},
                 "directives are not used here");
    }
    if (reader->documents++ != 0) {
        struct diag *diag = diag_add(reader->diags, DIAG_YAML_REFUSED, event_span(reader),
                                     "a second document begins here");
        diag_hint(reader->diags, diag, "one file holds one document: put this into another file");
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

static enum status on_event(struct reader *reader)
{
    enum yaml_event_type_e type = reader->event.type;
    bool is_node = type == YAML_SCALAR_EVENT || type == YAML_ALIAS_EVENT ||
                   type == YAML_SEQUENCE_START_EVENT || type == YAML_MAPPING_START_EVENT;
    if (is_node && ++reader->nodes > reader->limits->nodes) {
        diag_add(reader->diags, DIAG_YAML_LIMIT, event_span(reader),
                 "the file has more than %zu values", reader->limits->nodes);
        return STATUS_LIMIT;
    }
    switch (type) {
    case YAML_DOCUMENT_START_EVENT:
        return on_document(reader);
    case YAML_SCALAR_EVENT:
        on_scalar(reader);
        return STATUS_OK;
    case YAML_ALIAS_EVENT:
        return on_alias(reader);
    case YAML_SEQUENCE_START_EVENT:
        return on_begin(reader, YAML_LIST);
    case YAML_MAPPING_START_EVENT:
        return on_begin(reader, YAML_MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        on_end(reader);
        return STATUS_OK;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    default:
        return STATUS_OK;
    }
}

static enum status report_fault(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    if (parser->error == YAML_MEMORY_ERROR) {
        return STATUS_NO_MEMORY;
    }
    struct yaml_fault fault = {.problem = parser->problem != NULL ? parser->problem : "unreadable",
                               .context = parser->context,
                               .at = byte_at(reader, parser->problem_mark),
                               .context_at = byte_at(reader, parser->context_mark)};
    yaml_fault_report(reader->source, &fault, reader->diags);
    return STATUS_INVALID;
}

static enum status read_events(struct reader *reader)
{
    struct slice text = reader->source->text;
    if (yaml_parser_initialize(&reader->parser) == 0) {
        return STATUS_NO_MEMORY;
    }
    reader->parser_live = true;
    yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader->parser, (const unsigned char *)text.at + reader->skip,
                                 text.len - reader->skip);
    for (bool more = true; more;) {
        if (yaml_parser_parse(&reader->parser, &reader->event) == 0) {
            return report_fault(reader);
        }
        reader->event_live = true;
        more = reader->event.type != YAML_STREAM_END_EVENT;
        enum status status = on_event(reader);
        yaml_event_delete(&reader->event);
        reader->event_live = false;
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

enum status yaml_parse(struct arena *arena, const struct source *source,
                       const struct limits *limits, struct diag_list *diags,
                       const struct yaml **root_out)
{
    unsigned errors = diags->errors;
    struct reader *reader = ARENA_NEW(arena, struct reader);
    reader->arena = arena;
    reader->source = source;
    reader->limits = limits;
    reader->diags = diags;
    enum status status = check_bytes(reader);
    if (status != STATUS_OK) {
        return status;
    }
    index_characters(reader);
    arena_defer(arena, release, reader);
    status = read_events(reader);
    release(reader);
    if (status == STATUS_OK && reader->root == NULL) {
        diag_add(diags, DIAG_YAML_SYNTAX, (struct span){source, 0, 0}, "the file is empty");
    }
    if (status == STATUS_OK && diags->errors != errors) {
        status = STATUS_INVALID;
    }
    if (status == STATUS_OK) {
        *root_out = reader->root;
    }
    return status;
}
