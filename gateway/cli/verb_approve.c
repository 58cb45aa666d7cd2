#include <string.h>

#include "gateway/cli/arguments.h"
#include "gateway/cli/verbs.h"
#include "gateway/cli/workbench.h"
#include "gateway/mapping/approvals.h"

struct approving {
    struct cli *cli;
    struct workbench bench;
    enum approval_role role;
    struct slice name;
    struct slice on;
    struct slice review_by;
    struct slice *parts;
    size_t part_count;
    struct approval *approvals;
    size_t count;
};

static struct slice date_text(struct arena *arena, const struct datetime *date)
{
    char text[DATETIME_TEXT];
    return arena_copy(arena, slice_from(text, datetime_print(date, text)));
}

/* A year from now, unless the caller says; the day must lie ahead. */
static int read_review_by(struct approving *a, const char *given)
{
    struct datetime today = workbench_today();
    struct datetime until;
    a->on = date_text(a->cli->arena, &today);
    if (given == NULL) {
        datetime_add(&today, 1, CALENDAR_YEAR, &until);
    } else if (datetime_parse(slice_of(given), FORM_FHIR_DATE, &until, NULL) != STATUS_OK ||
               until.part != PART_DAY) {
        return cli_usage(a->cli, "approve", "--review-by wants a date: 2027-01-31");
    } else if (datetime_compare(&until, &today) != ORDER_GREATER) {
        return cli_usage(a->cli, "approve", "--review-by wants a day that lies ahead");
    }
    a->review_by = date_text(a->cli->arena, &until);
    return EXIT_DONE;
}

static bool is_name(struct slice name)
{
    bool plain = name.len != 0 && name.len <= 200 && !slice_is(name, "none") &&
                 utf8_check(name) == SIZE_MAX && slice_equal(name, slice_trim(name));
    for (size_t i = 0; i < name.len; i++) {
        plain = plain && (unsigned char)name.at[i] >= ' ' && name.at[i] != 0x7f;
    }
    return plain;
}

/* All parts that the role must approve, or the one that is named and among them. */
static int choose_parts(struct approving *a, const char *part)
{
    FILE *err = a->cli->err;
    const char *role = approval_role_name(a->role);
    a->part_count = mapping_parts_to_approve(a->bench.mapping, a->cli->arena, a->role, &a->parts);
    for (size_t i = 0; i < a->part_count && part != NULL; i++) {
        if (slice_is(a->parts[i], part)) {
            a->parts = &a->parts[i];
            a->part_count = 1;
            return EXIT_DONE;
        }
    }
    if (part == NULL && a->part_count != 0) {
        return EXIT_DONE;
    }
    fprintf(err, "eplan approve: the %s role approves no part%s%s of this mapping\n", role,
            part != NULL ? " " : "", part != NULL ? part : "");
    for (size_t i = 0; i < a->part_count; i++) {
        fprintf(err, "%s%.*s%s", i == 0 ? "  hint: it approves " : ", ", SLICE_ARGS(a->parts[i]),
                i + 1 == a->part_count ? "\n" : "");
    }
    return EXIT_USAGE;
}

static bool is_approved_now(const struct approving *a, const struct approval *old)
{
    for (size_t i = 0; i < a->part_count; i++) {
        if (old->role == a->role && slice_equal(old->part, a->parts[i])) {
            return true;
        }
    }
    return false;
}

/* What others approved stays; what is approved again is replaced. */
static void gather(struct approving *a)
{
    const struct approval *old;
    size_t old_count = mapping_approvals(a->bench.mapping, &old);
    a->approvals = ARENA_ARRAY(a->cli->arena, old_count + a->part_count, struct approval);
    for (size_t i = 0; i < old_count; i++) {
        if (!is_approved_now(a, &old[i])) {
            a->approvals[a->count++] = old[i];
        }
    }
    for (size_t i = 0; i < a->part_count; i++) {
        a->approvals[a->count++] =
            (struct approval){.part = a->parts[i],
                              .role = a->role,
                              .hash = mapping_part_hash(a->bench.mapping, a->parts[i]),
                              .by = a->name,
                              .on = a->on,
                              .review_by = a->review_by};
    }
}

static int write_file(const struct approving *a, const char *folder)
{
    struct cli *cli = a->cli;
    char *path = arena_cstr(cli->arena, arena_printf(cli->arena, "%s/approvals.yaml", folder));
    int exit = workbench_write(cli, path, approvals_write(cli->arena, a->approvals, a->count));
    for (size_t i = 0; i < a->part_count && exit == EXIT_DONE; i++) {
        fprintf(cli->out, "%.*s: approved as %s by %.*s, to be reviewed by %.*s\n",
                SLICE_ARGS(a->parts[i]), approval_role_name(a->role), SLICE_ARGS(a->name),
                SLICE_ARGS(a->review_by));
    }
    return exit;
}

int verb_approve(struct cli *cli, int argc, char **argv)
{
    struct approving a = {.cli = cli};
    const char *role = NULL;
    const char *name = NULL;
    const char *part = NULL;
    const char *review_by = NULL;
    const char *words[1];
    const struct argument_option options[] = {{"--as", NULL, &role},
                                              {"--name", NULL, &name},
                                              {"--part", NULL, &part},
                                              {"--review-by", NULL, &review_by}};
    int exit = arguments_read(cli, argc, argv, options, 4, words, 1, 1, "names one folder");
    if (exit != EXIT_DONE) {
        return exit;
    }
    if (role == NULL || !approval_role_find(slice_of(role), &a.role)) {
        return cli_usage(cli, "approve", "--as is clinical, informatics or translator");
    }
    a.name = slice_of(name);
    if (!is_name(a.name)) {
        return cli_usage(cli, "approve", "--name wants the name of the person who approves");
    }
    exit = read_review_by(&a, review_by);
    if (exit == EXIT_DONE) {
        exit = workbench_open(cli, "approve", words[0], &a.bench);
    }
    if (exit == EXIT_DONE) {
        exit = choose_parts(&a, part);
    }
    if (exit == EXIT_DONE) {
        gather(&a);
        exit = write_file(&a, words[0]);
    }
    return exit;
}
