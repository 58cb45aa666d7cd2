#include <malloc.h>

#include "gateway/base/digest.h"
#include "gateway/daemon/parts.h"
#include "gateway/mapping/case.h"
#include "gateway/mapping_folder/mapping_folder.h"

/* Path and text of each file, each with its length before it: no two folders give the same bytes.
 */
static struct slice hash_of(struct arena *arena, const struct mapping_files *files)
{
    struct slice *parts = ARENA_ARRAY(arena, files->count * 4 + 1, struct slice);
    size_t count = 0;
    for (size_t i = 0; i < files->count; i++) {
        const struct mapping_file *file = &files->at[i];
        parts[count++] = arena_printf(arena, "%zu:", file->path.len);
        parts[count++] = file->path;
        parts[count++] = arena_printf(arena, "%zu:", file->text.len);
        parts[count++] = file->text;
    }
    uint8_t hash[SHA256_SIZE];
    char text[SHA256_TEXT_SIZE];
    sha256_parts(parts, count, hash);
    hex_write(hash, sizeof hash, text);
    return arena_copy(arena, slice_of(text));
}

struct trying {
    struct case_runner runner;
    const struct mapping *mapping;
    struct arena *arena;
};

static enum status try_cases(void *arg)
{
    struct trying *trying = arg;
    struct diag_list unheard;
    diag_init(&unheard, trying->arena, 1);
    return case_pass_all(&trying->runner, trying->mapping, trying->arena, trying->runner.files,
                         trying->runner.file_count, &unheard);
}

/* What it passes is run in memory that is given back at once; what it fails is run again, in memory
 * that the diagnostics may point into. */
static enum status pass_cases(struct arena *arena, const struct active_mapping *active,
                              const struct mapping_files *files, struct diag_list *diags)
{
    struct trying trying = {.runner = {.validator = active->validator,
                                       .limits = LIMITS_DEFAULT,
                                       .files = files->at,
                                       .file_count = files->count},
                            .mapping = active->mapping,
                            .arena = arena_create(0)};
    enum status status =
        trying.arena != NULL ? arena_run(trying.arena, try_cases, &trying) : STATUS_NO_MEMORY;
    arena_destroy(&trying.arena);
    malloc_trim(0);
    return status == STATUS_OK ? status
                               : case_pass_all(&trying.runner, active->mapping, arena, files->at,
                                               files->count, diags);
}

enum status active_load(struct arena *arena, const struct config *config, struct diag_list *diags,
                        struct active_mapping *active_out)
{
    const struct config_texts *folders = &config->gateway.mappings;
    struct mapping_files files;
    if (folders->count != 1) {
        struct diag *diag =
            diag_add(diags, DIAG_CONFIG_CONFLICT, SPAN_NONE,
                     "%.*s: mappings: names %zu folders; exactly one mapping is active",
                     SLICE_ARGS(config->file), folders->count);
        diag_hint(diags, diag, "name one folder");
        return STATUS_INVALID;
    }
    enum status status = mapping_folder_read(arena, folders->at[0], diags, &files);
    if (status != STATUS_OK) {
        return status;
    }
    struct active_mapping active = {0};
    status = mapping_load(arena, files.at, files.count, model_r4(), &LIMITS_DEFAULT, diags,
                          &active.mapping);
    if (status == STATUS_OK) {
        active.hash = hash_of(arena, &files);
        active.validator = validator_create(arena, model_r4());
        status = pass_cases(arena, &active, &files, diags);
    }
    if (status == STATUS_OK) {
        *active_out = active;
    }
    return status;
}

bool active_is_released(const struct active_mapping *active, const struct config_ehr *ehr,
                        int64_t now, struct diag_list *diags)
{
    struct datetime today = {0};
    if (ehr->mode == MODE_SHADOW || ehr->synthetic) {
        return true;
    }
    unsigned before = diags->errors;
    datetime_from_utc(now, 0, &today);
    datetime_date_part(&today, &today);
    mapping_release_faults(active->mapping, &today, diags);
    if (diags->errors == before) {
        return true;
    }
    struct diag *diag = diag_add(
        diags, DIAG_CONFIG_CONFLICT, SPAN_NONE,
        "%.*s: mode: %s is refused: the mapping %.*s %.*s is not released for patients, see above",
        SLICE_ARGS(ehr->file), config_mode_name(ehr->mode),
        SLICE_ARGS(mapping_name(active->mapping)), SLICE_ARGS(mapping_version(active->mapping)));
    diag_hint(diags, diag, "set mode: shadow until every line above is done");
    return false;
}
