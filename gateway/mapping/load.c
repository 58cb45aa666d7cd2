#include "gateway/mapping/describe.h"

#include <stdarg.h>

struct diag *load_fault(struct loader *l, enum diag_code code, struct span span, const char *format,
                        ...)
{
    va_list args;
    va_start(args, format);
    struct slice sentence = arena_vprintf(l->arena, format, args);
    va_end(args);
    return diag_add(l->diags, code, span, "%.*s", SLICE_ARGS(sentence));
}

void *load_grow(struct loader *l, const void *list, size_t count, size_t size)
{
    bool full = (count & (count - 1)) == 0; /* room doubles at 0, 1, 2, 4, 8 ... */
    if (!full) {
        return (void *)list;
    }
    void *grown = arena_array(l->arena, count != 0 ? count * 2 : 1, size);
    if (count != 0) {
        memcpy(grown, list, count * size);
    }
    return grown;
}

/* ---- shapes ---- */

bool load_is(struct loader *l, const struct yaml *node, enum yaml_kind kind)
{
    if (l->describing) {
        describe_kind(l, node, kind);
        return true;
    }
    if (node->kind == kind) {
        return true;
    }
    static const char *const wanted[] = {"a text", "a list", "a map"};
    load_fault(l, DIAG_MAPPING_SHAPE, node->span, "%s is expected here, not %s", wanted[kind],
               yaml_kind_name(node->kind));
    return false;
}

struct diag *load_unknown_key(struct loader *l, const struct yaml *member,
                              const struct slice *known, size_t count)
{
    struct diag *diag = load_fault(l, DIAG_MAPPING_KEY, member->key.span,
                                   "there is no key \"%.*s\" here", SLICE_ARGS(member->key.text));
    diag_hint_nearest(l->diags, diag, member->key.text, known, count);
    if (diag->hint.len == 0) {
        struct buf hint;
        buf_init(&hint, l->arena, 4096);
        buf_add_cstr(&hint, "the keys are ");
        for (size_t i = 0; i < count; i++) {
            buf_printf(&hint, "%s%.*s", i != 0 ? ", " : "", SLICE_ARGS(known[i]));
        }
        diag->hint = buf_view(&hint);
    }
    return diag;
}

struct slice load_place(struct loader *l, struct span span)
{
    span = span_outermost(span);
    if (span.source == NULL) { /* while describing */
        return SLICE_NONE;
    }
    return arena_printf(l->arena, "%.*s:%u", SLICE_ARGS(span.source->name), span_place(span).line);
}

enum { FIELDS_MOST = 24 };

