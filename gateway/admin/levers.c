/* The queue, and what people do with it: filters, pages, the counts of what was done. */
#include "gateway/admin/views.h"

enum { PAGE = 200, PAGES_MOST = 10, SHOWN_MOST = PAGE * PAGES_MOST, SECOND = 1000000 };

#define STATE(state) (1U << (state))

enum {
    OPEN_STATES = STATE(WORK_RECEIVED) | STATE(WORK_RESOLVED) | STATE(WORK_PLANNED),
    WAITING_STATES = OPEN_STATES | STATE(WORK_HELD) | STATE(WORK_HANDED_OVER),
    ENDED_STATES =
        STATE(WORK_DONE) | STATE(WORK_HANDED_OVER) | STATE(WORK_HELD) | STATE(WORK_DROPPED),
};

/* Which visits a filter without `state` means. */
static const unsigned usual_states[LEVER_COUNT] = {
    [LEVER_HOLD] = OPEN_STATES,    [LEVER_RELEASE] = STATE(WORK_HELD),
    [LEVER_REPLAY] = ENDED_STATES, [LEVER_RESEND] = ENDED_STATES & ~STATE(WORK_DONE),
    [LEVER_DROP] = WAITING_STATES,
};

/* ---- filters ---- */

static enum status refuse(struct asking *asking, const char *sentence, struct slice what)
{
    asking->error = arena_printf(asking->arena, "%s \"%.*s\"", sentence, SLICE_ARGS(what));
    return STATUS_INVALID;
}

static uint64_t number_of(const struct asking *asking, const char *name)
{
    uint64_t number = 0;
    slice_to_u64(json_text(json_get(asking->request, name)), &number);
    return number;
}

/* "held,planned"; all: every state. */
static enum status read_states(struct asking *asking, unsigned *states)
{
    struct slice rest = json_get_text(asking->request, "state");
    struct slice word;
    *states = rest.len != 0 && !slice_is(rest, "all") ? 0 : *states;
    if (slice_is(rest, "all")) {
        *states = 0;
        return STATUS_OK;
    }
    while (rest.len != 0) {
        enum work_state state;
        slice_cut(&rest, ',', &word);
        if (!work_state_find(word, &state)) {
            return refuse(asking, "there is no state", word);
        }
        *states |= STATE(state);
    }
    return STATUS_OK;
}

static enum status read_times(struct asking *asking, struct work_filter *filter)
{
    int64_t now = clock_utc(asking->desk->clock);
    int64_t as_of = (int64_t)number_of(asking, "as-of");
    uint64_t older = number_of(asking, "older");
    uint64_t newer = number_of(asking, "newer");
    if (older > INT32_MAX || newer > INT32_MAX) {
        return refuse(asking, "is no age:", SLICE("older or newer"));
    }
    now = as_of != 0 ? as_of : now;
    filter->since = newer != 0 ? now - (int64_t)newer * SECOND : 0;
    /* What a lever itself adds is not met again. */
    filter->until = now - (int64_t)older * SECOND;
    view_number(asking->arena, asking->answer, "as-of", now);
    return STATUS_OK;
}

static enum status read_filter(struct asking *asking, unsigned states, struct work_filter *out)
{
    const struct json *request = asking->request;
    struct slice patient = json_get_text(request, "patient");
    struct slice version = json_get_text(request, "mapping");
    struct slice because = json_get_text(request, "because");
    struct work_filter filter = {.ehr = json_get_text(request, "ehr"),
                                 .states = states,
                                 .answered = json_is(json_get(request, "all"), JSON_TRUE)};
    if (slice_starts_with(patient, SLICE("Patient/"))) {
        patient = slice_part(patient, 8, SIZE_MAX);
    }
    filter.patient = patient;
    slice_cut(&version, '@', &filter.mapping);
    filter.mapping_version = version;
    if (filter.ehr.len != 0 && !view_knows_ehr(asking->desk, filter.ehr)) {
        refuse(asking, "there is no EHR", filter.ehr);
        return STATUS_ABSENT;
    }
    if (because.len != 0 && !reason_find(because, &filter.reason)) {
        return refuse(asking, "there is no reason", because);
    }
    enum status status = read_states(asking, &filter.states);
    if (status == STATUS_OK) {
        status = read_times(asking, &filter);
    }
    if (status == STATUS_OK) {
        *out = filter;
    }
    return status;
}

