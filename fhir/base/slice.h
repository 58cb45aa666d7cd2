/*
 * Borrowed text: a pointer and a length, UTF-8 unless said otherwise, not NUL-terminated unless
 * said otherwise. Passed by value. Who owns the bytes is said by whoever hands the slice out.
 */
#ifndef FHIR_BASE_SLICE_H
#define FHIR_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *at; /* may be NULL when len is 0 */
    size_t len;     /* bytes */
};

#define SLICE(literal) ((struct slice){("" literal), sizeof(literal) - 1})
#define SLICE_NONE ((struct slice){NULL, 0})
/* For printf: printf("%.*s", SLICE_ARGS(s)). */
#define SLICE_ARGS(s)                                                                              \
    ((s).len > INT32_MAX ? INT32_MAX : (int)(s).len), ((s).at != NULL ? (s).at : "")

static inline struct slice slice_of(const char *cstr)
{
    return (struct slice){cstr, cstr != NULL ? strlen(cstr) : 0};
}

static inline struct slice slice_from(const char *at, size_t len)
{
    return (struct slice){at, len};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || (a.at != NULL && memcmp(a.at, b.at, a.len) == 0));
}

static inline bool slice_is(struct slice a, const char *cstr)
{
    return slice_equal(a, slice_of(cstr));
}

/* The part from byte `from`, at most `len` bytes; both are clamped to the slice. */
struct slice slice_part(struct slice s, size_t from, size_t len);

/* Byte order (memcmp), shorter first when one is a prefix of the other. <0, 0, >0. */
int slice_compare(struct slice a, struct slice b);

bool slice_starts_with(struct slice s, struct slice prefix);
bool slice_ends_with(struct slice s, struct slice suffix);

/* Byte offset of the first occurrence at or after `from`; SIZE_MAX when absent. An empty needle is
 * found at `from`. */
size_t slice_find(struct slice s, struct slice needle, size_t from);

/* Without leading and trailing space, tab, CR, LF. */
struct slice slice_trim(struct slice s);

/*
 * Cuts *rest at the first `separator`: what stands before it is stored in *part_out, what follows
 * stays in *rest. Without a separator the whole is the part and *rest becomes SLICE_NONE (at ==
 * NULL). False when *rest was SLICE_NONE.
 */
bool slice_cut(struct slice *rest, char separator, struct slice *part_out);

/* A whole decimal number without sign or space, at most UINT64_MAX. False, and *value_out
 * untouched, otherwise. */
bool slice_to_u64(struct slice s, uint64_t *value_out);

/* 64-bit FNV-1a; for hash tables of trusted size, not for secrets. */
uint64_t slice_hash(struct slice s);

/* ---- UTF-8 ---- */

/*
 * Reads one code point at s.at[*offset] and moves *offset behind it. Strict: no overlong forms,
 * surrogates, or values above U+10FFFF. Returns UINT32_MAX, offset unmoved, at the end or on a
 * malformed byte.
 */
uint32_t utf8_next(struct slice s, size_t *offset);

/* Offset of the first malformed byte, SIZE_MAX when all is well. */
size_t utf8_check(struct slice s);

/* Number of code points; malformed bytes count one each. */
size_t utf8_length(struct slice s);

/* Writes 1 to 4 bytes to out (not terminated) and returns how many. code must be a Unicode scalar
 * value. */
size_t utf8_put(uint32_t code, char out[4]);

/*
 * The candidate nearest to `word` by edit distance (transpositions count one), for "did you mean".
 * SLICE_NONE when none is near enough to be helpful (more than a third of the word's length, at
 * least one).
 */
struct slice slice_nearest(struct slice word, const struct slice *candidates, size_t count);

#endif
