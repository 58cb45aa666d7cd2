#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/secret.h"

struct world {
    char dir[32];
    char path[64];
    struct arena *arena;
    struct diag_list diags;
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    strcpy(world->dir, "/tmp/eplan-secret-XXXXXX");
    if (mkdtemp(world->dir) == NULL) {
        return -1;
    }
    snprintf(world->path, sizeof world->path, "%s/s", world->dir);
    world->arena = arena_create(0);
    diag_init(&world->diags, world->arena, 10);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    unlink(world->path);
    rmdir(world->dir);
    arena_destroy(&world->arena);
    free(world);
    return 0;
}

static void write_file(struct world *world, const char *text, size_t len, mode_t mode)
{
    int fd = open(world->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static const char *said(struct world *world, char *text, size_t size)
{
    struct buf buf;
    buf_init(&buf, world->arena, 65536);
    diag_render_all(&world->diags, &buf);
    /* The directory's name is random. */
    size_t at = slice_find(buf_view(&buf), slice_of(world->dir), 0);
    assert_true(at != SIZE_MAX);
    snprintf(text, size, "%.*sDIR%s", (int)at, buf.at, buf.at + at + strlen(world->dir));
    return text;
}

static void test_load(void **state)
{
    struct world *world = *state;
    static const char *const texts[] = {"hunter2", "hunter2\n", "hunter2\r\n"};
    for (size_t i = 0; i < 3; i++) {
        write_file(world, texts[i], strlen(texts[i]), 0600);
        struct secret *secret = NULL;
        assert_int_equal(secret_load(world->path, SPAN_NONE, &world->diags, &secret), STATUS_OK);
        assert_true(slice_is(secret_view(secret), "hunter2"));
        assert_string_equal(secret_view(secret).at, "hunter2");
        secret_destroy(&secret);
        assert_null(secret);
    }
    assert_int_equal(world->diags.count, 0);
}

static void refused(struct world *world, enum status status, const char *text)
{
    struct secret *secret = NULL;
    char out[1024];
    assert_int_equal(secret_load(world->path, SPAN_NONE, &world->diags, &secret), status);
    assert_null(secret);
    assert_string_equal(said(world, out, sizeof out), text);
}

static void test_open_to_others(void **state)
{
    struct world *world = *state;
    write_file(world, "x", 1, 0644);
    refused(world, STATUS_REFUSED,
            "error: DIR/s can be read or changed by others (mode 0644) [secret-file]\n"
            "  hint: make it the gateway's own: chown it to the user that runs eplan, then chmod "
            "0600\n");
}

static void test_absent(void **state)
{
    refused(*state, STATUS_IO,
            "error: DIR/s cannot be opened: No such file or directory [secret-file]\n"
            "  hint: make the file, or correct the path\n");
}

static void test_empty(void **state)
{
    write_file(*state, "\n", 1, 0600);
    refused(*state, STATUS_INVALID,
            "error: DIR/s is empty [secret-file]\n"
            "  hint: write the secret into it, on one line\n");
}

static void test_too_large(void **state)
{
    write_file(*state, "x", 1, 0600);
    struct world *world = *state;
    assert_int_equal(truncate(world->path, SECRET_MAX + 1), 0);
    refused(*state, STATUS_LIMIT,
            "error: DIR/s has 65537 bytes; a secret has at most 65536 [secret-file]\n");
}

static void test_fifo_does_not_block(void **state)
{
    struct world *world = *state;
    assert_int_equal(mkfifo(world->path, 0600), 0);
    refused(world, STATUS_INVALID,
            "error: DIR/s is not a regular file [secret-file]\n"
            "  hint: name the file that holds the secret itself\n");
}

static void test_equal(void **state)
{
    (void)state;
    struct secret *secret = secret_create(SLICE("hunter2"));
    assert_true(secret_equal(secret, SLICE("hunter2")));
    assert_false(secret_equal(secret, SLICE("hunter3")));
    assert_false(secret_equal(secret, SLICE("hunter22")));
    assert_false(secret_equal(secret, SLICE_NONE));
    secret_destroy(&secret);
    secret_destroy(&secret);
    assert_null(secret_create(slice_from("", (size_t)SECRET_MAX + 1)));
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH(test_load),      WITH(test_open_to_others),      WITH(test_absent), WITH(test_empty),
        WITH(test_too_large), WITH(test_fifo_does_not_block), WITH(test_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
