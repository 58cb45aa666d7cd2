/* UCUM: the grammar, exact factors, conversion, products, and what is said of unknown units. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fhir/types/ucum.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static struct ucum_unit unit_of(const char *code)
{
    struct ucum_unit unit;
    if (ucum_parse(slice_of(code), &unit) != STATUS_OK) {
        fail_msg("%s is not known", code);
    }
    return unit;
}

static struct decimal make(const char *text)
{
    struct decimal a;
    assert_int_equal(decimal_parse(slice_of(text), &a), STATUS_OK);
    return a;
}

static const char *word_of(enum status status, struct decimal a)
{
    static char text[DECIMAL_TEXT];
    if (status != STATUS_OK) {
        return status == STATUS_LIMIT ? "limit" : "invalid";
    }
    decimal_print(a, text);
    return text;
}

/* Factors are those of UCUM 2.1; the survey foot and the mole show that ratios stay exact. */
static void test_convert(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *from;
        const char *to;
        const char *result;
    } cases[] = {
        {"4", "g", "mg", "4000"},
        {"4040", "mg", "g", "4.04"},
        {"1", "kg", "[lb_av]", "2.2046226218487758"},
        {"70.5", "[lb_av]", "kg", "31.978262085"},
        {"1", "[lb_av]", "g", "453.59237"},
        {"1", "[oz_av]", "g", "28.349523125"},
        {"1", "[stone_av]", "[lb_av]", "14"},
        {"1", "[in_i]", "cm", "2.54"},
        {"1", "[ft_i]", "cm", "30.48"},
        {"1", "[mi_i]", "m", "1609.344"},
        {"3937", "[in_us]", "m", "100"},
        {"1", "[in_us]", "cm", "2.54000508001016"},
        {"1", "wk", "d", "7"},
        {"1", "a", "d", "365.25"},
        {"1", "mo", "d", "30.4375"},
        {"1", "a", "mo", "12"},
        {"1.5", "h", "min", "90"},
        {"1", "L", "m3", "0.001"},
        {"250", "mL", "L", "0.25"},
        {"1", "l", "cm3", "1000"},
        {"1", "[gal_us]", "L", "3.785411784"},
        {"2", "[tbs_us]", "[foz_us]", "1"},
        {"1", "[cup_us]", "mL", "236.5882365"},
        {"3", "[tsp_us]", "[tbs_us]", "1"},
        {"1", "[Cal]", "kcal", "1"},
        {"1", "kcal", "J", "4184"},
        {"120", "mm[Hg]", "kPa", "15.99864"},
        {"1", "m[Hg]", "cm[H2O]", "1359.5060494664334916"},
        {"1", "%", "1", "0.01"},
        {"5", "mmol/L", "mol/m3", "5"},
        {"1", "mol", "10*23", "6.0221367"},
        {"1", "mmol/mg", "mol/g", "1"},
        {"1", "mg/dL", "g/L", "0.01"},
        {"60", "/min", "Hz", "1"},
        {"60", "{beats}/min", "/s", "1"},
        {"1", "U", "umol/min", "1"},
        {"60", "U/L", "ukat/L", "1"},
        {"1", "[IU]/mL", "k[iU]/L", "1"},
        {"23.5", "kg/m2", "g/cm2", "2.35"},
        {"1", "10*3/uL", "10*9/L", "1"},
        {"1", "kg.m/s2", "N", "1"},
        {"1", "kg/(s2.m)", "Pa", "1"},
        {"1", "J/(kg.K)", "m2/s2/K", "1"},
        {"2", "m3.s-1", "L/ms", "2"},
        {"7", "100.g", "kg", "0.7"},
        {"37", "Cel", "[degF]", "98.6"},
        {"98.6", "[degF]", "Cel", "37.0"},
        {"0", "K", "Cel", "-273.15"},
        {"-40", "[degF]", "Cel", "-40"},
        {"1", "dag", "g", "10"},
        {"1", "g", "[IU]", "invalid"},
        {"1", "cm", "s", "invalid"},
        {"1", "a", "1", "invalid"},
        {"1", "rad", "1", "invalid"},
        {"99999999999999999999999999999999999999", "kg", "g", "limit"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ucum_unit from = unit_of(cases[i].from);
        struct ucum_unit to = unit_of(cases[i].to);
        struct decimal result = make(cases[i].value);
        const char *got = word_of(ucum_convert(result, &from, &to, &result), result);
        if (strcmp(got, cases[i].result) != 0) {
            fail_msg("%s %s is %s %s, not %s", cases[i].value, cases[i].from, got, cases[i].to,
                     cases[i].result);
        }
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        enum status status;
    } cases[] = {
        {"", STATUS_INVALID},
        {"[s]", STATUS_INVALID},
        {"lbs", STATUS_INVALID},
        {"KG", STATUS_INVALID},
        {"kgs", STATUS_INVALID},
        {"month", STATUS_INVALID},
        {"k[lb_av]", STATUS_INVALID}, /* takes no prefix */
        {"kmin", STATUS_INVALID},
        {"k", STATUS_INVALID},
        {"m.", STATUS_INVALID},
        {"m//s", STATUS_INVALID},
        {".m", STATUS_INVALID},
        {"m s", STATUS_INVALID},
        {" m", STATUS_INVALID},
        {"m ", STATUS_INVALID},
        {"m-", STATUS_INVALID},
        {"m+", STATUS_INVALID},
        {"(m", STATUS_INVALID},
        {"m)", STATUS_INVALID},
        {"()", STATUS_INVALID},
        {"(m.s)2", STATUS_INVALID},
        {"m{x", STATUS_INVALID},
        {"m{{x}}", STATUS_INVALID},
        {"m}", STATUS_INVALID},
        {"0", STATUS_INVALID},
        {"1/0", STATUS_INVALID},
        {"m\xc2\xb2", STATUS_INVALID},
        {"\xc2\xb5g", STATUS_INVALID},
        {"2.Cel", STATUS_INVALID},
        {"Cel2", STATUS_INVALID},
        {"Cel/m", STATUS_INVALID},
        {"mCel", STATUS_INVALID},
        {"/Cel", STATUS_INVALID},
        {"((((((((m))))))))", STATUS_OK},
        {"(((((((((m)))))))))", STATUS_LIMIT},
        {"m.m.m.m.m.m.m.m.m.m.m.m.m.m.m.m", STATUS_OK},
        {"m.m.m.m.m.m.m.m.m.m.m.m.m.m.m.m.m", STATUS_LIMIT},
        {"m100", STATUS_LIMIT},
        {"m99999999999999999999", STATUS_LIMIT},
        {"mol20", STATUS_LIMIT},
        {"W20.W20.W20", STATUS_LIMIT},
        {"999999999.999999999.999999999", STATUS_LIMIT},
        {"m{"
         "1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
         "9012345678901234567890123456789}",
         STATUS_LIMIT},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ucum_unit unit;
        enum status status = ucum_parse(slice_of(cases[i].code), &unit);
        if (status != cases[i].status) {
            fail_msg("%s: status %d", cases[i].code, (int)status);
        }
    }
}

