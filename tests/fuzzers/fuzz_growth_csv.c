// uses: fhir/growth
/*
 * Any bytes through the growth CSV reader. The first byte says how many bytes arrive at a time: the
 * rows must not depend on it. Every byte is taken, every row in gives one row out of fourteen
 * fields with finite numbers, and a row out fits its room.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "fhir/growth/csv.h"

static void require(bool true_statement, const char *what)
{
    if (!true_statement) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

static void check_row_out(struct slice row)
{
    require(row.len > 0 && row.len <= GROWTH_CSV_ROW_OUT_MAX, "a row fits its room");
    require(row.at[row.len - 1] == '\n', "a row has a line end");
    size_t commas = 0;
    for (size_t i = 0; i < row.len; i++) {
        commas += row.at[i] == ',';
    }
    require(commas == 13, "a row has fourteen fields");
    require(slice_find(row, SLICE("nan"), 0) == SIZE_MAX, "no number is not a number");
    require(slice_find(row, SLICE("inf"), 0) == SIZE_MAX, "no number is infinite");
}

/* Reads all of text, `step` bytes at a time; returns a hash of what comes out. */
static uint64_t read_all(struct arena *arena, struct slice text, size_t step, size_t *rows_out)
{
    struct growth_csv csv;
    growth_csv_init(&csv);
    struct diag_list diags;
    diag_init(&diags, arena, 10);
    bool has_header = false;
    size_t from = 0;
    size_t seen = 0;
    uint64_t hash = 0;
    for (;;) {
        bool at_end = seen == text.len;
        struct growth_csv_record record;
        size_t taken = growth_csv_take(&csv, slice_part(text, from, seen - from), at_end, &record);
        require(taken <= seen - from, "no more is taken than was given");
        from += taken;
        if (record.kind == GROWTH_CSV_MORE) {
            if (taken != 0 && from < seen) {
                continue;
            }
            if (at_end) {
                require(from == text.len, "every byte is taken");
                return hash;
            }
            seen = text.len - seen > step ? seen + step : text.len;
        } else if (!has_header) {
            struct source *source = source_create(arena, SLICE("fuzz"), record.text);
            if (record.kind == GROWTH_CSV_BROKEN ||
                growth_csv_header(&csv, source, &diags) != STATUS_OK) {
                return hash;
            }
            has_header = true;
        } else {
            char out[GROWTH_CSV_ROW_OUT_MAX];
            size_t len = growth_csv_assess(&csv, &record, false, out);
            check_row_out(slice_from(out, len));
            hash = hash * 31 + slice_hash(slice_from(out, len));
            ++*rows_out;
        }
    }
}

struct attempt {
    struct arena *arena;
    struct slice text;
    size_t step;
};

static enum status run(void *arg)
{
    struct attempt *attempt = arg;
    size_t rows = 0;
    size_t rows_again = 0;
    uint64_t whole = read_all(attempt->arena, attempt->text, SIZE_MAX / 2, &rows);
    uint64_t pieces = read_all(attempt->arena, attempt->text, attempt->step, &rows_again);
    require(rows == rows_again && whole == pieces, "rows do not depend on how bytes arrive");
    return STATUS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct attempt attempt = {arena_create(0), {(const char *)data + 1, size - 1}, data[0] + 1U};
    if (attempt.arena == NULL) {
        return 0;
    }
    (void)arena_run(attempt.arena, run, &attempt);
    arena_destroy(&attempt.arena);
    return 0;
}
