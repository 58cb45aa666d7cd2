/* One value of each type: from text to field, or a diagnostic. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/secret.h"
#include "gateway/base/uuid.h"
#include "gateway/config/settings.h"

/* A value with its place; the span is SPAN_NONE for a preset. */
struct value {
    const struct config_reader *reader;
    const struct setting *setting;
    struct slice text;
    struct span span;
};

static struct diag *wrong(const struct value *value, const char *what)
{
    return diag_add(value->reader->diags, DIAG_CONFIG_VALUE, value->span, "%s: %s",
                    value->setting->path, what);
}

static void wrong_hint(const struct value *value, const char *what, const char *hint)
{
    diag_hint(value->reader->diags, wrong(value, what), "%s", hint);
}

/* ---- numbers ---- */

struct unit {
    const char *name;
    uint64_t factor;
};

static bool read_number(const struct value *value, const struct unit *units, const char *form,
                        uint64_t *number_out)
{
    size_t digits = 0;
    while (digits < value->text.len && value->text.at[digits] >= '0' &&
           value->text.at[digits] <= '9') {
        digits++;
    }
    uint64_t number;
    struct slice unit = slice_trim(slice_part(value->text, digits, value->text.len));
    if (slice_to_u64(slice_part(value->text, 0, digits), &number)) {
        for (const struct unit *row = units; row->name != NULL; row++) {
            if (slice_is(unit, row->name) && number <= UINT64_MAX / row->factor) {
                *number_out = number * row->factor;
                return true;
            }
        }
    }
    wrong(value, form);
    return false;
}

/* "90d", for messages: the largest unit that divides it. */
static struct slice write_number(struct arena *arena, uint64_t number, const struct unit *units)
{
    const struct unit *best = units;
    for (const struct unit *row = units; row->name != NULL; row++) {
        if (number != 0 && number % row->factor == 0 && row->factor >= best->factor) {
            best = row;
        }
    }
    return arena_printf(arena, "%llu%s", (unsigned long long)(number / best->factor), best->name);
}

static void set_number(const struct value *value, const struct unit *units, const char *form,
                       void *field)
{
    const struct setting *setting = value->setting;
    struct arena *arena = value->reader->arena;
    uint64_t number;
    if (!read_number(value, units, form, &number)) {
        return;
    }
    if (number < setting->least || number > setting->most) {
        struct slice least = write_number(arena, setting->least, units);
        struct slice most = write_number(arena, setting->most, units);
        diag_add(value->reader->diags, DIAG_CONFIG_VALUE, value->span,
                 "%s: must be from %.*s to %.*s", setting->path, SLICE_ARGS(least),
                 SLICE_ARGS(most));
        return;
    }
    *(uint64_t *)field = number;
}

static void set_count(const struct value *value, void *field)
{
    static const struct unit units[] = {{"", 1}, {NULL, 0}};
    set_number(value, units, "must be a whole number", field);
}

static void set_bytes(const struct value *value, void *field)
{
    static const struct unit units[] = {
        {"", 1}, {"B", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}, {NULL, 0}};
    set_number(value, units, "must be a size: a whole number with B, KiB, MiB or GiB", field);
}

