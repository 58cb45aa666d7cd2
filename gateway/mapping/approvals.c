#include "gateway/mapping/approvals.h"

#include "gateway/base/digest.h"
#include "gateway/mapping/load.h"

enum { APPROVALS_BYTES_MOST = 256 * 1024 };

static const char *const role_names[APPROVE_ROLES] = {"clinical", "informatics", "translator"};

const char *approval_role_name(enum approval_role role)
{
    return role_names[role];
}

bool approval_role_find(struct slice name, enum approval_role *role_out)
{
    for (int i = 0; i < APPROVE_ROLES; i++) {
        if (slice_is(name, role_names[i])) {
            *role_out = (enum approval_role)i;
            return true;
        }
    }
    return false;
}

/* ---- parts and their hashes ---- */

/* "texts/PLAN.LANGUAGE.yaml" -> LANGUAGE */
static struct slice language_of(struct slice path)
{
    static const char ending[] = ".yaml";
    struct slice stem = slice_part(path, 0, path.len - (sizeof ending - 1));
    size_t from = stem.len;
    while (from > 0 && stem.at[from - 1] != '.' && stem.at[from - 1] != '/') {
        from--;
    }
    return slice_part(stem, from, SIZE_MAX);
}

static struct slice part_of(struct arena *arena, struct slice path)
{
    static const struct {
        const char *prefix;
        const char *part;
    } parts[] = {{"concepts/", "concepts"},
                 {"plans/", "plans"},
                 {"parts/", "plans"},
                 {"cases/", "cases"},
                 {"mapping.yaml", "rules"}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (slice_starts_with(path, slice_of(parts[i].prefix))) {
            return slice_of(parts[i].part);
        }
    }
    return slice_starts_with(path, SLICE("texts/")) && slice_ends_with(path, SLICE(".yaml"))
               ? arena_printf(arena, "texts.%.*s", SLICE_ARGS(language_of(path)))
               : SLICE_NONE;
}

/* Each length before its bytes: no two parts give the same. */
static struct slice hash_part(struct loader *l, const struct mapping_file *files, size_t count,
                              struct slice part)
{
    struct slice *bytes = ARENA_ARRAY(l->arena, count * 4 + 1, struct slice);
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(part_of(l->arena, files[i].path), part)) {
            bytes[used++] = arena_printf(l->arena, "%u:%zu:", files[i].layer, files[i].path.len);
            bytes[used++] = files[i].path;
            bytes[used++] = arena_printf(l->arena, "%zu:", files[i].text.len);
            bytes[used++] = files[i].text;
        }
    }
    uint8_t hash[SHA256_SIZE];
    char text[SHA256_TEXT_SIZE];
    sha256_parts(bytes, used, hash);
    hex_write(hash, sizeof hash, text);
    return arena_printf(l->arena, "sha256:%s", text);
}

void load_parts(struct loader *l, const struct mapping_file *files, size_t count)
{
    struct mapping *m = l->mapping;
    for (size_t i = 0; i < count; i++) {
        struct slice part = part_of(l->arena, files[i].path);
        if (part.len != 0 && mapping_part_hash(m, part).len == 0) {
            struct part_hash hashed = {part, hash_part(l, files, count, part)};
            LOAD_ADD(l, m->parts, m->part_count, hashed);
        }
    }
}

struct slice mapping_part_hash(const struct mapping *mapping, struct slice part)
{
    for (size_t i = 0; i < mapping->part_count; i++) {
        if (slice_equal(mapping->parts[i].part, part)) {
            return mapping->parts[i].hash;
        }
    }
    return SLICE_NONE;
}

struct slice mapping_part_at(const struct mapping *mapping, size_t i)
{
    return i < mapping->part_count ? mapping->parts[i].part : SLICE_NONE;
}

/* ---- who approves what ---- */

static bool is_listed(const struct slice *list, size_t count, struct slice word)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(list[i], word)) {
            return true;
        }
    }
    return false;
}

