/* SPDX-License-Identifier: Apache-2.0 */
#include "doc.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <powerctl/parse.h>

/* --- Reading. --------------------------------------------------------------------------------- */

/*
 * jansson recurses as deep as it is led, and takes some hundred bytes for a value of two: both are
 * counted first. What is no JSON is left to it.
 */
static int check_shape(const char *text, size_t len, struct pctl_error *err)
{
	unsigned depth = 0, values = 1;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (quoted) {
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				quoted = false;
			continue;
		}
		quoted = text[i] == '"';
		if (text[i] == '{' || text[i] == '[')
			depth++;
		else if ((text[i] == '}' || text[i] == ']') && depth)
			depth--;
		values += text[i] == ',' || text[i] == '{' || text[i] == '[';
		if (depth > DOC_DEPTH_MAX)
			return pctl_error_set(err, PCTL_E_PROTOCOL,
				"its JSON is nested deeper than %u levels", DOC_DEPTH_MAX);
		if (values > DOC_VALUES_MAX)
			return pctl_error_set(err, PCTL_E_PROTOCOL,
				"its JSON has more than %u values", DOC_VALUES_MAX);
	}
	return 0;
}

json_t *doc_read(const char *text, size_t len, struct pctl_error *err)
{
	json_error_t why;

	if (len > DOC_BYTES_MAX) {
		pctl_error_set(
			err, PCTL_E_PROTOCOL, "its JSON has more than %zu bytes", DOC_BYTES_MAX);
		return NULL;
	}
	if (check_shape(text, len, err) < 0)
		return NULL;
	json_t *doc = json_loadb(text, len, 0, &why);
	if (!doc) {
		pctl_error_set(err, PCTL_E_PROTOCOL, "its answer is no JSON: %s (at byte %d)",
			why.text, why.position);
		return NULL;
	}
	if (json_is_object(doc))
		return doc;
	json_decref(doc);
	pctl_error_set(err, PCTL_E_PROTOCOL, "its answer is JSON, but no object");
	return NULL;
}

/* --- Places. ---------------------------------------------------------------------------------- */

static const json_t *child(const json_t *at, const char *key, size_t len)
{
	char word[128];
	uint64_t index;

	if (len >= sizeof(word))
		return NULL;
	memcpy(word, key, len);
	word[len] = '\0';
	if (json_is_object(at))
		return json_object_get(at, word);
	if (json_is_array(at) && pctl_parse_uint(word, UINT32_MAX, &index) == 0)
		return json_array_get(at, (size_t)index);
	return NULL;
}

const json_t *doc_at(const json_t *doc, const char *place)
{
	while (doc && *place) {
		size_t len = strcspn(place, "/");

		doc = child(doc, place, len);
		place += len + (place[len] == '/');
	}
	return doc;
}

const char *doc_text(const json_t *doc, const char *place)
{
	const char *text = json_string_value(doc_at(doc, place));

	return text && *text ? text : NULL;
}

bool doc_is_true(const json_t *doc, const char *place)
{
	return json_is_true(doc_at(doc, place));
}

size_t doc_count(const json_t *doc, const char *place)
{
	return json_array_size(doc_at(doc, place));
}

bool doc_is_path(const char *path)
{
	size_t len = 0;

	if (path[0] != '/' || path[1] == '/')
		return false;
	for (; path[len]; len++)
		if (path[len] <= ' ' || path[len] > '~')
			return false;
	return len < DOC_PATH_MAX;
}

const char *doc_link(const json_t *doc, const char *place)
{
	const char *path = doc_text(doc_at(doc, place), "@odata.id");

	return path && doc_is_path(path) ? path : NULL;
}

const char *doc_last_part(const char *path, size_t *len)
{
	const char *end = path + strcspn(path, "?#");

	while (end > path && end[-1] == '/')
		end--;
	const char *start = end;
	while (start > path && start[-1] != '/')
		start--;
	*len = (size_t)(end - start);
	return start;
}

bool doc_lists(const json_t *doc, const char *place, const char *word, bool if_absent)
{
	const json_t *list = doc_at(doc, place);
	const json_t *item;
	size_t i;

	if (!json_is_array(list))
		return if_absent;
	json_array_foreach(list, i, item)
	{
		const char *text = json_string_value(item);
		if (text && strcmp(text, word) == 0)
			return true;
	}
	return false;
}

/* --- Values. ---------------------------------------------------------------------------------- */

