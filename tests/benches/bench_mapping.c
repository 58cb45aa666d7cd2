// uses: fhir/base fhir/json fhir/model fhir/validate gateway/base
// uses: gateway/mapping gateway/mapping_folder
/*
 * One child through a mapping, for tests/benches/mapping.mjs: bench_mapping FOLDER CASE, then one
 * request on each line of standard input, answered with one line of JSON.
 *   input      what the case gives, and growth as assessed: {"patient", "date", "facts", "growth"}
 *   value      the plan as a Bundle
 *   run MS     {"nanoseconds" of processor time of one evaluation, from facts in memory to the
 * plan's JSON, "rounds"} memory N   {"before", "after"}: resident kilobytes after 10000 and after N
 * evaluations
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "fhir/json/json.h"
#include "gateway/mapping/case.h"
#include "gateway/mapping/growth_fields.h"
#include "gateway/mapping_folder/mapping_folder.h"

struct bench {
    struct arena *keep;
    struct arena *round;
    const char *folder;
    struct slice name;
    const struct mapping *mapping;
    struct evaluation_input input;
    struct slice text; /* of the last round */
};

static enum status load_run(void *arg)
{
    struct bench *b = arg;
    struct diag_list diags;
    struct mapping_files files;
    diag_init(&diags, b->keep, 5);
    enum status status = mapping_folder_read(b->keep, slice_of(b->folder), &diags, &files);
    if (status == STATUS_OK) {
        status = mapping_load(b->keep, files.at, files.count, model_r4(), &LIMITS_DEFAULT, &diags,
                              &b->mapping);
    }
    struct case_runner runner = {.limits = LIMITS_DEFAULT};
    for (size_t i = 0; i < files.count && status == STATUS_OK; i++) {
        struct case_run *runs;
        size_t count;
        if (!case_is_file(&files.at[i]) || case_run_file(&runner, b->mapping, b->keep, &files.at[i],
                                                         &diags, &runs, &count) != STATUS_OK) {
            continue;
        }
        for (size_t k = 0; k < count; k++) {
            if (slice_equal(runs[k].name, b->name)) {
                b->input = runs[k].input;
                return STATUS_OK;
            }
        }
    }
    return STATUS_ABSENT;
}

static enum status round_run(void *arg)
{
    struct bench *b = arg;
    struct diag_list diags;
    struct evaluation_result result;
    struct limits limits = LIMITS_DEFAULT;
    diag_init(&diags, b->round, 5);
    enum status status =
        mapping_evaluate(b->mapping, b->round, &b->input, &limits, &diags, &result);
    if (status == STATUS_OK) {
        b->text = json_write(b->round, mapping_take_plan_bundle(b->round, &result), JSON_COMPACT);
    }
    return status;
}

static void one_round(struct bench *b)
{
    arena_reset(b->round);
    if (arena_run(b->round, round_run, b) != STATUS_OK) {
        fprintf(stderr, "an evaluation failed\n");
        exit(1);
    }
}

static double processor_time(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static long resident_kilobytes(void)
{
    long kilobytes = 0;
    char line[256];
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "VmRSS:", 6) == 0) {
            kilobytes = strtol(line + 6, NULL, 10);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return kilobytes;
}

