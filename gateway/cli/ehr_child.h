/* A patient of a configured EHR as a child to try a mapping on: read only. */
#ifndef GATEWAY_CLI_EHR_CHILD_H
#define GATEWAY_CLI_EHR_CHILD_H

#include "gateway/cli/ehr_session.h"
#include "gateway/cli/workbench.h"

/* As workbench_child(), of choice->ehr. */
int ehr_child(struct workbench *bench, const struct child_choice *choice, struct child *child_out);

/* The same with a session that is open. */
int ehr_session_child(struct workbench *bench, struct ehr_session *session,
                      const struct child_choice *choice, struct child *child_out);

#endif
