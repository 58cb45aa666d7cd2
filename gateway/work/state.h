/* States and reasons, their stored codes and their one spelling (states.def, reasons.def). */
#ifndef GATEWAY_WORK_STATE_H
#define GATEWAY_WORK_STATE_H

#include <stdbool.h>

#include "fhir/base/slice.h"

enum work_state {
#define WORK(id, code, name, end, phrase) id = (code),
#include "gateway/work/states.def"
};

enum row_state {
#define ROW(id, code, name, end, phrase) id = (code),
#include "gateway/work/states.def"
};

enum reason {
#define REASON(id, code, name, none_needed, sentence, advice) REASON_##id = (code),
#include "gateway/work/reasons.def"
    REASON_COUNT
};

/* All are static, never NULL ("?" for a code that is none), and never name a patient or a category.
 */
const char *work_state_name(enum work_state state);
const char *work_state_phrase(enum work_state state);
bool work_state_is_end(enum work_state state);
const char *row_state_name(enum row_state state);
const char *row_state_phrase(enum row_state state);
bool row_state_is_end(enum row_state state);
const char *reason_name(enum reason reason);
const char *reason_sentence(enum reason reason);
const char *reason_advice(enum reason reason); /* may be "" */
bool reason_none_needed(enum reason reason);   /* nothing had to be written: done, not dropped */

/* False, and nothing written, for a name that is none. */
bool work_state_find(struct slice name, enum work_state *state_out);
bool reason_find(struct slice name, enum reason *reason_out);

#endif
