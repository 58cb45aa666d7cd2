// uses: fhir/growth
#include "growth_test.h"

#include <string.h>

#include "fhir/growth/csv.h"

static struct arena *arena;
static struct diag_list diags;

static int setup(void **state)
{
    (void)state;
    arena = arena_create(0);
    return arena == NULL;
}

static int teardown(void **state)
{
    (void)state;
    arena_destroy(&arena);
    return 0;
}

static enum status read_header(struct growth_csv *csv, const char *text)
{
    growth_csv_init(csv);
    diag_init(&diags, arena, 20);
    return growth_csv_header(csv, source_create(arena, SLICE("test"), slice_of(text)), &diags);
}

/* Takes all rows, offering the text in pieces of `step` bytes more each time. */
static size_t take_all(struct slice text, size_t step, struct growth_csv_record *records,
                       size_t room)
{
    struct growth_csv csv;
    growth_csv_init(&csv);
    size_t count = 0;
    size_t from = 0;
    size_t seen = 0;
    for (;;) {
        bool at_end = seen == text.len;
        struct growth_csv_record record;
        size_t taken = growth_csv_take(&csv, slice_part(text, from, seen - from), at_end, &record);
        assert_true(from + taken <= seen);
        from += taken;
        if (record.kind != GROWTH_CSV_MORE) {
            assert_true(count < room);
            records[count++] = record;
        } else if (taken == 0 || from == seen) {
            if (at_end) {
                assert_int_equal(from, text.len);
                return count;
            }
            seen = seen + step < text.len ? seen + step : text.len;
        }
    }
}

static void test_rows(void **state)
{
    (void)state;
    const char *text = "\xEF\xBB\xBFsex,bmi\r\n"
                       "male,17\n"
                       "\"fe\"\"male\",\"1\n7\"\r\n"
                       "\n"
                       "5'10\",x\n"
                       "last,\"row\"";
    const char *rows[] = {"sex,bmi", "male,17",  "\"fe\"\"male\",\"1\n7\"",
                          "",        "5'10\",x", "last,\"row\""};
    for (size_t step = 1; step < 80; step += 3) {
        struct growth_csv_record records[8];
        assert_int_equal(take_all(slice_of(text), step, records, 8), 6);
        for (size_t i = 0; i < 6; i++) {
            assert_int_equal(records[i].kind, GROWTH_CSV_ROW);
            assert_true(slice_is(records[i].text, rows[i]));
        }
    }
}

static void test_an_open_quote_costs_one_row(void **state)
{
    (void)state;
    const char *text = "a,b\n\"never closed,1\nmale,17\nfemale,18\n";
    struct growth_csv_record records[8];
    assert_int_equal(take_all(slice_of(text), 7, records, 8), 4);
    assert_int_equal(records[1].kind, GROWTH_CSV_BROKEN);
    assert_true(slice_is(records[2].text, "male,17"));
    assert_true(slice_is(records[3].text, "female,18"));
}

static void test_a_row_that_is_too_long_costs_one_row(void **state)
{
    (void)state;
    enum { LONG = 3 * GROWTH_CSV_RECORD_MAX };
    char *text = arena_alloc(arena, LONG + 20);
    memset(text, 'x', LONG);
    memcpy(text, "a,b\n", 4);
    memcpy(text + LONG - 8, "\nmale,17", 8);
    for (int quoted = 0; quoted < 2; quoted++) {
        text[4] = quoted ? '"' : 'x';
        struct growth_csv_record records[8];
        assert_int_equal(take_all(slice_from(text, LONG), 50000, records, 8), 3);
        assert_int_equal(records[1].kind, GROWTH_CSV_BROKEN);
        assert_true(slice_is(records[2].text, "male,17"));
    }
}

