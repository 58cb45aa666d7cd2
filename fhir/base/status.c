#include "fhir/base/status.h"

const char *status_name(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return "ok";
    case STATUS_ABSENT:
        return "absent";
    case STATUS_INVALID:
        return "invalid";
    case STATUS_LIMIT:
        return "limit";
    case STATUS_AGAIN:
        return "again";
    case STATUS_REFUSED:
        return "refused";
    case STATUS_IO:
        return "io";
    case STATUS_NO_MEMORY:
        return "no-memory";
    }
    return "unknown";
}