static void add_texts(const struct mapping *m, struct arena *arena, bool first, struct slice *parts,
                      size_t *count)
{
    for (size_t i = 0; i < m->part_count; i++) {
        struct slice language = m->parts[i].part;
        struct slice kind = SLICE_NONE;
        slice_cut(&language, '.', &kind);
        bool is_first =
            is_listed(m->staff_languages, m->staff_language_count, language) ||
            (m->family_language_count != 0 && slice_equal(m->family_languages[0], language));
        if (slice_is(kind, "texts") && language.len != 0 && is_first == first) {
            parts[(*count)++] = arena_copy(arena, m->parts[i].part);
        }
    }
}

size_t mapping_parts_to_approve(const struct mapping *mapping, struct arena *arena,
                                enum approval_role role, struct slice **parts_out)
{
    static const struct {
        const char *part;
        enum approval_role role;
    } rows[] = {
#define APPROVED_BY(part, role) {part, role},
#include "gateway/mapping/approvals.def"
    };
    enum { ROW_COUNT = sizeof rows / sizeof *rows };
    struct slice *parts = ARENA_ARRAY(arena, mapping->part_count + ROW_COUNT, struct slice);
    size_t count = 0;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        struct slice part = slice_of(rows[i].part);
        if (rows[i].role != role) {
            continue;
        }
        if (slice_is(part, "first") || slice_is(part, "other")) {
            add_texts(mapping, arena, slice_is(part, "first"), parts, &count);
        } else if (mapping_part_hash(mapping, part).len != 0) {
            parts[count++] = part;
        }
    }
    *parts_out = parts;
    return count;
}

/* ---- reading ---- */

static bool read_day(struct loader *l, const struct yaml *node, struct slice *text_out)
{
    struct datetime date;
    *text_out = load_text(l, node);
    if (text_out->len != 0 &&
        (datetime_parse(*text_out, FORM_FHIR_DATE, &date, NULL) != STATUS_OK ||
         date.part != PART_DAY)) {
        load_fault(l, DIAG_MAPPING_VALUE, node->span, "a date is expected here: 2027-01-31");
        return false;
    }
    return true;
}

static void read_part(struct loader *l, const struct yaml *node, void *target)
{
    ((struct approval *)target)->part = load_name(l, node);
}

static void read_role(struct loader *l, const struct yaml *node, void *target)
{
    size_t which = 0;
    if (load_choice(l, node, role_names, APPROVE_ROLES, &which)) {
        ((struct approval *)target)->role = (enum approval_role)which;
    }
}

static void read_hash(struct loader *l, const struct yaml *node, void *target)
{
    ((struct approval *)target)->hash = load_text(l, node);
}

static void read_by(struct loader *l, const struct yaml *node, void *target)
{
    ((struct approval *)target)->by = load_text(l, node);
}

static void read_on(struct loader *l, const struct yaml *node, void *target)
{
    read_day(l, node, &((struct approval *)target)->on);
}

static void read_review_by(struct loader *l, const struct yaml *node, void *target)
{
    read_day(l, node, &((struct approval *)target)->review_by);
}

static void read_list(struct loader *l, const struct yaml *node, void *target)
{
    static const struct field fields[] = {
        {"part", true, read_part}, {"as", true, read_role}, {"hash", true, read_hash},
        {"by", true, read_by},     {"on", true, read_on},   {"review-by", true, read_review_by}};
    struct mapping *m = target;
    if (!load_is(l, node, YAML_LIST)) {
        return;
    }
    for (const struct yaml *it = node->first; it != NULL; it = it->next) {
        struct approval approval = {.span = it->span};
        if (load_map(l, it, fields, sizeof fields / sizeof *fields, &approval)) {
            LOAD_ADD(l, m->approvals, m->approval_count, approval);
        }
    }
}

