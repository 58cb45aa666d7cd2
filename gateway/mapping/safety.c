#include "gateway/mapping/safety.h"

#include <string.h>
#include <strings.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Letters differ from their other case in one bit: most places are no place by their first one. */
static bool stands_at(struct slice text, size_t at, const char *word)
{
    if (at >= text.len || ((text.at[at] ^ word[0]) & ~('a' ^ 'A')) != 0) {
        return false;
    }
    size_t len = strlen(word);
    return at + len <= text.len && strncasecmp(text.at + at, word, len) == 0;
}

/* ---- words ---- */

/* "low-fat milk" is food. */
static bool begins_word(struct slice text, size_t at, const char *word)
{
    char before = at != 0 ? text.at[at - 1] : ' ';
    return !is_letter(before) && !(before == '-' && strcmp(word, "fat ") == 0);
}

/* First letters of the judging words, of either case: the quick way out at most places. */
static bool may_judge(char c)
{
    switch (c | ('a' ^ 'A')) {
    case 'b':
    case 'f':
    case 'g':
    case 'i':
    case 'o':
    case 'p':
    case 's':
        return true;
    default:
        return false;
    }
}

const char *safety_judging_word(struct slice text)
{
    static const char *const words[] = {"obes", "fat ",      "overweight", "sobrepeso",
                                        "gord", "percentil", "IMC",        "BMI"};
    for (size_t at = 0; at < text.len; at++) {
        if (!may_judge(text.at[at]) || (at != 0 && is_letter(text.at[at - 1]))) {
            continue;
        }
        for (size_t i = 0; i < COUNT(words); i++) {
            if (stands_at(text, at, words[i]) && begins_word(text, at, words[i])) {
                return words[i];
            }
        }
    }
    return NULL;
}

const char *safety_amount_word(struct slice text)
{
    static const char *const energy[] = {"calor", "kcal"};
    static const char *const weights[] = {"kg", "kilo", "lb", "pound", "libra"};
    for (size_t at = 0; at < text.len; at++) {
        if (at != 0 && is_letter(text.at[at - 1])) {
            continue;
        }
        for (size_t i = 0; i < COUNT(energy); i++) {
            if (stands_at(text, at, energy[i])) {
                return energy[i];
            }
        }
        size_t digit = at;
        while (digit != 0 && text.at[digit - 1] == ' ') {
            digit--;
        }
        bool counted = digit != 0 && text.at[digit - 1] >= '0' && text.at[digit - 1] <= '9';
        for (size_t i = 0; counted && i < COUNT(weights); i++) {
            if (stands_at(text, at, weights[i])) {
                return weights[i];
            }
        }
    }
    return NULL;
}

static const struct {
    const char *word;
    const char *kind;
} units[] = {
    {"kg", "weight-target"},
    {"g", "weight-target"},
    {"lb", "weight-target"},
    {"lbs", "weight-target"},
    {"[lb_av]", "weight-target"},
    {"oz", "weight-target"},
    {"[oz_av]", "weight-target"},
    {"kg/m2", "weight-target"},
    {"kcal", "calories"},
    {"cal", "calories"},
    {"[Cal]", "calories"},
    {"kJ", "calories"},
    {"J", "calories"},
    {"kcal/d", "calories"},
    {"[Cal]/d", "calories"},
    {"kJ/d", "calories"},
};

const char *safety_unit(struct slice unit)
{
    for (size_t i = 0; i < COUNT(units); i++) {
        if (slice_is(unit, units[i].word)) {
            return units[i].kind;
        }
    }
    return NULL;
}

static const struct {
    const char *code;
    const char *kind;
} measures[] = {
    {"29463-7", "weight-target"}, {"3141-9", "weight-target"},  {"39156-5", "weight-target"},
    {"59574-4", "weight-target"}, {"59575-1", "weight-target"}, {"59576-9", "weight-target"},
    {"77606-2", "weight-target"}, {"9052-2", "calories"},
};

