/*
 * Verbs that look or act: they ask the running daemon by its control socket; where none runs they
 * take the store's lock and answer for themselves.
 */
#ifndef GATEWAY_CLI_ASK_H
#define GATEWAY_CLI_ASK_H

#include "fhir/json/json.h"
#include "gateway/cli/cli.h"
#include "gateway/config/config.h"

struct ask {
    const char *config_path; /* of -c */
    const char *ehr;         /* of --ehr; NULL: not given */
    bool json;               /* --json: the answer as it came */
    bool open;               /* --open */
    const char *what;        /* the argument without a dash; NULL: not given */
};

enum { ASK_EHR = 1, ASK_JSON = 2, ASK_OPEN = 4, ASK_WHAT = 8 };

/* EXIT_DONE, or the exit status of a wrong usage, which was told. `takes`: which of ASK_... */
int ask_read(struct cli *cli, int argc, char **argv, unsigned takes, struct ask *ask_out);

/* Sends {"verb":...} with what was given. EXIT_DONE: *answer_out is set, unless --json printed it.
 * Others: err says why. */
int ask_send(struct cli *cli, const char *verb, const struct ask *ask,
             const struct json **answer_out);

/* The same for a request that the verb made. *text_out: the answer as it came; may be NULL. */
int ask_request(struct cli *cli, const char *config_path, const struct json *request,
                const struct json **answer_out, struct slice *text_out);

/* The configuration of a verb; EXIT_UNREADABLE: err says why. */
int ask_config(struct cli *cli, const char *config_path, const struct config **config_out);

/* "2026-03-01T12:00:00.000Z" as people read it: "2026-03-01 12:00:00 UTC"; "-" when there is none.
 */
struct slice ask_time(struct cli *cli, const struct json *object, const char *name);

/* The arguments of a verb that takes "[-c FILE] WHAT": EXIT_DONE, or a wrong usage that was told;
 * `names` says what is missing. */
int ask_file(struct cli *cli, int argc, char **argv, const char *names,
             const char **config_path_out, const char **file_out);

/* What was done with a file beside the store is noted in its trail. An exit status. */
int ask_note(struct cli *cli, const char *config_path, const char *verb, const char *file);

#endif
