#include "gateway/inbound/doors.h"

#include <stdlib.h>

#include "gateway/http/http.h"

static size_t count_all(const struct config *config)
{
    size_t count = 0;
    for (size_t i = 0; i < config->ehr_count; i++) {
        count += config->ehrs[i].subscriptions.count + config->ehrs[i].senders.count;
    }
    return count;
}

static struct slice door_name(const struct door *door)
{
    return door->subscription != NULL ? door->subscription->name : door->sender->name;
}

/* One secret behind two doors would leave open who comes. */
static bool is_shared(const struct doors *doors, const struct door *door, struct diag_list *diags)
{
    for (size_t i = 0; i < doors->count; i++) {
        const struct door *other = &doors->at[i];
        if (other->secret != NULL && secret_equal(other->secret, secret_view(door->secret))) {
            struct diag *diag =
                diag_add(diags, DIAG_SECRET_FILE, SPAN_NONE,
                         "\"%.*s\" of %.*s and \"%.*s\" of %.*s have the same secret",
                         SLICE_ARGS(door_name(other)), SLICE_ARGS(other->ehr->name),
                         SLICE_ARGS(door_name(door)), SLICE_ARGS(door->ehr->name));
            diag_hint(diags, diag, "give each subscription and each sender a secret of its own");
            return true;
        }
    }
    return false;
}

static enum status add(struct doors *doors, struct door door, struct slice file,
                       struct diag_list *diags)
{
    if (file.len != 0) {
        enum status status =
            secret_load(arena_cstr(diags->arena, file), SPAN_NONE, diags, &door.secret);
        if (status != STATUS_OK) {
            return status;
        }
        if (is_shared(doors, &door, diags)) {
            secret_destroy(&door.secret);
            return STATUS_INVALID;
        }
    }
    doors->at[doors->count++] = door;
    return STATUS_OK;
}

enum status doors_load(const struct config *config, struct diag_list *diags,
                       struct doors *doors_out)
{
    enum status result = STATUS_OK;
    *doors_out = (struct doors){.at = calloc(count_all(config) + 1, sizeof(struct door))};
    if (doors_out->at == NULL) {
        return STATUS_NO_MEMORY;
    }
    for (size_t i = 0; i < config->ehr_count; i++) {
        const struct config_ehr *ehr = &config->ehrs[i];
        for (size_t k = 0; k < ehr->subscriptions.count; k++) {
            const struct config_subscription *it = &ehr->subscriptions.at[k];
            enum status status = add(doors_out, (struct door){.ehr = ehr, .subscription = it},
                                     it->secret_file, diags);
            result = result == STATUS_OK ? status : result;
        }
        for (size_t k = 0; k < ehr->senders.count; k++) {
            const struct config_sender *it = &ehr->senders.at[k];
            enum status status =
                add(doors_out, (struct door){.ehr = ehr, .sender = it}, it->secret_file, diags);
            result = result == STATUS_OK ? status : result;
        }
    }
    return result;
}

void doors_clear(struct doors *doors)
{
    for (size_t i = 0; i < doors->count; i++) {
        secret_destroy(&doors->at[i].secret);
    }
    free(doors->at);
    *doors = (struct doors){0};
}

static const struct door *find_by_secret(const struct doors *doors, struct slice secret)
{
    const struct door *found = NULL;
    for (size_t i = 0; i < doors->count; i++) { /* all of them, wherever it is */
        if (doors->at[i].secret != NULL && secret_equal(doors->at[i].secret, secret)) {
            found = &doors->at[i];
        }
    }
    return found;
}

/* A name of the certificate is "DNS:lab.example"; the configuration may leave the kind out. */
static bool is_named(const struct tls_peer *peer, struct slice wanted)
{
    for (size_t i = 0; i < peer->name_count; i++) {
        struct slice name = peer->names[i];
        struct slice rest = name;
        struct slice kind;
        slice_cut(&rest, ':', &kind);
        if (slice_equal(name, wanted) || slice_equal(rest, wanted)) {
            return true;
        }
    }
    return false;
}

static const struct door *find_by_certificate(const struct doors *doors,
                                              const struct tls_peer *peer)
{
    for (size_t i = 0; i < doors->count; i++) {
        const struct config_sender *sender = doors->at[i].sender;
        if (sender != NULL && sender->certificate_name.len != 0 &&
            is_named(peer, sender->certificate_name)) {
            return &doors->at[i];
        }
    }
    return NULL;
}

const struct door *doors_find(const struct doors *doors, struct slice authorization,
                              const struct tls_peer *peer)
{
    if (authorization.len != 0) {
        struct slice token = http_bearer(authorization);
        return token.len != 0 ? find_by_secret(doors, token) : NULL;
    }
    return peer != NULL ? find_by_certificate(doors, peer) : NULL;
}

bool door_allows_path(const struct door *door, struct slice path)
{
    for (size_t i = 0; door->sender != NULL && i < door->sender->paths.count; i++) {
        struct slice own = door->sender->paths.at[i];
        if (own.len != 0 && own.at[own.len - 1] == '/') {
            own.len--;
        }
        if (slice_starts_with(path, own) && (path.len == own.len || path.at[own.len] == '/')) {
            return true;
        }
    }
    return false;
}
