#include "gateway/mapping/book.h"

#include "gateway/base/yaml.h"
#include "gateway/mapping/approvals.h"
#include "gateway/mapping/case.h"
#include "gateway/mapping/find.h"

enum { BLOCKS_MOST = 4096, TEXT_MOST = 64 * 1024, COLUMNS_MOST = 12 };

struct writing {
    const struct mapping *mapping;
    struct arena *arena;
    const struct mapping_file *files;
    size_t file_count;
    const struct datetime *today;
    struct book *book;
    struct book_block *table; /* that rows are added to */
    size_t room;              /* rows it can take */
};

/* ---- blocks ---- */

static struct book_block *add_block(struct writing *w, enum book_kind kind)
{
    if (w->book->count == BLOCKS_MOST) {
        arena_fail(w->arena, STATUS_LIMIT);
    }
    struct book_block *block = &w->book->blocks[w->book->count++];
    *block = (struct book_block){.kind = kind};
    return block;
}

static void add_text(struct writing *w, enum book_kind kind, struct slice text)
{
    add_block(w, kind)->text = text;
}

#define ADD(w, kind, ...) add_text((w), (kind), arena_printf((w)->arena, __VA_ARGS__))

static void begin_table(struct writing *w, size_t rows, size_t columns, const struct slice *head)
{
    w->table = add_block(w, BOOK_TABLE);
    w->table->columns = columns;
    struct slice *own = ARENA_ARRAY(w->arena, columns, struct slice);
    for (size_t i = 0; i < columns; i++) {
        own[i] = head[i];
    }
    w->table->head = own;
    w->table->cells = ARENA_ARRAY(w->arena, rows * columns + 1, struct slice);
    w->room = rows;
}

static void add_row(struct writing *w, const struct slice *cells)
{
    struct book_block *table = w->table;
    if (table->rows == w->room) {
        arena_fail(w->arena, STATUS_LIMIT);
    }
    for (size_t i = 0; i < table->columns; i++) {
        table->cells[table->rows * table->columns + i] = cells[i];
    }
    table->rows++;
}

static struct slice expression(const struct expr *expr)
{
    return expr != NULL ? span_text(path_expr_span(expr->path)) : SLICE_NONE;
}

static struct slice or_nobody(struct slice name)
{
    return name.len == 0 || slice_is(name, "none") ? SLICE("nobody yet") : name;
}

/* ---- who stands for it ---- */

static const char *approval_state(const struct writing *w, const struct approval *approval)
{
    char day[DATETIME_TEXT];
    struct slice today = slice_from(day, datetime_print(w->today, day));
    return !slice_equal(approval->hash, mapping_part_hash(w->mapping, approval->part))
               ? "changed since"
           : slice_compare(today, approval->review_by) > 0 ? "review is due"
                                                           : "holds";
}

static void write_approvals(struct writing *w)
{
    static const struct slice head[] = {{"Part", 4}, {"As", 2},        {"By", 2},
                                        {"On", 2},   {"Review by", 9}, {"Now", 3}};
    const struct approval *approvals;
    size_t count = mapping_approvals(w->mapping, &approvals);
    add_text(w, BOOK_SECTION, SLICE("Who approved it"));
    ADD(w, BOOK_TEXT, "Clinical owner: %.*s. Informatics owner: %.*s.",
        SLICE_ARGS(or_nobody(w->mapping->owner_clinical)),
        SLICE_ARGS(or_nobody(w->mapping->owner_informatics)));
    if (count == 0) {
        add_text(w, BOOK_TEXT, SLICE("No part is approved yet."));
        return;
    }
    begin_table(w, count, 6, head);
    for (size_t i = 0; i < count; i++) {
        const struct approval *a = &approvals[i];
        add_row(w, (struct slice[]){a->part, slice_of(approval_role_name(a->role)), a->by, a->on,
                                    a->review_by, slice_of(approval_state(w, a))});
    }
}

/* ---- rules ---- */

