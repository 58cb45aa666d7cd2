#include "common/driver.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "gateway/http/client.h"

/* ---- lines ---- */

void put_text(struct arena *arena, struct json *object, const char *name, struct slice value)
{
    json_add(arena, object, slice_of(name), json_new_string(arena, value));
}

void put_number(struct arena *arena, struct json *object, const char *name, int64_t value)
{
    json_add(arena, object, slice_of(name),
             json_new_number(arena, arena_printf(arena, "%" PRId64, value)));
}

void put_bool(struct arena *arena, struct json *object, const char *name, bool value)
{
    json_add(arena, object, slice_of(name), json_new_bool(arena, value));
}

void driver_print(struct driver *driver, struct arena *arena, const struct json *line)
{
    struct slice text = json_write(arena, line, JSON_COMPACT);
    pthread_mutex_lock(&driver->out);
    fwrite(text.at, 1, text.len, stdout);
    fputc('\n', stdout);
    fflush(stdout);
    pthread_mutex_unlock(&driver->out);
}

int64_t get_number(const struct json *object, const char *name, int64_t otherwise)
{
    uint64_t value = 0;
    return slice_to_u64(json_text(json_get(object, name)), &value) ? (int64_t)value : otherwise;
}

struct line {
    struct driver *driver;
    struct arena *arena;
    struct slice text;
    driver_command *command;
    void *arg;
};

static enum status take_line(void *arg)
{
    struct line *line = arg;
    struct diag_list diags;
    diag_init(&diags, line->arena, 1);
    const struct limits limits = LIMITS_DEFAULT;
    const struct json *json = NULL;
    struct slice text = arena_copy(line->arena, line->text);
    if (json_parse(line->arena, source_create(line->arena, SLICE("command"), text), &limits, &diags,
                   &json) != STATUS_OK) {
        fprintf(stderr, "driver: not JSON: %.*s\n", SLICE_ARGS(text));
        return STATUS_INVALID;
    }
    if (slice_is(json_get_text(json, "do"), "advance")) {
        atomic_fetch_add(&line->driver->ahead_us, get_number(json, "ms", 0) * 1000);
        struct json *answer = json_new_object(line->arena);
        put_number(line->arena, answer, "n", get_number(json, "n", 0));
        driver_print(line->driver, line->arena, answer);
        return STATUS_OK;
    }
    line->command(line->arg, line->arena, json);
    return STATUS_OK;
}

void driver_read(struct driver *driver, driver_command *command, void *arg)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t len;
    while ((len = getline(&text, &room, stdin)) > 0) {
        struct arena *arena = arena_create(0);
        struct line line = {driver, arena, slice_from(text, (size_t)len), command, arg};
        (void)arena_run(arena, take_line, &line);
        arena_destroy(&arena);
    }
    free(text);
}

