/*
 * Who approved which part of a mapping: approvals.yaml in its folder, written by `eplan approve`.
 * An approval names the hash of what was approved, so that it ends with the next change, and a date
 * by which the part is to be reviewed. Pure: the day is given. Tests:
 * tests/unit/gateway/mapping/test_approvals.c, tests/mapping/suite_approve.mjs.
 *
 * Parts: rules (mapping.yaml), concepts (concepts/), plans (plans/ and parts/), cases (cases/), and
 * texts.LANGUAGE (texts/ in that language). Who approves which: approvals.def.
 */
#ifndef GATEWAY_MAPPING_APPROVALS_H
#define GATEWAY_MAPPING_APPROVALS_H

#include "gateway/mapping/mapping.h"

enum approval_role { APPROVE_CLINICAL, APPROVE_INFORMATICS, APPROVE_TRANSLATOR, APPROVE_ROLES };

const char *approval_role_name(enum approval_role role); /* "clinical" */
/* False: there is no such role. */
bool approval_role_find(struct slice name, enum approval_role *role_out);

struct approval {
    struct slice part; /* "texts.es" */
    enum approval_role role;
    struct slice hash; /* "sha256:..." of the part when it was approved */
    struct slice by;
    struct slice on;        /* calendar dates, as written */
    struct slice review_by; /* the last day on which it holds */
    struct span span;
};

/* As the folder has them. Lives with the mapping. */
size_t mapping_approvals(const struct mapping *mapping, const struct approval **approvals_out);

/* The parts that the role must approve before release. Lives in the arena. */
size_t mapping_parts_to_approve(const struct mapping *mapping, struct arena *arena,
                                enum approval_role role, struct slice **parts_out);

/* "sha256:..." over paths and contents of the part's files; empty: there is no such part. */
struct slice mapping_part_hash(const struct mapping *mapping, struct slice part);

/* The name of part i, in the order of the folder's files; empty behind the last. */
struct slice mapping_part_at(const struct mapping *mapping, size_t i);

/* approvals.yaml of these. Lives in the arena. */
struct slice approvals_write(struct arena *arena, const struct approval *approvals, size_t count);

/* Diagnostics for each part that is not approved, was changed since, or whose review is due. */
void approvals_faults(const struct mapping *mapping, const struct datetime *today,
                      struct diag_list *diags);

#endif
