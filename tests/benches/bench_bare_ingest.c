// packages: eplan::event eplan::event_ssl eplan::ssl eplan::crypto eplan::sqlite Threads::Threads
/*
 * The yardstick of `./tests/bench ingest`: the least program that does the same work with the same
 * libraries. A POST over TLS, by evhttp; its body into SQLite, in groups; 202 when that is on disk.
 *   bench_bare_ingest CERTIFICATE KEY DATABASE READY-FILE       until SIGTERM
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <openssl/ssl.h>

#include "ingest_rows.h"

struct bare {
    struct event_base *base;
    SSL_CTX *tls;
    struct rows rows;
    int wake;
    pthread_mutex_t lock; /* over done */
    struct row *done;     /* on disk, not yet answered */
};

static struct bufferevent *on_accept(struct event_base *base, void *arg)
{
    struct bare *bare = arg;
    return bufferevent_openssl_socket_new(base, -1, SSL_new(bare->tls), BUFFEREVENT_SSL_ACCEPTING,
                                          BEV_OPT_CLOSE_ON_FREE);
}

static void on_request(struct evhttp_request *req, void *arg)
{
    struct bare *bare = arg;
    struct evbuffer *input = evhttp_request_get_input_buffer(req);
    size_t len = evbuffer_get_length(input);
    struct row *row = malloc(sizeof *row + len);
    rows_must(row != NULL, "malloc");
    row->id = (uint64_t)(uintptr_t)req;
    row->len = len;
    evbuffer_remove(input, row->body, len);
    rows_add(&bare->rows, row);
}

static void on_committed(void *arg, struct row *list)
{
    struct bare *bare = arg;
    struct row *last = list;
    while (last->next != NULL) {
        last = last->next;
    }
    pthread_mutex_lock(&bare->lock);
    last->next = bare->done;
    bare->done = list;
    pthread_mutex_unlock(&bare->lock);
    uint64_t one = 1;
    rows_must(write(bare->wake, &one, sizeof one) == sizeof one, "waking the loop");
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    struct bare *bare = arg;
    uint64_t count;
    (void)what;
    rows_must(read(fd, &count, sizeof count) == sizeof count, "reading the eventfd");
    pthread_mutex_lock(&bare->lock);
    struct row *list = bare->done;
    bare->done = NULL;
    pthread_mutex_unlock(&bare->lock);
    for (struct row *next; list != NULL; list = next) {
        next = list->next;
        evhttp_send_reply((struct evhttp_request *)(uintptr_t)list->id, 202, "Accepted", NULL);
        free(list);
    }
}

static void on_term(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    event_base_loopbreak(((struct bare *)arg)->base);
}

static unsigned listen_on_loopback(struct evhttp *http)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    rows_must(bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 511) == 0 &&
                  getsockname(fd, (struct sockaddr *)&at, &len) == 0 &&
                  evhttp_accept_socket(http, fd) == 0,
              "listening");
    return ntohs(at.sin_port);
}

int main(int argc, char **argv)
{
    static struct bare bare;
    if (argc != 5) {
        fprintf(stderr, "usage: %s CERTIFICATE KEY DATABASE READY-FILE\n", argv[0]);
        return 64;
    }
    signal(SIGPIPE, SIG_IGN);
    bare.tls = SSL_CTX_new(TLS_server_method());
    rows_must(SSL_CTX_use_certificate_chain_file(bare.tls, argv[1]) == 1 &&
                  SSL_CTX_use_PrivateKey_file(bare.tls, argv[2], SSL_FILETYPE_PEM) == 1,
              "loading the certificate");
    bare.base = event_base_new();
    bare.wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    pthread_mutex_init(&bare.lock, NULL);
    rows_open(&bare.rows, argv[3], on_committed, &bare);
    struct evhttp *http = evhttp_new(bare.base);
    evhttp_set_bevcb(http, on_accept, &bare);
    evhttp_set_gencb(http, on_request, &bare);
    unsigned port = listen_on_loopback(http);
    struct event *woken = event_new(bare.base, bare.wake, EV_READ | EV_PERSIST, on_wake, &bare);
    struct event *term = evsignal_new(bare.base, SIGTERM, on_term, &bare);
    event_add(woken, NULL);
    event_add(term, NULL);
    rows_say_ready(argv[4], port);
    event_base_dispatch(bare.base);
    rows_close(&bare.rows);
    event_free(term);
    event_free(woken);
    evhttp_free(http);
    event_base_free(bare.base);
    SSL_CTX_free(bare.tls);
    return 0;
}