bool doc_number(const json_t *doc, const char *place, char *out, size_t size)
{
	const json_t *n = doc_at(doc, place);

	if (json_is_integer(n))
		(void)snprintf(out, size, "%lld", (long long)json_integer_value(n));
	else if (json_is_real(n))
		(void)snprintf(out, size, "%.10g", json_real_value(n));
	else
		return false;
	/* Only what docs/names.md calls a number: 1e+20 is none. */
	return strspn(out, "-0123456789.") == strlen(out);
}

static bool digits(const char **at, int n, int *ret)
{
	int value = 0;

	for (int i = 0; i < n; i++, (*at)++) {
		if (!isdigit((unsigned char)**at))
			return false;
		value = value * 10 + (**at - '0');
	}
	*ret = value;
	return true;
}

/* Minutes east of Greenwich: "Z", "+02:00", "-0530"; nothing is taken for UTC. */
static bool read_zone(const char *at, int *ret)
{
	int hours, minutes;
	int sign = *at == '-' ? -1 : 1;

	*ret = 0;
	if (!*at || strcasecmp(at, "z") == 0)
		return true;
	if (*at != '+' && *at != '-')
		return false;
	at++;
	if (!digits(&at, 2, &hours))
		return false;
	at += *at == ':';
	if (!digits(&at, 2, &minutes) || *at || hours > 14 || minutes > 59)
		return false;
	*ret = sign * (hours * 60 + minutes);
	return true;
}

bool doc_time(const char *text, char out[DOC_TIME_SIZE])
{
	struct tm tm = { 0 };
	int zone;

	if (!text || !digits(&text, 4, &tm.tm_year) || *text++ != '-' ||
		!digits(&text, 2, &tm.tm_mon) || *text++ != '-' || !digits(&text, 2, &tm.tm_mday) ||
		(*text != 'T' && *text != ' '))
		return false;
	text++;
	if (!digits(&text, 2, &tm.tm_hour) || *text++ != ':' || !digits(&text, 2, &tm.tm_min) ||
		*text++ != ':' || !digits(&text, 2, &tm.tm_sec))
		return false;
	if (*text == '.')
		text += 1 + strspn(text + 1, "0123456789");
	/* Clocks that were never set show 1970, or the year 0. */
	if (!read_zone(text, &zone) || tm.tm_year < 1971 || tm.tm_mon < 1 || tm.tm_mon > 12 ||
		tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 ||
		tm.tm_sec > 60)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	time_t t = timegm(&tm) - (time_t)zone * 60;
	return gmtime_r(&t, &tm) && strftime(out, DOC_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) > 0;
}

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* What may stand at a place of a UUID. */
static bool is_uuid_char(int place, char c)
{
	bool hyphen = place == 8 || place == 13 || place == 18 || place == 23;

	return hyphen ? c == '-' : isxdigit((unsigned char)c) != 0;
}

bool doc_uuid(const char *text, char out[37])
{
	if (!text || strlen(text) != 36)
		return false;
	for (int i = 0; i < 36; i++) {
		if (!is_uuid_char(i, text[i]))
			return false;
		out[i] = lower(text[i]);
	}
	out[36] = '\0';
	return true;
}

/* A capital after a small letter begins a word, and so does the last of several capitals. */
static bool begins_word(const char *text, const char *at)
{
	unsigned char before = at > text ? (unsigned char)at[-1] : ' ';

	if (!isupper((unsigned char)*at) || !isalnum(before))
		return false;
	return !isupper(before) || islower((unsigned char)at[1]);
}

static bool divides(const char *text, const char *at)
{
	return !isalnum((unsigned char)*at) || begins_word(text, at);
}

void doc_words(const char *text, char *out, size_t size)
{
	char last = '_';
	size_t n = 0;

	for (const char *at = text; *at && n + 2 < size; at++) {
		if (last != '_' && divides(text, at))
			out[n++] = last = '_';
		if (isalnum((unsigned char)*at))
			out[n++] = last = lower(*at);
	}
	out[n] = '\0';
}

/* --- Errors. ---------------------------------------------------------------------------------- */

