/* SPDX-License-Identifier: Apache-2.0 */
#include "node/via.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>
#include <powerctl/powerctl.h>

PCTL_DEFINE_AUTO(struct pctl_via *, pctl_via_free)

#define HOST_MAX 255u
#define USER_MAX 255u

static const char *const words[] = { "direct", "pump", "socks5", "ssh", NULL };

#define FORMS "socks5://[USER@]HOST[:PORT], ssh://[USER@]HOST[:PORT] or direct"

void pctl_via_free(struct pctl_via *via)
{
	if (!via)
		return;
	free(via->text);
	free(via->user);
	free(via->host);
	free(via->key);
	free(via);
}

static int no_such_way(const char *text, size_t len, struct pctl_error *err)
{
	PCTL_AUTO(free) char *word = pctl_xstrndup(text, len < 40 ? len : 40);
	const char *near = pctl_parse_nearest(word, words);

	return pctl_error_set(err, PCTL_E_CONFIG,
		"there is no way called '%s' to a node; it is %s%s%s%s", word, FORMS,
		near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* These go to another program as its arguments: nothing that it could take for an option. */
static bool is_plain(const char *text, const char *punctuation)
{
	if (*text == '-' || *text == '\0')
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr(punctuation, *text))
			return false;
	return true;
}

static int take_user(struct pctl_via *via, const char *text, size_t len, struct pctl_error *err)
{
	if (memchr(text, ':', len))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"no password in `via`, where everybody can read it: socks5 takes one from "
			"`via_credential: NAME`, ssh logs in with keys");
	via->user = pctl_xstrndup(text, len);
	if (len > USER_MAX || !is_plain(via->user, "._+-@\\"))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"what stands before the '@' is no user name; write %s", FORMS);
	return 0;
}

static int take_port(struct pctl_via *via, const char *text, struct pctl_error *err)
{
	uint64_t port = 0;

	if (pctl_parse_uint(text, 65535, &port) < 0 || !port)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"what stands behind the ':' is no port from 1 to 65535; write %s", FORMS);
	via->port = (unsigned)port;
	return 0;
}

static int take_host(struct pctl_via *via, const char *text, struct pctl_error *err)
{
	bool bracket = *text == '[';
	const char *begin = text + bracket;
	const char *end = begin + strcspn(begin, bracket ? "]" : ":");
	const char *rest = bracket && *end ? end + 1 : end;

	via->host = pctl_xstrndup(begin, (size_t)(end - begin));
	if (end - begin > (ptrdiff_t)HOST_MAX || (bracket && *end != ']') ||
		(*rest && *rest != ':') || (bracket && !strchr(via->host, ':')) ||
		!is_plain(via->host, bracket ? ":.%" : "._-"))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"there is no host name or address in it; write %s, an IPv6 address in "
			"brackets",
			FORMS);
	return *rest ? take_port(via, rest + 1, err) : 0;
}

static void lower(char *text)
{
	for (; *text; text++)
		*text = (char)tolower((unsigned char)*text);
}

/* As everybody writes it: what is the default is not said, and names are lower case. */
static void make_texts(struct pctl_via *via, const char *scheme)
{
	bool v6 = strchr(via->host, ':') != NULL;
	char port[12] = "";

	lower(via->host);
	if (via->port)
		(void)snprintf(port, sizeof(port), ":%u", via->port);
	via->key = pctl_xasprintf("%s%s%s%s", v6 ? "[" : "", via->host, v6 ? "]" : "", port);
	via->text = pctl_xasprintf(
		"%s://%s%s%s", scheme, via->user ? via->user : "", via->user ? "@" : "", via->key);
}

static int parse_url(
	struct pctl_via *via, const char *scheme, const char *rest, struct pctl_error *err)
{
	const char *at = strrchr(rest, '@');
	int r = at ? take_user(via, rest, (size_t)(at - rest), err) : 0;

	if (r == 0)
		r = take_host(via, at ? at + 1 : rest, err);
	if (r < 0)
		return r;
	if (via->kind == PCTL_VIA_SOCKS5 && !via->port)
		via->port = PCTL_SOCKS5_PORT;
	make_texts(via, scheme);
	return 0;
}

int pctl_via_parse(const char *text, struct pctl_via **ret, struct pctl_error *err)
{
	PCTL_AUTO(pctl_via_free) struct pctl_via *via = pctl_xcalloc(1, sizeof(*via));
	const char *end = strstr(text, "://");
	size_t len = end ? (size_t)(end - text) : strcspn(text, ":/@");
	PCTL_AUTO(free) char *word = pctl_xstrndup(text, len);
	int kind = pctl_parse_choice(word, words);
	bool url = kind == PCTL_VIA_SOCKS5 || kind == PCTL_VIA_SSH;

	if (kind < 0)
		return no_such_way(text, len, err);
	if (url && !end)
		return pctl_error_set(err, PCTL_E_CONFIG, "'%s' needs a gateway: %s", word, FORMS);
	if (!url && text[len])
		return pctl_error_set(err, PCTL_E_CONFIG, "'%s' stands alone", word);
	via->kind = (enum pctl_via_kind)kind;
	if (!url)
		via->text = pctl_xstrdup(word);
	int r = url ? parse_url(via, word, end + 3, err) : 0;
	if (r < 0)
		return r;
	*ret = via;
	via = NULL;
	return 0;
}

int pctl_via_check(const char *text, struct pctl_error *err)
{
	struct pctl_via *via = NULL;
	int r = pctl_via_parse(text, &via, err);

	pctl_via_free(via);
	return r;
}
