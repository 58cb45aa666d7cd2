#include "gateway/store/store_pg_dialect.h"

#include <string.h>

struct text {
    char *at;
    size_t size;
    size_t len;
    bool full;
};

static void add(struct text *out, const char *bytes, size_t len)
{
    if (out->full || len >= out->size - out->len) {
        out->full = true;
        return;
    }
    memcpy(out->at + out->len, bytes, len);
    out->len += len;
    out->at[out->len] = '\0';
}

static bool in_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Whether the bracket that opens here holds a comma of its own: several values. */
static bool has_several(const char *at)
{
    size_t depth = 0;
    for (; *at != '\0'; at++) {
        if (*at == '\'') {
            at = strchr(at + 1, '\'');
            if (at == NULL) {
                return false;
            }
        } else if (*at == '(') {
            depth++;
        } else if (*at == ')') {
            if (--depth == 0) {
                return false;
            }
        } else if (*at == ',' && depth == 1) {
            return true;
        }
    }
    return false;
}

static bool is_word(const char *at, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(at, word, len) == 0;
}

static void add_word(struct text *out, const char *at, size_t len)
{
    static const struct {
        const char *word;
        const char *instead;
    } words[] = {
        {"INTEGER", "BIGINT"}, {"INT", "BIGINT"}, {"BLOB", "BYTEA"},
        {"ANY", "BIGINT"},     {"STRICT", ""},
    };
    if (at[len] == '(' && has_several(at + len)) {
        if (is_word(at, len, "min")) {
            add(out, "least", 5);
            return;
        }
        if (is_word(at, len, "max")) {
            add(out, "greatest", 8);
            return;
        }
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (is_word(at, len, words[i].word)) {
            add(out, words[i].instead, strlen(words[i].instead));
            return;
        }
    }
    add(out, at, len);
}

/* Whole phrases. Nodes commit in any order, so that no number divides what is sorted from the rest.
 */
static bool add_phrase(struct text *out, const char *sql, size_t *len_out)
{
    static const struct {
        const char *phrase;
        const char *instead;
    } phrases[] = {
        {", WITHOUT ROWID", ""},
        {"> (SELECT value FROM meta WHERE name = 'sorted')", "IN (SELECT n FROM unsorted)"},
        {"<= (SELECT value FROM meta WHERE name = 'sorted')", "NOT IN (SELECT n FROM unsorted)"},
    };
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
        size_t len = strlen(phrases[i].phrase);
        if (strncmp(sql, phrases[i].phrase, len) == 0) {
            add(out, phrases[i].instead, strlen(phrases[i].instead));
            *len_out = len;
            return true;
        }
    }
    return false;
}

/* Which index to take is said to SQLite alone: PostgreSQL has statistics. */
static bool is_hint(const char *sql, size_t *len_out)
{
    static const char hint[] = " INDEXED BY ";
    size_t len = sizeof hint - 1;
    if (strncmp(sql, hint, len) != 0) {
        return false;
    }
    while (in_word(sql[len])) {
        len++;
    }
    *len_out = len;
    return true;
}

bool pg_dialect(const char *sql, char *out, size_t size)
{
    struct text text = {out, size, 0, size == 0};
    while (*sql != '\0') {
        size_t len = 1;
        if (add_phrase(&text, sql, &len) || is_hint(sql, &len)) {
            sql += len;
            continue;
        }
        if (*sql == '\'') {
            const char *end = strchr(sql + 1, '\'');
            len = end != NULL ? (size_t)(end - sql) + 1 : strlen(sql);
            add(&text, sql, len);
        } else if (*sql == '?') {
            add(&text, "$", 1);
        } else if (in_word(*sql)) {
            while (in_word(sql[len])) {
                len++;
            }
            add_word(&text, sql, len);
        } else {
            add(&text, sql, 1);
        }
        sql += len;
    }
    return !text.full;
}
