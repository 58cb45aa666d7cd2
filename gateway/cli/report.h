/*
 * What a check found, as people read it or as editors do: one JSON document, or SARIF 2.1.0
 * (docs.oasis-open.org/sarif). Tests: tests/mapping/suite_report.mjs.
 */
#ifndef GATEWAY_CLI_REPORT_H
#define GATEWAY_CLI_REPORT_H

#include "gateway/cli/cli.h"

enum report_format { REPORT_TEXT, REPORT_JSON, REPORT_SARIF };

/* "--json" or "--sarif"; false: the argument is another one, *format_out untouched. */
bool report_option(const char *argument, enum report_format *format_out);

/* Text goes to err, a document to out. Lines and columns are from 1, columns in code points. */
void report_print(struct cli *cli, enum report_format format, const struct diag_list *diags);

#endif
