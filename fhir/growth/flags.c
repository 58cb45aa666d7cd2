#include "fhir/growth/flags.h"

static const char *const names[] = {
#define FLAG(id, name, sentence) name,
#include "fhir/growth/flags.def"
#undef FLAG
};

static const char *const sentences[] = {
#define FLAG(id, name, sentence) sentence,
#include "fhir/growth/flags.def"
#undef FLAG
};

const char *growth_flag_name(enum growth_flag flag)
{
    return names[flag];
}

const char *growth_flag_sentence(enum growth_flag flag)
{
    return sentences[flag];
}

growth_flags growth_flags_implausible(void)
{
    static const enum growth_flag list[] = {
        GROWTH_FLAG_BMI_IMPLAUSIBLE_LOW,    GROWTH_FLAG_BMI_IMPLAUSIBLE_HIGH,
        GROWTH_FLAG_WEIGHT_IMPLAUSIBLE_LOW, GROWTH_FLAG_WEIGHT_IMPLAUSIBLE_HIGH,
        GROWTH_FLAG_HEIGHT_IMPLAUSIBLE_LOW, GROWTH_FLAG_HEIGHT_IMPLAUSIBLE_HIGH,
        GROWTH_FLAG_WFL_IMPLAUSIBLE_LOW,    GROWTH_FLAG_WFL_IMPLAUSIBLE_HIGH,
        GROWTH_FLAG_WEIGHT_MAYBE_LB,        GROWTH_FLAG_WEIGHT_MAYBE_KG_AS_LB,
        GROWTH_FLAG_WEIGHT_MAYBE_G,         GROWTH_FLAG_HEIGHT_MAYBE_IN,
        GROWTH_FLAG_HEIGHT_MAYBE_CM_AS_IN,  GROWTH_FLAG_HEIGHT_MAYBE_M,
        GROWTH_FLAG_HEIGHT_WEIGHT_SWAPPED,  GROWTH_FLAG_HEIGHT_LOSS};
    growth_flags flags = 0;
    for (unsigned i = 0; i < sizeof list / sizeof *list; i++) {
        growth_flag_set(&flags, list[i]);
    }
    return flags;
}