void driver_wait(bool (*holds)(void *arg), void *arg)
{
    while (!holds(arg)) {
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
}

/* ---- the clock ---- */

static int64_t utc(void *state)
{
    struct driver *driver = state;
    return clock_utc(&clock_system) + atomic_load(&driver->ahead_us);
}

static int64_t monotonic(void *state)
{
    struct driver *driver = state;
    return clock_monotonic(&clock_system) + atomic_load(&driver->ahead_us);
}

/* ---- life ---- */

static bool complain(struct driver *driver, const struct diag_list *diags, const char *what)
{
    struct buf text;
    buf_init(&text, driver->arena, 1 << 20);
    diag_render_all(diags, &text);
    fprintf(stderr, "driver: %s\n%.*s", what, SLICE_ARGS(buf_view(&text)));
    return false;
}

static bool make_machinery(struct driver *driver)
{
    const struct log_config log = {.clock = &driver->clock,
                                   .level = LOG_DEBUG,
                                   .audience = LOG_OPERATOR,
                                   .sink = log_to_fd,
                                   .sink_arg = log_fd_arg(STDERR_FILENO)};
    const struct pool_config pool = {.threads = 2, .max_items = 256, .max_bytes = 64 << 20};
    const struct http_client_config client = {
        .clock = &clock_system, .max_items = 256, .max_bytes = 64 << 20};
    driver->log = log_create(&log);
    driver->loop = loop_create();
    return driver->log != NULL && driver->loop != NULL &&
           pool_create(&pool, &driver->pool) == STATUS_OK &&
           http_client_create(&client, &driver->client) == STATUS_OK;
}

struct opening {
    struct driver *driver;
    const char *path;
    bool good;
};

static enum status open_all(void *arg)
{
    struct opening *opening = arg;
    struct driver *driver = opening->driver;
    struct diag_list diags;
    diag_init(&diags, driver->arena, 100);
    const struct config_options options = {.check_files = false};
    if (config_load(driver->arena, slice_of(opening->path), &options, &diags, &driver->config) !=
            STATUS_OK ||
        driver->config->refused.count != 0) {
        opening->good = complain(driver, &diags, "the configuration is refused");
        return STATUS_OK;
    }
    driver->ehrs = ARENA_ARRAY(driver->arena, driver->config->ehr_count + 1, struct ehr *);
    for (size_t i = 0; i < driver->config->ehr_count; i++) {
        const struct ehr_options ehr = {.config = &driver->config->ehrs[i],
                                        .loop = driver->loop,
                                        .pool = driver->pool,
                                        .client = driver->client,
                                        .clock = &driver->clock,
                                        .random = &random_system,
                                        .log = driver->log,
                                        .keep_capability = driver->keep_capability,
                                        .arg = driver};
        if (ehr_create(&ehr, &diags, &driver->ehrs[i]) != STATUS_OK) {
            opening->good = complain(driver, &diags, "an EHR cannot be set up");
            return STATUS_OK;
        }
    }
    opening->good = true;
    return STATUS_OK;
}

bool driver_open(struct driver *driver, const char *config_path)
{
    json_library_init();
    loop_library_init();
    pthread_mutex_init(&driver->out, NULL);
    driver->clock = (struct clock){.utc = utc, .monotonic = monotonic, .state = driver};
    driver->arena = arena_create(0);
    struct opening opening = {.driver = driver, .path = config_path};
    return http_client_library_init() == STATUS_OK && driver->arena != NULL &&
           make_machinery(driver) && arena_run(driver->arena, open_all, &opening) == STATUS_OK &&
           opening.good;
}

static void *run_loop(void *arg)
{
    loop_run(arg);
    return NULL;
}

void driver_run(struct driver *driver)
{
    pthread_create(&driver->thread, NULL, run_loop, driver->loop);
}

static bool none_busy(void *arg)
{
    struct driver *driver = arg;
    for (size_t i = 0; i < driver->config->ehr_count; i++) {
        if (ehr_busy(driver->ehrs[i]) != 0) {
            return false;
        }
    }
    return true;
}

void driver_drain_client(struct driver *driver)
{
    for (size_t i = 0; i < driver->config->ehr_count; i++) {
        ehr_stop(driver->ehrs[i]);
    }
    (void)http_client_drain(driver->client, 200);
    driver_wait(none_busy, driver);
}

void driver_join(struct driver *driver)
{
    pthread_join(driver->thread, NULL);
}

void driver_destroy_ehrs(struct driver *driver)
{
    for (size_t i = 0; i < driver->config->ehr_count; i++) {
        ehr_destroy(&driver->ehrs[i]);
    }
}

void driver_close(struct driver *driver)
{
    http_client_destroy(&driver->client);
    pool_destroy(&driver->pool);
    loop_destroy(&driver->loop);
    log_destroy(&driver->log);
    arena_destroy(&driver->arena);
    pthread_mutex_destroy(&driver->out);
}

struct ehr *driver_find(struct driver *driver, struct slice name)
{
    for (size_t i = 0; i < driver->config->ehr_count; i++) {
        if (name.len == 0 || slice_equal(driver->config->ehrs[i].name, name)) {
            return driver->ehrs[i];
        }
    }
    return NULL;
}
