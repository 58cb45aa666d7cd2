#include "gateway/work/state.h"

#include "gateway/work/change.h"

struct state_row {
    const char *name;
    const char *phrase;
    bool end;
};

static const struct state_row work_rows[] = {
#define WORK(id, code, name, end, phrase) [code] = {name, phrase, end},
#include "gateway/work/states.def"
};

static const struct state_row row_rows[] = {
#define ROW(id, code, name, end, phrase) [code] = {name, phrase, end},
#include "gateway/work/states.def"
};

struct reason_row {
    const char *name;
    const char *sentence;
    const char *advice;
    bool none_needed;
};

static const struct reason_row reasons[REASON_COUNT] = {
#define REASON(id, code, name, none_needed, sentence, advice)                                      \
    [code] = {name, sentence, advice, none_needed},
#include "gateway/work/reasons.def"
};

enum {
    WORK_COUNT = sizeof work_rows / sizeof *work_rows,
    ROW_COUNT = sizeof row_rows / sizeof *row_rows
};

static const struct state_row unknown_state = {"?", "a state that this program does not know",
                                               false};
static const struct reason_row unknown_reason = {"?", "a reason that this program does not know",
                                                 "", false};

static const struct state_row *work_row(enum work_state state)
{
    bool known = (unsigned)state < WORK_COUNT && work_rows[state].name != NULL;
    return known ? &work_rows[state] : &unknown_state;
}

static const struct state_row *row_row(enum row_state state)
{
    bool known = (unsigned)state < ROW_COUNT && row_rows[state].name != NULL;
    return known ? &row_rows[state] : &unknown_state;
}

static const struct reason_row *reason_row(enum reason reason)
{
    bool known = (unsigned)reason < REASON_COUNT && reasons[reason].name != NULL;
    return known ? &reasons[reason] : &unknown_reason;
}

const char *work_state_name(enum work_state state)
{
    return work_row(state)->name;
}

const char *work_state_phrase(enum work_state state)
{
    return work_row(state)->phrase;
}

bool work_state_is_end(enum work_state state)
{
    return work_row(state)->end;
}

const char *row_state_name(enum row_state state)
{
    return row_row(state)->name;
}

const char *row_state_phrase(enum row_state state)
{
    return row_row(state)->phrase;
}

bool row_state_is_end(enum row_state state)
{
    return row_row(state)->end;
}

const char *reason_name(enum reason reason)
{
    return reason_row(reason)->name;
}

const char *reason_sentence(enum reason reason)
{
    return reason_row(reason)->sentence;
}

const char *reason_advice(enum reason reason)
{
    return reason_row(reason)->advice;
}

bool reason_none_needed(enum reason reason)
{
    return reason_row(reason)->none_needed;
}

bool work_state_find(struct slice name, enum work_state *state_out)
{
    for (unsigned i = 0; i < WORK_COUNT; i++) {
        if (work_rows[i].name != NULL && slice_is(name, work_rows[i].name)) {
            *state_out = (enum work_state)i;
            return true;
        }
    }
    return false;
}

bool reason_find(struct slice name, enum reason *reason_out)
{
    for (unsigned i = 0; i < REASON_COUNT; i++) {
        if (slice_is(name, reasons[i].name)) {
            *reason_out = (enum reason)i;
            return true;
        }
    }
    return false;
}

const char *item_life_name(enum item_life life)
{
    static const char *const names[] = {"?",         "planned", "draft",  "accepted",
                                        "withdrawn", "revoked", "edited", "ended"};
    return names[(unsigned)life < sizeof names / sizeof *names ? life : 0];
}

const char *change_kind_name(enum change_kind kind)
{
    static const char *const names[] = {"?", "create", "update", "withdraw", "check", "accept"};
    return names[(unsigned)kind < sizeof names / sizeof *names ? kind : 0];
}
