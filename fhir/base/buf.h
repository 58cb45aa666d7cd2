/*
 * Bytes that grow in an arena, up to a mandatory ceiling. Exceeding it ends the piece of work with
 * STATUS_LIMIT (arena.h), so no call here can fail. Always NUL-terminated behind len.
 */
#ifndef FHIR_BASE_BUF_H
#define FHIR_BASE_BUF_H

#include <stdarg.h>

#include "fhir/base/arena.h"
#include "fhir/base/slice.h"

struct buf {
    struct arena *arena;
    char *at; /* lives in the arena; moves when it grows */
    size_t len;
    size_t cap;
    size_t ceiling; /* largest len allowed, bytes */
};

void buf_init(struct buf *buf, struct arena *arena, size_t ceiling);
void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_slice(struct buf *buf, struct slice text);
void buf_add_cstr(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char c);
void buf_add_code(struct buf *buf, uint32_t code); /* one code point as UTF-8 */
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Room for at least `more` bytes at buf->at + buf->len; the caller adds what it wrote to len and
 * restores the NUL. */
char *buf_reserve(struct buf *buf, size_t more);

/* What was added so far. Borrowed until the next call that adds. */
static inline struct slice buf_view(const struct buf *buf)
{
    return (struct slice){buf->at, buf->len};
}

#endif
