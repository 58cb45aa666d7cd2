/*
 * The parts as one service: reads the configuration, takes the store's lock, builds every part from
 * the bottom up, serves until a signal ends it, and takes all apart again. Nothing of it knows
 * FHIR. Limits: a start that fails leaves nothing behind; a stop takes `drain` and a few seconds at
 * most. Tests: tests/scenario/suite_life.mjs.
 */
#ifndef GATEWAY_DAEMON_DAEMON_H
#define GATEWAY_DAEMON_DAEMON_H

#include <stdio.h>

#include "fhir/base/slice.h"

enum daemon_end {
    DAEMON_STOPPED,  /* asked to stop, and everything came to its next row */
    DAEMON_CUT_OFF,  /* asked to stop, and something hung beyond `drain`: it goes on after the next
                        start */
    DAEMON_MISTAKES, /* not started: configuration, mapping or store do not allow it */
    DAEMON_UNREADABLE, /* not started: a file cannot be opened */
    DAEMON_ROOT,       /* not started: run by root */
    DAEMON_FAULT,      /* out of memory, threads or descriptors */
};

/*
 * Runs on the calling thread until SIGTERM or SIGINT; SIGHUP reloads. Why it did not start is said
 * on err; from then on there are log lines on standard error. json_library_init() was called.
 */
enum daemon_end daemon_run(struct slice config_path, FILE *err);

#endif
