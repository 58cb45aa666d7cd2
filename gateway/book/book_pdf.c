#include <cairo-pdf.h>
#include <cairo.h>

#include "gateway/book/book_pages.h"

/*
 * Laid out twice: the first time to count the pages, the second time to write them. Lengths are
 * points; A4. A row of a table is never cut by the end of a page unless it is longer than one; the
 * head of the table stands again on each page.
 */

enum { PDF_MOST = 64 * 1024 * 1024, LINES_MOST = 2000, COLUMNS_MOST = 16 };

static const double page_width = 595.28;
static const double page_height = 841.89;
static const double margin = 48.0;
static const double cell_padding = 3.0;
static const double leading = 1.3; /* of the font's size */

struct style {
    double size;
    bool bold;
    double before; /* space above */
};

static const struct style styles[] = {
    [BOOK_TITLE] = {20.0, true, 0.0},    [BOOK_SECTION] = {14.0, true, 18.0},
    [BOOK_HEADING] = {11.0, true, 12.0}, [BOOK_TEXT] = {10.0, false, 5.0},
    [BOOK_TABLE] = {8.0, false, 6.0},
};

struct page_maker {
    struct arena *arena;
    const struct book *book;
    cairo_t *cr;
    double y; /* of the next line's top */
    unsigned page;
    unsigned pages; /* 0 while they are counted */
    struct slice lines[LINES_MOST];
    double widths[COLUMNS_MOST]; /* of the table that is laid out */
};

/* ---- text ---- */

