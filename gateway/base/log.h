/*
 * Log lines: one JSON object a line, {"time":...,"level":...,"event":...,FIELDS}. A field is a row
 * of log_fields.def, and no row is for patient data. Library code does not log; who decides logs,
 * once. Any thread: a line is written by one call and never mixed with another. A reader that
 * stalls costs lines, not the daemon: what could not be written is counted and said in the next
 * line. Tests: tests/unit/gateway/base/test_log.c.
 */
#ifndef GATEWAY_BASE_LOG_H
#define GATEWAY_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "fhir/base/slice.h"
#include "gateway/base/clock.h"
#include "gateway/base/uuid.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

enum log_class { LOG_PUBLIC, LOG_OPERATOR };

enum log_field {
#define LOG_FIELD(id, name, audience, shape, meaning) LOG_FIELD_##id,
#include "gateway/base/log_fields.def"
#undef LOG_FIELD
    LOG_FIELDS
};

struct log_item {
    enum log_field field;
    bool is_number;
    int64_t number;
    struct slice text; /* borrowed until the call returns */
};

struct log;

struct log_config {
    const struct clock *clock; /* borrowed: must outlive the log */
    enum log_level level;      /* lines above it are not written */
    enum log_class audience;   /* LOG_PUBLIC leaves operator fields out */
    bool journal;              /* begin a line with "<3>" ..., as systemd's journal reads it */
    /*
     * Takes one whole line that ends with a newline, at most LOG_LINE_MAX bytes (of log_later():
     * several, at most LOG_WAITING_MAX); false: it was lost. Called by one thread at a time.
     */
    bool (*sink)(void *arg, struct slice line);
    void *sink_arg;
};

enum { LOG_LINE_MAX = 4096, LOG_WAITING_MAX = 16 * 1024 };

/* Writes to the file descriptor (an int in sink_arg: log_fd_arg(fd)); gives up after 100 ms when
 * nobody reads. */
bool log_to_fd(void *arg, struct slice line);
static inline void *log_fd_arg(int fd)
{
    return (void *)(intptr_t)fd;
}

/* NULL: no memory. Caller destroys, after all threads that write are gone. */
struct log *log_create(const struct log_config *config);
void log_destroy(struct log **log);

void log_set_level(struct log *log, enum log_level level);
bool log_wants(const struct log *log, enum log_level level);

/* `event` is a short literal in words and hyphens, "message-stored". Unknown or repeated fields are
 * a fault of ours. log NULL: nothing is written. */
void log_write(struct log *log, enum log_level level, const char *event,
               const struct log_item *items, size_t count);

/*
 * The same, but the line waits for the next log_write() or log_flush(), in its order: lines that
 * come by hundreds cost one write. It is lost when the process is killed in between.
 */
void log_later(struct log *log, enum log_level level, const char *event,
               const struct log_item *items, size_t count);
void log_flush(struct log *log); /* log NULL: nothing */

#define LOG_NUMBER(id, value)                                                                      \
    ((struct log_item){.field = LOG_FIELD_##id, .is_number = true, .number = (int64_t)(value)})
#define LOG_SLICE(id, value)                                                                       \
    ((struct log_item){.field = LOG_FIELD_##id, .is_number = false, .text = (value)})
#define LOG_TEXT(id, cstr) LOG_SLICE(id, slice_of(cstr))

/* LOG(log, LOG_INFO, "message-stored", LOG_TEXT(EHR, name), LOG_NUMBER(BYTES, len)); at least one
 * field. The event must be a literal. */
#define LOG(log, level, event, ...)                                                                \
    log_write((log), (level), "" event, (const struct log_item[]){__VA_ARGS__},                    \
              sizeof((const struct log_item[]){__VA_ARGS__}) / sizeof(struct log_item))

const char *log_level_name(enum log_level level); /* "warning" */
/* False, *level_out untouched: no such level. */
bool log_level_read(struct slice name, enum log_level *level_out);
const char *log_field_name(enum log_field field);
enum log_class log_field_class(enum log_field field);

#endif
