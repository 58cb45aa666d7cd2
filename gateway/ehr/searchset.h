/*
 * One page of a search: its resources, the next page, and whether the server did what was asked.
 * Pure. FHIR R4 http.html 3.1.1.5 and search.html: entries of mode `include` are no matches, an
 * OperationOutcome among the entries may say that a filter was ignored, `next` is used byte for
 * byte. Tests: tests/unit/gateway/ehr/test_searchset.c.
 */
#ifndef GATEWAY_EHR_SEARCHSET_H
#define GATEWAY_EHR_SEARCHSET_H

#include <stdbool.h>

#include "fhir/base/arena.h"
#include "fhir/json/json.h"

struct searchset {
    const struct json **matches; /* resources; live with the page */
    size_t match_count;
    struct slice next;   /* URL of the next page; empty on the last */
    bool filter_ignored; /* the server says so, or its self link lacks a parameter that was asked
                            for */
};

/*
 * page: a Bundle of type searchset. `required`: names of parameters that the self link must repeat,
 * `count` of them (only looked at when there is a self link). `base_url` is the EHR's; a next link
 * of another origin is refused. STATUS_INVALID: this is no searchset, or its next link leads
 * elsewhere; *why_out is a static sentence.
 */
enum status searchset_read(struct arena *arena, const struct json *page, struct slice base_url,
                           const char *const *required, size_t count,
                           struct searchset *searchset_out, const char **why_out);

/* https://host:port of both are the same (default ports written or not). */
bool searchset_same_origin(struct slice a, struct slice b);

#endif
