/*
 * What the drivers share: a part of the gateway with all it stands on, commands as JSON Lines on
 * standard input, answers as JSON Lines on standard output. Everything is built up, run and torn
 * down as the daemon does it, so that the sanitizers see it all. For tests alone.
 */
#ifndef TESTS_DRIVERS_COMMON_DRIVER_H
#define TESTS_DRIVERS_COMMON_DRIVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "gateway/ehr/ehr.h"

struct driver {
    struct arena *arena;
    const struct config *config;
    struct clock clock; /* the machine's, moved forward by "advance" */
    _Atomic int64_t ahead_us;
    struct log *log;
    struct loop *loop;
    pthread_t thread;
    struct pool *pool;
    struct http_client *client;
    struct ehr **ehrs;   /* as in the configuration */
    pthread_mutex_t out; /* one line at a time */
    void (*keep_capability)(void *arg, struct slice etag,
                            struct slice body); /* before driver_open; may be NULL */
};

/* Reads the configuration and makes all but starts nothing. False: it was said on standard error.
 */
bool driver_open(struct driver *driver, const char *config_path);
void driver_run(struct driver *driver); /* the loop, in a thread of its own */
/* The end, in this order: stops the EHRs, and waits until none of their calls is under way; waits
 * for the loop, which somebody stopped; then what is left. */
void driver_drain_client(struct driver *driver);
void driver_join(struct driver *driver);
void driver_destroy_ehrs(struct driver *driver);
void driver_close(struct driver *driver);

struct ehr *driver_find(struct driver *driver, struct slice name);

/* A line: the object, written. */
void driver_print(struct driver *driver, struct arena *arena, const struct json *line);
void put_text(struct arena *arena, struct json *object, const char *name, struct slice value);
void put_number(struct arena *arena, struct json *object, const char *name, int64_t value);
void put_bool(struct arena *arena, struct json *object, const char *name, bool value);

/* Reads commands until the end of the input. */
typedef void driver_command(void *arg, struct arena *arena, const struct json *command);
void driver_read(struct driver *driver, driver_command *command, void *arg);

int64_t get_number(const struct json *object, const char *name, int64_t otherwise);

/* Waits for the condition; it does not give up. */
void driver_wait(bool (*holds)(void *arg), void *arg);

#endif