bool load_map(struct loader *l, const struct yaml *node, const struct field *fields, size_t count,
              void *target)
{
    if (l->describing) {
        describe_map(l, node, fields, count, target);
        return true;
    }
    if (!load_is(l, node, YAML_MAP)) {
        return false;
    }
    bool seen[FIELDS_MOST] = {false};
    struct slice known[FIELDS_MOST];
    for (size_t i = 0; i < count; i++) {
        known[i] = slice_of(fields[i].key);
    }
    for (const struct yaml *member = node->first; member != NULL; member = member->next) {
        size_t i = 0;
        while (i < count && !slice_equal(known[i], member->key.text)) {
            i++;
        }
        if (i == count) {
            struct slice hint = load_unknown_key(l, member, known, count)->hint;
            for (size_t k = 0; k < count && slice_starts_with(hint, SLICE("did")); k++) {
                /* misspelt is not missing too */
                seen[k] = seen[k] ||
                          slice_find(hint, arena_printf(l->arena, "\"%s\"", fields[k].key), 0) !=
                              SIZE_MAX;
            }
            continue;
        }
        seen[i] = true;
        if (fields[i].read != NULL) {
            fields[i].read(l, member, target);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (fields[i].required && !seen[i]) {
            load_fault(l, DIAG_MAPPING_KEY_MISSING,
                       (struct span){node->span.source, node->span.start, node->span.start},
                       "the key \"%s\" is missing here", fields[i].key);
        }
    }
    return true;
}

struct slice load_text(struct loader *l, const struct yaml *node)
{
    if (!load_is(l, node, YAML_SCALAR)) {
        return SLICE_NONE;
    }
    if (node->scalar.text.len == 0) {
        load_fault(l, DIAG_MAPPING_SHAPE, node->span, "a text is expected here");
        return SLICE_NONE;
    }
    return node->scalar.text;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static struct slice load_named(struct loader *l, const struct yaml *node, const char *also,
                               const char *what)
{
    struct slice text = load_text(l, node);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        bool digit = c >= '0' && c <= '9';
        if (!is_letter(c) && !(digit && (i != 0 || also[0] != '\0')) &&
            (i == 0 || c == '\0' || strchr(also, c) == NULL)) {
            load_fault(l, DIAG_MAPPING_VALUE, node->span, "\"%.*s\" is no %s", SLICE_ARGS(text),
                       what);
            return SLICE_NONE;
        }
    }
    return text;
}

struct slice load_word(struct loader *l, const struct yaml *node)
{
    return load_named(l, node, "",
                      "identifier: letters, digits and _, so that an expression can name it");
}

struct slice load_name(struct loader *l, const struct yaml *node)
{
    return load_named(l, node, "-.", "name: letters, digits, - and .");
}

bool load_bool(struct loader *l, const struct yaml *node, bool *value_out)
{
    if (l->describing) {
        describe_words(l, node, (const char *const[]){"true", "false"}, 2);
        return false;
    }
    struct slice text = load_text(l, node);
    if (slice_is(text, "true") || slice_is(text, "false")) {
        *value_out = text.at[0] == 't';
        return true;
    }
    if (text.len != 0) {
        load_fault(l, DIAG_MAPPING_VALUE, node->span, "true or false is expected here");
    }
    return false;
}

bool load_choice(struct loader *l, const struct yaml *node, const char *const *words, size_t count,
                 size_t *which_out)
{
    if (l->describing) {
        describe_words(l, node, words, count);
        *which_out = 0;
        return true;
    }
    struct slice text = load_text(l, node);
    struct slice known[FIELDS_MOST];
    for (size_t i = 0; i < count; i++) {
        known[i] = slice_of(words[i]);
        if (slice_equal(text, known[i])) {
            *which_out = i;
            return true;
        }
    }
    if (text.len != 0) {
        struct diag *diag =
            load_fault(l, DIAG_MAPPING_VALUE, node->span,
                       "\"%.*s\" is not one of the words known here", SLICE_ARGS(text));
        struct buf hint;
        buf_init(&hint, l->arena, 1024);
        for (size_t i = 0; i < count; i++) {
            buf_printf(&hint, "%s%s", i == 0 ? "write " : i + 1 == count ? " or " : ", ", words[i]);
        }
        diag->hint = buf_view(&hint);
    }
    return false;
}

struct slice *load_texts(struct loader *l, const struct yaml *node, size_t *count_out)
{
    *count_out = 0;
    if (!load_is(l, node, YAML_LIST)) {
        return NULL;
    }
    struct slice *texts = ARENA_ARRAY(l->arena, node->count + 1, struct slice);
    for (const struct yaml *entry = node->first; entry != NULL; entry = entry->next) {
        struct slice text = load_text(l, entry);
        if (text.len != 0) {
            texts[(*count_out)++] = text;
        }
    }
    return texts;
}

bool load_is_listed(const struct slice *list, size_t count, struct slice word)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(list[i], word)) {
            return true;
        }
    }
    return false;
}

/* ---- looking up ---- */

const struct concept_set *mapping_find_set(const struct mapping *mapping, struct slice name)
{
    for (size_t i = 0; i < mapping->set_count; i++) {
        if (slice_equal(mapping->sets[i].name, name)) {
            return &mapping->sets[i];
        }
    }
    return NULL;
}

const struct concept_set *mapping_find_set_by_url(const struct mapping *mapping, struct slice url)
{
    for (size_t i = 0; i < mapping->set_count; i++) {
        if (slice_equal(mapping->sets[i].url, url)) {
            return &mapping->sets[i];
        }
    }
    return NULL;
}

