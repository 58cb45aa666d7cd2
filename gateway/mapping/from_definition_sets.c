/* Value sets, facts and named expressions of FHIR definitions, as a mapping has them. */
#include "gateway/mapping/importing.h"

/* ---- ValueSets ---- */

static bool has_concepts(const struct json *value_set)
{
    const struct json *include = json_first(json_get(json_get(value_set, "compose"), "include"));
    while (include != NULL && json_first(json_get(include, "concept")) == NULL) {
        include = json_next(include);
    }
    return include != NULL;
}

static struct slice set_name(struct importing *x, const struct json *value_set)
{
    struct slice title = json_get_text(value_set, "title");
    return import_word(x, title.len != 0 ? title : json_get_text(value_set, "name"), "set");
}

struct slice import_set_name(struct importing *x, struct slice url)
{
    const struct definition *found = import_find(x, "ValueSet", url);
    return found != NULL && has_concepts(found->resource) ? set_name(x, found->resource)
                                                          : SLICE_NONE;
}

static void add_include(struct importing *x, struct buf *out, const struct json *include,
                        struct slice at)
{
    struct slice system = json_get_text(include, "system");
    const struct json *concept = json_first(json_get(include, "concept"));
    if (system.len == 0 || concept == NULL) {
        import_leave(x, at, "does not list codes of a system; a set of a mapping does");
        return;
    }
    for (size_t i = 0; concept != NULL; concept = json_next(concept), i++) {
        struct slice code = json_get_text(concept, "code");
        struct slice display = json_get_text(concept, "display");
        buf_printf(out, "    - { system: %.*s, code: %.*s, display: %.*s, status: memory }\n",
                   SLICE_ARGS(import_quoted(x, system)), SLICE_ARGS(import_quoted(x, code)),
                   SLICE_ARGS(import_quoted(x, display.len != 0 ? display : code)));
        import_leave_others(x, concept, import_at_index(x, at, "concept", i),
                            (const char *const[]){"code", "display", NULL});
    }
    import_leave_others(x, include, at, (const char *const[]){"system", "concept", NULL});
}

static void add_set(struct importing *x, struct buf *out, const struct definition *set)
{
    const struct json *compose = json_get(set->resource, "compose");
    struct slice at = import_at(x, set->at, "compose");
    size_t i = 0;
    if (!has_concepts(set->resource)) {
        import_leave(x, set->at, "lists no codes; a set of a mapping does");
        return;
    }
    buf_printf(out, "  %.*s:\n", SLICE_ARGS(set_name(x, set->resource)));
    const struct json *include = json_first(json_get(compose, "include"));
    for (; include != NULL; include = json_next(include), i++) {
        add_include(x, out, include, import_at_index(x, at, "include", i));
    }
    import_leave_others(x, compose, at, (const char *const[]){"include", NULL});
    import_leave_others(x, set->resource, set->at,
                        (const char *const[]){"version", "name", "title", "compose", NULL});
}

void import_sets(struct importing *x)
{
    struct buf out;
    buf_init(&out, x->arena, IMPORT_FILE_MOST);
    buf_add_cstr(&out,
                 "# Read from ValueSets; nobody verified a code here: `status` says so.\nsets:\n");
    size_t empty = out.len;
    for (size_t i = 0; i < x->count; i++) {
        if (slice_is(json_get_text(x->definitions[i].resource, "resourceType"), "ValueSet")) {
            add_set(x, &out, &x->definitions[i]);
        }
    }
    if (out.len != empty) {
        import_file(x, SLICE("concepts/sets.yaml"), &out);
    }
}

/* ---- facts ---- */

/* Which measurement a set of codes is about. LOINC. */
static bool lists_code(struct importing *x, struct slice url, const char *code)
{
    const struct definition *set = import_find(x, "ValueSet", url);
    const struct json *include =
        set != NULL ? json_first(json_get(json_get(set->resource, "compose"), "include")) : NULL;
    for (; include != NULL; include = json_next(include)) {
        const struct json *it = json_first(json_get(include, "concept"));
        for (; it != NULL && slice_is(json_get_text(include, "system"), "http://loinc.org");
             it = json_next(it)) {
            if (slice_is(json_get_text(it, "code"), code)) {
                return true;
            }
        }
    }
    return false;
}

static void add_filters(struct importing *x, const struct json *need, struct slice at,
                        struct slice fact)
{
    size_t i = 0;
    const struct json *it = json_first(json_get(need, "codeFilter"));
    for (; it != NULL; it = json_next(it), i++) {
        struct slice url = json_get_text(it, "valueSet");
        struct slice set = import_set_name(x, url);
        if (!slice_is(json_get_text(it, "path"), "code") || set.len == 0) {
            import_leave(x, import_at_index(x, at, "codeFilter", i),
                         "is no list of codes that `code` is among; the fact asks for more");
            continue;
        }
        buf_printf(&x->rules, "&code={{ %%sets.%.*s }}", SLICE_ARGS(set));
        if (lists_code(x, url, "29463-7")) {
            x->weights = fact;
        } else if (lists_code(x, url, "8302-2")) {
            x->heights = fact;
        }
    }
}

