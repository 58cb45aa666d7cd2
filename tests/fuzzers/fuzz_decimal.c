// uses: fhir/base fhir/types
/* Decimal text: what is read prints as it was read, and no operation leaves the limits. */
#include <stdlib.h>

#include "fhir/types/decimal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition) {
        abort();
    }
}

static void check_limits(struct decimal a)
{
    char text[DECIMAL_TEXT];
    struct decimal back;
    require(a.scale >= 0 && a.scale <= DECIMAL_SCALE_MAX);
    require(decimal_parse(slice_from(text, decimal_print(a, text)), &back) == STATUS_OK);
    require(back.coefficient == a.coefficient && back.scale == a.scale);
}

static void check_pair(struct decimal a, struct decimal b)
{
    typedef enum status (*operation)(struct decimal, struct decimal, struct decimal *);
    static const operation operations[] = {decimal_add,    decimal_subtract, decimal_multiply,
                                           decimal_divide, decimal_div,      decimal_mod,
                                           decimal_power,  decimal_log};
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        struct decimal out;
        if (operations[i](a, b, &out) == STATUS_OK) {
            check_limits(out);
        }
    }
    require(decimal_compare(a, b) == -decimal_compare(b, a));
    require(decimal_equivalent(a, b) == decimal_equivalent(b, a));
    require(!decimal_equal(a, b) || decimal_equivalent(a, b));
}

static void check_one(struct decimal a)
{
    typedef enum status (*function)(struct decimal, struct decimal *);
    static const function functions[] = {decimal_sqrt, decimal_exp, decimal_ln};
    check_limits(a);
    check_limits(decimal_ceiling(a));
    check_limits(decimal_floor(a));
    check_limits(decimal_truncate(a));
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        struct decimal out;
        if (functions[i](a, &out) == STATUS_OK) {
            check_limits(out);
        }
    }
    for (int places = -1; places <= DECIMAL_SCALE_MAX + 1; places++) {
        struct decimal low;
        struct decimal high;
        check_limits(decimal_round(a, places));
        enum status status = decimal_low_boundary(a, places, &low);
        if (status == STATUS_OK && decimal_high_boundary(a, places, &high) == STATUS_OK) {
            check_limits(low);
            check_limits(high);
            require(decimal_compare(low, high) <= 0);
        }
    }
    int64_t whole;
    if (decimal_to_int64(a, &whole) == STATUS_OK) {
        require(decimal_equal(decimal_from_int64(whole), a));
    }
    struct decimal near;
    if (decimal_from_double(decimal_to_double(a), 9, &near) == STATUS_OK) {
        check_limits(near);
    }
}

/* Two texts, a space between them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = {(const char *)data, size};
    struct slice first;
    struct slice second;
    struct decimal a;
    struct decimal b;
    if (size > 4096 || !slice_cut(&rest, ' ', &first)) {
        return 0;
    }
    decimal_parse_plain(first, &b);
    if (decimal_parse(first, &a) != STATUS_OK) {
        return 0;
    }
    check_one(a);
    if (slice_cut(&rest, ' ', &second) && decimal_parse(second, &b) == STATUS_OK) {
        check_pair(a, b);
    }
    return 0;
}
