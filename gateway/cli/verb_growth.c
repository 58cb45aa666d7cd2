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

/* ---- arguments ---- */

struct arguments {
    bool all;
    bool any_chart_option;
    struct growth_chart_arguments chart;
};

/* The argument's value, one of two words. False: it is neither. */
static bool choose(const char *value, const char *first, const char *second, bool *second_out)
{
    *second_out = value != NULL && strcmp(value, second) == 0;
    return value != NULL && (*second_out || strcmp(value, first) == 0);
}

/* Returns how many arguments were taken, 0: it is none, or its value is wrong. */
static int take_argument(struct arguments *arguments, const char *name, const char *value)
{
    struct growth_chart_arguments *chart = &arguments->chart;
    bool second = false;
    if (strcmp(name, "--all") == 0) {
        arguments->all = true;
        return 1;
    }
    arguments->any_chart_option = true;
    if (strcmp(name, "--show-sex") == 0) {
        chart->show_sex = true;
        return 1;
    }
    if (strcmp(name, "--chart") == 0) {
        chart->out = value;
        return value != NULL ? 2 : 0;
    }
    if (strcmp(name, "-r") == 0) {
        chart->bundle = value;
        return value != NULL ? 2 : 0;
    }
    if (strcmp(name, "--lang") == 0) {
        return choose(value, "en", "es", &chart->spanish) ? 2 : 0;
    }
    if (strcmp(name, "--units") == 0) {
        return choose(value, "metric", "us", &chart->us_units) ? 2 : 0;
    }
    if (strcmp(name, "--of") == 0 && choose(value, "bmi", "weight-for-length", &second)) {
        chart->kind = second ? GROWTH_CHART_WEIGHT_FOR_LENGTH : GROWTH_CHART_BMI_FOR_AGE;
        return 2;
    }
    return 0;
}

int verb_growth(struct cli *cli, int argc, char **argv)
{
    struct arguments arguments = {.all = false};
    for (int i = 1; i < argc;) {
        int taken = take_argument(&arguments, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
        if (taken == 0) {
            return cli_usage(cli, "growth", "\"%s\" is no argument, or its value is wrong",
                             argv[i]);
        }
        i += taken;
    }
    if (arguments.chart.out != NULL && arguments.chart.bundle != NULL && !arguments.all) {
        return growth_chart_run(cli, &arguments.chart);
    }
    if (arguments.any_chart_option) {
        return cli_usage(cli, "growth",
                         "a chart needs --chart OUT.svg and -r BUNDLE.json, no --all");
    }
    return run_rows(cli, arguments.all);
}
