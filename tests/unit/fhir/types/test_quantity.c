/* Quantities: text, order with unknown, equivalence, arithmetic with units, calendar durations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fhir/types/quantity.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static struct quantity make(const char *text)
{
    struct quantity a;
    if (quantity_parse(slice_of(text), &a) != STATUS_OK) {
        fail_msg("%s does not parse", text);
    }
    return a;
}

static const char *word_of(enum status status, struct quantity a)
{
    static char text[QUANTITY_TEXT];
    switch (status) {
    case STATUS_OK: {
        size_t len = quantity_print(&a, text);
        assert_int_equal(len, strlen(text));
        return text;
    }
    case STATUS_ABSENT:
        return "absent";
    case STATUS_LIMIT:
        return "limit";
    default:
        return "invalid";
    }
}

static void test_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *printed; /* NULL: refused */
    } cases[] = {
        {"1", "1 '1'"},
        {"1.0", "1.0 '1'"},
        {"1 day", "1 day"},
        {"4 days", "4 days"},
        {"1 'wk'", "1 'wk'"},
        {"1'wk'", "1 'wk'"},
        {"-5.5 'mg'", "-5.5 'mg'"},
        {"+2 years", "2 years"},
        {"1 'month'", "1 'month'"},
        {"1  \t'm'", "1 'm'"},
        {"1 wk", NULL},
        {"1.a", NULL},
        {"1 ''", NULL},
        {"1 'm", NULL},
        {"1 m'", NULL},
        {"1 'm' ", NULL},
        {"1days", NULL},
        {"", NULL},
        {"'m'", NULL},
        {"1 Days", NULL},
        {"1 ", NULL},
        {"1 'm''s'", NULL},
        {"1-2", NULL},
        {"1e3 'm'", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct quantity a;
        enum status status = quantity_parse(slice_of(cases[i].text), &a);
        if ((status == STATUS_OK) != (cases[i].printed != NULL)) {
            fail_msg("%s: status %d", cases[i].text, (int)status);
        }
        if (status == STATUS_OK) {
            assert_string_equal(word_of(status, a), cases[i].printed);
        }
    }
    char unit[400];
    memset(unit, 'x', sizeof unit);
    struct quantity a = {DECIMAL_ONE, slice_from(unit, sizeof unit), false};
    assert_int_equal(strlen(word_of(STATUS_OK, a)), QUANTITY_TEXT - 1);
}

