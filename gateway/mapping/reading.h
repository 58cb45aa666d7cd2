/*
 * How hard a text is to read, as a school grade of the United States. English: Flesch-Kincaid
 * (Kincaid 1975), 0.39 words per sentence + 11.8 syllables per word - 15.59. Spanish: Crawford
 * (1984), -0.205 sentences + 0.049 syllables - 3.407, both of 100 words. Syllables are counted by
 * the spelling (reading.c says how), so two counters may differ by a few in a hundred. Pure. Tests:
 * tests/unit/gateway/mapping/test_reading.c.
 */
#ifndef GATEWAY_MAPPING_READING_H
#define GATEWAY_MAPPING_READING_H

#include "fhir/base/slice.h"

struct reading {
    unsigned sentences;
    unsigned words;
    unsigned syllables;
};

/* A language that has a formula here: "en", "es", with or without a region. */
bool reading_knows(struct slice language);

/* Adds a text, whose end ends a sentence. language: one that is known. */
void reading_add(struct reading *reading, struct slice language, struct slice text);

/* The grade; 0 without words, and never below it. */
double reading_grade(const struct reading *reading, struct slice language);

/* Syllables of one word in lower or upper case; at least 1. */
unsigned reading_syllables(struct slice language, struct slice word);

#endif
