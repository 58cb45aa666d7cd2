#include "gateway/daemon/parts.h"

static enum log_level level_of(enum severity severity)
{
    return severity == SEVERITY_NOTE      ? LOG_INFO
           : severity == SEVERITY_WARNING ? LOG_WARNING
                                          : LOG_ERROR;
}

static void report_one(struct log *log, const char *event, const struct diag *diag)
{
    struct log_item items[5];
    size_t count = 0;
    items[count++] = LOG_TEXT(CODE, diag_code_name(diag->code));
    items[count++] = LOG_SLICE(DETAIL, diag->sentence);
    if (diag->span.source != NULL) {
        struct span span = span_outermost(diag->span);
        items[count++] = LOG_SLICE(FILE, span.source->name);
        items[count++] = LOG_NUMBER(LINE, span_place(span).line);
    }
    if (diag->hint.len != 0) {
        items[count++] = LOG_SLICE(ADVICE, diag->hint);
    }
    log_write(log, level_of(diag->severity), event, items, count);
}

void report_diags(struct log *log, const char *event, const struct diag_list *diags)
{
    for (const struct diag *diag = diags->first; diag != NULL; diag = diag->next) {
        report_one(log, event, diag);
    }
}
