#include "fhir/growth/csv.h"

#include <math.h>

#include "fhir/growth/number.h"

static const char *const column_names[] = {
#define IN(id, name) name,
#include "fhir/growth/columns.def"
#undef IN
};

void growth_csv_init(struct growth_csv *csv)
{
    *csv = (struct growth_csv){0};
}

/* ---- rows ---- */

static size_t line_length(struct slice bytes)
{
    const char *end = memchr(bytes.at, '\n', bytes.len);
    return end != NULL ? (size_t)(end - bytes.at) : bytes.len;
}

/* The row's length without its line end, quotes respected; bytes.len when it does not end here.
 * *open_out: it ends inside quotes. A quote opens a field only at its start. */
static size_t quoted_row_length(struct slice bytes, bool *open_out)
{
    bool inside = false;
    bool start = true;
    size_t i = 0;
    for (; i < bytes.len; i++) {
        char c = bytes.at[i];
        if (inside) {
            inside = c != '"'; /* a doubled quote closes and opens again */
            start = !inside;
        } else if (c == '\n') {
            break;
        } else {
            inside = c == '"' && start;
            start = c == ',' || (start && (c == ' ' || c == '\t'));
        }
    }
    *open_out = inside;
    return i;
}

static struct growth_csv_record record_of(enum growth_csv_kind kind, struct slice bytes, size_t len)
{
    struct slice text = slice_part(bytes, 0, len);
    if (text.len > 0 && text.at[text.len - 1] == '\r') {
        text.len--;
    }
    return (struct growth_csv_record){kind, text};
}

static size_t skip_rest(struct growth_csv *csv, struct slice bytes)
{
    size_t len = line_length(bytes);
    csv->skipping = len == bytes.len;
    return csv->skipping ? len : len + 1;
}

size_t growth_csv_take(struct growth_csv *csv, struct slice bytes, bool at_end,
                       struct growth_csv_record *record_out)
{
    *record_out = (struct growth_csv_record){GROWTH_CSV_MORE, SLICE_NONE};
    if (csv->skipping && bytes.len > 0) {
        return skip_rest(csv, bytes);
    }
    size_t mark = 0;
    if (!csv->begun) {
        if (bytes.len < 3 && !at_end) {
            return 0;
        }
        csv->begun = true;
        mark = slice_starts_with(bytes, SLICE("\xEF\xBB\xBF")) ? 3 : 0;
        bytes = slice_part(bytes, mark, bytes.len);
    }
    if (bytes.len == 0) {
        return mark;
    }
    bool open = false;
    size_t len = line_length(bytes);
    if (memchr(bytes.at, '"', len) != NULL) {
        size_t room = GROWTH_CSV_RECORD_MAX + 1;
        len = quoted_row_length(slice_part(bytes, 0, room), &open);
    }
    bool ends = len < bytes.len && bytes.at[len] == '\n' && !open;
    if (!ends && !at_end && len <= GROWTH_CSV_RECORD_MAX) {
        return mark;
    }
    if (open || len > GROWTH_CSV_RECORD_MAX) { /* one line is given up, not what follows it */
        len = line_length(bytes);
        *record_out = record_of(GROWTH_CSV_BROKEN, bytes, len < 80 ? len : 80);
        return mark + skip_rest(csv, bytes);
    }
    *record_out = record_of(GROWTH_CSV_ROW, bytes, len);
    return mark + len + ends;
}

/* ---- fields ---- */

/* Cuts the next field off *rest; quotes and outer space are taken off. False at the end. A doubled
 * quote stays doubled: no value that is read contains one. */
