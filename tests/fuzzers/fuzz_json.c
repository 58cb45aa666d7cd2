// uses: fhir/json
/*
 * Any bytes through the JSON reader. What is refused has exactly one message, whose place lies in
 * the text. What is accepted, written and read again, is an equal value with the same bytes; every
 * offset points at a value of that kind; every name and text is as long as it says.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "fhir/json/json.h"

struct attempt {
    struct arena *arena;
    struct slice text;
};

static void require(bool true_statement, const char *what)
{
    if (!true_statement) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static void check_value(const struct json *json, struct slice text)
{
    static const char *const starts[] = {"n", "f", "t", "-0123456789", "\"", "[", "{"};
    uint32_t at = json_offset(json);
    require(at < text.len, "an offset lies in the text");
    require(strchr(starts[json_kind(json)], text.at[at]) != NULL, "an offset points at the value");
    struct slice value = json_text(json);
    require(value.len == (value.at != NULL ? strlen(value.at) : 0), "a text is as long as it says");
    bool object = json_kind(json) == JSON_OBJECT;
    for (const struct json *item = json_first(json); item != NULL; item = json_next(item)) {
        struct slice name = json_name(item);
        require((name.at != NULL) == object, "members have names, elements none");
        require(name.len == (name.at != NULL ? strlen(name.at) : 0),
                "a name is as long as it says");
        require(!object || json_member(json, name) == item, "a member is found by its name");
        check_value(item, text);
    }
}

static enum status read_text(struct arena *arena, struct slice text, const struct json **json_out)
{
    struct limits limits = LIMITS_DEFAULT;
    limits.bytes = 1 << 20;
    limits.nodes = 20000;
    struct diag_list diags;
    diag_init(&diags, arena, 10);
    struct source *source = source_create(arena, SLICE("input"), text);
    enum status status = json_parse(arena, source, &limits, &diags, json_out);
    require((diags.count == 0) == (status == STATUS_OK), "what is refused has a message");
    if (status != STATUS_OK) {
        require(diags.count == 1, "the first fault ends the reading");
        require(diags.first->span.start <= text.len, "a fault lies in the text");
        struct buf message;
        buf_init(&message, arena, SIZE_MAX / 4);
        diag_render_all(&diags, &message);
        require(utf8_check(buf_view(&message)) == SIZE_MAX, "a message is UTF-8");
    }
    return status;
}

static enum status attempt_run(void *arg)
{
    struct attempt *attempt = arg;
    struct arena *arena = attempt->arena;
    const struct json *json;
    if (read_text(arena, attempt->text, &json) != STATUS_OK) {
        return STATUS_OK;
    }
    check_value(json, attempt->text);
    for (enum json_style style = JSON_COMPACT; style <= JSON_PRETTY; style++) {
        struct slice once = json_write(arena, json, style);
        const struct json *again;
        require(read_text(arena, once, &again) == STATUS_OK, "what was written is read");
        require(json_equal(json, again), "what was written is equal");
        require(slice_equal(json_write(arena, again, style), once), "equal values, equal bytes");
    }
    require(json_equal(json_copy(arena, json), json), "a copy is equal");
    return STATUS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_library_init();
    struct attempt attempt = {.arena = arena_create(0),
                              .text = slice_from((const char *)data, size)};
    if (attempt.arena != NULL) {
        arena_run(attempt.arena, attempt_run, &attempt);
    }
    arena_destroy(&attempt.arena);
    return 0;
}
