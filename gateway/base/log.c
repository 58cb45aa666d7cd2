#include "gateway/base/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum shape { WORD, UUID, NUMBER, TEXT };
enum { PUBLIC = LOG_PUBLIC, OPERATOR = LOG_OPERATOR };
enum { WORD_MAX = 96, TEXT_MAX = 240, STALL_MS = 100 };

static const struct field {
    const char *name;
    enum log_class class;
    enum shape shape;
} fields[LOG_FIELDS] = {
#define LOG_FIELD(id, name, audience, shape, meaning) {(name), (enum log_class)(audience), (shape)},
#include "gateway/base/log_fields.def"
#undef LOG_FIELD
};

static const char *const level_names[] = {"error", "warning", "info", "debug"};
static const char level_priority[] = "3467"; /* of syslog, for the journal */

struct log {
    struct log_config config;
    _Atomic int level;
    pthread_mutex_t lock; /* over the sink and what follows */
    uint64_t lost;
    size_t waiting_len;
    char waiting[LOG_WAITING_MAX]; /* lines of log_later() */
};

/* A line under construction; bytes beyond the ceiling are left out, a field whole or not at all. */
struct line {
    char at[LOG_LINE_MAX];
    size_t len;
};

struct log *log_create(const struct log_config *config)
{
    struct log *log = calloc(1, sizeof *log);
    if (log == NULL) {
        return NULL;
    }
    log->config = *config;
    atomic_store(&log->level, (int)config->level);
    pthread_mutex_init(&log->lock, NULL);
    return log;
}

void log_destroy(struct log **log)
{
    if (log == NULL || *log == NULL) {
        return;
    }
    log_flush(*log);
    pthread_mutex_destroy(&(*log)->lock);
    free(*log);
    *log = NULL;
}

void log_set_level(struct log *log, enum log_level level)
{
    atomic_store(&log->level, (int)level);
}

bool log_wants(const struct log *log, enum log_level level)
{
    return log != NULL && (int)level <= atomic_load(&log->level);
}

const char *log_level_name(enum log_level level)
{
    return level_names[level];
}