const struct concept *mapping_find_code(const struct mapping *mapping, struct slice name)
{
    for (size_t i = 0; i < mapping->code_count; i++) {
        if (slice_equal(mapping->codes[i].name, name)) {
            return &mapping->codes[i];
        }
    }
    return NULL;
}

const struct plan_rule *mapping_find_plan(const struct mapping *mapping, struct slice name)
{
    for (size_t i = 0; i < mapping->plan_count; i++) {
        if (slice_equal(mapping->plans[i].name, name)) {
            return &mapping->plans[i];
        }
    }
    return NULL;
}

const struct text_entry *mapping_find_own_text(const struct mapping *mapping, struct slice plan,
                                               struct slice language, enum audience audience,
                                               struct slice key)
{
    for (size_t i = mapping->text_count; i-- > 0;) { /* those of an overlay were read last */
        const struct text_file *file = &mapping->texts[i];
        if (!slice_equal(file->plan, plan) || !slice_equal(file->language, language)) {
            continue;
        }
        for (size_t k = 0; k < file->count; k++) {
            if (file->entries[k].audience == audience && slice_equal(file->entries[k].key, key)) {
                return &file->entries[k];
            }
        }
    }
    return NULL;
}

const struct text_entry *mapping_find_text(const struct mapping *mapping, struct slice plan,
                                           struct slice language, enum audience audience,
                                           struct slice key)
{
    const struct text_entry *own = mapping_find_own_text(mapping, plan, language, audience, key);
    return own != NULL ? own
                       : mapping_find_own_text(mapping, SHARED_TEXTS, language, audience, key);
}

bool concept_counts(const struct concept *concept, const struct datetime *date)
{
    return date == NULL ||
           ((concept->from == NULL || datetime_compare(concept->from, date) != ORDER_GREATER) &&
            (concept->until == NULL || datetime_compare(concept->until, date) != ORDER_LESS));
}

const struct concept *concept_on(const struct concept *concept, const struct datetime *date)
{
    while (concept->later != NULL && !concept_counts(concept, date)) {
        concept = concept->later;
    }
    return concept;
}

bool concept_set_has(const struct concept_set *set, struct slice system, struct slice code,
                     const struct datetime *date)
{
    for (size_t i = 0; i < set->count; i++) {
        if (slice_equal(set->concepts[i].code, code) &&
            (system.len == 0 || slice_equal(set->concepts[i].system, system)) &&
            concept_counts(&set->concepts[i], date)) {
            return true;
        }
    }
    return false;
}

bool mapping_find_owns(const struct mapping *mapping, struct slice plan,
                       struct mapping_owns *owns_out)
{
    const struct plan_rule *rule = mapping_find_plan(mapping, plan);
    if (rule == NULL) {
        return false;
    }
    *owns_out = rule->owns;
    return true;
}

struct slice mapping_name(const struct mapping *mapping)
{
    return mapping->name;
}

struct slice mapping_version(const struct mapping *mapping)
{
    return mapping->version;
}

const char *outcome_name(enum outcome outcome)
{
    static const char *const names[] = {"proposal", "hand-over", "hold", "drop", "not-eligible"};
    return names[outcome];
}

/* ---- the folder ---- */

struct kind_of_file {
    const char *prefix;
    const char *what;
    void (*load)(struct loader *l, const struct yaml *root);
};

/* In the order in which they are loaded: what a later one names is known by then. */
static const struct kind_of_file kinds[] = {
    {"concepts/", "concepts", load_concepts}, {"texts/", "texts", load_text_file},
    {"parts/", "a part", load_part},          {"mapping.yaml", "the mapping", load_rules},
    {"plans/", "a plan", load_plan},          {"approvals.yaml", "the approvals", load_approvals},
};

enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

static void load_kind(struct loader *l, const struct kind_of_file *kind,
                      const struct mapping_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (files[i].layer != l->layer ||
            !slice_starts_with(files[i].path, slice_of(kind->prefix))) {
            continue;
        }
        const struct yaml *root = NULL;
        struct source *source = source_create(l->arena, files[i].name, files[i].text);
        if (yaml_parse(l->arena, source, &YAML_LIMITS, l->diags, &root) == STATUS_OK) {
            kind->load(l, root);
        } else {
            l->unread = true;
            l->no_rules = l->no_rules || slice_is(files[i].path, "mapping.yaml");
        }
    }
}