static void write_visits(struct writing *w)
{
    static const struct slice head[] = {{"Name", 4}, {"How it is found", 15}};
    const struct mapping *m = w->mapping;
    add_text(w, BOOK_SECTION, SLICE("Which visits"));
    add_text(w, BOOK_TEXT, SLICE("A visit may get a proposal when this holds:"));
    for (size_t i = 0; i < m->eligible_count; i++) {
        add_text(w, BOOK_TEXT, expression(&m->eligible[i]));
    }
    add_text(w, BOOK_SECTION, SLICE("Words that the rules use"));
    begin_table(w, m->define_count, 2, head);
    for (size_t i = 0; i < m->define_count; i++) {
        add_row(w, (struct slice[]){m->defines[i].name, expression(&m->defines[i].expr)});
    }
}

static struct slice hold_sentence(struct slice id)
{
    static const struct {
        const char *id;
        const char *sentence;
    } known[] = {
#define REQUIRED_HOLD(domain, id, sentence) {#id, sentence},
#include "gateway/mapping/required_holds.def"
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (slice_is(id, known[i].id)) {
            return slice_of(known[i].sentence);
        }
    }
    return SLICE_NONE;
}

static void write_holds(struct writing *w)
{
    static const struct slice head[] = {
        {"Hold", 4}, {"What it is", 10}, {"Who is told, who releases", 25}, {"Rule", 4}};
    const struct mapping *m = w->mapping;
    add_text(w, BOOK_SECTION, SLICE("What stops a proposal"));
    add_text(
        w, BOOK_TEXT,
        SLICE("All of these are looked at for every visit. One that is true, or that cannot be "
              "told, stops the proposal. So does a fact that could not be fetched."));
    begin_table(w, m->hold_count, 4, head);
    for (size_t i = 0; i < m->hold_count; i++) {
        const struct hold *hold = &m->holds[i];
        add_row(w,
                (struct slice[]){hold->id, hold_sentence(hold->id),
                                 arena_printf(w->arena, "told: %.*s; released by: %.*s%s",
                                              SLICE_ARGS(hold->tell), SLICE_ARGS(hold->release),
                                              hold->sensitive ? "; the reason is sensitive" : ""),
                                 expression(&hold->when)});
    }
}

/* ---- the decision table ---- */

/* "72 to 143 months of age" cannot be known here: the bounds in the unit of the expression. */
static struct slice band_words(struct writing *w, const struct input *input, size_t value)
{
    if (!input->bands) {
        return input->values[value];
    }
    if (value + 1 == input->count) {
        return arena_printf(w->arena, "%.*s (%lld and more)", SLICE_ARGS(input->values[value]),
                            (long long)input->from[value]);
    }
    return arena_printf(w->arena, "%.*s (%lld to %lld)", SLICE_ARGS(input->values[value]),
                        (long long)input->from[value], (long long)input->from[value + 1] - 1);
}

static struct slice cell_words(struct writing *w, const struct row *row, size_t input)
{
    const struct input *in = &w->mapping->inputs[input];
    struct buf out;
    buf_init(&out, w->arena, TEXT_MOST);
    if ((row->cells[input] >> CELL_UNKNOWN & 1) != 0) {
        return SLICE("any, or not known");
    }
    for (size_t i = 0; i < in->count; i++) {
        if ((row->cells[input] >> i & 1) != 0) {
            buf_printf(&out, "%s%.*s", out.len != 0 ? ", " : "", SLICE_ARGS(band_words(w, in, i)));
        }
    }
    return buf_view(&out);
}

static struct slice action_words(struct writing *w, const struct row *row)
{
    static const char *const words[] = {"propose", "hand over to", "propose nothing:"};
    return arena_printf(w->arena, "%s %.*s%s%.*s%s%.*s", words[row->action],
                        SLICE_ARGS(row->target), row->say.len != 0 ? ", say " : "",
                        SLICE_ARGS(row->say), row->ask.len != 0 ? ", ask " : "",
                        SLICE_ARGS(row->ask));
}

static struct slice because_words(struct writing *w, const struct row *row)
{
    struct buf out;
    buf_init(&out, w->arena, TEXT_MOST);
    for (size_t i = 0; i < row->because_count; i++) {
        buf_printf(&out, "%s%.*s", i != 0 ? ", " : "", SLICE_ARGS(row->because[i]));
    }
    return buf_view(&out);
}

