#include "gateway/http/client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <curl/curl.h>

#include "gateway/base/failpoint.h"
#include "gateway/http/client_queue.h"

enum {
    IDLE_HANDLES = 8,
    /* Kept for reuse, of all sites. libcurl's own rule, four for each request under way, closes
     * what eight requests at once opened as soon as one of them is left. */
    CONNECTIONS_KEPT = 256,
    MAX_AGE_S = 3,
    CA_CACHE_S = 60,
    POLL_MS = 1000,
    QUEUE_POLL_MS = 100
};

struct origin {
    char *host;
    char *port;
};

struct http_site {
    struct http_client *client;
    struct http_site_config config; /* text fields are copies */
    struct origin origin;
    struct curl_slist *connect_to;
    _Atomic unsigned users; /* its owner, and each job */
    /* The client's thread alone: */
    struct http_site *next; /* of sites with waiting jobs, or of those to be freed */
    bool listed;            /* in client->waiting */
    struct job *first_waiting;
    struct job *last_waiting;
    unsigned in_flight;
    CURL *idle[IDLE_HANDLES]; /* kept, because a TLS session is resumed by its own handle only */
    unsigned idle_count;
};

struct http_client {
    const struct clock *clock;
    CURLM *multi;
    pthread_t thread;
    bool started;
    struct client_queue queue;
    pthread_mutex_t lock; /* over dead */
    struct http_site *dead;

    /* The client's thread alone: */
    struct http_site *waiting; /* sites with jobs that wait for their turn */
    struct job *flying;
};

/* What libcurl's codes mean. What is not here is HTTP_ERROR_PROTOCOL. */
static const struct {
    CURLcode code;
    enum http_error error;
} codes[] = {
    {CURLE_OK, HTTP_ERROR_NONE},
    {CURLE_COULDNT_RESOLVE_HOST, HTTP_ERROR_RESOLVE},
    {CURLE_COULDNT_CONNECT, HTTP_ERROR_CONNECT},
    {CURLE_INTERFACE_FAILED, HTTP_ERROR_CONNECT},
    {CURLE_ABORTED_BY_CALLBACK, HTTP_ERROR_CANCELLED},
    {CURLE_PEER_FAILED_VERIFICATION, HTTP_ERROR_CERTIFICATE},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, HTTP_ERROR_CERTIFICATE},
    {CURLE_SSL_ISSUER_ERROR, HTTP_ERROR_CERTIFICATE},
    {CURLE_SSL_INVALIDCERTSTATUS, HTTP_ERROR_CERTIFICATE},
    {CURLE_SSL_CERTPROBLEM, HTTP_ERROR_OWN_FILES},
    {CURLE_SSL_CACERT_BADFILE, HTTP_ERROR_OWN_FILES},
    {CURLE_SSL_CRL_BADFILE, HTTP_ERROR_OWN_FILES},
    {CURLE_SSL_CONNECT_ERROR, HTTP_ERROR_TLS},
    {CURLE_SSL_CIPHER, HTTP_ERROR_TLS},
    {CURLE_OPERATION_TIMEDOUT, HTTP_ERROR_TIMEOUT},
    {CURLE_PARTIAL_FILE, HTTP_ERROR_CONNECTION},
    {CURLE_GOT_NOTHING, HTTP_ERROR_CONNECTION},
    {CURLE_SEND_ERROR, HTTP_ERROR_CONNECTION},
    {CURLE_RECV_ERROR, HTTP_ERROR_CONNECTION},
    {CURLE_SEND_FAIL_REWIND, HTTP_ERROR_CONNECTION}, /* libcurl wanted to send the body again */
    {CURLE_HTTP2, HTTP_ERROR_CONNECTION},
    {CURLE_HTTP2_STREAM, HTTP_ERROR_CONNECTION},
    {CURLE_WRITE_ERROR, HTTP_ERROR_PROTOCOL},
    {CURLE_FILESIZE_EXCEEDED, HTTP_ERROR_TOO_LARGE},
    {CURLE_OUT_OF_MEMORY, HTTP_ERROR_LOCAL},
    {CURLE_FAILED_INIT, HTTP_ERROR_LOCAL},
};

static enum http_error error_of(CURLcode code)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (codes[i].code == code) {
            return codes[i].error;
        }
    }
    return HTTP_ERROR_PROTOCOL;
}

enum status http_client_library_init(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? STATUS_OK : STATUS_NO_MEMORY;
}

/* ---- URLs ---- */

