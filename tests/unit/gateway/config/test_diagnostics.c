/*
 * Wrong configurations and the exact text they get: each folder of tests/diagnostics/config is read
 * from within, and what is said must be its expected.txt. EPLAN_UPDATE=1 writes the files anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/config/config.h"

struct work {
    struct arena *arena;
    struct buf text;
};

static enum status load_here(void *arg)
{
    struct work *work = arg;
    struct diag_list diags;
    struct config_options options = {.check_files = false};
    const struct config *config = NULL;
    diag_init(&diags, work->arena, 100);
    buf_init(&work->text, work->arena, 100000);
    enum status status = config_load(work->arena, SLICE("gateway.yaml"), &options, &diags, &config);
    diag_render_all(&diags, &work->text);
    buf_printf(&work->text, "= %s", status_name(status));
    for (size_t i = 0; config != NULL && i < config->ehr_count; i++) {
        buf_printf(&work->text, ", takes %.*s", SLICE_ARGS(config->ehrs[i].name));
    }
    for (size_t i = 0; config != NULL && i < config->refused.count; i++) {
        buf_printf(&work->text, ", leaves out %.*s", SLICE_ARGS(config->refused.at[i]));
    }
    buf_add_char(&work->text, '\n');
    return STATUS_OK;
}

static void check_case(void **state)
{
    const char *name = *state;
    char path[1024];
    char want[20000] = "";
    struct work work = {.arena = arena_create(0)};
    snprintf(path, sizeof path, "%s/diagnostics/config/%s", TESTS_DIR, name);
    assert_int_equal(chdir(path), 0);
    assert_int_equal(arena_run(work.arena, load_here, &work), STATUS_OK);
    bool update = getenv("EPLAN_UPDATE") != NULL;
    FILE *file = fopen("expected.txt", update ? "wb" : "rb");
    assert_non_null(file);
    if (update) {
        fputs(work.text.at, file);
    } else {
        want[fread(want, 1, sizeof want - 1, file)] = '\0';
    }
    fclose(file);
    if (!update && strcmp(want, work.text.at) != 0) {
        fail_msg("%s\n%s", name, work.text.at);
    }
    arena_destroy(&work.arena);
}

int main(void)
{
    static char names[][16] = {"values", "unknown",        "conflicts",     "one-bad-ehr",
                               "yaml",   "missing-folder", "store-password"};
    struct CMUnitTest tests[sizeof names / sizeof *names] = {{0}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        tests[i] = (struct CMUnitTest){
            .name = names[i], .test_func = check_case, .initial_state = names[i]};
    }
    return cmocka_run_group_tests_name("config diagnostics", tests, NULL, NULL);
}