static void set_duration(const struct value *value, void *field)
{
    static const struct unit units[] = {{"ms", 1},      {"s", 1000},     {"min", 60000},
                                        {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
    set_number(value, units, "must be a time: a whole number with ms, s, min, h or d", field);
}

static void set_bool(const struct value *value, void *field)
{
    if (slice_is(value->text, "true") || slice_is(value->text, "false")) {
        *(bool *)field = slice_is(value->text, "true");
    } else {
        wrong(value, "must be true or false");
    }
}

/* ---- texts ---- */

static bool check_length(const struct value *value, size_t length)
{
    const struct setting *setting = value->setting;
    if (value->text.len != 0 && memchr(value->text.at, '\0', value->text.len) != NULL) {
        wrong(value, "must have no NUL in it");
        return false;
    }
    if (length >= setting->least && length <= setting->most) {
        return true;
    }
    if (length < setting->least) {
        wrong(value, "must not be empty");
    } else {
        diag_add(value->reader->diags, DIAG_CONFIG_VALUE, value->span,
                 "%s: must have at most %llu characters", setting->path,
                 (unsigned long long)setting->most);
    }
    return false;
}

static void set_text(const struct value *value, void *field)
{
    if (check_length(value, value->text.len)) {
        *(struct slice *)field = value->text;
    }
}

static void set_name(const struct value *value, void *field)
{
    bool well = value->text.len != 0 && value->text.at[0] >= 'a' && value->text.at[0] <= 'z';
    for (size_t i = 0; i < value->text.len && well; i++) {
        char c = value->text.at[i];
        well = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    }
    if (!well) {
        wrong(value, "must be a name: lower-case letters, digits and -, a letter first");
    } else if (check_length(value, value->text.len)) {
        *(struct slice *)field = value->text;
    }
}

static void set_uuid(const struct value *value, void *field)
{
    struct uuid uuid;
    if (uuid_read(value->text, &uuid)) {
        *(struct slice *)field = value->text;
    } else {
        wrong(value, "must be a UUID");
    }
}

static void set_address(const struct value *value, void *field)
{
    char text[INET6_ADDRSTRLEN] = "";
    unsigned char bytes[16];
    if (value->text.len < sizeof text) {
        memcpy(text, value->text.at, value->text.len);
    }
    if (inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1) {
        *(struct slice *)field = value->text;
    } else {
        wrong_hint(value, "must be an IPv4 or IPv6 address", "127.0.0.1 is this machine alone");
    }
}

static void set_choice(const struct value *value, void *field)
{
    const char *const *words = value->setting->words;
    struct slice names[16];
    size_t count = 0;
    for (; words[count] != NULL && count < 16; count++) {
        names[count] = slice_of(words[count]);
        if (slice_equal(names[count], value->text)) {
            *(unsigned *)field = (unsigned)count;
            return;
        }
    }
    struct buf list;
    buf_init(&list, value->reader->arena, 1000);
    for (size_t i = 0; i < count; i++) {
        buf_printf(&list, "%s%s", i == 0 ? "" : i + 1 < count ? ", " : " or ", words[i]);
    }
    struct diag *diag = diag_add(value->reader->diags, DIAG_CONFIG_VALUE, value->span,
                                 "%s: must be %s", value->setting->path, list.at);
    diag_hint_nearest(value->reader->diags, diag, value->text, names, count);
}

/* ---- URLs ---- */

/* The host of scheme://host[:port][/path], brackets of an IPv6 address included. */
static struct slice url_host(struct slice url)
{
    size_t from = slice_find(url, SLICE("://"), 0);
    if (from == SIZE_MAX) {
        return SLICE_NONE;
    }
    struct slice rest = slice_part(url, from + 3, url.len);
    struct slice host;
    slice_cut(&rest, '/', &host);
    if (host.len != 0 && host.at[0] == '[') {
        size_t close = slice_find(host, SLICE("]"), 0);
        return close == SIZE_MAX ? SLICE_NONE : slice_part(host, 0, close + 1);
    }
    struct slice port = host;
    slice_cut(&port, ':', &host);
    return host;
}

bool config_url_is_loopback(struct slice url)
{
    struct slice host = url_host(url);
    char text[16] = "";
    unsigned char bytes[4];
    if (host.len != 0 && host.len < sizeof text) {
        memcpy(text, host.at, host.len);
    }
    return slice_is(host, "localhost") || slice_is(host, "[::1]") ||
           (inet_pton(AF_INET, text, bytes) == 1 && bytes[0] == 127);
}

static void set_url(const struct value *value, void *field)
{
    struct slice url = value->text;
    if (url.len == 0 && value->setting->least == 0) {
        return;
    }
    while (slice_ends_with(url, SLICE("/"))) {
        url.len--;
    }
    if (slice_starts_with(url, SLICE("http://"))) {
        wrong_hint(value, "must be https: children's data cross it",
                   "the gateway speaks TLS alone, on a loopback address too");
        return;
    }
    if (!slice_starts_with(url, SLICE("https://"))) {
        wrong_hint(value, "must be a URL", "it begins with https://");
        return;
    }
    for (size_t i = 0; i < url.len; i++) {
        if ((unsigned char)url.at[i] <= ' ' || strchr("?#@\"<>\\^`{|}", url.at[i]) != NULL) {
            wrong(value, "must be a URL without user, query or fragment");
            return;
        }
    }
    if (url_host(url).len == 0) {
        wrong(value, "must be a URL with a host");
    } else {
        *(struct slice *)field = url;
    }
}

/* ---- files ---- */

static struct slice resolve(const struct value *value)
{
    if (value->text.len == 0 || value->text.at[0] == '/' || slice_is(value->reader->folder, ".")) {
        return value->text;
    }
    return arena_printf(value->reader->arena, "%.*s/%.*s", SLICE_ARGS(value->reader->folder),
                        SLICE_ARGS(value->text));
}

static void check_file(const struct value *value, struct slice path)
{
    const struct config_reader *reader = value->reader;
    char *cpath = arena_cstr(reader->arena, path);
    struct stat facts;
    enum setting_type type = value->setting->type;
    bool folder = type == SETTING_FOLDER || type == SETTING_FOLDERS;
    if (type == SETTING_SECRET_FILE) {
        struct secret *secret = NULL;
        secret_load(cpath, value->span, reader->diags, &secret);
        secret_destroy(&secret);
        return;
    }
    int error = stat(cpath, &facts) != 0 || access(cpath, R_OK) != 0 ? errno : 0;
    if (error != 0) {
        diag_add(reader->diags, DIAG_CONFIG_FILE, value->span, "%s: %s: %s", value->setting->path,
                 cpath, strerror(error));
    } else if (S_ISDIR(facts.st_mode) != folder) {
        diag_add(reader->diags, DIAG_CONFIG_FILE, value->span, "%s: %s: is %s",
                 value->setting->path, cpath, folder ? "no folder" : "a folder");
    }
}

static void set_path(const struct value *value, void *field)
{
    if (!check_length(value, value->text.len)) {
        return;
    }
    struct slice path = resolve(value);
    if (value->setting->type != SETTING_PATH && path.len != 0 &&
        value->reader->options->check_files) {
        check_file(value, path);
    }
    *(struct slice *)field = path;
}

/* ---- zones ---- */

static bool is_zone_name(struct slice name)
{
    bool well = name.len != 0 && name.len < 64 && name.at[0] >= 'A' && name.at[0] <= 'Z';
    for (size_t i = 0; i < name.len && well; i++) {
        char c = name.at[i];
        well = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               strchr("_+-/", c) != NULL;
    }
    return well;
}

static enum status load_zone(struct arena *arena, struct slice name, const struct zone **zone_out)
{
    char path[128];
    char bytes[65536];
    snprintf(path, sizeof path, "/usr/share/zoneinfo/%.*s", SLICE_ARGS(name));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return STATUS_ABSENT;
    }
    ssize_t got = read(fd, bytes, sizeof bytes);
    close(fd);
    if (got < 0) {
        return STATUS_IO;
    }
    return zone_from_tzif(arena, name, slice_from(bytes, (size_t)got), zone_out);
}

static void set_zone(const struct value *value, void *field)
{
    struct arena *arena = value->reader->arena;
    const struct zone *zone = NULL;
    if (zone_from_offset(arena, value->text, &zone) != STATUS_OK) {
        if (!is_zone_name(value->text)) {
            wrong_hint(value, "must be a time zone", "write America/Chicago, or -06:00");
            return;
        }
        if (load_zone(arena, value->text, &zone) != STATUS_OK) {
            wrong_hint(
                value, "is no time zone of this machine",
                "`timedatectl list-timezones` lists them; they come with the package tzdata");
            return;
        }
    }
    *(const struct zone **)field = zone;
}

/* ---- lists of texts ---- */

static void (*text_setter(enum setting_type type))(const struct value *, void *)
{
    return type == SETTING_FOLDERS ? set_path : set_text;
}

/* One entry has the bounds of a text, the list those of the setting. */
static void set_texts(const struct config_reader *reader, const struct setting *setting,
                      const struct yaml *node, struct slice preset, void *field)
{
    struct setting entry = *setting;
    entry.least = 1;
    entry.most = 4096;
    bool list = node != NULL && node->kind == YAML_LIST;
    size_t count = list ? node->count : preset.len != 0 || node != NULL;
    struct slice *texts = ARENA_ARRAY(reader->arena, count, struct slice);
    const struct yaml *next = list ? node->first : node;
    for (size_t i = 0; i < count; i++) {
        struct value value = {reader, &entry, preset, SPAN_NONE};
        if (next != NULL && next->kind != YAML_SCALAR) {
            diag_add(reader->diags, DIAG_CONFIG_VALUE, next->span, "%s: must be a list of texts",
                     setting->path);
            return;
        }
        if (next != NULL) {
            value.text = next->scalar.text;
            value.span = next->span;
        }
        text_setter(setting->type)(&value, &texts[i]);
        next = list && next != NULL ? next->next : NULL;
    }
    if (node != NULL && (count < setting->least || count > setting->most)) {
        diag_add(reader->diags, DIAG_CONFIG_VALUE, node->span, "%s: must have %llu to %llu entries",
                 setting->path, (unsigned long long)setting->least,
                 (unsigned long long)setting->most);
        return;
    }
    *(struct config_texts *)field = (struct config_texts){texts, count};
}

/* ---- by type ---- */

static void set_scalar(const struct value *value, void *field)
{
    switch (value->setting->type) {
    case SETTING_NAME:
        set_name(value, field);
        break;
    case SETTING_TEXT:
        set_text(value, field);
        break;
    case SETTING_PATH:
    case SETTING_FILE:
    case SETTING_SECRET_FILE:
    case SETTING_FOLDER:
        set_path(value, field);
        break;
    case SETTING_URL:
        set_url(value, field);
        break;
    case SETTING_ADDRESS:
        set_address(value, field);
        break;
    case SETTING_UUID:
        set_uuid(value, field);
        break;
    case SETTING_ZONE:
        set_zone(value, field);
        break;
    case SETTING_BOOL:
        set_bool(value, field);
        break;
    case SETTING_COUNT:
        set_count(value, field);
        break;
    case SETTING_BYTES:
        set_bytes(value, field);
        break;
    case SETTING_DURATION:
        set_duration(value, field);
        break;
    case SETTING_CHOICE:
        set_choice(value, field);
        break;
    case SETTING_TEXTS:
    case SETTING_FOLDERS:
    case SETTING_LIST:
        break; /* no scalars */
    }
}

void config_read_value(const struct config_reader *reader, const struct setting *setting,
                       const struct yaml *node, void *field)
{
    bool bare = node->kind == YAML_SCALAR && node->scalar.style == YAML_PLAIN;
    if (bare && node->scalar.text.len == 0) {
        struct diag *diag = diag_add(reader->diags, DIAG_CONFIG_VALUE, node->key.span,
                                     "%s: has no value", setting->path);
        diag_hint(reader->diags, diag, "leave the line out where the preset is meant");
    } else if (setting->type == SETTING_TEXTS || setting->type == SETTING_FOLDERS) {
        set_texts(reader, setting, node, SLICE_NONE, field);
    } else if (node->kind != YAML_SCALAR) {
        diag_add(reader->diags, DIAG_CONFIG_VALUE, node->span, "%s: must be one value, not %s",
                 setting->path, yaml_kind_name(node->kind));
    } else {
        struct value value = {reader, setting, node->scalar.text, node->span};
        set_scalar(&value, field);
    }
}

void config_read_preset(const struct config_reader *reader, const struct setting *setting,
                        void *field)
{
    struct slice text = slice_of(setting->preset);
    if (setting->type == SETTING_TEXTS || setting->type == SETTING_FOLDERS) {
        set_texts(reader, setting, NULL, text, field);
    } else if (text.len != 0) {
        struct value value = {reader, setting, text, SPAN_NONE};
        set_scalar(&value, field);
    }
}
