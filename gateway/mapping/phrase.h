/*
 * A phrase: one text of a mapping's texts/ files, with places for values. A subset of ICU
 * MessageFormat: literal text; {name}; {name, number}; {name, plural, one {# week} other {#
 * weeks}}; '' for an apostrophe, '{' for a brace. Plural categories and the writing of numbers by
 * CLDR: English and Spanish know `one` (English: 1 written without decimals) and `other`; # and
 * number write 1234.5 with the signs of the language (es 1234,5, es-MX 1,234.5). Pure. Values are
 * inserted as they are given; whoever makes XHTML of the result escapes it. Tests:
 * tests/unit/gateway/mapping/test_phrase.c.
 */
#ifndef GATEWAY_MAPPING_PHRASE_H
#define GATEWAY_MAPPING_PHRASE_H

#include "fhir/base/arena.h"
#include "fhir/base/buf.h"
#include "fhir/base/diag.h"
#include "fhir/base/source.h"

struct phrase;

struct phrase_value {
    struct slice name;
    struct slice text; /* a number as it shall be shown, or words */
};

/*
 * Reads the whole of source->text. STATUS_INVALID: every fault is in diags. The phrase lives in the
 * arena and borrows the source's text.
 */
enum status phrase_compile(struct arena *arena, const struct source *source,
                           struct diag_list *diags, const struct phrase **phrase_out);

/* Plural and number rules of the language are known: en, es, es-419, es-MX, es-PR, es-US. */
bool phrase_knows(struct slice language);

/* Names the phrase uses, each once, in order of first use. Live with the phrase. */
size_t phrase_names(const struct phrase *phrase, const struct slice **names_out);

/* STATUS_ABSENT when a value is missing; *missing_out then names it. `language` is a BCP 47 tag
 * ("en", "es-MX"). */
enum status phrase_render(const struct phrase *phrase, struct slice language,
                          const struct phrase_value *values, size_t count, struct buf *out,
                          struct slice *missing_out);

#endif
