// uses: fhir/growth
#include "growth_test.h"

#include "fhir/growth/normal.h"

static const struct {
    double z;
    double below;
    double above;
} reference[] = {
#include "normal_reference.inc"
};

enum { COUNT = sizeof reference / sizeof *reference };

static double relative(double value, double exact)
{
    return fabs(value - exact) / fabs(exact);
}

static void test_distribution_against_60_digits(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        assert_true(relative(normal_below(reference[i].z), reference[i].below) < 1e-12);
        assert_true(relative(normal_above(reference[i].z), reference[i].above) < 1e-12);
    }
}

/* Where the share below is near 1 its rounding alone moves z: there the quantile is asked for by
 * the share above. */
static void test_quantile_against_60_digits(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        double z = reference[i].z;
        double got =
            z <= 0 ? normal_quantile(reference[i].below) : -normal_quantile(reference[i].above);
        assert_close(got, z, 1e-12 * fmax(1, fabs(z)));
    }
}

static void test_quantile_and_distribution_are_inverse(void **state)
{
    (void)state;
    for (double z = -37; z <= 0; z += 0.0137) {
        assert_close(normal_quantile(normal_below(z)), z, 1e-12 * fmax(1, fabs(z)));
        assert_close(-normal_quantile(normal_above(-z)), -z, 1e-12 * fmax(1, fabs(z)));
    }
}

static void test_ends(void **state)
{
    (void)state;
    assert_true(normal_quantile(0) == -INFINITY);
    assert_true(normal_quantile(1) == INFINITY);
    assert_true(isnan(normal_quantile(-0.1)));
    assert_true(isnan(normal_quantile(1.1)));
    assert_true(isnan(normal_quantile(NAN)));
    assert_true(normal_quantile(0.5) == 0);
    assert_true(normal_below(-INFINITY) == 0 && normal_above(-INFINITY) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distribution_against_60_digits),
        cmocka_unit_test(test_quantile_against_60_digits),
        cmocka_unit_test(test_quantile_and_distribution_are_inverse),
        cmocka_unit_test(test_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
