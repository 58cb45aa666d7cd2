/*
 * The review book: rules, decision table, plans, texts, codes and cases of a mapping for a
 * committee that reads no YAML. Here it is put together, as blocks in their order; gateway/book
 * makes pages of them. Pure. Tests: tests/mapping/suite_book.mjs.
 */
#ifndef GATEWAY_MAPPING_BOOK_H
#define GATEWAY_MAPPING_BOOK_H

#include "gateway/mapping/mapping.h"

enum book_kind { BOOK_TITLE, BOOK_SECTION, BOOK_HEADING, BOOK_TEXT, BOOK_TABLE };

/* All texts are plain: whoever makes HTML of them escapes them. */
struct book_block {
    enum book_kind kind;
    struct slice text;        /* of all but a table */
    struct slice language;    /* BCP 47, where it is not English; else empty */
    size_t columns;           /* of a table */
    const struct slice *head; /* columns of them */
    struct slice *cells;      /* rows * columns of them */
    size_t rows;
    bool together; /* on one page, where it fits on one */
};

struct book {
    struct slice title; /* of the document */
    struct book_block *blocks;
    size_t count;
};

/* `files`: those that the mapping was loaded from. All lives in the arena. */
void mapping_book(const struct mapping *mapping, struct arena *arena,
                  const struct mapping_file *files, size_t count, const struct datetime *today,
                  struct book *book_out);

#endif
