// uses: gateway/http gateway/base fhir/json fhir/base
/* Any bytes as a token ("T...") or a key set ("S..."): refused with a reason, or what was signed. A
 * set that is read can be written, and is then read the same. */
#include <stdint.h>
#include <stdlib.h>

#include "gateway/http/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Public keys whose private halves were thrown away, after they had signed what the corpus holds.
 */
static const char known_keys[] =
    "{\"keys\":[{\"kty\":\"EC\",\"x\":\"9rEfGVUHDYvjMVg5RdU1Q6i3LP9RkgpR3sjQfHY-SVelJ68w3NQjoe1ljU"
    "6aw_y3\",\"y\":\"Js7tR9-JRece5NqUQCnRhBiLTlg1WIYLoXEooTYSbKVrmhGFgi0PTyRik-oWzDSO\",\"crv\""
    ":\"P-384\",\"kid\":\"e\",\"alg\":\"ES384\",\"use\":\"sig\"},{\"kty\":\"RSA\",\"n\":"
    "\"qWxN6EOP7u40wz146mDA"
    "IV_9Gf2cPB-2Wc72D8eQPxo_fyBCH15TXcC11euhGpfxqwVqd6ok3tz5RH-3658LWLJWjM8U8RrnUDTxC0Z_"
    "v7oj5UKZB5TbzX4nX6oYNtUGMGmB5tNacE3Y9C2LNdWDMtSQ-YZ1HAk9-nUtcgf5VpveOb-ApVb0hcAy5cBa"
    "t3eIVOepe4OO23l7iHw09jrW7nmhWVh5vTvZzZYD7rXldcln0LbwSdHSRTVHbUSxD_teVavcVTHz9C6C5qIT"
    "1RP2ZaYzVVhNPwFyX1lePdM-fyMcEgxDu6oWCIN9iKM1E_KeptezoMNTws4zpyBD-Zg_EQ\",\"e\":\"AQAB\",\""
    "kid\":\"r\",\"alg\":\"RS384\",\"use\":\"sig\"}]}";

struct work {
    struct arena *arena;
    struct slice text;
};

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void destroy_keys(void *arg)
{
    jose_keys_destroy(arg);
}

/* The set goes with the arena, also when the work ends early. */
static enum status read_set(struct arena *arena, struct slice text, struct jose_keys ***keys_out)
{
    const struct limits limits = {.bytes = 1 << 20, .depth = 16, .nodes = 10000, .diagnostics = 5};
    struct diag_list diags;
    const struct json *json = NULL;
    struct jose_keys **keys = ARENA_NEW(arena, struct jose_keys *);
    diag_init(&diags, arena, 5);
    arena_defer(arena, destroy_keys, keys);
    enum status status =
        json_parse(arena, source_create(arena, SLICE("set"), text), &limits, &diags, &json);
    if (status == STATUS_OK) {
        status = jose_keys_read(arena, json, &diags, keys);
    }
    require((status == STATUS_OK) == (*keys != NULL));
    *keys_out = keys;
    return status;
}

static void check_set(struct work *work)
{
    struct jose_keys **keys = NULL;
    if (read_set(work->arena, work->text, &keys) == STATUS_OK) {
        require(jose_keys_count(*keys) >= 1 && jose_keys_count(*keys) <= JOSE_KEYS_MAX);
    }
}

/* Read once: OpenSSL needs longer for it than for a hundred tokens. Kept until the process ends. */
static const struct jose_keys *the_known_keys(void)
{
    static struct arena *arena;
    static struct jose_keys **keys;
    if (arena == NULL) {
        arena = arena_create(0);
        require(read_set(arena, slice_of(known_keys), &keys) == STATUS_OK);
    }
    return *keys;
}

static void check_token(struct work *work)
{
    static const struct jwt_policy policy = {{"a", 1}, {"b", 1}, 60, 300, true};
    struct jwt jwt = {.header = NULL};
    enum jose_fault fault = jose_verify(work->arena, work->text, the_known_keys(), &jwt);
    require((fault == JOSE_FINE) == (jwt.claims != NULL));
    if (fault == JOSE_FINE) {
        fault = jwt_check(&jwt, &policy, INT64_C(1800000000) * 1000000);
        require(fault == JOSE_FINE || fault == JOSE_CLAIMS);
    }
}

static enum status read_one(void *arg)
{
    struct work *work = arg;
    char kind = work->text.at[0];
    work->text = slice_part(work->text, 1, work->text.len);
    if (kind == 'S') {
        check_set(work);
    } else {
        check_token(work);
    }
    return STATUS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 65536) {
        return 0;
    }
    json_library_init();
    struct work work = {.arena = arena_create((size_t)64 << 20),
                        .text = slice_from((const char *)data, size)};
    require(arena_run(work.arena, read_one, &work) == STATUS_OK);
    arena_destroy(&work.arena);
    return 0;
}
