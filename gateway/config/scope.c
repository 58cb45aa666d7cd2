/* One map of a file into its struct, by the rows of its scope. */
#include <stdio.h>

#include "gateway/config/settings.h"

enum { PATH_MOST = 128, SETTINGS_MOST = 128, SIBLINGS_MOST = 64 };

struct scope {
    const struct config_reader *reader;
    enum setting_scope of;
    char *out;
    bool given[SETTINGS_MOST];
};

static size_t scope_size(enum setting_scope scope)
{
    switch (scope) {
    case SCOPE_subscription:
        return sizeof(struct config_subscription);
    case SCOPE_acceptor:
        return sizeof(struct config_acceptor);
    default:
        return sizeof(struct config_sender);
    }
}

/* A list of maps becomes an array of structs; the field is {pointer, count}, as config_texts is. */
static void read_list(const struct config_reader *reader, const struct setting *setting,
                      const struct yaml *node, void *field)
{
    struct array {
        const void *at;
        size_t count;
    } *array = field;
    size_t size = scope_size(setting->entry);
    if (node->kind != YAML_LIST) {
        struct diag *diag = diag_add(reader->diags, DIAG_CONFIG_VALUE, node->span,
                                     "%s: must be a list", setting->path);
        diag_hint(reader->diags, diag, "each entry begins with - on a line of its own");
        return;
    }
    if (node->count > setting->most) {
        diag_add(reader->diags, DIAG_CONFIG_VALUE, node->span, "%s: must have at most %llu entries",
                 setting->path, (unsigned long long)setting->most);
        return;
    }
    char *entries = arena_array(reader->arena, node->count, size);
    size_t i = 0;
    for (const struct yaml *entry = node->first; entry != NULL; entry = entry->next, i++) {
        config_read_scope(reader, setting->entry, entry, entries + i * size);
    }
    *array = (struct array){entries, node->count};
}

/* The part of a row's path behind the prefix, up to the next dot; empty: the row is not below it.
 */
static struct slice sibling(const struct setting *setting, const char *prefix)
{
    size_t length = strlen(prefix);
    struct slice rest = slice_of(setting->path);
    struct slice part = SLICE_NONE;
    if (strncmp(setting->path, prefix, length) == 0) {
        rest = slice_part(rest, length, rest.len);
        slice_cut(&rest, '.', &part);
    }
    return part;
}

/* The place of a key in a copy of the file in which the value is starred out: a diagnostic shows
 * the line, and must not show the secret. */
static struct span masked_place(struct arena *arena, const struct yaml *member)
{
    const struct source *file = member->key.span.source;
    char *text = arena_cstr(arena, file->text);
    for (uint32_t i = member->span.start; i < member->span.end; i++) {
        text[i] = text[i] == '\n' || text[i] == '\r' ? text[i] : '*';
    }
    return (struct span){source_create(arena, file->name, slice_from(text, file->text.len)),
                         member->key.span.start, member->key.span.end};
}

static void report_unknown(const struct scope *scope, const struct yaml *member, const char *prefix)
{
    static const char *const secret_words[] = {"secret", "token",       "password",
                                               "key",    "private-key", "client-secret"};
    struct diag_list *diags = scope->reader->diags;
    for (size_t i = 0; i < sizeof secret_words / sizeof *secret_words; i++) {
        if (slice_is(member->key.text, secret_words[i])) {
            struct diag *diag =
                diag_add(diags, DIAG_CONFIG_SECRET, masked_place(scope->reader->arena, member),
                         "%s%.*s: a secret does not stand in this file", prefix,
                         SLICE_ARGS(member->key.text));
            diag_hint(diags, diag,
                      "put it into a file of mode 0600 and name that: secret-file, token-file, "
                      "key-file");
            return;
        }
    }
    struct slice names[SIBLINGS_MOST];
    size_t count = 0;
    for (size_t i = 0; i < setting_count && count < SIBLINGS_MOST; i++) {
        if (settings[i].scope == scope->of) {
            names[count] = sibling(&settings[i], prefix);
            count += names[count].len != 0;
        }
    }
    struct diag *diag =
        diag_add(diags, DIAG_CONFIG_UNKNOWN, member->key.span,
                 "there is no setting \"%s%.*s\" here", prefix, SLICE_ARGS(member->key.text));
    diag_hint_nearest(diags, diag, member->key.text, names, count);
}

