#include <stdlib.h>

#include "gateway/daemon/parts.h"
#include "gateway/store/store_read.h"

/* ---- what an EHR tells us about itself, kept ---- */

/* Texts of a fault are ours and static, the EHR's name lives as long as the generation. */
struct note {
    struct store_note_ehr tx;
};

static void note_done(struct store_tx *tx, void *arg)
{
    (void)tx; /* what could not be noted is noted with the next change */
    free(arg);
}

static void health_changed(void *arg, struct ehr *ehr)
{
    struct link *link = arg;
    struct daemon *daemon = link->generation->daemon;
    struct ehr_health health = ehr_health(ehr);
    bool well = health.condition == EHR_WELL || health.condition == EHR_NEW;
    struct slice error = well ? SLICE_NONE : slice_of(ehr_fault_sentence(health.fault));
    struct slice advice = well ? SLICE_NONE : slice_of(ehr_fault_advice(health.fault));
    LOG(daemon->log, well ? LOG_INFO : LOG_WARNING, "ehr-health",
        LOG_SLICE(EHR, link->config->name), LOG_TEXT(STATE, ehr_condition_name(health.condition)),
        LOG_NUMBER(STATUS, health.http_status), LOG_SLICE(DETAIL, error),
        LOG_SLICE(ADVICE, advice));
    struct note *note = calloc(1, sizeof *note);
    if (note == NULL) {
        return;
    }
    note->tx = (struct store_note_ehr)STORE_TX(NOTE_EHR);
    note->tx.in.ehr = link->config->name;
    note->tx.in.error = error;
    note->tx.in.advice = advice;
    if (store_submit(daemon->store, &note->tx.tx, note_done, note) != STATUS_OK) {
        free(note);
    }
    if (well) {
        pipeline_wake(link->generation->pipeline);
    }
}

struct kept {
    struct store_save_capability tx;
    char bytes[]; /* etag, body */
};

static void kept_done(struct store_tx *tx, void *arg)
{
    (void)tx; /* it is fetched again */
    free(arg);
}

static void keep_capability(void *arg, struct slice etag, struct slice body)
{
    struct link *link = arg;
    struct kept *kept = malloc(sizeof *kept + etag.len + body.len + 1);
    if (kept == NULL) {
        return;
    }
    memcpy(kept->bytes, etag.len != 0 ? etag.at : "", etag.len);
    memcpy(kept->bytes + etag.len, body.len != 0 ? body.at : "", body.len);
    kept->tx = (struct store_save_capability)STORE_TX(SAVE_CAPABILITY);
    kept->tx.in.ehr = link->config->name;
    kept->tx.in.etag = slice_from(kept->bytes, etag.len);
    kept->tx.in.body = slice_from(kept->bytes + etag.len, body.len);
    if (store_submit(link->generation->daemon->store, &kept->tx.tx, kept_done, kept) != STATUS_OK) {
        free(kept);
    }
}

/* ---- building ---- */

static enum status bind_ehr(const struct link *link, struct diag_list *diags)
{
    struct store_bind_ehr bind = STORE_TX(BIND_EHR);
    bind.in.ehr = link->config->name;
    bind.in.base_url = link->config->base_url;
    enum status status = store_run(link->generation->daemon->store, &bind.tx);
    if (status == STATUS_REFUSED) {
        struct diag *diag = diag_add(diags, DIAG_CONFIG_CONFLICT, SPAN_NONE,
                                     "%.*s: base-url: this store knows the EHR \"%.*s\" under "
                                     "another URL than %.*s",
                                     SLICE_ARGS(link->config->file), SLICE_ARGS(bind.in.ehr),
                                     SLICE_ARGS(bind.in.base_url));
        diag_hint(
            diags, diag,
            "another server is another EHR: give it another name, or put the URL back; if it is "
            "the same EHR under a new URL, say so with `eplan rebase`");
    } else if (status != STATUS_OK) {
        diag_add(diags, DIAG_STORE_OPEN, SPAN_NONE, "the store did not take the EHR \"%.*s\": %s",
                 SLICE_ARGS(bind.in.ehr), status_name(status));
    }
    return status;
}

static void use_kept_capability(struct link *link)
{
    struct generation *generation = link->generation;
    struct capability capability;
    if (store_read_capability(generation->daemon->store, generation->arena, link->config->name,
                              &capability) == STATUS_OK) {
        ehr_use_capability(link->ehr, capability.body);
    }
}

enum status link_build(struct link *link, const struct config_ehr *config, struct diag_list *diags)
{
    struct generation *generation = link->generation;
    struct daemon *daemon = generation->daemon;
    struct inbound_host host = link_host(generation);
    link->config = config;
    struct ehr_options options = {.config = config,
                                  .loop = daemon->loop,
                                  .pool = daemon->answer_pool,
                                  .client = daemon->client,
                                  .clock = &daemon->clock,
                                  .random = &daemon->random,
                                  .log = daemon->log,
                                  .keep_capability = keep_capability,
                                  .health_changed = health_changed,
                                  .arg = link};
    enum status status = bind_ehr(link, diags);
    if (status == STATUS_OK) {
        status = ehr_create(&options, diags, &link->ehr);
    }
    if (status == STATUS_OK) {
        use_kept_capability(link);
        status = poller_create(&host, link->ehr, &link->poller);
    }
    if (status == STATUS_OK) {
        status =
            subscriber_create(&host, link->ehr, generation->public_url, diags, &link->subscriber);
    }
    return status;
}

/* ---- life ---- */

void link_start(struct link *link)
{
    ehr_start(link->ehr);
    subscriber_start(link->subscriber);
    poller_start(link->poller);
}

void link_stop(struct link *link)
{
    poller_stop(link->poller);
    subscriber_stop(link->subscriber);
}

size_t link_work(const struct link *link)
{
    return (size_t)poller_busy(link->poller) + (size_t)subscriber_busy(link->subscriber);
}

void link_clear(struct link *link)
{
    subscriber_destroy(&link->subscriber);
    poller_destroy(&link->poller);
    if (link->ehr != NULL) {
        ehr_stop(link->ehr);
    }
    ehr_destroy(&link->ehr);
}
