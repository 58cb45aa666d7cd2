/* Each question goes to the backend. */
#include "gateway/store/store_read.h"

#include "gateway/store/private.h"

#define ASK(store, question, ...)                                                                  \
    (store_backend(store)->questions->question(store_db(store), __VA_ARGS__))

enum status store_read_message(struct store *store, struct arena *arena, struct uuid id,
                               struct message *message_out)
{
    return ASK(store, message, arena, id, message_out);
}

enum status store_read_evaluation(struct store *store, struct arena *arena, struct uuid id,
                                  struct evaluation *evaluation_out)
{
    return ASK(store, evaluation, arena, id, evaluation_out);
}

enum status store_find_item(struct store *store, struct arena *arena, struct uuid identifier,
                            struct item *item_out)
{
    return ASK(store, item, arena, identifier, item_out);
}

enum status store_find_item_by_key(struct store *store, struct arena *arena,
                                   const struct item_key *key, struct item *item_out)
{
    return ASK(store, item_by_key, arena, key, item_out);
}

enum status store_find_item_by_resource(struct store *store, struct arena *arena, struct slice ehr,
                                        struct slice resource_type, struct slice ehr_id,
                                        struct item *item_out)
{
    return ASK(store, item_by_resource, arena, ehr, resource_type, ehr_id, item_out);
}

enum status store_list_items(struct store *store, struct arena *arena, struct slice ehr,
                             struct slice patient, struct items *items_out)
{
    return ASK(store, items, arena, ehr, patient, items_out);
}

enum status store_list_written(struct store *store, struct arena *arena,
                               const struct written_by *by, struct patients *patients_out)
{
    return ASK(store, written, arena, by, patients_out);
}

enum status store_read_poll(struct store *store, struct arena *arena, struct slice ehr,
                            struct slice name, struct poll *poll_out)
{
    return ASK(store, poll, arena, ehr, name, poll_out);
}

enum status store_read_subscription(struct store *store, struct arena *arena, struct slice ehr,
                                    struct slice name, struct subscription *subscription_out)
{
    return ASK(store, subscription, arena, ehr, name, subscription_out);
}

enum status store_read_capability(struct store *store, struct arena *arena, struct slice ehr,
                                  struct capability *capability_out)
{
    return ASK(store, capability, arena, ehr, capability_out);
}

enum status store_find_merge(struct store *store, struct arena *arena, struct slice ehr,
                             struct slice patient, struct slice *into_out)
{
    return ASK(store, merge, arena, ehr, patient, into_out);
}

enum status store_find_declined(struct store *store, struct arena *arena, struct slice ehr,
                                struct slice patient, struct slice mapping, int64_t *until_out)
{
    return ASK(store, declined, arena, ehr, patient, mapping, until_out);
}

enum status store_read_switch(struct store *store, struct slice ehr, struct slice name,
                              bool *on_out)
{
    return ASK(store, lever, ehr, name, on_out);
}

enum status store_read_unreconciled(struct store *store, struct arena *arena, struct slice ehr,
                                    size_t most, struct unreconciled *unreconciled_out)
{
    return ASK(store, unreconciled, arena, ehr, most, unreconciled_out);
}

enum status store_read_next(struct store *store, struct slice ehr, struct store_next *next_out)
{
    return ASK(store, next, ehr, next_out);
}

enum status store_read_status(struct store *store, struct arena *arena,
                              struct store_status *status_out)
{
    return ASK(store, status, arena, status_out);
}

enum status store_list_open(struct store *store, struct arena *arena, struct slice ehr,
                            struct uuid from, size_t most, struct open_page *page_out)
{
    return ASK(store, open_list, arena, ehr, from, most, page_out);
}

enum status store_show_message(struct store *store, struct arena *arena, struct uuid id,
                               struct message_way *way_out)
{
    return ASK(store, message_way, arena, id, way_out);
}

enum status store_show_patient(struct store *store, struct arena *arena, struct slice ehr,
                               struct slice patient, size_t most, struct patient_way *way_out)
{
    return ASK(store, patient_way, arena, ehr, patient, most, way_out);
}

enum status store_list_work(struct store *store, struct arena *arena,
                            const struct work_filter *filter, struct uuid from, size_t most,
                            struct work_entries *entries_out)
{
    return ASK(store, work, arena, filter, from, most, entries_out);
}

enum status store_list_evaluated(struct store *store, struct arena *arena,
                                 const struct work_filter *filter, struct uuid from, size_t most,
                                 size_t bytes_most, struct evaluated_page *page_out)
{
    return ASK(store, evaluated, arena, filter, from, most, bytes_most, page_out);
}

enum status store_evaluated_of(struct store *store, struct arena *arena, struct uuid id,
                               struct evaluated_page *page_out)
{
    return ASK(store, evaluated_of, arena, id, page_out);
}

enum status store_list_holds(struct store *store, struct arena *arena,
                             struct standing_holds *holds_out)
{
    return ASK(store, holds, arena, holds_out);
}
