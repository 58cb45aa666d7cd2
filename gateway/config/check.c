/* What must hold between settings. */
#include <stdio.h>

#include "gateway/base/downtime.h"
#include "gateway/config/settings.h"

struct check {
    const struct config_reader *reader;
    const struct yaml *root;
};

static struct diag *conflict(const struct check *check, const char *path, const char *sentence)
{
    return diag_add(check->reader->diags, DIAG_CONFIG_CONFLICT, config_place(check->root, path),
                    "%s: %s", path, sentence);
}

static void conflict_hint(const struct check *check, const char *path, const char *sentence,
                          const char *hint)
{
    diag_hint(check->reader->diags, conflict(check, path, sentence), "%s", hint);
}

/* A password in the URL would be in every copy of this file. */
static bool has_password(struct slice url)
{
    size_t from = slice_find(url, SLICE("://"), 0) + 3;
    size_t path = slice_find(url, SLICE("/"), from);
    size_t at = slice_find(url, SLICE("@"), from);
    size_t colon = slice_find(url, SLICE(":"), from);
    return slice_find(url, SLICE("password="), 0) != SIZE_MAX ||
           (at != SIZE_MAX && colon < at && at < path);
}

static void check_store(const struct check *check, struct slice store)
{
    bool shared = slice_starts_with(store, SLICE("postgresql://")) ||
                  slice_starts_with(store, SLICE("postgres://"));
    if (!shared && !slice_is(store, "sqlite")) {
        conflict_hint(check, "store", "is no store that this program has",
                      "write sqlite, or postgresql://HOST/DATABASE");
    } else if (shared && has_password(store)) {
        struct diag *diag = diag_add(check->reader->diags, DIAG_CONFIG_CONFLICT, SPAN_NONE,
                                     "gateway.yaml: store: must not hold a password");
        diag_hint(check->reader->diags, diag, "%s", /* no span: its line would show the password */
                  "put it into a .pgpass file, and name that with ?passfile=FILE");
    }
}

void config_check_gateway(const struct config_reader *reader, const struct yaml *root,
                          const struct config_gateway *gateway)
{
    struct check check = {reader, root};
    if (gateway->seal.key_file.len != 0 && gateway->seal.credential.len != 0) {
        conflict(&check, "seal.credential", "seal.key-file gives the keys already");
    }
    if (slice_find(gateway->seal.credential, SLICE("/"), 0) != SIZE_MAX) {
        conflict(&check, "seal.credential", "is a name, not a path");
    }
    if (gateway->tls.client_certificate == CLIENT_CERTIFICATE_REQUIRED &&
        gateway->tls.client_ca_file.len == 0) {
        conflict_hint(&check, "tls.client-certificate", "cannot be required without authorities",
                      "set tls.client-ca-file");
    }
    check_store(&check, gateway->store);
}

/* ---- an EHR ---- */

static void check_auth(const struct check *check, const struct config_ehr *ehr)
{
    static const struct {
        const char *path;
        enum config_auth_kind kind;
        bool needed;
    } rows[] = {
        {"auth.client-id", AUTH_SMART, true},   {"auth.key-file", AUTH_SMART, true},
        {"auth.key-id", AUTH_SMART, false},     {"auth.algorithm", AUTH_SMART, false},
        {"auth.scope", AUTH_SMART, false},      {"auth.token-url", AUTH_SMART, false},
        {"auth.token-file", AUTH_BEARER, true},
    };
    const struct yaml *kind = yaml_get(yaml_get(check->root, "auth"), "kind");
    if (kind != NULL && !slice_is(kind->scalar.text, config_auth_kind_name(ehr->auth.kind))) {
        return; /* it is no word, which has been said */
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool given = config_given(check->root, rows[i].path);
        char sentence[96];
        if (rows[i].kind == ehr->auth.kind && rows[i].needed && !given) {
            snprintf(sentence, sizeof sentence, "must be given with auth.kind %s",
                     config_auth_kind_name(ehr->auth.kind));
            conflict(check, rows[i].path, sentence);
        } else if (rows[i].kind != ehr->auth.kind && given) {
            snprintf(sentence, sizeof sentence, "belongs to auth.kind %s, and it is %s",
                     config_auth_kind_name(rows[i].kind), config_auth_kind_name(ehr->auth.kind));
            conflict(check, rows[i].path, sentence);
        }
    }
}