static void test_compare(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        const char *ua;
        const char *b;
        const char *ub;
        int order;
    } cases[] = {
        {"4.0000", "g", "4000.0", "mg", 0},
        {"4", "g", "4040", "mg", -1},
        {"1", "[in_us]", "1", "[in_i]", 1},
        {"-1", "kg", "1", "mg", -1},
        {"0", "kg", "0.00", "mg", 0},
        {"-1", "kg", "-1", "g", -1},
        {"1", "Ym", "1", "ym", 1},
        {"99999999999999999999999999999999999999", "Ym", "99999999999999999999999999999999999999",
         "ym", 1},
        {"0.00000000000000000000000000000000000001", "ym", "1", "Ym", -1},
        {"37", "Cel", "98.6", "[degF]", 0},
        {"0", "Cel", "0", "K", 1},
        {"-273.15", "Cel", "0", "K", 0},
        {"30", "Cel", "85", "[degF]", 1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ucum_unit ua = unit_of(cases[i].ua);
        struct ucum_unit ub = unit_of(cases[i].ub);
        assert_int_equal(ucum_compare(make(cases[i].a), &ua, make(cases[i].b), &ub),
                         cases[i].order);
        assert_int_equal(ucum_compare(make(cases[i].b), &ub, make(cases[i].a), &ua),
                         -cases[i].order);
    }
}

static void test_combine(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        const char *b;
        bool divide;
        const char *code;
        const char *factor; /* times 2 */
    } cases[] = {
        {"cm", "m", false, "cm2", "200"},
        {"g", "m", true, "g/m", "2"},
        {"m", "m", true, "1", "2"},
        {"m", "cm", true, "1", "200"},
        {"kg", "m2", true, "kg/m2", "2"},
        {"kg/m2", "m2", false, "kg", "2"},
        {"kg/m2", "cm2", false, "kg", "0.0002"},
        {"1", "s", true, "/s", "2"},
        {"m/s", "s", true, "m/s2", "2"},
        {"J/(kg.K)", "K", false, "J/kg", "2"},
        {"{tbl}", "d", true, "/d", "2"},
        {"10*3/uL", "uL", false, "10*3", "2"},
        {"mmol/L", "mg", true, "mmol/L/mg", "2"},
        {"2.m", "m", false, "m2", "4"},
        {"Cel", "m", false, NULL, "invalid"},
        {"m", "[degF]", true, NULL, "invalid"},
        {"m", "x", true, NULL, "invalid"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char code[UCUM_TEXT] = "none";
        struct ucum_factor factor = {1, 1, 0};
        enum status status = ucum_combine(slice_of(cases[i].a), slice_of(cases[i].b),
                                          cases[i].divide, code, &factor);
        assert_string_equal(code, cases[i].code != NULL ? cases[i].code : "none");
        struct decimal two = make("2");
        if (status == STATUS_OK) {
            status = ucum_scale(two, factor, &two);
        }
        assert_string_equal(word_of(status, two), cases[i].factor);
    }
}