/* MessageIds without registry and version: of Base (DSP8011), and of makers' own. */
static const struct {
	const char *id;
	int code;
} messages[] = {
	{ "AccessDenied", PCTL_E_FORBIDDEN },
	{ "AccountForSessionNoLongerExists", PCTL_E_AUTH },
	{ "ActionNotSupported", PCTL_E_UNSUPPORTED },
	{ "ActionParameterNotSupported", PCTL_E_UNSUPPORTED },
	{ "InsufficientPrivilege", PCTL_E_FORBIDDEN },
	{ "InvalidOperationForSystemState", PCTL_E_STATE },
	{ "NoValidSession", PCTL_E_AUTH },
	{ "OperationTimeout", PCTL_E_TIMEOUT },
	{ "PasswordChangeRequired", PCTL_E_FORBIDDEN },
	{ "QueryNotSupported", PCTL_E_UNSUPPORTED },
	{ "ResourceInStandby", PCTL_E_BUSY },
	{ "ResourceInUse", PCTL_E_BUSY },
	{ "ResourceMissingAtURI", PCTL_E_UNSUPPORTED },
	{ "ServiceInUnknownState", PCTL_E_BUSY },
	{ "ServiceShuttingDown", PCTL_E_BUSY },
	{ "ServiceTemporarilyUnavailable", PCTL_E_BUSY },
	{ "SessionLimitExceeded", PCTL_E_BUSY },
	{ "UnableToModifyDuringSystemPOST", PCTL_E_BUSY },
};

static const struct {
	int status, code;
} statuses[] = {
	{ 401, PCTL_E_AUTH },
	{ 403, PCTL_E_FORBIDDEN },
	{ 404, PCTL_E_UNSUPPORTED },
	{ 405, PCTL_E_UNSUPPORTED },
	{ 408, PCTL_E_BUSY },
	{ 409, PCTL_E_BUSY },
	{ 412, PCTL_E_BUSY },
	{ 423, PCTL_E_BUSY },
	{ 429, PCTL_E_BUSY },
	{ 501, PCTL_E_UNSUPPORTED },
	{ 502, PCTL_E_BUSY },
	{ 503, PCTL_E_BUSY },
	{ 504, PCTL_E_BUSY },
};

/* Where messages are: DSP0266's place, of tasks, of successes, and of services of 2015. */
static const char *const message_lists[] = { "error/@Message.ExtendedInfo", "Messages",
	"@Message.ExtendedInfo", "error/Messages", NULL };

static const char *id_of(const json_t *message)
{
	const char *id = doc_text(message, "MessageId");

	return id ? id : doc_text(message, "MessageID");
}

/* "Base.1.12.GeneralError", "Base.v1_10_3.Success", "IDRAC.2.8.PSU501": the last part. */
static const char *bare_id(const char *id)
{
	const char *dot = id ? strrchr(id, '.') : NULL;

	return dot ? dot + 1 : id;
}

static bool is_message(const json_t *message, const char *bare)
{
	const char *id = bare_id(id_of(message));

	return id && strcmp(id, bare) == 0;
}

/* GeneralError and Success only say that there is more to say. */
static bool is_empty_talk(const json_t *message)
{
	return is_message(message, "GeneralError") || is_message(message, "Success");
}

static const json_t *first_message(const json_t *doc)
{
	const json_t *first = NULL;

	for (size_t l = 0; message_lists[l]; l++) {
		const json_t *list = doc_at(doc, message_lists[l]);
		const json_t *message;
		size_t i;

		json_array_foreach(list, i, message)
		{
			if (!first || (is_empty_talk(first) && !is_empty_talk(message)))
				first = message;
		}
	}
	/* Some put a single message where a list belongs. */
	const json_t *single = doc_at(doc, "error/@Message.ExtendedInfo");
	return first || !json_is_object(single) ? first : single;
}

static const json_t *find_message(const json_t *doc, const char *message_id)
{
	for (size_t l = 0; message_lists[l]; l++) {
		const json_t *message;
		size_t i;

		json_array_foreach(doc_at(doc, message_lists[l]), i, message)
		{
			if (is_message(message, message_id))
				return message;
		}
	}
	return NULL;
}

bool doc_says(const json_t *doc, const char *message_id)
{
	const char *code = bare_id(doc_text(doc, "error/code"));

	return find_message(doc, message_id) || (code && strcmp(code, message_id) == 0);
}

/* As deep as DOC_DEPTH_MAX. */
bool doc_holds(const json_t *doc, const char *text) /* NOLINT(misc-no-recursion) */
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_string(doc))
		return strstr(json_string_value(doc), text) != NULL;
	json_array_foreach(doc, i, value)
	{
		if (doc_holds(value, text))
			return true;
	}
	json_object_foreach((json_t *)(uintptr_t)doc, key, value)
	{
		if (strstr(key, text) || doc_holds(value, text))
			return true;
	}
	return false;
}

const char *doc_argument(const json_t *doc, const char *message_id)
{
	return doc_text(find_message(doc, message_id), "MessageArgs/0");
}

