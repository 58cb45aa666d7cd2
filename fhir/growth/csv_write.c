#include <math.h>

#include "fhir/growth/csv.h"
#include "fhir/growth/number.h"

struct line {
    char *out;
    size_t len;
};

static void put_text(struct line *line, const char *text)
{
    size_t len = strlen(text);
    memcpy(line->out + line->len, text, len);
    line->len += len;
    line->out[line->len++] = ',';
}

static void put_number(struct line *line, double value)
{
    line->len += number_write(value, line->out + line->len);
    line->out[line->len++] = ',';
}

static void put_flags(struct line *line, growth_flags flags)
{
    bool first = true;
    for (growth_flags rest = flags; rest != 0; rest &= rest - 1) {
        const char *name = growth_flag_name((enum growth_flag)__builtin_ctzll(rest));
        size_t len = strlen(name);
        if (!first) {
            line->out[line->len++] = ';';
        }
        first = false;
        memcpy(line->out + line->len, name, len);
        line->len += len;
    }
    line->out[line->len++] = ',';
}

static size_t end_line(struct line *line)
{
    line->out[line->len - 1] = '\n';
    return line->len;
}

size_t growth_csv_write(const struct growth_assessment *assessment, bool all, char *out)
{
    const struct growth_assessment *a = assessment;
    struct line line = {out, 0};
#define NUMBER(name, value) put_number(&line, value);
#define TEXT(name, value) put_text(&line, value);
#define FLAGS(name) put_flags(&line, a->flags);
#define ALL                                                                                        \
    if (!all) {                                                                                    \
        return end_line(&line);                                                                    \
    }
#include "fhir/growth/columns.def"
#undef NUMBER
#undef TEXT
#undef FLAGS
#undef ALL
    return end_line(&line);
}

size_t growth_csv_write_header(bool all, char *out)
{
    struct line line = {out, 0};
#define NUMBER(name, value) put_text(&line, name);
#define TEXT(name, value) put_text(&line, name);
#define FLAGS(name) put_text(&line, name);
#define ALL                                                                                        \
    if (!all) {                                                                                    \
        return end_line(&line);                                                                    \
    }
#include "fhir/growth/columns.def"
#undef NUMBER
#undef TEXT
#undef FLAGS
#undef ALL
    return end_line(&line);
}

/* A field that cannot be read is told as that, not also as missing. */
static growth_flags joined(growth_flags assessed, growth_flags fields)
{
    growth_flags missing = 0;
    if (growth_flag_has(fields, GROWTH_FLAG_WEIGHT_UNREADABLE)) {
        growth_flag_set(&missing, GROWTH_FLAG_NO_WEIGHT);
    }
    if (growth_flag_has(fields, GROWTH_FLAG_HEIGHT_UNREADABLE)) {
        growth_flag_set(&missing, GROWTH_FLAG_NO_HEIGHT);
    }
    return (assessed & ~missing) | fields;
}

size_t growth_csv_assess(const struct growth_csv *csv, const struct growth_csv_record *record,
                         bool all, char *out)
{
    struct growth_input input = growth_input_none();
    growth_flags flags = 0;
    if (record->kind == GROWTH_CSV_ROW) {
        growth_csv_row(csv, record->text, &input, &flags);
    } else {
        growth_flag_set(&flags, GROWTH_FLAG_ROW_UNREADABLE);
    }
    struct growth_assessment assessment;
    growth_assess(&input, &assessment);
    assessment.flags = growth_flag_has(flags, GROWTH_FLAG_ROW_UNREADABLE)
                           ? flags
                           : joined(assessment.flags, flags);
    return growth_csv_write(&assessment, all, out);
}
