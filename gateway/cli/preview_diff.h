/* A plan held against what stands in the EHR: what a write would change. Read only. */
#ifndef GATEWAY_CLI_PREVIEW_DIFF_H
#define GATEWAY_CLI_PREVIEW_DIFF_H

#include "gateway/cli/ehr_session.h"
#include "gateway/cli/workbench.h"

/* Prints it. EXIT_DONE: nothing would change; EXIT_FOUND: something would; others: err says why. */
int preview_diff(struct workbench *bench, struct ehr_session *session, const struct child *child,
                 const struct evaluation_result *result);

#endif
