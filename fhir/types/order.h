/* How two values relate when it may be unknown: partial dates, quantities of other units. */
#ifndef FHIR_TYPES_ORDER_H
#define FHIR_TYPES_ORDER_H

enum order {
    ORDER_LESS = -1,
    ORDER_EQUAL = 0,
    ORDER_GREATER = 1,
    ORDER_UNKNOWN = 2, /* FHIRPath: empty */
    ORDER_NONE = 3     /* they can never be compared: other kind, other dimension */
};

static inline enum order order_of(int comparison)
{
    return comparison < 0 ? ORDER_LESS : comparison > 0 ? ORDER_GREATER : ORDER_EQUAL;
}

static inline enum order order_reverse(enum order order)
{
    return order == ORDER_LESS ? ORDER_GREATER : order == ORDER_GREATER ? ORDER_LESS : order;
}

#endif
