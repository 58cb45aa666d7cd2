/*
 * Failpoints: `if (FAILPOINT(STORE_BEFORE_COMMIT)) { return STATUS_IO; }`. In a release the
 * condition is the constant false and nothing of it remains. In a test build a plan says what
 * happens, as EPLAN_FAILPOINTS or failpoint_plan() give it:
 *
 *   plan   = rule *( ";" rule )
 *   rule   = NAME "=" action [ "@" N [ "+" ] ]
 *   action = "kill" | "fail" | "delay:" MILLISECONDS
 *
 * @N: the N-th passing only, counted from 1; @N+: from the N-th on; without: each. Kill is SIGKILL
 * to the process itself. A point holds one rule. The table of a test build is the one process-wide
 * state besides the arena of fhir/json: a failpoint must be reachable from anywhere. Any thread.
 * Tests: tests/unit/gateway/base/test_failpoint.c.
 */
#ifndef GATEWAY_BASE_FAILPOINT_H
#define GATEWAY_BASE_FAILPOINT_H

#include <stdbool.h>

#ifdef EPLAN_SEAMS
#include <stdint.h>

#include "fhir/base/slice.h"

enum failpoint {
#define FAILPOINT_ROW(id, name, meaning) FAILPOINT_##id,
#include "gateway/base/failpoints.def"
#undef FAILPOINT_ROW
    FAILPOINT_COUNT
};

/* Counts the passing and does what the plan says. True: the caller is to fail. */
bool failpoint_pass(enum failpoint point);

/* Replaces the whole plan, counters start anew; an empty plan removes all. False: not a plan, and
 * the old one stands. */
bool failpoint_plan(struct slice plan);

/* The plan of the environment variable EPLAN_FAILPOINTS, if it is set. False: it is not a plan.
 * EPLAN_FAILPOINT_COUNTS names a file to which the passings are written at a clean end. */
bool failpoint_plan_from_environment(void);

/* Passings since the plan was set. */
uint64_t failpoint_passed(enum failpoint point);

#define FAILPOINT(id) failpoint_pass(FAILPOINT_##id)
#else
#define FAILPOINT(id) ((bool)0)
#endif

#endif