static bool next_field(struct slice *rest, struct slice *field_out)
{
    if (rest->at == NULL) {
        return false;
    }
    size_t i = 0;
    while (i < rest->len && (rest->at[i] == ' ' || rest->at[i] == '\t')) {
        i++;
    }
    size_t end;
    if (i < rest->len && rest->at[i] == '"') {
        bool inside = true;
        for (end = i + 1; end < rest->len && (inside || rest->at[end] != ','); end++) {
            inside ^= rest->at[end] == '"';
        }
    } else {
        const char *comma = memchr(rest->at + i, ',', rest->len - i);
        end = comma != NULL ? (size_t)(comma - rest->at) : rest->len;
    }
    struct slice field = slice_trim(slice_from(rest->at + i, end - i));
    if (field.len >= 2 && field.at[0] == '"' && field.at[field.len - 1] == '"') {
        field = slice_trim(slice_from(field.at + 1, field.len - 2));
    }
    *rest = end < rest->len ? slice_from(rest->at + end + 1, rest->len - end - 1) : SLICE_NONE;
    *field_out = field;
    return true;
}

static bool same_ignoring_case(struct slice a, const char *lower)
{
    for (size_t i = 0; i < a.len; i++) {
        char c = a.at[i];
        if ((c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c) != lower[i] || lower[i] == '\0') {
            return false;
        }
    }
    return lower[a.len] == '\0';
}

static bool is_given(struct slice field)
{
    static const char *const missing[] = {"na", "n/a", "nan", "null", "."};
    if (field.len == 0) {
        return false;
    }
    char c = field.at[0];
    if (c >= '0' && c <= '9') {
        return true;
    }
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        if (same_ignoring_case(field, missing[i])) {
            return false;
        }
    }
    return true;
}

/* ---- header ---- */

static enum growth_column column_of(struct slice name)
{
    for (int i = 0; i < GROWTH_COLUMN_COUNT; i++) {
        if (same_ignoring_case(name, column_names[i])) {
            return (enum growth_column)i;
        }
    }
    return GROWTH_COLUMN_NONE;
}

struct header_seen {
    bool column[GROWTH_COLUMN_COUNT];
    struct slice unknown[GROWTH_CSV_FIELDS_MAX];
    size_t unknown_count;
};

static void require(const struct header_seen *seen, bool found, const struct source *header,
                    const char *what, const char *wanted, struct diag_list *diags)
{
    if (found) {
        return;
    }
    uint32_t end = (uint32_t)header->text.len;
    struct diag *diag = diag_add(diags, DIAG_GROWTH_CSV_COLUMN, (struct span){header, 0, end},
                                 "the header has no column for %s", what);
    struct slice near = slice_nearest(slice_of(wanted), seen->unknown, seen->unknown_count);
    if (near.at != NULL) {
        diag_hint(diags, diag, "rename \"%.*s\" to \"%s\"", SLICE_ARGS(near), wanted);
    } else if (slice_find(header->text, SLICE(","), 0) == SIZE_MAX && header->text.len > 0) {
        diag_hint(diags, diag, "fields are separated by commas");
    } else {
        diag_hint(diags, diag, "add a column \"%s\"", wanted);
    }
}

static void require_columns(const struct header_seen *seen, const struct source *header,
                            struct diag_list *diags)
{
    const bool *has = seen->column;
    require(seen, has[GROWTH_COLUMN_SEX], header, "the child's sex", "sex", diags);
    bool dates = has[GROWTH_COLUMN_BIRTH_DATE] && has[GROWTH_COLUMN_MEASURED_DATE];
    bool age = has[GROWTH_COLUMN_AGE_DAYS] || has[GROWTH_COLUMN_AGE_MONTHS] || dates;
    const char *wanted = has[GROWTH_COLUMN_BIRTH_DATE]      ? "measured_date"
                         : has[GROWTH_COLUMN_MEASURED_DATE] ? "birth_date"
                                                            : "age_days";
    require(seen, age, header, "the age: age_days, age_months, or birth_date with measured_date",
            wanted, diags);
    bool measured = has[GROWTH_COLUMN_WEIGHT] || has[GROWTH_COLUMN_HEIGHT] ||
                    has[GROWTH_COLUMN_LENGTH] || has[GROWTH_COLUMN_BMI] || has[GROWTH_COLUMN_HEAD];
    require(seen, measured, header, "a measurement: weight_kg with height_cm or length_cm, or bmi",
            "weight_kg", diags);
}

