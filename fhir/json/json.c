#include "fhir/json/json.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdlib.h>

#include "fhir/base/buf.h"
#include "fhir/json/json_scan.h"

/*
 * struct json is cJSON under another name, so that no one else sees the library. A number is a
 * cJSON_Raw with its exact text. Two fields that the library then leaves alone carry what it does
 * not keep: valueint the offset, the eight bytes of valuedouble the lengths of text and name.
 */
#define SAME_PLACE(ours, theirs)                                                                   \
    static_assert(offsetof(struct json, ours) == offsetof(cJSON, theirs), "struct json is cJSON")
SAME_PLACE(next, next);
SAME_PLACE(child, child);
SAME_PLACE(type, type);
SAME_PLACE(text, valuestring);
SAME_PLACE(offset, valueint);
SAME_PLACE(lengths, valuedouble);
SAME_PLACE(name, string);
static_assert(sizeof(struct json) == sizeof(cJSON), "struct json is cJSON");
static_assert(cJSON_False == 1 && cJSON_True == 2 && cJSON_NULL == 4 && cJSON_String == 16 &&
                  cJSON_Array == 32 && cJSON_Object == 64 && cJSON_Raw == 128,
              "json_type_bit() knows the library's bits");

static const cJSON *inside(const struct json *json)
{
    return (const cJSON *)json;
}

static cJSON *inside_mutable(struct json *json)
{
    return (cJSON *)json;
}

static struct json *outside(cJSON *item)
{
    return (struct json *)item;
}

static struct json_lengths lengths_of(const cJSON *item)
{
    struct json_lengths lengths;
    static_assert(sizeof lengths == sizeof item->valuedouble, "the lengths fill the double");
    memcpy(&lengths, &item->valuedouble, sizeof lengths);
    return lengths;
}

static void set_lengths(cJSON *item, struct json_lengths lengths)
{
    memcpy(&item->valuedouble, &lengths, sizeof lengths);
}

static struct slice text_of(const cJSON *item)
{
    return slice_from(item->valuestring, lengths_of(item).text);
}

static struct slice name_of(const cJSON *item)
{
    return slice_from(item->string, lengths_of(item).name);
}

/* ---- the library's allocator: the arena of the call under way on this thread ---- */

/* The one writable global of the project (gateway/decisions/): the hooks of cJSON take no argument.
 */
static _Thread_local struct arena *json_arena;

static void *hook_malloc(size_t size)
{
    return json_arena != NULL ? arena_alloc(json_arena, size) : malloc(size);
}

static void hook_free(void *at)
{
    if (json_arena == NULL) {
        free(at);
    }
}

void json_library_init(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = hook_malloc, .free_fn = hook_free});
}

/* Sets and clears the thread's arena around one library call, also when the arena gives out inside
 * it. */
static void within_arena(struct arena *arena, enum status (*work)(void *arg), void *arg)
{
    json_arena = arena;
    enum status status = arena_run(arena, work, arg);
    json_arena = NULL;
    if (status != STATUS_OK) {
        arena_fail(arena, status);
    }
}

/* ---- reading ---- */

struct parse_work {
    struct slice text;
    cJSON *root;
};

static enum status parse_work_run(void *arg)
{
    struct parse_work *work = arg;
    work->root = cJSON_ParseWithLengthOpts(work->text.at, work->text.len, NULL, 0);
    return STATUS_OK;
}

/*
 * The library takes strings byte by byte, twice, and a number through its own double. It is given
 * the skeleton of the text: structure, words and what has escapes. For each other string and each
 * number stands a null, for each other name an empty one; attach_scan() puts them back from a copy
 * of the text.
 */
static struct slice skeleton(struct arena *arena, const struct json_scan *scan, struct slice text)
{
    enum { NULL_LENGTH = 4, NULL_LONGER_MOST = 3 }; /* than the number of one digit it stands for */
    char *at = arena_alloc(arena, text.len + NULL_LONGER_MOST * scan->count);
    size_t len = 0;
    size_t from = 0; /* of what is not yet copied */
    for (size_t k = 0; k < scan->count; k++) {
        const struct json_scan_value *seen = &scan->values[k];
        if (seen->name_is_plain) {
            memcpy(at + len, text.at + from, seen->name_at - from);
            len += seen->name_at - from;
            from = (size_t)seen->name_at + seen->name;
        }
        if (seen->is_plain || seen->is_number) {
            memcpy(at + len, text.at + from, seen->start - from);
            len += seen->start - from;
            memcpy(at + len, "null", NULL_LENGTH);
            len += NULL_LENGTH;
            from = (size_t)seen->start + seen->text + (seen->is_plain ? 2 : 0);
        }
    }
    memcpy(at + len, text.at + from, text.len - from);
    return slice_from(at, len + text.len - from);
}

