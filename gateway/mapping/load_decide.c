#include "gateway/mapping/describe.h"

/*
 * The decision table: every cell of the product of its inputs has exactly one row; where an input
 * is unknown, at most one, and none means hold. It is proved by walking all cells, so the product
 * has a ceiling.
 */
enum { CELLS_MOST = 20000, ROWS_MOST = 1000, EXAMPLES_MOST = 5 };

/* ---- inputs ---- */

static void read_input_expr(struct loader *l, const struct yaml *node, void *target)
{
    load_expr(l, node, &((struct input *)target)->expr);
}

static void read_bands(struct loader *l, const struct yaml *node, void *target)
{
    struct input *input = target;
    if (!load_is(l, node, YAML_MAP)) {
        return;
    }
    struct slice *values = ARENA_ARRAY(l->arena, node->count + 1, struct slice);
    int64_t *from = ARENA_ARRAY(l->arena, node->count + 1, int64_t);
    for (const struct yaml *member = node->first; member != NULL; member = member->next) {
        uint64_t bound = 0;
        struct slice text = load_text(l, member);
        if (!slice_to_u64(text, &bound) || bound > INT32_MAX) {
            load_fault(l, DIAG_MAPPING_VALUE, member->span,
                       "the lower bound of a band is a whole number");
        } else if (input->count == 0 && bound != 0) {
            load_fault(l, DIAG_MAPPING_TABLE, member->span,
                       "the first band begins at 0, so that nothing lies below it");
        } else if (input->count != 0 && (int64_t)bound <= from[input->count - 1]) {
            load_fault(l, DIAG_MAPPING_TABLE, member->span,
                       "a band begins above the one before it");
        }
        values[input->count] = member->key.text;
        from[input->count++] = (int64_t)bound;
    }
    input->bands = true;
    input->values = values;
    input->from = from;
}

static void read_values(struct loader *l, const struct yaml *node, void *target)
{
    struct input *input = target;
    input->values = load_texts(l, node, &input->count);
}

/* The keys of a row beside its inputs. */
static const char *const row_words[] = {"propose", "hand-over", "drop", "say", "ask", "because"};
enum { ROW_WORDS = sizeof row_words / sizeof *row_words };

static bool is_reserved(struct slice name)
{
    for (size_t i = 0; i < ROW_WORDS; i++) {
        if (slice_is(name, row_words[i])) {
            return true;
        }
    }
    return false;
}

static void check_input_names(struct loader *l, const struct yaml *node, const struct input *input)
{
    if (is_reserved(input->name)) {
        load_fault(l, DIAG_MAPPING_TABLE, node->key.span,
                   "an input cannot be called \"%.*s\": a row has a key of that name",
                   SLICE_ARGS(input->name));
    }
    for (size_t i = 0; i < input->count; i++) {
        if (slice_is(input->values[i], "any")) {
            load_fault(l, DIAG_MAPPING_TABLE, node->key.span,
                       "\"any\" means every value, and cannot be one of them");
        }
        for (size_t k = 0; k < i && input->count <= CELL_VALUES_MOST; k++) {
            if (slice_equal(input->values[i], input->values[k])) {
                load_fault(l, DIAG_MAPPING_DUPLICATE, node->key.span,
                           "the value \"%.*s\" stands twice in this input",
                           SLICE_ARGS(input->values[i]));
            }
        }
    }
}

static void tell_cells(struct loader *l, struct input *input)
{
    struct slice *cells = ARENA_ARRAY(l->arena, input->count + 1, struct slice);
    for (size_t i = 0; i < input->count; i++) {
        cells[i] = arena_printf(l->arena, "%.*s=%.*s", SLICE_ARGS(input->name),
                                SLICE_ARGS(input->values[i]));
    }
    input->cells = cells;
    input->unknown = arena_printf(l->arena, "%.*s=unknown", SLICE_ARGS(input->name));
}

static void read_input(struct loader *l, const struct yaml *node)
{
    static const struct field fields[] = {{"expr", true, read_input_expr},
                                          {"bands", false, read_bands},
                                          {"values", false, read_values}};
    struct mapping *m = l->mapping;
    struct input input = {.name = node->key.text, .span = node->key.span};
    load_map(l, node, fields, 3, &input);
    if (node->kind == YAML_MAP &&
        (yaml_get(node, "bands") == NULL) == (yaml_get(node, "values") == NULL)) {
        load_fault(l, DIAG_MAPPING_KEY_MISSING, node->span,
                   "an input has either `bands` or `values`");
    }
    check_input_names(l, node, &input);
    if (input.count > CELL_VALUES_MOST || m->input_count == INPUTS_MOST) {
        load_fault(l, DIAG_MAPPING_TABLE, node->span,
                   "a table has at most %d inputs with at most %d values each", INPUTS_MOST,
                   CELL_VALUES_MOST);
        return;
    }
    tell_cells(l, &input);
    LOAD_ADD(l, m->inputs, m->input_count, input);
}

