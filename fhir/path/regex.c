#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "fhir/path/eval.h"

/*
 * Regular expressions by PCRE2, which the specification names as the dialect. A pattern may come
 * from a stranger: its length, its nesting, the steps of a match and its memory are bounded; what
 * does not end within them is an error, never a wrong answer. Compiled patterns are kept for the
 * evaluation. All of PCRE2's memory is the arena's.
 */

enum {
    PATTERN_MAX = 4096, /* bytes */
    NESTING_MAX = 64,
    MATCH_STEPS = 1000000,
    MATCH_DEPTH = 20000,
    MATCH_HEAP_KIB = 4096,
    CACHED = 16
};

struct regex {
    struct slice pattern;
    struct slice flags;
    bool full;
    pcre2_code *code;
    pcre2_match_data *match;
};

struct regex_cache {
    pcre2_general_context *general;
    pcre2_compile_context *compile;
    pcre2_match_context *match;
    struct regex entries[CACHED];
    unsigned count;
};

static void *regex_malloc(PCRE2_SIZE size, void *arena)
{
    return arena_alloc(arena, size);
}

static void regex_free(void *at, void *arena)
{
    (void)at;
    (void)arena;
}

static struct regex_cache *cache_of(struct evaluation *eval)
{
    if (eval->regexes != NULL) {
        return eval->regexes;
    }
    struct regex_cache *cache = ARENA_NEW(eval->arena, struct regex_cache);
    cache->general = pcre2_general_context_create(regex_malloc, regex_free, eval->arena);
    cache->compile = pcre2_compile_context_create(cache->general);
    cache->match = pcre2_match_context_create(cache->general);
    pcre2_set_max_pattern_length(cache->compile, PATTERN_MAX);
    pcre2_set_parens_nest_limit(cache->compile, NESTING_MAX);
    pcre2_set_match_limit(cache->match, MATCH_STEPS);
    pcre2_set_depth_limit(cache->match, MATCH_DEPTH);
    pcre2_set_heap_limit(cache->match, MATCH_HEAP_KIB);
    eval->regexes = cache;
    return cache;
}

static uint32_t options_of(struct evaluation *eval, struct slice flags, bool full, struct span span)
{
    uint32_t options = PCRE2_UTF | PCRE2_DOTALL | PCRE2_NEVER_BACKSLASH_C;
    if (full) {
        options |= PCRE2_ANCHORED | PCRE2_ENDANCHORED;
    }
    for (size_t i = 0; i < flags.len; i++) {
        switch (flags.at[i]) {
        case 'i':
            options |= PCRE2_CASELESS;
            break;
        case 'm':
            options |= PCRE2_MULTILINE;
            break;
        default:
            eval_stop(eval, DIAG_PATH_ARGUMENT_VALUE, span, "flags are 'i' and 'm'",
                      "there is no flag '%c'", flags.at[i]);
        }
    }
    return options;
}

static const struct regex *regex_of(struct evaluation *eval, struct slice pattern,
                                    struct slice flags, bool full, struct span span)
{
    struct regex_cache *cache = cache_of(eval);
    for (unsigned i = 0; i < cache->count; i++) {
        const struct regex *known = &cache->entries[i];
        if (known->full == full && slice_equal(known->pattern, pattern) &&
            slice_equal(known->flags, flags)) {
            return known;
        }
    }
    int error;
    PCRE2_SIZE at;
    struct regex regex = {.pattern = pattern, .flags = flags, .full = full};
    regex.code = pcre2_compile((PCRE2_SPTR)(pattern.at != NULL ? pattern.at : ""), pattern.len,
                               options_of(eval, flags, full, span), &error, &at, cache->compile);
    if (regex.code == NULL) {
        PCRE2_UCHAR why[160];
        pcre2_get_error_message(error, why, sizeof why);
        eval_stop(eval, DIAG_PATH_REGEX, span, "a backslash in a string is written twice: '\\\\d'",
                  "this regular expression cannot be read at its character %zu: %s",
                  utf8_length(slice_part(pattern, 0, at)) + 1, (const char *)why);
    }
    regex.match = pcre2_match_data_create_from_pattern(regex.code, cache->general);
    struct regex *slot = &cache->entries[cache->count < CACHED ? cache->count++ : CACHED - 1];
    *slot = regex;
    return slot;
}

static void stop_match(struct evaluation *eval, int error, struct span span)
{
    PCRE2_UCHAR why[160];
    pcre2_get_error_message(error, why, sizeof why);
    bool limit = error == PCRE2_ERROR_MATCHLIMIT || error == PCRE2_ERROR_DEPTHLIMIT ||
                 error == PCRE2_ERROR_HEAPLIMIT;
    eval_stop(eval, DIAG_PATH_REGEX, span,
              limit ? "avoid repetitions inside repetitions, such as (a+)+" : NULL,
              "this regular expression %s: %s", limit ? "takes too long" : "cannot be used",
              (const char *)why);
}

enum truth regex_matches(struct evaluation *eval, struct slice pattern, struct slice flags,
                         bool full, struct slice text, struct span span)
{
    const struct regex *regex = regex_of(eval, pattern, flags, full, span);
    int found = pcre2_match(regex->code, (PCRE2_SPTR)(text.at != NULL ? text.at : ""), text.len, 0,
                            0, regex->match, eval->regexes->match);
    if (found == PCRE2_ERROR_NOMATCH) {
        return TRUTH_FALSE;
    }
    if (found < 0) {
        stop_match(eval, found, span);
    }
    return TRUTH_TRUE;
}

struct slice regex_replace(struct evaluation *eval, struct slice pattern, struct slice flags,
                           struct slice text, struct slice substitution, struct span span)
{
    const struct regex *regex = regex_of(eval, pattern, flags, false, span);
    uint32_t options =
        PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_OVERFLOW_LENGTH | PCRE2_SUBSTITUTE_UNSET_EMPTY;
    PCRE2_SIZE len = text.len + substitution.len * 4 + 64;
    for (int round = 0;; round++) {
        char *out = arena_alloc(eval->arena, len);
        PCRE2_SIZE used = len;
        int done = pcre2_substitute(regex->code, (PCRE2_SPTR)(text.at != NULL ? text.at : ""),
                                    text.len, 0, options, regex->match, eval->regexes->match,
                                    (PCRE2_SPTR)(substitution.at != NULL ? substitution.at : ""),
                                    substitution.len, (PCRE2_UCHAR *)out, &used);
        if (done >= 0) {
            return slice_from(out, used);
        }
        if (done != PCRE2_ERROR_NOMEMORY || round != 0) {
            stop_match(eval, done, span);
        }
        if (used > eval->limits->text) {
            eval_stop_limit(eval, span, "text");
        }
        len = used;
    }
}