/* Parent before children, in document order: the order in which the scan recorded the values. */
static const cJSON *next_in_document(const cJSON *item, const cJSON **parents, size_t *depth)
{
    if (item->child != NULL) {
        parents[(*depth)++] = item;
        return item->child;
    }
    while (item->next == NULL && *depth != 0) {
        item = parents[--*depth];
    }
    return *depth != 0 || item->next != NULL ? item->next : NULL;
}

/* Puts back into the value what the skeleton leaves out, and adds what the library does not keep.
 * copy: of the text, for what is cut out of it with a NUL. */
static void attach_seen(cJSON *value, const struct json_scan_value *seen, char *copy)
{
    if (seen->name_is_plain) {
        value->string = copy + seen->name_at;
        value->string[seen->name] = '\0';
    }
    if (seen->is_plain || seen->is_number) {
        value->type = seen->is_number ? cJSON_Raw : cJSON_String;
        value->valuestring = copy + seen->start + (seen->is_plain ? 1 : 0);
        value->valuestring[seen->text] = '\0';
    }
    value->valueint = (int)seen->start;
    set_lengths(value, (struct json_lengths){seen->text, seen->name});
}

static bool attach_scan(cJSON *root, const struct json_scan *scan, char *copy)
{
    const cJSON *parents[JSON_DEPTH_MOST];
    size_t depth = 0;
    size_t k = 0;
    for (const cJSON *item = root; item != NULL;
         item = next_in_document(item, parents, &depth), k++) {
        if (k >= scan->count) {
            return false;
        }
        attach_seen((cJSON *)item, &scan->values[k], copy);
    }
    return k == scan->count;
}

enum status json_parse(struct arena *arena, const struct source *source,
                       const struct limits *limits, struct diag_list *diags,
                       const struct json **json_out)
{
    struct json_scan scan;
    enum status status = json_scan(arena, source, limits, diags, &scan);
    if (status != STATUS_OK) {
        return status;
    }
    struct parse_work work = {.text = skeleton(arena, &scan, source->text)};
    within_arena(arena, parse_work_run, &work);
    char *copy = arena_cstr(arena, source->text);
    if (work.root == NULL || !attach_scan(work.root, &scan, copy)) {
        /* The scan accepted what the library does not: a fault of ours, told as one of the text. */
        diag_add(diags, DIAG_JSON_SYNTAX, (struct span){source, 0, 0},
                 "this document cannot be read");
        return STATUS_INVALID;
    }
    *json_out = outside(work.root);
    return STATUS_OK;
}

/* ---- looking ---- */

enum json_kind json_kind(const struct json *json)
{
    switch (inside(json)->type & 0xff) {
    case cJSON_False:
        return JSON_FALSE;
    case cJSON_True:
        return JSON_TRUE;
    case cJSON_Raw:
        return JSON_NUMBER;
    case cJSON_String:
        return JSON_STRING;
    case cJSON_Array:
        return JSON_ARRAY;
    case cJSON_Object:
        return JSON_OBJECT;
    default:
        return JSON_NULL;
    }
}

uint32_t json_offset(const struct json *json)
{
    return (uint32_t)inside(json)->valueint;
}

size_t json_count(const struct json *json)
{
    size_t count = 0;
    for (const struct json *item = json_first(json); item != NULL; item = json_next(item)) {
        count++;
    }
    return count;
}

static cJSON *find_member(const cJSON *object, struct slice name)
{
    for (cJSON *item = object->child; item != NULL; item = item->next) {
        if (slice_equal(name_of(item), name)) {
            return item;
        }
    }
    return NULL;
}

/* memcmp() == 0 without the call where it is short, as most names are: the first and the
 * last word, which overlap. */
static bool bytes_equal(const char *a, const char *b, size_t len)
{
    uint64_t x[2];
    uint64_t y[2];
    if (len - 8 <= 8) { /* 8 to 16 bytes */
        memcpy(&x[0], a, 8);
        memcpy(&y[0], b, 8);
        memcpy(&x[1], a + len - 8, 8);
        memcpy(&y[1], b + len - 8, 8);
        return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
    }
    if (len - 4 < 4) { /* 4 to 7 bytes */
        uint32_t u[2];
        uint32_t v[2];
        memcpy(&u[0], a, 4);
        memcpy(&v[0], b, 4);
        memcpy(&u[1], a + len - 4, 4);
        memcpy(&v[1], b + len - 4, 4);
        return ((u[0] ^ v[0]) | (u[1] ^ v[1])) == 0;
    }
    return len == 0 || memcmp(a, b, len) == 0;
}