static void origin_clear(struct origin *origin)
{
    curl_free(origin->host);
    curl_free(origin->port);
    *origin = (struct origin){.host = NULL};
}

/* False: not an https URL, or one with a user in it. */
static bool origin_read(const char *url, struct origin *origin_out)
{
    struct origin origin = {.host = NULL};
    char *scheme = NULL;
    char *user = NULL;
    char *password = NULL;
    CURLU *parsed = curl_url();
    bool good = parsed != NULL && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
                curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                strcmp(scheme, "https") == 0 &&
                curl_url_get(parsed, CURLUPART_USER, &user, 0) == CURLUE_NO_USER &&
                curl_url_get(parsed, CURLUPART_PASSWORD, &password, 0) == CURLUE_NO_PASSWORD &&
                curl_url_get(parsed, CURLUPART_HOST, &origin.host, 0) == CURLUE_OK &&
                curl_url_get(parsed, CURLUPART_PORT, &origin.port, CURLU_DEFAULT_PORT) == CURLUE_OK;
    curl_free(scheme);
    curl_free(user);
    curl_free(password);
    curl_url_cleanup(parsed);
    if (good) {
        *origin_out = origin;
    } else {
        origin_clear(&origin);
    }
    return good;
}

static bool same_origin(const struct origin *a, const struct origin *b)
{
    return http_name_equal(slice_of(a->host), slice_of(b->host)) && strcmp(a->port, b->port) == 0;
}

/* ---- sites ---- */

static char *copy_or_null(const char *text, bool *failed)
{
    char *copy = text != NULL ? strdup(text) : NULL;
    *failed = *failed || (text != NULL && copy == NULL);
    return copy;
}

static void forget(const char *text)
{
    free((void *)(uintptr_t)text);
}

/* On the client's thread, or when there is none. */
static void site_free(struct http_site *site)
{
    for (unsigned i = 0; i < site->idle_count; i++) {
        curl_easy_cleanup(site->idle[i]);
    }
    curl_slist_free_all(site->connect_to);
    origin_clear(&site->origin);
    forget(site->config.tls.ca_file);
    forget(site->config.tls.cert_file);
    forget(site->config.tls.key_file);
    forget(site->config.pinned_key);
    free(site);
}

static struct http_site *site_copy(struct http_client *client,
                                   const struct http_site_config *config)
{
    struct http_site *site = calloc(1, sizeof *site);
    if (site == NULL) {
        return NULL;
    }
    bool failed = false;
    site->client = client;
    site->config = *config;
    site->config.base = SLICE_NONE;
    site->config.tls.ca_file = copy_or_null(config->tls.ca_file, &failed);
    site->config.tls.cert_file = copy_or_null(config->tls.cert_file, &failed);
    site->config.tls.key_file = copy_or_null(config->tls.key_file, &failed);
    site->config.pinned_key = copy_or_null(config->pinned_key, &failed);
#ifdef EPLAN_SEAMS
    if (config->connect_to != NULL) {
        site->connect_to = curl_slist_append(NULL, config->connect_to);
    }
#endif
    atomic_store(&site->users, 1);
    if (failed) {
        site_free(site);
        return NULL;
    }
    return site;
}

enum status http_site_create(struct http_client *client, const struct http_site_config *config,
                             struct diag_list *diags, struct http_site **site_out)
{
    enum status status = tls_client_check(&config->tls, client->clock, diags);
    if (status != STATUS_OK) {
        return status;
    }
    struct http_site *site = site_copy(client, config);
    char *url = strndup(config->base.at, config->base.len);
    bool good = site != NULL && url != NULL && origin_read(url, &site->origin);
    free(url);
    if (good) {
        *site_out = site;
        return STATUS_OK;
    }
    if (site == NULL) {
        return STATUS_NO_MEMORY;
    }
    site_free(site);
    struct diag *diag =
        diag_add(diags, DIAG_SITE_URL, config->tls.span,
                 "\"%.*s\" is not the URL of an https server", SLICE_ARGS(config->base));
    diag_hint(diags, diag, "write it as https://host/path, without user and password");
    return STATUS_INVALID;
}

static void site_release(struct http_site *site)
{
    struct http_client *client = site->client;
    if (atomic_fetch_sub(&site->users, 1) == 1) {
        pthread_mutex_lock(&client->lock);
        site->next = client->dead;
        client->dead = site;
        pthread_mutex_unlock(&client->lock);
        curl_multi_wakeup(client->multi);
    }
}

