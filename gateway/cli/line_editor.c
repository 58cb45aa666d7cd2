#include "gateway/cli/line_editor.h"

#include <histedit.h>
#include <stdlib.h>
#include <unistd.h>

enum { HISTORY_LINES = 500, SHOWN_MOST = 40, LINE_MOST = 64 * 1024 };

struct line_editor {
    struct cli *cli;
    const char *prompt;
    const struct slice *words;
    size_t word_count;
    EditLine *edit; /* NULL: not a terminal */
    History *history;
    char *line; /* of a pipe */
    size_t room;
};

static struct line_editor *editor_of(EditLine *edit)
{
    void *data = NULL;
    el_get(edit, EL_CLIENTDATA, &data);
    return data;
}

static char *prompt_of(EditLine *edit)
{
    return arena_cstr(editor_of(edit)->cli->arena, slice_of(editor_of(edit)->prompt));
}

/* ---- completion ---- */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '%';
}

/* A variable has points in it; a function follows one. */
static struct slice word_before(struct slice line, bool variable)
{
    size_t from = line.len;
    while (from > 0 && (is_word(line.at[from - 1]) || (variable && line.at[from - 1] == '.'))) {
        from--;
    }
    return slice_part(line, from, SIZE_MAX);
}

/* What all words that begin so have in common beyond it; *count_out of them. */
static struct slice common_rest(const struct line_editor *e, struct slice start, size_t *count_out)
{
    struct slice common = SLICE_NONE;
    size_t count = 0;
    for (size_t i = 0; i < e->word_count; i++) {
        struct slice word = e->words[i];
        if (!slice_starts_with(word, start)) {
            continue;
        }
        size_t same = 0;
        while (count != 0 && same < common.len && same < word.len &&
               common.at[same] == word.at[same]) {
            same++;
        }
        common = count == 0 ? word : slice_part(common, 0, same);
        count++;
    }
    *count_out = count;
    return count != 0 ? slice_part(common, start.len, SIZE_MAX) : SLICE_NONE;
}

static void show_words(const struct line_editor *e, struct slice start)
{
    size_t shown = 0;
    fputc('\n', e->cli->out);
    for (size_t i = 0; i < e->word_count && shown < SHOWN_MOST; i++) {
        if (slice_starts_with(e->words[i], start)) {
            fprintf(e->cli->out, "%.*s  ", SLICE_ARGS(e->words[i]));
            shown++;
        }
    }
    fputc('\n', e->cli->out);
    fflush(e->cli->out);
}

static unsigned char complete(EditLine *edit, int key)
{
    struct line_editor *e = editor_of(edit);
    const LineInfo *info = el_line(edit);
    struct slice line = slice_from(info->buffer, (size_t)(info->cursor - info->buffer));
    struct slice start = word_before(line, true);
    size_t count = 0;
    (void)key;
    if (start.len == 0 || start.at[0] != '%') {
        start = word_before(line, false);
    }
    struct slice rest = start.len != 0 ? common_rest(e, start, &count) : SLICE_NONE;
    if (rest.len != 0) {
        el_insertstr(edit, arena_cstr(e->cli->arena, rest));
        return CC_REFRESH;
    }
    if (count > 1) {
        show_words(e, start);
        return CC_REDISPLAY;
    }
    return CC_REFRESH_BEEP;
}

/* ---- life ---- */

static void close_editor(void *arg)
{
    struct line_editor *e = arg;
    if (e->history != NULL) {
        history_end(e->history);
    }
    if (e->edit != NULL) {
        el_end(e->edit);
    }
    free(e->line);
}

static void open_terminal(struct line_editor *e)
{
    HistEvent event;
    e->edit = el_init("eplan", e->cli->in, e->cli->out, e->cli->err);
    e->history = history_init();
    if (e->edit == NULL || e->history == NULL) {
        return;
    }
    history(e->history, &event, H_SETSIZE, HISTORY_LINES);
    el_set(e->edit, EL_CLIENTDATA, e);
    el_set(e->edit, EL_PROMPT, prompt_of);
    el_set(e->edit, EL_EDITOR, "emacs");
    el_set(e->edit, EL_HIST, history, e->history);
    el_set(e->edit, EL_ADDFN, "complete", "completes a name", complete);
    el_set(e->edit, EL_BIND, "^I", "complete", NULL);
}

struct line_editor *line_editor_open(struct cli *cli, const char *prompt, const struct slice *words,
                                     size_t word_count)
{
    struct line_editor *e = ARENA_NEW(cli->arena, struct line_editor);
    e->cli = cli;
    e->prompt = prompt;
    e->words = words;
    e->word_count = word_count;
    arena_defer(cli->arena, close_editor, e);
    if (isatty(fileno(cli->in)) != 0) {
        open_terminal(e);
    }
    return e;
}

static bool next_of_pipe(struct line_editor *e, struct slice *line_out)
{
    ssize_t len = getline(&e->line, &e->room, e->cli->in);
    if (len < 0 || len > LINE_MOST) {
        return false;
    }
    *line_out = slice_trim(slice_from(e->line, (size_t)len));
    return true;
}

bool line_editor_next(struct line_editor *e, struct slice *line_out)
{
    HistEvent event;
    int len = 0;
    if (e->edit == NULL) {
        return next_of_pipe(e, line_out);
    }
    fflush(e->cli->out);
    const char *line = el_gets(e->edit, &len);
    if (line == NULL || len <= 0) {
        return false;
    }
    *line_out = slice_trim(slice_from(line, (size_t)len));
    if (line_out->len != 0) {
        history(e->history, &event, H_ENTER, line);
    }
    return true;
}
