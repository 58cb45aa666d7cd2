#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/inbound/doors.h"

struct world {
    struct arena *arena;
    char dir[64];
    struct diag_list diags;
    struct config config;
    struct config_ehr ehrs[2];
    struct config_subscription subscription;
    struct config_sender senders[2];
    struct slice paths[2];
    struct doors doors;
};

static struct slice write_secret(struct world *world, const char *name, const char *text)
{
    struct slice path = arena_printf(world->arena, "%s/%s", world->dir, name);
    FILE *file = fopen(path.at, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    chmod(path.at, 0600);
    return path;
}

static int open_world(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    world->arena = arena_create(0);
    diag_init(&world->diags, world->arena, 10);
    snprintf(world->dir, sizeof world->dir, "/tmp/eplan-test-doors-XXXXXX");
    assert_non_null(mkdtemp(world->dir));
    world->paths[0] = SLICE("/fhir/");
    world->paths[1] = SLICE("/fhir/north/Observation");
    world->subscription = (struct config_subscription){
        .name = SLICE("weights"), .secret_file = write_secret(world, "a", "sub-secret\n")};
    world->senders[0] =
        (struct config_sender){.name = SLICE("lab"),
                               .secret_file = write_secret(world, "b", "lab-secret"),
                               .paths = {&world->paths[1], 1}};
    world->senders[1] = (struct config_sender){.name = SLICE("web"),
                                               .certificate_name = SLICE("web.example"),
                                               .paths = {&world->paths[0], 1}};
    world->ehrs[0] = (struct config_ehr){.name = SLICE("north"),
                                         .subscriptions = {&world->subscription, 1},
                                         .senders = {&world->senders[0], 1}};
    world->ehrs[1] =
        (struct config_ehr){.name = SLICE("south"), .senders = {&world->senders[1], 1}};
    world->config = (struct config){.ehrs = world->ehrs, .ehr_count = 2};
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    doors_clear(&world->doors);
    for (const char *name = "ab"; *name != '\0'; name++) {
        char path[80];
        snprintf(path, sizeof path, "%s/%c", world->dir, *name);
        unlink(path);
    }
    rmdir(world->dir);
    arena_destroy(&world->arena);
    free(world);
    return 0;
}

static void test_who_comes(void **state)
{
    struct world *world = *state;
    assert_int_equal(doors_load(&world->config, &world->diags, &world->doors), STATUS_OK);
    const struct door *door = doors_find(&world->doors, SLICE("Bearer sub-secret"), NULL);
    assert_ptr_equal(door->subscription, &world->subscription);
    door = doors_find(&world->doors, SLICE("bearer  lab-secret "), NULL);
    assert_ptr_equal(door->sender, &world->senders[0]);
    assert_ptr_equal(door->ehr, &world->ehrs[0]);
    static const char *const strangers[] = {"",
                                            "Bearer",
                                            "Bearer ",
                                            "Bearer sub-secret2",
                                            "Bearer sub-secre",
                                            "sub-secret",
                                            "Basic x",
                                            "Bearer sub-secret\n x"};
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        assert_null(doors_find(&world->doors, slice_of(strangers[i]), NULL));
    }
}

static void test_by_certificate(void **state)
{
    struct world *world = *state;
    assert_int_equal(doors_load(&world->config, &world->diags, &world->doors), STATUS_OK);
    static const struct slice names[] = {{"DNS:other.example", 17}, {"DNS:web.example", 15}};
    struct tls_peer peer = {.names = names, .name_count = 2, .subject = SLICE("CN=web.example")};
    assert_ptr_equal(doors_find(&world->doors, SLICE_NONE, &peer)->sender, &world->senders[1]);
    peer.name_count = 1; /* the subject alone says nothing */
    assert_null(doors_find(&world->doors, SLICE_NONE, &peer));
    peer.name_count = 2; /* a wrong secret is not mended by a certificate */
    assert_null(doors_find(&world->doors, SLICE("Bearer wrong"), &peer));
}

static void test_paths(void **state)
{
    struct world *world = *state;
    assert_int_equal(doors_load(&world->config, &world->diags, &world->doors), STATUS_OK);
    const struct door *lab = doors_find(&world->doors, SLICE("Bearer lab-secret"), NULL);
    assert_true(door_allows_path(lab, SLICE("/fhir/north/Observation")));
    assert_true(door_allows_path(lab, SLICE("/fhir/north/Observation/7")));
    assert_false(door_allows_path(lab, SLICE("/fhir/north/ObservationX")));
    assert_false(door_allows_path(lab, SLICE("/fhir/north")));
    const struct door web = {.sender = &world->senders[1]};
    assert_true(door_allows_path(&web, SLICE("/fhir")));
    assert_true(door_allows_path(&web, SLICE("/fhir/south/Observation")));
    assert_false(door_allows_path(&web, SLICE("/notify/south/x")));
}

static void test_mistakes_are_all_said(void **state)
{
    struct world *world = *state;
    write_secret(world, "b", "sub-secret"); /* the same as the subscription's */
    world->senders[1].certificate_name = SLICE_NONE;
    world->senders[1].secret_file = SLICE("/nowhere/secret");
    assert_int_not_equal(doors_load(&world->config, &world->diags, &world->doors), STATUS_OK);
    assert_int_equal(world->diags.count, 2);
    assert_true(slice_find(world->diags.first->sentence,
                           SLICE("\"weights\" of north and \"lab\" of north have the same secret"),
                           0) != SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_who_comes, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_by_certificate, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_paths, open_world, close_world),
        cmocka_unit_test_setup_teardown(test_mistakes_are_all_said, open_world, close_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
