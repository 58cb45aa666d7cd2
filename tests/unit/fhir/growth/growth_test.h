/* Shared by the growth tests: cmocka with what it needs, closeness, and repeatable random numbers.
 */
#ifndef TESTS_GROWTH_TEST_H
#define TESTS_GROWTH_TEST_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "fhir/growth/growth.h"

#define assert_close(a, b, tolerance)                                                              \
    do {                                                                                           \
        double assert_a = (a);                                                                     \
        double assert_b = (b);                                                                     \
        if (!(fabs(assert_a - assert_b) <= (tolerance))) {                                         \
            fail_msg("%s is %.17g, not %.17g (within %g)", #a, assert_a, assert_b,                 \
                     (double)(tolerance));                                                         \
        }                                                                                          \
    } while (0)

static inline double test_uniform(uint64_t *state, double low, double high)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return low + (high - low) * (double)(*state >> 11) / 9007199254740992.0;
}

#endif
