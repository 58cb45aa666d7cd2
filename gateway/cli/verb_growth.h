/* `eplan growth --chart`: its arguments, and the drawing (verb_growth_chart.c). */
#ifndef GATEWAY_CLI_VERB_GROWTH_H
#define GATEWAY_CLI_VERB_GROWTH_H

#include <stdbool.h>

#include "fhir/growth/chart_svg.h"
#include "gateway/cli/cli.h"

struct growth_chart_arguments {
    const char *out;    /* the SVG file, "-" for standard output; NULL: no chart is asked for */
    const char *bundle; /* the Bundle file, "-" for standard input; NULL: not given */
    enum growth_chart_kind kind;
    bool spanish;
    bool us_units;
    bool show_sex;
};

/* Returns an exit status: EXIT_EVALUATION when the sex is unknown and nothing can be drawn. */
int growth_chart_run(struct cli *cli, const struct growth_chart_arguments *arguments);

#endif
