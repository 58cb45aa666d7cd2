#include "fhir/base/slice.h"

struct slice slice_part(struct slice s, size_t from, size_t len)
{
    if (from > s.len) {
        from = s.len;
    }
    if (len > s.len - from) {
        len = s.len - from;
    }
    return (struct slice){s.at != NULL ? s.at + from : NULL, len};
}

int slice_compare(struct slice a, struct slice b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter != 0 ? memcmp(a.at, b.at, shorter) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

bool slice_starts_with(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && slice_equal(slice_part(s, 0, prefix.len), prefix);
}

bool slice_ends_with(struct slice s, struct slice suffix)
{
    return s.len >= suffix.len &&
           slice_equal(slice_part(s, s.len - suffix.len, suffix.len), suffix);
}

size_t slice_find(struct slice s, struct slice needle, size_t from)
{
    if (from > s.len) {
        return SIZE_MAX;
    }
    if (needle.len == 0) {
        return from;
    }
    const char *hit =
        s.len > from ? memmem(s.at + from, s.len - from, needle.at, needle.len) : NULL;
    return hit != NULL ? (size_t)(hit - s.at) : SIZE_MAX;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice s)
{
    while (s.len != 0 && is_blank(s.at[0])) {
        s.at++;
        s.len--;
    }
    while (s.len != 0 && is_blank(s.at[s.len - 1])) {
        s.len--;
    }
    return s;
}

bool slice_cut(struct slice *rest, char separator, struct slice *part_out)
{
    if (rest->at == NULL) {
        return false;
    }
    const char *hit = rest->len != 0 ? memchr(rest->at, separator, rest->len) : NULL;
    if (hit == NULL) {
        *part_out = *rest;
        *rest = SLICE_NONE;
        return true;
    }
    size_t before = (size_t)(hit - rest->at);
    *part_out = (struct slice){rest->at, before};
    *rest = (struct slice){hit + 1, rest->len - before - 1};
    return true;
}

bool slice_to_u64(struct slice s, uint64_t *value_out)
{
    uint64_t value = 0;
    if (s.len == 0) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned)(unsigned char)s.at[i] - '0';
        if (digit > 9 || value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *value_out = value;
    return true;
}

uint64_t slice_hash(struct slice s)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < s.len; i++) {
        hash = (hash ^ (unsigned char)s.at[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

uint32_t utf8_next(struct slice s, size_t *offset)
{
    size_t at = *offset;
    if (at >= s.len) {
        return UINT32_MAX;
    }
    const unsigned char *p = (const unsigned char *)s.at + at;
    unsigned char lead = p[0];
    if (lead < 0x80) {
        *offset = at + 1;
        return lead;
    }
    size_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    uint32_t least = more == 3 ? 0x10000 : more == 2 ? 0x800 : 0x80;
    if (lead < 0xc2 || lead > 0xf4 || s.len - at <= more) {
        return UINT32_MAX;
    }
    uint32_t code = lead & (0x3fu >> more);
    for (size_t i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return UINT32_MAX;
        }
        code = code << 6 | (p[i] & 0x3fu);
    }
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
        return UINT32_MAX;
    }
    *offset = at + more + 1;
    return code;
}

size_t utf8_check(struct slice s)
{
    size_t at = 0;
    while (at < s.len) {
        if ((unsigned char)s.at[at] < 0x80) {
            at++;
        } else if (utf8_next(s, &at) == UINT32_MAX) {
            return at;
        }
    }
    return SIZE_MAX;
}

size_t utf8_length(struct slice s)
{
    size_t count = 0;
    for (size_t at = 0; at < s.len; count++) {
        if (utf8_next(s, &at) == UINT32_MAX) {
            at++;
        }
    }
    return count;
}

size_t utf8_put(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
    out[0] = (char)(lead[more] | code >> (6 * more));
    for (size_t i = 1; i <= more; i++) {
        out[i] = (char)(0x80 | (code >> (6 * (more - i)) & 0x3f));
    }
    return more + 1;
}

enum { NEAREST_MAX = 64 };

/* Optimal string alignment distance; both words are at most NEAREST_MAX bytes. */
static size_t edit_distance(struct slice a, struct slice b)
{
    size_t row[3][NEAREST_MAX + 1];
    for (size_t j = 0; j <= b.len; j++) {
        row[1][j] = j;
    }
    memset(row[0], 0, sizeof row[0]);
    for (size_t i = 1; i <= a.len; i++) {
        size_t *now = row[2];
        now[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t best = row[1][j - 1] + (a.at[i - 1] != b.at[j - 1]);
            if (row[1][j] + 1 < best) {
                best = row[1][j] + 1;
            }
            if (now[j - 1] + 1 < best) {
                best = now[j - 1] + 1;
            }
            if (i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] && a.at[i - 2] == b.at[j - 1] &&
                row[0][j - 2] + 1 < best) {
                best = row[0][j - 2] + 1;
            }
            now[j] = best;
        }
        memcpy(row[0], row[1], sizeof row[0]);
        memcpy(row[1], now, sizeof row[1]);
    }
    return row[1][b.len];
}

struct slice slice_nearest(struct slice word, const struct slice *candidates, size_t count)
{
    struct slice best = SLICE_NONE;
    size_t least = word.len / 3 > 1 ? word.len / 3 : 1;
    if (word.len == 0 || word.len > NEAREST_MAX) {
        return best;
    }
    for (size_t i = 0; i < count; i++) {
        if (candidates[i].len == 0 || candidates[i].len > NEAREST_MAX) {
            continue;
        }
        size_t distance = edit_distance(word, candidates[i]);
        if (distance < least || (distance == least && best.at == NULL)) {
            least = distance;
            best = candidates[i];
        }
    }
    return best;
}
