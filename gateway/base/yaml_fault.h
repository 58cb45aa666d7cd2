/* What libyaml says went wrong, as a sentence for the author of the file. Private to gateway/base.
 */
#ifndef GATEWAY_BASE_YAML_FAULT_H
#define GATEWAY_BASE_YAML_FAULT_H

#include "fhir/base/diag.h"

/* As libyaml words it; offsets are bytes of the source. */
struct yaml_fault {
    const char *problem;
    const char *context; /* may be NULL */
    uint32_t at;
    uint32_t context_at;
};

void yaml_fault_report(const struct source *source, const struct yaml_fault *fault,
                       struct diag_list *diags);

/* Adds yaml-quote over from..to, with the quoted form as the hint. */
void yaml_fault_quote(const struct source *source, uint32_t from, uint32_t to,
                      struct diag_list *diags, const char *sentence);

/* Where the line of `at` begins; where it ends. */
uint32_t yaml_line_start(struct slice text, uint32_t at);
uint32_t yaml_line_end(struct slice text, uint32_t at);

#endif