static void write_decisions(struct writing *w)
{
    const struct mapping *m = w->mapping;
    struct slice cells[INPUTS_MOST + 2];
    size_t columns = m->input_count + 2;
    add_text(w, BOOK_SECTION, SLICE("Decision table"));
    add_text(w, BOOK_TEXT,
             SLICE("Every child meets exactly one row; this is proved when the mapping "
                   "is checked. A child for whom an input is not known, and no row "
                   "takes that, is held."));
    for (size_t i = 0; i < m->input_count; i++) {
        ADD(w, BOOK_TEXT, "%.*s: %.*s", SLICE_ARGS(m->inputs[i].name),
            SLICE_ARGS(expression(&m->inputs[i].expr)));
        cells[i] = m->inputs[i].name;
    }
    cells[columns - 2] = SLICE("What happens");
    cells[columns - 1] = SLICE("Because");
    begin_table(w, m->row_count, columns, cells);
    w->table->together = true;
    for (size_t r = 0; r < m->row_count; r++) {
        for (size_t i = 0; i < m->input_count; i++) {
            cells[i] = cell_words(w, &m->rows[r], i);
        }
        cells[columns - 2] = action_words(w, &m->rows[r]);
        cells[columns - 1] = because_words(w, &m->rows[r]);
        add_row(w, cells);
    }
    static const struct slice head[] = {{"Source", 6}, {"Citation", 8}};
    if (m->source_count != 0) {
        begin_table(w, m->source_count, 2, head);
        for (size_t i = 0; i < m->source_count; i++) {
            const struct yaml *citation = yaml_get(m->sources[i].node, "citation");
            add_row(w, (struct slice[]){m->sources[i].name,
                                        citation != NULL ? citation->scalar.text : SLICE_NONE});
        }
    }
}

/* ---- plans and texts ---- */

static const struct yaml *text_node(struct writing *w, struct slice plan, struct slice language,
                                    const char *section, struct slice key)
{
    struct slice path =
        arena_printf(w->arena, "texts/%.*s.%.*s.yaml", SLICE_ARGS(plan), SLICE_ARGS(language));
    struct diag_list unheard;
    diag_init(&unheard, w->arena, 1);
    for (size_t i = 0; i < w->file_count; i++) {
        const struct yaml *root = NULL;
        if (!slice_equal(w->files[i].path, path)) {
            continue;
        }
        struct source *source = source_create(w->arena, w->files[i].name, w->files[i].text);
        if (yaml_parse(w->arena, source, &YAML_LIMITS, &unheard, &root) == STATUS_OK) {
            return yaml_get(yaml_get(root, section), arena_cstr(w->arena, key));
        }
    }
    return NULL;
}

/* The text as its author wrote it, with its places for values. */
static struct slice raw_text(struct writing *w, struct slice plan, struct slice language,
                             const char *section, struct slice key)
{
    const struct yaml *node = text_node(w, plan, language, section, key);
    return node != NULL && node->kind == YAML_SCALAR ? node->scalar.text : SLICE_NONE;
}

/* Who reads a text, in which language: one column of the table. */
struct readers {
    const char *section;
    struct slice language;
    struct slice head;
};

static size_t readers_of(struct writing *w, struct readers readers[COLUMNS_MOST])
{
    const struct mapping *m = w->mapping;
    size_t count = 0;
    for (size_t i = 0; i < m->staff_language_count && count < COLUMNS_MOST - 1; i++) {
        readers[count++] = (struct readers){
            "staff", m->staff_languages[i],
            arena_printf(w->arena, "Staff read (%.*s)", SLICE_ARGS(m->staff_languages[i]))};
    }
    for (size_t i = 0; i < m->family_language_count && count < COLUMNS_MOST - 1; i++) {
        readers[count++] = (struct readers){
            "family", m->family_languages[i],
            arena_printf(w->arena, "Families read (%.*s)", SLICE_ARGS(m->family_languages[i]))};
    }
    return count;
}

struct seen_keys {
    struct slice *at;
    size_t count;
};

/* False: there is a row of that key. */
static bool is_new_key(struct seen_keys *seen, struct slice key)
{
    for (size_t i = 0; i < seen->count; i++) {
        if (slice_equal(seen->at[i], key)) {
            return false;
        }
    }
    seen->at[seen->count++] = key;
    return true;
}

