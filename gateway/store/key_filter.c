#include "gateway/store/key_filter.h"

#include <stdlib.h>

enum { WORDS_LOG2 = 17, BITS_A_KEY = 4 };

struct key_filter {
    uint64_t words[1 << WORDS_LOG2];
};

/* All bits of a key lie in one word: one place in memory is looked at. */
struct spot {
    uint32_t word;
    uint64_t bits;
};

static struct spot spot_of(int64_t key_hash)
{
    uint64_t mixed = (uint64_t)key_hash * UINT64_C(0x9e3779b97f4a7c15);
    mixed ^= mixed >> 32;
    mixed *= UINT64_C(0xd6e8feb86659fd93);
    struct spot spot = {(uint32_t)(mixed >> (64 - WORDS_LOG2)), 0};
    for (unsigned i = 0; i < BITS_A_KEY; i++) {
        spot.bits |= UINT64_C(1) << (mixed >> (6 * i) & 63);
    }
    return spot;
}

struct key_filter *key_filter_create(void)
{
    return calloc(1, sizeof(struct key_filter));
}

void key_filter_destroy(struct key_filter **filter)
{
    free(*filter);
    *filter = NULL;
}

void key_filter_add(struct key_filter *filter, int64_t key_hash)
{
    struct spot spot = spot_of(key_hash);
    filter->words[spot.word] |= spot.bits;
}

bool key_filter_may_have(const struct key_filter *filter, int64_t key_hash)
{
    struct spot spot = spot_of(key_hash);
    return (filter->words[spot.word] & spot.bits) == spot.bits;
}