void http_site_destroy(struct http_site **site)
{
    if (site != NULL && *site != NULL) {
        site_release(*site);
        *site = NULL;
    }
}

/* ---- libcurl's callbacks: the argument is the job ---- */

static size_t on_read(char *at, size_t size, size_t count, void *arg)
{
    struct job *job = arg;
    struct slice part = slice_part(job->request.body, job->given, size * count);
    memcpy(at, part.at, part.len);
    job->given += part.len;
    return part.len;
}

static size_t on_body(char *at, size_t size, size_t count, void *arg)
{
    return result_add_body(arg, slice_from(at, size * count)) ? size * count : 0;
}

static size_t on_header(char *at, size_t size, size_t count, void *arg)
{
    return result_add_header(arg, slice_from(at, size * count)) ? size * count : 0;
}

static int on_connected(void *arg, char *address, char *local, int port, int local_port)
{
    (void)local;
    (void)port;
    (void)local_port;
    struct job *job = arg;
    const struct http_site_config *config = &job->site->config;
    if (config->address_allowed == NULL || config->address_allowed(config->address_arg, address)) {
        return CURL_PREREQFUNC_OK;
    }
    job->error = HTTP_ERROR_ADDRESS;
    return CURL_PREREQFUNC_ABORT;
}

/* ---- handles ---- */

/* Options that hold for all requests of a site. A failing one fails the request: none may be
 * missing. */
static bool set_up_handle(CURL *h, const struct http_site *site)
{
    const struct http_site_config *c = &site->config;
    CURLcode rc = CURLE_OK;
#define SET(option, value) rc = rc == CURLE_OK ? curl_easy_setopt(h, option, value) : rc
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* a name service that hangs must not hold up other sites */
    SET(CURLOPT_PROTOCOLS_STR, "https");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, "https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_USERAGENT, "eplan/" EPLAN_VERSION);
    SET(CURLOPT_ACCEPT_ENCODING, "gzip");
    SET(CURLOPT_HTTP_VERSION,
        c->http2 ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_MAXAGE_CONN, (long)MAX_AGE_S);
    SET(CURLOPT_CA_CACHE_TIMEOUT, (long)CA_CACHE_S);
    if (c->tls.ca_file != NULL) {
        SET(CURLOPT_CAINFO, c->tls.ca_file);
        SET(CURLOPT_CAPATH, NULL); /* else the system's roots would do as well */
    }
    if (c->tls.cert_file != NULL) {
        SET(CURLOPT_SSLCERT, c->tls.cert_file);
        SET(CURLOPT_SSLKEY, c->tls.key_file);
    }
    if (c->pinned_key != NULL) {
        SET(CURLOPT_PINNEDPUBLICKEY, c->pinned_key);
    }
    if (site->connect_to != NULL) {
        SET(CURLOPT_CONNECT_TO, site->connect_to);
    }
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_PREREQFUNCTION, on_connected);
    /* No CURLOPT_SEEKFUNCTION: with it, or with CURLOPT_POSTFIELDS, libcurl sends a POST again by
     * itself when a kept connection breaks, although the server may have acted on the first. */
    SET(CURLOPT_READFUNCTION, on_read);
    return rc == CURLE_OK;
}

static CURL *take_handle(struct http_site *site)
{
    if (site->idle_count > 0) {
        return site->idle[--site->idle_count];
    }
    CURL *h = curl_easy_init();
    if (h != NULL && !set_up_handle(h, site)) {
        curl_easy_cleanup(h);
        h = NULL;
    }
    return h;
}

static void give_handle(struct http_site *site, CURL *h)
{
    if (site->idle_count < IDLE_HANDLES) {
        site->idle[site->idle_count++] = h;
    } else {
        curl_easy_cleanup(h);
    }
}

static bool add_header_line(struct curl_slist **list, struct slice name, struct slice value)
{
    char *line = NULL;
    /* "Name;" is libcurl's way to send a header without value. */
    int len = value.len != 0 ? asprintf(&line, "%.*s: %.*s", SLICE_ARGS(name), SLICE_ARGS(value))
                             : asprintf(&line, "%.*s;", SLICE_ARGS(name));
    struct curl_slist *longer = len >= 0 ? curl_slist_append(*list, line) : NULL;
    free(len >= 0 ? line : NULL);
    if (longer != NULL) {
        *list = longer;
    }
    return longer != NULL;
}

