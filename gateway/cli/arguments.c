#include "gateway/cli/arguments.h"

static const struct argument_option *find(const struct argument_option *options, size_t count,
                                          const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(options[i].name, name) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

int arguments_read(struct cli *cli, int argc, char **argv, const struct argument_option *options,
                   size_t option_count, const char **words, size_t least, size_t most,
                   const char *what)
{
    size_t count = 0;
    for (size_t i = 0; i < most; i++) {
        words[i] = NULL;
    }
    for (int i = 1; i < argc; i++) {
        bool dash = argv[i][0] == '-' && argv[i][1] != '\0';
        const struct argument_option *option = dash ? find(options, option_count, argv[i]) : NULL;
        if (dash && option == NULL) {
            return cli_usage(cli, argv[0], "does not know %s", argv[i]);
        }
        if (option != NULL && option->flag != NULL) {
            *option->flag = true;
        } else if (option != NULL) {
            if (i + 1 == argc) {
                return cli_usage(cli, argv[0], "%s wants something behind it", argv[i]);
            }
            *option->value = argv[++i];
        } else if (count == most) {
            return cli_usage(cli, argv[0], "%s", what);
        } else {
            words[count++] = argv[i];
        }
    }
    return count >= least ? EXIT_DONE : cli_usage(cli, argv[0], "%s", what);
}
