#include "fhir/base/arena.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_OF_OBJECTS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_OF_OBJECTS 1
#endif
#endif
#ifndef ARENA_OF_OBJECTS
#define ARENA_OF_OBJECTS 0
#endif

enum { ALIGN = alignof(max_align_t), BLOCK_FIRST = 4096 - 64, BLOCK_LARGEST = 1024 * 1024 };

struct block {
    struct block *next; /* the block filled after this one; kept over a rewind */
    size_t size;
    alignas(max_align_t) unsigned char at[];
};

struct object { /* one allocation under AddressSanitizer */
    struct object *older;
    size_t size;
    alignas(max_align_t) unsigned char at[];
};

struct deferred {
    struct deferred *older;
    void (*fn)(void *arg);
    void *arg;
};

struct catcher {
    struct catcher *outer;
    jmp_buf jump;
};

struct arena {
    size_t ceiling;
    size_t total;
    struct block *first;
    struct block *now;
    size_t used; /* bytes of `now` */
    struct object *objects;
    struct deferred *deferred;
    struct catcher *catcher;
};

struct arena *arena_create(size_t ceiling)
{
    struct arena *arena = calloc(1, sizeof *arena);
    if (arena != NULL) {
        arena->ceiling = ceiling != 0 ? ceiling : ARENA_CEILING_DEFAULT;
    }
    return arena;
}

void arena_fail(struct arena *arena, enum status status)
{
    if (arena->catcher == NULL) {
        fprintf(stderr, "eplan: a piece of work ran out of memory outside arena_run: %s\n",
                status_name(status));
        abort();
    }
    longjmp(arena->catcher->jump, (int)status);
}

enum status arena_run(struct arena *arena, enum status (*work)(void *arg), void *arg)
{
    struct catcher here = {.outer = arena->catcher};
    int failed = setjmp(here.jump);
    if (failed != 0) {
        arena->catcher = here.outer;
        return (enum status)failed;
    }
    arena->catcher = &here;
    enum status status = work(arg);
    arena->catcher = here.outer;
    return status;
}

static void *object_alloc(struct arena *arena, size_t size)
{
    struct object *object = malloc(sizeof *object + size);
    if (object == NULL) {
        arena_fail(arena, STATUS_NO_MEMORY);
    }
    *object = (struct object){.older = arena->objects, .size = size};
    arena->objects = object;
    return object->at;
}

static void *block_alloc(struct arena *arena, size_t size)
{
    struct block *next = arena->now != NULL ? arena->now->next : arena->first;
    if (next == NULL || next->size < size) {
        size_t want = arena->now != NULL ? arena->now->size * 2 : BLOCK_FIRST;
        if (want > BLOCK_LARGEST) {
            want = BLOCK_LARGEST;
        }
        if (want < size) {
            want = size;
        }
        struct block *fresh = malloc(sizeof *fresh + want);
        if (fresh == NULL) {
            arena_fail(arena, STATUS_NO_MEMORY);
        }
        *fresh = (struct block){.next = next, .size = want};
        if (arena->now != NULL) {
            arena->now->next = fresh;
        } else {
            arena->first = fresh;
        }
        next = fresh;
    }
    arena->now = next;
    arena->used = size;
    return next->at;
}

/* What needs a new block, or is refused. */
static void *alloc_slowly(struct arena *arena, size_t size) __attribute__((noinline));
static void *alloc_slowly(struct arena *arena, size_t size)
{
    if (size > arena->ceiling - arena->total || size > SIZE_MAX / 2) {
        arena_fail(arena, STATUS_LIMIT);
    }
    if (ARENA_OF_OBJECTS) {
        arena->total += size;
        return object_alloc(arena, size);
    }
    size = size != 0 ? (size + ALIGN - 1) / ALIGN * ALIGN : ALIGN;
    if (size > arena->ceiling - arena->total) {
        arena_fail(arena, STATUS_LIMIT);
    }
    arena->total += size;
    if (arena->now != NULL && size <= arena->now->size - arena->used) {
        void *at = arena->now->at + arena->used;
        arena->used += size;
        return at;
    }
    return block_alloc(arena, size);
}

