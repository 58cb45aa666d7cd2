/*
 * The files of a folder and of the folders below it whose names end in one way, read whole and in
 * the order of their paths, so that messages and hashes come out the same everywhere. Symbolic
 * links are not followed. Tests: tests/unit/gateway/base/test_folder.c.
 */
#ifndef GATEWAY_BASE_FOLDER_H
#define GATEWAY_BASE_FOLDER_H

#include "fhir/base/diag.h"
#include "fhir/base/slice.h"
#include "fhir/base/status.h"

enum { FOLDER_FILES_MOST = 4096, FOLDER_FILE_BYTES_MOST = 1024 * 1024 };

struct folder_file {
    struct slice path; /* below the folder: "plans/a.yaml" */
    struct slice name; /* as it was opened, for messages */
    struct slice text;
};

struct folder_files {
    const struct folder_file *at;
    size_t count;
};

/*
 * Inside arena_run(). STATUS_IO, STATUS_LIMIT: the diagnostic at `span` (where the folder was
 * named) says which file and why. All lives in the arena.
 */
enum status folder_load(struct arena *arena, struct slice path, struct slice suffix,
                        struct span span, struct diag_list *diags, struct folder_files *files_out);

#endif
