/* Finding things of a mapping by their names. Private to gateway/mapping. All is borrowed from the
 * mapping; NULL: there is none. */
#ifndef GATEWAY_MAPPING_FIND_H
#define GATEWAY_MAPPING_FIND_H

#include "gateway/mapping/tree.h"

const struct concept_set *mapping_find_set(const struct mapping *mapping, struct slice name);
const struct concept_set *mapping_find_set_by_url(const struct mapping *mapping, struct slice url);
const struct concept *mapping_find_code(const struct mapping *mapping, struct slice name);
const struct plan_rule *mapping_find_plan(const struct mapping *mapping, struct slice name);
/* The text file of what several plans say: texts/shared.LANGUAGE.yaml. */
#define SHARED_TEXTS SLICE("shared")

/* Domains that clinical review has told what must hold in (required_holds.def). */
const char *const *mapping_domains(size_t *count_out);

/* A plan's own text, else the one it shares. */
const struct text_entry *mapping_find_text(const struct mapping *mapping, struct slice plan,
                                           struct slice language, enum audience audience,
                                           struct slice key);
const struct text_entry *mapping_find_own_text(const struct mapping *mapping, struct slice plan,
                                               struct slice language, enum audience audience,
                                               struct slice key);
/* A part is read once for each use, a case once for each neighbour, and says the same mistake each
 * time: once is enough. Repetitions follow each other. */
void mapping_tell_once(struct diag_list *diags);

#endif