static void test_headers(void **state)
{
    (void)state;
    struct growth_csv csv;
    assert_int_equal(read_header(&csv, "id,\"SEX\", age_days ,weight_kg,x,height_cm"), STATUS_OK);
    assert_int_equal(csv.columns[0], GROWTH_COLUMN_NONE);
    assert_int_equal(csv.columns[1], GROWTH_COLUMN_SEX);
    assert_int_equal(csv.columns[2], GROWTH_COLUMN_AGE_DAYS);
    const struct {
        const char *text;
        const char *sentence;
        const char *hint;
    } wrong[] = {
        {"sexx,age_days,bmi", "the header has no column for the child's sex",
         "rename \"sexx\" to \"sex\""},
        {"sex,bmi,birth_date", "age_days, age_months, or birth_date with measured_date",
         "add a column \"measured_date\""},
        {"sex,age_days,wieght_kg", "a measurement", "rename \"wieght_kg\" to \"weight_kg\""},
        {"sex,age_days,bmi,sex", "the column \"sex\" twice", ""},
        {"sex;age_days;bmi", "child's sex", "fields are separated by commas"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(read_header(&csv, wrong[i].text), STATUS_INVALID);
        struct slice sentence = diags.first->sentence;
        if (slice_find(sentence, slice_of(wrong[i].sentence), 0) == SIZE_MAX ||
            !slice_is(diags.first->hint, wrong[i].hint)) {
            fail_msg("%s: \"%.*s\", hint \"%.*s\"", wrong[i].text, SLICE_ARGS(sentence),
                     SLICE_ARGS(diags.first->hint));
        }
    }
}

#define HEADER                                                                                     \
    "sex,birth_date,measured_date,age_days,age_months,weight_kg,height_cm,length_cm,bmi,"          \
    "gestational_weeks,note"

static struct growth_input read_row(const char *text, growth_flags *flags_out)
{
    struct growth_csv csv;
    struct growth_input input;
    assert_int_equal(read_header(&csv, HEADER), STATUS_OK);
    growth_csv_row(&csv, slice_of(text), &input, flags_out);
    return input;
}

static void expect_flags(growth_flags flags, enum growth_flag flag)
{
    growth_flags expected = 0;
    if (flag != GROWTH_FLAG_COUNT) {
        growth_flag_set(&expected, flag);
    }
    assert_true(flags == expected);
}

static void test_fields_of_a_row(void **state)
{
    (void)state;
    growth_flags flags;
    struct growth_input in = read_row(
        " Female ,2015-03-01,2020-03-01T08:00:00Z,,,\" 18.5 \",1.08e2,NA,.,,\"a, b\"", &flags);
    expect_flags(flags, GROWTH_FLAG_COUNT);
    assert_int_equal(in.sex, GROWTH_FEMALE);
    assert_true(in.age.days == 1827 && in.age.completed == 60);
    assert_true(in.weight_kg == 18.5 && in.height_cm == 108 && isnan(in.bmi));
    assert_int_equal(in.position, GROWTH_POSITION_BY_AGE);

    const struct {
        const char *row;
        enum growth_flag flag;
        double days; /* NAN: not known */
    } rows[] = {
        {"m,2015-03-01,2020-03-01,100,,,,,17,,", GROWTH_FLAG_AGE_DISAGREES, 100},
        {"m,2015-03-01,2020-03-01,1826,,,,,17,,", GROWTH_FLAG_COUNT, 1826},
        {"1,,,,12,,,,17,,", GROWTH_FLAG_COUNT, 365.25},
        {"2,,,365,12,,,,17,,", GROWTH_FLAG_COUNT, 365},
        {"m,2015-03-01,2020-03-01,x,,,,,17,,", GROWTH_FLAG_AGE_UNREADABLE, NAN},
        {"m,2015-03,2020-03-01,,,,,,17,,", GROWTH_FLAG_BIRTH_DATE_PARTIAL, NAN},
        {"m,2015-03,2020-03-01,900,,,,,17,,", GROWTH_FLAG_COUNT, 900},
        {"m,2015-02-30,2020-03-01,,,,,,17,,", GROWTH_FLAG_BIRTH_DATE_UNREADABLE, NAN},
        {"m,2015-03-01,2020,,,,,,17,,", GROWTH_FLAG_MEASURED_DATE_PARTIAL, NAN},
        {"m,2015-03-01,soon,,,,,,17,,", GROWTH_FLAG_MEASURED_DATE_UNREADABLE, NAN},
        {"m,2015-03-01,,,,,,,17,,", GROWTH_FLAG_NO_AGE, NAN},
        {"m,,,900,,12kg,,,17,,", GROWTH_FLAG_WEIGHT_UNREADABLE, 900},
        {"m,,,900,,-12,,,17,,", GROWTH_FLAG_WEIGHT_UNREADABLE, 900},
        {"m,,,900,,12,abc,,17,,", GROWTH_FLAG_HEIGHT_UNREADABLE, 900},
        {"m,,,900,,,,,\"1\"\"7\",,", GROWTH_FLAG_BMI_UNREADABLE, 900},
        {"m,,,300,,,,,17,early,", GROWTH_FLAG_GESTATION_UNREADABLE, 300},
        {"m,,,300,,,,,17,33+9,", GROWTH_FLAG_GESTATION_UNREADABLE, 300},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        in = read_row(rows[i].row, &flags);
        expect_flags(flags, rows[i].flag);
        assert_true(isnan(rows[i].days) ? isnan(in.age.days) : in.age.days == rows[i].days);
    }
    in = read_row("m,,,300,,,,,17,33+3,", &flags);
    assert_close(in.gestational_weeks, 33 + 3.0 / 7, 1e-12);
}

static void test_height_and_length(void **state)
{
    (void)state;
    growth_flags flags;
    struct growth_input in = read_row("m,,,300,,9,70,71,,,", &flags);
    assert_true(in.height_cm == 71 && in.position == GROWTH_RECUMBENT);
    in = read_row("m,,,900,,13,90,91,,,", &flags);
    assert_true(in.height_cm == 90 && in.position == GROWTH_POSITION_BY_AGE);
    in = read_row("m,,,900,,13,,91,,,", &flags);
    assert_true(in.height_cm == 91 && in.position == GROWTH_RECUMBENT);
}

static void test_more_values_than_columns_is_not_read(void **state)
{
    (void)state;
    growth_flags flags;
    struct growth_input in = read_row("m,,,900,,13,90,,,,,,", &flags);
    expect_flags(flags, GROWTH_FLAG_COUNT);
    in = read_row("m,,,900,,13,5,90,,,note,17", &flags);
    expect_flags(flags, GROWTH_FLAG_ROW_UNREADABLE);
    assert_true(isnan(in.weight_kg) && in.sex == GROWTH_SEX_UNKNOWN);
    in = read_row("m", &flags); /* too few: the rest is not given */
    expect_flags(flags, GROWTH_FLAG_NO_AGE);
    in = read_row("", &flags);
    assert_int_equal(in.sex, GROWTH_SEX_UNKNOWN);
}

static const char *assess_row(const char *row, char *out)
{
    struct growth_csv csv;
    assert_int_equal(read_header(&csv, HEADER), STATUS_OK);
    struct growth_csv_record record = {GROWTH_CSV_ROW, slice_of(row)};
    size_t len = growth_csv_assess(&csv, &record, false, out);
    assert_true(len < GROWTH_CSV_ROW_OUT_MAX && out[len - 1] == '\n');
    out[len - 1] = '\0';
    return out;
}

static void test_rows_out(void **state)
{
    (void)state;
    char out[GROWTH_CSV_ROW_OUT_MAX];
    assert_string_equal(assess_row("x,,,900,,13,90,,,,", out),
                        "900,29.568788501026695,16.049382716049383,,,,,,,,,CDC,,sex_unknown");
    assert_string_equal(
        assess_row("m,,,900,,13,oops,,,,", out),
        "900,29.568788501026695,,,,,,-0.3031650689033319,,,,CDC,,height_unreadable");
    assert_string_equal(assess_row("a,b,c,d,e,f,g,h,i,j,k,l", out), ",,,,,,,,,,,,,row_unreadable");
    assert_string_equal(assess_row("", out), ",,,,,,,,,,,,,sex_unknown;no_age;no_weight;no_height");
    assert_string_equal(assess_row("f,,,,240,60,165,,,,", out),
                        "7305,240,22.03856749311295,,,,,,,,,none,,age_above_charts");
}

/* Every flag at once still fits a row. */
static void test_room_for_all_flags(void **state)
{
    (void)state;
    struct growth_input input = growth_input_none();
    struct growth_assessment a;
    growth_assess(&input, &a);
    a.flags = ((uint64_t)1 << GROWTH_FLAG_COUNT) - 1;
    double longest = -1.2345678901234567e-300;
    a.age.days = a.age.months = a.bmi = a.bmi_z_lms = a.bmi_percentile_lms = longest;
    char out[GROWTH_CSV_ROW_OUT_MAX];
    size_t len = growth_csv_write(&a, true, out);
    assert_true(len + (size_t)40 * 30 < GROWTH_CSV_ROW_OUT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_open_quote_costs_one_row, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_row_that_is_too_long_costs_one_row, setup, teardown),
        cmocka_unit_test_setup_teardown(test_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fields_of_a_row, setup, teardown),
        cmocka_unit_test_setup_teardown(test_height_and_length, setup, teardown),
        cmocka_unit_test_setup_teardown(test_more_values_than_columns_is_not_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rows_out, setup, teardown),
        cmocka_unit_test_setup_teardown(test_room_for_all_flags, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
