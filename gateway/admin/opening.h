/* The store of a configuration, with its keys: for the daemon and for verbs that find none running.
 */
#ifndef GATEWAY_ADMIN_OPENING_H
#define GATEWAY_ADMIN_OPENING_H

#include "gateway/config/config.h"
#include "gateway/store/store.h"

/* The keys of seal.key-file or seal.credential; *keys_out is NULL when neither is set. As
 * keyring_load; STATUS_IO also when there is no such credential. Caller destroys. */
enum status opening_keys(const struct config *config, struct diag_list *diags,
                         struct keyring **keys_out);

/* As store_open. *keys_out outlives the store; caller closes and destroys. */
enum status opening_store(const struct config *config, const struct clock *clock,
                          const struct random *random, struct diag_list *diags,
                          struct keyring **keys_out, struct store **store_out);

#endif
