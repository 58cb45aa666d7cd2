#include "fhir/base/buf.h"

#include <stdio.h>

void buf_init(struct buf *buf, struct arena *arena, size_t ceiling)
{
    *buf = (struct buf){.arena = arena, .ceiling = ceiling};
    buf_reserve(buf, 64 < ceiling ? 64 : ceiling);
    buf->at[0] = '\0';
}

char *buf_reserve(struct buf *buf, size_t more)
{
    if (more > buf->ceiling - buf->len) {
        arena_fail(buf->arena, STATUS_LIMIT);
    }
    size_t need = buf->len + more + 1;
    if (need > buf->cap) {
        size_t cap = buf->cap < SIZE_MAX / 2 ? buf->cap * 2 : need;
        if (cap < need) {
            cap = need;
        }
        char *at = arena_alloc(buf->arena, cap);
        if (buf->at != NULL) {
            memcpy(at, buf->at, buf->len + 1);
        }
        buf->at = at;
        buf->cap = cap;
    }
    return buf->at + buf->len;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
    char *at = buf_reserve(buf, len);
    if (len != 0) {
        memcpy(at, bytes, len);
    }
    buf->len += len;
    buf->at[buf->len] = '\0';
}

void buf_add_slice(struct buf *buf, struct slice text)
{
    buf_add(buf, text.at, text.len);
}

void buf_add_cstr(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_add_char(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_add_code(struct buf *buf, uint32_t code)
{
    char bytes[4];
    buf_add(buf, bytes, utf8_put(code, bytes));
}

void buf_vprintf(struct buf *buf, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    if (len < 0) {
        va_end(again);
        arena_fail(buf->arena, STATUS_INVALID);
    }
    char *at = buf_reserve(buf, (size_t)len);
    vsnprintf(at, (size_t)len + 1, format, again);
    va_end(again);
    buf->len += (size_t)len;
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vprintf(buf, format, args);
    va_end(args);
}
