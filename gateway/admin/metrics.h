/*
 * What the gateway measures, as the text that Prometheus reads (exposition format 0.0.4): counts
 * and times of the store and of each EHR, from metrics.def. Nothing in it tells of a patient.
 * Tests: tests/scenario/suite_admin.mjs.
 */
#ifndef GATEWAY_ADMIN_METRICS_H
#define GATEWAY_ADMIN_METRICS_H

#include "gateway/admin/desk.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* STATUS_IO: the store could not be read. The text lives in the arena. Any thread. */
enum status metrics_write(const struct desk *desk, struct arena *arena, struct slice *text_out);

#endif
