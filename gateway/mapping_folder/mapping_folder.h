/*
 * A mapping's folder and those it extends, read for mapping_load(). Tests: tests/mapping/
 * suite_guide.mjs, tests/diagnostics/mapping/overlay-*.case.
 */
#ifndef GATEWAY_MAPPING_FOLDER_MAPPING_FOLDER_H
#define GATEWAY_MAPPING_FOLDER_MAPPING_FOLDER_H

#include "fhir/base/diag.h"
#include "gateway/mapping/mapping.h"

struct mapping_files {
    struct mapping_file *at; /* each layer by path, the folder's own first */
    size_t count;
};

/*
 * Inside arena_run(). STATUS_IO, STATUS_LIMIT: a folder or file could not be read, and diags say
 * which; STATUS_INVALID: what is extended is too deep. All lives in the arena.
 */
enum status mapping_folder_read(struct arena *arena, struct slice path, struct diag_list *diags,
                                struct mapping_files *files_out);

#endif
