/*
 * One configured EHR asked by a verb, call after call, without a daemon: read only. The verb waits
 * for each answer.
 */
#ifndef GATEWAY_CLI_EHR_SESSION_H
#define GATEWAY_CLI_EHR_SESSION_H

#include "gateway/cli/cli.h"
#include "gateway/ehr/ehr.h"

struct ehr_session;

/*
 * EXIT_DONE, or EXIT_UNREADABLE or EXIT_FAULT: the reason stands on err. config NULL: the usual
 * file. Ends with cli->arena.
 */
int ehr_session_open(struct cli *cli, const char *config, const char *ehr,
                     struct ehr_session **session_out);

const struct config *ehr_session_config(const struct ehr_session *session);
const struct config_ehr *ehr_session_ehr(const struct ehr_session *session);

/* EHR_READ, EHR_SEARCH or EHR_FIND. The answer lives in cli->arena; NULL: it was not even sent. */
const struct ehr_answer *ehr_session_ask(struct ehr_session *session,
                                         const struct ehr_request *request);

#endif
