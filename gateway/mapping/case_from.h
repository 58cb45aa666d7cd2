/*
 * A case out of a real record, by allow-list: what is written are names of the mapping's own codes,
 * words of fixed lists, numbers, and dates counted from a visit that is put on one made-up day. Not
 * one byte of text, display, note, narrative, extension, attachment, id or address is copied. The
 * age at the visit is kept to the day. Pure. Tests: tests/mapping/suite_case_from.mjs plants a name
 * in each string of a record.
 */
#ifndef GATEWAY_MAPPING_CASE_FROM_H
#define GATEWAY_MAPPING_CASE_FROM_H

#include "gateway/mapping/case.h"

struct case_draft {
    struct slice yaml;           /* case.yaml whole; lives in the arena */
    size_t left_out;             /* resources that the mapping looks at and a case cannot say */
    bool same_outcome;           /* the case comes to what the record comes to */
    struct slice record_outcome; /* "proposal", for a message */
    struct slice case_outcome;
};

/*
 * STATUS_INVALID: the record cannot be made a case or the mapping
 * fails on it; diags may quote the record, and is for nobody but its owner.
 */
enum status case_from_child(const struct mapping *mapping, struct arena *arena,
                            const struct child *child, struct diag_list *diags,
                            struct case_draft *draft_out);

#endif
