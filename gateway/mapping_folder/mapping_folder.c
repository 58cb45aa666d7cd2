#include "gateway/mapping_folder/mapping_folder.h"

#include "gateway/base/folder.h"

static void add_layer(struct arena *arena, struct mapping_files *files,
                      const struct folder_files *read, unsigned layer)
{
    struct mapping_file *all =
        ARENA_ARRAY(arena, files->count + read->count + 1, struct mapping_file);
    for (size_t i = 0; i < files->count; i++) {
        all[i] = files->at[i];
    }
    for (size_t i = 0; i < read->count; i++) {
        all[files->count + i] = (struct mapping_file){.path = read->at[i].path,
                                                      .name = read->at[i].name,
                                                      .text = read->at[i].text,
                                                      .layer = layer};
    }
    files->at = all;
    files->count += read->count;
}

static struct mapping_extends extends_of(struct arena *arena, const struct mapping_files *files,
                                         unsigned layer)
{
    for (size_t i = 0; i < files->count; i++) {
        if (files->at[i].layer == layer && slice_is(files->at[i].path, "mapping.yaml")) {
            return mapping_extends(arena, &files->at[i]);
        }
    }
    return (struct mapping_extends){.span = SPAN_NONE};
}

static struct slice below(struct arena *arena, struct slice folder, struct slice path)
{
    bool absolute = path.len != 0 && path.at[0] == '/';
    return absolute ? path : arena_printf(arena, "%.*s/%.*s", SLICE_ARGS(folder), SLICE_ARGS(path));
}

enum status mapping_folder_read(struct arena *arena, struct slice path, struct diag_list *diags,
                                struct mapping_files *files_out)
{
    struct mapping_files files = {NULL, 0};
    struct span span = SPAN_NONE;
    for (unsigned layer = 0;; layer++) {
        struct folder_files read;
        enum status status = folder_load(arena, path, SLICE(".yaml"), span, diags, &read);
        if (status != STATUS_OK) {
            return status;
        }
        add_layer(arena, &files, &read, layer);
        struct mapping_extends extends = extends_of(arena, &files, layer);
        if (extends.path.len == 0) {
            *files_out = files;
            return STATUS_OK;
        }
        if (layer + 1 == MAPPING_LAYERS_MOST) {
            diag_add(diags, DIAG_MAPPING_FILE, extends.span,
                     "more than %d mappings extend each other", MAPPING_LAYERS_MOST);
            return STATUS_INVALID;
        }
        path = below(arena, path, extends.path);
        span = extends.span;
    }
}
