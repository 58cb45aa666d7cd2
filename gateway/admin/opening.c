#include "gateway/admin/opening.h"

#include <stdio.h>
#include <stdlib.h>

enum { PATH_MOST = 4096 };

/* systemd puts credentials into a folder of the service's own and names it (systemd.exec(5)). */
static enum status credential_path(struct slice name, struct diag_list *diags,
                                   char path_out[PATH_MOST])
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    if (folder == NULL ||
        snprintf(path_out, PATH_MOST, "%s/%.*s", folder, SLICE_ARGS(name)) >= PATH_MOST) {
        struct diag *diag =
            diag_add(diags, DIAG_SEAL_KEY, SPAN_NONE,
                     "there is no credential \"%.*s\": CREDENTIALS_DIRECTORY is not "
                     "set",
                     SLICE_ARGS(name));
        diag_hint(diags, diag, "give it to the service: LoadCredential=%.*s:/path/of/the/keys",
                  SLICE_ARGS(name));
        return STATUS_IO;
    }
    return STATUS_OK;
}

enum status opening_keys(const struct config *config, struct diag_list *diags,
                         struct keyring **keys_out)
{
    const struct config_gateway *gateway = &config->gateway;
    char path[PATH_MOST];
    *keys_out = NULL;
    if (gateway->seal.key_file.len != 0) {
        return keyring_load(gateway->seal.key_file.at, diags, keys_out);
    }
    if (gateway->seal.credential.len == 0) {
        return STATUS_OK;
    }
    enum status status = credential_path(gateway->seal.credential, diags, path);
    return status == STATUS_OK ? keyring_load(path, diags, keys_out) : status;
}

enum status opening_store(const struct config *config, const struct clock *clock,
                          const struct random *random, struct diag_list *diags,
                          struct keyring **keys_out, struct store **store_out)
{
    const struct config_gateway *gateway = &config->gateway;
    struct keyring *keys = NULL;
    enum status status = opening_keys(config, diags, &keys);
    if (status != STATUS_OK) {
        return status;
    }
    struct store_options options = {.state_dir = gateway->state_dir,
                                    .store = gateway->store,
                                    .environment = gateway->environment,
                                    .queue_items = gateway->queue_items,
                                    .queue_bytes = gateway->queue_bytes,
                                    .clock = *clock,
                                    .random = *random,
                                    .keys = keys};
    status = store_open(&options, diags, store_out);
    if (status != STATUS_OK) {
        keyring_destroy(&keys);
        return status;
    }
    *keys_out = keys;
    return STATUS_OK;
}
