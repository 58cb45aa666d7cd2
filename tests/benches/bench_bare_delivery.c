// packages: eplan::curl Threads::Threads
/*
 * The yardstick of `./tests/bench delivery`: the least program that makes the same calls with the
 * same library. Each folder entry is one child: its requests, one after the other on a connection
 * that stays; PARALLEL children at once.
 *   bench_bare_delivery CA-FILE REQUESTS PARALLEL
 * REQUESTS: per child a line "child"; per request a line "METHOD URL LENGTH CONDITION" and LENGTH
 * bytes of body with a line end. CONDITION: If-None-Exist, "-" none. The URL "LOCATION" is where
 * the create before it says that it is. Prints one line,
 * "{"children":N,"seconds":S,"each_us":[...]}".
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <curl/curl.h>

enum { CHILDREN_MOST = 20000, LINE = 4096 };

struct call {
    char method[8];
    char url[LINE];
    char condition[LINE];
    char *body;
    size_t length;
    struct call *next;
};

struct child {
    struct call *first;
    int64_t took_us;
};

struct work {
    const char *ca;
    struct child *children;
    size_t count;
    size_t next;
    bool failed;
    pthread_mutex_t lock;
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void must(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "bench_bare_delivery: %s\n", what);
        exit(1);
    }
}

static struct call *read_call(FILE *file, const char *line)
{
    struct call *call = calloc(1, sizeof *call);
    must(call != NULL, "no memory");
    must(sscanf(line, "%7s %4095s %zu %4095s", call->method, call->url, &call->length,
                call->condition) == 4,
         "not a request");
    call->body = malloc(call->length + 1);
    must(call->body != NULL && fread(call->body, 1, call->length + 1, file) == call->length + 1,
         "a body is cut off");
    return call;
}

static void read_requests(const char *path, struct work *work)
{
    char line[2 * LINE + 64];
    struct call **tail = NULL;
    FILE *file = fopen(path, "r");
    work->children = calloc(CHILDREN_MOST, sizeof *work->children);
    must(file != NULL && work->children != NULL, "the requests cannot be read");
    while (fgets(line, sizeof line, file) != NULL) {
        if (strcmp(line, "child\n") == 0) {
            must(work->count < CHILDREN_MOST, "too many children");
            tail = &work->children[work->count++].first;
        } else {
            must(tail != NULL, "a request without a child");
            *tail = read_call(file, line);
            tail = &(*tail)->next;
        }
    }
    fclose(file);
}

static size_t drop(char *bytes, size_t size, size_t count, void *arg)
{
    (void)bytes;
    (void)arg;
    return size * count;
}

/* Keeps the URL of a Location without its version. */
static size_t read_header(char *bytes, size_t size, size_t count, void *arg)
{
    char *location = arg;
    size_t length = size * count;
    if (length > 10 && length < LINE && strncasecmp(bytes, "location: ", 10) == 0) {
        memcpy(location, bytes + 10, length - 10);
        location[length - 10] = '\0';
        location[strcspn(location, "\r\n")] = '\0';
        char *version = strstr(location, "/_history/");
        if (version != NULL) {
            *version = '\0';
        }
    }
    return length;
}

static struct curl_slist *headers_of(const struct call *call)
{
    char condition[LINE + 32];
    struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/fhir+json");
    headers = curl_slist_append(headers, "Content-Type: application/fhir+json");
    headers = curl_slist_append(headers, "Expect:");
    if (strcmp(call->condition, "-") != 0) {
        snprintf(condition, sizeof condition, "If-None-Exist: %s", call->condition);
        headers = curl_slist_append(headers, condition);
    }
    must(headers != NULL, "no memory");
    return headers;
}

static bool make_call(CURL *easy, const struct call *call, char *location)
{
    bool writes = strcmp(call->method, "GET") != 0;
    const char *url = strcmp(call->url, "LOCATION") == 0 ? location : call->url;
    long status = 0;
    struct curl_slist *headers = headers_of(call);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, read_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, location);
    if (writes) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)call->length);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method);
    CURLcode code = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    if (code != CURLE_OK || status >= 400) {
        fprintf(stderr, "bench_bare_delivery: %s %s: %s, %ld\n", call->method, url,
                curl_easy_strerror(code), status);
        return false;
    }
    return true;
}

static struct child *take_child(struct work *work)
{
    pthread_mutex_lock(&work->lock);
    bool more = work->next < work->count && !work->failed;
    struct child *child = more ? &work->children[work->next++] : NULL;
    pthread_mutex_unlock(&work->lock);
    return child;
}

static void *run(void *arg)
{
    struct work *work = arg;
    CURL *easy = curl_easy_init();
    char location[LINE] = "";
    must(easy != NULL, "no memory");
    curl_easy_setopt(easy, CURLOPT_CAINFO, work->ca);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
    for (struct child *child; (child = take_child(work)) != NULL;) {
        int64_t start = now_us();
        for (const struct call *call = child->first; call != NULL; call = call->next) {
            if (!make_call(easy, call, location)) {
                pthread_mutex_lock(&work->lock);
                work->failed = true;
                pthread_mutex_unlock(&work->lock);
                break;
            }
        }
        child->took_us = now_us() - start;
    }
    curl_easy_cleanup(easy);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[64];
    must(argc == 4, "usage: bench_bare_delivery CA-FILE REQUESTS PARALLEL");
    struct work work = {.ca = argv[1], .lock = PTHREAD_MUTEX_INITIALIZER};
    size_t parallel = strtoul(argv[3], NULL, 10);
    must(parallel >= 1 && parallel <= 64, "PARALLEL is 1 to 64");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    read_requests(argv[2], &work);
    int64_t start = now_us();
    for (size_t i = 0; i < parallel; i++) {
        must(pthread_create(&threads[i], NULL, run, &work) == 0, "no thread");
    }
    for (size_t i = 0; i < parallel; i++) {
        pthread_join(threads[i], NULL);
    }
    double seconds = (double)(now_us() - start) / 1e6;
    must(!work.failed, "a call failed");
    printf("{\"children\":%zu,\"seconds\":%.6f,\"each_us\":[", work.count, seconds);
    for (size_t i = 0; i < work.count; i++) {
        printf("%s%lld", i == 0 ? "" : ",", (long long)work.children[i].took_us);
    }
    printf("]}\n");
    curl_global_cleanup();
    return 0;
}
