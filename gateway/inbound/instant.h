/* FHIR's instant as a number. Pure. */
#ifndef GATEWAY_INBOUND_INSTANT_H
#define GATEWAY_INBOUND_INSTANT_H

#include "fhir/types/datetime.h"
#include "gateway/base/clock.h"

/* UTC microseconds; 0: the text is no instant. */
static inline int64_t instant_us(struct slice text)
{
    struct datetime at;
    if (datetime_parse(text, FORM_FHIR_INSTANT, &at, NULL) != STATUS_OK) {
        return 0;
    }
    int64_t days = clock_days(at.year, at.month, at.day);
    int64_t seconds = ((days * 24 + at.hour) * 60 + at.minute - at.offset) * 60 + at.second;
    return seconds * 1000000 + at.nanosecond / 1000;
}

#endif