static enum status read_from(struct asking *asking, struct uuid *from_out)
{
    struct slice from = json_get_text(asking->request, "from");
    *from_out = UUID_NONE;
    return from.len == 0 || uuid_read(from, from_out)
               ? STATUS_OK
               : refuse(asking, "a page begins with an id, not with", from);
}

/* At most as many as were asked for, and as one answer holds. */
static size_t limit_of(const struct asking *asking, size_t preset)
{
    uint64_t limit = number_of(asking, "limit");
    limit = limit != 0 ? limit : preset;
    return limit < SHOWN_MOST ? (size_t)limit : SHOWN_MOST;
}

/* ---- the queue ---- */

static struct json *entry_json(struct arena *arena, const struct work_entry *work)
{
    struct json *entry = json_new_object(arena);
    view_id(arena, entry, work->is_message ? "message" : "evaluation", work->id);
    view_text(arena, entry, "ehr", work->ehr);
    view_text(arena, entry, "patient", work->patient);
    view_text(arena, entry, "visit", work->visit);
    view_text(arena, entry, "state", slice_of(work_state_name(work->state)));
    view_reason(arena, entry, work->reason);
    view_text(arena, entry, "detail", work->detail);
    view_time(arena, entry, "since", work->first);
    view_time(arena, entry, "due", work->due);
    view_time(arena, entry, "ended", work->ended);
    view_text(arena, entry, "mapping", work->mapping);
    view_text(arena, entry, "mapping-version", work->mapping_version);
    view_bool(arena, entry, "under-way", work->claimed);
    return entry;
}

static enum status add_holds(struct asking *asking, struct slice ehr)
{
    struct arena *arena = asking->arena;
    struct standing_holds holds;
    struct json *list = json_new_array(arena);
    enum status status = store_list_holds(asking->desk->store, arena, &holds);
    for (size_t i = 0; status == STATUS_OK && i < holds.count; i++) {
        const struct standing_hold *hold = &holds.at[i];
        if (ehr.len == 0 || slice_equal(ehr, hold->ehr)) {
            struct json *entry = json_new_object(arena);
            view_text(arena, entry, "ehr", hold->ehr);
            view_text(arena, entry, "patient", hold->patient);
            view_text(arena, entry, "by", hold->by);
            view_text(arena, entry, "why", hold->why);
            view_time(arena, entry, "since", hold->since);
            json_append(list, entry);
        }
    }
    json_add(arena, asking->answer, SLICE("standing-holds"), list);
    return status;
}

enum status ask_queue(struct asking *asking)
{
    struct work_filter filter;
    struct uuid from;
    struct json *list = json_new_array(asking->arena);
    size_t left = limit_of(asking, PAGE / 2);
    enum status status = read_filter(asking, WAITING_STATES, &filter);
    if (status == STATUS_OK) {
        status = read_from(asking, &from);
    }
    if (status == STATUS_OK) {
        status = add_holds(asking, filter.ehr);
    }
    while (status == STATUS_OK && left != 0) {
        struct work_entries page;
        status = store_list_work(asking->desk->store, asking->arena, &filter, from,
                                 left < PAGE ? left : PAGE, &page);
        if (status != STATUS_OK) {
            break;
        }
        for (size_t i = 0; i < page.count; i++) {
            json_append(list, entry_json(asking->arena, &page.at[i]));
        }
        left -= page.count;
        from = page.next;
        left = uuid_is_none(from) ? 0 : left;
    }
    json_add(asking->arena, asking->answer, SLICE("queue"), list);
    if (status == STATUS_OK) {
        view_id(asking->arena, asking->answer, "next", from);
    }
    return status;
}

/* ---- children as they were evaluated last ---- */

enum { CHILDREN_MOST = 200, CHILDREN_BYTES = 8 * 1024 * 1024 };