bool log_level_read(struct slice name, enum log_level *level_out)
{
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (slice_is(name, level_names[i])) {
            *level_out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

const char *log_field_name(enum log_field field)
{
    return fields[field].name;
}

enum log_class log_field_class(enum log_field field)
{
    return fields[field].class;
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool fits(enum shape shape, struct slice text)
{
    struct uuid uuid;
    switch (shape) {
    case UUID:
        return uuid_read(text, &uuid);
    case WORD:
        for (size_t i = 0; i < text.len; i++) {
            if (text.at[i] == '\0' ||
                (!is_alnum(text.at[i]) && strchr("._:/@+-", text.at[i]) == NULL)) {
                return false;
            }
        }
        return text.len != 0 && text.len <= WORD_MAX;
    case TEXT:
        for (size_t i = 0; i < text.len; i++) {
            if (text.at[i] < ' ' || text.at[i] > '~') {
                return false;
            }
        }
        return text.len <= TEXT_MAX;
    case NUMBER:
        break;
    }
    return false;
}

static void add(struct line *line, const char *text, size_t len)
{
    if (len <= sizeof line->at - line->len) {
        memcpy(line->at + line->len, text, len);
        line->len += len;
    }
}

static void add_text(struct line *line, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) { /* what fits a shape needs no other escape */
        if (text.at[i] == '"' || text.at[i] == '\\') {
            add(line, "\\", 1);
        }
        add(line, text.at + i, 1);
    }
}

static void add_item(struct line *line, const struct log_item *item)
{
    const struct field *field = &fields[item->field];
    size_t name_len = strlen(field->name);
    /* Room for the longest value, escaped, and for the end of the line. */
    if (sizeof line->at - line->len < name_len + (size_t)2 * TEXT_MAX + 64) {
        return;
    }
    add(line, ",\"", 2);
    add(line, field->name, name_len);
    add(line, "\":", 2);
    if (item->is_number && field->shape == NUMBER) {
        char number[32];
        int len = snprintf(number, sizeof number, "%lld", (long long)item->number);
        add(line, number, (size_t)len);
        return;
    }
    bool good = !item->is_number && fits(field->shape, item->text);
    add(line, "\"", 1);
    add_text(line, good ? item->text : SLICE("(withheld)"));
    add(line, "\"", 1);
}

static void begin(struct log *log, struct line *line, enum log_level level, const char *event)
{
    char time[CLOCK_TEXT_SIZE];
    clock_format(clock_utc(log->config.clock), time);
    const char *const parts[] = {
        "{\"time\":\"", time, "\",\"level\":\"", level_names[level], "\",\"event\":\"",
        event,          "\""};
    if (log->config.journal) {
        add(line, (const char[]){'<', level_priority[level], '>'}, 3);
    }
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        add(line, parts[i], strnlen(parts[i], WORD_MAX));
    }
}

/* With the lock. */
static void flush(struct log *log)
{
    if (log->waiting_len != 0 &&
        !log->config.sink(log->config.sink_arg, slice_from(log->waiting, log->waiting_len))) {
        for (size_t i = 0; i < log->waiting_len; i++) {
            log->lost += log->waiting[i] == '\n';
        }
    }
    log->waiting_len = 0;
}

static void make_line(struct log *log, struct line *line, enum log_level level, const char *event,
                      const struct log_item *items, size_t count)
{
    line->len = 0;
    begin(log, line, level, event);
    for (size_t i = 0; i < count; i++) {
        if (fields[items[i].field].class <= log->config.audience) {
            add_item(line, &items[i]);
        }
    }
}

void log_write(struct log *log, enum log_level level, const char *event,
               const struct log_item *items, size_t count)
{
    if (!log_wants(log, level)) {
        return;
    }
    struct line line;
    make_line(log, &line, level, event, items, count);
    pthread_mutex_lock(&log->lock);
    flush(log);
    if (log->lost != 0) {
        add_item(&line, &LOG_NUMBER(DROPPED, log->lost));
    }
    add(&line, "}\n", 2);
    bool written = log->config.sink(log->config.sink_arg, slice_from(line.at, line.len));
    log->lost = written ? 0 : log->lost + 1;
    pthread_mutex_unlock(&log->lock);
}

void log_later(struct log *log, enum log_level level, const char *event,
               const struct log_item *items, size_t count)
{
    if (!log_wants(log, level)) {
        return;
    }
    struct line line;
    make_line(log, &line, level, event, items, count);
    add(&line, "}\n", 2);
    pthread_mutex_lock(&log->lock);
    if (line.len > sizeof log->waiting - log->waiting_len) {
        flush(log);
    }
    memcpy(log->waiting + log->waiting_len, line.at, line.len);
    log->waiting_len += line.len;
    pthread_mutex_unlock(&log->lock);
}

void log_flush(struct log *log)
{
    if (log != NULL) {
        pthread_mutex_lock(&log->lock);
        flush(log);
        pthread_mutex_unlock(&log->lock);
    }
}

bool log_to_fd(void *arg, struct slice line)
{
    int fd = (int)(intptr_t)arg;
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    while (line.len > 0) {
        /* A pipe that is ready takes PIPE_BUF bytes, at least a whole line, without blocking. */
        int rc = poll(&ready, 1, STALL_MS);
        if (rc < 0 && errno == EINTR) {
            continue;
        }
        if (rc <= 0 || (ready.revents & (POLLERR | POLLNVAL)) != 0) {
            return false;
        }
        ssize_t written = write(fd, line.at, line.len < PIPE_BUF ? line.len : PIPE_BUF);
        if (written < 0 && errno != EINTR && errno != EAGAIN) {
            return false;
        }
        line = slice_part(line, written > 0 ? (size_t)written : 0, line.len);
    }
    return true;
}
