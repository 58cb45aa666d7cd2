#include "gateway/inbound/refusal.h"

#include <stdio.h>

#include "fhir/json/json.h"

struct refusal_row {
    const char *name;
    int status;
    const char *code;
    const char *sentence;
};

static const struct refusal_row rows[REFUSAL_COUNT] = {
    [REFUSAL_NONE] = {"none", 0, "", ""},
#define REFUSAL(id, name, status, code, sentence) [REFUSAL_##id] = {name, status, code, sentence},
#include "gateway/inbound/refusals.def"
#undef REFUSAL
};

const char *refusal_name(enum refusal refusal)
{
    return refusal < REFUSAL_COUNT ? rows[refusal].name : "?";
}

static void add_header(struct reply_text *text, struct slice name, struct slice value)
{
    text->headers[text->reply.header_count++] = (struct http_header){name, value};
    text->reply.headers = text->headers;
}

void refusal_reply(enum refusal refusal, const char *allow, struct reply_text *text)
{
    const struct refusal_row *row = &rows[refusal];
    *text = (struct reply_text){.reply.status = row->status};
    add_header(text, SLICE("Content-Type"), SLICE("application/fhir+json; charset=utf-8"));
    if (refusal == REFUSAL_UNKNOWN) {
        add_header(text, SLICE("WWW-Authenticate"), SLICE("Bearer"));
    } else if (refusal == REFUSAL_BUSY) {
        add_header(text, SLICE("Retry-After"), SLICE("5"));
    } else if (refusal == REFUSAL_METHOD) {
        add_header(text, SLICE("Allow"), slice_of(allow));
    }
    int len = snprintf(text->body, sizeof text->body,
                       "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"severity\":\"error\","
                       "\"code\":\"%s\",\"diagnostics\":\"%s\"}]}",
                       row->code, row->sentence);
    text->reply.body = slice_from(text->body, (size_t)len);
}

static void add_text(struct arena *arena, struct json *object, const char *name, struct slice text)
{
    json_add(arena, object, slice_of(name), json_new_string(arena, text));
}

static struct slice diagnosis(struct arena *arena, const struct diag *diag)
{
    if (diag->span.source == NULL) {
        return diag->sentence;
    }
    struct place place = span_place(diag->span);
    return arena_printf(arena, "line %u, column %u: %.*s%s%.*s", place.line, place.column,
                        SLICE_ARGS(diag->sentence), diag->hint.len != 0 ? "; " : "",
                        SLICE_ARGS(diag->hint));
}

void refusal_invalid(struct arena *arena, const char *sentence, const struct diag_list *diags,
                     struct reply_text *text)
{
    struct json *issues = json_new_array(arena);
    const struct diag *diag = diags != NULL ? diags->first : NULL;
    do {
        struct json *issue = json_new_object(arena);
        add_text(arena, issue, "severity", SLICE("error"));
        add_text(arena, issue, "code", diag != NULL ? SLICE("structure") : SLICE("invalid"));
        add_text(arena, issue, "diagnostics",
                 diag != NULL ? diagnosis(arena, diag) : slice_of(sentence));
        json_append(issues, issue);
        diag = diag != NULL ? diag->next : NULL;
    } while (diag != NULL);
    struct json *outcome = json_new_object(arena);
    add_text(arena, outcome, "resourceType", SLICE("OperationOutcome"));
    json_add(arena, outcome, SLICE("issue"), issues);
    *text = (struct reply_text){.reply.status = 400};
    add_header(text, SLICE("Content-Type"), SLICE("application/fhir+json; charset=utf-8"));
    text->reply.body = json_write(arena, outcome, JSON_COMPACT);
}