static int class_of(int status, const json_t *doc)
{
	/* A login that is refused is one, whatever the words. */
	for (size_t i = 0; status != 401 && i < sizeof(messages) / sizeof(messages[0]); i++) {
		if (doc_says(doc, messages[i].id))
			return messages[i].code;
	}
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		if (statuses[i].status == status)
			return statuses[i].code;
	}
	return status >= 300 && status < 400 ? PCTL_E_PROTOCOL : PCTL_E_REFUSED;
}

/* Length of a sentence without what ends it. */
static int without_stop(const char *words)
{
	size_t len = strlen(words);

	while (len && (words[len - 1] == '.' || isspace((unsigned char)words[len - 1])))
		len--;
	return (int)len;
}

int doc_error(int status, const json_t *doc, const char *what, struct pctl_error *err)
{
	const json_t *message = first_message(doc);
	const char *words = doc_text(message, "Message");
	const char *id = id_of(message);
	int code = class_of(status, doc);

	if (doc_says(doc, "PasswordChangeRequired")) {
		(void)pctl_error_set(err, code,
			"it wants another password before anything else: `powerctl passwd` sets "
			"one (HTTP %d)",
			status);
		(void)pctl_error_device_code(err, "PasswordChangeRequired");
		return code;
	}
	/* That of the whole only says where to look. */
	if (!words && !id)
		words = doc_text(doc, "error/message");
	if (!id)
		id = doc_text(doc, "error/code");
	if (words) {
		(void)pctl_error_set(err, code, "it refused %s: %.*s (HTTP %d)", what,
			without_stop(words), words, status);
	} else {
		(void)pctl_error_set(err, code, "it refused %s: %s%sHTTP %d", what, id ? id : "",
			id ? ", " : "", status);
	}
	if (id)
		(void)pctl_error_device_code(err, "%s", bare_id(id));
	else
		(void)pctl_error_device_code(err, "HTTP %d", status);
	return code;
}

static bool is_about_lock(const char *text)
{
	return text && (strcasestr(text, "locked") || strcasestr(text, "lockout"));
}

bool doc_locked(const json_t *doc, const char *user, struct pctl_error *err)
{
	const json_t *message = first_message(doc);
	const char *words = doc_text(message, "Message"), *id = bare_id(id_of(message));

	if (!words)
		words = doc_text(doc, "error/message");
	if (!id)
		id = bare_id(doc_text(doc, "error/code"));
	if (!is_about_lock(words) && !is_about_lock(id))
		return false;
	if (!words)
		words = id;
	(void)pctl_error_set(err, PCTL_E_AUTH, "user '%s' was refused: %.*s (HTTP 401)", user,
		without_stop(words), words);
	(void)pctl_error_device_code(err, "%s", id ? id : "HTTP 401");
	return true;
}

/* --- URLs. ------------------------------------------------------------------------------------ */

/* Host and port of an authority, as the URL has them; the port is 0 where there is none. */
static bool same_authority(const char *at, size_t len, const char *host, unsigned port, bool tls)
{
	size_t host_len = strlen(host);
	unsigned other = tls ? 443 : 80;
	bool bracketed = len && *at == '[';

	at += bracketed;
	len -= bracketed;
	if (len < host_len || strncasecmp(at, host, host_len) != 0)
		return false;
	at += host_len;
	len -= host_len;
	if (bracketed && (!len || *at != ']'))
		return false;
	at += bracketed;
	len -= bracketed;
	if (len) {
		char digits_only[8];
		uint64_t n;

		if (*at != ':' || len > sizeof(digits_only) - 1)
			return false;
		memcpy(digits_only, at + 1, len - 1);
		digits_only[len - 1] = '\0';
		if (pctl_parse_uint(digits_only, 65535, &n) < 0)
			return false;
		other = (unsigned)n;
	}
	return other == port;
}

bool doc_same_origin(
	const char *location, const char *host, unsigned port, bool tls, char *path, size_t size)
{
	const char *scheme = tls ? "https://" : "http://";
	const char *start = location;

	if (strncasecmp(location, scheme, strlen(scheme)) == 0) {
		const char *authority = location + strlen(scheme);

		start = authority + strcspn(authority, "/?#");
		if (!same_authority(authority, (size_t)(start - authority), host, port, tls))
			return false;
	}
	size_t len = strcspn(start, "#");
	if (!doc_is_path(start) || len >= size)
		return false;
	memcpy(path, start, len);
	path[len] = '\0';
	return true;
}