static void read_inputs(struct loader *l, const struct yaml *node, void *target)
{
    (void)target;
    for (const struct yaml *member = load_is(l, node, YAML_MAP) ? node->first : NULL;
         member != NULL; member = member->next) {
        read_input(l, member);
    }
}

/* ---- rows ---- */

static uint64_t all_values(const struct input *input)
{
    return (UINT64_C(1) << input->count) - 1;
}

static uint64_t read_cell_value(struct loader *l, const struct yaml *node,
                                const struct input *input)
{
    struct slice text = load_text(l, node);
    if (slice_is(text, "any")) {
        return all_values(input) | UINT64_C(1) << CELL_UNKNOWN;
    }
    for (size_t i = 0; i < input->count; i++) {
        if (slice_equal(input->values[i], text)) {
            return UINT64_C(1) << i;
        }
    }
    if (text.len != 0) {
        struct diag *diag = load_fault(l, DIAG_MAPPING_UNDEFINED, node->span,
                                       "\"%.*s\" is no value of the input %.*s", SLICE_ARGS(text),
                                       SLICE_ARGS(input->name));
        diag_hint_nearest(l->diags, diag, text, input->values, input->count);
    }
    return 0;
}

static uint64_t read_cell(struct loader *l, const struct yaml *node, const struct input *input)
{
    if (l->describing) {
        size_t count;
        load_text(l, describe_or(l, node));
        load_texts(l, describe_or(l, node), &count);
        return 0;
    }
    if (node->kind != YAML_LIST) {
        return read_cell_value(l, node, input);
    }
    uint64_t bits = 0;
    for (const struct yaml *entry = node->first; entry != NULL; entry = entry->next) {
        bits |= read_cell_value(l, entry, input);
    }
    return bits;
}

static void read_action(struct loader *l, const struct yaml *row_node, struct row *row)
{
    static const struct {
        const char *key;
        enum action action;
    } actions[] = {
        {"propose", ACTION_PROPOSE}, {"hand-over", ACTION_HAND_OVER}, {"drop", ACTION_DROP}};
    unsigned found = 0;
    for (size_t i = 0; i < 3; i++) {
        const struct yaml *node = yaml_get(row_node, actions[i].key);
        if (node != NULL) {
            found++;
            row->action = actions[i].action;
            row->target = load_name(l, node);
        }
    }
    if (found != 1) {
        struct diag *diag =
            load_fault(l, DIAG_MAPPING_TABLE, row_node->span, "a row says exactly one thing to do");
        diag_hint(l->diags, diag, "propose: PLAN, hand-over: clinician, or drop: RULE");
    }
}

static void check_sources(struct loader *l, const struct yaml *list)
{
    for (const struct yaml *it = list->kind == YAML_LIST ? list->first : NULL; it != NULL;
         it = it->next) {
        struct slice name = it->kind == YAML_SCALAR ? it->scalar.text : SLICE_NONE;
        struct slice *names = ARENA_ARRAY(l->arena, l->mapping->source_count + 1, struct slice);
        bool found = name.len == 0;
        for (size_t i = 0; i < l->mapping->source_count; i++) {
            names[i] = l->mapping->sources[i].name;
            found = found || slice_equal(names[i], name);
        }
        load_use_name(l, "sources", name);
        if (!found) {
            struct diag *diag =
                load_fault(l, DIAG_MAPPING_UNDEFINED, it->span,
                           "there is no source \"%.*s\" in `sources`", SLICE_ARGS(name));
            diag_hint_nearest(l->diags, diag, name, names, l->mapping->source_count);
        }
    }
}

/* A key that is none of a row's words is an input. */
static void describe_row(struct loader *l, const struct yaml *node)
{
    read_cell(l, node->first, NULL);
    for (size_t i = 0; i < ROW_WORDS; i++) {
        size_t count;
        const struct yaml *member = describe_member(l, node, row_words[i]);
        if (strcmp(row_words[i], "because") == 0) {
            load_texts(l, member, &count);
        } else {
            load_text(l, member);
        }
    }
}

