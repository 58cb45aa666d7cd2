#include "gateway/config/settings.h"

#define WORD(id, text) text,
#define CHOICES(set, words) static const char *const words_##set[] = {words NULL};
#include "gateway/config/choices.def"
#undef CHOICES
#undef WORD

#define CHOICES(set, words)                                                                        \
    const char *config_##set##_name(enum config_##set value)                                       \
    {                                                                                              \
        return words_##set[value];                                                                 \
    }
#include "gateway/config/choices.def"
#undef CHOICES

#define LIVE true
#define RESTART false
#define FIELD(scope, field)                                                                        \
    .offset = offsetof(struct config_##scope, field),                                              \
    .size = sizeof(((const struct config_##scope *)NULL)->field)
#define SETTING(in, field, name, kind, value, low, high, when, text)                               \
    {.scope = SCOPE_##in,                                                                          \
     .path = (name),                                                                               \
     .type = SETTING_##kind,                                                                       \
     .preset = (value),                                                                            \
     .least = (low),                                                                               \
     .most = (high),                                                                               \
     .live = (when),                                                                               \
     .sentence = (text),                                                                           \
     FIELD(in, field)},
#define CHOICE(in, field, name, set, value, when, text)                                            \
    {.scope = SCOPE_##in,                                                                          \
     .path = (name),                                                                               \
     .type = SETTING_CHOICE,                                                                       \
     .preset = (value),                                                                            \
     .live = (when),                                                                               \
     .sentence = (text),                                                                           \
     .words = words_##set,                                                                         \
     FIELD(in, field)},
#define LISTOF(in, field, name, of, high, text)                                                    \
    {.scope = SCOPE_##in,                                                                          \
     .path = (name),                                                                               \
     .type = SETTING_LIST,                                                                         \
     .preset = "",                                                                                 \
     .most = (high),                                                                               \
     .live = true,                                                                                 \
     .sentence = (text),                                                                           \
     .entry = SCOPE_##of,                                                                          \
     FIELD(in, field)},

const struct setting settings[] = {
#include "gateway/config/settings.def"
};

const size_t setting_count = sizeof settings / sizeof *settings;
