#include "gateway/ehr/outcome.h"

#include "fhir/base/buf.h"
#include "gateway/ehr/url.h"
#include "gateway/http/http.h"
#include "gateway/http/retry_after.h"

static const char *const outcome_names[] = {
    [EHR_DONE] = "done",
    [EHR_ABSENT] = "absent",
    [EHR_CONFLICT] = "conflict",
    [EHR_REFUSED] = "refused",
    [EHR_UNAUTHORIZED] = "unauthorized",
    [EHR_AGAIN] = "again",
    [EHR_UNKNOWN] = "unknown",
    [EHR_UNREADABLE] = "unreadable",
};

const char *ehr_outcome_name(enum ehr_outcome outcome)
{
    return outcome >= EHR_DONE && outcome <= EHR_UNREADABLE ? outcome_names[outcome] : "?";
}

struct fault_text {
    const char *name;
    const char *sentence;
    const char *advice;
};

static const struct fault_text fault_texts[EHR_FAULT_COUNT] = {
#define FAULT(id, name, sentence, advice) [EHR_FAULT_##id] = {name, sentence, advice},
#include "gateway/ehr/faults.def"
#undef FAULT
};

const char *ehr_fault_name(enum ehr_fault fault)
{
    return fault < EHR_FAULT_COUNT ? fault_texts[fault].name : "?";
}

const char *ehr_fault_sentence(enum ehr_fault fault)
{
    return fault < EHR_FAULT_COUNT ? fault_texts[fault].sentence : "?";
}

const char *ehr_fault_advice(enum ehr_fault fault)
{
    return fault < EHR_FAULT_COUNT ? fault_texts[fault].advice : "";
}

/* ---- the status line ---- */

enum column { COLUMN_READ, COLUMN_SEARCH, COLUMN_CREATE, COLUMN_UPDATE, COLUMNS };

static enum column column_of(enum ehr_verb verb)
{
    static const enum column columns[EHR_VERB_COUNT] = {
        [EHR_READ] = COLUMN_READ,     [EHR_SEARCH] = COLUMN_SEARCH, [EHR_FIND] = COLUMN_SEARCH,
        [EHR_CREATE] = COLUMN_CREATE, [EHR_UPDATE] = COLUMN_UPDATE, [EHR_METADATA] = COLUMN_READ,
    };
    return columns[verb];
}

bool verb_writes(enum ehr_verb verb)
{
    return column_of(verb) >= COLUMN_CREATE;
}

struct status_row {
    int from;
    int to;
    enum ehr_outcome outcomes[COLUMNS];
    enum ehr_fault fault;
};