static void use_font(struct page_maker *p, double size, bool bold)
{
    cairo_select_font_face(p->cr, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(p->cr, size);
}

static double width_of(struct page_maker *p, struct slice text)
{
    cairo_text_extents_t extents;
    struct arena_mark mark = arena_mark(p->arena);
    cairo_text_extents(p->cr, arena_cstr(p->arena, text), &extents);
    arena_rewind(p->arena, mark);
    return extents.x_advance;
}

static bool is_break(char c)
{
    return c == ' ' || c == '\n' || c == '\t';
}

/* How many bytes of `text` fit: up to a space; a word that is too long is cut between characters.
 */
static size_t fit(struct page_maker *p, struct slice text, double room)
{
    size_t good = 0;
    for (size_t at = 0; at < text.len;) {
        size_t end = at;
        while (end < text.len && !is_break(text.at[end])) {
            end++;
        }
        if (width_of(p, slice_part(text, 0, end)) > room) {
            break;
        }
        good = end;
        if (end < text.len && text.at[end] == '\n') {
            return good;
        }
        at = end + 1;
    }
    if (good != 0) {
        return good;
    }
    size_t offset = 0;
    while (offset < text.len && !is_break(text.at[offset])) {
        size_t next = offset;
        if (utf8_next(text, &next) == UINT32_MAX) {
            next = offset + 1;
        }
        if (offset != 0 && width_of(p, slice_part(text, 0, next)) > room) {
            break;
        }
        offset = next;
    }
    return offset;
}

static size_t break_lines(struct page_maker *p, struct slice text, double room, struct slice *lines,
                          size_t most)
{
    size_t count = 0;
    while (text.len != 0 && count < most) {
        size_t len = fit(p, text, room);
        lines[count++] = slice_part(text, 0, len);
        while (len < text.len && is_break(text.at[len])) {
            len++;
        }
        text = slice_part(text, len, SIZE_MAX);
    }
    return count;
}

static void draw(struct page_maker *p, double x, double baseline, struct slice text)
{
    cairo_move_to(p->cr, x, baseline);
    cairo_show_text(p->cr, arena_cstr(p->arena, text));
}

/* ---- pages ---- */

static void end_page(struct page_maker *p)
{
    use_font(p, 8.0, false);
    struct slice number =
        p->pages != 0 ? arena_printf(p->arena, "page %u of %u", p->page, p->pages) : SLICE_NONE;
    draw(p, margin, page_height - margin / 2, p->book->title);
    draw(p, page_width - margin - width_of(p, number), page_height - margin / 2, number);
    cairo_show_page(p->cr);
}

static void new_page(struct page_maker *p)
{
    if (p->page != 0) {
        end_page(p);
    }
    p->page++;
    p->y = margin;
}

static bool fits(const struct page_maker *p, double height)
{
    return p->y + height <= page_height - margin;
}

/* ---- blocks ---- */

static void add_text(struct page_maker *p, const struct book_block *block)
{
    const struct style *style = &styles[block->kind];
    double height = style->size * leading;
    bool heading = block->kind == BOOK_SECTION || block->kind == BOOK_HEADING;
    use_font(p, style->size, style->bold);
    size_t count = break_lines(p, block->text, page_width - 2 * margin, p->lines, LINES_MOST);
    p->y += style->before;
    /* A heading does not stand alone at the foot of a page. */
    if (!fits(p, (double)count * height + (heading ? 60.0 : 0.0))) {
        new_page(p);
    }
    for (size_t i = 0; i < count; i++) {
        if (!fits(p, height)) {
            new_page(p);
        }
        use_font(p, style->size, style->bold);
        draw(p, margin, p->y + style->size, p->lines[i]);
        p->y += height;
    }
}

/* By what stands in the columns: the widest texts get more, none less than its longest word. */
static void share_width(struct page_maker *p, const struct book_block *block)
{
    double wanted[COLUMNS_MOST] = {0};
    double least[COLUMNS_MOST] = {0};
    double room = page_width - 2 * margin;
    for (size_t i = 0; i < block->columns; i++) {
        for (size_t r = 0; r <= block->rows; r++) {
            struct slice text =
                r == 0 ? block->head[i] : block->cells[(r - 1) * block->columns + i];
            struct slice rest = text;
            struct slice word;
            use_font(p, styles[BOOK_TABLE].size, r == 0);
            double width = width_of(p, text);
            wanted[i] = width > wanted[i] ? width : wanted[i];
            while (slice_cut(&rest, ' ', &word)) {
                width = width_of(p, word);
                least[i] = width > least[i] ? width : least[i];
            }
        }
        double most = room / (double)block->columns;
        least[i] = (least[i] > most ? most : least[i]) + 2 * cell_padding;
        wanted[i] = (wanted[i] > room / 2 ? room / 2 : wanted[i]) + 2 * cell_padding;
        wanted[i] = wanted[i] < least[i] ? least[i] : wanted[i];
        p->widths[i] = least[i];
    }
    double used = 0;
    double over = 0;
    for (size_t i = 0; i < block->columns; i++) {
        used += p->widths[i];
        over += wanted[i] - least[i];
    }
    double spare = room - used;
    for (size_t i = 0; i < block->columns; i++) {
        p->widths[i] +=
            over > 0 ? spare * (wanted[i] - least[i]) / over : spare / (double)block->columns;
    }
}

static double row_height(struct page_maker *p, const struct book_block *block,
                         const struct slice *cells)
{
    const struct style *style = &styles[BOOK_TABLE];
    size_t most = 1;
    for (size_t i = 0; i < block->columns; i++) {
        size_t lines =
            break_lines(p, cells[i], p->widths[i] - 2 * cell_padding, p->lines, LINES_MOST);
        most = lines > most ? lines : most;
    }
    return (double)most * style->size * leading + 2 * cell_padding;
}

static void draw_row(struct page_maker *p, const struct book_block *block,
                     const struct slice *cells, double height, bool head)
{
    const struct style *style = &styles[BOOK_TABLE];
    double x = margin;
    double bottom = page_height - margin;
    for (size_t i = 0; i < block->columns; i++) {
        if (head) {
            cairo_set_source_rgb(p->cr, 0.92, 0.92, 0.92);
            cairo_rectangle(p->cr, x, p->y, p->widths[i], height);
            cairo_fill(p->cr);
        }
        cairo_set_source_rgb(p->cr, 0.45, 0.45, 0.45);
        cairo_set_line_width(p->cr, 0.5);
        cairo_rectangle(p->cr, x, p->y, p->widths[i], height);
        cairo_stroke(p->cr);
        cairo_set_source_rgb(p->cr, 0, 0, 0);
        use_font(p, style->size, head);
        size_t count =
            break_lines(p, cells[i], p->widths[i] - 2 * cell_padding, p->lines, LINES_MOST);
        for (size_t k = 0; k < count; k++) {
            double line = p->y + cell_padding + (double)k * style->size * leading;
            if (line + style->size <= bottom) {
                draw(p, x + cell_padding, line + style->size, p->lines[k]);
            }
        }
        x += p->widths[i];
    }
    p->y += height;
}

static void add_head(struct page_maker *p, const struct book_block *block)
{
    use_font(p, styles[BOOK_TABLE].size, true);
    draw_row(p, block, block->head, row_height(p, block, block->head), true);
}

static void add_table(struct page_maker *p, const struct book_block *block)
{
    double page_room = page_height - 2 * margin;
    share_width(p, block);
    use_font(p, styles[BOOK_TABLE].size, true);
    double head = row_height(p, block, block->head);
    p->y += styles[BOOK_TABLE].before;
    if (block->together) {
        double whole = head;
        use_font(p, styles[BOOK_TABLE].size, false);
        for (size_t r = 0; r < block->rows; r++) {
            whole += row_height(p, block, &block->cells[r * block->columns]);
        }
        if (whole <= page_room && !fits(p, whole)) {
            new_page(p);
        }
    }
    for (size_t r = 0; r < block->rows; r++) {
        const struct slice *cells = &block->cells[r * block->columns];
        use_font(p, styles[BOOK_TABLE].size, false);
        double height = row_height(p, block, cells);
        height = height > page_room - head ? page_room - head : height;
        if (!fits(p, height + (r == 0 ? head : 0.0))) {
            new_page(p);
            add_head(p, block);
        } else if (r == 0) {
            add_head(p, block);
        }
        draw_row(p, block, cells, height, false);
    }
    p->y += 4.0;
}

static void lay_out(struct page_maker *p)
{
    p->page = 0;
    new_page(p);
    for (size_t i = 0; i < p->book->count; i++) {
        const struct book_block *block = &p->book->blocks[i];
        if (block->kind == BOOK_TABLE) {
            add_table(p, block);
        } else {
            add_text(p, block);
        }
    }
    end_page(p);
}

/* ---- cairo ---- */

static cairo_status_t take_bytes(void *arg, const unsigned char *bytes, unsigned len)
{
    struct buf *out = arg;
    if (out->len + len > out->ceiling) {
        return CAIRO_STATUS_WRITE_ERROR; /* no way back through cairo's frames */
    }
    buf_add(out, bytes, len);
    return CAIRO_STATUS_SUCCESS;
}

static void drop_surface(void *arg)
{
    cairo_surface_destroy(arg);
}

static void drop_context(void *arg)
{
    cairo_destroy(arg);
}

static void set_properties(cairo_surface_t *surface, struct arena *arena, const struct book *book,
                           struct slice date)
{
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE,
                                   arena_cstr(arena, book->title));
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "eplan review-book");
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE,
                                   arena_printf(arena, "%.*sT00:00:00Z", SLICE_ARGS(date)).at);
}

