/*
 * A child as the store kept the facts of an evaluation: to try a mapping on what was known then.
 * What is missing is said in words that quote nothing of the record.
 */
#ifndef GATEWAY_CLI_STORED_CHILD_H
#define GATEWAY_CLI_STORED_CHILD_H

#include "gateway/cli/workbench.h"
#include "gateway/config/config.h"
#include "gateway/patient/context.h"

struct stored_child {
    const struct json *entry; /* as the desk tells of it (desk.h, "evaluated") */
    const struct json *trace; /* NULL: nothing was decided */
    struct context context;
    struct evaluation_input input;
};

/* Reads what `entry` holds. Empty: all that evaluating again wants is there; else what is not.
 * Lives in the arena. */
struct slice stored_child_read(struct arena *arena, const struct config *config,
                               struct stored_child *stored);

/* What the mapping asks for, where the same was asked then. Empty: all of it was, or diags says why
 * the mapping cannot ask. */
struct slice stored_child_give(struct arena *arena, const struct mapping *mapping,
                               struct stored_child *stored, struct diag_list *diags);

/* Is it an id as the gateway gives them to messages and visits? */
bool stored_child_is_meant(const char *what);

/* As workbench_child(), and nothing that it prints quotes the record; of a message or visit in the
 * store of choice->config: of the latest visit of a message that has several. */
int stored_child_find(struct workbench *bench, const struct child_choice *choice,
                      struct child *child_out);

#endif