static void check_safety(const struct check *check, const struct config_ehr *ehr)
{
    bool loopback = config_url_is_loopback(ehr->base_url);
    if (ehr->synthetic && ehr->base_url.len != 0 && !loopback) {
        conflict_hint(check, "synthetic", "is allowed for a loopback base-url only",
                      "leave it out: the children of this EHR are taken for real ones");
    }
    if (ehr->mode == MODE_PILOT && ehr->pilot_departments.count == 0) {
        conflict_hint(check, "mode", "pilot needs pilot-departments",
                      "list the departments that take part");
    }
    if (ehr->auth.kind == AUTH_NONE && ehr->base_url.len != 0 && !loopback &&
        ehr->tls.certificate_file.len == 0) {
        conflict_hint(check, "auth.kind", "none is allowed for a loopback base-url only",
                      "use smart or bearer, or a client certificate");
    }
    if ((ehr->tls.certificate_file.len == 0) != (ehr->tls.key_file.len == 0)) {
        conflict(check, ehr->tls.key_file.len == 0 ? "tls.certificate-file" : "tls.key-file",
                 "certificate-file and key-file go together");
    }
}

static void check_bounds(const struct check *check, const struct config_ehr *ehr)
{
    if (ehr->settle_ms > ehr->settle_most_ms) {
        conflict(check, "settle.wait", "must not be longer than settle.most");
    }
    if (ehr->retry.first_ms > ehr->retry.most_ms) {
        conflict(check, "retry.first", "must not be longer than retry.most");
    }
    if (ehr->budget.writes_per_minute > ehr->budget.per_minute) {
        conflict(check, "budget.writes-per-minute", "must not be above requests-per-minute");
    }
    if (ehr->poll.interval_ms == 0 && ehr->subscriptions.count == 0 && ehr->senders.count == 0) {
        conflict_hint(check, "poll.interval", "nothing would ever be read from this EHR",
                      "set an interval, a subscription or a sender");
    }
}

/* The n-th entry of a list, for its place. */
static const struct yaml *entry_at(const struct yaml *list, size_t n)
{
    const struct yaml *entry = list != NULL ? list->first : NULL;
    while (entry != NULL && n-- > 0) {
        entry = entry->next;
    }
    return entry;
}

/* "Observation?code=1": a type, then a search without what the gateway itself adds. */
static void check_search(const struct check *check, const char *path, struct slice text,
                         struct span place)
{
    struct diag_list *diags = check->reader->diags;
    struct slice rest = text;
    struct slice type;
    slice_cut(&rest, '?', &type);
    bool well = type.len != 0 && type.at[0] >= 'A' && type.at[0] <= 'Z';
    for (size_t i = 0; i < type.len && well; i++) {
        char letter = (char)(type.at[i] | 0x20);
        well = letter >= 'a' && letter <= 'z';
    }
    if (!well || slice_find(text, SLICE(" "), 0) != SIZE_MAX) {
        struct diag *diag =
            diag_add(diags, DIAG_CONFIG_VALUE, place, "%s: must be a FHIR search", path);
        diag_hint(diags, diag, "write Observation?category=vital-signs");
    } else if (slice_find(text, SLICE("_lastUpdated="), 0) != SIZE_MAX ||
               slice_find(text, SLICE("_count="), 0) != SIZE_MAX) {
        diag_add(diags, DIAG_CONFIG_VALUE, place,
                 "%s: _lastUpdated and _count are added by the gateway", path);
    }
}

static void check_searches(const struct check *check, const struct config_ehr *ehr)
{
    const struct yaml *queries = yaml_get(yaml_get(check->root, "poll"), "queries");
    for (size_t i = 0; queries != NULL && i < ehr->poll.queries.count; i++) {
        const struct yaml *node = queries->kind == YAML_LIST ? entry_at(queries, i) : queries;
        check_search(check, "poll.queries", ehr->poll.queries.at[i], node->span);
    }
    const struct yaml *list = yaml_get(check->root, "subscriptions");
    for (size_t i = 0; i < ehr->subscriptions.count; i++) {
        const struct yaml *node = yaml_get(entry_at(list, i), "criteria");
        if (node != NULL && ehr->subscriptions.at[i].criteria.len != 0) {
            check_search(check, "subscriptions.criteria", ehr->subscriptions.at[i].criteria,
                         node->span);
        }
    }
}

