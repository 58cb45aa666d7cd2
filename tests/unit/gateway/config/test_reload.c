/* What a reload takes over; files that are missing or too open; the verb's exit status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/config/config.h"

static char folder[] = "/tmp/eplan-test-reload-XXXXXX";

static void write_file(const char *name, const char *text, mode_t mode)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static const struct config *load(struct arena *arena, bool check_files, struct buf *text)
{
    struct diag_list diags;
    struct config_options options = {.check_files = check_files};
    const struct config *config = NULL;
    char *path = arena_alloc(arena, 256);
    snprintf(path, 256, "%s/gateway.yaml", folder);
    diag_init(&diags, arena, 50);
    buf_init(text, arena, 100000);
    config_load(arena, slice_of(path), &options, &diags, &config);
    diag_render_all(&diags, text);
    return config;
}

static void a_reload_names_what_needs_a_restart(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    struct buf text;
    write_file("gateway.yaml", "listen: { port: 1 }\npool: { threads: 2 }\n", 0644);
    write_file("ehrs.d/north.yaml",
               "name: north\nbase-url: https://127.0.0.1:1/fhir\ntimezone: Z\n"
               "poll: { queries: [\"Observation?code=1\"] }\n",
               0644);
    const struct config *running = load(arena, false, &text);
    assert_non_null(running);
    assert_int_equal(config_restart_differences(arena, running, running).count, 0);
    write_file("gateway.yaml", "listen: { port: 2 }\npool: { threads: 2 }\ndrain: 1s\n", 0644);
    write_file("ehrs.d/north.yaml",
               "name: north\nbase-url: https://127.0.0.1:2/fhir\ntimezone: +01:00\n"
               "synthetic: true\npoll: { queries: [\"Observation?code=2\"] }\n",
               0644);
    const struct config *next = load(arena, false, &text);
    assert_non_null(next);
    struct config_texts found = config_restart_differences(arena, running, next);
    assert_int_equal(found.count, 3);
    assert_true(slice_is(found.at[0], "listen.port"));
    assert_true(slice_is(found.at[1], "ehr north: base-url"));
    assert_true(slice_is(found.at[2], "ehr north: synthetic"));
    assert_true(config_find_ehr(next, SLICE("north"))->synthetic);
    assert_null(config_find_ehr(next, SLICE("south")));
    arena_destroy(&arena);
}

static void files_that_others_can_read_are_refused(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    struct buf text;
    write_file("gateway.yaml",
               "mappings: ehrs.d\ntls: { certificate-file: a.pem, key-file: a.key }\n", 0644);
    write_file("ehrs.d/north.yaml",
               "name: north\nbase-url: https://fhir.example/r4\ntimezone: Z\n"
               "auth: { kind: bearer, token-file: token }\n",
               0644);
    write_file("a.pem", "x", 0644);
    write_file("a.key", "x", 0644);
    const struct config *config = load(arena, true, &text);
    assert_null(config);
    assert_non_null(strstr(text.at, "gateway.yaml:2:43: error: "));
    assert_non_null(strstr(text.at, "[secret-file]"));
    assert_non_null(strstr(text.at, "ehrs.d/north.yaml:4:35: error: "));
    write_file("a.key", "x", 0600);
    write_file("ehrs.d/token", "x", 0600);
    config = load(arena, true, &text);
    if (config == NULL || text.len != 0) {
        fail_msg("%s", text.at);
    }
    arena_destroy(&arena);
}

static int run_verb(const char *arguments)
{
    char command[1024];
    snprintf(command, sizeof command, "%s check-config %s >/dev/null 2>&1", EPLAN_BINARY,
             arguments);
    int ended = system(command);
    return WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
}

static void the_verb_says_how_it_went(void **state)
{
    (void)state;
    char arguments[300];
    if (access(EPLAN_BINARY, X_OK) != 0) {
        skip();
    }
    snprintf(arguments, sizeof arguments, "-c %s/gateway.yaml", folder);
    write_file("gateway.yaml", "ehrs: ehrs.d\n", 0644);
    assert_int_equal(run_verb("-c /nonexistent/gateway.yaml"), 2);
    assert_int_equal(run_verb("--nonsense"), 64);
    assert_int_equal(run_verb(arguments), 1); /* no certificate there */
    snprintf(arguments, sizeof arguments, "--no-files -c %s/gateway.yaml", folder);
    assert_int_equal(run_verb(arguments), 0);
    write_file("gateway.yaml", "prot: 1\n", 0644);
    assert_int_equal(run_verb(arguments), 1);
}

static int make_folder(void **state)
{
    (void)state;
    char path[256];
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/ehrs.d", folder);
    return mkdir(path, 0700);
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"gateway.yaml", "ehrs.d/north.yaml", "ehrs.d/token",
                                        "a.pem", "a.key"};
    char path[256];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/ehrs.d", folder);
    rmdir(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reload_names_what_needs_a_restart),
        cmocka_unit_test(files_that_others_can_read_are_refused),
        cmocka_unit_test(the_verb_says_how_it_went),
    };
    return cmocka_run_group_tests_name("reload", tests, make_folder, remove_folder);
}
