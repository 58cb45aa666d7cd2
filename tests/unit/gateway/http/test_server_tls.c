// label: threaded
// packages: eplan::ssl eplan::crypto
/* TLS of the server: versions, client certificates, reload under load; clients of other makers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/digest.h"
#include "server_world.h"

#define GET SLICE("GET / HTTP/1.1\r\nHost: x\r\n\r\n")

static int set_up(void **state)
{
    *state = world_create(SERVER_LIMITS_DEFAULT, TLS_CLIENTS_NONE);
    return 0;
}

static int set_up_optional(void **state)
{
    *state = world_create(SERVER_LIMITS_DEFAULT, TLS_CLIENTS_OPTIONAL);
    return 0;
}

static int set_up_required(void **state)
{
    *state = world_create(SERVER_LIMITS_DEFAULT, TLS_CLIENTS_REQUIRED);
    return 0;
}

static int tear_down(void **state)
{
    world_destroy(*state);
    return 0;
}

/* The status a client of this version and certificate gets; -1: refused in the handshake. */
static int try_with(struct world *world, const char *cert, int version, struct slice request)
{
    struct client client;
    char text[1024];
    if (!client_open_with(world, &client,
                          &(struct client_options){.cert = cert, .version = version})) {
        return -1;
    }
    /* In TLS 1.3 a refused certificate shows at the first read. */
    client_send(&client, request);
    int status = client_reply(&client, text, sizeof text);
    client_drop(&client);
    return status != 0 ? status : -1;
}

static void test_versions(void **state)
{
    struct world *world = *state;
    assert_int_equal(try_with(world, NULL, TLS1_3_VERSION, GET), 200);
    assert_int_equal(try_with(world, NULL, TLS1_2_VERSION, GET), 200);
    assert_int_equal(try_with(world, NULL, TLS1_1_VERSION, GET), -1);
    assert_int_equal(try_with(world, NULL, TLS1_VERSION, GET), -1);
}

static void test_required(void **state)
{
    struct world *world = *state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(try_with(world, "client", versions[i], GET), 200);
        assert_int_equal(try_with(world, NULL, versions[i], GET), -1);
        assert_int_equal(try_with(world, "rogue", versions[i], GET), -1);
        assert_int_equal(try_with(world, "no-client", versions[i], GET), -1); /* for servers only */
    }
    assert_int_equal(atomic_load(&world->handled), 2);
}

static void test_optional(void **state)
{
    struct world *world = *state;
    assert_int_equal(try_with(world, NULL, 0, GET), 200);
    assert_int_equal(try_with(world, "client", 0, GET), 200);
    assert_int_equal(try_with(world, "rogue", 0, GET), -1);
}

/* What the handler learns of the certificate: names and key, as openssl itself tells them. */
static void test_peer(void **state)
{
    struct world *world = *state;
    struct client client;
    char command[512];
    char pin[SHA256_TEXT_SIZE];
    char want[SHA256_TEXT_SIZE] = "";
    assert_true(client_open_with(world, &client, &(struct client_options){.cert = "client"}));
    client_send(&client, SLICE("GET /keep HTTP/1.1\r\nHost: x\r\n\r\n"));
    wait_kept(world, 1);
    const struct tls_peer *peer = world->kept[0]->peer;
    assert_non_null(peer);
    static const char *const names[] = {"DNS:north.example", "URI:urn:example:north",
                                        "email:it@north.example", "IP:192.0.2.7"};
    assert_int_equal(peer->name_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(slice_is(peer->names[i], names[i]));
    }
    assert_true(slice_is(peer->subject, "CN=client"));
    assert_true(peer->not_after_us > clock_utc(&clock_system));
    hex_write(peer->spki_sha256, SHA256_SIZE, pin);
    snprintf(command, sizeof command,
             "openssl x509 -in '%s' -pubkey -noout | openssl pkey -pubin -outform DER | "
             "openssl dgst -sha256 -r",
             cert_path(world->certs, "client.pem"));
    FILE *openssl = popen(command, "r");
    assert_int_equal(fread(want, 1, 64, openssl), 64);
    pclose(openssl);
    assert_string_equal(pin, want);
    answer(world->server, world->kept[0]->id, 200, SLICE_NONE);
    client_drop(&client);
}

__attribute__((format(printf, 2, 3))) static int run(struct world *world, const char *format, ...)
{
    char command[1024];
    char line[256];
    va_list args;
    va_start(args, format);
    int len = snprintf(command, sizeof command, "cd '%s' && ", world->certs->dir);
    vsnprintf(command + len, sizeof command - (size_t)len, format, args);
    va_end(args);
    FILE *out = popen(command, "r");
    int status = -1;
    while (fgets(line, sizeof line, out) != NULL) {
        if (strncmp(line, "status ", 7) == 0) {
            status = atoi(line + 7);
        }
    }
    pclose(out);
    return status;
}

