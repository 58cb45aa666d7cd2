/*
 * Lines from a person or a pipe. At a terminal: editing, history (of this run alone, kept in no
 * file) and completion with the tab key; elsewhere plain lines without a prompt. The only user of
 * libedit.
 */
#ifndef GATEWAY_CLI_LINE_EDITOR_H
#define GATEWAY_CLI_LINE_EDITOR_H

#include "gateway/cli/cli.h"

struct line_editor;

/* `words`: what completion offers, word_count of them; borrowed. Ends with cli->arena. */
struct line_editor *line_editor_open(struct cli *cli, const char *prompt, const struct slice *words,
                                     size_t word_count);

/* The next line without its end; false behind the last. Borrowed until the next call. */
bool line_editor_next(struct line_editor *editor, struct slice *line_out);

#endif
