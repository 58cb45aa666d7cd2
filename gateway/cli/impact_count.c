#include "gateway/cli/impact_count.h"

enum { GROUPS_MOST = 500, NAME_WIDTH = 32 };

static const char *const columns[] = {
#define COLUMN(id, name) name,
#include "gateway/cli/impact_columns.def"
};

static const struct {
    const char *title;
    const char *name;
} dimensions[] = {
    [IMPACT_BY_EHR] = {"EHR", "ehr"},
    [IMPACT_BY_VISIT_TYPE] = {"type of visit", "visit-type"},
    [IMPACT_BY_CATEGORY] = {"category", "category"},
    [IMPACT_BY_LANGUAGE] = {"language", "language"},
};

static const struct {
    const char *title;
    const char *name;
} whys[] = {
    [IMPACT_WHY_CHANGED] = {"what changes", "changes"},
    [IMPACT_WHY_FAILED] = {"what fails", "fails"},
    [IMPACT_WHY_UNKNOWN] = {"what is not known", "unknown"},
};

struct group {
    struct slice name;
    struct slice label;
    uint64_t counts[IMPACT_COLUMNS];
    struct group *next;
};

/* By first meeting until they are sorted; beyond GROUPS_MOST all go to one, "others". */
struct groups {
    struct group *first;
    size_t count;
};

struct impact_count {
    struct arena *arena;
    uint64_t all[IMPACT_COLUMNS];
    struct groups by[IMPACT_DIMENSIONS];
    struct groups why[IMPACT_WHYS];
};

struct impact_count *impact_count_create(struct arena *arena)
{
    struct impact_count *count = ARENA_NEW(arena, struct impact_count);
    count->arena = arena;
    return count;
}

/* ---- counting ---- */

static struct group *find_group(struct impact_count *count, struct groups *groups,
                                struct slice name, struct slice label)
{
    struct group **end = &groups->first;
    name = groups->count < GROUPS_MOST ? name : SLICE("others");
    for (; *end != NULL; end = &(*end)->next) {
        if (slice_equal((*end)->name, name)) {
            return *end;
        }
    }
    struct group *group = ARENA_NEW(count->arena, struct group);
    group->name = arena_copy(count->arena, name);
    group->label = arena_copy(count->arena, label);
    *end = group;
    groups->count++;
    return group;
}

static void count_child(uint64_t *counts, const struct impact_child *child)
{
    counts[IMPACT_CHILDREN]++;
    counts[child->outcome]++;
    counts[IMPACT_CHANGED] += child->changed;
}

void impact_add(struct impact_count *count, const struct impact_child *child)
{
    count_child(count->all, child);
    for (size_t i = 0; i < IMPACT_DIMENSIONS; i++) {
        struct slice name = child->groups[i].len != 0 ? child->groups[i] : SLICE("none");
        count_child(find_group(count, &count->by[i], name, child->labels[i])->counts, child);
    }
    for (size_t i = 0; i < IMPACT_WHYS; i++) {
        if (child->why[i].len != 0) {
            count_child(find_group(count, &count->why[i], child->why[i], SLICE_NONE)->counts,
                        child);
        }
    }
}

uint64_t impact_total(const struct impact_count *count, enum impact_column column)
{
    return count->all[column];
}

/* ---- showing ---- */

/* The most children first, then by name. */
static bool goes_before(const struct group *a, const struct group *b)
{
    uint64_t more = a->counts[IMPACT_CHILDREN];
    uint64_t fewer = b->counts[IMPACT_CHILDREN];
    return more != fewer ? more > fewer : slice_compare(a->name, b->name) < 0;
}

static const struct group **sorted(const struct groups *groups, struct arena *arena)
{
    const struct group **list = ARENA_ARRAY(arena, groups->count + 1, const struct group *);
    size_t count = 0;
    for (const struct group *it = groups->first; it != NULL; it = it->next) {
        size_t at = count++;
        for (; at > 0 && goes_before(it, list[at - 1]); at--) {
            list[at] = list[at - 1];
        }
        list[at] = it;
    }
    return list;
}

