/*
 * Did a create land? What an EHR can be asked, best first: by our identifier; else all that the
 * patient has of that type, narrowed to the day it begins, among which our marker (the identifier
 * in the body) is sought; else nothing, and then only a person can know (field:
 * WRITEBACK 3.1, 3.4). Pure. Tests: tests/unit/gateway/writeback/test_look_up.c,
 * tests/faults/suite_unknown.mjs.
 */
#ifndef GATEWAY_WRITEBACK_LOOK_UP_H
#define GATEWAY_WRITEBACK_LOOK_UP_H

#include <stdbool.h>

#include "fhir/base/arena.h"
#include "fhir/json/json.h"
#include "gateway/ehr/ehr.h"
#include "gateway/work/change.h"

enum look_up_way { LOOK_UP_IDENTIFIER, LOOK_UP_PATIENT, LOOK_UP_NONE };

/* The first way. ability: NULL when nothing is known of the EHR: then both are tried. */
enum look_up_way look_up_first(const struct ability *ability);

/* The way behind one that the EHR refused, or did not do as asked. */
enum look_up_way look_up_next(enum look_up_way way, const struct ability *ability);

/* What is asked. wanted: the body to be created. Lives in the arena. */
struct ehr_request look_up_request(struct arena *arena, enum look_up_way way,
                                   const struct change *change, const struct json *wanted,
                                   const struct ability *ability);

struct look_up_found {
    size_t count;            /* how many carry our marker */
    const struct json *ours; /* the first of them; borrowed from the answer */
    bool doubtful; /* one has the content but no marker: the EHR does not keep it, and whether this
                      is ours cannot be known */
};

/*
 * What the answer says. False: the EHR did not answer this question (it refused the parameter,
 * ignored it, or answered something else): ask the next way. An answer that may come later
 * (EHR_AGAIN, EHR_UNAUTHORIZED) is none of ours and must not be given here.
 */
bool look_up_read(struct arena *arena, enum look_up_way way, const struct ehr_answer *answer,
                  const struct change *change, const struct json *wanted,
                  struct look_up_found *found_out);

#endif
