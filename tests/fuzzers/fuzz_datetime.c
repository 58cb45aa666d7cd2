// uses: fhir/base fhir/types
/* Dates and times in every form: what is read prints as it was read and obeys the order. */
#include <stdlib.h>

#include "fhir/types/datetime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition) {
        abort();
    }
}

static void check_printed(const struct datetime *a)
{
    char text[DATETIME_TEXT];
    struct datetime back;
    size_t len = datetime_print_literal(a, text);
    require(datetime_parse(slice_from(text, len), FORM_PATH_LITERAL, &back, NULL) == STATUS_OK);
    char again[DATETIME_TEXT];
    datetime_print_literal(&back, again);
    require(strcmp(text, again) == 0 && datetime_compare(a, &back) == ORDER_EQUAL);
}

static void check_moved(const struct datetime *a, int64_t amount)
{
    for (int unit = CALENDAR_NONE; unit <= CALENDAR_MILLISECOND; unit++) {
        struct datetime sum;
        if (datetime_add(a, amount, (enum calendar_unit)unit, &sum) == STATUS_OK) {
            check_printed(&sum);
        }
    }
}

static void check_one(const struct datetime *a)
{
    check_printed(a);
    require(datetime_compare(a, a) == ORDER_EQUAL);
    require(datetime_precision(a) >= 2);
    for (int precision = -1; precision <= 18; precision++) {
        struct datetime low;
        struct datetime high;
        if (datetime_low_boundary(a, precision, &low) == STATUS_OK) {
            require(datetime_high_boundary(a, precision, &high) == STATUS_OK);
            check_printed(&low);
            check_printed(&high);
            require(datetime_compare(&low, &high) != ORDER_GREATER);
        }
    }
    int64_t microseconds;
    struct datetime other;
    if (datetime_to_utc(a, -300, &microseconds) == STATUS_OK &&
        datetime_from_utc(microseconds, 330, &other) == STATUS_OK) {
        check_printed(&other);
    }
    if (datetime_local_date(a, 600, &other) == STATUS_OK) {
        check_printed(&other);
    }
    if (datetime_time_part(a, &other) == STATUS_OK) {
        check_printed(&other);
    }
}

static bool read_any(struct slice text, struct datetime *out)
{
    bool found = false;
    for (int form = FORM_FHIR_DATE; form <= FORM_PATH_LITERAL; form++) {
        struct datetime a;
        struct datetime_fault fault = {0, NULL};
        if (datetime_parse(text, (enum datetime_form)form, &a, &fault) == STATUS_OK) {
            check_one(&a);
            *out = a;
            found = true;
        } else {
            require(fault.why != NULL && fault.at <= text.len);
        }
    }
    return found;
}

/* Two texts, a space between them; the bytes also make an amount to add. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = {(const char *)data, size};
    struct slice first;
    struct slice second;
    struct datetime a;
    struct datetime b;
    if (size > 4096 || !slice_cut(&rest, ' ', &first) || !read_any(first, &a)) {
        return 0;
    }
    int64_t amount = 0;
    if (size >= sizeof amount) {
        memcpy(&amount, data + size - sizeof amount, sizeof amount);
    }
    check_moved(&a, amount);
    check_moved(&a, amount % 100000);
    if (slice_cut(&rest, ' ', &second) && read_any(second, &b)) {
        enum order order = datetime_compare(&a, &b);
        require(datetime_compare(&b, &a) == order_reverse(order));
        int64_t between;
        if (datetime_days_between(&a, &b, &between) == STATUS_OK) {
            require(datetime_months_between(&a, &b, &between) == STATUS_OK);
        }
    }
    return 0;
}
