/* What an assessment says beside its numbers (flags.def): a set, one bit each. */
#ifndef FHIR_GROWTH_FLAGS_H
#define FHIR_GROWTH_FLAGS_H

#include <stdbool.h>
#include <stdint.h>

enum growth_flag {
#define FLAG(id, name, sentence) GROWTH_FLAG_##id,
#include "fhir/growth/flags.def"
#undef FLAG
    GROWTH_FLAG_COUNT
};

_Static_assert(GROWTH_FLAG_COUNT <= 64, "a set of flags is one 64-bit word");

typedef uint64_t growth_flags;

static inline void growth_flag_set(growth_flags *flags, enum growth_flag flag)
{
    *flags |= (uint64_t)1 << flag;
}

static inline bool growth_flag_has(growth_flags flags, enum growth_flag flag)
{
    return (flags >> flag & 1) != 0;
}

/* Static. */
const char *growth_flag_name(enum growth_flag flag);
const char *growth_flag_sentence(enum growth_flag flag);

/* The flags that ask for a new measurement: no plan is proposed on such a value. */
growth_flags growth_flags_implausible(void);

#endif