static void test_diagnose(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        const char *sentence;
        const char *hint;
    } cases[] = {
        {"lbs", "\"lbs\" is no UCUM unit that is known here", "did you mean \"[lb_av]\"?"},
        {"inches", "\"inches\" is no UCUM unit that is known here", "did you mean \"[in_i]\"?"},
        {"KG", "\"KG\" is no UCUM unit that is known here", "did you mean \"kg\"?"},
        {"mcg/L", "\"mcg\" in the unit \"mcg/L\" is no UCUM unit that is known here",
         "did you mean \"ug\"?"},
        {"[lb_sv]", "\"[lb_sv]\" is no UCUM unit that is known here", "did you mean \"[lb_av]\"?"},
        {"kg/m^2", "\"m^\" in the unit \"kg/m^2\" is no UCUM unit that is known here",
         "did you mean \"kg/m2\"?"},
        {"zzzzzzz", "\"zzzzzzz\" is no UCUM unit that is known here", ""},
        {"Cel/m", "the unit \"Cel/m\" cannot be used here",
         "Cel and [degF] cannot be multiplied or divided; use K"},
        {"m100", "the unit \"m100\" is too long or too large", ""},
        {"", "\"\" is no UCUM unit that is known here", ""},
    };
    struct arena *arena = arena_create(0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct diag_list diags;
        diag_init(&diags, arena, 10);
        ucum_diagnose(&diags, SPAN_NONE, slice_of(cases[i].code));
        assert_int_equal(diags.count, 1);
        assert_int_equal(diags.first->code, DIAG_UNIT_UNKNOWN);
        assert_string_equal(arena_cstr(arena, diags.first->sentence), cases[i].sentence);
        assert_string_equal(arena_cstr(arena, diags.first->hint), cases[i].hint);
    }
    arena_destroy(&arena);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005U + 1442695040888963407U;
    return *seed >> 17;
}

/* There and back is the same, exactly where the way is exact, else within its rounding. */
static void test_round_trips(void **state)
{
    (void)state;
    static const char *const groups[][8] = {
        {"kg", "g", "mg", "[lb_av]", "[oz_av]", "[stone_av]", "t", "[gr]"},
        {"m", "cm", "mm", "[in_i]", "[ft_i]", "[in_us]", "[ft_us]", "[mi_i]"},
        {"s", "min", "h", "d", "wk", "mo", "a", "ms"},
        {"J", "kcal", "[Cal]", "cal_IT", "kJ", "cal", "cal_m", "erg"},
        {"Cel", "K", "[degF]", "[degR]", "mK", "kK", "uK", "K"},
    };
    uint64_t seed = 3;
    for (int round = 0; round < 20000; round++) {
        const char *const *group = groups[next_random(&seed) % COUNT(groups)];
        struct ucum_unit from = unit_of(group[next_random(&seed) % 8]);
        struct ucum_unit to = unit_of(group[next_random(&seed) % 8]);
        struct decimal value =
            decimal_make((int64_t)(next_random(&seed) % 1000000000), (int)(next_random(&seed) % 6));
        struct decimal there;
        struct decimal back;
        assert_int_equal(ucum_convert(value, &from, &to, &there), STATUS_OK);
        assert_int_equal(ucum_convert(there, &to, &from, &back), STATUS_OK);
        if (ucum_compare(value, &from, there, &to) == 0) {
            assert_true(decimal_equal(back, value));
        }
        struct decimal off;
        assert_int_equal(decimal_subtract(back, value, &off), STATUS_OK);
        struct decimal bound = decimal_make(1, 5);
        assert_true(decimal_compare(decimal_abs(off), bound) < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convert),  cmocka_unit_test(test_refused),
        cmocka_unit_test(test_compare),  cmocka_unit_test(test_combine),
        cmocka_unit_test(test_diagnose), cmocka_unit_test(test_round_trips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
