#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/folder.h"

struct fixture {
    struct arena *arena;
    struct diag_list diags;
    char folder[64];
    struct folder_files files;
    enum status status;
};

static void write_file(const struct fixture *f, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", f->folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->arena = arena_create(0);
    diag_init(&f->diags, f->arena, 10);
    snprintf(f->folder, sizeof f->folder, "folder-test-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -r -- '%s'", f->folder);
    assert_int_equal(system(command), 0);
    arena_destroy(&f->arena);
    free(f);
    return 0;
}

static enum status load_run(void *arg)
{
    struct fixture *f = arg;
    f->status =
        folder_load(f->arena, slice_of(f->folder), SLICE(".yaml"), SPAN_NONE, &f->diags, &f->files);
    return STATUS_OK;
}

static void load(struct fixture *f)
{
    assert_int_equal(arena_run(f->arena, load_run, f), STATUS_OK);
}

static void test_order_and_suffix(void **state)
{
    struct fixture *f = *state;
    char below[128];
    snprintf(below, sizeof below, "%s/plans", f->folder);
    assert_int_equal(mkdir(below, 0700), 0);
    write_file(f, "z.yaml", "z");
    write_file(f, "plans/a.yaml", "");
    write_file(f, "b.yaml", "b: 1\n");
    write_file(f, "README.md", "no");
    load(f);
    assert_int_equal(f->status, STATUS_OK);
    assert_int_equal(f->files.count, 3);
    assert_true(slice_is(f->files.at[0].path, "b.yaml"));
    assert_true(slice_is(f->files.at[1].path, "plans/a.yaml"));
    assert_true(slice_is(f->files.at[2].path, "z.yaml"));
    assert_true(slice_is(f->files.at[0].text, "b: 1\n"));
    assert_int_equal(f->files.at[1].text.len, 0);
    assert_true(slice_starts_with(f->files.at[2].name, slice_of(f->folder)));
}

static void test_absent_folder(void **state)
{
    struct fixture *f = *state;
    char here[64];
    memcpy(here, f->folder, sizeof here);
    snprintf(f->folder, sizeof f->folder, "no-such-folder");
    load(f);
    memcpy(f->folder, here, sizeof here);
    assert_int_equal(f->status, STATUS_IO);
    assert_true(slice_is(f->diags.first->sentence,
                         "no-such-folder: cannot be read: No such file or directory"));
}

static void test_too_large(void **state)
{
    struct fixture *f = *state;
    char path[128];
    write_file(f, "large.yaml", "");
    snprintf(path, sizeof path, "%s/large.yaml", f->folder);
    assert_int_equal(truncate(path, FOLDER_FILE_BYTES_MOST + 1), 0);
    load(f);
    assert_int_equal(f->status, STATUS_LIMIT);
    assert_int_equal(truncate(path, FOLDER_FILE_BYTES_MOST), 0);
    load(f);
    assert_int_equal(f->status, STATUS_OK);
    assert_int_equal(f->files.at[0].text.len, FOLDER_FILE_BYTES_MOST);
}

static void test_links_are_not_followed(void **state)
{
    struct fixture *f = *state;
    char path[128];
    snprintf(path, sizeof path, "%s/link.yaml", f->folder);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    load(f);
    assert_int_equal(f->status, STATUS_OK);
    assert_int_equal(f->files.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order_and_suffix, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_absent_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_large, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_links_are_not_followed, set_up, tear_down),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
