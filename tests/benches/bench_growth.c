// uses: fhir/growth
/*
 * How many full assessments one core makes: 2 to 20 years (BMI with the extended tail, weight,
 * stature, percent of P95, category, flags), below 24 months (WHO), and an even mix. Prints the
 * median of nine runs each. malloc and its relatives are counted: an assessment allocates nothing.
 *   bench_growth            measures
 *   bench_growth rows N     writes N children as CSV, for measuring `eplan growth`
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "fhir/growth/growth.h"

enum { CHILDREN = 4096, ROUNDS = 100, RUNS = 9 };

static unsigned long allocations;

/* Takes the place of libc's for this program. */
extern void *__libc_malloc(size_t size);
void *malloc(size_t size);
void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

static uint64_t random_state = 20261105;

static double uniform(double low, double high)
{
    random_state = random_state * 6364136223846793005U + 1442695040888963407U;
    return low + (high - low) * (double)(random_state >> 11) / 9007199254740992.0;
}

/* Spread like a clinic's: around the median, one in five above P95. */
static struct growth_input child(double months_low, double months_high)
{
    struct growth_input input = growth_input_none();
    input.sex = uniform(0, 1) < 0.5 ? GROWTH_MALE : GROWTH_FEMALE;
    input.age = growth_age_of_days(floor(uniform(months_low, months_high) * GROWTH_DAYS_PER_MONTH));
    bool infant = input.age.completed < 24;
    double z = uniform(-2, 2);
    double height =
        infant ? reference_value(REFERENCE_WHO_LENGTH_FOR_AGE, input.sex, input.age.days, z)
               : reference_value(REFERENCE_CDC_STATURE_FOR_AGE, input.sex,
                                 fmin(fmax(input.age.months, 24), 240), z);
    double bmi = infant ? uniform(12, 21)
                        : reference_value(REFERENCE_CDC_BMI_FOR_AGE, input.sex,
                                          fmax(input.age.months, 24), uniform(-2.5, 2.3));
    input.height_cm = height;
    input.weight_kg = bmi * height * height / 10000;
    return input;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double checksum;

static double one_run(const struct growth_input *children)
{
    double start = seconds();
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CHILDREN; i++) {
            struct growth_assessment assessment;
            growth_assess(&children[i], &assessment);
            checksum += assessment.bmi_for_age.z;
        }
    }
    return ROUNDS * (double)CHILDREN / (seconds() - start);
}

static double measure(const char *name, double months_low, double months_high)
{
    static struct growth_input children[CHILDREN];
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = child(months_low, months_high);
    }
    double rates[RUNS];
    (void)one_run(children);
    unsigned long before = allocations;
    for (int run = 0; run < RUNS; run++) {
        rates[run] = one_run(children);
    }
    unsigned long made = allocations - before;
    qsort(rates, RUNS, sizeof *rates, by_value);
    double median = rates[RUNS / 2];
    printf("%-18s %10.0f assessments/s of CPU time on one core (median of %d runs of %d; spread "
           "%.0f %%), %lu allocations\n",
           name, median, RUNS, ROUNDS * CHILDREN, 100 * (rates[RUNS - 1] - rates[0]) / median,
           made);
    return made == 0 ? median : 0;
}

static void print_rows(long count)
{
    puts("id,sex,birth_date,measured_date,weight_kg,height_cm");
    struct growth_date birth = {2004, 2, 29};
    for (long i = 0; i < count; i++) {
        struct growth_input input = child(0, 239.5);
        struct growth_date measured =
            growth_date_of_days(growth_date_days(birth) + (int64_t)input.age.days);
        printf("%ld,%s,%04d-%02d-%02d,%04d-%02d-%02d,%.2f,%.1f\n", i,
               input.sex == GROWTH_MALE ? "male" : "female", birth.year, birth.month, birth.day,
               measured.year, measured.month, measured.day, input.weight_kg, input.height_cm);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "rows") == 0) {
        print_rows(strtol(argv[2], NULL, 10));
        return 0;
    }
    double cdc = measure("CDC, 2 to 20 years", 24.1, 239.5);
    double who = measure("WHO, 0 to 2 years", 0, 23.9);
    double mix = measure("mixed ages", 0, 239.5);
    printf("wanted: 1000000 assessments/s, 0 allocations: %s\n",
           cdc >= 1e6 && who >= 1e6 && mix >= 1e6 ? "met" : "not met");
    return isnan(checksum) ? 1 : 0;
}