/* Staff and family texts of a plan, side by side: one row for each key. */
static void write_texts(struct writing *w, struct slice plan)
{
    const struct mapping *m = w->mapping;
    struct readers readers[COLUMNS_MOST];
    struct slice head[COLUMNS_MOST] = {SLICE("Text")};
    size_t count = readers_of(w, readers);
    size_t room = 0;
    for (size_t i = 0; i < count; i++) {
        head[1 + i] = readers[i].head;
    }
    for (size_t i = 0; i < m->text_count; i++) {
        room += slice_equal(m->texts[i].plan, plan) ? m->texts[i].count : 0;
    }
    struct seen_keys seen = {.at = ARENA_ARRAY(w->arena, room + 1, struct slice)};
    begin_table(w, room, 1 + count, head);
    for (size_t i = 0; i < m->text_count; i++) {
        const struct text_file *file = &m->texts[i];
        for (size_t k = 0; k < file->count && slice_equal(file->plan, plan); k++) {
            struct slice cells[COLUMNS_MOST] = {file->entries[k].key};
            if (!is_new_key(&seen, cells[0])) {
                continue;
            }
            for (size_t n = 0; n < count; n++) {
                cells[1 + n] = raw_text(w, plan, readers[n].language, readers[n].section, cells[0]);
            }
            add_row(w, cells);
        }
    }
}

static struct slice item_condition(const struct item_rule *item)
{
    const struct expr *when = item->when != NULL ? item->when : item->resource->when;
    return when != NULL        ? expression(when)
           : item->costs_money ? SLICE("only where food is known not to be short")
                               : SLICE("always");
}

/* "goals.water", "orders.lipid: Lipid panel" */
static struct slice item_words(struct writing *w, const struct item_rule *item)
{
    for (const struct template *it = item->resource->first; it != NULL; it = it->next) {
        if (it->kind == TEMPLATE_CODE && it->concept != NULL && slice_is(it->name, "code")) {
            return arena_printf(w->arena, "%.*s: %.*s", SLICE_ARGS(item->key),
                                SLICE_ARGS(it->concept->display));
        }
    }
    return item->key;
}

static void add_items(struct writing *w, const char *what, const struct item_rule *items,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        add_row(w, (struct slice[]){slice_of(what), item_words(w, &items[i]),
                                    item_condition(&items[i])});
    }
}

static void write_reviewers(struct writing *w, struct slice plan)
{
    for (size_t i = 0; i < w->mapping->text_count; i++) {
        const struct text_file *file = &w->mapping->texts[i];
        if (slice_equal(file->plan, plan)) {
            ADD(w, BOOK_TEXT, "Texts in %.*s reviewed by: %.*s.", SLICE_ARGS(file->language),
                SLICE_ARGS(or_nobody(file->reviewed_by)));
        }
    }
}

static void write_plans(struct writing *w)
{
    static const struct slice head[] = {{"Kind", 4}, {"Item", 4}, {"When", 4}};
    add_text(w, BOOK_SECTION, SLICE("Plans and their texts"));
    for (size_t i = 0; i < w->mapping->plan_count; i++) {
        const struct plan_rule *plan = &w->mapping->plans[i];
        ADD(w, BOOK_HEADING, "%.*s (%.*s)", SLICE_ARGS(plan->name), SLICE_ARGS(plan->public_id));
        begin_table(w, plan->goal_count + plan->order_count + plan->prompt_count, 3, head);
        add_items(w, "goal", plan->goals, plan->goal_count);
        add_items(w, "order (draft)", plan->orders, plan->order_count);
        for (size_t k = 0; k < plan->prompt_count; k++) {
            struct slice when =
                plan->prompts[k].when != NULL ? expression(plan->prompts[k].when) : SLICE("always");
            add_row(w, (struct slice[]){SLICE("prompt"), plan->prompts[k].key, when});
        }
        write_texts(w, plan->name);
        write_reviewers(w, plan->name);
    }
    add_text(w, BOOK_HEADING, SLICE("Texts that plans share"));
    write_texts(w, SHARED_TEXTS);
    write_reviewers(w, SHARED_TEXTS);
}

/* ---- codes ---- */

