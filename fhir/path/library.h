/* The rows of functions.def and the types of expressions, inside fhir/path only. */
#ifndef FHIR_PATH_LIBRARY_H
#define FHIR_PATH_LIBRARY_H

#include "fhir/path/ast.h"

/* What a function is called on. An empty input gives an empty result unless said otherwise. */
enum input_rule {
    INPUT_ALL,      /* any collection; the function itself decides about an empty one */
    INPUT_ORDERED,  /* as INPUT_ALL; with `strict` the order must mean something */
    INPUT_NONE,     /* what it is called on does not matter */
    INPUT_CONTEXT,  /* iif: at most one item, which becomes $this */
    INPUT_ONE,      /* at most one item, as it is */
    INPUT_ITEM,     /* at most one item, converted to a System value where it has one */
    INPUT_BOOLEAN,  /* a singleton evaluated to a Boolean */
    INPUT_BOOLEANS, /* Booleans only, any number, an empty one too */
    INPUT_STRING,   /* one String */
    INPUT_STRINGS,  /* Strings only, any number */
    INPUT_MEASURES, /* numbers and Quantities only, any number */
    INPUT_SORTABLE, /* values that have an order, any number */
    INPUT_NUMBER,   /* one Integer or Decimal */
    INPUT_MEASURE,  /* one Integer, Decimal or Quantity */
    INPUT_QUANTITY, /* one Quantity, or a number */
    INPUT_BOUNDED,  /* one number, Quantity, Date, DateTime or Time */
    INPUT_MOMENT    /* one Date, DateTime or Time */
};

/*
 * Letters of an argument list. A value (s String, i Integer, I Integer of which an empty one counts
 * as not given, n number, q Quantity, b Boolean, x regular expression) is evaluated before the call
 * with the $this of the caller; an empty one makes the result empty. What follows is evaluated by
 * the function: c any collection, with the $this of the caller; with $this and $index of each item:
 * w criteria, e projection, r projection of repeat, k sort key, g aggregator; t a branch, with the
 * input as $this; v the name of a variable, a literal String; d its value, with the $this of the
 * caller. * repeats the letter before it.
 */

enum result_rule {
    RESULT_BOOLEAN,
    RESULT_STRING,
    RESULT_STRINGS,
    RESULT_INTEGER,
    RESULT_DECIMAL,
    RESULT_DATE,
    RESULT_DATETIME,
    RESULT_TIME,
    RESULT_QUANTITY,
    RESULT_TYPE_INFO,
    RESULT_ITEM,           /* one item of the input */
    RESULT_SOME,           /* any number of the input's items */
    RESULT_SORTED,         /* the input's items, in order */
    RESULT_TRACE,          /* the input */
    RESULT_UNION,          /* items of input and argument */
    RESULT_PROJECTION,     /* the argument's type, for each item */
    RESULT_REPEAT,         /* the argument's type, again and again */
    RESULT_ARGUMENTS,      /* the types of the arguments */
    RESULT_BRANCHES,       /* the types of the arguments but the first */
    RESULT_AGGREGATE,      /* those of the aggregator and of init */
    RESULT_TYPE_ONE,       /* one item of the type named */
    RESULT_TYPE_MANY,      /* items of the type named */
    RESULT_SAME,           /* the System type of the input */
    RESULT_WHOLE,          /* Integer, or Quantity of a Quantity */
    RESULT_ROUND,          /* Decimal, or Quantity of a Quantity */
    RESULT_AVERAGE,        /* as RESULT_ROUND */
    RESULT_POWER,          /* Integer or Decimal */
    RESULT_BOUNDARY,       /* the System type of the input, Decimal of an Integer */
    RESULT_CHILDREN,       /* anything, in no order */
    RESULT_CLOCK_DATETIME, /* those of the clock, which the scope may refuse */
    RESULT_CLOCK_DATE,
    RESULT_CLOCK_TIME,
    RESULT_EXTENSION,
    RESULT_SYSTEM_VALUE,
    RESULT_RESOURCES
};

struct evaluation;
struct call;
struct collection;

typedef void function_run(struct evaluation *eval, const struct call *call, struct collection *out);

struct function {
    const char *name;
    function_run *run;
    const char *usage;
    const char *args;
    uint8_t input;  /* enum input_rule */
    uint8_t result; /* enum result_rule */
    uint8_t min;
    uint8_t max;
};

/* NULL: there is none. */
const struct function *function_find(struct slice name);
/* The nearest name, for "did you mean"; SLICE_NONE when none is near. */
struct slice function_nearest(struct slice name);
/* The letter of argument i. */
char function_arg(const struct function *function, unsigned i);

#define FUNCTION(name, run, section, usage, input, args, min, max, result, sentence)               \
    function_run fn_##run;
#include "fhir/path/functions.def"

#endif
