#include "gateway/admin/metrics.h"

#include "gateway/store/store_read.h"

enum { METRICS_MOST = 4 * 1024 * 1024 };

/* One EHR: what the store knows of it and how the daemon stands with it. */
struct ehr_measured {
    struct slice name;
    const struct ehr_status *stored;
    struct ehr_health health; /* all zero when no daemon runs, or it is not configured */
};

struct measured {
    const struct desk *desk;
    struct store_status status;
    struct store_load load;
    struct ehr_measured *ehrs; /* by name */
    struct buf text;
};

static void add_health(void *to, const struct config_ehr *ehr, const struct ehr_health *health)
{
    struct measured *m = to;
    for (size_t i = 0; health != NULL && i < m->status.count; i++) {
        if (slice_equal(m->ehrs[i].name, ehr->name)) {
            m->ehrs[i].health = *health;
        }
    }
}

/* ---- writing ---- */

static double seconds(int64_t utc_us)
{
    return (double)utc_us / 1e6;
}

static const char *work_word(int state)
{
    return work_state_name((enum work_state)state);
}

static const char *row_word(int state)
{
    return row_state_name((enum row_state)state);
}

static void write_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Names of EHRs are letters, digits and hyphens (settings.def, NAME): nothing to escape. */
static void write_states(struct buf *out, const char *name, struct slice ehr,
                         const uint64_t *counts, int last, const char *(*word)(int))
{
    for (int state = 1; state <= last; state++) {
        buf_printf(out, "%s{ehr=\"%.*s\",state=\"%s\"} %llu\n", name, SLICE_ARGS(ehr), word(state),
                   (unsigned long long)counts[state]);
    }
}

/* Without a single plan there is no quantile to tell. */
static void write_summary(struct buf *out, const char *name, struct slice ehr,
                          const struct durations_summary *summary)
{
    if (summary->count != 0) {
        buf_printf(out, "%s{ehr=\"%.*s\",quantile=\"0.5\"} %.17g\n", name, SLICE_ARGS(ehr),
                   seconds(summary->median));
        buf_printf(out, "%s{ehr=\"%.*s\",quantile=\"0.95\"} %.17g\n", name, SLICE_ARGS(ehr),
                   seconds(summary->p95));
    }
    buf_printf(out, "%s_sum{ehr=\"%.*s\"} %.17g\n", name, SLICE_ARGS(ehr), seconds(summary->sum));
    buf_printf(out, "%s_count{ehr=\"%.*s\"} %llu\n", name, SLICE_ARGS(ehr),
               (unsigned long long)summary->count);
}

static void write_all(struct measured *m)
{
    struct buf *out = &m->text;
#define WHOLE(metric, type, help, value)                                                           \
    write_head(out, metric, type, help);                                                           \
    buf_printf(out, "%s %.17g\n", metric, (double)(value));
#include "gateway/admin/metrics.def"
#define EACH(metric, type, help, value)                                                            \
    write_head(out, metric, type, help);                                                           \
    for (size_t i = 0; i < m->status.count; i++) {                                                 \
        const struct ehr_measured *e = &m->ehrs[i];                                                \
        buf_printf(out, "%s{ehr=\"%.*s\"} %.17g\n", metric, SLICE_ARGS(e->name), (double)(value)); \
    }
#include "gateway/admin/metrics.def"
#define SUMMARY(metric, help, value)                                                               \
    write_head(out, metric, "summary", help);                                                      \
    for (size_t i = 0; i < m->status.count; i++) {                                                 \
        const struct ehr_measured *e = &m->ehrs[i];                                                \
        write_summary(out, metric, e->name, &(value));                                             \
    }
#include "gateway/admin/metrics.def"
#define STATES(metric, help, counts, last, word)                                                   \
    write_head(out, metric, "gauge", help);                                                        \
    for (size_t i = 0; i < m->status.count; i++) {                                                 \
        write_states(out, metric, m->ehrs[i].name, m->ehrs[i].stored->counts, last, word);         \
    }
#include "gateway/admin/metrics.def"
}

enum status metrics_write(const struct desk *desk, struct arena *arena, struct slice *text_out)
{
    struct measured *m = ARENA_NEW(arena, struct measured);
    m->desk = desk;
    enum status status = store_read_status(desk->store, arena, &m->status);
    if (status != STATUS_OK) {
        return status;
    }
    m->load = store_load(desk->store);
    m->ehrs = ARENA_ARRAY(arena, m->status.count + 1, struct ehr_measured);
    for (size_t i = 0; i < m->status.count; i++) {
        m->ehrs[i].name = m->status.ehrs[i].ehr;
        m->ehrs[i].stored = &m->status.ehrs[i];
    }
    desk->each_ehr(desk->arg, add_health, m);
    buf_init(&m->text, arena, METRICS_MOST);
    write_all(m);
    *text_out = buf_view(&m->text);
    return STATUS_OK;
}