static void write_codes(struct writing *w)
{
    static const struct slice head[] = {
        {"Set", 3}, {"Code", 4}, {"System", 6}, {"Meaning", 7}, {"Checked", 7}};
    static const char *const states[] = {"verified", "third parties agree", "NOT VERIFIED"};
    const struct mapping *m = w->mapping;
    size_t rows = 0;
    for (size_t i = 0; i < m->set_count; i++) {
        rows += m->sets[i].count;
    }
    add_text(w, BOOK_SECTION, SLICE("Codes that the rules look for"));
    begin_table(w, rows, 5, head);
    for (size_t i = 0; i < m->set_count; i++) {
        for (size_t k = 0; k < m->sets[i].count; k++) {
            const struct concept *c = &m->sets[i].concepts[k];
            add_row(w, (struct slice[]){k == 0 ? m->sets[i].name : SLICE_NONE, c->code, c->system,
                                        c->display, slice_of(states[c->status])});
        }
    }
}

/* ---- cases ---- */

static struct slice outcome_words(struct writing *w, const struct mapping_file *file)
{
    struct diag_list unheard;
    struct child child;
    struct evaluation_result r;
    diag_init(&unheard, w->arena, 1);
    if (case_child(w->mapping, w->arena, file, 0, &unheard, &child) != STATUS_OK ||
        mapping_evaluate(w->mapping, w->arena, &child.input, &LIMITS_DEFAULT, &unheard, &r) !=
            STATUS_OK) {
        return SLICE("cannot be evaluated");
    }
    struct slice why = r.plan.len != 0 ? r.plan : r.reason;
    return arena_printf(w->arena, "%s%s%.*s", outcome_name(r.outcome), why.len != 0 ? ": " : "",
                        SLICE_ARGS(why));
}

static struct slice scalar(const struct yaml *node)
{
    return node != NULL && node->kind == YAML_SCALAR ? slice_trim(node->scalar.text) : SLICE_NONE;
}

static void write_cases(struct writing *w)
{
    static const struct slice head[] = {{"Case", 4},
                                        {"The child", 9},
                                        {"Why it is here", 14},
                                        {"What comes out", 14},
                                        {"Neighbours", 10}};
    struct diag_list unheard;
    diag_init(&unheard, w->arena, 1);
    add_text(w, BOOK_SECTION, SLICE("Cases"));
    add_text(w, BOOK_TEXT,
             SLICE("Children who do not exist, and what the mapping makes of them. A "
                   "neighbour differs from its case in one thing."));
    begin_table(w, w->file_count, 5, head);
    for (size_t i = 0; i < w->file_count; i++) {
        const struct mapping_file *file = &w->files[i];
        const struct yaml *root = NULL;
        if (!case_is_file(file)) {
            continue;
        }
        struct source *source = source_create(w->arena, file->name, file->text);
        if (yaml_parse(w->arena, source, &YAML_LIMITS, &unheard, &root) == STATUS_OK) {
            struct slice name =
                slice_part(file->path, sizeof "cases/" - 1,
                           file->path.len - sizeof "cases/" - sizeof "/case.yaml" + 2);
            add_row(w, (struct slice[]){
                           name, scalar(yaml_get(root, "case")), scalar(yaml_get(root, "why")),
                           outcome_words(w, file),
                           arena_printf(w->arena, "%zu", case_neighbours(w->arena, file))});
        }
    }
}

void mapping_book(const struct mapping *mapping, struct arena *arena,
                  const struct mapping_file *files, size_t count, const struct datetime *today,
                  struct book *book_out)
{
    char day[DATETIME_TEXT];
    struct slice date = arena_copy(arena, slice_from(day, datetime_print(today, day)));
    struct book book = {.title =
                            arena_printf(arena, "Review book: %.*s %.*s", SLICE_ARGS(mapping->name),
                                         SLICE_ARGS(mapping->version)),
                        .blocks = ARENA_ARRAY(arena, BLOCKS_MOST, struct book_block)};
    struct writing w = {.mapping = mapping,
                        .arena = arena,
                        .files = files,
                        .file_count = count,
                        .today = today,
                        .book = &book};
    add_text(&w, BOOK_TITLE, book.title);
    ADD(&w, BOOK_TEXT,
        "Made on %.*s. A daemon proposes by these rules; a named clinician decides about every "
        "proposal.",
        SLICE_ARGS(date));
    write_approvals(&w);
    write_visits(&w);
    write_holds(&w);
    write_decisions(&w);
    write_plans(&w);
    write_cases(&w);
    write_codes(&w);
    *book_out = book;
}
