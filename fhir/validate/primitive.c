#include <ctype.h>
#include <inttypes.h>

#include "fhir/types/datetime.h"
#include "fhir/validate/run.h"

/* ---- JSON kinds ---- */

enum wanted { WANT_STRING, WANT_NUMBER, WANT_BOOLEAN };

static enum wanted wanted_kind(enum model_format format)
{
    switch (format) {
    case MODEL_FORMAT_BOOLEAN:
        return WANT_BOOLEAN;
    case MODEL_FORMAT_DECIMAL:
    case MODEL_FORMAT_INTEGER:
    case MODEL_FORMAT_POSITIVEINT:
    case MODEL_FORMAT_UNSIGNEDINT:
        return WANT_NUMBER;
    default:
        return WANT_STRING;
    }
}

static bool is_wanted(enum wanted wanted, const struct json *json)
{
    switch (json_kind(json)) {
    case JSON_STRING:
        return wanted == WANT_STRING;
    case JSON_NUMBER:
        return wanted == WANT_NUMBER;
    case JSON_TRUE:
    case JSON_FALSE:
        return wanted == WANT_BOOLEAN;
    default:
        return false;
    }
}

static void tell_kind(struct run *run, const struct value *value, enum wanted wanted,
                      const struct frame *frame)
{
    static const char *const words[] = {"a string", "a number", "true or false"};
    const struct json *json = value->json;
    struct slice type = model_type_name(run->model, value->type);
    bool same = slice_is(type, "string");
    struct diag *diag = run_add(
        run, DIAG_VALIDATE_KIND, json, frame, "must be %s%s%.*s%s, and is %s", words[wanted],
        same ? "" : " (", same ? 0 : (int)type.len, type.at, same ? "" : ")", kind_words(json));
    if (json_is(json, JSON_STRING)) {
        diag_hint(run->diags, diag, "write it without quotes");
    } else if (json_is(json, JSON_NUMBER) || json_is(json, JSON_TRUE) ||
               json_is(json, JSON_FALSE)) {
        diag_hint(run->diags, diag, wanted == WANT_STRING ? "write it in quotes" : "write %s",
                  words[wanted]);
    }
}

/* ---- formats: NULL, or why the text is not of the format; static ---- */

static bool has_space(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (isspace((unsigned char)text.at[i]) != 0) {
            return true;
        }
    }
    return false;
}

static const char *check_base64(struct slice text)
{
    size_t count = 0;
    size_t padding = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (isspace(c) != 0) {
            continue;
        }
        if (c == '=') {
            padding++;
        } else if (padding != 0 || (isalnum(c) == 0 && c != '+' && c != '/') || c >= 0x80) {
            return "it has a character that base64 does not have";
        }
        count++;
    }
    return count % 4 == 0 && padding <= 2 ? NULL
                                          : "it is not whole: base64 comes in groups of four";
}

static const char *check_uri(struct slice text)
{
    return has_space(text) ? "it has white space" : NULL;
}

static const char *check_code(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        bool space = isspace((unsigned char)text.at[i]) != 0;
        bool edge = i == 0 || i + 1 == text.len;
        if (space && (edge || isspace((unsigned char)text.at[i + 1]) != 0)) {
            return "it has white space at an end, or more than one in a row";
        }
    }
    return NULL;
}

static const char *check_id(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c >= 0x80 || (isalnum(c) == 0 && c != '-' && c != '.')) {
            return "it has a character other than letters, digits, - and .";
        }
    }
    return text.len <= 64 ? NULL : "it is longer than 64 characters";
}

static const char *check_oid(struct slice text)
{
    static const char *const why = "it is not urn:oid: and numbers with dots between";
    if (!slice_starts_with(text, SLICE("urn:oid:")) || text.len < 11 || text.at[8] < '0' ||
        text.at[8] > '2') {
        return why;
    }
    struct slice rest = slice_part(text, 10, text.len);
    struct slice arc;
    if (text.at[9] != '.') {
        return why;
    }
    while (slice_cut(&rest, '.', &arc)) {
        for (size_t i = 0; i < arc.len; i++) {
            if (isdigit((unsigned char)arc.at[i]) == 0) {
                return why;
            }
        }
        if (arc.len == 0 || (arc.len > 1 && arc.at[0] == '0')) {
            return why;
        }
    }
    return NULL;
}

static const char *check_uuid(struct slice text)
{
    static const char *const form = "urn:uuid:xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (text.len != strlen(form)) {
        return "it is not urn:uuid: and a UUID";
    }
    for (size_t i = 0; i < text.len; i++) {
        bool hex =
            (text.at[i] >= '0' && text.at[i] <= '9') || (text.at[i] >= 'a' && text.at[i] <= 'f');
        if (form[i] == 'x' ? !hex : text.at[i] != form[i]) {
            return "it is not urn:uuid: and a UUID in lower case";
        }
    }
    return NULL;
}

/* JSON escapes can bring in what JSON text itself cannot hold. */
static const char *check_string(struct slice text)
{
    enum { LENGTH_MAX = 1024 * 1024 };
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r') {
            return "it has a control character";
        }
    }
    return text.len > LENGTH_MAX && utf8_length(text) > LENGTH_MAX
               ? "it is longer than 1,048,576 characters"
               : NULL;
}

static const char *check_datetime(struct slice text, enum datetime_form form)
{
    struct datetime_fault fault = {0, NULL};
    struct datetime value;
    if (datetime_parse(text, form, &value, &fault) == STATUS_OK) {
        return NULL;
    }
    return fault.why != NULL ? fault.why : "it is not of its form";
}

