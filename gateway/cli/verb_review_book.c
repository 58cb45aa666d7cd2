#include "gateway/book/book_pages.h"
#include "gateway/cli/arguments.h"
#include "gateway/cli/verbs.h"
#include "gateway/cli/workbench.h"

static int write_pdf(struct cli *cli, const char *path, const struct book *book,
                     const struct datetime *today)
{
    char day[DATETIME_TEXT];
    struct slice date = arena_copy(cli->arena, slice_from(day, datetime_print(today, day)));
    struct slice bytes;
    const char *fault = "";
    if (book_pdf(cli->arena, book, date, &bytes, &fault) != STATUS_OK) {
        fprintf(cli->err, "%s: cannot be made: %s\n", path, fault);
        return EXIT_FAULT;
    }
    return workbench_write(cli, path, bytes);
}

int verb_review_book(struct cli *cli, int argc, char **argv)
{
    const char *out = NULL;
    const char *words[1];
    struct workbench bench;
    struct book book;
    const struct argument_option options[] = {{"-o", NULL, &out}};
    int exit = arguments_read(cli, argc, argv, options, 1, words, 1, 1, "names one folder");
    if (exit != EXIT_DONE) {
        return exit;
    }
    bool pdf = out != NULL && slice_ends_with(slice_of(out), SLICE(".pdf"));
    bool html = out != NULL && slice_ends_with(slice_of(out), SLICE(".html"));
    if (!pdf && !html) {
        return cli_usage(cli, "review-book", "-o names a file that ends in .html or .pdf");
    }
    exit = workbench_open(cli, "review-book", words[0], &bench);
    if (exit != EXIT_DONE) {
        return exit;
    }
    struct datetime today = workbench_today();
    mapping_book(bench.mapping, cli->arena, bench.folder.files, bench.folder.count, &today, &book);
    return pdf ? write_pdf(cli, out, &book, &today)
               : workbench_write(cli, out, book_html(cli->arena, &book));
}