void load_approvals(struct loader *l, const struct yaml *root)
{
    static const struct field fields[] = {{"approvals", true, read_list}};
    load_map(l, root, fields, 1, l->mapping);
}

size_t mapping_approvals(const struct mapping *mapping, const struct approval **approvals_out)
{
    *approvals_out = mapping->approvals;
    return mapping->approval_count;
}

/* ---- writing ---- */

/* A text in double quotes as YAML reads it. */
static void add_quoted(struct buf *out, struct slice text)
{
    buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '"' || text.at[i] == '\\') {
            buf_add_char(out, '\\');
        }
        buf_add_char(out, text.at[i]);
    }
    buf_add_char(out, '"');
}

struct slice approvals_write(struct arena *arena, const struct approval *approvals, size_t count)
{
    struct buf out;
    buf_init(&out, arena, APPROVALS_BYTES_MOST);
    buf_add_cstr(
        &out,
        "# Written by `eplan approve`: who approved which part, as it was then (hash), and until "
        "when.\napprovals:\n");
    for (size_t i = 0; i < count; i++) {
        const struct approval *a = &approvals[i];
        buf_printf(&out,
                   "  - part: %.*s\n    as: %s\n    hash: \"%.*s\"\n    by: ", SLICE_ARGS(a->part),
                   role_names[a->role], SLICE_ARGS(a->hash));
        add_quoted(&out, a->by);
        buf_printf(&out, "\n    on: %.*s\n    review-by: %.*s\n", SLICE_ARGS(a->on),
                   SLICE_ARGS(a->review_by));
    }
    return buf_view(&out);
}

/* ---- before release ---- */

static const struct approval *find(const struct mapping *m, struct slice part,
                                   enum approval_role role)
{
    const struct approval *found = NULL;
    for (size_t i = 0; i < m->approval_count; i++) {
        if (m->approvals[i].role == role && slice_equal(m->approvals[i].part, part)) {
            found = &m->approvals[i]; /* the last one stands */
        }
    }
    return found;
}

static void check_one(const struct mapping *m, struct slice part, enum approval_role role,
                      struct slice today, struct diag_list *diags)
{
    const struct approval *approval = find(m, part, role);
    struct diag *diag = NULL;
    if (approval == NULL) {
        diag =
            diag_add(diags, DIAG_MAPPING_RELEASE, m->owners_span,
                     "nobody has approved the part %.*s as %s", SLICE_ARGS(part), role_names[role]);
    } else if (!slice_equal(approval->hash, mapping_part_hash(m, part))) {
        diag = diag_add(diags, DIAG_MAPPING_RELEASE, approval->span,
                        "the part %.*s was changed after %.*s approved it as %s on %.*s",
                        SLICE_ARGS(part), SLICE_ARGS(approval->by), role_names[role],
                        SLICE_ARGS(approval->on));
    } else if (slice_compare(today, approval->review_by) > 0) {
        diag = diag_add(diags, DIAG_MAPPING_RELEASE, approval->span,
                        "the approval of the part %.*s as %s ended on %.*s: its review is due",
                        SLICE_ARGS(part), role_names[role], SLICE_ARGS(approval->review_by));
    }
    if (diag != NULL) {
        diag_hint(diags, diag, "read the part, then: eplan approve FOLDER --as %s --name NAME",
                  role_names[role]);
    }
}

void approvals_faults(const struct mapping *mapping, const struct datetime *today,
                      struct diag_list *diags)
{
    char day[DATETIME_TEXT];
    struct slice text = slice_from(day, datetime_print(today, day));
    for (int role = 0; role < APPROVE_ROLES; role++) {
        struct slice *parts;
        size_t count =
            mapping_parts_to_approve(mapping, diags->arena, (enum approval_role)role, &parts);
        for (size_t i = 0; i < count; i++) {
            check_one(mapping, parts[i], (enum approval_role)role, text, diags);
        }
    }
}
