#include "gateway/http/client_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

void client_queue_init(struct client_queue *queue, size_t max_items, size_t max_bytes)
{
    pthread_condattr_t monotonic;
    *queue = (struct client_queue){.max_items = max_items, .max_bytes = max_bytes};
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

void client_queue_clear(struct client_queue *queue)
{
    for (struct cancel *order = queue->cancels, *next; order != NULL; order = next) {
        next = order->next;
        free(order);
    }
    pthread_cond_destroy(&queue->ended);
    pthread_mutex_destroy(&queue->lock);
}

/* Under the lock. */
static enum status has_room(const struct client_queue *queue, size_t bytes)
{
    if (queue->draining) {
        return STATUS_REFUSED;
    }
    bool full = queue->items >= queue->max_items ||
                (queue->items != 0 &&
                 (queue->bytes >= queue->max_bytes || bytes > queue->max_bytes - queue->bytes));
    return full ? STATUS_AGAIN : STATUS_OK;
}

enum status client_queue_put(struct client_queue *queue, struct job *job, uint64_t *id_out)
{
    pthread_mutex_lock(&queue->lock);
    enum status status = has_room(queue, job->request.body.len);
    if (status == STATUS_OK) {
        queue->items++;
        queue->bytes += job->request.body.len;
        job->result->public.id = ++queue->next_id;
        if (queue->first_new == NULL) {
            queue->first_new = job;
        } else {
            queue->last_new->next = job;
        }
        queue->last_new = job;
        if (id_out != NULL) {
            *id_out = job->result->public.id;
        }
    }
    pthread_mutex_unlock(&queue->lock);
    return status;
}

void client_queue_cancel(struct client_queue *queue, uint64_t id)
{
    struct cancel *order = malloc(sizeof *order);
    if (order == NULL) {
        return; /* it ends at its deadline */
    }
    order->id = id;
    pthread_mutex_lock(&queue->lock);
    order->next = queue->cancels;
    queue->cancels = order;
    pthread_mutex_unlock(&queue->lock);
}

struct orders client_queue_take(struct client_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    struct orders orders = {.jobs = queue->first_new,
                            .cancels = queue->cancels,
                            .cancel_all = queue->cancel_all,
                            .stopping = queue->stopping};
    queue->first_new = NULL;
    queue->last_new = NULL;
    queue->cancels = NULL;
    pthread_mutex_unlock(&queue->lock);
    return orders;
}

void client_queue_count_flight(struct client_queue *queue, bool began)
{
    pthread_mutex_lock(&queue->lock);
    queue->in_flight += began ? 1 : SIZE_MAX;
    pthread_mutex_unlock(&queue->lock);
}

void client_queue_count_end(struct client_queue *queue, size_t bytes)
{
    pthread_mutex_lock(&queue->lock);
    queue->bytes -= bytes;
    if (--queue->items == 0) {
        pthread_cond_broadcast(&queue->ended);
    }
    pthread_mutex_unlock(&queue->lock);
}

bool client_queue_close(struct client_queue *queue, unsigned timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(timeout_ms / 1000);
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&queue->lock);
    queue->draining = true;
    int rc = 0;
    while (queue->items != 0 && rc != ETIMEDOUT) {
        rc = pthread_cond_timedwait(&queue->ended, &queue->lock, &until);
    }
    bool empty = queue->items == 0;
    pthread_mutex_unlock(&queue->lock);
    return empty;
}

void client_queue_order_end(struct client_queue *queue, bool stopping)
{
    pthread_mutex_lock(&queue->lock);
    queue->cancel_all = true;
    queue->stopping = stopping;
    pthread_mutex_unlock(&queue->lock);
}

void client_queue_wait_empty(struct client_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (queue->items != 0) {
        pthread_cond_wait(&queue->ended, &queue->lock);
    }
    pthread_mutex_unlock(&queue->lock);
}

struct http_client_load client_queue_load(struct client_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    struct http_client_load load = {
        .items = queue->items, .bytes = queue->bytes, .in_flight = queue->in_flight};
    pthread_mutex_unlock(&queue->lock);
    return load;
}
