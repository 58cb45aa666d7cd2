#include <errno.h>
#include <string.h>

#include "fhir/growth/bundle.h"
#include "fhir/growth/chart_svg.h"
#include "gateway/cli/verb_growth.h"

enum { SVG_CEILING = 4 * 1024 * 1024 };

/* What the numbers of the latest visit need said beside them. */
static void print_flags(struct cli *cli, const struct growth_visit *visit)
{
    fprintf(cli->err, "note: the visit of %04d-%02d-%02d:\n", visit->date.year, visit->date.month,
            visit->date.day);
    for (int flag = 0; flag < GROWTH_FLAG_COUNT; flag++) {
        if (growth_flag_has(visit->assessment.flags, (enum growth_flag)flag)) {
            fprintf(cli->err, "  %s: %s\n", growth_flag_name((enum growth_flag)flag),
                    growth_flag_sentence((enum growth_flag)flag));
        }
    }
}

static enum status read_record(struct cli *cli, const char *path, struct growth_bundle *bundle_out)
{
    struct limits limits = LIMITS_DEFAULT;
    struct source *source;
    struct diag_list diags;
    diag_init(&diags, cli->arena, limits.diagnostics);
    enum status status = cli_read(cli, cli->arena, path, limits.bytes, &source);
    if (status != STATUS_OK) {
        return status;
    }
    const struct json *json;
    status = json_parse(cli->arena, source, &limits, &diags, &json);
    if (status == STATUS_OK) {
        status = growth_bundle_read(cli->arena, json, source, &diags, bundle_out);
    }
    cli_print_diags(cli, &diags);
    return status;
}

static int write_svg(struct cli *cli, const char *path, struct slice svg)
{
    FILE *file = strcmp(path, "-") == 0 ? cli->out : fopen(path, "wb");
    bool ok = file != NULL && fwrite(svg.at, 1, svg.len, file) == svg.len;
    if (file != NULL && file != cli->out) {
        ok = fclose(file) == 0 && ok;
    }
    if (!ok) {
        fprintf(cli->err, "%s: cannot be written: %s\n", path, strerror(errno));
        return EXIT_FAULT;
    }
    return EXIT_DONE;
}

int growth_chart_run(struct cli *cli, const struct growth_chart_arguments *arguments)
{
    struct growth_bundle bundle;
    if (read_record(cli, arguments->bundle, &bundle) != STATUS_OK) {
        return EXIT_UNREADABLE;
    }
    struct growth_result result;
    growth_record_assess(cli->arena, &bundle.child, bundle.measurements, bundle.count, &result);
    struct growth_chart_spec spec = {.kind = arguments->kind,
                                     .spanish = arguments->spanish,
                                     .us_units = arguments->us_units,
                                     .show_sex = arguments->show_sex,
                                     .result = &result,
                                     .plans = bundle.plans,
                                     .plan_count = bundle.plan_count};
    struct buf svg;
    buf_init(&svg, cli->arena, SVG_CEILING);
    if (growth_chart_svg(&spec, &svg) != STATUS_OK) {
        fprintf(cli->err, "%s: no chart: %s\n", arguments->bundle,
                growth_flag_sentence(GROWTH_FLAG_SEX_UNKNOWN));
        return EXIT_EVALUATION;
    }
    if (result.latest != NULL && result.latest->assessment.flags != 0) {
        print_flags(cli, result.latest);
    }
    return write_svg(cli, arguments->out, buf_view(&svg));
}
