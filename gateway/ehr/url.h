/*
 * URLs of an EHR: from the words of a search to bytes that may stand in a request line, and from a
 * Location to an id. Pure. FHIR R4 http.html, search.html 3.1.1.3 (escaping); RFC 3986. Tests:
 * tests/unit/gateway/ehr/test_url.c.
 */
#ifndef GATEWAY_EHR_URL_H
#define GATEWAY_EHR_URL_H

#include <stdbool.h>

#include "fhir/base/arena.h"
#include "fhir/base/slice.h"

enum { URL_BYTES_MOST = 8 * 1024 }; /* of one query; longer ones many servers refuse */

/* A resource type as a path segment: a capital letter, then letters. */
bool url_is_type(struct slice type);
/* FHIR R4 datatypes.html, id: 1 to 64 of A-Z a-z 0-9 - . */
bool url_is_id(struct slice id);
/* No control characters, no '#', not too long. */
bool url_is_query(struct slice query);

/* Escapes what a query may not hold; %XX, '&', '=' and the like are left as they are. */
struct slice url_escape_query(struct arena *arena, struct slice query);
/* Escapes everything but letters, digits and -._~: for a value inside a query or form. */
struct slice url_escape_value(struct arena *arena, struct slice value);

/* "identifier=system%7Cvalue", with the commas, bars, dollars and backslashes inside of system and
 * value escaped as a search parameter needs it. An empty system: any. */
struct slice url_identifier(struct arena *arena, struct slice system, struct slice value);

/*
 * Type, id and version out of "[base/]Type/id[/_history/version]", absolute or relative. False: it
 * does not end like that, or names another type.
 */
bool url_read_location(struct slice location, struct slice type, struct slice *id_out,
                       struct slice *version_out);

/* `reference` as a URL seen from `base` (a directory: "https://host/a" and "b" make
 * "https://host/a/b"): absolute, "/path" or relative. */
struct slice url_resolve(struct arena *arena, struct slice base, struct slice reference);

#endif
