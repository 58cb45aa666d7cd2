#include "gateway/cli/verbs.h"
#include "gateway/mapping/schema.h"

int verb_schema(struct cli *cli, int argc, char **argv)
{
    size_t count;
    const char *const *kinds = mapping_schema_kinds(&count);
    struct json *schema =
        argc == 2 ? mapping_schema(cli->arena, model_r4(), slice_of(argv[1])) : NULL;
    if (schema == NULL) {
        struct buf list;
        buf_init(&list, cli->arena, 1024);
        for (size_t i = 0; i < count; i++) {
            buf_printf(&list, "%s%s", i == 0 ? "" : i + 1 == count ? " or " : ", ", kinds[i]);
        }
        return cli_usage(cli, "schema", "names one kind of file: %s", list.at);
    }
    fprintf(cli->out, "%s\n", json_write(cli->arena, schema, JSON_PRETTY).at);
    return EXIT_DONE;
}