static void test_from_fhir(void **state)
{
    (void)state;
    const struct slice ucum = SLICE("http://unitsofmeasure.org");
    static const struct {
        bool is_ucum;
        const char *code;
        const char *unit;
        const char *printed;
    } cases[] = {
        {true, "[lb_av]", "lbs", "185 '[lb_av]'"},
        {true, "a", "years", "185 year"},
        {true, "mo", "", "185 month"},
        {true, "wk", "", "185 'wk'"},
        {true, "min", "", "185 minute"},
        {false, "a", "", "185 'a'"},
        {true, "", "tablets", "185 'tablets'"},
        {false, "", "", "185 '1'"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct quantity a =
            quantity_of_fhir(decimal_make(185, 0), cases[i].is_ucum ? ucum : SLICE_NONE,
                             slice_of(cases[i].code), slice_of(cases[i].unit));
        assert_string_equal(word_of(STATUS_OK, a), cases[i].printed);
    }
}

/* ---- Order, equivalence ---- */

static void test_order(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        const char *b;
        enum order order;
        bool equivalent;
    } cases[] = {
        {"4.0000 'g'", "4000.0 'mg'", ORDER_EQUAL, true},
        {"4 'g'", "4040 'mg'", ORDER_LESS, true},
        {"4.0 'g'", "4040 'mg'", ORDER_LESS, true},
        {"4.1 'g'", "4040 'mg'", ORDER_GREATER, false},
        {"185 '[lb_av]'", "185 'kg'", ORDER_LESS, false},
        {"7 days", "1 week", ORDER_EQUAL, true},
        {"7 days", "1 'wk'", ORDER_EQUAL, true},
        {"1 day", "1 'd'", ORDER_EQUAL, true},
        {"6 days", "1 week", ORDER_LESS, true}, /* 0.86 weeks, rounded to no places */
        {"6.0 days", "1.1 week", ORDER_LESS, false},
        {"1 hour", "60 minutes", ORDER_EQUAL, true},
        {"1 second", "1000 milliseconds", ORDER_EQUAL, true},
        {"1 second", "1 's'", ORDER_EQUAL, true},
        {"1 'month'", "1 month", ORDER_EQUAL, true},
        {"1 month", "1 months", ORDER_EQUAL, true},
        {"1 year", "12 months", ORDER_EQUAL, true},
        {"1 year", "13 months", ORDER_LESS, true},
        {"1 month", "1 'mo'", ORDER_UNKNOWN, true},
        {"1 year", "1 'a'", ORDER_UNKNOWN, true},
        {"1 year", "2 'a'", ORDER_UNKNOWN, false},
        {"1 year", "365 days", ORDER_UNKNOWN, true},
        {"1 year", "300 days", ORDER_UNKNOWN, true},
        {"1.0 year", "180 days", ORDER_UNKNOWN, false},
        {"1 year", "1 'g'", ORDER_NONE, false},
        {"1 'a'", "12 'mo'", ORDER_EQUAL, true},
        {"1 'cm'", "1 's'", ORDER_NONE, false},
        {"1 '1'", "100 '%'", ORDER_EQUAL, true},
        {"2 'tablet'", "2.0 'tablet'", ORDER_EQUAL, true},
        {"2 'tablet'", "3 'tablet'", ORDER_LESS, false},
        {"0.040 'm2'", "4.00 'cm.m'", ORDER_EQUAL, true},
        {"2 'g/m'", "2.00 'kg/km'", ORDER_EQUAL, true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct quantity a = make(cases[i].a);
        struct quantity b = make(cases[i].b);
        enum order order;
        bool equivalent;
        assert_int_equal(quantity_compare(&a, &b, NULL, SPAN_NONE, &order), STATUS_OK);
        assert_int_equal(quantity_equivalent(&a, &b, NULL, SPAN_NONE, &equivalent), STATUS_OK);
        if (order != cases[i].order || equivalent != cases[i].equivalent) {
            fail_msg("%s against %s: order %d, equivalent %d", cases[i].a, cases[i].b, (int)order,
                     equivalent);
        }
        assert_int_equal(quantity_compare(&b, &a, NULL, SPAN_NONE, &order), STATUS_OK);
        assert_int_equal(order, order_reverse(cases[i].order));
        assert_int_equal(quantity_equivalent(&b, &a, NULL, SPAN_NONE, &equivalent), STATUS_OK);
        assert_int_equal(equivalent, cases[i].equivalent);
    }
}

static void test_unknown_units(void **state)
{
    (void)state;
    struct arena *arena = arena_create(0);
    struct diag_list diags;
    diag_init(&diags, arena, 10);
    struct quantity a = make("1 'lbs'");
    struct quantity b = make("1 'kg'");
    enum order order = ORDER_NONE;
    bool equivalent;
    assert_int_equal(quantity_compare(&a, &b, &diags, SPAN_NONE, &order), STATUS_INVALID);
    assert_int_equal(order, ORDER_NONE);
    assert_int_equal(diags.count, 1);
    assert_string_equal(arena_cstr(arena, diags.first->hint), "did you mean \"[lb_av]\"?");
    assert_int_equal(quantity_equivalent(&b, &a, &diags, SPAN_NONE, &equivalent), STATUS_INVALID);
    assert_int_equal(quantity_add(&b, &a, &diags, SPAN_NONE, &b), STATUS_INVALID);
    assert_int_equal(quantity_convert(&b, SLICE("foo"), &diags, SPAN_NONE, &b), STATUS_INVALID);
    assert_int_equal(diags.count, 4);
    struct quantity inch = make("1 '[in_i]'");
    struct quantity centimetre = make("1 'cm'");
    struct quantity wrong = make("1 '[s]'");
    assert_true(quantity_comparable(&centimetre, &inch));
    assert_false(quantity_comparable(&centimetre, &wrong));
    assert_false(quantity_comparable(&wrong, &wrong));
    struct quantity second = make("1 's'");
    assert_false(quantity_comparable(&centimetre, &second));
    arena_destroy(&arena);
}

/* ---- Arithmetic ---- */

static void test_arithmetic(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        char operator;
        const char *b;
        const char *result;
    } cases[] = {
        {"1 'kg'", '+', "500 'g'", "1500 'g'"},
        {"500 'g'", '+', "1 'kg'", "1500 'g'"},
        {"1 'kg'", '-', "500 'g'", "500 'g'"},
        {"1.50 'm'", '+', "1 'm'", "2.50 'm'"},
        {"1 week", '+', "1 day", "8 day"},
        {"1 day", '+', "1 'd'", "2 day"},
        {"1 year", '+', "1 month", "13 month"},
        {"1 year", '+', "1 day", "absent"},
        {"1 'cm'", '+', "1 's'", "absent"},
        {"1 'tablet'", '+', "2 'tablet'", "3 'tablet'"},
        {"1 'tablet'", '+', "2 'g'", "invalid"},
        {"2.0 'cm'", '*', "2.0 'm'", "400 'cm2'"},
        {"4.0 'g'", '/', "2.0 'm'", "2 'g/m'"},
        {"1.0 'm'", '/', "1.0 'm'", "1 '1'"},
        {"70.5 'kg'", '/', "3.0625 'm2'", "23.0204081632653061 'kg/m2'"},
        {"2 days", '*', "3", "6 days"},
        {"3", '*', "2 days", "6 days"},
        {"6 'tablet'", '/', "3", "2 'tablet'"},
        {"6", '/', "3 's'", "2 '/s'"},
        {"6 'm'", '/', "2 seconds", "3 'm/s'"},
        {"2", '*', "3", "6 '1'"},
        {"1 year", '/', "1 month", "12 '1'"},
        {"1 year", '*', "1 month", "invalid"},
        {"1 'm'", '/', "1 month", "invalid"},
        {"1 'Cel'", '*', "1 'm'", "invalid"},
        {"1 'm'", '/', "0 's'", "absent"},
        {"1 'm'", '/', "0", "absent"},
        {"1 'tablet'", '*', "2 'g'", "invalid"},
    };
    struct arena *arena = arena_create(0);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct diag_list diags;
        diag_init(&diags, arena, 10);
        struct quantity a = make(cases[i].a);
        struct quantity b = make(cases[i].b);
        struct quantity out = a;
        enum status status;
        switch (cases[i].operator) {
        case '+':
            status = quantity_add(&a, &b, &diags, SPAN_NONE, &out);
            break;
        case '-':
            status = quantity_subtract(&a, &b, &diags, SPAN_NONE, &out);
            break;
        case '*':
            status = quantity_multiply(arena, &a, &b, &diags, SPAN_NONE, &out);
            break;
        default:
            status = quantity_divide(arena, &a, &b, &diags, SPAN_NONE, &out);
            break;
        }
        const char *got = word_of(status, out);
        if (strcmp(got, cases[i].result) != 0) {
            fail_msg("%s %c %s is %s, not %s", cases[i].a, cases[i].operator, cases[i].b, got,
                     cases[i].result);
        }
        assert_int_equal(diags.count, status == STATUS_INVALID);
    }
    arena_destroy(&arena);
    assert_string_equal(word_of(STATUS_OK, quantity_abs(make("-5.5 'mg'"))), "5.5 'mg'");
    assert_string_equal(word_of(STATUS_OK, quantity_negate(make("5 days"))), "-5 days");
}

