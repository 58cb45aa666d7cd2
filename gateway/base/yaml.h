/*
 * YAML as configuration and mappings use it: one document of maps, lists and scalars, each with its
 * place. What makes YAML treacherous is refused, each with its own message: duplicate keys,
 * anchors, aliases, tags, directives, several documents, keys that are no scalars, tabs as
 * indentation. A scalar keeps how it was written; nothing is guessed (no, 1e3 and ~ are texts): the
 * reader asks for the type it wants. Pure on bytes; the only user of libyaml. Nodes live in the
 * arena. Tests: tests/unit/gateway/base/test_yaml.c, fuzzed by tests/fuzzers/fuzz_yaml.c.
 */
#ifndef GATEWAY_BASE_YAML_H
#define GATEWAY_BASE_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fhir/base/arena.h"
#include "fhir/base/diag.h"
#include "fhir/base/limits.h"
#include "fhir/base/source.h"

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

enum yaml_style {
    YAML_PLAIN,
    YAML_SINGLE_QUOTED,
    YAML_DOUBLE_QUOTED,
    YAML_LITERAL, /* | */
    YAML_FOLDED,  /* > */
};

/* A text with its place: a scalar, or the key of a map's member. */
struct yaml_text {
    enum yaml_style style;
    struct slice text; /* as meant: unquoted, escapes and folding undone; NUL-terminated */
    struct span span;  /* as written, with quotes, with the header of a block */
};

struct yaml {
    enum yaml_kind kind;
    struct yaml_text scalar;  /* of a scalar */
    struct span span;         /* of the whole node; equal to scalar.span for a scalar */
    struct yaml_text key;     /* of a map's member; span SPAN_NONE elsewhere */
    const struct yaml *first; /* member or entry, in the order written */
    const struct yaml *next;
    size_t count;
};

/* Ceilings that suit hand-written files; pass them, or lower ones. */
#define YAML_LIMITS                                                                                \
    ((struct limits){.bytes = (size_t)1 << 20, .depth = 32, .nodes = 100000, .diagnostics = 200})

/*
 * Reads source->text: limits->bytes, depth (at most 256) and nodes are kept. STATUS_OK: *root_out
 * is set, and the file had no mistake. STATUS_INVALID, STATUS_LIMIT: all mistakes up to the first
 * that cannot be read past are in diags; *root_out untouched. A byte order mark is read over.
 */
enum status yaml_parse(struct arena *arena, const struct source *source,
                       const struct limits *limits, struct diag_list *diags,
                       const struct yaml **root_out);

/* The member of a map by its key; NULL when absent, or map is NULL or no map. O(members). */
const struct yaml *yaml_get(const struct yaml *map, const char *key);

/* "a text", "a list", "a map": for messages. */
const char *yaml_kind_name(enum yaml_kind kind);

/*
 * The text as a source of its own, so that places in it (an expression) are told in the file,
 * through quotes, escapes and folding. Lives in the arena; the node's arena must live as long.
 */
struct source *yaml_source(struct arena *arena, const struct yaml_text *text, struct slice name);

/* The place of bytes from..to of the text, in the file. */
struct span yaml_span(const struct yaml_text *text, size_t from, size_t to);

#endif