static bool list_headers(const struct http_request *request, struct curl_slist **list)
{
    /* Without these libcurl would wait for "100 Continue" and name a form for the body. */
    struct curl_slist *quiet = curl_slist_append(NULL, "Expect:");
    bool good = quiet != NULL;
    *list = quiet;
    bool has_type =
        http_header_find(request->headers, request->header_count, SLICE("content-type")) != NULL;
    if (good && !has_type) {
        good = curl_slist_append(*list, "Content-Type:") != NULL;
    }
    for (size_t i = 0; good && i < request->header_count; i++) {
        good = add_header_line(list, request->headers[i].name, request->headers[i].value);
    }
    return good;
}

/* Each request sets every option that another one may have left on the handle. */
static bool set_up_request(CURL *h, struct job *job, long timeout_ms)
{
    const struct http_request *r = &job->request;
    bool has_body = r->body.len != 0;
    bool posts =
        has_body || r->method == HTTP_POST || r->method == HTTP_PUT || r->method == HTTP_PATCH;
    struct curl_slist *headers = NULL;
    bool listed = list_headers(r, &headers);
    job->header_list = headers;
    CURLcode rc = listed ? CURLE_OK : CURLE_OUT_OF_MEMORY;
    SET(CURLOPT_PRIVATE, job);
    SET(CURLOPT_URL, r->url.at);
    SET(CURLOPT_WRITEDATA, job);
    SET(CURLOPT_HEADERDATA, job);
    SET(CURLOPT_READDATA, job);
    SET(CURLOPT_PREREQDATA, job);
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_ERRORBUFFER, job->result->detail);
    SET(CURLOPT_TIMEOUT_MS, timeout_ms);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)job->site->config.connect_ms);
    SET(CURLOPT_HTTPGET, 1L);
    SET(CURLOPT_CUSTOMREQUEST, NULL);
    if (r->method == HTTP_HEAD) {
        SET(CURLOPT_NOBODY, 1L);
    } else if (posts) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDS, NULL);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
    }
    if (r->method != HTTP_GET && r->method != HTTP_HEAD && r->method != HTTP_POST) {
        SET(CURLOPT_CUSTOMREQUEST, http_method_name(r->method));
    }
    /* A write without body has nothing to rewind, so libcurl would repeat it on a kept connection
     * that breaks. On a new one it does not. */
    SET(CURLOPT_FRESH_CONNECT, !has_body && !http_method_is_safe(r->method) ? 1L : 0L);
#undef SET
    return rc == CURLE_OK;
}

/* ---- the client's thread ---- */

static void unlist(struct job **list, const struct job *job)
{
    while (*list != NULL && *list != job) {
        list = &(*list)->next;
    }
    if (*list != NULL) {
        *list = job->next;
    }
}

/* Ends a job that is in no list any more. */
static void end(struct http_client *client, struct job *job, CURLcode code, long status,
                size_t head_sent)
{
    struct result_block *result = job->result;
    struct http_result *public = &result->public;
    int64_t now = clock_monotonic(client->clock);
    char detail[CURL_ERROR_SIZE];
    snprintf(detail, sizeof detail, "%s",
             result->detail[0] != '\0' || code == CURLE_OK ? result->detail
                                                           : curl_easy_strerror(code));
    public->error = job->error != HTTP_ERROR_NONE ? job->error : error_of(code);
    public->outcome = outcome_of(code != CURLE_OK, job->request.body.len, job->given, head_sent);
    public->status = status >= 200 ? (int)status : 0;
    public->duration_us = now - job->start_us;
    public->ended_utc_us = clock_utc(client->clock);
    result_finish(result, slice_of(detail));
    job->result = NULL;
    job->done(job->arg, public);
    struct http_site *site = job->site;
    size_t bytes = job->request.body.len;
    job_destroy(job);
    site_release(site);
    client_queue_count_end(&client->queue, bytes);
}

