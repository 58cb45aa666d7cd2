/* What store.c shows to store_read.c. Private to gateway/store. */
#ifndef GATEWAY_STORE_PRIVATE_H
#define GATEWAY_STORE_PRIVATE_H

#include "gateway/store/backend.h"

const struct store_backend *store_backend(const struct store *store);
void *store_db(const struct store *store);

#endif