const struct json *json_member(const struct json *object, struct slice name)
{
    if (!json_is(object, JSON_OBJECT)) {
        return NULL;
    }
    const struct json *item = object->child;
    /* Lengths first: they stand in the value itself, the name does not. */
    while (item != NULL &&
           (item->lengths.name != name.len || !bytes_equal(item->name, name.at, name.len))) {
        item = item->next;
    }
    return item;
}

const struct json *json_member_beside(const struct json *object, struct slice name,
                                      const struct json **beside_out)
{
    const struct json *value = NULL;
    *beside_out = NULL;
    if (!json_is(object, JSON_OBJECT)) {
        return NULL;
    }
    for (const struct json *item = object->child; item != NULL; item = item->next) {
        /* Lengths first: they stand in the value itself, the name does not. */
        size_t more = item->lengths.name - name.len;
        if (more == 0 && bytes_equal(item->name, name.at, name.len)) {
            value = item;
        } else if (more == 1 && item->name[0] == '_' &&
                   bytes_equal(item->name + 1, name.at, name.len)) {
            *beside_out = item;
        }
    }
    return value;
}

static bool equal_children(const struct json *a, const struct json *b)
{
    size_t count = json_count(a);
    if (count != json_count(b)) {
        return false;
    }
    bool object = json_kind(a) == JSON_OBJECT;
    const struct json *other = json_first(b);
    for (const struct json *item = json_first(a); item != NULL; item = json_next(item)) {
        const struct json *match = other;
        if (object && !slice_equal(json_name(item), json_name(other))) {
            match = json_member(b, json_name(item));
        }
        if (match == NULL || !json_equal(item, match)) {
            return false;
        }
        other = json_next(other);
    }
    return true;
}

bool json_equal(const struct json *a, const struct json *b)
{
    if (a == NULL || b == NULL || json_kind(a) != json_kind(b)) {
        return a == b;
    }
    switch (json_kind(a)) {
    case JSON_NUMBER:
    case JSON_STRING:
        return slice_equal(json_text(a), json_text(b));
    case JSON_ARRAY:
    case JSON_OBJECT:
        return equal_children(a, b);
    default:
        return true;
    }
}

/* ---- building ---- */

static cJSON *new_item(struct arena *arena, int type)
{
    cJSON *item = ARENA_NEW(arena, cJSON);
    item->type = type;
    item->valueint = -1;
    return item;
}

struct json *json_new_object(struct arena *arena)
{
    return outside(new_item(arena, cJSON_Object));
}

struct json *json_new_array(struct arena *arena)
{
    return outside(new_item(arena, cJSON_Array));
}

static struct json *new_text(struct arena *arena, int type, struct slice text)
{
    cJSON *item = new_item(arena, type);
    item->valuestring = arena_cstr(arena, text);
    set_lengths(item, (struct json_lengths){.text = (uint32_t)text.len});
    return outside(item);
}

struct json *json_new_string(struct arena *arena, struct slice text)
{
    return new_text(arena, cJSON_String, text);
}

struct json *json_new_number(struct arena *arena, struct slice text)
{
    return new_text(arena, cJSON_Raw, text);
}

struct json *json_new_bool(struct arena *arena, bool value)
{
    return outside(new_item(arena, value ? cJSON_True : cJSON_False));
}

struct json *json_new_null(struct arena *arena)
{
    return outside(new_item(arena, cJSON_NULL));
}

void json_set_offset(struct json *json, uint32_t offset)
{
    inside_mutable(json)->valueint = (int)offset;
}

struct json *json_copy(struct arena *arena, const struct json *json)
{
    const cJSON *from = inside(json);
    cJSON *copy = new_item(arena, from->type & 0xff);
    copy->valueint = from->valueint;
    if (from->valuestring != NULL) {
        copy->valuestring = arena_cstr(arena, text_of(from));
        set_lengths(copy, (struct json_lengths){.text = lengths_of(from).text});
    }
    for (const struct json *child = json_first(json); child != NULL; child = json_next(child)) {
        struct json *twin = json_copy(arena, child);
        if (json_is(json, JSON_OBJECT)) {
            json_add(arena, outside(copy), json_name(child), twin);
        } else {
            json_append(outside(copy), twin);
        }
    }
    return outside(copy);
}

static void set_name(cJSON *item, char *name, size_t length)
{
    item->string = name;
    set_lengths(item, (struct json_lengths){lengths_of(item).text, (uint32_t)length});
}