enum status growth_csv_header(struct growth_csv *csv, const struct source *header,
                              struct diag_list *diags)
{
    struct header_seen seen = {{false}, {SLICE_NONE}, 0};
    unsigned errors = diags->errors;
    struct slice rest = header->text;
    if (rest.at == NULL) {
        rest = SLICE("");
    }
    const char *start = rest.at;
    csv->fields = 0;
    for (struct slice name; next_field(&rest, &name); csv->fields++) {
        uint32_t at = (uint32_t)(name.at - start);
        struct span span = {header, at, at + (uint32_t)name.len};
        if (csv->fields == GROWTH_CSV_FIELDS_MAX) {
            diag_add(diags, DIAG_GROWTH_CSV_HEADER, span, "the header has more than %d columns",
                     GROWTH_CSV_FIELDS_MAX);
            break;
        }
        enum growth_column column = column_of(name);
        csv->columns[csv->fields] = (signed char)column;
        if (column == GROWTH_COLUMN_NONE) {
            seen.unknown[seen.unknown_count++] = name;
        } else if (seen.column[column]) {
            diag_add(diags, DIAG_GROWTH_CSV_HEADER, span, "the header has the column \"%s\" twice",
                     column_names[column]);
        } else {
            seen.column[column] = true;
        }
    }
    require_columns(&seen, header, diags);
    return diags->errors == errors ? STATUS_OK : STATUS_INVALID;
}

/* ---- a row's fields as input ---- */

static enum growth_sex sex_of(struct slice field)
{
    static const struct {
        const char *text;
        enum growth_sex sex;
    } texts[] = {{"male", GROWTH_MALE}, {"female", GROWTH_FEMALE}, {"m", GROWTH_MALE},
                 {"f", GROWTH_FEMALE},  {"1", GROWTH_MALE},        {"2", GROWTH_FEMALE}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (same_ignoring_case(field, texts[i].text)) {
            return texts[i].sex;
        }
    }
    return GROWTH_SEX_UNKNOWN;
}

/* A measurement, or NAN. 0 is read: it is computed where it can be, and flagged as implausible. */
static double size_of(struct slice field, enum growth_flag unreadable, growth_flags *flags)
{
    double value = NAN;
    if (is_given(field) && (!number_read(field, &value) || !(value >= 0))) {
        growth_flag_set(flags, unreadable);
        return NAN;
    }
    return value;
}

static double weeks_of(struct slice field, growth_flags *flags)
{
    double weeks = NAN;
    if (!is_given(field)) {
        return NAN;
    }
    struct slice days_text = field;
    struct slice weeks_text = SLICE_NONE;
    double days = 0;
    slice_cut(&days_text, '+', &weeks_text);
    if (!number_read(weeks_text, &weeks) ||
        (days_text.at != NULL && (!number_read(days_text, &days) || !(days >= 0 && days < 7)))) {
        growth_flag_set(flags, GROWTH_FLAG_GESTATION_UNREADABLE);
        return NAN;
    }
    return weeks + days / 7;
}

static bool date_of(struct slice field, enum growth_flag partial, enum growth_flag unreadable,
                    growth_flags *flags, struct growth_date *date_out)
{
    if (!is_given(field)) {
        return false;
    }
    enum growth_date_fault fault = growth_date_read(field, date_out);
    if (fault != GROWTH_DATE_OK) {
        growth_flag_set(flags, fault == GROWTH_DATE_PARTIAL ? partial : unreadable);
    }
    return fault == GROWTH_DATE_OK;
}

static struct growth_age age_by_dates(const struct slice *fields, growth_flags *flags)
{
    struct growth_date birth;
    struct growth_date measured;
    bool has_birth = date_of(fields[GROWTH_COLUMN_BIRTH_DATE], GROWTH_FLAG_BIRTH_DATE_PARTIAL,
                             GROWTH_FLAG_BIRTH_DATE_UNREADABLE, flags, &birth);
    bool has_measured =
        date_of(fields[GROWTH_COLUMN_MEASURED_DATE], GROWTH_FLAG_MEASURED_DATE_PARTIAL,
                GROWTH_FLAG_MEASURED_DATE_UNREADABLE, flags, &measured);
    return has_birth && has_measured ? growth_age_between(birth, measured) : GROWTH_AGE_UNKNOWN;
}

