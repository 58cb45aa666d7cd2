/* The table of settings, and conf/ held against it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/config/settings.h"

static size_t size_of(enum setting_type type)
{
    switch (type) {
    case SETTING_BOOL:
        return sizeof(bool);
    case SETTING_COUNT:
    case SETTING_BYTES:
    case SETTING_DURATION:
        return sizeof(uint64_t);
    case SETTING_CHOICE:
        return sizeof(unsigned);
    case SETTING_ZONE:
        return sizeof(const struct zone *);
    case SETTING_TEXTS:
    case SETTING_FOLDERS:
    case SETTING_LIST:
        return sizeof(struct config_texts);
    case SETTING_NAME:
    case SETTING_TEXT:
    case SETTING_PATH:
    case SETTING_FILE:
    case SETTING_SECRET_FILE:
    case SETTING_FOLDER:
    case SETTING_URL:
    case SETTING_ADDRESS:
    case SETTING_UUID:
        break;
    }
    return sizeof(struct slice);
}

static void each_row_fits_its_field(void **state)
{
    (void)state;
    assert_true(setting_count <= 128);
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting *setting = &settings[i];
        if (setting->size != size_of(setting->type)) {
            fail_msg("%s: its field has %zu bytes", setting->path, setting->size);
        }
        assert_true(strlen(setting->sentence) > 10);
        assert_true(setting->least <= setting->most);
        /* Reload compares no lists and zones: they must be live (config_restart_differences). */
        bool compared = setting->type != SETTING_TEXTS && setting->type != SETTING_FOLDERS &&
                        setting->type != SETTING_LIST && setting->type != SETTING_ZONE;
        assert_true(compared || setting->live);
        for (size_t j = 0; j < i; j++) {
            bool same =
                settings[j].scope == setting->scope && strcmp(settings[j].path, setting->path) == 0;
            assert_false(same);
        }
    }
}

/* ---- conf/ ---- */

static char folder[] = "/tmp/eplan-test-settings-XXXXXX";

static struct slice read_conf(struct arena *arena, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/conf/%s", SOURCE_DIR, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *bytes = arena_alloc(arena, 65536);
    size_t len = fread(bytes, 1, 65535, file);
    fclose(file);
    return slice_from(bytes, len);
}

/* Takes away each # that no space follows. */
static struct slice uncomment(struct arena *arena, struct slice text)
{
    struct buf out;
    buf_init(&out, arena, 100000);
    struct slice line;
    while (slice_cut(&text, '\n', &line)) {
        if (line.len > 1 && line.at[0] == '#' && !(line.at[1] == ' ' && line.at[2] != ' ')) {
            line = slice_part(line, 1, line.len);
        }
        buf_add_slice(&out, line);
        buf_add_char(&out, '\n');
    }
    return buf_view(&out);
}

static void write_file(const char *name, struct slice text)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text.at, 1, text.len, file), text.len);
    fclose(file);
}

struct work {
    struct arena *arena;
    const struct config *shown;  /* as it stands in conf/ */
    const struct config *opened; /* with every setting taken out of its comment */
};

static const struct config *load(struct arena *arena, struct slice gateway, struct slice ehr)
{
    struct diag_list diags;
    struct config_options options = {.check_files = false};
    const struct config *config = NULL;
    char path[1024];
    write_file("gateway.yaml", gateway);
    write_file("ehrs.d/north.yaml", ehr);
    diag_init(&diags, arena, 50);
    snprintf(path, sizeof path, "%s/gateway.yaml", folder);
    config_load(arena, slice_of(path), &options, &diags, &config);
    struct buf text;
    buf_init(&text, arena, 100000);
    diag_render_all(&diags, &text);
    if (diags.count != 0) {
        fail_msg("%s", text.at);
    }
    return config;
}

static void check_given(struct arena *arena, enum setting_scope scope, struct slice text,
                        const char *below)
{
    struct diag_list diags;
    struct limits limits = YAML_LIMITS;
    const struct yaml *root = NULL;
    diag_init(&diags, arena, 50);
    yaml_parse(arena, source_create(arena, SLICE("conf"), text), &limits, &diags, &root);
    assert_non_null(root);
    if (below != NULL) {
        root = yaml_get(root, below)->first;
    }
    for (size_t i = 0; i < setting_count; i++) {
        bool elsewhere = strcmp(settings[i].path, "auth.token-file") == 0; /* bearer.example.yaml */
        if (settings[i].scope == scope && !elsewhere && !config_given(root, settings[i].path)) {
            fail_msg("conf/ does not show %s", settings[i].path);
        }
    }
}

static bool same_text(struct slice a, struct slice b)
{
    return slice_equal(a, b);
}

