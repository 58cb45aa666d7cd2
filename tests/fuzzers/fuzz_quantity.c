// uses: fhir/base fhir/types
/* Quantities and UCUM codes: order, equivalence and arithmetic of any two of them. */
#include <stdlib.h>

#include "fhir/types/measure.h"
#include "fhir/types/quantity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition) {
        abort();
    }
}

struct input {
    struct arena *arena;
    struct slice first;
    struct slice second;
};

static void check_printed(const struct quantity *a)
{
    char text[QUANTITY_TEXT];
    struct quantity back;
    size_t len = quantity_print(a, text);
    require(len < QUANTITY_TEXT);
    if (a->unit.len < UCUM_TEXT && slice_find(a->unit, SLICE("'"), 0) == SIZE_MAX) {
        require(quantity_parse(slice_from(text, len), &back) == STATUS_OK);
        require(decimal_equal(back.value, a->value) && slice_equal(back.unit, a->unit));
    }
}

static void check_pair(struct input *in, const struct quantity *a, const struct quantity *b)
{
    struct diag_list diags;
    diag_init(&diags, in->arena, 100);
    enum order order;
    enum order reverse;
    if (quantity_compare(a, b, &diags, SPAN_NONE, &order) == STATUS_OK) {
        require(quantity_compare(b, a, &diags, SPAN_NONE, &reverse) == STATUS_OK);
        require(reverse == order_reverse(order));
    }
    bool equivalent;
    quantity_equivalent(a, b, &diags, SPAN_NONE, &equivalent);
    struct quantity out;
    if (quantity_add(a, b, &diags, SPAN_NONE, &out) == STATUS_OK) {
        check_printed(&out);
    }
    if (quantity_subtract(a, b, &diags, SPAN_NONE, &out) == STATUS_OK) {
        check_printed(&out);
    }
    struct ucum_unit unit;
    if (quantity_multiply(in->arena, a, b, &diags, SPAN_NONE, &out) == STATUS_OK) {
        check_printed(&out);
        require(ucum_parse(a->unit, &unit) != STATUS_OK ||
                ucum_parse(b->unit, &unit) != STATUS_OK ||
                ucum_parse(out.unit, &unit) != STATUS_INVALID);
    }
    if (quantity_divide(in->arena, a, b, &diags, SPAN_NONE, &out) == STATUS_OK) {
        check_printed(&out);
    }
    if (quantity_convert(a, b->unit, &diags, SPAN_NONE, &out) == STATUS_OK) {
        check_printed(&out);
    }
}

static enum status work(void *arg)
{
    struct input *in = arg;
    struct quantity a;
    struct quantity b;
    struct decimal measured;
    measure_weight_kg(DECIMAL_ONE, in->first, NULL, SPAN_NONE, &measured);
    if (quantity_parse(in->first, &a) != STATUS_OK) {
        return STATUS_OK;
    }
    check_printed(&a);
    enum calendar_unit unit;
    int64_t amount;
    quantity_calendar(&a, &unit, &amount);
    if (quantity_parse(in->second, &b) == STATUS_OK) {
        check_pair(in, &a, &b);
    }
    return STATUS_OK;
}

/* Two quantities, a line end between them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = {(const char *)data, size};
    struct input in = {.arena = arena_create(0)};
    if (size <= 4096 && slice_cut(&rest, '\n', &in.first)) {
        if (!slice_cut(&rest, '\n', &in.second)) {
            in.second = SLICE_NONE;
        }
        require(arena_run(in.arena, work, &in) == STATUS_OK);
    }
    arena_destroy(&in.arena);
    return 0;
}
