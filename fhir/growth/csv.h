/*
 * Growth CSV: rows in, rows out, one for one and in order, in constant memory (RFC 4180: quoted
 * fields, doubled quotes, line ends LF or CRLF; a byte order mark is skipped). Pure: the caller
 * reads and writes. Columns: columns.def. Fuzzed by tests/fuzzers/fuzz_growth_csv.c.
 *
 * An empty field, NA, N/A, NaN, NULL and . are "not given". sex: male, female, m, f, 1, 2 in any
 * case. An age given wins over dates, age_days over age_months. height_cm is recumbent length below
 * 24 months and standing height from then on; length_cm is always recumbent and, when both are
 * given, wins below 24 months. gestational_weeks: 34, 34.5 or 34+3 (weeks and days).
 */
#ifndef FHIR_GROWTH_CSV_H
#define FHIR_GROWTH_CSV_H

#include "fhir/base/diag.h"
#include "fhir/growth/growth.h"

enum growth_column {
    GROWTH_COLUMN_NONE = -1,
#define IN(id, name) GROWTH_COLUMN_##id,
#include "fhir/growth/columns.def"
#undef IN
    GROWTH_COLUMN_COUNT
};

enum {
    GROWTH_CSV_RECORD_MAX = 64 * 1024, /* bytes of one row */
    GROWTH_CSV_FIELDS_MAX = 1024,      /* columns of a header */
    GROWTH_CSV_ROW_OUT_MAX = 4096      /* bytes that one row or header out needs at most */
};

struct growth_csv {
    bool begun;    /* the byte order mark was looked for */
    bool skipping; /* in the rest of a row that was longer than allowed */
    unsigned fields;
    signed char columns[GROWTH_CSV_FIELDS_MAX]; /* enum growth_column by field */
};

enum growth_csv_kind {
    GROWTH_CSV_MORE,  /* no whole row yet: come back with more bytes */
    GROWTH_CSV_ROW,   /* `text` is a row without its line end; borrowed from the bytes given */
    GROWTH_CSV_BROKEN /* a row that cannot be read: too long, or a quote is not closed */
};

struct growth_csv_record {
    enum growth_csv_kind kind;
    struct slice text;
};

void growth_csv_init(struct growth_csv *csv);

/*
 * Takes one row from the front of `bytes`; returns how many bytes to drop before the next call.
 * at_end: nothing follows these bytes. With GROWTH_CSV_MORE the bytes not dropped must be given
 * again, with more behind them; a caller with room for GROWTH_CSV_RECORD_MAX + 2 bytes never
 * stalls.
 */
size_t growth_csv_take(struct growth_csv *csv, struct slice bytes, bool at_end,
                       struct growth_csv_record *record_out);

/*
 * Reads the first row, once. STATUS_INVALID: a column that is needed is missing or named twice;
 * the diagnostics say which, with its place in header->text.
 */
enum status growth_csv_header(struct growth_csv *csv, const struct source *header,
                              struct diag_list *diags);

/* One row as input, and what is wrong with its fields. */
void growth_csv_row(const struct growth_csv *csv, struct slice row, struct growth_input *input_out,
                    growth_flags *flags_out);

/* One row in to one row out: reads, assesses, writes; a broken record gives an empty row with its
 * flag. Returns the length. */
size_t growth_csv_assess(const struct growth_csv *csv, const struct growth_csv_record *record,
                         bool all, char *out);

/* A row out, or the header row, with LF; returns its length. out has room for
 * GROWTH_CSV_ROW_OUT_MAX. all: with the further columns. */
size_t growth_csv_write(const struct growth_assessment *assessment, bool all, char *out);
size_t growth_csv_write_header(bool all, char *out);

#endif