/* Facts and trace go out as they are stored: as texts, which whoever asks reads. */
static struct json *evaluated_json(struct arena *arena, const struct evaluated *one)
{
    struct json *entry = json_new_object(arena);
    const struct evaluation *evaluation = &one->evaluation;
    view_id(arena, entry, "evaluation", evaluation->id);
    view_text(arena, entry, "ehr", evaluation->ehr);
    view_text(arena, entry, "patient", evaluation->patient);
    view_text(arena, entry, "visit", evaluation->visit);
    view_text(arena, entry, "state", slice_of(work_state_name(evaluation->state)));
    view_text(arena, entry, "reason", slice_of(reason_name(evaluation->reason)));
    view_number(arena, entry, "at", evaluation->at);
    view_bool(arena, entry, "damaged", one->damaged);
    view_text(arena, entry, "facts", one->facts);
    view_text(arena, entry, "trace", one->trace);
    return entry;
}

static enum status list_evaluated(struct asking *asking, struct evaluated_page *page)
{
    struct work_filter filter;
    struct uuid from;
    size_t most = limit_of(asking, CHILDREN_MOST);
    enum status status = read_filter(asking, 0, &filter);
    filter.answered = true; /* what answered it may know no facts of its own */
    if (status == STATUS_OK) {
        status = read_from(asking, &from);
    }
    return status != STATUS_OK
               ? status
               : store_list_evaluated(asking->desk->store, asking->arena, &filter, from,
                                      most < CHILDREN_MOST ? most : CHILDREN_MOST, CHILDREN_BYTES,
                                      page);
}

static enum status find_evaluated(struct asking *asking, struct slice what,
                                  struct evaluated_page *page)
{
    struct uuid id;
    if (!uuid_read(what, &id)) {
        return refuse(asking, "this is no id of a message or visit:", what);
    }
    enum status status = store_evaluated_of(asking->desk->store, asking->arena, id, page);
    return status == STATUS_ABSENT ? refuse(asking, "the store has no message or visit", what)
                                   : status;
}

enum status ask_evaluated(struct asking *asking)
{
    struct evaluated_page page = {NULL, 0, UUID_NONE};
    struct json *list = json_new_array(asking->arena);
    struct slice what = json_get_text(asking->request, "what");
    enum status status =
        what.len != 0 ? find_evaluated(asking, what, &page) : list_evaluated(asking, &page);
    for (size_t i = 0; i < page.count; i++) {
        json_append(list, evaluated_json(asking->arena, &page.at[i]));
    }
    json_add(asking->arena, asking->answer, SLICE("children"), list);
    if (status == STATUS_OK) {
        view_id(asking->arena, asking->answer, "next", page.next);
    }
    return status;
}

/* ---- levers ---- */

static const char *const ends[] = {
    [LEVER_DONE] = "done",       [LEVER_ALREADY] = "already",       [LEVER_BUSY] = "busy",
    [LEVER_REFUSED] = "refused", [LEVER_READ_AGAIN] = "read-again",
};
enum { END_COUNT = sizeof ends / sizeof *ends };

struct tally {
    struct asking *asking;
    struct json *list;
    size_t counts[END_COUNT];
};

static void add_result(struct tally *tally, const struct lever_result *result)
{
    struct arena *arena = tally->asking->arena;
    struct json *entry = json_new_object(arena);
    view_id(arena, entry, result->is_message ? "message" : "evaluation", result->id);
    view_text(arena, entry, "ehr", result->ehr);
    view_text(arena, entry, "patient", result->patient);
    view_text(arena, entry, "visit", result->visit);
    view_text(arena, entry, "end", slice_of(ends[result->end]));
    view_text(arena, entry, "why", slice_of(result->why != NULL ? result->why : ""));
    view_id(arena, entry, "answered-by", result->answer);
    json_append(tally->list, entry);
    tally->counts[result->end]++;
}

/* A message without a visit is read again by the daemon, with the mapping of today. */
static void read_again(struct tally *tally, struct lever_result *result, bool dry)
{
    const struct desk *desk = tally->asking->desk;
    if (result->end != LEVER_READ_AGAIN) {
        return;
    }
    if (desk->read_again == NULL) {
        result->end = LEVER_REFUSED;
        result->why = "no visit is known of it, and only a running gateway can read it again";
    } else if (dry) {
        result->end = LEVER_DONE;
    } else {
        enum status status =
            desk->read_again(desk->arg, tally->asking->arena, result->id, tally->asking->account);
        result->end = status == STATUS_OK ? LEVER_DONE : LEVER_REFUSED;
        result->why = status == STATUS_OK ? NULL : "it still tells of no visit";
    }
}

