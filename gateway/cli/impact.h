/*
 * What a mapping that is not active would make of the children that the store knows: their stored
 * facts are evaluated again, and what comes out is counted beside what was decided. Nothing is
 * written and no EHR is asked. `eplan replay --mapping FOLDER --dry-run`. Tests:
 * tests/scenario/suite_impact.mjs.
 */
#ifndef GATEWAY_CLI_IMPACT_H
#define GATEWAY_CLI_IMPACT_H

#include "gateway/cli/selection.h"

/* Does its --mapping name a folder? With --dry-run one that is there, or a path in any case. */
bool impact_is_meant(const struct selection *selection);

/* EXIT_DONE: every child comes out as it was decided; EXIT_FOUND: some do not, or are not known. */
int impact_run(struct cli *cli, const struct selection *selection);

#endif
