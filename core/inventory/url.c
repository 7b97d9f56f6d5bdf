/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes that need no inventory: DRIVER://[USER@]HOST[:PORT][?SETTING=VALUE&...]. What cannot be
 * understood is never repeated in an error, because it may be a piece of a password that somebody
 * wrote there after all.
 */
#include <ctype.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "inventory/inventory.h"

PCTL_DEFINE_AUTO(struct pctl_names *, pctl_names_free)
PCTL_DEFINE_AUTO(struct pctl_value *, pctl_value_free)
PCTL_DEFINE_AUTO(struct pctl_problems *, pctl_problems_free)

#define URL_MAX 4096u

static bool is_scheme_char(char c)
{
	return isalnum((unsigned char)c) || c == '+' || c == '-' || c == '.';
}

bool pctl_inventory_is_url(const char *word)
{
	const char *end = strstr(word, "://");

	for (const char *c = word; end && c < end; c++)
		if (!is_scheme_char(*c))
			return false;
	return end && end > word;
}

/* --- Pieces of text. -------------------------------------------------------------------------- */

struct piece {
	const char *at;
	size_t len;
};

static struct piece piece_between(const char *begin, const char *end)
{
	return (struct piece){ begin, (size_t)(end - begin) };
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* %41 is A. Control characters, above all a zero byte, are not let in by this door. */
static int decode(struct piece piece, char **ret, struct pctl_error *err)
{
	PCTL_AUTO(free) char *text = pctl_xcalloc(piece.len + 1, 1);
	size_t n = 0;

	for (size_t i = 0; i < piece.len; i++) {
		int high, low;

		if (piece.at[i] != '%') {
			text[n++] = piece.at[i];
			continue;
		}
		high = i + 2 < piece.len ? hex_digit(piece.at[i + 1]) : -1;
		low = high >= 0 ? hex_digit(piece.at[i + 2]) : -1;
		if (low < 0)
			return pctl_error_set(err, PCTL_E_CONFIG,
				"a '%%' in a URL is followed by two hex digits; '%%' itself is "
				"written %%25");
		text[n++] = (char)(high * 16 + low);
		i += 2;
	}
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return pctl_error_set(
				err, PCTL_E_CONFIG, "a URL cannot hold control characters");
	*ret = text;
	text = NULL;
	return 0;
}

static int take(
	struct pctl_value *settings, const char *key, struct piece piece, struct pctl_error *err)
{
	PCTL_AUTO(free) char *text = NULL;
	int r = decode(piece, &text, err);

	if (r == 0)
		pctl_value_set_text(settings, key, text);
	return r;
}

/* --- The parts of a URL. ---------------------------------------------------------------------- */

static int take_query(struct pctl_value *settings, const char *query, struct pctl_error *err)
{
	while (*query) {
		const char *end = query + strcspn(query, "&");
		const char *equals = memchr(query, '=', (size_t)(end - query));
		PCTL_AUTO(free) char *key = NULL;
		int r;

		if (!equals || equals == query)
			return pctl_error_set(err, PCTL_E_CONFIG,
				"behind the '?' of a URL stand SETTING=VALUE pairs, joined by '&'");
		r = decode(piece_between(query, equals), &key, err);
		if (!key)
			return r;
		if (strcmp(key, "password") == 0)
			return pctl_error_set(err, PCTL_E_CONFIG,
				"no password in a URL, where everybody on this host can read it; "
				"use $POWERCTL_PASSWORD, --password-file, --credential or the "
				"prompt");
		if (pctl_value_get(settings, key) || strcmp(key, "driver") == 0 ||
			strcmp(key, "address") == 0)
			return pctl_error_set(
				err, PCTL_E_CONFIG, "the URL says '%s' twice; keep one", key);
		r = take(settings, key, piece_between(equals + 1, end), err);
		if (r < 0)
			return r;
		query = *end ? end + 1 : end;
	}
	return 0;
}

static int take_user(struct pctl_value *settings, struct piece user, struct pctl_error *err)
{
	if (memchr(user.at, ':', user.len))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"no password in a URL, where everybody on this host can read it; write "
			"USER@HOST and use $POWERCTL_PASSWORD, --password-file, --credential or "
			"the prompt");
	return take(settings, "username", user, err);
}

/* [fe80::1] is an address, [1-40] is a range. */
static bool is_ipv6(struct piece host)
{
	const char *close = host.len && *host.at == '[' ? memchr(host.at, ']', host.len) : NULL;

	return close && memchr(host.at, ':', (size_t)(close - host.at));
}