/* The first age given that is readable; what else is given is only compared with it. */
static struct growth_age age_of(const struct slice *fields, growth_flags *flags)
{
    struct growth_age found[3] = {GROWTH_AGE_UNKNOWN, GROWTH_AGE_UNKNOWN, GROWTH_AGE_UNKNOWN};
    double value;
    bool unreadable = false;
    if (is_given(fields[GROWTH_COLUMN_AGE_DAYS])) {
        unreadable = !number_read(fields[GROWTH_COLUMN_AGE_DAYS], &value);
        found[0] = unreadable ? GROWTH_AGE_UNKNOWN : growth_age_of_days(value);
    }
    if (is_given(fields[GROWTH_COLUMN_AGE_MONTHS])) {
        bool wrong = !number_read(fields[GROWTH_COLUMN_AGE_MONTHS], &value);
        found[1] = wrong ? GROWTH_AGE_UNKNOWN : growth_age_of_months(value);
        unreadable |= wrong;
    }
    growth_flags date_flags = 0;
    found[2] = age_by_dates(fields, &date_flags);
    if (unreadable) {
        growth_flag_set(flags, GROWTH_FLAG_AGE_UNREADABLE);
        return GROWTH_AGE_UNKNOWN;
    }
    struct growth_age age = GROWTH_AGE_UNKNOWN;
    for (int i = 0; i < 3; i++) {
        if (isnan(age.days)) {
            age = found[i];
        } else if (fabs(found[i].days - age.days) > 1) {
            growth_flag_set(flags, GROWTH_FLAG_AGE_DISAGREES);
        }
    }
    if (isnan(age.days)) {
        *flags |= date_flags;
        if (date_flags == 0) {
            growth_flag_set(flags, GROWTH_FLAG_NO_AGE);
        }
    }
    return age;
}

static void height_of(const struct slice *fields, struct growth_input *input, growth_flags *flags)
{
    double height = size_of(fields[GROWTH_COLUMN_HEIGHT], GROWTH_FLAG_HEIGHT_UNREADABLE, flags);
    double length = size_of(fields[GROWTH_COLUMN_LENGTH], GROWTH_FLAG_HEIGHT_UNREADABLE, flags);
    bool young = input->age.completed < 24;
    bool use_length = !isnan(length) && (isnan(height) || young);
    input->height_cm = use_length ? length : height;
    input->position = use_length ? GROWTH_RECUMBENT : GROWTH_POSITION_BY_AGE;
}

void growth_csv_row(const struct growth_csv *csv, struct slice row, struct growth_input *input_out,
                    growth_flags *flags_out)
{
    struct slice fields[GROWTH_COLUMN_COUNT] = {SLICE_NONE};
    struct slice rest = row.at != NULL ? row : SLICE("");
    growth_flags flags = 0;
    struct growth_input input = growth_input_none();
    unsigned count = 0;
    for (struct slice field; next_field(&rest, &field); count++) {
        if (count < csv->fields && csv->columns[count] >= 0) {
            fields[csv->columns[count]] = field;
        } else if (count >= csv->fields && field.len > 0) {
            /* more values than columns: which belongs where cannot be known */
            growth_flag_set(&flags, GROWTH_FLAG_ROW_UNREADABLE);
            *input_out = input;
            *flags_out = flags;
            return;
        }
    }
    input.sex = sex_of(fields[GROWTH_COLUMN_SEX]);
    input.age = age_of(fields, &flags);
    input.weight_kg = size_of(fields[GROWTH_COLUMN_WEIGHT], GROWTH_FLAG_WEIGHT_UNREADABLE, &flags);
    height_of(fields, &input, &flags);
    input.bmi = size_of(fields[GROWTH_COLUMN_BMI], GROWTH_FLAG_BMI_UNREADABLE, &flags);
    input.head_cm = size_of(fields[GROWTH_COLUMN_HEAD], GROWTH_FLAG_HEAD_UNREADABLE, &flags);
    input.gestational_weeks = weeks_of(fields[GROWTH_COLUMN_GESTATION], &flags);
    *input_out = input;
    *flags_out = flags;
}
