/*
 * What other threads hand to the HTTP client's thread, and the count of what has not ended. Bounded
 * in items and bytes; knows no library. Private to gateway/http.
 */
#ifndef GATEWAY_HTTP_CLIENT_QUEUE_H
#define GATEWAY_HTTP_CLIENT_QUEUE_H

#include <pthread.h>

#include "gateway/http/client_job.h"

struct cancel {
    struct cancel *next;
    uint64_t id;
};

struct client_queue {
    size_t max_items;
    size_t max_bytes;
    pthread_mutex_t lock; /* over all that follows */
    pthread_cond_t ended; /* items became 0 */
    struct job *first_new;
    struct job *last_new;
    struct cancel *cancels;
    size_t items;
    size_t bytes;
    size_t in_flight;
    uint64_t next_id;
    bool draining;
    bool cancel_all;
    bool stopping;
};

void client_queue_init(struct client_queue *queue, size_t max_items, size_t max_bytes);
void client_queue_clear(struct client_queue *queue);

/* Gives the job its id. STATUS_OK: taken. STATUS_AGAIN: full. STATUS_REFUSED: draining. id_out may
 * be NULL. */
enum status client_queue_put(struct client_queue *queue, struct job *job, uint64_t *id_out);
void client_queue_cancel(struct client_queue *queue, uint64_t id);

/* What was asked for since the last call; the lists are the caller's. */
struct orders {
    struct job *jobs;
    struct cancel *cancels; /* freed by free() */
    bool cancel_all;
    bool stopping;
};
struct orders client_queue_take(struct client_queue *queue);

/* The job began, or ended, with libcurl. */
void client_queue_count_flight(struct client_queue *queue, bool began);
/* A job ended, and its done has returned. */
void client_queue_count_end(struct client_queue *queue, size_t bytes);

/* No more jobs are taken. True: all ended within the time. */
bool client_queue_close(struct client_queue *queue, unsigned timeout_ms);
/* Asks for the end of all jobs, and for the end of the thread. */
void client_queue_order_end(struct client_queue *queue, bool stopping);
void client_queue_wait_empty(struct client_queue *queue);

struct http_client_load client_queue_load(struct client_queue *queue);

#endif