static enum status pull_all(struct asking *asking, struct store_lever *tx, struct tally *tally)
{
    size_t left = limit_of(asking, SHOWN_MOST);
    enum status status = STATUS_OK;
    bool more = true;
    while (status == STATUS_OK && more && left != 0) {
        tx->in.most = left < PAGE ? left : PAGE;
        status = store_run(asking->desk->store, &tx->tx);
        for (size_t i = 0; status == STATUS_OK && i < tx->out.count; i++) {
            struct lever_result result = tx->out.at[i];
            read_again(tally, &result, tx->in.dry);
            add_result(tally, &result);
        }
        if (status == STATUS_OK) {
            left -= tx->out.count < left ? tx->out.count : left;
            tx->in.from = tx->out.next;
            more = !uuid_is_none(tx->out.next);
        }
    }
    if (status == STATUS_OK && more) {
        view_id(asking->arena, asking->answer, "next", tx->in.from);
    }
    return status;
}

static void answer_tally(struct asking *asking, const struct tally *tally)
{
    for (size_t i = 0; i < END_COUNT; i++) {
        if (i != LEVER_READ_AGAIN) {
            view_number(asking->arena, asking->answer, ends[i], (int64_t)tally->counts[i]);
        }
    }
    json_add(asking->arena, asking->answer, SLICE("visits"), tally->list);
    if (tally->counts[LEVER_DONE] != 0 && asking->desk->switched != NULL) {
        asking->desk->switched(asking->desk->arg);
    }
}

static enum status pull_visits(struct asking *asking, enum lever lever)
{
    struct slice what = json_get_text(asking->request, "what");
    struct tally tally = {.asking = asking, .list = json_new_array(asking->arena)};
    struct store_lever tx = STORE_TX(LEVER);
    tx.tx.arena = asking->arena;
    tx.in.lever = lever;
    tx.in.by = asking->account;
    tx.in.why = json_get_text(asking->request, "why");
    tx.in.dry = json_is(json_get(asking->request, "dry"), JSON_TRUE);
    if (what.len != 0 && !uuid_read(what, &tx.in.id)) {
        return refuse(asking, "is no id of a message, a visit's evaluation or a write:", what);
    }
    enum status status = read_filter(asking, usual_states[lever], &tx.in.filter);
    if (status == STATUS_OK) {
        status = read_from(asking, &tx.in.from);
    }
    if (status == STATUS_OK) {
        status = pull_all(asking, &tx, &tally);
    }
    if (status == STATUS_OK) {
        answer_tally(asking, &tally);
    } else if (status == STATUS_ABSENT && asking->error.len == 0) {
        asking->error = SLICE("there is no message, evaluation or write of that id");
    }
    return status;
}

/* ---- standing holds ---- */

static bool given(const struct asking *asking, const char *name)
{
    return json_get(asking->request, name) != NULL;
}

