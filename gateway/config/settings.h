/* The rows of settings.def as a table, and how one value is read. Private to gateway/config, and to
 * the test that holds conf/ against the table. */
#ifndef GATEWAY_CONFIG_SETTINGS_H
#define GATEWAY_CONFIG_SETTINGS_H

#include "gateway/base/yaml.h"
#include "gateway/config/config.h"

enum setting_scope { SCOPE_gateway, SCOPE_ehr, SCOPE_subscription, SCOPE_sender, SCOPE_acceptor };

enum setting_type {
    SETTING_NAME,        /* a-z, 0-9 and -, begins with a letter; bounds: characters */
    SETTING_TEXT,        /* bounds: bytes */
    SETTING_TEXTS,       /* a text or a list of texts; bounds: how many */
    SETTING_PATH,        /* a file or folder that need not exist; relative to the file's folder */
    SETTING_FILE,        /* a file that must be readable */
    SETTING_SECRET_FILE, /* and that nobody else may read */
    SETTING_FOLDER,
    SETTING_FOLDERS, /* bounds: how many */
    SETTING_URL,     /* http or https, without query; the trailing slash is cut */
    SETTING_ADDRESS, /* IPv4 or IPv6 */
    SETTING_UUID,
    SETTING_ZONE,
    SETTING_BOOL,     /* true, false */
    SETTING_COUNT,    /* bounds: the number */
    SETTING_BYTES,    /* 32KiB; bounds: bytes */
    SETTING_DURATION, /* 500ms, 20s, 2min, 1h, 90d; bounds: milliseconds */
    SETTING_CHOICE,
    SETTING_LIST, /* of maps of the scope `entry` */
};

struct setting {
    const char *path;
    const char *preset; /* as written; NULL: must be given; "": not set */
    const char *sentence;
    const char *const *words; /* of a choice, by value; NULL behind the last */
    uint64_t least;
    uint64_t most;
    size_t offset; /* of the field in struct config_<scope> */
    size_t size;   /* of the field */
    enum setting_scope scope;
    enum setting_scope entry; /* of a list */
    enum setting_type type;
    bool live;
};

extern const struct setting settings[];
extern const size_t setting_count;

/* What one file is read with. */
struct config_reader {
    struct arena *arena;
    struct diag_list *diags;
    const struct config_options *options;
    struct slice folder; /* of the file: where its relative paths begin */
};

/* Reads one value into the field. The mistake, if there is one, is in the diagnostics. */
void config_read_value(const struct config_reader *reader, const struct setting *setting,
                       const struct yaml *node, void *field);
/* The same for the preset of a setting that is not given. */
void config_read_preset(const struct config_reader *reader, const struct setting *setting,
                        void *field);

/* Reads a map into struct config_<scope>, presets included. */
void config_read_scope(const struct config_reader *reader, enum setting_scope of,
                       const struct yaml *map, void *out);

/* What must hold between settings. `root` is the file's map, for places. */
void config_check_gateway(const struct config_reader *reader, const struct yaml *root,
                          const struct config_gateway *gateway);
void config_check_ehr(const struct config_reader *reader, const struct yaml *root,
                      const struct config_gateway *gateway, const struct config_ehr *ehr);

/* The place of the value at a path ("auth.key-file"), else of the nearest map around it. */
struct span config_place(const struct yaml *root, const char *path);
/* Whether the file gives a value there. */
bool config_given(const struct yaml *root, const char *path);

/* A URL whose host is this machine's own: localhost, 127.0.0.0/8, ::1. */
bool config_url_is_loopback(struct slice url);

#endif
