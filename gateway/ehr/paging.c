#include "gateway/ehr/engine.h"
#include "gateway/ehr/searchset.h"
#include "gateway/ehr/url.h"

/* Parameters that choose what is found. Those that only shape the answer (_count, _sort) a server
 * may leave out of its self link. */
static bool is_filter(struct slice name)
{
    static const char *const filters[] = {"_id", "_lastUpdated", "_tag", "_profile", "_security"};
    if (!slice_starts_with(name, SLICE("_"))) {
        return name.len != 0;
    }
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        if (slice_is(name, filters[i])) {
            return true;
        }
    }
    return false;
}

static void list_required(struct call *call)
{
    struct slice query =
        call->request.verb == EHR_FIND ? SLICE("identifier=") : call->request.query;
    size_t most = 1;
    for (size_t i = 0; i < query.len; i++) {
        most += query.at[i] == '&';
    }
    call->paging.required = ARENA_ARRAY(call->arena, most, const char *);
    struct slice part;
    while (slice_cut(&query, '&', &part)) {
        struct slice name;
        slice_cut(&part, '=', &name);
        slice_cut(&name, ':', &part);
        if (is_filter(part)) {
            call->paging.required[call->paging.required_count++] = arena_cstr(call->arena, part);
        }
    }
}

static void start_anew(struct call *call)
{
    struct paging *paging = &call->paging;
    size_t number;
    paging->number = 0;
    paging->match_count = 0;
    seen_init(&paging->urls, call->arena);
    seen_init(&paging->resources, call->arena);
    seen_add(&paging->urls, paging->first, &number);
    call->url = paging->first;
}

void paging_begin(struct call *call)
{
    call->paging.first = call->url;
    list_required(call);
    start_anew(call);
}

static enum paging_step fail(struct call *call, enum ehr_fault fault)
{
    call->answer.outcome = EHR_UNREADABLE;
    call->answer.fault = fault;
    call->answer.resource = NULL;
    call->answer.detail = slice_of(ehr_fault_sentence(fault));
    return PAGING_END;
}

static void make_room(struct call *call)
{
    struct paging *paging = &call->paging;
    size_t room = paging->room != 0 ? 2 * paging->room : 64;
    const struct json **larger = ARENA_ARRAY(call->arena, room, const struct json *);
    for (size_t i = 0; i < paging->match_count; i++) {
        larger[i] = paging->matches[i];
    }
    paging->matches = larger;
    paging->room = room;
}

/* All pages of a collected search live in the call's arena. A resource that comes again, because
 * the pages shifted, counts once, as it came last. */
static void collect(struct call *call, const struct searchset *set)
{
    struct paging *paging = &call->paging;
    for (size_t i = 0; i < set->match_count; i++) {
        const struct json *it = set->matches[i];
        struct slice type = json_get_text(it, "resourceType");
        struct slice id = json_get_text(it, "id");
        size_t number = 0;
        struct slice key =
            id.len != 0 ? arena_printf(call->arena, "%.*s/%.*s", SLICE_ARGS(type), SLICE_ARGS(id))
                        : arena_printf(call->arena, "#%zu", paging->match_count);
        if (!seen_add(&paging->resources, key, &number)) {
            paging->matches[number] = it;
            continue;
        }
        if (paging->match_count == paging->room) {
            make_room(call);
        }
        paging->matches[paging->match_count++] = it;
    }
}

static bool has_expired(const struct call *call)
{
    int status = call->answer.http_status;
    return call->paging.number > 0 && call->answer.outcome != EHR_DONE &&
           (status == 404 || status == 410 || call->answer.fault == EHR_FAULT_PAGES_EXPIRED);
}

/* The URL of the next page, if there is one, is remembered and set. */
static enum ehr_fault go_to(struct call *call, struct slice next)
{
    struct paging *paging = &call->paging;
    unsigned most = call->request.pages_most != 0 ? call->request.pages_most : PAGES_MOST;
    size_t number;
    paging->is_last = next.len == 0;
    if (paging->is_last) {
        return EHR_FAULT_NONE;
    }
    if (!url_is_query(next)) {
        return EHR_FAULT_WRONG_CONTENT;
    }
    call->url = arena_copy(call->arena, next);
    if (!seen_add(&paging->urls, call->url, &number)) {
        return EHR_FAULT_PAGE_LOOP;
    }
    return paging->number >= most ? EHR_FAULT_TOO_MANY_PAGES : EHR_FAULT_NONE;
}

enum paging_step paging_read(struct call *call, struct arena *arena)
{
    struct paging *paging = &call->paging;
    struct ehr_answer *answer = &call->answer;
    if (has_expired(call)) {
        if (paging->restarts++ == RESTARTS_MOST) {
            return fail(call, EHR_FAULT_PAGES_EXPIRED);
        }
        start_anew(call);
        return PAGING_NEXT;
    }
    if (answer->outcome != EHR_DONE) {
        return PAGING_END;
    }
    struct searchset set;
    const char *why = NULL;
    bool is_first = paging->number == 0;
    if (searchset_read(arena, answer->resource, call->ehr->config->base_url, paging->required,
                       is_first ? paging->required_count : 0, &set, &why) != STATUS_OK) {
        bool is_set = slice_is(json_get_text(answer->resource, "type"), "searchset");
        return fail(call, is_set ? EHR_FAULT_FOREIGN_LINK : EHR_FAULT_WRONG_CONTENT);
    }
    if (set.filter_ignored) {
        return fail(call, EHR_FAULT_FILTER_IGNORED);
    }
    paging->number++;
    if (is_first) {
        paging->server_date = answer->server_date;
    }
    enum ehr_fault fault = go_to(call, set.next);
    if (fault != EHR_FAULT_NONE) {
        return fail(call, fault);
    }
    answer->server_date = paging->server_date;
    answer->resource = NULL;
    if (call->page != NULL) {
        paging->matches = set.matches;
        paging->match_count = set.match_count;
        return PAGING_SHOW;
    }
    collect(call, &set);
    answer->matches = paging->matches;
    answer->match_count = paging->match_count;
    return paging->is_last ? PAGING_END : PAGING_NEXT;
}