static void check_files(struct loader *l, const struct mapping_file *files, size_t count)
{
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        if (files[i].layer != l->layer) {
            continue;
        }
        found = found || slice_is(files[i].path, "mapping.yaml");
        bool known = slice_starts_with(files[i].path, SLICE("cases/"));
        for (size_t k = 0; k < KIND_COUNT; k++) {
            known = known || slice_starts_with(files[i].path, slice_of(kinds[k].prefix));
        }
        if (!known && slice_ends_with(files[i].path, SLICE(".yaml"))) {
            struct source *source = source_create(l->arena, files[i].name, files[i].text);
            struct diag *diag = load_fault(l, DIAG_MAPPING_FILE, (struct span){source, 0, 0},
                                           "this file belongs to no part of a mapping");
            diag_hint(l->diags, diag,
                      "a mapping has mapping.yaml, plans/, parts/, texts/, concepts/ and cases/");
        }
    }
    l->unread = l->unread || !found;
    l->no_rules = l->no_rules || !found;
    if (!found) {
        struct diag *diag =
            load_fault(l, DIAG_MAPPING_FILE, SPAN_NONE, "the folder has no mapping.yaml");
        diag_hint(l->diags, diag, "name the folder of a mapping");
    }
}

void mapping_tell_once(struct diag_list *diags)
{
    for (struct diag *diag = diags->first; diag != NULL; diag = diag->next) {
        while (diag->next != NULL && diag->next->code == diag->code && diag->span.source != NULL &&
               diag->next->span.source != NULL &&
               span_outermost(diag->next->span).start == span_outermost(diag->span).start &&
               slice_equal(span_outermost(diag->next->span).source->name,
                           span_outermost(diag->span).source->name) &&
               slice_equal(diag->next->sentence, diag->sentence)) {
            diags->errors -= diag->next->severity <= SEVERITY_ERROR;
            diags->count--;
            diag->next = diag->next->next;
            diags->last = diag->next == NULL ? diag : diags->last;
        }
    }
}

/* What is extended is read before what extends it, kind by kind. */
static void load_layers(struct loader *l, const struct mapping_file *files, size_t count)
{
    unsigned layers = 0;
    for (size_t i = 0; i < count; i++) {
        layers = files[i].layer >= layers ? files[i].layer + 1 : layers;
    }
    layers = layers == 0 ? 1 : layers > MAPPING_LAYERS_MOST ? MAPPING_LAYERS_MOST : layers;
    for (l->layer = layers; l->layer-- > 0;) {
        check_files(l, files, count);
    }
    for (size_t i = 0; i < KIND_COUNT; i++) {
        for (l->layer = layers; l->layer-- > 0;) {
            l->overlay = l->layer + 1 != layers;
            if (kinds[i].load != load_plan || !l->no_rules) {
                load_kind(l, &kinds[i], files, count);
            }
        }
    }
    l->layer = 0;
    load_check_grown(l);
}

enum status mapping_load(struct arena *arena, const struct mapping_file *files, size_t count,
                         const struct model *model, const struct limits *limits,
                         struct diag_list *diags, const struct mapping **mapping_out)
{
    struct loader *l = ARENA_NEW(arena, struct loader);
    *l = (struct loader){.arena = arena,
                         .model = model,
                         .limits = limits,
                         .diags = diags,
                         .mapping = ARENA_NEW(arena, struct mapping)};
    l->mapping->arena = arena;
    l->mapping->model = model;
    load_fixed_places(l);
    unsigned before = diags->errors;
    load_layers(l, files, count);
    load_parts(l, files, count);
    if (!l->unread) {
        load_check_whole(l);
    }
    if (diags->errors == before) { /* what is broken is often why something is not used */
        load_tell_unused(l, files, count);
    }
    diag_sort(diags);
    mapping_tell_once(diags);
    if (diags->errors != before) {
        return STATUS_INVALID;
    }
    load_settle_places(l);
    settle_plans(l);
    *mapping_out = l->mapping;
    return STATUS_OK;
}