const char *safety_measure(struct slice code)
{
    for (size_t i = 0; i < COUNT(measures); i++) {
        if (slice_is(code, measures[i].code)) {
            return measures[i].kind;
        }
    }
    return NULL;
}

/* ---- race and ethnicity ---- */

/* Extensions, the code system and the OID of US race and ethnicity codes; what LOINC asks for them
 * by (loinc.org: race, race or ethnicity, ethnicity and race of OMB 1997, ethnic background). */
static const char *const races[] = {"us-core-race", "us-core-ethnicity", "2.16.840.1.113883.6.238",
                                    "v3-Race",      "v3-Ethnicity",      "32624-9",
                                    "46463-6",      "69490-1",           "72826-1",
                                    "42784-9"};

const char *safety_race_word(struct slice text)
{
    for (size_t i = 0; i < COUNT(races); i++) {
        if (slice_find(text, slice_of(races[i]), 0) != SIZE_MAX) {
            return races[i];
        }
    }
    return NULL;
}

bool safety_is_race_extension(struct slice url)
{
    return safety_race_word(url) != NULL;
}

/* ---- a built resource ---- */

enum { DEPTH_MOST = 64 };

static const char weight_sentence[] = "a plan sets no weight target, at any age";
static const char energy_sentence[] = "a plan counts no calories, at any age";
static const char judging_sentence[] =
    "a word that judges or names a category stands where the family can read it";

static const char *sentence_of(const char *kind)
{
    return kind == NULL                           ? NULL
           : slice_is(slice_of(kind), "calories") ? energy_sentence
                                                  : weight_sentence;
}

/* Members whose text every reader of a resource sees. */
static bool is_shown(struct slice name)
{
    return slice_is(name, "title") || slice_is(name, "div") || slice_is(name, "description") ||
           slice_is(name, "id") || slice_is(name, "text");
}

bool safety_is_judged(struct slice name)
{
    return is_shown(name) || slice_is(name, "code") || slice_is(name, "unit");
}

const char *safety_member_fault(const struct json *object, const struct json *member, bool goal)
{
    if (json_kind(member) != JSON_STRING) {
        return NULL;
    }
    struct slice name = json_name(member);
    struct slice text = json_text(member);
    bool code = slice_is(name, "code");
    if ((code || slice_is(name, "unit")) && json_get(object, "value") != NULL) {
        return sentence_of(safety_unit(text));
    }
    if (goal && code) {
        return sentence_of(safety_measure(text));
    }
    if (is_shown(name) && safety_judging_word(text) != NULL) {
        return judging_sentence;
    }
    return NULL;
}

static const char *walk(const struct json *value, bool goal, unsigned depth)
{
    if (depth == DEPTH_MOST) {
        return "a resource is nested too deeply to be judged";
    }
    for (const struct json *it = json_first(value); it != NULL; it = json_next(it)) {
        const char *sentence =
            json_kind(value) == JSON_OBJECT ? safety_member_fault(value, it, goal) : NULL;
        bool deeper = json_kind(it) == JSON_OBJECT || json_kind(it) == JSON_ARRAY;
        sentence = sentence == NULL && deeper ? walk(it, goal, depth + 1) : sentence;
        if (sentence != NULL) {
            return sentence;
        }
    }
    return NULL;
}

const char *safety_value_fault(const struct json *value, bool goal)
{
    return walk(value, goal, 0);
}

const char *safety_type_fault(const struct json *resource, const struct slice *kinds,
                              size_t kind_count)
{
    struct slice type = json_get_text(resource, "resourceType");
    for (size_t i = 0; i < kind_count; i++) {
        if (slice_equal(kinds[i], type)) {
            return "the plan's `never` forbids this type of resource";
        }
    }
    return json_get(resource, "contained") != NULL ? "a plan contains no other resources" : NULL;
}

const char *safety_resource_fault(const struct json *resource, const struct slice *kinds,
                                  size_t kind_count)
{
    const char *sentence = safety_type_fault(resource, kinds, kind_count);
    bool goal = slice_is(json_get_text(resource, "resourceType"), "Goal");
    return sentence != NULL ? sentence : walk(resource, goal, 0);
}
