#include "gateway/config/config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/config/settings.h"

enum { EHRS_MOST = 1000 };

struct loading {
    struct arena *arena;
    const struct config_options *options;
    struct diag_list *diags;
    struct config *config;
    struct config_ehr *ehrs;
    struct slice *refused;
};

/* ---- files ---- */

static struct slice folder_of(struct arena *arena, struct slice path)
{
    while (path.len != 0 && path.at[path.len - 1] != '/') {
        path.len--;
    }
    return path.len == 0 ? SLICE(".") : arena_copy(arena, slice_part(path, 0, path.len - 1));
}

static enum status read_file(struct arena *arena, struct slice path, size_t ceiling,
                             struct slice *text_out, int *error_out)
{
    char *name = arena_cstr(arena, path);
    struct stat facts;
    if (stat(name, &facts) != 0) {
        *error_out = errno;
        return STATUS_IO;
    }
    /* One byte more than there is, or than is allowed, so that the reader sees what is too long. */
    size_t size =
        facts.st_size >= 0 && (size_t)facts.st_size < ceiling ? (size_t)facts.st_size : ceiling;
    char *at = arena_alloc(arena, size + 1);
    size_t len = 0;
    ssize_t got = 1;
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && got > 0 && len <= size) {
        got = read(fd, at + len, size + 1 - len);
        len += got > 0 ? (size_t)got : 0;
    }
    *error_out = errno;
    if (fd >= 0) {
        close(fd);
    }
    if (fd < 0 || got < 0) {
        return STATUS_IO;
    }
    *text_out = slice_from(at, len);
    return STATUS_OK;
}

/* The file as a tree, and its source. STATUS_IO: it cannot be opened, which is in the diagnostics.
 */
static enum status read_tree(const struct loading *loading, struct slice path, struct span named,
                             const struct yaml **root_out)
{
    struct limits limits = YAML_LIMITS;
    struct slice text = SLICE_NONE;
    int error = 0;
    enum status status = read_file(loading->arena, path, limits.bytes, &text, &error);
    if (status != STATUS_OK) {
        diag_add(loading->diags, DIAG_CONFIG_FILE, named, "%.*s: cannot be read: %s",
                 SLICE_ARGS(path), strerror(error));
        return STATUS_IO;
    }
    const struct source *source =
        source_create(loading->arena, arena_copy(loading->arena, path), text);
    return yaml_parse(loading->arena, source, &limits, loading->diags, root_out);
}

