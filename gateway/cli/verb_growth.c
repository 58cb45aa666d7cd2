#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fhir/growth/csv.h"
#include "gateway/cli/verb_growth.h"
#include "gateway/cli/verbs.h"

enum {
    IN_ROOM = 4 * GROWTH_CSV_RECORD_MAX,
    OUT_ROOM = 256 * 1024,
};

/* One run of rows in to rows out. Memory: these two rooms, whatever the length of the input. */
struct run {
    struct cli *cli;
    bool all;
    bool has_header;
    struct growth_csv csv;
    char *in; /* IN_ROOM bytes, of which start to end are still to be taken */
    size_t start;
    size_t end;
    char *out; /* OUT_ROOM bytes */
    size_t out_len;
};

static bool flush(struct run *run)
{
    size_t written = fwrite(run->out, 1, run->out_len, run->cli->out);
    bool ok = written == run->out_len && fflush(run->cli->out) == 0;
    run->out_len = 0;
    return ok;
}

static char *room_for_row(struct run *run)
{
    if (OUT_ROOM - run->out_len < GROWTH_CSV_ROW_OUT_MAX) {
        (void)flush(run); /* a failed write is told at the end, by ferror */
    }
    return run->out + run->out_len;
}

static enum status take_header(struct run *run, const struct growth_csv_record *record)
{
    struct cli *cli = run->cli;
    struct diag_list diags;
    diag_init(&diags, cli->arena, 20);
    struct slice text = arena_copy(cli->arena, record->text);
    struct source *source = source_create(cli->arena, SLICE("standard input"), text);
    if (record->kind == GROWTH_CSV_BROKEN) {
        diag_add(&diags, DIAG_GROWTH_CSV_HEADER, (struct span){source, 0, 0},
                 "the header is longer than %d bytes, or a quote is not closed",
                 GROWTH_CSV_RECORD_MAX);
    } else {
        (void)growth_csv_header(&run->csv, source, &diags);
    }
    if (diags.errors > 0) {
        cli_print_diags(cli, &diags);
        return STATUS_INVALID;
    }
    run->has_header = true;
    run->out_len += growth_csv_write_header(run->all, room_for_row(run));
    return STATUS_OK;
}

static enum status take_rows(struct run *run, bool at_end)
{
    for (;;) {
        struct slice bytes = {run->in + run->start, run->end - run->start};
        struct growth_csv_record record;
        size_t taken = growth_csv_take(&run->csv, bytes, at_end, &record);
        run->start += taken;
        if (record.kind == GROWTH_CSV_MORE) {
            if (taken == 0 || run->start == run->end) {
                return STATUS_OK;
            }
        } else if (!run->has_header) {
            enum status status = take_header(run, &record);
            if (status != STATUS_OK) {
                return status;
            }
        } else {
            char *out = room_for_row(run);
            run->out_len += growth_csv_assess(&run->csv, &record, run->all, out);
        }
    }
}

/* Moves what is left to the front and reads behind it what there is: a pipe's rows are answered as
 * they come. */
static ssize_t fill(struct run *run)
{
    memmove(run->in, run->in + run->start, run->end - run->start);
    run->end -= run->start;
    run->start = 0;
    ssize_t got;
    do {
        got = read(fileno(run->cli->in), run->in + run->end, IN_ROOM - run->end);
    } while (got < 0 && errno == EINTR);
    run->end += got > 0 ? (size_t)got : 0;
    return got;
}

static int run_rows(struct cli *cli, bool all)
{
    struct run run = {.cli = cli, .all = all};
    growth_csv_init(&run.csv);
    run.in = arena_alloc(cli->arena, IN_ROOM);
    run.out = arena_alloc(cli->arena, OUT_ROOM);
    ssize_t got;
    do {
        got = fill(&run);
        if (got < 0) {
            fprintf(cli->err, "standard input: cannot be read: %s\n", strerror(errno));
            return EXIT_UNREADABLE;
        }
        if (take_rows(&run, got == 0) != STATUS_OK) {
            return EXIT_UNREADABLE;
        }
        if (!flush(&run)) {
            fprintf(cli->err, "eplan growth: the result cannot be written: %s\n", strerror(errno));
            return EXIT_FAULT;
        }
    } while (got > 0);
    if (!run.has_header) {
        fputs("standard input: is empty; growth CSV begins with a header row\n"
              "  hint: sex,age_days,weight_kg,height_cm\n",
              cli->err);
        return EXIT_UNREADABLE;
    }
    return EXIT_DONE;
}

int verb_growth(struct cli *cli, int argc, char **argv)
{
    struct growth_chart_arguments chart = {.lang = "en", .units = "metric"};
    bool all = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--all") == 0) {
            all = true;
        } else {
            return cli_usage(cli, "growth", "\"%s\" is no argument", argv[i]);
        }
    }
    (void)chart;
    return run_rows(cli, all);
}