static void read_members(struct scope *scope, const struct yaml *map, const char *prefix);

static void read_member(struct scope *scope, const struct yaml *member, const char *prefix)
{
    char path[PATH_MOST];
    size_t group = 0;
    int length = snprintf(path, sizeof path, "%s%.*s", prefix, SLICE_ARGS(member->key.text));
    for (size_t i = 0; i < setting_count && (size_t)length < sizeof path; i++) {
        const struct setting *setting = &settings[i];
        if (setting->scope != scope->of) {
            continue;
        }
        if (strcmp(setting->path, path) == 0) {
            scope->given[i] = true;
            if (setting->type == SETTING_LIST) {
                read_list(scope->reader, setting, member, scope->out + setting->offset);
            } else {
                config_read_value(scope->reader, setting, member, scope->out + setting->offset);
            }
            return;
        }
        group += strncmp(setting->path, path, (size_t)length) == 0 && setting->path[length] == '.';
    }
    if (group == 0 || strchr(path, '.') != NULL) {
        report_unknown(scope, member, prefix);
    } else if (member->kind == YAML_MAP) {
        snprintf(path + length, sizeof path - (size_t)length, ".");
        read_members(scope, member, path);
    } else if (member->kind != YAML_SCALAR || member->scalar.text.len != 0) {
        diag_add(scope->reader->diags, DIAG_CONFIG_VALUE, member->span,
                 "%s: must be a map of settings, not %s", path, yaml_kind_name(member->kind));
    }
}

/* Groups are one level deep: read_member calls back at most once. */
static void read_members(struct scope *scope, const struct yaml *map, const char *prefix)
{
    for (const struct yaml *member = map->first; member != NULL; member = member->next) {
        read_member(scope, member, prefix);
    }
}

void config_read_scope(const struct config_reader *reader, enum setting_scope of,
                       const struct yaml *map, void *out)
{
    struct scope scope = {.reader = reader, .of = of, .out = out};
    if (map->kind != YAML_MAP) {
        diag_add(reader->diags, DIAG_CONFIG_VALUE, map->span, "must be a map of settings, not %s",
                 yaml_kind_name(map->kind));
        return;
    }
    read_members(&scope, map, "");
    for (size_t i = 0; i < setting_count && i < SETTINGS_MOST; i++) {
        const struct setting *setting = &settings[i];
        if (setting->scope != of || scope.given[i]) {
            continue;
        }
        if (setting->preset == NULL) {
            struct span place = {map->span.source, map->span.start, map->span.start};
            struct diag *diag = diag_add(reader->diags, DIAG_CONFIG_MISSING, place,
                                         "%s: must be given", setting->path);
            diag_hint(reader->diags, diag, "%s", setting->sentence);
        } else if (setting->type != SETTING_LIST) {
            config_read_preset(reader, setting, scope.out + setting->offset);
        }
    }
}

static const struct yaml *find_path(const struct yaml *root, const char *path, bool nearest)
{
    struct slice rest = slice_of(path);
    struct slice part;
    const struct yaml *node = root;
    while (slice_cut(&rest, '.', &part)) {
        const struct yaml *next = node->kind == YAML_MAP ? node->first : NULL;
        while (next != NULL && !slice_equal(next->key.text, part)) {
            next = next->next;
        }
        if (next == NULL) {
            return nearest ? node : NULL;
        }
        node = next;
    }
    return node;
}

struct span config_place(const struct yaml *root, const char *path)
{
    const struct yaml *node = find_path(root, path, true);
    if (node == root) {
        return (struct span){root->span.source, root->span.start, root->span.start};
    }
    return node->kind == YAML_SCALAR && node->span.end > node->span.start ? node->span
                                                                          : node->key.span;
}

bool config_given(const struct yaml *root, const char *path)
{
    return find_path(root, path, false) != NULL;
}
