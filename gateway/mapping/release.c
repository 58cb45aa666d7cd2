#include "gateway/mapping/approvals.h"
#include "gateway/mapping/load.h"

/*
 * What clinical/REVIEW.md ("What must hold") and its go-live rules ask for before a real patient is
 * touched. A hold is known by its id, so that a site may write its own expression for it.
 */
static const struct {
    const char *domain;
    const char *id;
    const char *sentence;
} required_holds[] = {
#define REQUIRED_HOLD(domain, id, sentence) {domain, #id, sentence},
#include "gateway/mapping/required_holds.def"
};

static const char *const domains[] = {
#define DOMAIN(name) name,
#include "gateway/mapping/required_holds.def"
};

const char *const *mapping_domains(size_t *count_out)
{
    *count_out = sizeof domains / sizeof *domains;
    return domains;
}

/* A mapping that names no domain is asked for all. */
static bool is_required(const struct mapping *mapping, const char *domain)
{
    return mapping->domain.len == 0 || slice_is(slice_of(domain), "any") ||
           slice_is(mapping->domain, domain);
}

static bool has_hold(const struct mapping *mapping, const char *id)
{
    for (size_t i = 0; i < mapping->hold_count; i++) {
        if (slice_is(mapping->holds[i].id, id)) {
            return true;
        }
    }
    return false;
}

static bool is_nobody(struct slice name)
{
    return name.len == 0 || slice_is(name, "none");
}

static void release_concepts(const struct concept *concepts, size_t count, struct diag_list *diags)
{
    for (size_t i = 0; i < count; i++) {
        if (concepts[i].status != CODE_VERIFIED) {
            diag_add(diags, DIAG_MAPPING_RELEASE, concepts[i].span, "the code %.*s is not verified",
                     SLICE_ARGS(concepts[i].code));
        }
    }
}

void mapping_release_faults(const struct mapping *mapping, const struct datetime *today,
                            struct diag_list *diags)
{
    if (is_nobody(mapping->owner_clinical) || is_nobody(mapping->owner_informatics)) {
        diag_add(diags, DIAG_MAPPING_RELEASE, mapping->owners_span,
                 "the mapping has no clinical or no informatics owner");
    }
    for (size_t i = 0; i < mapping->text_count; i++) {
        if (is_nobody(mapping->texts[i].reviewed_by)) {
            diag_add(diags, DIAG_MAPPING_RELEASE, mapping->texts[i].span,
                     "nobody has reviewed this text");
        }
    }
    for (size_t i = 0; i < mapping->set_count; i++) {
        release_concepts(mapping->sets[i].concepts, mapping->sets[i].count, diags);
    }
    release_concepts(mapping->codes, mapping->code_count, diags);
    for (size_t i = 0; i < sizeof required_holds / sizeof *required_holds; i++) {
        if (is_required(mapping, required_holds[i].domain) &&
            !has_hold(mapping, required_holds[i].id)) {
            diag_add(diags, DIAG_MAPPING_RELEASE, mapping->holds_span,
                     "the hold \"%s\" is missing: %s", required_holds[i].id,
                     required_holds[i].sentence);
        }
    }
    approvals_faults(mapping, today, diags);
}