/* One way through; `pages` 0: to count them. */
static cairo_status_t make(struct page_maker *p, struct slice date, struct buf *out, unsigned pages)
{
    cairo_surface_t *surface =
        cairo_pdf_surface_create_for_stream(take_bytes, out, page_width, page_height);
    arena_defer(p->arena, drop_surface, surface);
    set_properties(surface, p->arena, p->book, date);
    p->cr = cairo_create(surface);
    arena_defer(p->arena, drop_context, p->cr);
    p->pages = pages;
    lay_out(p);
    cairo_status_t status = cairo_status(p->cr);
    cairo_surface_finish(surface);
    return status != CAIRO_STATUS_SUCCESS ? status : cairo_surface_status(surface);
}

enum status book_pdf(struct arena *arena, const struct book *book, struct slice date,
                     struct slice *bytes_out, const char **fault_out)
{
    struct page_maker *p = ARENA_NEW(arena, struct page_maker);
    struct buf unused;
    struct buf out;
    p->arena = arena;
    p->book = book;
    for (size_t i = 0; i < book->count; i++) {
        if (book->blocks[i].columns > COLUMNS_MOST) {
            *fault_out = "a table has more columns than fit on a page";
            return STATUS_LIMIT;
        }
    }
    buf_init(&unused, arena, PDF_MOST);
    buf_init(&out, arena, PDF_MOST);
    cairo_status_t status = make(p, date, &unused, 0);
    if (status == CAIRO_STATUS_SUCCESS) {
        status = make(p, date, &out, p->page);
    }
    if (status != CAIRO_STATUS_SUCCESS) {
        *fault_out = cairo_status_to_string(status);
        return status == CAIRO_STATUS_NO_MEMORY ? STATUS_NO_MEMORY : STATUS_IO;
    }
    *bytes_out = buf_view(&out);
    return STATUS_OK;
}
