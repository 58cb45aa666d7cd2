#include "gateway/mapping/reading.h"

/* ---- letters ---- */

/* Lower case of the letters of both languages, without the accents that do not matter for counting;
 * an accented i or u is kept apart, because it breaks a diphthong. */
enum { SHARP_I = 1, SHARP_U = 2, NO_LETTER = 0 };

static int letter_of(uint32_t code)
{
    static const struct {
        uint32_t code;
        int letter;
    } accented[] = {{0xe1, 'a'}, {0xc1, 'a'},     {0xe9, 'e'},     {0xc9, 'e'},     {0xf3, 'o'},
                    {0xd3, 'o'}, {0xed, SHARP_I}, {0xcd, SHARP_I}, {0xfa, SHARP_U}, {0xda, SHARP_U},
                    {0xfc, 'w'}, {0xdc, 'w'},     {0xf1, 'n'},     {0xd1, 'n'}};
    if (code >= 'A' && code <= 'Z') {
        return (int)code + 'a' - 'A';
    }
    if (code >= 'a' && code <= 'z') {
        return (int)code;
    }
    for (size_t i = 0; i < sizeof accented / sizeof *accented; i++) {
        if (accented[i].code == code) {
            return accented[i].letter;
        }
    }
    return NO_LETTER;
}

enum { LETTERS_MOST = 64 };

static size_t letters_of(struct slice word, int *letters)
{
    size_t count = 0;
    size_t at = 0;
    while (at < word.len && count < LETTERS_MOST) {
        uint32_t code = utf8_next(word, &at);
        if (code == UINT32_MAX) {
            break;
        }
        int letter = letter_of(code);
        if (letter != NO_LETTER) {
            letters[count++] = letter;
        }
    }
    return count;
}

/* ---- syllables ---- */

static bool is_one_of(int letter, const char *letters)
{
    for (; *letters != '\0'; letters++) {
        if (*letters == letter) {
            return true;
        }
    }
    return false;
}

/* Groups of a e i o u y; a last e is silent, but for -le after a consonant; a last -es and -ed is
 * heard after the sounds that need it only. */
static unsigned english(const int *letters, size_t count)
{
    unsigned groups = 0;
    bool before = false;
    for (size_t i = 0; i < count; i++) {
        bool vowel = is_one_of(letters[i], "aeiouy");
        groups += vowel && !before;
        before = vowel;
    }
    if (groups > 1 && count > 2 && letters[count - 1] == 'e' &&
        !is_one_of(letters[count - 2], "aeiouy")) {
        bool le = letters[count - 2] == 'l' && !is_one_of(letters[count - 3], "aeiouy");
        groups -= !le;
    } else if (groups > 1 && count > 3 && letters[count - 2] == 'e') {
        bool ed = letters[count - 1] == 'd' && !is_one_of(letters[count - 3], "tdaeiouy");
        bool les = letters[count - 3] == 'l' && !is_one_of(letters[count - 4], "aeiouy");
        bool es =
            letters[count - 1] == 's' && !les && !is_one_of(letters[count - 3], "sxzchgaeiouy");
        groups -= ed || es;
    }
    return groups;
}

/* Strong vowels (a e o) and accented i, u are each a syllable; a weak one (i u y) beside a vowel is
 * none of its own. u of que, qui, gue, gui is not heard; y is a vowel at the end only. */
static unsigned spanish(const int *letters, size_t count)
{
    unsigned syllables = 0;
    int before = NO_LETTER; /* the vowel just before, or NO_LETTER */
    for (size_t i = 0; i < count; i++) {
        int letter = letters[i];
        bool silent = letter == 'u' && i > 0 && is_one_of(letters[i - 1], "qg") && i + 1 < count &&
                      (is_one_of(letters[i + 1], "ei") || letters[i + 1] == SHARP_I);
        bool strong = is_one_of(letter, "aeo") || letter == SHARP_I || letter == SHARP_U;
        bool weak = !silent && (letter == 'i' || letter == 'u' || letter == 'w' ||
                                (letter == 'y' && i + 1 == count));
        if (strong) {
            bool joined = before == 'i' || before == 'u' || before == 'w' || before == 'y';
            syllables += joined && is_one_of(letter, "aeo") ? 0 : 1;
        } else if (weak) {
            syllables += before == NO_LETTER;
        }
        before = strong || weak ? letter : NO_LETTER;
    }
    return syllables;
}

static bool is_language(struct slice language, const char *name)
{
    return slice_starts_with(language, slice_of(name)) &&
           (language.len == 2 || language.at[2] == '-');
}

bool reading_knows(struct slice language)
{
    return is_language(language, "en") || is_language(language, "es");
}

unsigned reading_syllables(struct slice language, struct slice word)
{
    int letters[LETTERS_MOST];
    size_t count = letters_of(word, letters);
    unsigned syllables =
        is_language(language, "es") ? spanish(letters, count) : english(letters, count);
    return syllables != 0 ? syllables : 1; /* a number is read as one */
}

/* ---- texts ---- */

static bool ends_sentence(char c)
{
    return c == '.' || c == '!' || c == '?' || c == ';' || c == ':';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '/';
}

static bool has_word(struct slice word)
{
    for (size_t i = 0; i < word.len; i++) {
        unsigned char c = (unsigned char)word.at[i];
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            c >= 0xc3) {
            return true;
        }
    }
    return false;
}

void reading_add(struct reading *reading, struct slice language, struct slice text)
{
    bool open = false;
    for (size_t at = 0; at < text.len;) {
        size_t from = at;
        while (at < text.len && !is_space(text.at[at])) {
            at++;
        }
        struct slice word = slice_part(text, from, at - from);
        if (has_word(word)) {
            reading->words++;
            reading->syllables += reading_syllables(language, word);
            open = true;
        }
        /* 1.5 does not end a sentence; "week." does */
        if (word.len != 0 && ends_sentence(word.at[word.len - 1]) && open) {
            reading->sentences++;
            open = false;
        }
        at++;
    }
    reading->sentences += open;
}

double reading_grade(const struct reading *reading, struct slice language)
{
    if (reading->words == 0) {
        return 0.0;
    }
    double words = reading->words;
    double grade =
        is_language(language, "es")
            ? -0.205 * (100.0 * reading->sentences / words) +
                  0.049 * (100.0 * reading->syllables / words) - 3.407
            : 0.39 * (words / reading->sentences) + 11.8 * (reading->syllables / words) - 15.59;
    return grade > 0.0 ? grade : 0.0;
}
