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
        diag_add(run->diags, code, json_span(run->source, at), "%.*s", SLICE_ARGS(sentence));
    diag->path = frame_path(run->diags->arena, frame);
    return diag;
}
