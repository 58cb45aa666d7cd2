/*
 * The configuration: conf/gateway.yaml and one file for each EHR, read into one immutable struct.
 * Each field is a row of settings.def (unit, bounds, default, sentence); names ending in _ms are
 * milliseconds, in _bytes bytes. A text that is not set is empty. Secrets stand in files of their
 * own, named here and never read here. Everything lives in the arena given to config_load and is
 * read by any thread as long as that arena lives. Tests: tests/unit/gateway/config/,
 * tests/diagnostics/config/.
 */
#ifndef GATEWAY_CONFIG_CONFIG_H
#define GATEWAY_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "fhir/base/arena.h"
#include "fhir/base/diag.h"
#include "fhir/base/slice.h"
#include "gateway/base/zone.h"

#define WORD(id, text) id,
#define CHOICES(set, words) enum config_##set{words};
#include "gateway/config/choices.def"
#undef CHOICES
#undef WORD

/* The word of a choice as the files write it: config_mode_name(MODE_PILOT) is "pilot". */
#define CHOICES(set, words) const char *config_##set##_name(enum config_##set value);
#include "gateway/config/choices.def"
#undef CHOICES

struct config_texts {
    const struct slice *at;
    size_t count;
};

struct config_subscription {
    struct slice name;
    struct slice criteria;
    enum config_payload payload;
    struct slice secret_file;
};

/* Exactly one of secret_file and certificate_name is set. */
struct config_sender {
    struct slice name;
    struct slice secret_file;
    struct slice certificate_name;
    struct config_texts paths;
};

/* An operating-system account that may act for a Practitioner. */
struct config_acceptor {
    struct slice account;
    struct slice practitioner; /* "Practitioner/7" */
};

struct config_auth {
    enum config_auth_kind kind;
    struct slice client_id; /* smart: this and key_file are set */
    struct slice key_file;
    struct slice key_id;
    enum config_auth_algorithm algorithm;
    struct slice scope;
    struct slice token_url;
    struct slice token_file; /* bearer: set */
};

struct config_ehr {
    struct slice file; /* the path of its file, for messages */
    struct slice name;
    struct slice base_url; /* without a trailing slash */
    enum config_mode mode;
    bool synthetic;
    struct config_texts pilot_departments;
    const struct zone *timezone;
    enum config_care_plan_intent care_plan_intent;
    bool protects_teens;
    enum config_create_by create_by;
    uint64_t settle_ms;
    uint64_t settle_most_ms;
    enum config_evaluation evaluation; /* paused: its visits wait; writes and polls go on */
    struct config_auth auth;
    struct {
        struct slice ca_file;
        struct slice certificate_file;
        struct slice key_file;
    } tls;
    struct {
        const struct config_subscription *at;
        size_t count;
    } subscriptions;
    uint64_t subscription_check_ms;
    struct {
        uint64_t interval_ms; /* 0: only when a notification made it due */
        uint64_t overlap_ms;
        uint64_t page_size;
        uint64_t pages_most;
        struct config_texts queries;
    } poll;
    struct {
        const struct config_sender *at;
        size_t count;
    } senders;
    struct {
        const struct config_acceptor *at;
        size_t count;
    } acceptors;
    struct {
        uint64_t per_minute;
        uint64_t writes_per_minute;
        uint64_t parallel;
    } budget;
    uint64_t catch_up_per_minute; /* 0: as budget.per_minute */
    struct config_texts downtime; /* for gateway/base/downtime.h */
    struct {
        uint64_t connect_ms;
        uint64_t read_ms;
        uint64_t write_ms;
    } deadline;
    uint64_t unknown_settle_ms;
    struct {
        uint64_t first_ms;
        uint64_t most_ms;
        uint64_t tries;
    } retry;
    uint64_t capability_ms;
    uint64_t expire_ms; /* 0: never */
    enum config_after_revoke after_revoke;
};

struct config_gateway {
    struct slice environment;
    struct slice identifier_namespace; /* a UUID in its text form */
    struct slice state_dir;
    struct slice store;
    struct slice ehrs_dir;
    struct config_texts mappings; /* folders */
    struct {
        struct slice address; /* an IPv4 or IPv6 address, no name */
        uint64_t port;
        struct slice public_url; /* without a trailing slash */
        struct slice ready_file;
    } listen;
    struct {
        struct slice certificate_file;
        struct slice key_file;
        struct slice client_ca_file;
        enum config_client_certificate client_certificate;
    } tls;
    struct {
        uint64_t header_bytes;
        uint64_t body_bytes;
        uint64_t connections;
        uint64_t handshake_ms;
        uint64_t request_ms;
        uint64_t idle_ms;
    } limits;
    uint64_t pool_threads;
    uint64_t queue_items;
    uint64_t queue_bytes;
    uint64_t drain_ms;
    uint64_t lease_ms;
    struct {
        uint64_t done_ms;
        uint64_t handed_over_ms;
        uint64_t every_ms;
    } retention;
    struct {
        struct slice token_file;
    } metrics;
    struct {
        struct slice key_file;   /* empty, or this or credential: records are sealed */
        struct slice credential; /* the name of a systemd credential */
    } seal;
    enum config_log_level log_level;
};

struct config {
    struct slice file; /* the path of gateway.yaml */
    struct config_gateway gateway;
    const struct config_ehr *ehrs; /* those without a mistake, by name */
    size_t ehr_count;
    struct config_texts refused; /* files of EHRs left out because of their mistakes */
};

struct config_options {
    bool check_files; /* also say which of the named files and folders are missing or too open */
};

/*
 * Reads the file at `path` and every EHR's file. All mistakes of all files go to diags.
 * STATUS_OK: *config_out is set; EHRs whose own file is wrong are left out and listed in `refused`.
 * STATUS_INVALID: gateway.yaml itself has a mistake. STATUS_IO: it or the folder of the EHRs cannot
 * be opened. Relative paths in a file are relative to the folder of that file.
 */
enum status config_load(struct arena *arena, struct slice path,
                        const struct config_options *options, struct diag_list *diags,
                        const struct config **config_out);

const struct config_ehr *config_find_ehr(const struct config *config, struct slice name);

/*
 * What a reload cannot take over: "listen.port", "ehr north: base-url" ..., one for each setting of
 * kind restart that differs. An EHR that is only in one of them is no difference. Lives in the
 * arena.
 */
struct config_texts config_restart_differences(struct arena *arena, const struct config *running,
                                               const struct config *next);

#endif
