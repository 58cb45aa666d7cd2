#include "gateway/http/client_job.h"

#include <stdlib.h>

static const struct {
    const char *name;
    const char *advice;
} errors[HTTP_ERRORS] = {
#define CLIENT_ERROR(id, name, advice) {name, advice},
#include "gateway/http/client_errors.def"
#undef CLIENT_ERROR
};

static const char *const header_names[REPLY_HEADERS] = {
#define REPLY_HEADER(id, name, meaning) name,
#include "gateway/http/reply_headers.def"
#undef REPLY_HEADER
};

const char *http_outcome_name(enum http_outcome outcome)
{
    static const char *const names[] = {"done", "not-sent", "unknown"};
    return names[outcome];
}

const char *http_error_name(enum http_error error)
{
    return errors[error].name;
}

const char *http_error_advice(enum http_error error)
{
    return errors[error].advice;
}

static struct result_block *block_of(struct http_result *result)
{
    return (struct result_block *)result;
}

void http_result_destroy(struct http_result *result)
{
    if (result != NULL) {
        free(block_of(result)->body);
        free(block_of(result)->text);
        free(result);
    }
}

static struct slice copy_text(char **at, struct slice text)
{
    if (text.len != 0) {
        memcpy(*at, text.at, text.len);
    }
    struct slice copy = slice_from(*at, text.len);
    (*at)[text.len] = '\0';
    *at += text.len + 1;
    return copy;
}

struct job *job_create(const struct http_request *request)
{
    size_t size = sizeof(struct job) + request->header_count * sizeof *request->headers +
                  request->url.len + request->body.len + 2;
    for (size_t i = 0; i < request->header_count; i++) {
        size += request->headers[i].name.len + request->headers[i].value.len + 2;
    }
    struct job *job = malloc(size);
    struct result_block *result = calloc(1, sizeof *result);
    if (job == NULL || result == NULL) {
        free(job);
        free(result);
        return NULL;
    }
    struct http_header *own = (struct http_header *)(void *)(job + 1);
    char *at = (char *)(own + request->header_count);
    *job = (struct job){.request = *request, .result = result};
    for (size_t i = 0; i < request->header_count; i++) {
        own[i].name = copy_text(&at, request->headers[i].name);
        own[i].value = copy_text(&at, request->headers[i].value);
    }
    job->request.headers = own;
    job->request.url = copy_text(&at, request->url);
    job->request.body = copy_text(&at, request->body);
    return job;
}

void job_destroy(struct job *job)
{
    if (job != NULL) {
        http_result_destroy(job->result != NULL ? &job->result->public : NULL);
        free(job);
    }
}

static bool is_clean(struct slice text, const char *unwanted)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if ((c < ' ' && c != '\t') || c == 127 || strchr(unwanted, (char)c) != NULL) {
            return false;
        }
    }
    return true;
}

bool request_is_clean(const struct http_request *request)
{
    bool clean = request->url.len != 0 && is_clean(request->url, " \t");
    for (size_t i = 0; i < request->header_count; i++) {
        clean = clean && request->headers[i].name.len != 0 &&
                is_clean(request->headers[i].name, ": \t") &&
                is_clean(request->headers[i].value, "");
    }
    return clean;
}

/* Room for `more` bytes and a NUL. */
static bool reserve(char **at, size_t *cap, size_t len, size_t more)
{
    if (len + more + 1 <= *cap) {
        return true;
    }
    size_t want = *cap * 2 > len + more + 1 ? *cap * 2 : len + more + 1;
    char *bigger = realloc(*at, want);
    if (bigger == NULL) {
        return false;
    }
    *at = bigger;
    *cap = want;
    return true;
}

bool result_add_body(struct job *job, struct slice bytes)
{
    struct result_block *result = job->result;
    if (bytes.len > job->request.max_reply - result->body_len) {
        job->error = HTTP_ERROR_TOO_LARGE;
        return false;
    }
    if (!reserve(&result->body, &result->body_cap, result->body_len, bytes.len)) {
        job->error = HTTP_ERROR_LOCAL;
        return false;
    }
    memcpy(result->body + result->body_len, bytes.at, bytes.len);
    result->body_len += bytes.len;
    result->body[result->body_len] = '\0';
    return true;
}

static bool keep_header(struct job *job, enum reply_header which, struct slice value)
{
    struct result_block *result = job->result;
    if (result->kept[which].set) {
        return true;
    }
    if (!reserve(&result->text, &result->text_cap, result->text_len, value.len)) {
        job->error = HTTP_ERROR_LOCAL;
        return false;
    }
    if (value.len != 0) {
        memcpy(result->text + result->text_len, value.at, value.len);
    }
    result->text[result->text_len + value.len] = '\0';
    result->kept[which] = (struct kept_header){
        .at = (uint32_t)result->text_len, .len = (uint32_t)value.len, .set = true};
    result->text_len += value.len + 1;
    return true;
}

bool result_add_header(struct job *job, struct slice line)
{
    struct result_block *result = job->result;
    job->head_seen += line.len;
    if (job->head_seen > REPLY_HEAD_MAX) {
        job->error = HTTP_ERROR_TOO_LARGE;
        return false;
    }
    if (slice_starts_with(line, SLICE("HTTP/"))) { /* 100 Continue, then the final status */
        memset(result->kept, 0, sizeof result->kept);
        result->text_len = 0;
        return true;
    }
    struct slice name;
    slice_cut(&line, ':', &name);
    for (size_t i = 0; i < REPLY_HEADERS; i++) {
        if (line.at != NULL && http_name_equal(name, slice_of(header_names[i]))) {
            return keep_header(job, (enum reply_header)i, slice_trim(line));
        }
    }
    return true;
}

void result_finish(struct result_block *result, struct slice detail)
{
    struct http_result *public = &result->public;
    size_t len = detail.len < DETAIL_MAX ? detail.len : DETAIL_MAX;
    for (size_t i = 0; i < len; i++) {
        char c = detail.at[i];
        result->detail[i] = (char)(c < ' ' || c > '~' ? '?' : c);
    }
    public->detail = slice_from(result->detail, len);
    public->body = slice_from(result->body != NULL ? result->body : "", result->body_len);
    for (size_t i = 0; i < REPLY_HEADERS; i++) {
        if (result->kept[i].set) {
            public->header[i] = slice_from(result->text + result->kept[i].at, result->kept[i].len);
        }
    }
}

enum http_outcome outcome_of(bool failed, size_t body_len, size_t body_given, size_t head_sent)
{
    if (!failed) {
        return HTTP_DONE;
    }
    bool sent = body_len != 0 ? body_given != 0 : head_sent != 0;
    return sent ? HTTP_UNKNOWN : HTTP_NOT_SENT;
}