static void add_fact(struct importing *x, const struct json *need, struct slice at)
{
    static const char *const read[] = {"type", "codeFilter", "limit", NULL};
    struct slice type = json_get_text(need, "type");
    struct slice id = json_get_text(need, "id");
    struct slice name = import_word(x, id.len != 0 ? id : type, "fact");
    if (slice_is(type, "Patient") || type.len == 0) {
        return; /* the patient is always known */
    }
    if (slice_is(type, "Encounter") && x->encounter.len == 0) {
        x->encounter = name;
        buf_printf(&x->rules, "  %.*s: { read: \"{{ %%visit.encounter }}\", take: one }\n",
                   SLICE_ARGS(name));
    } else {
        buf_printf(&x->rules, "  %.*s: { search: \"%.*s?patient={{ %%patient.id }}",
                   SLICE_ARGS(name), SLICE_ARGS(import_word(x, type, "Resource")));
        add_filters(x, need, at, name);
        buf_printf(&x->rules, "\", take: %s }\n",
                   slice_is(json_text(json_get(need, "limit")), "1") ? "latest" : "all");
    }
    import_leave_others(x, need, at, read);
}

static void add_facts(struct importing *x, const struct definition *library)
{
    size_t i = 0;
    const struct json *it = json_first(json_get(library->resource, "dataRequirement"));
    for (; it != NULL; it = json_next(it), i++) {
        add_fact(x, it, import_at_index(x, library->at, "dataRequirement", i));
    }
}

/* ---- named expressions ---- */

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t at = slice_find(slice_of(digits), slice_from(&c, 1), 0);
    return at < 64 ? (int)at : -1;
}

/* RFC 4648 section 4; SLICE_NONE: it is none, or no text. */
static struct slice base64_text(struct importing *x, struct slice text)
{
    struct buf out;
    unsigned bits = 0;
    size_t have = 0;
    buf_init(&out, x->arena, IMPORT_FILE_MOST);
    for (size_t i = 0; i < text.len && text.at[i] != '='; i++) {
        int digit = base64_digit(text.at[i]);
        if (digit < 0) {
            return SLICE_NONE;
        }
        bits = (bits << 6 | (unsigned)digit) & 0xffffff;
        have += 6;
        if (have >= 8) {
            have -= 8;
            buf_add_char(&out, (char)(unsigned char)(bits >> have & 0xff));
        }
    }
    struct slice bytes = buf_view(&out);
    return utf8_check(bytes) == SIZE_MAX && slice_find(bytes, slice_from("", 1), 0) == SIZE_MAX
               ? bytes
               : SLICE_NONE;
}

static void add_expressions(struct importing *x, const struct definition *library)
{
    size_t i = 0;
    const struct json *it = json_first(json_get(library->resource, "content"));
    for (; it != NULL; it = json_next(it), i++) {
        struct slice at = import_at_index(x, library->at, "content", i);
        struct slice text = base64_text(x, json_get_text(it, "data"));
        struct slice name = import_word(x, json_get_text(it, "title"), "");
        if (!slice_is(json_get_text(it, "contentType"), "text/fhirpath") || text.len == 0 ||
            name.len == 0) {
            import_leave(x, at, "is no FHIRPath expression with a title to name it by");
            continue;
        }
        buf_printf(&x->rules, "  %.*s: %.*s\n", SLICE_ARGS(name),
                   SLICE_ARGS(import_quoted(x, text)));
        import_leave_others(x, it, at, (const char *const[]){"contentType", "data", "title", NULL});
    }
}

static void each_library(struct importing *x,
                         void (*add)(struct importing *x, const struct definition *library))
{
    for (size_t i = 0; i < x->count; i++) {
        if (slice_is(json_get_text(x->definitions[i].resource, "resourceType"), "Library")) {
            add(x, &x->definitions[i]);
        }
    }
}

static void leave_library(struct importing *x, const struct definition *library)
{
    import_leave_others(x, library->resource, library->at,
                        (const char *const[]){"version", "name", "title", "type", "dataRequirement",
                                              "content", NULL});
}

void import_libraries(struct importing *x)
{
    buf_add_cstr(&x->rules, "\nfacts: # FHIR does not tell how far back: look at each search\n");
    each_library(x, add_facts);
    if (x->weights.len != 0 && x->heights.len != 0) {
        buf_printf(&x->rules, "\ngrowth: { weight: %.*s, height: %.*s }\n", SLICE_ARGS(x->weights),
                   SLICE_ARGS(x->heights));
    }
    buf_add_cstr(&x->rules, "\ndefine:\n");
    each_library(x, add_expressions);
    each_library(x, leave_library);
}
