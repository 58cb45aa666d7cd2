/*
 * Which visits a verb means, the same options for all of them: --ehr, --patient, --mapping,
 * --state, --because, --older, --newer, --all, --limit, --from; --dry-run and --reason for those
 * that act; --last for replay with a folder (impact.h); -c and --json as everywhere. Tests:
 * tests/scenario/suite_levers.mjs.
 */
#ifndef GATEWAY_CLI_SELECTION_H
#define GATEWAY_CLI_SELECTION_H

#include "fhir/json/json.h"
#include "gateway/cli/cli.h"

struct selection {
    const char *config_path;
    bool json;
    struct json *request; /* {"verb":argv[0], ...}, as the desk takes it */
};

/* `acts`: also --dry-run, --reason and one ID. EXIT_DONE, or the exit status of a wrong usage. */
int selection_read(struct cli *cli, int argc, char **argv, bool acts, struct selection *out);

/* Sets or replaces a text of the request: for the next page. */
void selection_set(struct cli *cli, struct selection *selection, const char *name,
                   struct slice value);

#endif
