/* SPDX-License-Identifier: Apache-2.0 */
#include "names/addresses.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include <powerctl/mem.h>
#include <powerctl/nodeset.h>
#include <powerctl/parse.h>

#define WORD_MAX 255u

void pctl_addresses_done(struct pctl_addresses *a)
{
	for (size_t i = 0; i < a->names_n; i++)
		free(a->names[i]);
	free(a->names);
	free(a->v);
	*a = (struct pctl_addresses){ 0 };
}

/* --- One address. ----------------------------------------------------------------------------- */

/* It is on every link, so that it is none where it does not say which. */
static bool lacks_interface(const union pctl_address *a)
{
	return a->any.sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&a->v6.sin6_addr) &&
	       !a->v6.sin6_scope_id;
}

static bool parse(const char *text, union pctl_address *ret)
{
	union pctl_address a = { 0 };

	if (uv_ip4_addr(text, 0, &a.v4) < 0 && uv_ip6_addr(text, 0, &a.v6) < 0)
		return false;
	if (strchr(text, '%') && !a.v6.sin6_scope_id && !lacks_interface(&a))
		return false;
	*ret = a;
	return true;
}

static uint32_t v4_of(const union pctl_address *a)
{
	return ntohl(a->v4.sin_addr.s_addr);
}

/* Its last 64 bits: no range goes over them. */
static uint64_t low_of(const union pctl_address *a)
{
	uint64_t n = 0;

	for (size_t i = 8; i < 16; i++)
		n = n << 8 | a->v6.sin6_addr.s6_addr[i];
	return n;
}

static uint64_t number_of(const union pctl_address *a)
{
	return a->any.sa_family == AF_INET ? v4_of(a) : low_of(a);
}

static void set_number(union pctl_address *a, uint64_t n)
{
	if (a->any.sa_family == AF_INET) {
		a->v4.sin_addr.s_addr = htonl((uint32_t)n);
		return;
	}
	for (size_t i = 16; i-- > 8; n >>= 8)
		a->v6.sin6_addr.s6_addr[i] = (uint8_t)n;
}

void pctl_address_text(const struct sockaddr *addr, char text[PCTL_ADDRESS_TEXT])
{
	const union pctl_address *a = (const void *)addr;
	char name[IF_NAMESIZE] = "";
	size_t len;

	if (addr->sa_family == AF_INET) {
		(void)uv_ip4_name(&a->v4, text, PCTL_ADDRESS_TEXT);
		return;
	}
	(void)uv_ip6_name(&a->v6, text, PCTL_ADDRESS_TEXT);
	len = strlen(text);
	if (a->v6.sin6_scope_id && if_indextoname(a->v6.sin6_scope_id, name))
		(void)snprintf(text + len, PCTL_ADDRESS_TEXT - len, "%%%s", name);
}

/* --- What kind it is. ------------------------------------------------------------------------- */

struct net {
	uint32_t base;
	unsigned bits;
};

static const struct net private_nets[] = { { 0x0a000000, 8 }, { 0xac100000, 12 },
	{ 0xc0a80000, 16 }, { 0xa9fe0000, 16 }, { 0x7f000000, 8 } };
/* "This" network; multicast and what is above it, up to the broadcast address. */
static const struct net no_hosts[] = { { 0x00000000, 8 }, { 0xe0000000, 3 } };

static bool within(uint32_t number, const struct net *nets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((number ^ nets[i].base) >> (32 - nets[i].bits) == 0)
			return true;
	return false;
}

#define WITHIN(number, nets) within(number, nets, sizeof(nets) / sizeof((nets)[0]))

/* An IPv4 address, or one that an IPv6 address stands for. */
static bool is_v4(const union pctl_address *a, uint32_t *ret)
{
	if (a->any.sa_family == AF_INET) {
		*ret = v4_of(a);
		return true;
	}
	if (!IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr))
		return false;
	*ret = (uint32_t)low_of(a);
	return true;
}