static const struct status_row status_rows[] = {
#define STATUS(from, to, read, search, create, update, fault)                                      \
    {from, to, {read, search, create, update}, EHR_FAULT_##fault},
#include "gateway/ehr/outcomes.def"
#undef STATUS
};

static enum ehr_fault fault_of(enum ehr_outcome outcome, enum ehr_fault fault)
{
    if (outcome == EHR_DONE) {
        return EHR_FAULT_NONE;
    }
    return outcome == EHR_ABSENT ? EHR_FAULT_ABSENT : fault;
}

enum ehr_outcome outcome_of_status(enum ehr_verb verb, int status, enum ehr_fault *fault_out)
{
    const struct status_row *row = status_rows;
    while (row < status_rows + sizeof status_rows / sizeof *status_rows - 1 &&
           (status < row->from || status > row->to)) {
        row++;
    }
    enum ehr_outcome outcome = row->outcomes[column_of(verb)];
    *fault_out = fault_of(outcome, row->fault);
    return outcome;
}

enum status outcome_wait(const struct exchange *exchange, int64_t now_us, uint64_t least_ms,
                         uint64_t most_ms, uint64_t *wait_ms_out)
{
    const struct retry_bounds bounds = {least_ms, most_ms};
    enum status status =
        retry_after_read(exchange->retry_after, exchange->date, now_us, &bounds, wait_ms_out);
    if (status == STATUS_OK) {
        return STATUS_OK;
    }
    struct rate_limit limit;
    if (rate_limit_read(exchange->rate_limit, exchange->rate_remaining, exchange->rate_reset,
                        now_us, &bounds, &limit) == STATUS_OK &&
        limit.remaining == 0) {
        *wait_ms_out = limit.wait_ms;
        return STATUS_OK;
    }
    return STATUS_ABSENT;
}

bool outcome_is_failure(const struct exchange *exchange, const struct ehr_answer *answer)
{
    if (exchange->end == EXCHANGE_NOT_SENT || exchange->end == EXCHANGE_CUT) {
        return true;
    }
    return exchange->status >= 500 ? exchange->status != 501 : answer->fault == EHR_FAULT_NO_JSON;
}

/* ---- the body ---- */

static void verdict(struct ehr_answer *answer, enum ehr_outcome outcome, enum ehr_fault fault)
{
    answer->outcome = outcome;
    answer->fault = fault;
}

/* A 2xx that cannot be what was asked for: a read failed; a write may have been carried out. */
static void doubt(const struct ehr_request *request, struct ehr_answer *answer,
                  enum ehr_fault fault)
{
    verdict(answer, verb_writes(request->verb) ? EHR_UNKNOWN : EHR_UNREADABLE, fault);
}

/* application/fhir+json, application/json, the old application/json+fhir; or nothing said. */
static bool may_be_json(struct slice content_type)
{
    struct slice media = content_type.len != 0 ? http_media_type(content_type) : SLICE_NONE;
    for (size_t i = 0; i + 4 <= media.len; i++) {
        if (http_name_equal(slice_part(media, i, 4), SLICE("json"))) {
            return true;
        }
    }
    return media.len == 0;
}

/* NULL: there is no JSON in it. */
static const struct json *read_body(struct arena *arena, const struct exchange *exchange)
{
    struct slice body = exchange->body;
    if (!may_be_json(exchange->content_type)) {
        return NULL;
    }
    if (slice_starts_with(body, SLICE("\xef\xbb\xbf"))) {
        body = slice_part(body, 3, SIZE_MAX);
    }
    struct diag_list diags;
    diag_init(&diags, arena, 1);
    const struct limits limits = LIMITS_DEFAULT;
    const struct json *json = NULL;
    const struct source *source = source_create(arena, SLICE("answer"), body);
    if (json_parse(arena, source, &limits, &diags, &json) != STATUS_OK) {
        return NULL;
    }
    return json;
}

/* Only what looks like a code is repeated; sentences may speak of a patient. */
static bool is_plain_code(struct slice code)
{
    for (size_t i = 0; i < code.len; i++) {
        char c = code.at[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_')) {
            return false;
        }
    }
    return code.len != 0 && code.len <= 32;
}

struct issue_row {
    const char *system;
    const char *code;
    enum ehr_outcome outcome;
    enum ehr_fault fault;
};

static const struct issue_row issue_rows[] = {
#define ISSUE(system, code, outcome, fault) {system, code, outcome, EHR_FAULT_##fault},
#include "gateway/ehr/issues.def"
};

static const struct issue_row *find_row(struct slice system, struct slice code)
{
    for (size_t i = 0; i < sizeof issue_rows / sizeof *issue_rows; i++) {
        const struct issue_row *row = &issue_rows[i];
        bool same_system = row->system[0] == '\0'
                               ? system.len == 0
                               : slice_starts_with(system, slice_of(row->system));
        if (same_system && slice_is(code, row->code)) {
            return row;
        }
    }
    return NULL;
}

enum { ISSUES_MOST = 8 };

/* Of all issues: their codes for people, and the first row that says more than the status. A
 * vendor's own code says more than the general one beside it. */
static const struct issue_row *read_issues(const struct json *outcome, struct buf *codes)
{
    const struct issue_row *general = NULL;
    const struct issue_row *special = NULL;
    unsigned count = 0;
    for (const struct json *issue = json_first(json_get(outcome, "issue"));
         issue != NULL && count < ISSUES_MOST; issue = json_next(issue), count++) {
        struct slice code = json_get_text(issue, "code");
        if (is_plain_code(code)) {
            buf_printf(codes, " %.*s", SLICE_ARGS(code));
            general = general != NULL ? general : find_row(SLICE_NONE, code);
        }
        const struct json *coding = json_get(json_get(issue, "details"), "coding");
        for (coding = json_first(coding); coding != NULL; coding = json_next(coding)) {
            struct slice system = json_get_text(coding, "system");
            code = json_get_text(coding, "code");
            if (system.len != 0 && is_plain_code(code) && codes->len < codes->ceiling / 2) {
                buf_printf(codes, " (%.*s)", SLICE_ARGS(code));
                special = special != NULL ? special : find_row(system, code);
            }
        }
    }
    return special != NULL ? special : general;
}

static bool has_error(const struct json *outcome)
{
    for (const struct json *issue = json_first(json_get(outcome, "issue")); issue != NULL;
         issue = json_next(issue)) {
        struct slice severity = json_get_text(issue, "severity");
        if (slice_is(severity, "error") || slice_is(severity, "fatal")) {
            return true;
        }
    }
    return false;
}

static struct slice etag_version(struct slice etag)
{
    etag = slice_trim(etag);
    if (slice_starts_with(etag, SLICE("W/"))) {
        etag = slice_part(etag, 2, SIZE_MAX);
    }
    if (etag.len >= 2 && etag.at[0] == '"' && etag.at[etag.len - 1] == '"') {
        etag = slice_part(etag, 1, etag.len - 2);
    }
    return etag;
}

static struct slice first_of(struct slice a, struct slice b, struct slice c)
{
    return a.len != 0 ? a : b.len != 0 ? b : c;
}

/* Done, as far as the status says. Is the body, if there is one, the resource? */
static void read_resource(const struct ehr_request *request, const struct exchange *exchange,
                          const struct json *json, struct ehr_answer *answer)
{
    struct slice type =
        request->verb == EHR_METADATA ? SLICE("CapabilityStatement") : request->type;
    struct slice located = SLICE_NONE;
    struct slice located_version = SLICE_NONE;
    url_read_location(exchange->location, type, &located, &located_version);
    struct slice resource_type = json_get_text(json, "resourceType");
    struct slice id = SLICE_NONE;
    if (slice_equal(resource_type, type)) {
        answer->resource = json;
        id = json_get_text(json, "id");
    } else if (json != NULL && (!slice_is(resource_type, "OperationOutcome") || has_error(json))) {
        doubt(request, answer, EHR_FAULT_WRONG_CONTENT);
        return;
    }
    struct slice expected = request->verb == EHR_CREATE ? located : request->id;
    id = first_of(id, expected, SLICE_NONE);
    bool needs_body = !verb_writes(request->verb) && answer->resource == NULL;
    bool another = expected.len != 0 && !slice_equal(id, expected);
    if (needs_body || another || (id.len == 0 && request->verb != EHR_METADATA)) {
        answer->resource = NULL;
        doubt(request, answer, EHR_FAULT_WRONG_CONTENT);
        return;
    }
    struct slice meta = json_get_text(json_get(answer->resource, "meta"), "versionId");
    answer->id = arena_copy(answer->arena, id);
    answer->version =
        arena_copy(answer->arena, first_of(etag_version(exchange->etag), meta, located_version));
    answer->created =
        exchange->status == 201 || (request->verb == EHR_CREATE && request->value.len == 0);
}

static void read_success(const struct ehr_request *request, const struct exchange *exchange,
                         const struct json *json, struct ehr_answer *answer)
{
    /* Location says enough about a create, whatever text came along (Oracle: none). */
    bool located = exchange->status == 201 && exchange->location.len != 0;
    if (json == NULL && exchange->body.len != 0 && !located) {
        doubt(request, answer, EHR_FAULT_NO_JSON);
        return;
    }
    bool searched = column_of(request->verb) == COLUMN_SEARCH;
    if (searched && !slice_is(json_get_text(json, "resourceType"), "Bundle")) {
        doubt(request, answer, json == NULL ? EHR_FAULT_NO_JSON : EHR_FAULT_WRONG_CONTENT);
    } else if (searched) {
        answer->resource = json;
    } else {
        read_resource(request, exchange, json, answer);
    }
}

static void describe(struct ehr_answer *answer, struct slice codes)
{
    if (answer->fault == EHR_FAULT_NONE) {
        answer->detail = arena_printf(answer->arena, "HTTP %d", answer->http_status);
    } else if (answer->http_status == 0) {
        answer->detail = arena_printf(answer->arena, "%s", ehr_fault_sentence(answer->fault));
    } else {
        answer->detail =
            arena_printf(answer->arena, "HTTP %d:%.*s%s %s", answer->http_status, SLICE_ARGS(codes),
                         codes.len != 0 ? ";" : "", ehr_fault_sentence(answer->fault));
    }
}

void outcome_read(const struct ehr_request *request, const struct exchange *exchange,
                  struct ehr_answer *answer)
{
    struct buf codes;
    buf_init(&codes, answer->arena, 4096);
    bool writes = verb_writes(request->verb);
    answer->http_status = exchange->status;
    int64_t date = 0;
    if (http_date_read(exchange->date, &date) == STATUS_OK) {
        answer->server_date = date;
    }
    if (exchange->end == EXCHANGE_NOT_SENT) {
        verdict(answer, EHR_AGAIN, exchange->fault);
    } else if (exchange->end == EXCHANGE_CUT) {
        verdict(answer, writes ? EHR_UNKNOWN : EHR_AGAIN, exchange->fault);
    } else {
        enum ehr_fault fault;
        answer->outcome = outcome_of_status(request->verb, exchange->status, &fault);
        answer->fault = fault;
        bool too_large = exchange->end == EXCHANGE_TOO_LARGE;
        const struct json *json = too_large ? NULL : read_body(answer->arena, exchange);
        if (answer->outcome == EHR_DONE && too_large) {
            doubt(request, answer, EHR_FAULT_TOO_LARGE);
        } else if (answer->outcome == EHR_DONE) {
            read_success(request, exchange, json, answer);
        }
        if (slice_is(json_get_text(json, "resourceType"), "OperationOutcome")) {
            const struct issue_row *row = read_issues(json, &codes);
            if (row != NULL && exchange->status >= 400 && exchange->status < 500 &&
                answer->outcome == EHR_REFUSED) {
                bool doubtful = writes && row->fault == EHR_FAULT_TIMEOUT;
                verdict(answer, doubtful ? EHR_UNKNOWN : row->outcome, row->fault);
            }
        }
    }
    describe(answer, buf_view(&codes));
}
