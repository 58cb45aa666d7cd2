#include <string.h>

#include "gateway/cli/report.h"
#include "gateway/cli/verbs.h"
#include "gateway/config/config.h"

static const char *const default_path = "/etc/eplan/gateway.yaml";

static void print_summary(struct cli *cli, const struct config *config)
{
    fprintf(cli->out, "%.*s: listens on %.*s port %llu, %zu EHR%s\n", SLICE_ARGS(config->file),
            SLICE_ARGS(config->gateway.listen.address),
            (unsigned long long)config->gateway.listen.port, config->ehr_count,
            config->ehr_count == 1 ? "" : "s");
    bool sealed =
        config->gateway.seal.key_file.len != 0 || config->gateway.seal.credential.len != 0;
    fprintf(cli->out, "  stored records: %s\n",
            sealed ? "sealed" : "not sealed (seal.key-file is not set)");
    for (size_t i = 0; i < config->ehr_count; i++) {
        const struct config_ehr *ehr = &config->ehrs[i];
        fprintf(cli->out, "  %.*s: %s, %.*s%s\n", SLICE_ARGS(ehr->name),
                config_mode_name(ehr->mode), SLICE_ARGS(ehr->base_url),
                ehr->synthetic ? ", synthetic" : "");
    }
    for (size_t i = 0; i < config->refused.count; i++) {
        fprintf(cli->out, "  %.*s: left out, see above\n", SLICE_ARGS(config->refused.at[i]));
    }
}

int verb_check_config(struct cli *cli, int argc, char **argv)
{
    const char *path = default_path;
    enum report_format format = REPORT_TEXT;
    struct config_options options = {.check_files = true};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-c") == 0 && i + 1 < argc) {
            path = argv[++i];
        } else if (strcmp(argv[i], "--no-files") == 0) {
            options.check_files = false;
        } else if (!report_option(argv[i], &format)) {
            return cli_usage(cli, "check-config", "does not know \"%s\"", argv[i]);
        }
    }
    struct diag_list diags;
    const struct config *config = NULL;
    diag_init(&diags, cli->arena, 200);
    enum status status = config_load(cli->arena, slice_of(path), &options, &diags, &config);
    report_print(cli, format, &diags);
    if (status == STATUS_IO) {
        return EXIT_UNREADABLE;
    }
    if (config != NULL && format == REPORT_TEXT) {
        print_summary(cli, config);
    }
    return diags.errors != 0 ? EXIT_FOUND : EXIT_DONE;
}
