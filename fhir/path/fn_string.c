#include <utf8proc.h>

#include "fhir/path/eval.h"

/* FHIRPath N1 section 5.6. Positions and lengths count characters (Unicode scalar values). */

static void add_text(struct evaluation *eval, struct collection *out, struct slice text)
{
    collection_add(eval, out, path_item_string(text));
}

static void add_boolean(struct evaluation *eval, struct collection *out, bool value)
{
    collection_add(eval, out, path_item_boolean(value));
}

static void add_integer(struct evaluation *eval, struct collection *out, size_t value)
{
    collection_add(eval, out, path_item_integer((int32_t)value));
}

/* Text that a function builds, with the ceiling on texts. */
static void text_init(struct evaluation *eval, struct buf *text)
{
    buf_init(text, eval->arena, eval->limits->text);
}

static void text_check(struct evaluation *eval, const struct call *call, size_t len)
{
    if (len > eval->limits->text) {
        eval_stop_limit(eval, call->node->mark, "text");
    }
}

void fn_index_of(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct slice text = call->value.text;
    size_t at = slice_find(text, call->args[0].text, 0);
    if (at == SIZE_MAX) {
        collection_add(eval, out, path_item_integer(-1));
    } else {
        add_integer(eval, out, utf8_length(slice_part(text, 0, at)));
    }
}

void fn_last_index_of(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct slice text = call->value.text;
    struct slice wanted = call->args[0].text;
    if (wanted.len > text.len) {
        collection_add(eval, out, path_item_integer(-1));
        return;
    }
    for (size_t at = text.len - wanted.len;; at--) {
        if (memcmp(text.at + at, wanted.at, wanted.len) == 0) {
            add_integer(eval, out, utf8_length(slice_part(text, 0, at)));
            return;
        }
        if (at == 0) {
            collection_add(eval, out, path_item_integer(-1));
            return;
        }
    }
}

/* Byte offset of character `index`, or the length when there are fewer. */
static size_t offset_of(struct slice text, int64_t index)
{
    size_t at = 0;
    while (index > 0 && at < text.len) {
        if (utf8_next(text, &at) == UINT32_MAX) {
            at++;
        }
        index--;
    }
    return at;
}

void fn_substring(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct slice text = call->value.text;
    int64_t start = call->args[0].integer;
    size_t from = start < 0 ? text.len : offset_of(text, start);
    if (from >= text.len) {
        return;
    }
    struct slice rest = slice_part(text, from, SIZE_MAX);
    if (call->given[1]) {
        rest.len = offset_of(rest, call->args[1].integer);
    }
    add_text(eval, out, rest);
}

void fn_starts_with(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_boolean(eval, out, slice_starts_with(call->value.text, call->args[0].text));
}

void fn_ends_with(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_boolean(eval, out, slice_ends_with(call->value.text, call->args[0].text));
}

void fn_contains(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_boolean(eval, out, slice_find(call->value.text, call->args[0].text, 0) != SIZE_MAX);
}

static void add_mapped(struct evaluation *eval, const struct call *call,
                       utf8proc_int32_t (*map)(utf8proc_int32_t), struct collection *out)
{
    struct slice text = call->value.text;
    struct buf mapped;
    text_init(eval, &mapped);
    text_check(eval, call, text.len * 2);
    for (size_t at = 0; at < text.len;) {
        uint32_t code = utf8_next(text, &at);
        if (code == UINT32_MAX) {
            break;
        }
        buf_add_code(&mapped, (uint32_t)map((utf8proc_int32_t)code));
    }
    add_text(eval, out, buf_view(&mapped));
}

void fn_upper(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_mapped(eval, call, utf8proc_toupper, out);
}

void fn_lower(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_mapped(eval, call, utf8proc_tolower, out);
}

/* An empty pattern stands around every character. */
static void surround(struct slice text, struct slice with, struct buf *out)
{
    buf_add_slice(out, with);
    for (size_t at = 0; at < text.len;) {
        size_t from = at;
        if (utf8_next(text, &at) == UINT32_MAX) {
            at++;
        }
        buf_add(out, text.at + from, at - from);
        buf_add_slice(out, with);
    }
}

