#include "fhir/base/source.h"

struct source *source_create(struct arena *arena, struct slice name, struct slice text)
{
    struct source *source = ARENA_NEW(arena, struct source);
    source->name = name;
    source->text = slice_part(text, 0, UINT32_MAX);
    return source;
}

struct span span_outermost(struct span span)
{
    while (span.source != NULL && span.source->outer != NULL) {
        const struct source *inner = span.source;
        uint32_t last = (uint32_t)inner->text.len;
        uint32_t start = inner->map[span.start < last ? span.start : last];
        uint32_t end = inner->map[span.end < last ? span.end : last];
        span = (struct span){inner->outer, start, end > start ? end : start};
    }
    return span;
}

struct place span_place(struct span span)
{
    struct place place = {.line = 1, .column = 1, .width = 1};
    if (span.source == NULL) {
        return place;
    }
    place.line += span.source->lines_before;
    struct slice text = span.source->text;
    size_t start = span.start < text.len ? span.start : text.len;
    size_t line_start = 0;
    for (size_t i = 0; i < start; i++) {
        if (text.at[i] == '\n') {
            place.line++;
            line_start = i + 1;
        }
    }
    size_t line_end = line_start;
    while (line_end < text.len && text.at[line_end] != '\n') {
        line_end++;
    }
    size_t shown_end = line_end;
    if (shown_end > line_start && text.at[shown_end - 1] == '\r') {
        shown_end--;
    }
    place.text = slice_part(text, line_start, shown_end - line_start);
    place.column = (uint32_t)utf8_length(slice_part(text, line_start, start - line_start)) + 1;
    size_t end = span.end < line_end ? span.end : line_end;
    if (end > start) {
        place.width = (uint32_t)utf8_length(slice_part(text, start, end - start));
    }
    return place;
}

struct span span_join(struct span a, struct span b)
{
    return (struct span){a.source, a.start < b.start ? a.start : b.start,
                         a.end > b.end ? a.end : b.end};
}

struct slice span_text(struct span span)
{
    if (span.source == NULL || span.end < span.start) {
        return SLICE_NONE;
    }
    return slice_part(span.source->text, span.start, span.end - span.start);
}