/* Takes a job from libcurl and ends it. */
static void land(struct http_client *client, struct job *job, CURLcode code)
{
    CURL *h = job->handle;
    long status = 0;
    long head_sent = 0;
    curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(h, CURLINFO_REQUEST_SIZE, &head_sent);
    curl_multi_remove_handle(client->multi, h);
    curl_easy_setopt(h, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(job->header_list);
    unlist(&client->flying, job);
    job->site->in_flight--;
    give_handle(job->site, h);
    client_queue_count_flight(&client->queue, false);
    if (code == CURLE_OK && FAILPOINT(CLIENT_AFTER_SEND)) {
        code = CURLE_RECV_ERROR;
        status = 0;
    }
    end(client, job, code, status, head_sent > 0 ? (size_t)head_sent : 0);
}

static void fly(struct http_client *client, struct job *job)
{
    int64_t left_ms = (job->deadline_us - clock_monotonic(client->clock)) / 1000;
    if (left_ms <= 0) {
        end(client, job, CURLE_OPERATION_TIMEDOUT, 0, 0);
        return;
    }
    CURL *h = FAILPOINT(CLIENT_BEFORE_SEND) ? NULL : take_handle(job->site);
    if (h == NULL || !set_up_request(h, job, (long)left_ms) ||
        curl_multi_add_handle(client->multi, h) != CURLM_OK) {
        curl_slist_free_all(job->header_list);
        curl_easy_cleanup(h);
        end(client, job, CURLE_OUT_OF_MEMORY, 0, 0);
        return;
    }
    job->handle = h;
    job->next = client->flying;
    client->flying = job;
    job->site->in_flight++;
    client_queue_count_flight(&client->queue, true);
}

static void line_up(struct http_client *client, struct job *job)
{
    struct http_site *site = job->site;
    job->next = NULL;
    if (site->first_waiting == NULL) {
        site->first_waiting = job;
    } else {
        site->last_waiting->next = job;
    }
    site->last_waiting = job;
    if (!site->listed) {
        site->listed = true;
        atomic_fetch_add(&site->users, 1); /* the list's own: nobody is freed while he is in it */
        site->next = client->waiting;
        client->waiting = site;
    }
}

static struct job *leave_line(struct http_site *site)
{
    struct job *job = site->first_waiting;
    site->first_waiting = job->next;
    job->next = NULL;
    return job;
}

/* Every site has its turn; one that waits for its own limit holds up nobody else. */
static void start_waiting(struct http_client *client)
{
    for (struct http_site **at = &client->waiting; *at != NULL;) {
        struct http_site *site = *at;
        while (site->first_waiting != NULL && site->in_flight < site->config.max_in_flight) {
            fly(client, leave_line(site));
        }
        if (site->first_waiting != NULL) {
            at = &site->next;
        } else {
            *at = site->next;
            site->listed = false;
            site_release(site);
        }
    }
}

/* Which jobs are to end before their turn. */
struct sweep {
    bool all;
    uint64_t id;
    int64_t now_us; /* those whose deadline has passed; INT64_MIN: none for that */
};

static bool is_swept(const struct sweep *sweep, const struct job *job)
{
    return sweep->all || job->result->public.id == sweep->id || job->deadline_us <= sweep->now_us;
}

static void sweep_waiting(struct http_client *client, const struct sweep *sweep)
{
    for (struct http_site *site = client->waiting; site != NULL; site = site->next) {
        struct job *rest = site->first_waiting;
        site->first_waiting = NULL;
        for (struct job *job = rest, *next; job != NULL; job = next) {
            next = job->next;
            if (!is_swept(sweep, job)) {
                line_up(client, job);
            } else if (job->deadline_us <= sweep->now_us) {
                end(client, job, CURLE_OPERATION_TIMEDOUT, 0, 0);
            } else {
                job->error = HTTP_ERROR_CANCELLED;
                end(client, job, CURLE_ABORTED_BY_CALLBACK, 0, 0);
            }
        }
    }
}

static void cancel(struct http_client *client, const struct sweep *sweep)
{
    for (struct job *job = client->flying, *next; job != NULL; job = next) {
        next = job->next;
        if (is_swept(sweep, job)) {
            job->error = HTTP_ERROR_CANCELLED;
            land(client, job, CURLE_ABORTED_BY_CALLBACK);
        }
    }
    sweep_waiting(client, sweep);
}

static void free_sites(struct http_site *site)
{
    for (struct http_site *next; site != NULL; site = next) {
        next = site->next;
        site_free(site);
    }
}

static void follow_orders(struct http_client *client, const struct orders *orders)
{
    for (struct job *job = orders->jobs, *next; job != NULL; job = next) {
        next = job->next;
        line_up(client, job);
    }
    for (struct cancel *order = orders->cancels, *next; order != NULL; order = next) {
        next = order->next;
        cancel(client, &(struct sweep){.id = order->id, .now_us = INT64_MIN});
        free(order);
    }
    if (orders->cancel_all) {
        cancel(client, &(struct sweep){.all = true, .now_us = INT64_MIN});
    }
}

static void bury_sites(struct http_client *client)
{
    pthread_mutex_lock(&client->lock);
    struct http_site *site = client->dead;
    client->dead = NULL;
    pthread_mutex_unlock(&client->lock);
    free_sites(site);
}

static void *work(void *arg)
{
    struct http_client *client = arg;
    for (;;) {
        struct orders orders = client_queue_take(&client->queue);
        follow_orders(client, &orders);
        bury_sites(client);
        if (orders.stopping && client->flying == NULL && client->waiting == NULL) {
            return NULL;
        }
        start_waiting(client);
        int running = 0;
        int left = 0;
        curl_multi_perform(client->multi, &running);
        for (CURLMsg *m; (m = curl_multi_info_read(client->multi, &left)) != NULL;) {
            struct job *job = NULL;
            CURLcode code = m->data.result; /* landing frees m */
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &job);
            land(client, job, code);
        }
        start_waiting(client); /* places that became free */
        if (client->waiting != NULL) {
            sweep_waiting(client, &(struct sweep){.now_us = clock_monotonic(client->clock)});
        }
        curl_multi_poll(client->multi, NULL, 0, client->waiting != NULL ? QUEUE_POLL_MS : POLL_MS,
                        NULL);
    }
}