void fn_replace(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct slice text = call->value.text;
    struct slice pattern = call->args[0].text;
    struct slice with = call->args[1].text;
    size_t places = 0;
    if (pattern.len == 0) {
        places = text.len + 1;
    }
    for (size_t at = 0; pattern.len != 0 && (at = slice_find(text, pattern, at)) != SIZE_MAX;) {
        at += pattern.len;
        places++;
    }
    if (with.len != 0 && places > eval->limits->text / with.len) {
        eval_stop_limit(eval, call->node->mark, "text");
    }
    text_check(eval, call, text.len + places * with.len);
    struct buf result;
    text_init(eval, &result);
    if (pattern.len == 0) {
        surround(text, with, &result);
        add_text(eval, out, buf_view(&result));
        return;
    }
    size_t from = 0;
    for (size_t at; (at = slice_find(text, pattern, from)) != SIZE_MAX; from = at + pattern.len) {
        buf_add(&result, text.at + from, at - from);
        buf_add_slice(&result, with);
    }
    buf_add_slice(&result, slice_part(text, from, SIZE_MAX));
    add_text(eval, out, buf_view(&result));
}

static struct slice flags_of(const struct call *call, unsigned i)
{
    return call->given[i] ? call->args[i].text : SLICE_NONE;
}

void fn_matches(struct evaluation *eval, const struct call *call, struct collection *out)
{
    collection_add_truth(eval, out,
                         regex_matches(eval, call->args[0].text, flags_of(call, 1), false,
                                       call->value.text, call->node->args[0]->span));
}

void fn_matches_full(struct evaluation *eval, const struct call *call, struct collection *out)
{
    collection_add_truth(eval, out,
                         regex_matches(eval, call->args[0].text, flags_of(call, 1), true,
                                       call->value.text, call->node->args[0]->span));
}

void fn_replace_matches(struct evaluation *eval, const struct call *call, struct collection *out)
{
    if (call->args[0].text.len == 0) { /* suite: testReplaceMatches2 */
        add_text(eval, out, call->value.text);
        return;
    }
    add_text(eval, out,
             regex_replace(eval, call->args[0].text, flags_of(call, 2), call->value.text,
                           call->args[1].text, call->node->args[0]->span));
}

void fn_length(struct evaluation *eval, const struct call *call, struct collection *out)
{
    add_integer(eval, out, utf8_length(call->value.text));
}

void fn_to_chars(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct slice text = call->value.text;
    for (size_t at = 0; at < text.len;) {
        size_t from = at;
        if (utf8_next(text, &at) == UINT32_MAX) {
            at++;
        }
        add_text(eval, out, slice_part(text, from, at - from));
    }
}

void fn_trim(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct slice trimmed = slice_trim(call->value.text);
    add_text(eval, out, trimmed.at != NULL ? trimmed : SLICE(""));
}

void fn_split(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct slice text = call->value.text;
    struct slice separator = call->args[0].text;
    if (separator.len == 0) {
        fn_to_chars(eval, call, out);
        return;
    }
    size_t from = 0;
    for (size_t at; (at = slice_find(text, separator, from)) != SIZE_MAX;
         from = at + separator.len) {
        add_text(eval, out, slice_part(text, from, at - from));
    }
    add_text(eval, out, slice_part(text, from, SIZE_MAX));
}

void fn_join(struct evaluation *eval, const struct call *call, struct collection *out)
{
    struct slice separator = call->given[0] ? call->args[0].text : SLICE("");
    struct buf text;
    text_init(eval, &text);
    bool any = false;
    for (size_t i = 0; i < call->input.count; i++) {
        struct path_item value;
        if (!item_value(eval, &call->input.at[i], call->node->mark, &value)) {
            continue;
        }
        if (value.kind != PATH_STRING) {
            eval_stop(eval, DIAG_PATH_ITEM_TYPE, call->node->mark,
                      "make them Strings with select(toString())",
                      "join() takes System.String only, and item %zu is %.*s", i + 1,
                      SLICE_ARGS(item_words(eval, &call->input.at[i])));
        }
        text_check(eval, call, text.len + separator.len + value.text.len);
        if (any) {
            buf_add_slice(&text, separator);
        }
        buf_add_slice(&text, value.text);
        any = true;
    }
    if (any) {
        add_text(eval, out, buf_view(&text));
    }
}