static enum status set_standing(struct asking *asking, bool on)
{
    struct store_set_hold tx = STORE_TX(SET_HOLD);
    struct work_filter filter;
    enum status status = read_filter(asking, 0, &filter);
    if (status == STATUS_OK &&
        view_which_ehr(asking->desk, asking->arena, filter.ehr, &tx.in.ehr) != STATUS_OK) {
        asking->error = SLICE("there are several EHRs: say which with --ehr NAME");
        status = STATUS_INVALID;
    }
    tx.in.patient = filter.patient;
    tx.in.on = on;
    tx.in.by = asking->account;
    tx.in.why = json_get_text(asking->request, "why");
    bool dry = json_is(json_get(asking->request, "dry"), JSON_TRUE);
    if (status == STATUS_OK && !dry) {
        status = store_run(asking->desk->store, &tx.tx);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (tx.out.changed && asking->desk->switched != NULL) {
        asking->desk->switched(asking->desk->arg);
    }
    view_text(asking->arena, asking->answer, "ehr", tx.in.ehr);
    view_text(asking->arena, asking->answer, "patient", tx.in.patient);
    view_bool(asking->arena, asking->answer, "standing", on);
    view_bool(asking->arena, asking->answer, "changed", tx.out.changed);
    return STATUS_OK;
}

/* EHR and patient alone name what is to come as well: a hold that stands until it is lifted. */
enum status ask_lever(struct asking *asking)
{
    static const char *const of_visits[] = {"what",  "mapping", "state", "because",
                                            "older", "newer",   "all"};
    enum lever lever = LEVER_HOLD;
    bool visits = false;
    bool place = given(asking, "ehr") || given(asking, "patient");
    lever_find(json_get_text(asking->request, "verb"), &lever);
    for (size_t i = 0; i < sizeof of_visits / sizeof *of_visits; i++) {
        visits = visits || given(asking, of_visits[i]);
    }
    if (!visits && !place) {
        asking->error = SLICE("say what is meant: an id, or a filter (--ehr, --patient, --mapping, "
                              "--state, --because, --older, --newer)");
        return STATUS_INVALID;
    }
    if (lever == LEVER_DROP && json_get_text(asking->request, "why").len == 0) {
        asking->error = SLICE("say why with --reason TEXT");
        return STATUS_INVALID;
    }
    view_text(asking->arena, asking->answer, "did", slice_of(lever_did(lever)));
    view_text(asking->arena, asking->answer, "by", asking->account);
    return !visits && (lever == LEVER_HOLD || lever == LEVER_RELEASE)
               ? set_standing(asking, lever == LEVER_HOLD)
               : pull_visits(asking, lever);
}

static enum status note_act(struct asking *asking, struct slice what)
{
    struct store_note_act tx = STORE_TX(NOTE_ACT);
    tx.in.what = what;
    tx.in.by = asking->account;
    tx.in.why = json_get_text(asking->request, "what");
    return store_run(asking->desk->store, &tx.tx);
}

enum status ask_note_backup(struct asking *asking)
{
    return note_act(asking, SLICE("backup"));
}

enum status ask_note_restore(struct asking *asking)
{
    return note_act(asking, SLICE("restore"));
}

enum status ask_rebase(struct asking *asking)
{
    struct store_rebase tx = STORE_TX(REBASE);
    tx.in.ehr = json_get_text(asking->request, "ehr");
    tx.in.base_url = json_get_text(asking->request, "what");
    tx.in.by = asking->account;
    while (tx.in.base_url.len != 0 && tx.in.base_url.at[tx.in.base_url.len - 1] == '/') {
        tx.in.base_url.len--; /* as the configuration has it */
    }
    if (!slice_starts_with(tx.in.base_url, SLICE("https://")) &&
        !slice_starts_with(tx.in.base_url, SLICE("http://"))) {
        return refuse(asking, "is no base URL:", tx.in.base_url);
    }
    enum status status = store_run(asking->desk->store, &tx.tx);
    if (status == STATUS_ABSENT) {
        asking->error =
            arena_printf(asking->arena, "the store knows no EHR \"%.*s\"", SLICE_ARGS(tx.in.ehr));
    }
    view_number(asking->arena, asking->answer, "open", (int64_t)tx.out.open);
    return status;
}

/* A page of rotation: some thousand records, so that the writer is never kept long. */
enum status ask_rotate(struct asking *asking)
{
    enum { RESEALED_AT_ONCE = 200, BATCHES = 20 };
    struct store_reseal tx = STORE_TX(RESEAL);
    size_t resealed = 0;
    size_t damaged = 0;
    tx.in.table = (unsigned)number_of(asking, "table");
    tx.in.after = (int64_t)number_of(asking, "after");
    tx.in.most = RESEALED_AT_ONCE;
    tx.in.by = asking->account;
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && !tx.out.done && i < BATCHES; i++) {
        status = store_run(asking->desk->store, &tx.tx);
        if (status == STATUS_OK) {
            resealed += tx.out.resealed;
            damaged += tx.out.damaged;
            tx.in.table = tx.out.table;
            tx.in.after = tx.out.after;
        }
    }
    if (status == STATUS_REFUSED) {
        asking->error = SLICE("records are not sealed here: seal.key-file names no keys");
        return STATUS_INVALID;
    }
    view_number(asking->arena, asking->answer, "resealed", (int64_t)resealed);
    view_number(asking->arena, asking->answer, "damaged", (int64_t)damaged);
    view_number(asking->arena, asking->answer, "table", tx.in.table);
    view_number(asking->arena, asking->answer, "after", tx.in.after);
    view_bool(asking->arena, asking->answer, "done", tx.out.done);
    return status;
}