static void test_convert(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        const char *code;
        const char *result;
    } cases[] = {
        {"70.5 '[lb_av]'", "kg", "31.978262085 'kg'"},
        {"2 weeks", "days", "14 days"},
        {"2 years", "month", "24 month"},
        {"2 years", "a", "absent"},
        {"2 'tablet'", "tablet", "2 'tablet'"},
        {"2 'm'", "s", "absent"},
        {"2 'm'", "metres", "invalid"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct quantity a = make(cases[i].a);
        enum status status = quantity_convert(&a, slice_of(cases[i].code), NULL, SPAN_NONE, &a);
        assert_string_equal(word_of(status, a), cases[i].result);
    }
}

static void test_calendar(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        enum status status;
        enum calendar_unit unit;
        int64_t amount;
    } cases[] = {
        {"7.7 days", STATUS_OK, CALENDAR_DAY, 7},
        {"-7.7 days", STATUS_OK, CALENDAR_DAY, -7},
        {"1 'd'", STATUS_OK, CALENDAR_DAY, 1},
        {"1 'wk'", STATUS_OK, CALENDAR_WEEK, 1},
        {"0.1 's'", STATUS_OK, CALENDAR_SECOND, 0},
        {"10 'ms'", STATUS_OK, CALENDAR_MILLISECOND, 10},
        {"1 'min'", STATUS_OK, CALENDAR_MINUTE, 1},
        {"1 'h'", STATUS_OK, CALENDAR_HOUR, 1},
        {"1 'month'", STATUS_OK, CALENDAR_MONTH, 1},
        {"2 years", STATUS_OK, CALENDAR_YEAR, 2},
        {"1 'mo'", STATUS_INVALID, CALENDAR_NONE, 0},
        {"1 'a'", STATUS_INVALID, CALENDAR_NONE, 0},
        {"1 'cm'", STATUS_INVALID, CALENDAR_NONE, 0},
        {"7", STATUS_INVALID, CALENDAR_NONE, 0},
        {"99999999999999999999 days", STATUS_LIMIT, CALENDAR_NONE, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct quantity a = make(cases[i].a);
        enum calendar_unit unit = CALENDAR_NONE;
        int64_t amount = 0;
        assert_int_equal(quantity_calendar(&a, &unit, &amount), cases[i].status);
        assert_int_equal(unit, cases[i].unit);
        assert_true(amount == cases[i].amount);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),       cmocka_unit_test(test_from_fhir),
        cmocka_unit_test(test_order),      cmocka_unit_test(test_unknown_units),
        cmocka_unit_test(test_arithmetic), cmocka_unit_test(test_convert),
        cmocka_unit_test(test_calendar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