static void report_twice(const struct check *check, const char *what, const struct yaml *entry,
                         struct slice name)
{
    const struct yaml *node = yaml_get(entry, "name");
    diag_add(check->reader->diags, DIAG_CONFIG_CONFLICT, node != NULL ? node->span : entry->span,
             "there are two %s named \"%.*s\"", what, SLICE_ARGS(name));
}

static void check_names(const struct check *check, const struct config_ehr *ehr)
{
    for (size_t i = 1; i < ehr->subscriptions.count; i++) {
        for (size_t j = 0; j < i && ehr->subscriptions.at[i].name.len != 0; j++) {
            if (slice_equal(ehr->subscriptions.at[i].name, ehr->subscriptions.at[j].name)) {
                report_twice(check, "subscriptions",
                             entry_at(yaml_get(check->root, "subscriptions"), i),
                             ehr->subscriptions.at[i].name);
            }
        }
    }
    for (size_t i = 1; i < ehr->senders.count; i++) {
        for (size_t j = 0; j < i && ehr->senders.at[i].name.len != 0; j++) {
            if (slice_equal(ehr->senders.at[i].name, ehr->senders.at[j].name)) {
                report_twice(check, "senders", entry_at(yaml_get(check->root, "senders"), i),
                             ehr->senders.at[i].name);
            }
        }
    }
}

static void check_senders(const struct check *check, const struct config_gateway *gateway,
                          const struct config_ehr *ehr)
{
    struct diag_list *diags = check->reader->diags;
    for (size_t i = 0; i < ehr->senders.count; i++) {
        const struct config_sender *sender = &ehr->senders.at[i];
        const struct yaml *entry = entry_at(yaml_get(check->root, "senders"), i);
        if ((sender->secret_file.len == 0) == (sender->certificate_name.len == 0)) {
            diag_add(diags, DIAG_CONFIG_CONFLICT, entry->span,
                     "a sender has either a secret-file or a certificate-name");
        } else if (sender->certificate_name.len != 0 && gateway->tls.client_ca_file.len == 0) {
            const struct yaml *node = yaml_get(entry, "certificate-name");
            struct diag *diag = diag_add(diags, DIAG_CONFIG_CONFLICT, node->span,
                                         "no client certificate is ever accepted");
            diag_hint(diags, diag, "set tls.client-ca-file in the gateway's own file");
        }
        for (size_t j = 0; j < sender->paths.count; j++) {
            if (sender->paths.at[j].len != 0 && sender->paths.at[j].at[0] != '/') {
                diag_add(diags, DIAG_CONFIG_VALUE, yaml_get(entry, "paths")->span,
                         "senders.paths: a path begins with /");
            }
        }
    }
}

static void check_outages(const struct check *check, const struct config_ehr *ehr)
{
    struct downtime unused;
    for (size_t i = 0; i < ehr->downtime.count; i++) {
        if (downtime_read(ehr->downtime.at[i], &unused) != STATUS_OK) {
            conflict_hint(
                check, "downtime",
                arena_cstr(check->reader->arena,
                           arena_printf(check->reader->arena, "\"%.*s\" is no window of time",
                                        SLICE_ARGS(ehr->downtime.at[i]))),
                "write \"Sun 01:00-03:00\", or \"2026-12-24 22:00 - 2026-12-25 06:00\"");
        }
    }
    if (ehr->catch_up_per_minute > ehr->budget.per_minute) {
        conflict(check, "catch-up.requests-per-minute",
                 "is above budget.requests-per-minute, which holds all the while");
    }
}

void config_check_ehr(const struct config_reader *reader, const struct yaml *root,
                      const struct config_gateway *gateway, const struct config_ehr *ehr)
{
    struct check check = {reader, root};
    check_auth(&check, ehr);
    check_safety(&check, ehr);
    check_bounds(&check, ehr);
    check_searches(&check, ehr);
    check_names(&check, ehr);
    check_senders(&check, gateway, ehr);
    check_outages(&check, ehr);
}
