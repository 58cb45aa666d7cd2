#include "gateway/http/guard.h"

static const struct row {
    const char *name;
    int status;
    const char *sentence;
} rows[GUARDS] = {
    {"none", 0, ""},
#define GUARD(id, name, status, sentence) {name, status, sentence},
#include "gateway/http/guards.def"
#undef GUARD
};

const char *guard_name(enum guard guard)
{
    return rows[guard].name;
}

int guard_status(enum guard guard)
{
    return rows[guard].status;
}

const char *guard_sentence(enum guard guard)
{
    return rows[guard].sentence;
}

static void fault(struct head_scan *scan, enum guard guard)
{
    if (scan->fault == GUARD_NONE) {
        scan->fault = guard;
    }
}

static void scan_in_line(struct head_scan *scan, char c)
{
    unsigned char byte = (unsigned char)c;
    scan->state = HEAD_IN_LINE;
    if (c == '\r') {
        scan->state = HEAD_AFTER_CR;
    } else if (c == '\n') {
        fault(scan, GUARD_BARE_LINE_END);
        scan->state = HEAD_LINE_START;
        scan->has_line = true;
    } else if ((byte < ' ' && byte != '\t') || byte == 127) {
        fault(scan, GUARD_CONTROL);
    }
}

static void scan_line_start(struct head_scan *scan, char c)
{
    if (c == '\r') {
        scan->state = HEAD_BLANK_AFTER_CR;
    } else if (c == '\n') {
        fault(scan, GUARD_BARE_LINE_END);
        scan->state = scan->has_line ? HEAD_DONE : HEAD_LINE_START;
    } else {
        if (c == ' ' || c == '\t') {
            fault(scan, GUARD_FOLDED_LINE);
        }
        scan_in_line(scan, c);
    }
}

static void scan_one(struct head_scan *scan, char c)
{
    switch (scan->state) {
    case HEAD_LINE_START:
        scan_line_start(scan, c);
        break;
    case HEAD_IN_LINE:
        scan_in_line(scan, c);
        break;
    case HEAD_AFTER_CR:
        if (c == '\n') {
            scan->state = HEAD_LINE_START;
            scan->has_line = true;
        } else {
            fault(scan, GUARD_BARE_LINE_END);
            scan_in_line(scan, c);
        }
        break;
    case HEAD_BLANK_AFTER_CR:
        if (c == '\n') {
            /* A blank line before the request line is passed over by some and an end for others. */
            if (!scan->has_line) {
                fault(scan, GUARD_BARE_LINE_END);
            }
            scan->state = HEAD_DONE;
        } else {
            fault(scan, GUARD_BARE_LINE_END);
            scan_in_line(scan, c);
        }
        break;
    case HEAD_DONE:
        break;
    }
}

/* How many bytes of a line need no look of their own: most. */
static size_t ordinary(struct slice bytes, size_t from)
{
    size_t at = from;
    while (at < bytes.len && bytes.at[at] >= ' ' && bytes.at[at] < 127) {
        at++;
    }
    return at - from;
}

void head_scan_feed(struct head_scan *scan, struct slice bytes)
{
    for (size_t i = 0; i < bytes.len && scan->state != HEAD_DONE; i++) {
        if (scan->state == HEAD_IN_LINE) {
            i += ordinary(bytes, i);
            if (i == bytes.len) {
                return;
            }
        }
        scan_one(scan, bytes.at[i]);
    }
}

/* RFC 9110 5.6.2. */
static bool is_token(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!alnum && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL)) {
            return false;
        }
    }
    return text.len != 0;
}

/* Origin form only (RFC 9112 3.2.1): visible ASCII, no fragment. */
static bool is_target(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] <= ' ' || text.at[i] > '~' || text.at[i] == '#' || text.at[i] == '\\') {
            return false;
        }
    }
    return text.len != 0 && text.at[0] == '/' && (text.len == 1 || text.at[1] != '/');
}

enum { LENGTH_DIGITS = 18 };

static bool is_length(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
    }
    return text.len != 0 && text.len <= LENGTH_DIGITS;
}

struct counts {
    unsigned host;
    unsigned length;
    unsigned encoding;
};

static enum guard check_header(const struct http_header *header, struct counts *counts)
{
    if (!is_token(header->name)) {
        return GUARD_HEADER_NAME;
    }
    if (http_name_equal(header->name, SLICE("host"))) {
        counts->host++;
        return counts->host == 1 && slice_trim(header->value).len != 0 ? GUARD_NONE : GUARD_HOST;
    }
    if (http_name_equal(header->name, SLICE("content-length"))) {
        counts->length++;
        return counts->length == 1 && is_length(header->value) ? GUARD_NONE : GUARD_CONTENT_LENGTH;
    }
    if (http_name_equal(header->name, SLICE("transfer-encoding"))) {
        counts->encoding++;
        bool chunked = http_name_equal(header->value, SLICE("chunked"));
        return counts->encoding == 1 && chunked ? GUARD_NONE : GUARD_TRANSFER_ENCODING;
    }
    return GUARD_NONE;
}

enum guard head_check(const struct head *head)
{
    struct counts counts = {0};
    if (!is_target(head->target)) {
        return GUARD_TARGET;
    }
    for (size_t i = 0; i < head->header_count; i++) {
        enum guard guard = check_header(&head->headers[i], &counts);
        if (guard != GUARD_NONE) {
            return guard;
        }
    }
    if (counts.host == 0 && !head->is_http_1_0) {
        return GUARD_HOST;
    }
    if (counts.encoding != 0 && (counts.length != 0 || head->is_http_1_0)) {
        return GUARD_TRANSFER_ENCODING;
    }
    return GUARD_NONE;
}