static void read_row(struct loader *l, const struct yaml *node)
{
    struct mapping *m = l->mapping;
    struct row row = {.span = node->span, .layer = l->layer};
    if (!load_is(l, node, YAML_MAP)) {
        return;
    }
    if (l->describing) {
        describe_row(l, node);
        return;
    }
    struct slice known[INPUTS_MOST + ROW_WORDS];
    for (size_t i = 0; i < ROW_WORDS; i++) {
        known[i] = slice_of(row_words[i]);
    }
    for (size_t i = 0; i < m->input_count; i++) {
        known[ROW_WORDS + i] = m->inputs[i].name;
        const struct yaml *cell = yaml_get(node, m->inputs[i].name.at);
        if (cell == NULL) {
            load_fault(l, DIAG_MAPPING_KEY_MISSING, node->span,
                       "this row does not say which values of %.*s it is for",
                       SLICE_ARGS(m->inputs[i].name));
        } else {
            row.cells[i] = read_cell(l, cell, &m->inputs[i]);
        }
    }
    for (const struct yaml *member = node->first; member != NULL; member = member->next) {
        size_t i = 0;
        while (i < ROW_WORDS + m->input_count && !slice_equal(known[i], member->key.text)) {
            i++;
        }
        if (i == ROW_WORDS + m->input_count) {
            load_unknown_key(l, member, known, i);
        } else if (slice_is(member->key.text, "say")) {
            row.say = load_name(l, member);
        } else if (slice_is(member->key.text, "ask")) {
            row.ask = load_word(l, member);
        } else if (slice_is(member->key.text, "because")) {
            row.because = load_texts(l, member, &row.because_count);
            check_sources(l, member);
        }
    }
    read_action(l, node, &row);
    LOAD_ADD(l, m->rows, m->row_count, row);
}

static void read_rows(struct loader *l, const struct yaml *node)
{
    if (load_is(l, node, YAML_LIST) && node->count > ROWS_MOST) {
        load_fault(l, DIAG_MAPPING_TABLE, node->key.span, "a table has at most %d rows", ROWS_MOST);
        return;
    }
    for (const struct yaml *entry = node->kind == YAML_LIST ? node->first : NULL; entry != NULL;
         entry = entry->next) {
        read_row(l, entry);
    }
}

/* ---- the proof ---- */

static struct slice cell_text(struct loader *l, const size_t *at)
{
    struct buf text;
    buf_init(&text, l->arena, 4096);
    for (size_t i = 0; i < l->mapping->input_count; i++) {
        const struct input *input = &l->mapping->inputs[i];
        struct slice value = at[i] == input->count ? SLICE("unknown") : input->values[at[i]];
        buf_printf(&text, "%s%.*s %.*s", i != 0 ? ", " : "", SLICE_ARGS(input->name),
                   SLICE_ARGS(value));
    }
    return buf_view(&text);
}

static bool row_matches(const struct mapping *m, const struct row *row, const size_t *at)
{
    for (size_t i = 0; i < m->input_count; i++) {
        size_t bit = at[i] == m->inputs[i].count ? (size_t)CELL_UNKNOWN : at[i];
        if ((row->cells[i] >> bit & 1) == 0) {
            return false;
        }
    }
    return true;
}

static void prove_cell(struct loader *l, const size_t *at, struct span table, unsigned *told)
{
    const struct mapping *m = l->mapping;
    const struct row *first = NULL;
    for (size_t i = 0; i < m->row_count; i++) {
        if (!row_matches(m, &m->rows[i], at)) {
            continue;
        }
        if (first == NULL) {
            first = &m->rows[i];
        } else if ((*told)++ < EXAMPLES_MOST) {
            struct place place = span_place(span_outermost(first->span));
            struct diag *diag =
                load_fault(l, DIAG_MAPPING_TABLE, m->rows[i].span,
                           "two rows are for one child: %.*s", SLICE_ARGS(cell_text(l, at)));
            diag_hint(l->diags, diag, "the other row stands in line %u", place.line);
        }
    }
    bool known = true;
    for (size_t i = 0; i < m->input_count; i++) {
        known = known && at[i] != m->inputs[i].count;
    }
    if (first == NULL && known && (*told)++ < EXAMPLES_MOST) {
        struct diag *diag =
            load_fault(l, DIAG_MAPPING_TABLE, table, "no row is for this child: %.*s",
                       SLICE_ARGS(cell_text(l, at)));
        diag_hint(l->diags, diag, "add a row; where there is no plan, hand over to a clinician");
    }
}

