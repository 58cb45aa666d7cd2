// uses: fhir/validate fhir/json
/*
 * Any JSON through the validator. It ends, its verdict agrees with its messages, each message has a
 * path and a place in the text and is UTF-8, and the same resource without a text gets the same
 * verdict.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "fhir/validate/validate.h"

struct attempt {
    struct arena *arena;
    const struct validator *validator;
    struct slice text;
};

static void require(bool true_statement, const char *what)
{
    if (!true_statement) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static enum status create_run(void *arg)
{
    struct attempt *attempt = arg;
    attempt->validator = validator_create(attempt->arena, model_r4());
    return STATUS_OK;
}

static void check_messages(struct arena *arena, const struct diag_list *diags, size_t length)
{
    for (const struct diag *diag = diags->first; diag != NULL; diag = diag->next) {
        require(diag->path.len != 0, "a message has a path");
        require(diag->span.source != NULL && diag->span.start <= diag->span.end &&
                    diag->span.end <= length,
                "a message has its place in the text");
    }
    struct buf message;
    buf_init(&message, arena, SIZE_MAX / 4);
    diag_render_all(diags, &message);
    require(utf8_check(buf_view(&message)) == SIZE_MAX, "a message is UTF-8");
}

static enum status attempt_run(void *arg)
{
    struct attempt *attempt = arg;
    struct arena *arena = attempt->arena;
    struct limits limits = LIMITS_DEFAULT;
    limits.bytes = 1 << 18;
    limits.nodes = 5000;
    limits.steps = 200000;
    limits.diagnostics = 20;
    struct diag_list diags;
    diag_init(&diags, arena, limits.diagnostics);
    struct source *source = source_create(arena, SLICE("input"), attempt->text);
    const struct json *json;
    if (json_parse(arena, source, &limits, &diags, &json) != STATUS_OK) {
        return STATUS_OK;
    }
    enum status status =
        validate_resource(attempt->validator, arena, source, json, &limits, &diags);
    require((status == STATUS_OK) == (diags.errors == 0), "the verdict agrees with the messages");
    check_messages(arena, &diags, attempt->text.len);
    struct diag_list unplaced;
    diag_init(&unplaced, arena, limits.diagnostics);
    require(validate_resource(attempt->validator, arena, NULL, json, &limits, &unplaced) == status,
            "a built resource gets the same verdict");
    return STATUS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct attempt kept; /* the validator serves the whole run, as it does in the daemon */
    static struct arena *validator_arena;
    if (kept.validator == NULL) {
        json_library_init();
        validator_arena = arena_create(0);
        kept.arena = validator_arena;
        if (validator_arena == NULL || arena_run(validator_arena, create_run, &kept) != STATUS_OK) {
            return 0;
        }
    }
    struct attempt attempt = {.arena = arena_create(0),
                              .validator = kept.validator,
                              .text = slice_from((const char *)data, size)};
    if (attempt.arena != NULL) {
        arena_run(attempt.arena, attempt_run, &attempt);
    }
    arena_destroy(&attempt.arena);
    return 0;
}