/* curl, the program: both versions, with a body of 1 MiB, and a version that is refused. */
static void test_curl(void **state)
{
    struct world *world = *state;
#define CURL                                                                                       \
    "curl -sS --noproxy '*' --max-time 10 --cacert ca.pem -o /dev/null -w 'status "                \
    "%%{http_code}\\n' "
    assert_int_equal(run(world, CURL "--tls-max 1.2 https://127.0.0.1:%u/ 2>&1", world->port), 200);
    assert_int_equal(run(world, CURL "--tlsv1.3 https://127.0.0.1:%u/ 2>&1", world->port), 200);
    assert_int_equal(run(world,
                         "head -c 1000000 /dev/zero >body && " CURL
                         "--data-binary @body -H 'Content-Type: application/fhir+json' "
                         "https://127.0.0.1:%u/ 2>&1",
                         world->port),
                     200);
    assert_int_equal(run(world,
                         "head -c 9000000 /dev/zero >body && " CURL
                         "--data-binary @body https://127.0.0.1:%u/ 2>&1",
                         world->port),
                     413);
    assert_int_equal(run(world, CURL "http://127.0.0.1:%u/ 2>&1", world->port), 0);
}

/* openssl, the program: renegotiation is refused (G8), HTTP/1.1 is chosen by ALPN. */
static void test_openssl_client(void **state)
{
    struct world *world = *state;
    char command[512];
    char text[8192];
    snprintf(command, sizeof command,
             "(printf 'R\\n'; sleep 0.3) | timeout 10 openssl s_client -connect 127.0.0.1:%u "
             "-tls1_2 -alpn h2,http/1.1 -CAfile '%s' 2>&1",
             world->port, cert_path(world->certs, "ca.pem"));
    FILE *openssl = popen(command, "r");
    size_t len = fread(text, 1, sizeof text - 1, openssl);
    text[len] = '\0';
    pclose(openssl);
    assert_non_null(strstr(text, "Verify return code: 0 (ok)"));
    assert_non_null(strstr(text, "ALPN protocol: http/1.1"));
    assert_non_null(strstr(text, "no renegotiation"));
}

static void set_pair(struct world *world, const char *cert, const char *key)
{
    free((void *)(uintptr_t)world->tls_config.cert_file);
    free((void *)(uintptr_t)world->tls_config.key_file);
    world->tls_config.cert_file = strdup(cert_path(world->certs, cert));
    world->tls_config.key_file = strdup(cert_path(world->certs, key));
}

static enum status reload_status;

static void reload(struct world *world)
{
    reload_status = tls_server_reload(world->tls, &world->tls_config, &world->diags);
}

static void common_name(SSL *ssl, char *text, int size)
{
    X509 *cert = SSL_get1_peer_certificate(ssl);
    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, text, size);
    X509_free(cert);
}

static void server_shown(struct world *world, const char *want)
{
    struct client client;
    char name[64];
    assert_true(client_open(world, &client));
    common_name(client.ssl, name, sizeof name);
    assert_string_equal(name, want);
    client_drop(&client);
}

struct load_maker {
    struct world *world;
    _Atomic bool stop;
    _Atomic unsigned good;
    _Atomic unsigned bad;
};

static void *make_load(void *arg)
{
    struct load_maker *maker = arg;
    char text[1024];
    while (!atomic_load(&maker->stop)) {
        bool good = exchange(maker->world, GET, text, sizeof text) == 200;
        atomic_fetch_add(good ? &maker->good : &maker->bad, 1);
    }
    return NULL;
}

/* Swapped back and forth while clients connect: none is refused, old connections live on. */
static void test_reload_under_load(void **state)
{
    struct world *world = *state;
    struct load_maker maker = {.world = world};
    struct client old;
    pthread_t threads[2];
    char text[1024];
    assert_true(client_open(world, &old));
    client_send(&old, SLICE("GET /keep HTTP/1.1\r\nHost: x\r\n\r\n"));
    wait_kept(world, 1);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, make_load, &maker), 0);
    }
    for (unsigned i = 0; i < 20; i++) {
        unsigned before = atomic_load(&maker.good);
        set_pair(world, i % 2 != 0 ? "server.pem" : "server2.pem",
                 i % 2 != 0 ? "server.key" : "server2.key");
        on_loop(world, reload);
        assert_int_equal(reload_status, STATUS_OK);
        server_shown(world, i % 2 != 0 ? "server" : "server2");
        int64_t end = clock_monotonic(&clock_system) + CEILING_S * 1000000;
        while (atomic_load(&maker.good) < before + 3 && clock_monotonic(&clock_system) < end) {
            usleep(1000);
        }
    }
    atomic_store(&maker.stop, true);
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&maker.bad), 0);
    assert_true(atomic_load(&maker.good) >= 60);
    answer(world->server, world->kept[0]->id, 202, SLICE_NONE);
    assert_int_equal(client_reply(&old, text, sizeof text), 202);
    client_drop(&old);
}

