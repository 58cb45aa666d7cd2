/*
 * What the verbs of the informaticist's workbench share: a mapping read from its folder, and a
 * child to try it on: a case of the folder, a Bundle in a file, or a patient of a configured EHR
 * (read only).
 */
#ifndef GATEWAY_CLI_WORKBENCH_H
#define GATEWAY_CLI_WORKBENCH_H

#include "gateway/cli/folder.h"
#include "gateway/mapping/case.h"

struct workbench {
    struct cli *cli;
    const char *verb;
    struct folder folder;
    const struct mapping *mapping;
    struct diag_list diags;
};

/* EXIT_DONE, or EXIT_UNREADABLE: the reason stands on err. All lives in cli->arena. */
int workbench_open(struct cli *cli, const char *verb, const char *path,
                   struct workbench *bench_out);

struct child_choice {
    const char *what;   /* a case, a file, the id of a message or visit in the store, or a patient's
                           id when `ehr` is named */
    const char *visit;  /* NULL: the latest */
    const char *config; /* of -c */
    const char *ehr;    /* NULL: no EHR is asked */
};

/* EXIT_DONE, or EXIT_UNREADABLE or EXIT_AGAIN: the reason stands on err. Lives in cli->arena. */
int workbench_child(struct workbench *bench, const struct child_choice *choice,
                    struct child *child_out);

/* EXIT_DONE, or EXIT_EVALUATION: the reason stands on err. */
int workbench_evaluate(struct workbench *bench, const struct child *child, bool explain,
                       struct evaluation_result *result_out);

/* The calendar day, UTC. */
struct datetime workbench_today(void);

/* Writes a whole file ("-": out). EXIT_DONE, or EXIT_FAULT: the reason stands on err. */
int workbench_write(struct cli *cli, const char *path, struct slice bytes);

#endif
