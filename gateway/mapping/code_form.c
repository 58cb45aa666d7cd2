#include "gateway/mapping/code_form.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool all_digits(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.at[i])) {
            return false;
        }
    }
    return text.len != 0;
}

/* ---- SNOMED CT ---- */

/* Verhoeff, over the dihedral group of order ten: multiplication, and the permutation by place. */
static bool verhoeff_holds(struct slice digits)
{
    static const unsigned char product[10][10] = {
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 2, 3, 4, 0, 6, 7, 8, 9, 5},
        {2, 3, 4, 0, 1, 7, 8, 9, 5, 6}, {3, 4, 0, 1, 2, 8, 9, 5, 6, 7},
        {4, 0, 1, 2, 3, 9, 5, 6, 7, 8}, {5, 9, 8, 7, 6, 0, 4, 3, 2, 1},
        {6, 5, 9, 8, 7, 1, 0, 4, 3, 2}, {7, 6, 5, 9, 8, 2, 1, 0, 4, 3},
        {8, 7, 6, 5, 9, 3, 2, 1, 0, 4}, {9, 8, 7, 6, 5, 4, 3, 2, 1, 0}};
    static const unsigned char step[10] = {1, 5, 7, 6, 2, 8, 3, 0, 9, 4};
    unsigned check = 0;
    for (size_t i = 0; i < digits.len; i++) {
        unsigned digit = (unsigned)(digits.at[digits.len - 1 - i] - '0');
        for (size_t k = 0; k < i % 8; k++) {
            digit = step[digit];
        }
        check = product[check][digit];
    }
    return check == 0;
}

static const char *snomed_fault(struct slice code)
{
    if (!all_digits(code) || code.len < 6 || code.len > 18 || code.at[0] == '0') {
        return "a SNOMED CT code is a number of 6 to 18 digits";
    }
    if (!verhoeff_holds(code)) {
        return "this is no SNOMED CT code: its check digit is wrong";
    }
    char partition = code.at[code.len - 2];
    return partition == '0' ? NULL : "this is a SNOMED CT description or relationship, no concept";
}

/* ---- LOINC ---- */

/* Mod 10; the letters of an answer (LA33-6, LA137-2) count 5 before an even number of digits and 8
 * before an odd one. */
static const char *loinc_fault(struct slice code)
{
    bool answer = slice_starts_with(code, SLICE("LA"));
    struct slice rest = slice_part(code, answer ? 2 : 0, SIZE_MAX);
    struct slice digits = SLICE_NONE;
    if (slice_starts_with(code, SLICE("LP")) || slice_starts_with(code, SLICE("LL")) ||
        slice_starts_with(code, SLICE("LG"))) {
        return NULL;
    }
    if (!slice_cut(&rest, '-', &digits) || !all_digits(digits) || rest.len != 1 ||
        !all_digits(rest)) {
        return "a LOINC code is a number, a hyphen and a check digit";
    }
    unsigned sum = !answer ? 0 : digits.len % 2 != 0 ? 8 : 5;
    for (size_t i = 0; i < digits.len; i++) {
        unsigned digit = (unsigned)(digits.at[digits.len - 1 - i] - '0') * (i % 2 == 0 ? 2 : 1);
        sum += digit > 9 ? digit - 9 : digit;
    }
    return (sum + (unsigned)(rest.at[0] - '0')) % 10 == 0
               ? NULL
               : "this is no LOINC code: its check digit is wrong";
}

/* ---- ICD-10-CM, RxNorm ---- */

static const char *icd_fault(struct slice code)
{
    bool good = code.len >= 3 && code.len <= 8 && code.at[0] >= 'A' && code.at[0] <= 'Z' &&
                is_digit(code.at[1]) && (code.len == 3 || (code.at[3] == '.' && code.len > 4));
    for (size_t i = 2; i < code.len && good; i++) {
        char c = code.at[i];
        good = i == 3 || is_digit(c) || (c >= 'A' && c <= 'Z');
    }
    return good ? NULL
                : "an ICD-10-CM code is a letter, two characters, a point and up to four more";
}

static const char *rxnorm_fault(struct slice code)
{
    return all_digits(code) && code.len <= 7 && code.at[0] != '0'
               ? NULL
               : "an RxNorm code (RxCUI) is a number of up to 7 digits";
}

/* A code system of FHIR itself that a value set of the same name has whole. */
const struct model_value_set *code_form_listed(const struct model *model, struct slice system)
{
    static const char *const folders[] = {"http://terminology.hl7.org/CodeSystem/",
                                          "http://hl7.org/fhir/"};
    static const char values[] = "http://hl7.org/fhir/ValueSet/";
    char url[256] = "";
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        size_t len = strlen(folders[i]);
        if (slice_starts_with(system, slice_of(folders[i])) && system.len > len &&
            sizeof values + system.len - len < sizeof url) {
            memcpy(url, values, sizeof values);
            memcpy(url + sizeof values - 1, system.at + len, system.len - len);
        }
    }
    const struct model_value_set *set = model_value_set_find(model, slice_of(url));
    return set != NULL && set->enumerable && set->code_count != 0 &&
                   slice_equal(model_code_at(model, set, 0).system, system)
               ? set
               : NULL;
}

const char *code_form_fault(struct slice system, struct slice code)
{
    static const struct {
        const char *system;
        const char *(*fault)(struct slice code);
    } forms[] = {
        {"http://snomed.info/sct", snomed_fault},
        {"http://loinc.org", loinc_fault},
        {"http://hl7.org/fhir/sid/icd-10-cm", icd_fault},
        {"http://www.nlm.nih.gov/research/umls/rxnorm", rxnorm_fault},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (slice_is(system, forms[i].system)) {
            return forms[i].fault(code);
        }
    }
    return NULL;
}