/* ---- what other threads call ---- */

enum status http_client_create(const struct http_client_config *config,
                               struct http_client **client_out)
{
    struct http_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        return STATUS_NO_MEMORY;
    }
    client->clock = config->clock;
    client_queue_init(&client->queue, config->max_items, config->max_bytes);
    pthread_mutex_init(&client->lock, NULL);
    client->multi = curl_multi_init();
    client->started = client->multi != NULL &&
                      curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS,
                                        (long)CONNECTIONS_KEPT) == CURLM_OK &&
                      pthread_create(&client->thread, NULL, work, client) == 0;
    if (!client->started) {
        http_client_destroy(&client);
        return STATUS_NO_MEMORY;
    }
    *client_out = client;
    return STATUS_OK;
}

static bool is_of_site(const struct http_site *site, const char *url)
{
    struct origin origin;
    if (!origin_read(url, &origin)) {
        return false;
    }
    bool same = same_origin(&origin, &site->origin);
    origin_clear(&origin);
    return same;
}

enum status http_client_send(struct http_client *client, struct http_site *site,
                             const struct http_request *request, http_done_fn *done, void *arg,
                             uint64_t *id_out)
{
    if (!request_is_clean(request)) {
        return STATUS_INVALID;
    }
    struct job *job = job_create(request);
    if (job == NULL) {
        return STATUS_NO_MEMORY;
    }
    if (!is_of_site(site, job->request.url.at)) {
        job_destroy(job);
        return STATUS_REFUSED;
    }
    job->site = site;
    job->done = done;
    job->arg = arg;
    job->start_us = clock_monotonic(client->clock);
    job->deadline_us = job->start_us + (int64_t)request->deadline_ms * 1000;
    atomic_fetch_add(&site->users, 1);
    enum status status = client_queue_put(&client->queue, job, id_out);
    if (status != STATUS_OK) {
        site_release(site);
        job_destroy(job);
        return status;
    }
    curl_multi_wakeup(client->multi);
    return STATUS_OK;
}

void http_client_cancel(struct http_client *client, uint64_t id)
{
    client_queue_cancel(&client->queue, id);
    curl_multi_wakeup(client->multi);
}

enum status http_client_drain(struct http_client *client, unsigned timeout_ms)
{
    bool clean = client_queue_close(&client->queue, timeout_ms);
    client_queue_order_end(&client->queue, false);
    curl_multi_wakeup(client->multi);
    client_queue_wait_empty(&client->queue);
    return clean ? STATUS_OK : STATUS_AGAIN;
}

void http_client_destroy(struct http_client **client)
{
    if (client == NULL || *client == NULL) {
        return;
    }
    struct http_client *c = *client;
    if (c->started) {
        http_client_drain(c, 0);
        client_queue_order_end(&c->queue, true);
        curl_multi_wakeup(c->multi);
        pthread_join(c->thread, NULL);
    }
    free_sites(c->dead);
    curl_multi_cleanup(c->multi);
    client_queue_clear(&c->queue);
    pthread_mutex_destroy(&c->lock);
    free(c);
    *client = NULL;
}

struct http_client_load http_client_load(struct http_client *client)
{
    return client_queue_load(&client->queue);
}