bool pctl_address_is_private(const struct sockaddr *addr)
{
	const union pctl_address *a = (const void *)addr;
	uint32_t number;

	if (is_v4(a, &number))
		return WITHIN(number, private_nets);
	return (a->v6.sin6_addr.s6_addr[0] & 0xfe) == 0xfc ||
	       IN6_IS_ADDR_LINKLOCAL(&a->v6.sin6_addr) || IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

bool pctl_address_is_host(const struct sockaddr *addr)
{
	const union pctl_address *a = (const void *)addr;
	uint32_t number;

	if (is_v4(a, &number))
		return !WITHIN(number, no_hosts);
	return !IN6_IS_ADDR_MULTICAST(&a->v6.sin6_addr) &&
	       !IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr);
}

/* --- Ranges. ---------------------------------------------------------------------------------- */

static int too_many(const char *word, uint64_t n, struct pctl_error *err)
{
	return pctl_error_set(err, PCTL_E_CONFIG,
		"'%.200s' makes it %llu addresses%s; at most %u go in one command, as many as a "
		"/16 "
		"has",
		word, (unsigned long long)n, n == UINT64_MAX ? " or more" : "", PCTL_ADDRESSES_MAX);
}

/* From first on; checked to be few before any is made. */
static int add_span(struct pctl_addresses *a, const char *word, const union pctl_address *first,
	uint64_t count, struct pctl_error *err)
{
	uint64_t all =
		count > UINT64_MAX - a->n - a->names_n ? UINT64_MAX : count + a->n + a->names_n;

	if (all > PCTL_ADDRESSES_MAX)
		return too_many(word, all, err);
	if (lacks_interface(first))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"'%.200s': a link-local address goes with an interface that is here: "
			"fe80::1%%eth0",
			word);
	a->v = pctl_xgrow(a->v, &a->cap, a->n + count, sizeof(*a->v));
	for (uint64_t i = 0; i < count; i++) {
		union pctl_address *one = &a->v[a->n];

		*one = *first;
		set_number(one, number_of(first) + i);
		if (!pctl_address_is_host(&one->any)) {
			char text[PCTL_ADDRESS_TEXT];
			pctl_address_text(&one->any, text);
			return pctl_error_set(err, PCTL_E_CONFIG,
				"'%.200s': %s is no machine's address", word, text);
		}
		a->n++;
	}
	return 0;
}

static int add_net(
	struct pctl_addresses *a, const char *word, const char *slash, struct pctl_error *err)
{
	PCTL_AUTO(free) char *base = pctl_xstrndup(word, (size_t)(slash - word));
	union pctl_address first;
	uint64_t prefix = 0;

	if (!parse(base, &first))
		return pctl_error_set(
			err, PCTL_E_CONFIG, "'%.200s' is no network: write 10.0.0.0/24", word);
	bool six = first.any.sa_family == AF_INET6;
	if (pctl_parse_uint(slash + 1, six ? 128 : 32, &prefix) < 0)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"'%.200s': what follows the / is a number from 0 to %d", word,
			six ? 128 : 32);
	unsigned host_bits = (unsigned)((six ? 128 : 32) - prefix);
	if (host_bits >= 64)
		return too_many(word, UINT64_MAX, err);
	uint64_t count = (uint64_t)1 << host_bits;
	uint64_t start = number_of(&first) & ~(count - 1);
	if (!six && host_bits > 1) { /* the network's own and its broadcast address */
		start++;
		count -= 2;
	}
	set_number(&first, start);
	return add_span(a, word, &first, count, err);
}

/* FIRST-LAST; false: it is none, which a host's name with a hyphen is not either. */
static bool parse_span(const char *word, union pctl_address *first, union pctl_address *last)
{
	const char *dash = strchr(word, '-');

	if (!dash)
		return false;
	PCTL_AUTO(free) char *before = pctl_xstrndup(word, (size_t)(dash - word));
	return parse(before, first) && parse(dash + 1, last);
}

static bool same_net(const union pctl_address *a, const union pctl_address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	return a->any.sa_family == AF_INET || (memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, 8) == 0 &&
						      a->v6.sin6_scope_id == b->v6.sin6_scope_id);
}

/* Digits, dots and hyphens alone name no host: it was meant as an address, or as some of them. */
static bool is_host_name(const char *word)
{
	return strspn(word, "0123456789.-") != strlen(word) && !strchr(word, ':') &&
	       strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       strlen(word) &&
	       *word != '-';
}