/* Where HOST ends in HOST[:PORT]: at the last ':' that is not within brackets. */
static struct piece host_of(struct piece authority, struct piece *ret_port)
{
	bool inside = false;

	*ret_port = (struct piece){ NULL, 0 };
	for (size_t i = 0; i < authority.len; i++) {
		char c = authority.at[i];

		if (c == '[' || c == ']')
			inside = c == '[';
		if (c != ':' || inside)
			continue;
		*ret_port = (struct piece){ authority.at + i + 1, authority.len - i - 1 };
		return (struct piece){ authority.at, i };
	}
	return authority;
}

static int take_port(struct pctl_value *settings, struct piece port, struct pctl_error *err)
{
	PCTL_AUTO(free) char *text = pctl_xstrndup(port.at, port.len);
	uint64_t n;

	if (pctl_parse_uint(text, 65535, &n) < 0 || n == 0)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"the port of a URL is a number from 1 to 65535; an IPv6 address stands in "
			"brackets: [fe80::1]");
	pctl_value_set_text(settings, "port", text);
	return 0;
}

/* HOST[:PORT] into settings; *ret_pattern is what names the nodes. */
static int take_host(struct pctl_value *settings, struct piece authority, char **ret_pattern,
	struct pctl_error *err)
{
	struct piece port;
	struct piece host = host_of(authority, &port);
	PCTL_AUTO(free) char *name = NULL;
	bool ipv6 = is_ipv6(host);
	int r;

	if (!host.len)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "the URL has no host: DRIVER://[USER@]HOST");
	if (ipv6 && host.at[host.len - 1] != ']')
		return pctl_error_set(err, PCTL_E_CONFIG,
			"behind the ']' of an IPv6 address comes ':PORT' or nothing");
	if (ipv6)
		host = (struct piece){ host.at + 1, host.len - 2 };
	r = decode(host, &name, err);
	if (r == 0 && port.at)
		r = take_port(settings, port, err);
	if (r < 0)
		return r;
	pctl_value_set_text(settings, "address", name);
	*ret_pattern = port.at ? pctl_xasprintf("%s:%.*s", name, (int)port.len, port.at)
			       : pctl_xstrdup(name);
	return 0;
}

static int parse(
	const char *url, struct pctl_value *settings, char **ret_pattern, struct pctl_error *err)
{
	const char *begin = strstr(url, "://");
	struct piece rest;
	const char *end, *at;
	int r;

	if (strlen(url) > URL_MAX || !pctl_inventory_is_url(url))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"not a URL: DRIVER://[USER@]HOST[:PORT][?SETTING=VALUE&...]");
	r = take(settings, "driver", piece_between(url, begin), err);
	if (r < 0)
		return r;
	begin += strlen("://");
	end = begin + strcspn(begin, "/?#");
	at = memrchr(begin, '@', (size_t)(end - begin));
	if (at) {
		r = take_user(settings, piece_between(begin, at), err);
		if (r < 0)
			return r;
		begin = at + 1;
	}
	rest = piece_between(begin, end);
	if (*end == '/')
		end++;
	if (*end && *end != '?')
		return pctl_error_set(err, PCTL_E_CONFIG,
			"a URL of a node ends with its host and port, or with ?SETTING=VALUE");
	r = take_host(settings, rest, ret_pattern, err);
	return r < 0 || !*end ? r : take_query(settings, end + 1, err);
}

/* --- Into the inventory. ---------------------------------------------------------------------- */

static bool same_settings(const struct pctl_value *a, const struct pctl_value *b)
{
	if (pctl_value_count(a) != pctl_value_count(b))
		return false;
	for (size_t i = 0; i < pctl_value_count(a); i++) {
		const char *text = pctl_value_text(pctl_value_at(a, i));
		const char *other = pctl_value_text(pctl_value_get(b, pctl_value_key_at(a, i)));

		if (!text || !other || strcmp(text, other) != 0)
			return false;
	}
	return true;
}

/* The settings of one host of the range. */
static struct pctl_value *settings_at(const struct pctl_value *settings, uint64_t i)
{
	struct pctl_value *own = pctl_value_copy(settings);
	const char *address = pctl_value_text(pctl_value_get(settings, "address"));

	if (strchr(address, '[')) {
		PCTL_AUTO(free) char *one = pctl_range_at(address, i);
		pctl_value_set_text(own, "address", one);
	}
	return own;
}

