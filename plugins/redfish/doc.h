/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON documents of a Redfish service (DSP0266), as a codec: bytes in, trees and errors out, no
 * I/O. What a service sends is capped in size, depth and number of values before it is read.
 */
#ifndef POWERCTL_REDFISH_DOC_H
#define POWERCTL_REDFISH_DOC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include <powerctl/error.h>
#include <powerctl/value.h>

#define DOC_BYTES_MAX  ((size_t)8 << 20)
#define DOC_DEPTH_MAX  48u
#define DOC_VALUES_MAX 262144u
#define DOC_PATH_MAX   1024u
#define DOC_TIME_SIZE  32u

/* A document whose top is an object, for json_decref(); NULL: err says why. */
json_t *doc_read(const char *text, size_t len, struct pctl_error *err);

/*
 * What is at a place below doc, its keys joined by '/': "Boot/BootSourceOverrideTarget". A step
 * into an array is a number. NULL where there is none; doc may be NULL.
 */
const json_t *doc_at(const json_t *doc, const char *place);
/* The text there; NULL where there is none, or where it is empty. */
const char *doc_text(const json_t *doc, const char *place);
bool doc_is_true(const json_t *doc, const char *place);
/* The elements of the array there; 0 where there is none. */
size_t doc_count(const json_t *doc, const char *place);
/*
 * The path in the reference there ({"@odata.id": PATH}), without a fragment's meaning; NULL where
 * there is none that can be asked for.
 */
const char *doc_link(const json_t *doc, const char *place);
/* Whether path is one of this service that can be asked for. */
bool doc_is_path(const char *path);
/* The last part of a path: "1" of "/redfish/v1/Systems/1/". len is its length. */
const char *doc_last_part(const char *path, size_t *len);
/* Whether the array of texts at place holds word; without such an array if_absent. */
bool doc_lists(const json_t *doc, const char *place, const char *word, bool if_absent);

/* Number there as a decimal text ("45", "12.06"); false: no number. */
bool doc_number(const json_t *doc, const char *place, char *out, size_t size);
/* A date-time in UTC with a Z, as docs/names.md has it; false: none that can be read. */
bool doc_time(const char *text, char out[DOC_TIME_SIZE]);
/* A UUID in lower case; false: text is none. */
bool doc_uuid(const char *text, char out[37]);
/* Words as docs/names.md joins them: "PowerSupply" becomes "power_supply". */
void doc_words(const char *text, char *out, size_t size);

/*
 * What an answer that is no success means: fills err with a class, the service's own words
 * (@Message.ExtendedInfo, or what came before it) and MessageId, and returns the class. what is
 * what it refused ("Reset", "the request"). doc may be NULL.
 */
int doc_error(int status, const json_t *doc, const char *what, struct pctl_error *err);
/* Whether a message of doc has this MessageId, whose registry and version do not count. */
bool doc_says(const json_t *doc, const char *message_id);

/*
 * Whether the answer to a refused login speaks of an account that is locked, and then err with the
 * service's own words. No MessageId of the Base registry (DSP8011) is known for it: words are
 * looked at.
 */
bool doc_locked(const json_t *doc, const char *user, struct pctl_error *err);

/* Whether any text of doc, or a key, has text in it. */
bool doc_holds(const json_t *doc, const char *text);
/* The first argument of that message; NULL: there is no such message, or it has none. */
const char *doc_argument(const json_t *doc, const char *message_id);

/*
 * Where a Location or a link leads: a path on the same host, scheme and port. False: elsewhere,
 * or no URL. Ports that are left out are those of the scheme.
 */
bool doc_same_origin(
	const char *location, const char *host, unsigned port, bool tls, char *path, size_t size);

#endif