static void check_same(enum setting_scope scope, const void *shown, const void *opened)
{
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting *setting = &settings[i];
        const char *a = (const char *)shown + setting->offset;
        const char *b = (const char *)opened + setting->offset;
        bool same = true;
        if (setting->scope != scope || setting->type == SETTING_ZONE ||
            setting->type == SETTING_LIST ||
            strcmp(setting->path, "downtime") == 0 || /* examples, not the preset */
            strcmp(setting->path, "pilot-departments") == 0) {
            continue;
        }
        if (setting->type == SETTING_TEXTS || setting->type == SETTING_FOLDERS) {
            const struct config_texts *x = (const void *)a;
            const struct config_texts *y = (const void *)b;
            same = x->count == y->count && (x->count == 0 || same_text(x->at[0], y->at[0]));
        } else if (setting->size == sizeof(struct slice)) {
            same = same_text(*(const struct slice *)(const void *)a,
                             *(const struct slice *)(const void *)b);
        } else {
            same = memcmp(a, b, setting->size) == 0;
        }
        if (!same) {
            fail_msg("conf/ shows another preset of %s", setting->path);
        }
    }
}

static enum status hold_against_table(void *arg)
{
    struct work *work = arg;
    struct slice gateway = read_conf(work->arena, "gateway.yaml");
    struct slice ehr = read_conf(work->arena, "ehrs.d/smart.example.yaml");
    struct slice gateway_open = uncomment(work->arena, gateway);
    struct slice ehr_open = uncomment(work->arena, ehr);
    work->shown = load(work->arena, gateway, ehr);
    work->opened = load(work->arena, gateway_open, ehr_open);
    check_given(work->arena, SCOPE_gateway, gateway_open, NULL);
    check_given(work->arena, SCOPE_ehr, ehr_open, NULL);
    check_given(work->arena, SCOPE_subscription, ehr_open, "subscriptions");
    check_given(work->arena, SCOPE_sender, ehr_open, "senders");
    check_given(work->arena, SCOPE_acceptor, ehr_open, "accept");
    return STATUS_OK;
}

static void conf_shows_every_setting_with_its_preset(void **state)
{
    (void)state;
    struct work work = {.arena = arena_create(0)};
    assert_int_equal(arena_run(work.arena, hold_against_table, &work), STATUS_OK);
    check_same(SCOPE_gateway, &work.shown->gateway, &work.opened->gateway);
    assert_int_equal(work.shown->ehr_count, 1);
    assert_int_equal(work.opened->ehr_count, 1);
    check_same(SCOPE_ehr, work.shown->ehrs, work.opened->ehrs);
    check_same(SCOPE_subscription, work.shown->ehrs->subscriptions.at,
               work.opened->ehrs->subscriptions.at);
    check_same(SCOPE_sender, work.shown->ehrs->senders.at, work.opened->ehrs->senders.at);
    arena_destroy(&work.arena);
}

static enum status load_bearer(void *arg)
{
    struct work *work = arg;
    work->shown = load(work->arena, read_conf(work->arena, "gateway.yaml"),
                       read_conf(work->arena, "ehrs.d/bearer.example.yaml"));
    return STATUS_OK;
}

static void presets_are_safe(void **state)
{
    (void)state;
    struct work work = {.arena = arena_create(0)};
    assert_int_equal(arena_run(work.arena, load_bearer, &work), STATUS_OK);
    const struct config *config = work.shown;
    assert_true(slice_is(config->gateway.listen.address, "127.0.0.1"));
    assert_int_equal(config->gateway.listen.port, 8443);
    assert_int_equal(config->ehrs->mode, MODE_SHADOW);
    assert_false(config->ehrs->synthetic);
    assert_int_equal(config->ehrs->care_plan_intent, INTENT_PROPOSAL);
    assert_int_equal(config->ehrs->settle_ms, 20000);
    assert_int_equal(config->ehrs->settle_most_ms, 120000);
    assert_int_equal(config->ehrs->auth.kind, AUTH_BEARER);
    char path[1024];
    snprintf(path, sizeof path, "%s/ehrs.d/clinic.token", folder);
    assert_true(slice_is(config->ehrs->auth.token_file, path));
    assert_int_equal(config->ehrs->poll.queries.count, 2);
    assert_int_equal(zone_offset_minutes(config->ehrs->timezone, 0), -420);
    arena_destroy(&work.arena);
}

static int make_folder(void **state)
{
    (void)state;
    char path[1024];
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/ehrs.d", folder);
    return mkdir(path, 0700);
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"gateway.yaml", "ehrs.d/north.yaml"};
    char path[1024];
    for (size_t i = 0; i < 2; i++) {
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
        cmocka_unit_test(each_row_fits_its_field),
        cmocka_unit_test(conf_shows_every_setting_with_its_preset),
        cmocka_unit_test(presets_are_safe),
    };
    return cmocka_run_group_tests_name("settings", tests, make_folder, remove_folder);
}
