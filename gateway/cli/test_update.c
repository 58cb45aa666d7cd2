#include "gateway/cli/test_update.h"

#include <errno.h>
#include <string.h>

/* ---- which cases show something whole that no other does ---- */

enum { SHOWN_MOST = 4096 };

struct shown {
    struct slice at[SHOWN_MOST];
    size_t count;
};

static bool add_shown(struct shown *shown, struct slice name)
{
    for (size_t i = 0; i < shown->count; i++) {
        if (slice_equal(shown->at[i], name)) {
            return false;
        }
    }
    if (shown->count < SHOWN_MOST) {
        shown->at[shown->count++] = name;
    }
    return true;
}

/* Its row, items and prompts count as shown; true: one was new. Of a hand-over the prompts belong
 * to what the row says. */
static bool shows_more(struct arena *arena, struct shown *shown,
                       const struct evaluation_result *result)
{
    struct slice of = result->plan.len != 0 ? result->plan : result->reason;
    bool more = add_shown(shown, arena_printf(arena, "row %zu", result->row));
    for (size_t i = 0; i < result->item_count; i++) {
        more |= add_shown(shown, arena_printf(arena, "%.*s %.*s", SLICE_ARGS(of),
                                              SLICE_ARGS(result->items[i].key)));
    }
    for (size_t i = 0; i < result->prompt_count; i++) {
        more |= add_shown(shown, arena_printf(arena, "%.*s ? %.*s", SLICE_ARGS(of),
                                              SLICE_ARGS(result->prompts[i])));
    }
    return more;
}

/* ---- writing ---- */

static bool write_whole(struct cli *cli, const struct mapping *mapping, const char *folder,
                        const struct case_run *run)
{
    struct limits limits = LIMITS_DEFAULT;
    struct slice text = case_whole_text(mapping, cli->arena, run, &limits);
    if (run->whole && slice_equal(text, run->whole_file)) {
        return true;
    }
    struct slice path = arena_printf(cli->arena, "%s/%.*s", folder,
                                     SLICE_ARGS(case_whole_path(cli->arena, run->name)));
    FILE *file = fopen(path.at, "w");
    bool good = file != NULL && fwrite(text.at, 1, text.len, file) == text.len;
    good = file != NULL && fclose(file) == 0 && good;
    if (!good) {
        fprintf(cli->err, "%s: cannot be written: %s\n", path.at, strerror(errno));
        return false;
    }
    fprintf(cli->out, "written: %s\n", path.at);
    return true;
}

bool test_update(struct cli *cli, const struct mapping *mapping, const char *folder,
                 const struct case_run *runs, size_t count)
{
    struct shown *shown = ARENA_NEW(cli->arena, struct shown);
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        if (runs[i].whole) {
            shows_more(cli->arena, shown, &runs[i].result);
        }
    }
    for (size_t i = 0; i < count && good; i++) {
        enum outcome outcome = runs[i].result.outcome;
        bool told = runs[i].status == STATUS_OK &&
                    (outcome == OUTCOME_PROPOSAL || outcome == OUTCOME_HAND_OVER);
        if (runs[i].whole || (told && shows_more(cli->arena, shown, &runs[i].result))) {
            good = write_whole(cli, mapping, folder, &runs[i]);
        }
    }
    return good;
}
