/*
 * The command line: `eplan VERB ...`. A verb is one row of verbs.def and one file verb_<name>.c.
 * Exit status is the same for every verb (enum exit_status). Results go to out, diagnostics to err.
 */
#ifndef GATEWAY_CLI_CLI_H
#define GATEWAY_CLI_CLI_H

#include <stdio.h>

#include "fhir/base/arena.h"
#include "fhir/base/diag.h"
#include "fhir/base/source.h"

enum exit_status {
    EXIT_DONE = 0,
    EXIT_FOUND = 1,      /* looked, and found faults, differences or held work */
    EXIT_UNREADABLE = 2, /* the input could not be read or compiled */
    EXIT_EVALUATION = 3, /* evaluation failed */
    EXIT_USAGE = 64,
    EXIT_FAULT = 70, /* a fault of ours */
    EXIT_AGAIN = 75, /* try again */
};

struct cli {
    FILE *in;
    FILE *out;
    FILE *err;
    struct arena *arena; /* of this command; verbs that stream make arenas of their own */
};

/* argv[0] is the verb. Returns an exit status. Runs inside arena_run(cli->arena). */
typedef int cli_verb(struct cli *cli, int argc, char **argv);

/* The whole command line; returns the process's exit status. */
int cli_main(int argc, char **argv);

/* Prints "eplan VERB: SENTENCE" and the verb's usage to err; returns EXIT_USAGE. */
int cli_usage(struct cli *cli, const char *verb, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Reads a whole file ("-": standard input) as a source of that name. STATUS_IO or STATUS_LIMIT: the
 * reason stands on err. The bytes live in the arena.
 */
enum status cli_read(struct cli *cli, struct arena *arena, const char *path, size_t ceiling,
                     struct source **source_out);

/* The whole of an open stream. STATUS_LIMIT: larger than the ceiling; STATUS_IO: errno says why.
 * The bytes live in the arena. */
enum status cli_read_stream(struct arena *arena, FILE *file, size_t ceiling,
                            struct slice *text_out);

/* Prints all diagnostics of the list to err. */
void cli_print_diags(struct cli *cli, const struct diag_list *diags);

#endif