static int add_name(struct pctl_addresses *a, const char *word, struct pctl_error *err)
{
	if (!is_host_name(word))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"'%.200s' is no address, range or host name; write 10.0.0.[1-254], "
			"10.0.0.0/24 or fd00::1-fd00::ff",
			word);
	if (a->n + a->names_n + 1 > PCTL_ADDRESSES_MAX)
		return too_many(word, a->n + a->names_n + 1, err);
	a->names = pctl_xgrow(a->names, &a->names_cap, a->names_n + 1, sizeof(char *));
	a->names[a->names_n++] = pctl_xstrdup(word);
	return 0;
}

static int add_plain(struct pctl_addresses *a, const char *word, struct pctl_error *err)
{
	const char *slash = strchr(word, '/');
	union pctl_address first, last;

	if (slash)
		return add_net(a, word, slash, err);
	if (parse(word, &first))
		return add_span(a, word, &first, 1, err);
	if (!parse_span(word, &first, &last))
		return add_name(a, word, err);
	if (!same_net(&first, &last) || number_of(&first) > number_of(&last))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"'%.200s': the second address of a range comes after the first, in the "
			"same network",
			word);
	uint64_t more = number_of(&last) - number_of(&first);
	return more == UINT64_MAX ? too_many(word, more, err)
				  : add_span(a, word, &first, more + 1, err);
}

struct adding {
	struct pctl_addresses *a;
	struct pctl_error *err;
};

static int add_each(void *data, size_t i, const char *word)
{
	const struct adding *adding = data;

	(void)i;
	return add_plain(adding->a, word, adding->err);
}

static int add_pattern(struct pctl_addresses *a, const char *word, struct pctl_error *err)
{
	struct adding adding = { a, err };
	uint64_t count = 0;

	if (!strchr(word, '['))
		return add_plain(a, word, err);
	int r = pctl_range_count(word, &count, NULL, err);
	if (r < 0)
		return r;
	if (count > PCTL_ADDRESSES_MAX)
		return too_many(word, count, err);
	return pctl_range_each(word, add_each, &adding, NULL, err);
}

/* As far as the next comma that stands in no bracket. */
static size_t piece(const char *word)
{
	size_t n = 0;

	for (bool inside = false; word[n] && (inside || word[n] != ','); n++)
		inside = word[n] == '[' || (inside && word[n] != ']');
	return n;
}

static void take_back(struct pctl_addresses *a, size_t n, size_t names_n)
{
	a->n = n;
	while (a->names_n > names_n)
		free(a->names[--a->names_n]);
}

int pctl_addresses_add(struct pctl_addresses *a, const char *word, struct pctl_error *err)
{
	size_t n = a->n, names_n = a->names_n;

	for (;;) {
		size_t len = piece(word);
		PCTL_AUTO(free) char *one = pctl_xstrndup(word, len);
		int r = len > WORD_MAX ? pctl_error_set(err, PCTL_E_CONFIG,
						 "'%.60s...' is too long for a range", one)
				       : add_pattern(a, one, err);

		if (r < 0) {
			take_back(a, n, names_n);
			return r;
		}
		if (!word[len])
			return 0;
		word += len + 1;
	}
}

/* --- Order. ----------------------------------------------------------------------------------- */

static int compare(const void *x, const void *y)
{
	const union pctl_address *a = x, *b = y;

	if (a->any.sa_family != b->any.sa_family)
		return a->any.sa_family == AF_INET ? -1 : 1;
	if (a->any.sa_family == AF_INET)
		return memcmp(&a->v4.sin_addr, &b->v4.sin_addr, sizeof(a->v4.sin_addr));
	int order = memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof(a->v6.sin6_addr));
	if (order || a->v6.sin6_scope_id == b->v6.sin6_scope_id)
		return order;
	return a->v6.sin6_scope_id < b->v6.sin6_scope_id ? -1 : 1;
}

void pctl_addresses_sort(struct pctl_addresses *a)
{
	size_t kept = 0;

	if (a->n > 0)
		qsort(a->v, a->n, sizeof(*a->v), compare);
	for (size_t i = 0; i < a->n; i++)
		if (kept == 0 || compare(&a->v[kept - 1], &a->v[i]) != 0)
			a->v[kept++] = a->v[i];
	a->n = kept;
}
