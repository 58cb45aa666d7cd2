/*
 * Regions: all memory of one piece of work, released at once. Nothing that lives in an arena is
 * freed by hand. An allocation never returns NULL: when the ceiling is reached or the system gives
 * no memory, control returns to the arena_run() that the piece of work runs in. Code inside
 * arena_run() therefore holds nothing but arena memory; what a library gave it (an XML document, a
 * file) it registers at once with arena_defer(). An arena belongs to one thread at a time. Under
 * AddressSanitizer each object is a malloc of its own. Tests: tests/unit/fhir/base/test_arena.c.
 */
#ifndef FHIR_BASE_ARENA_H
#define FHIR_BASE_ARENA_H

#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>

#include "fhir/base/slice.h"
#include "fhir/base/status.h"

struct arena;

/* ceiling: bytes that may be allocated before STATUS_LIMIT; 0 means ARENA_CEILING_DEFAULT. NULL: no
 * memory. */
struct arena *arena_create(size_t ceiling);

enum { ARENA_CEILING_DEFAULT = 64 * 1024 * 1024 };

/* Runs deferred functions, frees all, sets *arena to NULL. Accepts NULL. */
void arena_destroy(struct arena **arena);

/* Runs deferred functions and makes the arena empty; keeps its memory for the next piece of work.
 */
void arena_reset(struct arena *arena);

/* As arena_reset, but overwrites what was used first: for secrets and patient data. */
void arena_wipe(struct arena *arena);

/* Bytes handed out since creation or reset. */
size_t arena_used(const struct arena *arena);

/* Aligned for any type, contents undefined. Never NULL. Lives in the arena. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((malloc, returns_nonnull));

/* The same, zeroed. */
void *arena_zalloc(struct arena *arena, size_t size) __attribute__((malloc, returns_nonnull));

/* count * size bytes, zeroed; an overflow is STATUS_LIMIT. */
void *arena_array(struct arena *arena, size_t count, size_t size) __attribute__((returns_nonnull));

#define ARENA_NEW(arena, type) ((type *)arena_zalloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, count, type) ((type *)arena_array((arena), (count), sizeof(type)))

/* A copy that is also NUL-terminated. Lives in the arena. */
struct slice arena_copy(struct arena *arena, struct slice text);
char *arena_cstr(struct arena *arena, struct slice text) __attribute__((returns_nonnull));

/* Both texts, the second behind the first; NUL-terminated. Lives in the arena. */
struct slice arena_join(struct arena *arena, struct slice first, struct slice second);

/* NUL-terminated. Lives in the arena. */
struct slice arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct slice arena_vprintf(struct arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* fn(arg) runs once, at the next rewind past this point, reset or destroy; the latest first. */
void arena_defer(struct arena *arena, void (*fn)(void *arg), void *arg);

/* A point to go back to: arena_rewind releases (and runs deferred functions for) all that was
 * allocated since. */
struct arena_mark {
    void *block;
    size_t used;
    size_t total;
    void *deferred;
    void *objects;
};
struct arena_mark arena_mark(struct arena *arena);
void arena_rewind(struct arena *arena, struct arena_mark mark);

/*
 * Runs work(arg). Returns what work returned, or the status of arena_fail(): STATUS_LIMIT at the
 * ceiling, STATUS_NO_MEMORY when the system gives none. May be nested; the innermost catches. What
 * was allocated stays allocated until reset or rewind.
 */
enum status arena_run(struct arena *arena, enum status (*work)(void *arg), void *arg);

/* Abandons the piece of work: the innermost arena_run() of this arena returns `status`. Without
 * one: abort(). */
void arena_fail(struct arena *arena, enum status status) __attribute__((noreturn));

#endif