static void print_row(FILE *out, const char *indent, struct slice name, struct slice label,
                      const uint64_t *counts)
{
    int used = fprintf(out, "%s%.*s", indent, SLICE_ARGS(name));
    if (label.len != 0) {
        used += fprintf(out, " %.*s", SLICE_ARGS(label));
    }
    fprintf(out, "%*s", used < NAME_WIDTH ? NAME_WIDTH - used : 0, "");
    for (size_t i = 0; i < IMPACT_COLUMNS; i++) {
        fprintf(out, "  %*llu", (int)strlen(columns[i]), (unsigned long long)counts[i]);
    }
    fputc('\n', out);
}

void impact_print(const struct impact_count *count, FILE *out)
{
    fprintf(out, "%*s", NAME_WIDTH, "");
    for (size_t i = 0; i < IMPACT_COLUMNS; i++) {
        fprintf(out, "  %s", columns[i]);
    }
    fputc('\n', out);
    print_row(out, "", SLICE("all"), SLICE_NONE, count->all);
    for (size_t i = 0; i < IMPACT_DIMENSIONS; i++) {
        const struct group **list = sorted(&count->by[i], count->arena);
        fprintf(out, "%s\n", dimensions[i].title);
        for (size_t k = 0; k < count->by[i].count; k++) {
            print_row(out, "  ", list[k]->name, list[k]->label, list[k]->counts);
        }
    }
    for (size_t i = 0; i < IMPACT_WHYS; i++) {
        const struct group **list = sorted(&count->why[i], count->arena);
        fprintf(out, "%s", count->why[i].count != 0 ? whys[i].title : "");
        fputs(count->why[i].count != 0 ? "\n" : "", out);
        for (size_t k = 0; k < count->why[i].count; k++) {
            fprintf(out, "  %7llu  %.*s\n", (unsigned long long)list[k]->counts[IMPACT_CHILDREN],
                    SLICE_ARGS(list[k]->name));
        }
    }
}

static void add_number(struct arena *arena, struct json *object, const char *name, uint64_t number)
{
    struct slice text = arena_printf(arena, "%llu", (unsigned long long)number);
    json_add(arena, object, slice_of(name), json_new_number(arena, text));
}

static struct json *counts_json(struct arena *arena, struct json *object, const uint64_t *counts)
{
    for (size_t i = 0; i < IMPACT_COLUMNS; i++) {
        add_number(arena, object, columns[i], counts[i]);
    }
    return object;
}

static struct json *named(struct arena *arena, const char *member, const struct group *group)
{
    struct json *object = json_new_object(arena);
    json_add(arena, object, slice_of(member), json_new_string(arena, group->name));
    if (group->label.len != 0) {
        json_add(arena, object, SLICE("display"), json_new_string(arena, group->label));
    }
    return object;
}

void impact_json(const struct impact_count *count, struct arena *arena, struct json *object)
{
    struct json *by = json_new_object(arena);
    json_add(arena, object, SLICE("all"), counts_json(arena, json_new_object(arena), count->all));
    for (size_t i = 0; i < IMPACT_DIMENSIONS; i++) {
        const struct group **groups = sorted(&count->by[i], arena);
        struct json *list = json_new_array(arena);
        for (size_t k = 0; k < count->by[i].count; k++) {
            json_append(list,
                        counts_json(arena, named(arena, "name", groups[k]), groups[k]->counts));
        }
        json_add(arena, by, slice_of(dimensions[i].name), list);
    }
    json_add(arena, object, SLICE("by"), by);
    for (size_t i = 0; i < IMPACT_WHYS; i++) {
        const struct group **groups = sorted(&count->why[i], arena);
        struct json *list = json_new_array(arena);
        for (size_t k = 0; k < count->why[i].count; k++) {
            struct json *entry = named(arena, "what", groups[k]);
            add_number(arena, entry, "children", groups[k]->counts[IMPACT_CHILDREN]);
            json_append(list, entry);
        }
        json_add(arena, object, slice_of(whys[i].name), list);
    }
}