/* %growth.NAME of the child: its value, or a list of those that are many. */
static struct json *growth_of(struct bench *b)
{
    struct json *growth = json_new_object(b->round);
    for (int i = 0; i < GROWTH_FIELD_COUNT; i++) {
        struct diag_list diags;
        struct path_items items;
        struct slice name = growth_variable_name((enum growth_field)i);
        struct slice text = arena_printf(b->round, "%%%.*s", SLICE_ARGS(name));
        struct source *source = source_create(b->round, SLICE("growth"), text);
        diag_init(&diags, b->round, 5);
        if (mapping_ask(b->mapping, b->round, &b->input, source, &LIMITS_DEFAULT, &diags, &items) !=
            STATUS_OK) {
            fprintf(stderr, "%s cannot be asked for\n", text.at);
            exit(1);
        }
        struct json *list = json_new_array(b->round);
        for (size_t k = 0; k < items.count; k++) {
            json_append(list,
                        json_copy(b->round, path_item_json(b->round, model_r4(), &items.at[k])));
        }
        bool many = growth_variable_is_many((enum growth_field)i);
        if (many || items.count != 0) {
            struct json *value = many ? list : json_copy(b->round, json_first(list));
            json_add(b->round, growth, slice_part(name, strlen("growth."), SIZE_MAX), value);
        }
    }
    return growth;
}

static enum status print_input_run(void *arg)
{
    struct bench *b = arg;
    struct arena *arena = b->round;
    struct json *input = json_new_object(arena);
    struct json *facts = json_new_object(arena);
    char day[DATETIME_TEXT];
    size_t len = datetime_print(&b->input.visit.date, day);
    json_add(arena, input, SLICE("patient"), json_copy(arena, b->input.patient));
    json_add(arena, input, SLICE("date"), json_new_string(arena, slice_from(day, len)));
    for (size_t i = 0; i < b->input.fact_count; i++) {
        if (b->input.facts[i].resources != NULL) {
            json_add(arena, facts, b->input.facts[i].name,
                     json_copy(arena, b->input.facts[i].resources));
        }
    }
    json_add(arena, input, SLICE("facts"), facts);
    json_add(arena, input, SLICE("growth"), growth_of(b));
    b->text = json_write(arena, input, JSON_COMPACT);
    return STATUS_OK;
}

static void run_for(struct bench *b, double milliseconds)
{
    enum { BATCH = 8 };
    double start = processor_time();
    double at = start;
    long rounds = 0;
    while (at - start < milliseconds * 1e6) {
        for (int i = 0; i < BATCH; i++) {
            one_round(b);
        }
        rounds += BATCH;
        at = processor_time();
    }
    printf("{\"nanoseconds\":%.0f,\"rounds\":%ld}\n", (at - start) / (double)rounds, rounds);
}

/* The arena has its size after the first rounds. */
static void measure_memory(struct bench *b, long count)
{
    enum { FIRST_ROUNDS = 10000 };
    for (long i = 0; i < FIRST_ROUNDS; i++) {
        one_round(b);
    }
    long before = resident_kilobytes();
    for (long i = FIRST_ROUNDS; i < count; i++) {
        one_round(b);
    }
    printf("{\"before\":%ld,\"after\":%ld}\n", before, resident_kilobytes());
}

static void answer(struct bench *b, const char *line)
{
    if (strncmp(line, "input", 5) == 0) {
        arena_reset(b->round);
        arena_run(b->round, print_input_run, b);
        printf("%s\n", b->text.at);
    } else if (strncmp(line, "value", 5) == 0) {
        one_round(b);
        printf("%s\n", b->text.at);
    } else if (strncmp(line, "run ", 4) == 0) {
        run_for(b, strtod(line + 4, NULL));
    } else {
        measure_memory(b, strtol(line + 7, NULL, 10));
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct bench b = {.keep = arena_create(0), .round = arena_create(0)};
    char line[256];
    json_library_init();
    if (argc != 3 || b.keep == NULL || b.round == NULL) {
        fprintf(stderr, "usage: bench_mapping FOLDER CASE\n");
        return 64;
    }
    b.folder = argv[1];
    b.name = slice_of(argv[2]);
    if (arena_run(b.keep, load_run, &b) != STATUS_OK) {
        fprintf(stderr, "%s has no case %s\n", argv[1], argv[2]);
        return 1;
    }
    while (fgets(line, sizeof line, stdin) != NULL) {
        answer(&b, line);
    }
    arena_destroy(&b.round);
    arena_destroy(&b.keep);
    return 0;
}
