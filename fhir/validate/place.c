#include <ctype.h>

#include "fhir/base/buf.h"
#include "fhir/validate/run.h"

static void add_path(struct buf *out, const struct frame *frame)
{
    /* Depth is bounded by limits->depth; a frame stands for at most two levels. */
    if (frame->up != NULL) {
        add_path(out, frame->up);
        buf_add_char(out, '.');
    }
    buf_add_slice(out, frame->name);
    if (frame->index != FRAME_SINGLE) {
        buf_printf(out, "[%zu]", frame->index);
    }
}

struct slice frame_path(struct arena *arena, const struct frame *frame)
{
    struct buf out;
    buf_init(&out, arena, SIZE_MAX / 4);
    add_path(&out, frame);
    return buf_view(&out);
}

/* Behind the closing quote of the string that begins at `at`. */
static size_t string_end(struct slice text, size_t at)
{
    for (size_t i = at + 1; i < text.len; i++) {
        if (text.at[i] == '\\') {
            i++;
        } else if (text.at[i] == '"') {
            return i + 1;
        }
    }
    return at + 1;
}

static size_t value_end(struct slice text, size_t at)
{
    if (at >= text.len) {
        return at;
    }
    if (text.at[at] == '"') {
        return string_end(text, at);
    }
    size_t end = at;
    while (end < text.len && (isalnum((unsigned char)text.at[end]) != 0 || text.at[end] == '.' ||
                              text.at[end] == '-' || text.at[end] == '+')) {
        end++;
    }
    return end > at ? end : at + 1;
}

struct span place_of_value(const struct run *run, const struct json *json)
{
    if (run->source == NULL || json == NULL || json_offset(json) == JSON_NO_OFFSET) {
        return SPAN_NONE;
    }
    uint32_t start = json_offset(json);
    return (struct span){run->source, start, (uint32_t)value_end(run->source->text, start)};
}

static size_t skip_back(struct slice text, size_t at)
{
    while (at != 0 && isspace((unsigned char)text.at[at - 1]) != 0) {
        at--;
    }
    return at;
}

/* In JSON the name stands before the value: "name" : value. Where it does not, the value is told.
 */
struct span place_of_name(const struct run *run, const struct json *member)
{
    struct span value = place_of_value(run, member);
    struct slice name = json_name(member);
    if (value.source == NULL || name.len == 0) {
        return value;
    }
    struct slice text = run->source->text;
    size_t colon = skip_back(text, value.start);
    if (colon == 0 || text.at[colon - 1] != ':') {
        return value;
    }
    size_t end = skip_back(text, colon - 1);
    if (end < name.len + 2 || text.at[end - 1] != '"' ||
        !slice_equal(slice_part(text, end - 1 - name.len, name.len), name)) {
        return value;
    }
    return (struct span){run->source, (uint32_t)(end - 2 - name.len), (uint32_t)end};
}

const char *kind_words(const struct json *json)
{
    static const char *const words[] = {
        [JSON_NULL] = "null",        [JSON_FALSE] = "false",     [JSON_TRUE] = "true",
        [JSON_NUMBER] = "a number",  [JSON_STRING] = "a string", [JSON_ARRAY] = "an array",
        [JSON_OBJECT] = "an object",
    };
    return words[json_kind(json)];
}

struct diag *run_add(struct run *run, enum diag_code code, const struct json *at,
                     const struct frame *frame, const char *format, ...)
{
    run->limited = run->limited || code == DIAG_VALIDATE_LIMIT;
    if (diag_code_severity(code) == SEVERITY_WARNING && ++run->advice > run->diags->ceiling / 2) {
        run->diags->dropped++;
        return ARENA_NEW(run->diags->arena, struct diag);
    }
    va_list args;
    va_start(args, format);
    struct slice sentence = arena_vprintf(run->diags->arena, format, args);
    va_end(args);
    struct diag *diag =
        diag_add(run->diags, code, place_of_value(run, at), "%.*s", SLICE_ARGS(sentence));
    diag->path = frame_path(run->diags->arena, frame);
    return diag;
}