static void prove(struct loader *l, struct span table)
{
    const struct mapping *m = l->mapping;
    size_t cells = 1;
    for (size_t i = 0; i < m->input_count; i++) {
        cells *= m->inputs[i].count + 1;
        if (m->inputs[i].count == 0 || cells > CELLS_MOST) {
            load_fault(l, DIAG_MAPPING_TABLE, table, "the table has no cells, or more than %d",
                       CELLS_MOST);
            return;
        }
    }
    size_t at[INPUTS_MOST] = {0};
    unsigned told = 0;
    for (size_t cell = 0; cell < cells; cell++) {
        prove_cell(l, at, table, &told);
        for (size_t i = m->input_count; i-- > 0;) { /* count up, the last input fastest */
            if (++at[i] <= m->inputs[i].count) {
                break;
            }
            at[i] = 0;
        }
    }
    if (told > EXAMPLES_MOST) {
        load_fault(l, DIAG_MAPPING_TABLE, table, "and %u more cells without exactly one row",
                   told - EXAMPLES_MOST);
    }
}

/* ---- what is due for those who are handed over ---- */

static bool is_said(const struct mapping *m, struct slice say)
{
    for (size_t i = 0; i < m->row_count; i++) {
        if (slice_equal(m->rows[i].say, say)) {
            return true;
        }
    }
    return false;
}

/* Only the first would ever be told: an overlay adds what is due with rows of its own. */
static void refuse_again(struct loader *l, const struct due_rule *due)
{
    const struct mapping *m = l->mapping;
    for (size_t i = 0; i < m->due_count; i++) {
        if (slice_equal(m->due[i].say, due->say)) {
            struct diag *diag =
                load_fault(l, DIAG_MAPPING_DUPLICATE, due->span,
                           "what is due with \"%.*s\" is told already", SLICE_ARGS(due->say));
            diag_hint(l->diags, diag, "it stands in %.*s; say something of its own in the row",
                      SLICE_ARGS(load_place(l, m->due[i].span)));
            return;
        }
    }
}

void load_due(struct loader *l, const struct yaml *node)
{
    struct mapping *m = l->mapping;
    l->plan = SHARED_TEXTS;
    for (const struct yaml *it = load_is(l, node, YAML_MAP) ? node->first : NULL; it != NULL;
         it = it->next) {
        struct due_rule due = {.say = it->key.text, .span = it->key.span, .layer = l->layer};
        due.prompts = load_prompts(l, it, &due.prompt_count);
        if (!is_said(m, due.say)) {
            struct slice *says = ARENA_ARRAY(l->arena, m->row_count + 1, struct slice);
            for (size_t i = 0; i < m->row_count; i++) {
                says[i] = m->rows[i].say;
            }
            struct diag *diag =
                load_fault(l, DIAG_MAPPING_UNDEFINED, due.span,
                           "no row that hands over says \"%.*s\"", SLICE_ARGS(due.say));
            diag_hint_nearest(l->diags, diag, due.say, says, m->row_count);
        }
        refuse_again(l, &due);
        LOAD_ADD(l, m->due, m->due_count, due);
    }
    l->plan = SLICE_NONE;
}

static void read_when_active(struct loader *l, const struct yaml *node, void *target)
{
    static const char *const words[] = {"review"};
    size_t which;
    (void)target;
    load_choice(l, node, words, 1, &which);
}

void load_decide(struct loader *l, const struct yaml *node)
{
    static const struct field fields[] = {{"inputs", true, read_inputs},
                                          {"when-active", false, read_when_active},
                                          {"rows", true, NULL}};
    unsigned before = l->diags->errors;
    size_t first = l->mapping->row_count;
    bool good =
        l->overlay ? load_map(l, node, &fields[2], 1, NULL) : load_map(l, node, fields, 3, NULL);
    if (!good) {
        return;
    }
    const struct yaml *rows = yaml_get(node, "rows");
    if (rows == NULL) {
        return;
    }
    read_rows(l, rows); /* after the inputs, wherever they stand */
    if (l->diags->errors != before || l->describing) {
        return;
    }
    if (l->overlay) {
        load_overlay_rows(l, first);
    } else if (l->mapping->row_count != 0) {
        prove(l, rows->key.span);
    }
}
