#include "gateway/daemon/parts.h"

/* What the desk needs for a decision: a resource of the EHR, waited for, and the mapping's
 * `on-accept`. On the thread of the control socket. */

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct arena *arena; /* the asker's, who waits */
    bool over;
    enum status status;
    const struct json *resource;
    const struct ehr_answer *answer;
};

static enum status copy_run(void *arg)
{
    struct waiting *waiting = arg;
    waiting->resource = json_copy(waiting->arena, waiting->answer->resource);
    return STATUS_OK;
}

static void answered(struct ehr_answer *answer, void *arg)
{
    struct waiting *waiting = arg;
    enum status status = answer->outcome == EHR_ABSENT ? STATUS_ABSENT : STATUS_AGAIN;
    if (answer->outcome == EHR_DONE && answer->resource != NULL) {
        waiting->answer = answer;
        status = arena_run(waiting->arena, copy_run, waiting);
    }
    pthread_mutex_lock(&waiting->lock);
    waiting->status = status;
    waiting->over = true;
    pthread_cond_signal(&waiting->wake);
    pthread_mutex_unlock(&waiting->lock);
}

/* A generation that is let go finishes its calls: the answer comes in any case, within the EHR's
 * deadline. */
static enum status call(struct daemon *daemon, struct slice name, const struct ehr_request *request,
                        struct waiting *waiting)
{
    enum status status = STATUS_ABSENT;
    pthread_mutex_lock(&daemon->lock);
    const struct generation *generation = daemon->current;
    for (size_t i = 0; i < generation->link_count; i++) {
        if (slice_equal(generation->links[i].config->name, name)) {
            status = ehr_call(generation->ehrs[i], request, answered, waiting);
        }
    }
    pthread_mutex_unlock(&daemon->lock);
    return status;
}

enum status decide_read(void *arg, struct arena *arena, struct slice ehr, struct slice type,
                        struct slice id, const struct json **resource_out)
{
    struct waiting waiting = {
        .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .arena = arena};
    struct ehr_request request = {.verb = EHR_READ, .type = type, .id = id};
    if (call(arg, ehr, &request, &waiting) != STATUS_OK) {
        return STATUS_AGAIN;
    }
    pthread_mutex_lock(&waiting.lock);
    while (!waiting.over) {
        pthread_cond_wait(&waiting.wake, &waiting.lock);
    }
    pthread_mutex_unlock(&waiting.lock);
    pthread_cond_destroy(&waiting.wake);
    pthread_mutex_destroy(&waiting.lock);
    if (waiting.status == STATUS_OK) {
        *resource_out = waiting.resource;
    }
    return waiting.status;
}

struct accepting {
    const struct mapping *mapping;
    struct arena *arena;
    const struct item_key *key;
    struct slice acceptor;
    struct slice speaker;
    struct mapping_acceptance acceptance;
};

static enum status accept_run(void *arg)
{
    struct accepting *accepting = arg;
    struct diag_list diags;
    diag_init(&diags, accepting->arena, 5);
    return mapping_accept(accepting->mapping, accepting->arena, accepting->key->plan,
                          accepting->acceptor, accepting->speaker, &LIMITS_DEFAULT, &diags,
                          &accepting->acceptance);
}

/* The lock keeps the generation while its mapping is evaluated: some microseconds. Nothing jumps
 * over it: arena_run ends in here. */
enum status decide_on_accept(void *arg, struct arena *arena, const struct item_key *key,
                             struct slice acceptor, struct slice speaker,
                             struct desk_acceptance *acceptance_out)
{
    struct daemon *daemon = arg;
    struct accepting accepting = {
        .arena = arena, .key = key, .acceptor = acceptor, .speaker = speaker};
    enum status status = STATUS_ABSENT;
    pthread_mutex_lock(&daemon->lock);
    accepting.mapping = daemon->current->mapping.mapping;
    if (slice_equal(mapping_name(accepting.mapping), key->mapping)) {
        status = arena_run(arena, accept_run, &accepting);
    }
    pthread_mutex_unlock(&daemon->lock);
    if (status == STATUS_OK) {
        *acceptance_out = (struct desk_acceptance){
            accepting.acceptance.care_plan, accepting.acceptance.goal, accepting.acceptance.order};
    }
    return status;
}
