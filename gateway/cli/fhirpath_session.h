/* What `eplan fhirpath` and its batch mode share: reading a resource, compiling, evaluating. */
#ifndef GATEWAY_CLI_FHIRPATH_SESSION_H
#define GATEWAY_CLI_FHIRPATH_SESSION_H

#include "fhir/path/path.h"
#include "gateway/cli/cli.h"

enum { FHIRPATH_VARIABLES = 32 };

struct fhirpath_session {
    struct cli *cli;
    const struct model *model;
    struct limits limits;
    struct datetime now; /* of this run, with the offset of this machine */
    bool strict;
    bool trace; /* each node's result goes to cli->err */
    bool quiet; /* trace() shows nothing */
    struct path_variable variables[FHIRPATH_VARIABLES];
    struct path_value values[FHIRPATH_VARIABLES];
    size_t variable_count;
};

void fhirpath_session_init(struct fhirpath_session *session, struct cli *cli);

/*
 * A resource, or any JSON, from a file: JSON, or XML when its first character says so. The fault
 * stands in diags; one of the file system in *why_out (lives in the arena, else untouched).
 */
enum status fhirpath_read(struct fhirpath_session *session, struct arena *arena, const char *path,
                          struct diag_list *diags, struct slice *why_out,
                          const struct json **json_out);

/* One expression on one context (NULL: none). expr_out is set as soon as it compiles, also when
 * the evaluation fails; items_out on STATUS_OK. Everything lives in the arena. */
enum status fhirpath_evaluate(struct fhirpath_session *session, struct arena *arena,
                              const struct source *source, const struct json *context,
                              struct diag_list *diags, const struct path_expr **expr_out,
                              struct path_items *items_out);

/* The first error: what ends the run names it. NULL: there is none. */
const struct diag *fhirpath_first_error(const struct diag_list *diags);

/* `eplan fhirpath --batch`. */
int fhirpath_batch(struct fhirpath_session *session);

#endif
