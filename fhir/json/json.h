/*
 * JSON values in an arena. Reading is strict (RFC 8259 and FHIR R4 json.html): UTF-8, no duplicate
 * names, no trailing text, no control characters, no U+0000, no lone surrogates, ceilings on bytes,
 * depth and nodes. A number keeps the exact text it was written with: 70.50 stays 70.50. A value is
 * immutable once it is part of a document; the builders below are for making new documents. A value
 * lives in the arena it was read into or made in, and so does all text it hands out,
 * NUL-terminated. Tests: tests/unit/fhir/json/, fuzzed by tests/fuzzers/fuzz_json.c.
 */
#ifndef FHIR_JSON_JSON_H
#define FHIR_JSON_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "fhir/base/arena.h"
#include "fhir/base/diag.h"
#include "fhir/base/limits.h"
#include "fhir/base/source.h"

/* The fields are json.c's; they stand here for the inline functions below alone. */
struct json {
    struct json *next;
    struct json *previous;
    struct json *child;
    int type;
    char *text;
    int offset;
    _Alignas(double) struct json_lengths {
        uint32_t text; /* bytes */
        uint32_t name;
    } lengths;
    char *name;
} __attribute__((may_alias)); /* the library writes them under its own type */

enum json_kind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

/*
 * To be called once, before any thread starts and before any other call here: gives the JSON
 * library its allocator.
 */
void json_library_init(void);

/*
 * Reads source->text. STATUS_OK: *json_out is set. STATUS_INVALID, STATUS_LIMIT: the first fault is
 * in diags, with its place; *json_out untouched. A byte order mark is refused (a reader of HTTP
 * bodies strips it first).
 */
enum status json_parse(struct arena *arena, const struct source *source,
                       const struct limits *limits, struct diag_list *diags,
                       const struct json **json_out);

/* The library's bit for a kind. */
static inline int json_type_bit(enum json_kind kind)
{
    return kind == JSON_FALSE    ? 1
           : kind == JSON_TRUE   ? 2
           : kind == JSON_NULL   ? 4
           : kind == JSON_STRING ? 16
           : kind == JSON_ARRAY  ? 32
           : kind == JSON_OBJECT ? 64
                                 : 128;
}

enum json_kind json_kind(const struct json *json);
static inline bool json_is(const struct json *json, enum json_kind kind)
{
    return json != NULL && (json->type & 0xff) == json_type_bit(kind);
}

/* Byte offset of the value's first character in the text it was read from; JSON_NO_OFFSET for a
 * built value. */
uint32_t json_offset(const struct json *json);
#define JSON_NO_OFFSET UINT32_MAX

/* Its place in `source`, the text it was read from: a number, word or string whole, of an object or
 * array the opening bracket, of what was read from XML (fhir/xml) the start of the tag. Without
 * offset: SPAN_NONE. */
struct span json_span(const struct source *source, const struct json *json);
/* Likewise the place of a member's name, with its quotes. */
struct span json_name_span(const struct source *source, const struct json *member);
/*
 * The text of a string as a source of its own, for what is read inside it (an expression, a
 * narrative): its spans are told in `source`, through the escapes. Where the string does not stand
 * in source (NULL, built, read from XML): without outer. Lives in the arena.
 */
struct source *json_string_source(struct arena *arena, const struct source *source,
                                  const struct json *string, struct slice name);

/* Text of a string, or the exact text of a number; SLICE_NONE for other kinds and for NULL. Lives
 * with the value. */
static inline struct slice json_text(const struct json *json)
{
    return json != NULL ? (struct slice){json->text, json->lengths.text} : SLICE_NONE;
}

/* ---- walking ---- */

/* First member of an object or first element of an array; NULL when empty, of another kind, or
 * NULL. */
static inline const struct json *json_first(const struct json *json)
{
    return json != NULL ? json->child : NULL;
}
/* The next member or element; NULL behind the last. */
static inline const struct json *json_next(const struct json *json)
{
    return json->next;
}
/* Name of a member; SLICE_NONE for an array element or the root. */
static inline struct slice json_name(const struct json *json)
{
    return (struct slice){json->name, json->lengths.name};
}
/* Members or elements: O(n). */
size_t json_count(const struct json *json);
/* Member by exact name; NULL when absent, json is NULL or no object. O(members). */
const struct json *json_member(const struct json *object, struct slice name);
static inline const struct json *json_get(const struct json *object, const char *name)
{
    return json_member(object, slice_of(name));
}
/* The member by that name, or NULL, and in *beside_out the member that has an underscore before it
 * (FHIR JSON: id and extensions of a primitive), or NULL. One pass. */
const struct json *json_member_beside(const struct json *object, struct slice name,
                                      const struct json **beside_out);
/* The string member `name`, or SLICE_NONE when it is absent or no string. */
static inline struct slice json_get_text(const struct json *object, const char *name)
{
    const struct json *value = json_get(object, name);
    return json_is(value, JSON_STRING) ? json_text(value) : SLICE_NONE;
}
/* Same kind, same text of numbers and strings, same elements in order, same members in any order.
 */
bool json_equal(const struct json *a, const struct json *b);

/* ---- building: all live in the arena ---- */

struct json *json_new_object(struct arena *arena);
struct json *json_new_array(struct arena *arena);
struct json *json_new_string(struct arena *arena,
                             struct slice text); /* copied; valid UTF-8 without NUL */
struct json *json_new_number(struct arena *arena,
                             struct slice text); /* copied; must be a JSON number */
/* Bytes of the JSON number that text begins with; 0: none. A number may have 63 of them. */
size_t json_number_length(struct slice text);
enum { JSON_NUMBER_MOST = 63 };
struct json *json_new_bool(struct arena *arena, bool value);
struct json *json_new_null(struct arena *arena);
/* For a reader of another format: where in its text the value stands. */
void json_set_offset(struct json *json, uint32_t offset);
/* A deep copy that may be added elsewhere; offsets are kept. */
struct json *json_copy(struct arena *arena, const struct json *json);

/* Appends. The value is taken: it must be in no other document. `name` is copied; the caller keeps
 * names unique. */
void json_add(struct arena *arena, struct json *object, struct slice name, struct json *value);
void json_append(struct json *array, struct json *value);
/* Replaces the member of that name in place, or appends it. */
void json_set(struct arena *arena, struct json *object, struct slice name, struct json *value);
/* Takes the member out, if there is one. */
void json_remove(struct json *object, struct slice name);

/* ---- writing ---- */

enum json_style {
    JSON_COMPACT, /* one line, no spaces, members in their order */
    JSON_PRETTY,  /* two spaces a level, members in their order, ends without newline */
};

/* Valid UTF-8 JSON, NUL-terminated; lives in the arena. Equal values give equal bytes. */
struct slice json_write(struct arena *arena, const struct json *json, enum json_style style);

/* Where a value stands, as RFC 6901 tells it: "/entry/0/resource/id". Found by walking: O(n), for
 * messages. */
struct slice json_pointer(struct arena *arena, const struct json *root, const struct json *value);

#endif
