/* `eplan growth --chart`: its arguments, and the drawing (verb_growth_chart.c). */
#ifndef GATEWAY_CLI_VERB_GROWTH_H
#define GATEWAY_CLI_VERB_GROWTH_H

#include <stdbool.h>

#include "gateway/cli/cli.h"

struct growth_chart_arguments {
    const char *out;    /* the SVG file */
    const char *bundle; /* the Bundle file, "-" for standard input */
    const char *lang;   /* "en", "es" */
    const char *units;  /* "metric", "us" */
    bool show_sex;
};

#endif
