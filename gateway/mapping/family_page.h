/*
 * What the family reads of a plan: its family texts in one language, and the page made of them. The
 * page is one HTML file that loads nothing, readable at 320 px and by a screen reader, and prints
 * on A4 and letter. Pure. A language without texts gives no page but one sentence that asks for an
 * interpreter; texts that nobody reviewed are marked so on the page, and so is a plan that nobody
 * accepted. Tests: tests/mapping/suite_page.mjs.
 */
#ifndef GATEWAY_MAPPING_FAMILY_PAGE_H
#define GATEWAY_MAPPING_FAMILY_PAGE_H

#include "gateway/mapping/mapping.h"

/* One thing to try for a goal, somewhere (settings.def). */
struct family_try {
    size_t goal;        /* index in goals */
    struct slice place; /* "home" */
    struct slice text;
};

struct family_text {
    struct slice language; /* of the texts; empty: there are none, an interpreter is needed */
    bool reviewed;
    struct slice title;
    struct slice intro; /* may be empty */
    struct slice *goals;
    size_t goal_count;
    bool chosen; /* the goals are those that the family picked: what to try for them is shown */
    struct family_try *tries; /* in the order of the goals */
    size_t try_count;
    struct slice *more; /* other family texts, in the order of their file */
    size_t more_count;
};

struct family_choice {
    struct slice language;     /* "es", "es-MX"; empty: the mapping's first */
    const struct slice *goals; /* keys of the goals chosen ("goals.water"); goal_count 0: all */
    size_t goal_count;
};

/*
 * Of an evaluation that came to a proposal. STATUS_INVALID: a text wants a value that this plan
 * does not give, or a chosen goal is not in it; diags says which. Lives in the arena.
 */
enum status mapping_family_text(const struct mapping *mapping, struct arena *arena,
                                const struct evaluation_result *result,
                                const struct family_choice *choice, struct diag_list *diags,
                                struct family_text *text_out);

/* The page; `visit`: its date. Lives in the arena. */
struct slice family_page_html(struct arena *arena, const struct family_text *text,
                              const struct datetime *visit);

#endif