static const char *check_date(struct slice text)
{
    return check_datetime(text, FORM_FHIR_DATE);
}

static const char *check_date_time(struct slice text)
{
    return check_datetime(text, FORM_FHIR_DATETIME);
}

static const char *check_instant(struct slice text)
{
    return check_datetime(text, FORM_FHIR_INSTANT);
}

static const char *check_time(struct slice text)
{
    return check_datetime(text, FORM_FHIR_TIME);
}

static const char *check_integer_from(struct slice text, int64_t least)
{
    bool negative = text.len != 0 && text.at[0] == '-';
    uint64_t digits = 0;
    if (!slice_to_u64(slice_part(text, negative ? 1 : 0, text.len), &digits)) {
        return "it is not a whole number, written without point and exponent";
    }
    if (negative && digits == 0) {
        return "zero has no sign";
    }
    if (digits > (negative ? UINT64_C(2147483648) : UINT64_C(2147483647))) {
        return "it does not fit into 32 bits";
    }
    int64_t number = negative ? -(int64_t)digits : (int64_t)digits;
    if (number < least) {
        return least == 1 ? "it is not greater than 0" : "it is less than 0";
    }
    return NULL;
}

static const char *check_integer(struct slice text)
{
    return check_integer_from(text, INT32_MIN);
}

static const char *check_unsigned(struct slice text)
{
    return check_integer_from(text, 0);
}

static const char *check_positive(struct slice text)
{
    return check_integer_from(text, 1);
}

/* FHIR R4 datatypes.html, one row per primitive. */
static const struct format {
    const char *(*check)(struct slice text); /* NULL: the JSON kind says all */
    const char *hint;                        /* how one looks; NULL: none */
} formats[MODEL_FORMAT_COUNT] = {
    [MODEL_FORMAT_BASE64BINARY] = {check_base64, NULL},
    [MODEL_FORMAT_CANONICAL] = {check_uri, NULL},
    [MODEL_FORMAT_CODE] = {check_code, NULL},
    [MODEL_FORMAT_DATE] = {check_date, "a date is written 2014, 2014-01 or 2014-01-31"},
    [MODEL_FORMAT_DATETIME] = {check_date_time, "a dateTime is written 2014, 2014-01, 2014-01-31 "
                                                "or 2014-01-31T08:05:00+01:00"},
    [MODEL_FORMAT_ID] = {check_id, "an id has 1 to 64 of A-Z a-z 0-9 - ."},
    [MODEL_FORMAT_INSTANT] = {check_instant, "an instant is written 2014-01-31T08:05:00.000+01:00"},
    [MODEL_FORMAT_INTEGER] = {check_integer, NULL},
    [MODEL_FORMAT_MARKDOWN] = {check_string, NULL},
    [MODEL_FORMAT_OID] = {check_oid, "an oid is written urn:oid:1.2.3"},
    [MODEL_FORMAT_POSITIVEINT] = {check_positive, NULL},
    [MODEL_FORMAT_STRING] = {check_string, NULL},
    [MODEL_FORMAT_TIME] = {check_time, "a time is written 08:05:00"},
    [MODEL_FORMAT_UNSIGNEDINT] = {check_unsigned, NULL},
    [MODEL_FORMAT_URI] = {check_uri, NULL},
    [MODEL_FORMAT_URL] = {check_uri, NULL},
    [MODEL_FORMAT_UUID] = {check_uuid,
                           "a uuid is written urn:uuid:c757873d-ec9a-4326-a141-556f43239520"},
    [MODEL_FORMAT_XHTML] = {narrative_fault,
                            "it is written <div xmlns=\"http://www.w3.org/1999/xhtml\">...</div>"},
};

/* The first characters, whole ones. */
static struct slice shown_part(struct slice text)
{
    enum { SHOWN = 60 };
    size_t len = text.len < SHOWN ? text.len : SHOWN;
    while (len != 0 && len < text.len && ((unsigned char)text.at[len] & 0xc0) == 0x80) {
        len--;
    }
    return slice_part(text, 0, len);
}

static bool is_blank(struct slice text)
{
    return slice_trim(text).len == 0;
}

void check_primitive(struct run *run, const struct value *value, const struct frame *frame)
{
    enum model_format format = (enum model_format)value->type->format;
    enum wanted wanted = wanted_kind(format);
    if (!is_wanted(wanted, value->json)) {
        tell_kind(run, value, wanted, frame);
        return;
    }
    struct slice text = json_text(value->json);
    if (wanted == WANT_STRING && text.len == 0) {
        struct diag *diag =
            run_add(run, DIAG_VALIDATE_EMPTY, value->json, frame, "is an empty string");
        diag_hint(run->diags, diag, "leave the element out");
        return;
    }
    const char *why = formats[format].check != NULL ? formats[format].check(text) : NULL;
    if (why != NULL) {
        struct slice shown = shown_part(text);
        const char *quote = wanted == WANT_STRING ? "\"" : "";
        struct diag *diag =
            run_add(run, DIAG_VALIDATE_FORMAT, value->json, frame, "%s%.*s%s%s is no %.*s: %s",
                    quote, SLICE_ARGS(shown), shown.len < text.len ? "..." : "", quote,
                    SLICE_ARGS(model_type_name(run->model, value->type)), why);
        if (formats[format].hint != NULL) {
            diag_hint(run->diags, diag, "%s", formats[format].hint);
        }
    } else if (wanted == WANT_STRING && is_blank(text)) {
        run_add(run, DIAG_VALIDATE_BLANK, value->json, frame,
                "is nothing but white space, which XML does not keep");
    }
}
