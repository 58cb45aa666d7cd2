/*
 * Pages of a review book (gateway/mapping/book.h): one HTML file that loads nothing, or a PDF in
 * A4. Equal books give equal bytes. The only user of cairo. Tests: tests/mapping/suite_book.mjs.
 */
#ifndef GATEWAY_BOOK_BOOK_PAGES_H
#define GATEWAY_BOOK_BOOK_PAGES_H

#include "gateway/mapping/book.h"

/* Lives in the arena. */
struct slice book_html(struct arena *arena, const struct book *book);

/*
 * `date`: of the document's properties, "2026-11-22". STATUS_OK: the whole file's bytes, in the
 * arena. STATUS_NO_MEMORY, STATUS_IO: cairo could not make it; *fault_out says why (static).
 */
enum status book_pdf(struct arena *arena, const struct book *book, struct slice date,
                     struct slice *bytes_out, const char **fault_out);

#endif