static int compare_slices(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

static bool is_ehr_file(const char *name)
{
    struct slice text = slice_of(name);
    return text.at[0] != '.' && slice_ends_with(text, SLICE(".yaml")) &&
           !slice_ends_with(text, SLICE(".example.yaml"));
}

static void close_folder(void *folder)
{
    closedir(folder);
}

/* The EHRs' files, by name, so that messages come in the same order everywhere. */
static enum status list_files(struct loading *loading, struct span named,
                              struct config_texts *files_out)
{
    struct arena *arena = loading->arena;
    struct slice folder = loading->config->gateway.ehrs_dir;
    char *path = arena_cstr(arena, folder);
    struct slice *files = ARENA_ARRAY(arena, EHRS_MOST, struct slice);
    size_t count = 0;
    DIR *dir = opendir(path);
    if (dir == NULL) {
        diag_add(loading->diags, DIAG_CONFIG_FILE, named, "ehrs: %s: %s", path, strerror(errno));
        return STATUS_IO;
    }
    arena_defer(arena, close_folder, dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (!is_ehr_file(entry->d_name)) {
            continue;
        }
        if (count == EHRS_MOST) {
            diag_add(loading->diags, DIAG_CONFIG_FILE, named, "ehrs: %s: has more than %d files",
                     path, EHRS_MOST);
            return STATUS_INVALID;
        }
        files[count++] = arena_printf(arena, "%s/%s", path, entry->d_name);
    }
    qsort(files, count, sizeof *files, compare_slices);
    *files_out = (struct config_texts){files, count};
    return STATUS_OK;
}

/* ---- reading ---- */

static struct slice default_ehrs_dir(struct arena *arena, struct slice path)
{
    struct slice folder = folder_of(arena, path);
    return slice_is(folder, ".") ? SLICE("ehrs.d")
                                 : arena_printf(arena, "%.*s/ehrs.d", SLICE_ARGS(folder));
}

static enum status load_gateway(struct loading *loading, struct slice path, struct span *ehrs_out)
{
    struct config_gateway *gateway = &loading->config->gateway;
    struct config_reader reader = {loading->arena, loading->diags, loading->options,
                                   folder_of(loading->arena, path)};
    const struct yaml *root = NULL;
    unsigned errors = loading->diags->errors;
    enum status status = read_tree(loading, path, SPAN_NONE, &root);
    if (status != STATUS_OK) {
        return status;
    }
    config_read_scope(&reader, SCOPE_gateway, root, gateway);
    if (loading->diags->errors == errors) {
        config_check_gateway(&reader, root, gateway);
    }
    *ehrs_out = root->kind == YAML_MAP ? config_place(root, "ehrs") : SPAN_NONE;
    return loading->diags->errors == errors ? STATUS_OK : STATUS_INVALID;
}

static bool name_is_free(struct loading *loading, const struct yaml *root,
                         const struct config_ehr *ehr)
{
    for (size_t i = 0; i < loading->config->ehr_count; i++) {
        const struct config_ehr *other = &loading->ehrs[i];
        if (slice_equal(other->name, ehr->name)) {
            struct diag *diag =
                diag_add(loading->diags, DIAG_CONFIG_CONFLICT, config_place(root, "name"),
                         "there is another EHR named \"%.*s\"", SLICE_ARGS(ehr->name));
            diag_hint(loading->diags, diag, "it is in %.*s", SLICE_ARGS(other->file));
            return false;
        }
    }
    return true;
}

static void load_ehr(struct loading *loading, struct slice path)
{
    struct config *config = loading->config;
    struct config_ehr *ehr = &loading->ehrs[config->ehr_count];
    struct config_reader reader = {loading->arena, loading->diags, loading->options,
                                   folder_of(loading->arena, path)};
    const struct yaml *root = NULL;
    unsigned errors = loading->diags->errors;
    *ehr = (struct config_ehr){.file = path};
    bool read = read_tree(loading, path, SPAN_NONE, &root) == STATUS_OK;
    if (read) {
        config_read_scope(&reader, SCOPE_ehr, root, ehr);
        if (root->kind == YAML_MAP) {
            config_check_ehr(&reader, root, &config->gateway, ehr);
        }
    }
    if (read && loading->diags->errors == errors && name_is_free(loading, root, ehr)) {
        config->ehr_count++;
    } else {
        loading->refused[config->refused.count++] = path;
    }
}

static int compare_ehrs(const void *a, const void *b)
{
    return slice_compare(((const struct config_ehr *)a)->name,
                         ((const struct config_ehr *)b)->name);
}

enum status config_load(struct arena *arena, struct slice path,
                        const struct config_options *options, struct diag_list *diags,
                        const struct config **config_out)
{
    struct config *config = ARENA_NEW(arena, struct config);
    struct loading loading = {arena, options, diags, config, NULL, NULL};
    struct config_texts files = {NULL, 0};
    struct span named = SPAN_NONE;
    config->file = arena_copy(arena, path);
    enum status status = load_gateway(&loading, config->file, &named);
    if (status == STATUS_IO) {
        return status;
    }
    if (config->gateway.ehrs_dir.len == 0) { /* gateway.yaml is no YAML: look in the usual place */
        config->gateway.ehrs_dir = default_ehrs_dir(arena, config->file);
    }
    enum status listed = list_files(&loading, named, &files);
    if (listed != STATUS_OK) {
        return status != STATUS_OK ? status : listed;
    }
    loading.ehrs = ARENA_ARRAY(arena, files.count + 1, struct config_ehr);
    loading.refused = ARENA_ARRAY(arena, files.count, struct slice);
    for (size_t i = 0; i < files.count; i++) {
        load_ehr(&loading, files.at[i]);
    }
    qsort(loading.ehrs, config->ehr_count, sizeof *loading.ehrs, compare_ehrs);
    config->ehrs = loading.ehrs;
    config->refused.at = loading.refused;
    if (status == STATUS_OK) {
        *config_out = config;
    }
    return status;
}

const struct config_ehr *config_find_ehr(const struct config *config, struct slice name)
{
    for (size_t i = 0; i < config->ehr_count; i++) {
        if (slice_equal(config->ehrs[i].name, name)) {
            return &config->ehrs[i];
        }
    }
    return NULL;
}

/* ---- what a reload cannot take over ---- */

static bool same_value(const struct setting *setting, const char *a, const char *b)
{
    switch (setting->type) {
    case SETTING_TEXTS:
    case SETTING_FOLDERS:
    case SETTING_LIST:
    case SETTING_ZONE:
        return true; /* all of these are live: test_settings.c holds the table to it */
    case SETTING_BOOL:
    case SETTING_COUNT:
    case SETTING_BYTES:
    case SETTING_DURATION:
    case SETTING_CHOICE:
        return memcmp(a + setting->offset, b + setting->offset, setting->size) == 0;
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
    return slice_equal(*(const struct slice *)(const void *)(a + setting->offset),
                       *(const struct slice *)(const void *)(b + setting->offset));
}

static size_t add_differences(struct arena *arena, enum setting_scope scope, struct slice ehr,
                              const void *a, const void *b, struct slice *found)
{
    size_t count = 0;
    for (size_t i = 0; i < setting_count; i++) {
        if (settings[i].scope == scope && !settings[i].live && !same_value(&settings[i], a, b)) {
            found[count++] = ehr.len != 0 ? arena_printf(arena, "ehr %.*s: %s", SLICE_ARGS(ehr),
                                                         settings[i].path)
                                          : slice_of(settings[i].path);
        }
    }
    return count;
}

struct config_texts config_restart_differences(struct arena *arena, const struct config *running,
                                               const struct config *next)
{
    struct slice *found =
        ARENA_ARRAY(arena, setting_count * (1 + running->ehr_count), struct slice);
    size_t count =
        add_differences(arena, SCOPE_gateway, SLICE_NONE, &running->gateway, &next->gateway, found);
    for (size_t i = 0; i < running->ehr_count; i++) {
        const struct config_ehr *ehr = config_find_ehr(next, running->ehrs[i].name);
        if (ehr != NULL) {
            count +=
                add_differences(arena, SCOPE_ehr, ehr->name, &running->ehrs[i], ehr, found + count);
        }
    }
    return (struct config_texts){found, count};
}
