/*
 * A child's record as a Bundle, in place of an EHR: it answers the searches of a mapping, so that
 * one message or one export can be evaluated without a server. Pure. Answered are patient, subject,
 * encounter, code, category, status, clinical-status, type and date; a search that asks for
 * anything else fails, as it would in an EHR that refuses a filter, and the diagnostics say so.
 * Tests: tests/unit/gateway/mapping/test_record.c.
 */
#ifndef GATEWAY_MAPPING_RECORD_H
#define GATEWAY_MAPPING_RECORD_H

#include "gateway/mapping/case.h"

/*
 * `bundle`: a Bundle of any type with one Patient (or the Patient alone). `visit`: the id of an
 * Encounter or a calendar date (2024-05-14); empty: the latest Encounter, else the day of the
 * latest measurement. STATUS_INVALID: no such child or visit; diags says why. Lives in the arena
 * and borrows the bundle.
 */
enum status record_child(const struct mapping *mapping, struct arena *arena,
                         const struct json *bundle, const struct source *source, struct slice visit,
                         struct diag_list *diags, struct child *child_out);

/* The visit alone, likewise, out of resources of one child (a JSON array). */
enum status record_visit(const struct mapping *mapping, struct arena *arena,
                         const struct json *resources, struct slice wanted, struct diag_list *diags,
                         struct visit *visit_out);

/* The language that the record names for the family: Patient.communication, the preferred one
 * first, as a BCP 47 tag; empty: none. Lives with the patient. */
struct slice record_language(const struct json *patient);

#endif
