#include "gateway/book/book_pages.h"
#include "gateway/plan/narrative.h"

enum { HTML_MOST = 16 * 1024 * 1024 };

static const char head[] =
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<style>\n"
    "@page { size: A4; margin: 18mm }\n"
    "body { margin: 0 auto; padding: 1rem; max-width: 60rem; font: 1rem/1.45 system-ui, sans-serif;"
    " color: #1a1a1a; background: #fff }\n"
    "h1 { font-size: 1.8rem } h2 { font-size: 1.35rem; margin-top: 2rem } h3 { font-size: 1.1rem "
    "}\n"
    ".table { overflow-x: auto } table { border-collapse: collapse; width: 100%; margin: .75rem 0 "
    "}\n"
    "th, td { border: 1px solid #767676; padding: .3rem .5rem; text-align: left; vertical-align: "
    "top;"
    " overflow-wrap: anywhere; min-width: 4rem }\n"
    "th { background: #eee } tr { break-inside: avoid } thead { display: table-header-group }\n"
    "@media print { body { padding: 0; max-width: none; font-size: 10pt } .table { overflow: "
    "visible"
    " } }\n"
    "</style>\n";

static void add_cell(struct buf *out, struct arena *arena, const char *open, struct slice text,
                     const char *close)
{
    struct slice escaped = narrative_escape(arena, text);
    buf_printf(out, "%s%.*s%s", open, SLICE_ARGS(escaped), close);
}

static void add_table(struct buf *out, struct arena *arena, const struct book_block *block)
{
    buf_add_cstr(out, "<div class=\"table\"><table>\n<thead><tr>");
    for (size_t i = 0; i < block->columns; i++) {
        add_cell(out, arena, "<th scope=\"col\">", block->head[i], "</th>");
    }
    buf_add_cstr(out, "</tr></thead>\n<tbody>\n");
    for (size_t r = 0; r < block->rows; r++) {
        buf_add_cstr(out, "<tr>");
        for (size_t i = 0; i < block->columns; i++) {
            add_cell(out, arena, "<td>", block->cells[r * block->columns + i], "</td>");
        }
        buf_add_cstr(out, "</tr>\n");
    }
    buf_add_cstr(out, "</tbody></table></div>\n");
}

struct slice book_html(struct arena *arena, const struct book *book)
{
    static const struct {
        const char *open;
        const char *close;
    } elements[] = {[BOOK_TITLE] = {"<h1>", "</h1>\n"},
                    [BOOK_SECTION] = {"<h2>", "</h2>\n"},
                    [BOOK_HEADING] = {"<h3>", "</h3>\n"},
                    [BOOK_TEXT] = {"<p>", "</p>\n"}};
    struct buf out;
    buf_init(&out, arena, HTML_MOST);
    buf_add_cstr(&out, "<!doctype html>\n<html lang=\"en\">\n<head>\n");
    add_cell(&out, arena, "<title>", book->title, "</title>\n");
    buf_add_cstr(&out, head);
    buf_add_cstr(&out, "</head>\n<body>\n<main>\n");
    for (size_t i = 0; i < book->count; i++) {
        const struct book_block *block = &book->blocks[i];
        if (block->kind == BOOK_TABLE) {
            add_table(&out, arena, block);
        } else {
            add_cell(&out, arena, elements[block->kind].open, block->text,
                     elements[block->kind].close);
        }
    }
    buf_add_cstr(&out, "</main>\n</body>\n</html>\n");
    return buf_view(&out);
}