void *arena_alloc(struct arena *arena, size_t size)
{
    struct block *now = arena->now;
    size_t rounded = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1); /* 0 of nothing and of too much */
    if (ARENA_OF_OBJECTS || rounded == 0 || now == NULL || rounded > now->size - arena->used ||
        rounded > arena->ceiling - arena->total) {
        return alloc_slowly(arena, size);
    }
    void *at = now->at + arena->used;
    arena->used += rounded;
    arena->total += rounded;
    return at;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
    return memset(arena_alloc(arena, size), 0, size);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        arena_fail(arena, STATUS_LIMIT);
    }
    return arena_zalloc(arena, count * size);
}

struct slice arena_copy(struct arena *arena, struct slice text)
{
    return (struct slice){arena_cstr(arena, text), text.len};
}

char *arena_cstr(struct arena *arena, struct slice text)
{
    char *copy = arena_alloc(arena, text.len + 1);
    if (text.len != 0) {
        memcpy(copy, text.at, text.len);
    }
    copy[text.len] = '\0';
    return copy;
}

struct slice arena_join(struct arena *arena, struct slice first, struct slice second)
{
    if (first.len > SIZE_MAX / 4 || second.len > SIZE_MAX / 4) {
        arena_fail(arena, STATUS_LIMIT);
    }
    char *text = arena_alloc(arena, first.len + second.len + 1);
    if (first.len != 0) {
        memcpy(text, first.at, first.len);
    }
    if (second.len != 0) {
        memcpy(text + first.len, second.at, second.len);
    }
    text[first.len + second.len] = '\0';
    return (struct slice){text, first.len + second.len};
}

struct slice arena_vprintf(struct arena *arena, const char *format, va_list args)
{
    char small[256]; /* most texts fit, and are then formatted once */
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(small, sizeof small, format, args);
    if (len < 0) {
        va_end(again);
        arena_fail(arena, STATUS_INVALID);
    }
    char *text = arena_alloc(arena, (size_t)len + 1);
    if ((size_t)len < sizeof small) {
        memcpy(text, small, (size_t)len + 1);
    } else {
        vsnprintf(text, (size_t)len + 1, format, again);
    }
    va_end(again);
    return (struct slice){text, (size_t)len};
}

struct slice arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct slice text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

void arena_defer(struct arena *arena, void (*fn)(void *arg), void *arg)
{
    struct deferred *deferred = ARENA_NEW(arena, struct deferred);
    *deferred = (struct deferred){.older = arena->deferred, .fn = fn, .arg = arg};
    arena->deferred = deferred;
}

struct arena_mark arena_mark(struct arena *arena)
{
    return (struct arena_mark){.block = arena->now,
                               .used = arena->used,
                               .total = arena->total,
                               .deferred = arena->deferred,
                               .objects = arena->objects};
}

void arena_rewind(struct arena *arena, struct arena_mark mark)
{
    while (arena->deferred != mark.deferred) {
        struct deferred *latest = arena->deferred;
        arena->deferred = latest->older;
        latest->fn(latest->arg);
    }
    while (arena->objects != mark.objects) {
        struct object *latest = arena->objects;
        arena->objects = latest->older;
        free(latest);
    }
    arena->now = mark.block;
    arena->used = mark.used;
    arena->total = mark.total;
}

void arena_reset(struct arena *arena)
{
    arena_rewind(arena, (struct arena_mark){0});
}

void arena_wipe(struct arena *arena)
{
    while (arena->deferred != NULL) { /* they may still read what is wiped below */
        struct deferred *latest = arena->deferred;
        arena->deferred = latest->older;
        latest->fn(latest->arg);
    }
    for (struct object *object = arena->objects; object != NULL; object = object->older) {
        explicit_bzero(object->at, object->size);
    }
    for (struct block *block = arena->first; block != NULL; block = block->next) {
        explicit_bzero(block->at, block->size);
    }
    arena_reset(arena);
}

size_t arena_used(const struct arena *arena)
{
    return arena->total;
}

void arena_destroy(struct arena **arena)
{
    if (arena == NULL || *arena == NULL) {
        return;
    }
    arena_reset(*arena);
    for (struct block *block = (*arena)->first, *next; block != NULL; block = next) {
        next = block->next;
        free(block);
    }
    free(*arena);
    *arena = NULL;
}
