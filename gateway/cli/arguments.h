/* The arguments of a verb: options by a table, the rest in their order. */
#ifndef GATEWAY_CLI_ARGUMENTS_H
#define GATEWAY_CLI_ARGUMENTS_H

#include "gateway/cli/cli.h"

/* Exactly one of the two is set. */
struct argument_option {
    const char *name;   /* "--json" */
    bool *flag;         /* becomes true */
    const char **value; /* becomes the argument behind it */
};

/*
 * EXIT_DONE: all options are stored, the other arguments are in words (at least `least`, at most
 * `most`; the rest of words is NULL). Else EXIT_USAGE, which was told: `what` says what the verb
 * wants ("names a folder and a child").
 */
int arguments_read(struct cli *cli, int argc, char **argv, const struct argument_option *options,
                   size_t option_count, const char **words, size_t least, size_t most,
                   const char *what);

#endif
