/* The views of the desk. Private to gateway/admin. */
#ifndef GATEWAY_ADMIN_VIEWS_H
#define GATEWAY_ADMIN_VIEWS_H

#include "gateway/admin/desk.h"
#include "gateway/store/store_read.h"

/* One question on its way to its answer. */
struct asking {
    const struct desk *desk;
    struct arena *arena;
    const struct json *request;
    struct slice account;
    struct json *answer;
    struct slice error; /* set by a verb that ends otherwise than STATUS_OK */
};

/* ---- recall.c ---- */

enum status ask_recall(struct asking *asking);
/* Is an EHR of that name configured? */
bool view_knows_ehr(const struct desk *desk, struct slice name);
/* The EHR that was named, else the only one there is. STATUS_INVALID: there are several. The name
 * lives in the arena. */
enum status view_which_ehr(const struct desk *desk, struct arena *arena, struct slice named,
                           struct slice *ehr_out);

/* ---- levers.c ---- */

enum status ask_queue(struct asking *asking);
enum status ask_evaluated(struct asking *asking);
enum status ask_lever(struct asking *asking);
enum status ask_note_backup(struct asking *asking);
enum status ask_note_restore(struct asking *asking);
enum status ask_rotate(struct asking *asking);
enum status ask_rebase(struct asking *asking);

/* ---- decide.c ---- */

enum status ask_accept(struct asking *asking);
enum status ask_decline(struct asking *asking);

/* ---- views ---- */

enum status view_status(const struct desk *desk, struct arena *arena, const struct json *request,
                        struct json *answer);
/* STATUS_ABSENT: neither message nor patient. STATUS_INVALID: the patient's EHR must be named. */
enum status view_show(const struct desk *desk, struct arena *arena, const struct json *request,
                      struct json *answer);

/* ---- building ---- */

void view_text(struct arena *arena, struct json *object, const char *name, struct slice text);
void view_number(struct arena *arena, struct json *object, const char *name, int64_t number);
void view_bool(struct arena *arena, struct json *object, const char *name, bool value);
void view_id(struct arena *arena, struct json *object, const char *name, struct uuid id);
/* RFC 3339; left out when it is 0. */
void view_time(struct arena *arena, struct json *object, const char *name, int64_t utc_us);
/* Name, and what it means and what to do. */
void view_reason(struct arena *arena, struct json *object, enum reason reason);

#endif