static void add_entry(struct pctl_inventory *inv, const char *pattern,
	struct pctl_value *take_settings, struct pctl_problems *problems)
{
	struct pctl_value *holder = pctl_value_new_map();

	pctl_value_set(holder, pattern, take_settings);
	pctl_value_add(inv->urls, holder);
	pctl_inventory_add_entry(inv, pctl_value_key_at(holder, 0), take_settings,
		(struct pctl_place){ 0 }, problems);
}

/* A URL may come twice, also within another range; it may not mean two different things. */
static int check_same(const struct pctl_inventory *inv, const char *name,
	const struct pctl_value *settings, struct pctl_error *err)
{
	int64_t node = pctl_inventory_index(inv, name);
	const struct pctl_ref *ref = &inv->refs[inv->nodes[node].last_ref];
	const struct pctl_entry *entry = &inv->entries[ref->entry];

	if (entry->place.file)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"'%s' is a node of the inventory; name it without the URL", name);
	PCTL_AUTO(pctl_value_free)
	struct pctl_value *known = settings_at(entry->settings, ref->index);
	if (same_settings(known, settings))
		return 0;
	return pctl_error_set(
		err, PCTL_E_CONFIG, "two URLs for '%s' say different things; keep one", name);
}

/* Adds one by one what is not there yet, after everything that is there was compared. */
static int add_some(struct pctl_inventory *inv, const struct pctl_names *names,
	const struct pctl_value *settings, struct pctl_problems *problems, struct pctl_error *err)
{
	for (size_t i = 0; i < pctl_names_count(names); i++) {
		const char *name = pctl_names_at(names, i);
		PCTL_AUTO(pctl_value_free) struct pctl_value *own = settings_at(settings, i);
		int r = pctl_names_has(&inv->names, name) ? check_same(inv, name, own, err) : 0;

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < pctl_names_count(names); i++)
		if (!pctl_names_has(&inv->names, pctl_names_at(names, i)))
			add_entry(inv, pctl_names_at(names, i), settings_at(settings, i), problems);
	return 0;
}

static int add_nodes(struct pctl_inventory *inv, const char *pattern,
	struct pctl_value *take_settings, struct pctl_names *out, struct pctl_error *err)
{
	PCTL_AUTO(pctl_value_free) struct pctl_value *settings = take_settings;
	PCTL_AUTO(pctl_names_free) struct pctl_names *names = pctl_names_new();
	PCTL_AUTO(pctl_problems_free) struct pctl_problems *problems = pctl_problems_new();
	bool met = false;
	int r = pctl_names_add_pattern(names, pattern, err);

	if (r < 0)
		return r;
	pctl_inventory_check_settings(inv, settings, problems);
	for (size_t i = 0; i < pctl_names_count(names); i++)
		met = met || pctl_names_has(&inv->names, pctl_names_at(names, i));
	if (pctl_problems_count(problems) == 0) {
		if (met) {
			r = add_some(inv, names, settings, problems, err);
		} else {
			add_entry(inv, pattern, settings, problems);
			settings = NULL;
		}
	}
	if (r == 0 && pctl_problems_count(problems))
		r = pctl_error_set(err, PCTL_E_CONFIG, "%s", pctl_problems_at(problems, 0));
	for (size_t i = 0; r == 0 && i < pctl_names_count(names); i++)
		(void)pctl_names_add(out, pctl_names_at(names, i));
	return r;
}

int pctl_inventory_add_url(
	struct pctl_inventory *inv, const char *url, struct pctl_names *out, struct pctl_error *err)
{
	struct pctl_value *settings = pctl_value_new_map();
	PCTL_AUTO(free) char *pattern = NULL;
	int r = parse(url, settings, &pattern, err);

	if (r < 0 || !pattern) {
		pctl_value_free(settings);
		return r;
	}
	return add_nodes(inv, pattern, settings, out, err);
}

int pctl_inventory_check_url(const char *url, struct pctl_error *err)
{
	struct pctl_value *settings = pctl_value_new_map();
	PCTL_AUTO(free) char *pattern = NULL;
	int r = parse(url, settings, &pattern, err);

	pctl_value_free(settings);
	return r;
}

int pctl_inventory_add_nodes(struct pctl_inventory *inv, const char *pattern,
	const struct pctl_value *settings, struct pctl_names *out, struct pctl_error *err)
{
	return add_nodes(inv, pattern, pctl_value_copy(settings), out, err);
}
