#include "gateway/base/failpoint.h"

#ifdef EPLAN_SEAMS
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum action { NONE, KILL, FAIL, DELAY };

struct rule {
    uint64_t delay_ms;
    uint64_t nth; /* 0: each */
    enum action action;
    bool onward;
};

static const char *const names[FAILPOINT_COUNT] = {
#define FAILPOINT_ROW(id, name, meaning) name,
#include "gateway/base/failpoints.def"
#undef FAILPOINT_ROW
};

static struct {
    pthread_mutex_t lock;
    struct rule rules[FAILPOINT_COUNT];
    uint64_t passed[FAILPOINT_COUNT];
} table = {.lock = PTHREAD_MUTEX_INITIALIZER};

bool failpoint_pass(enum failpoint point)
{
    pthread_mutex_lock(&table.lock);
    uint64_t n = ++table.passed[point];
    struct rule rule = table.rules[point];
    pthread_mutex_unlock(&table.lock);
    if (rule.action == NONE || (rule.nth != 0 && n != rule.nth && !(rule.onward && n > rule.nth))) {
        return false;
    }
    if (rule.action == KILL) {
        raise(SIGKILL);
    }
    if (rule.action == DELAY) {
        struct timespec time = {.tv_sec = (time_t)(rule.delay_ms / 1000),
                                .tv_nsec = (long)(rule.delay_ms % 1000) * 1000000};
        nanosleep(&time, NULL);
    }
    return rule.action == FAIL;
}

uint64_t failpoint_passed(enum failpoint point)
{
    pthread_mutex_lock(&table.lock);
    uint64_t n = table.passed[point];
    pthread_mutex_unlock(&table.lock);
    return n;
}

static bool read_action(struct slice text, struct rule *rule)
{
    if (slice_is(text, "kill") || slice_is(text, "fail")) {
        rule->action = text.at[0] == 'k' ? KILL : FAIL;
        return true;
    }
    rule->action = DELAY;
    return slice_starts_with(text, SLICE("delay:")) &&
           slice_to_u64(slice_part(text, 6, text.len), &rule->delay_ms) && rule->delay_ms <= 600000;
}

static bool read_rule(struct slice text, struct rule rules[FAILPOINT_COUNT])
{
    struct slice name;
    struct slice action;
    struct rule rule = {.action = NONE};
    slice_cut(&text, '=', &name);
    if (text.at == NULL) {
        return false;
    }
    slice_cut(&text, '@', &action);
    if (text.at != NULL) {
        rule.onward = slice_ends_with(text, SLICE("+"));
        text.len -= rule.onward;
        if (!slice_to_u64(text, &rule.nth) || rule.nth == 0) {
            return false;
        }
    }
    if (!read_action(action, &rule)) {
        return false;
    }
    for (size_t i = 0; i < FAILPOINT_COUNT; i++) {
        if (slice_is(name, names[i])) {
            rules[i] = rule;
            return true;
        }
    }
    return false;
}

bool failpoint_plan(struct slice plan)
{
    struct rule rules[FAILPOINT_COUNT] = {{.action = NONE}};
    struct slice text;
    while (plan.len != 0 && slice_cut(&plan, ';', &text)) {
        text = slice_trim(text);
        if (text.len != 0 && !read_rule(text, rules)) {
            return false;
        }
    }
    pthread_mutex_lock(&table.lock);
    memcpy(table.rules, rules, sizeof rules);
    memset(table.passed, 0, sizeof table.passed);
    pthread_mutex_unlock(&table.lock);
    return true;
}

/* At a clean end: "NAME PASSINGS" in lines, for a driver that strikes each passing in turn. */
static void write_counts(void)
{
    FILE *file = fopen(getenv("EPLAN_FAILPOINT_COUNTS"), "w");
    for (int i = 0; file != NULL && i < FAILPOINT_COUNT; i++) {
        fprintf(file, "%s %llu\n", names[i],
                (unsigned long long)failpoint_passed((enum failpoint)i));
    }
    if (file != NULL) {
        fclose(file);
    }
}

bool failpoint_plan_from_environment(void)
{
    if (getenv("EPLAN_FAILPOINT_COUNTS") != NULL) {
        atexit(write_counts);
    }
    const char *plan = getenv("EPLAN_FAILPOINTS");
    return plan == NULL || failpoint_plan(slice_of(plan));
}
#else
typedef int failpoint_unit_is_empty; /* ISO C wants one declaration */
#endif