void json_add(struct arena *arena, struct json *object, struct slice name, struct json *value)
{
    set_name(inside_mutable(value), arena_cstr(arena, name), name.len);
    /* Links only; the object variant would allocate the name through the hooks. */
    cJSON_AddItemToArray(inside_mutable(object), inside_mutable(value));
}

void json_append(struct json *array, struct json *value)
{
    cJSON_AddItemToArray(inside_mutable(array), inside_mutable(value));
}

void json_set(struct arena *arena, struct json *object, struct slice name, struct json *value)
{
    cJSON *old = find_member(inside(object), name);
    if (old == NULL) {
        json_add(arena, object, name, value);
        return;
    }
    cJSON *item = inside_mutable(value);
    set_name(item, old->string, name.len);
    if (item == old) {
        return;
    }
    item->next = old->next;
    item->prev = old->prev;
    cJSON *parent = inside_mutable(object);
    if (parent->child == old) {
        parent->child = item;
        if (item->prev == old) { /* the only member: cJSON's first points back at the last */
            item->prev = item;
        }
    } else {
        item->prev->next = item;
    }
    if (item->next != NULL) {
        item->next->prev = item;
    } else if (parent->child != item) {
        parent->child->prev = item;
    }
    old->next = NULL; /* so that it can be added elsewhere */
    old->prev = NULL;
}

void json_remove(struct json *object, struct slice name)
{
    cJSON *old = find_member(inside(object), name);
    if (old != NULL) {
        cJSON_DetachItemViaPointer(inside_mutable(object), old);
    }
}

/* ---- writing ---- */

struct print_work {
    const cJSON *root;
    char *text;
};

static enum status print_work_run(void *arg)
{
    struct print_work *work = arg;
    work->text = cJSON_PrintBuffered(work->root, 4096, 0);
    return work->text != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

static void pretty_break(struct buf *out, size_t depth)
{
    buf_add_char(out, '\n');
    for (size_t i = 0; i < depth; i++) {
        buf_add_cstr(out, "  ");
    }
}

/* Lays out text that cJSON printed on one line. */
static struct slice pretty(struct arena *arena, struct slice text)
{
    struct buf out;
    buf_init(&out, arena, SIZE_MAX / 4);
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (quoted) {
            buf_add_char(&out, c);
            if (c == '\\') {
                buf_add_char(&out, text.at[++i]);
            }
            quoted = c != '"';
        } else if (c == '{' || c == '[') {
            buf_add_char(&out, c);
            if (text.at[i + 1] == '}' || text.at[i + 1] == ']') {
                buf_add_char(&out, text.at[++i]);
            } else {
                pretty_break(&out, ++depth);
            }
        } else if (c == '}' || c == ']') {
            pretty_break(&out, --depth);
            buf_add_char(&out, c);
        } else if (c == ',') {
            buf_add_char(&out, c);
            pretty_break(&out, depth);
        } else {
            buf_add_cstr(&out, c == ':' ? ": " : (char[]){c, '\0'});
            quoted = c == '"';
        }
    }
    return buf_view(&out);
}

struct slice json_write(struct arena *arena, const struct json *json, enum json_style style)
{
    struct print_work work = {.root = inside(json)};
    within_arena(arena, print_work_run, &work);
    struct slice text = slice_of(work.text);
    return style == JSON_PRETTY ? pretty(arena, text) : text;
}

/* ---- where ---- */

static bool pointer_find(const struct json *at, const struct json *value, struct buf *out)
{
    if (at == value) {
        return true;
    }
    size_t index = 0;
    size_t len = out->len;
    for (const struct json *item = json_first(at); item != NULL; item = json_next(item), index++) {
        if (json_kind(at) == JSON_ARRAY) {
            buf_printf(out, "/%zu", index);
        } else {
            buf_add_char(out, '/');
            struct slice name = json_name(item);
            for (size_t i = 0; i < name.len; i++) {
                buf_add_cstr(out, name.at[i] == '~'   ? "~0"
                                  : name.at[i] == '/' ? "~1"
                                                      : (char[]){name.at[i], '\0'});
            }
        }
        if (pointer_find(item, value, out)) {
            return true;
        }
        out->len = len;
        out->at[len] = '\0';
    }
    return false;
}

struct slice json_pointer(struct arena *arena, const struct json *root, const struct json *value)
{
    struct buf out;
    buf_init(&out, arena, SIZE_MAX / 4);
    return pointer_find(root, value, &out) ? buf_view(&out) : SLICE_NONE;
}
