#include <string.h>

#include "fhir/base/buf.h"
#include "gateway/cli/arguments.h"
#include "gateway/cli/new_folder.h"
#include "gateway/cli/verbs.h"

struct new_file {
    const char *path;
    const unsigned char *bytes;
    size_t len;
};

#include "gateway/cli/new_files.inc"

enum { NEW_FILES = sizeof new_files / sizeof *new_files, NAME_MOST = 64, FILE_MOST = 256 * 1024 };

enum { TEMPLATE_NAME_LENGTH = sizeof "new-mapping" - 1 };

/* As a mapping's name and a folder's: lower-case letters, digits and hyphens. */
static bool is_name(const char *name)
{
    size_t len = strlen(name);
    bool good = len != 0 && len <= NAME_MOST && name[0] >= 'a' && name[0] <= 'z';
    return good && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static struct slice named(struct arena *arena, const struct new_file *file, const char *name)
{
    struct slice text = slice_from((const char *)file->bytes, file->len);
    struct buf out;
    buf_init(&out, arena, FILE_MOST);
    for (size_t at = 0; at < text.len;) {
        size_t next = slice_find(text, SLICE("new-mapping"), at);
        size_t end = next != SIZE_MAX ? next : text.len;
        buf_add_slice(&out, slice_part(text, at, end - at));
        if (next != SIZE_MAX) {
            buf_add_cstr(&out, name);
            end += TEMPLATE_NAME_LENGTH;
        }
        at = end;
    }
    return buf_view(&out);
}

static int write_all(struct cli *cli, const char *folder, const char *name)
{
    for (size_t i = 0; i < NEW_FILES; i++) {
        char *path =
            arena_cstr(cli->arena, arena_printf(cli->arena, "%s/%s", folder, new_files[i].path));
        int exit = new_folder_write(cli, path, named(cli->arena, &new_files[i], name));
        if (exit != EXIT_DONE) {
            return exit;
        }
    }
    fprintf(cli->out,
            "%s: made, with one plan in two languages and a case for every row, plan and hold\n"
            "  eplan check %s\n  eplan test %s\n",
            folder, folder, folder);
    return EXIT_DONE;
}

int verb_new(struct cli *cli, int argc, char **argv)
{
    const char *dir = NULL;
    const char *words[1];
    const struct argument_option options[] = {{"--dir", NULL, &dir}};
    int exit = arguments_read(cli, argc, argv, options, 1, words, 1, 1, "names the new mapping");
    if (exit != EXIT_DONE) {
        return exit;
    }
    if (!is_name(words[0])) {
        return cli_usage(cli, "new", "a name is lower-case letters, digits and hyphens");
    }
    const char *folder =
        dir == NULL ? words[0]
                    : arena_cstr(cli->arena, arena_printf(cli->arena, "%s/%s", dir, words[0]));
    return new_folder_free(cli, folder) ? write_all(cli, folder, words[0]) : EXIT_UNREADABLE;
}