/* A pair that cannot be used leaves the last good one at work, and says what is wrong. */
static void test_bad_pairs_change_nothing(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *cert;
        const char *key;
        enum status status;
        const char *sentence;
    } rows[] = {
        {"server.pem", "server2.key", STATUS_INVALID,
         "error: DIR/server2.key is not the key of the certificate [tls-file]\n"
         "  hint: a certificate and its key are made together: name the two that belong to each "
         "other\n"},
        {"absent.pem", "server.key", STATUS_IO,
         "error: DIR/absent.pem cannot be opened: No such file or directory [tls-file]\n"
         "  hint: correct the path, or make the file; for a trial, certs/make-dev-certs.sh makes "
         "all of them\n"},
        {"half.pem", "server.key", STATUS_INVALID,
         "error: DIR/half.pem holds no certificate that can be used: bad end line [tls-file]\n"
         "  hint: it must hold a certificate in PEM form, ours first\n"},
        {"server.key", "server.key", STATUS_INVALID,
         "error: DIR/server.key holds no certificate that can be used: no start line [tls-file]\n"
         "  hint: it must hold a certificate in PEM form, ours first\n"},
        {"server.pem", "server.pem", STATUS_INVALID,
         "error: DIR/server.pem holds no private key that can be read [tls-file]\n"
         "  hint: it must hold an unencrypted private key in PEM form\n"},
        {"server.pem", "open.key", STATUS_REFUSED,
         "error: DIR/open.key can be read or changed by others (mode 0644) [secret-file]\n"
         "  hint: make it the gateway's own: chown it to the user that runs eplan, then chmod "
         "0600\n"},
    };
    run(world, "head -c 200 server.pem >half.pem; cp server.key open.key; chmod 0644 open.key");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf buf;
        char said[1024];
        diag_init(&world->diags, world->arena, 10);
        set_pair(world, rows[i].cert, rows[i].key);
        on_loop(world, reload);
        assert_int_equal(reload_status, rows[i].status);
        buf_init(&buf, world->arena, 4096);
        diag_render_all(&world->diags, &buf);
        size_t at = slice_find(buf_view(&buf), slice_of(world->certs->dir), 0);
        assert_true(at != SIZE_MAX);
        snprintf(said, sizeof said, "%.*sDIR%s", (int)at, buf.at,
                 buf.at + at + strlen(world->certs->dir));
        assert_string_equal(said, rows[i].sentence);
        server_shown(world, "server");
    }
}

/* A pair that has ended is not swapped in; at the start it is only a warning. */
static void test_expired(void **state)
{
    struct world *world = *state;
    struct buf buf;
    set_pair(world, "expired.pem", "expired.key");
    on_loop(world, reload);
    assert_int_equal(reload_status, STATUS_REFUSED);
    server_shown(world, "server");
    assert_true(tls_server_expires(world->tls) > clock_utc(&clock_system));
    assert_int_equal(world->diags.count, 1);
    assert_int_equal(world->diags.errors, 0);
    buf_init(&buf, world->arena, 4096);
    diag_render_all(&world->diags, &buf);
    assert_non_null(strstr(buf.at, "expired.pem ended on 20"));
    assert_non_null(strstr(buf.at, "[tls-expiry]"));
    assert_non_null(strstr(buf.at, "hint: renew it and reload"));
    on_loop(world, world_stop_server);
    on_loop(world, world_start_server);
    assert_true(tls_server_expires(world->tls) < clock_utc(&clock_system));
}

static void test_client_files(void **state)
{
    struct world *world = *state;
    struct tls_client_config config = {.ca_file = cert_path(world->certs, "ca.pem"),
                                       .cert_file = cert_path(world->certs, "client.pem"),
                                       .key_file = cert_path(world->certs, "client.key")};
    assert_int_equal(tls_client_check(&config, &clock_system, &world->diags), STATUS_OK);
    assert_int_equal(world->diags.count, 0);
    config.key_file = cert_path(world->certs, "rogue.key");
    assert_int_equal(tls_client_check(&config, &clock_system, &world->diags), STATUS_INVALID);
    config.ca_file = cert_path(world->certs, "client.key");
    assert_int_equal(tls_client_check(&config, &clock_system, &world->diags), STATUS_INVALID);
    config.ca_file = cert_path(world->certs, "absent");
    assert_int_equal(tls_client_check(&config, &clock_system, &world->diags), STATUS_IO);
    assert_int_equal(world->diags.errors, 3);
}

int main(void)
{
    loop_library_init();
#define WITH(test, up) cmocka_unit_test_setup_teardown(test, up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH(test_versions, set_up),
        WITH(test_required, set_up_required),
        WITH(test_optional, set_up_optional),
        WITH(test_peer, set_up_optional),
        WITH(test_curl, set_up),
        WITH(test_openssl_client, set_up),
        WITH(test_reload_under_load, set_up),
        WITH(test_bad_pairs_change_nothing, set_up),
        WITH(test_expired, set_up),
        WITH(test_client_files, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
