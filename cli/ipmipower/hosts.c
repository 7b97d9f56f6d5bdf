/* SPDX-License-Identifier: Apache-2.0 */
/* ipmipower's list of hosts: h[1-3],h7:6230,[fe80::1]:623. A node each, named HOST or HOST:PORT. */
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "ipmipower/ipmipower.h"
#include "login.h"

#define HOSTS_MAX 65536u

struct adder {
	struct ipmipower *p;
	struct pctl_value *settings;
	struct pctl_names *names;
	struct pctl_error err;
};

/* The part before the first comma or blank that is not within brackets; NULL at the end. */
static char *next_item(const char **rest)
{
	const char *from = *rest + strspn(*rest, ", \t\n"), *at = from;
	bool inside = false;

	for (; *at && (inside || !strchr(", \t\n", *at)); at++)
		if (*at == '[' || *at == ']')
			inside = *at == '[';
	*rest = at;
	return at > from ? pctl_xstrndup(from, (size_t)(at - from)) : NULL;
}

/* Splits in place; an IPv6 address loses its brackets. */
static bool split(char *item, char **ret_host, char **ret_port)
{
	char *close = *item == '[' ? strchr(item, ']') : NULL;
	char *colon = strchr(item, ':');

	*ret_host = item;
	*ret_port = NULL;
	if (close && colon && colon < close) {
		*close = '\0';
		*ret_host = item + 1;
		colon = close + 1;
		if (*colon && *colon != ':')
			return false;
		colon = *colon ? colon : NULL;
	} else if (colon && strchr(colon + 1, ':')) {
		return true; /* a bare IPv6 address */
	}
	if (colon) {
		*colon = '\0';
		*ret_port = colon + 1;
	}
	return true;
}

static bool is_right(const char *host, const char *port)
{
	static const char known[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789.-_:%[],";
	uint64_t n;

	return *host && *host != '-' && host[strspn(host, known)] == '\0' &&
	       (!port || (pctl_parse_uint(port, 65535, &n) == 0 && n > 0));
}

static int add_one(struct adder *a, const char *host, const char *port)
{
	PCTL_AUTO(free)
	char *name = port ? pctl_xasprintf("%s:%s", host, port) : pctl_xstrdup(host);

	if (pctl_inventory_index(a->p->cli->inventory, name) >= 0) {
		(void)pctl_names_add(a->names, name);
		return 0;
	}
	pctl_value_set_text(a->settings, "address", host);
	(void)pctl_value_unset(a->settings, "port");
	pctl_value_set_text(a->settings, "port", port);
	return pctl_inventory_add_nodes(a->p->cli->inventory, name, a->settings, a->names, &a->err);
}

static int add_item(struct adder *a, char *item)
{
	char *host, *port;
	uint64_t count;
	int r = 0;

	if (!split(item, &host, &port) || !is_right(host, port) ||
		pctl_range_count(host, &count, NULL, NULL) < 0 || count > HOSTS_MAX)
		return PCTL_E_CONFIG;
	for (uint64_t i = 0; r == 0 && i < count; i++) {
		PCTL_AUTO(free) char *one = pctl_range_at(host, i);

		r = add_one(a, one, port);
	}
	return r;
}

static int hand_over(const struct pctl_secret *secret, char **path, struct pctl_error *err)
{
	int fd; /* open until the program ends: nodes are read as they are asked */

	return secret && !*path ? login_secret_file(secret, path, &fd, err) : 0;
}

static struct pctl_value *make_settings(const struct ipmipower *p)
{
	const struct ipmipower_options *o = &p->options;
	struct pctl_value *settings = pctl_value_new_map();
	bool open = o->cipher_suite == 0 || (o->auth_type && strcmp(o->auth_type, "none") == 0);

	pctl_value_set_text(settings, "driver", "ipmi");
	pctl_value_set_text(settings, "username", o->username);
	pctl_value_set_text(settings, "password_file", p->password_path);
	pctl_value_set_text(settings, "kg_file", p->kg_path);
	pctl_value_set_text(settings, "protocol", o->protocol);
	pctl_value_set_text(settings, "auth_type", o->auth_type);
	pctl_value_set_text(settings, "privilege", o->privilege ? o->privilege : "operator");
	if (o->cipher_suite >= 0) {
		PCTL_AUTO(free) char *suite = pctl_xasprintf("%d", o->cipher_suite);

		pctl_value_set_text(settings, "cipher_suite", suite);
	}
	if (open) /* who asks for it by name gets it */
		pctl_value_set_text(settings, "allow_unauthenticated", "true");
	if (o->workarounds && pctl_value_count(o->workarounds))
		pctl_value_set(settings, "workarounds", pctl_value_copy(o->workarounds));
	return settings;
}

static void select_all(struct adder *a, struct selection *ret)
{
	size_t n = pctl_names_count(a->names);

	ret->nodes = pctl_xcalloc(n + 1, sizeof(*ret->nodes));
	for (size_t i = 0; i < n; i++)
		ret->nodes[i] = (size_t)pctl_inventory_index(
			a->p->cli->inventory, pctl_names_at(a->names, i));
	ret->count = n;
}

/* What is wrong with the host, as ipmipower says it, on standard output. */
static int add_all(struct adder *a, const char *hosts)
{
	int status = IPMIPOWER_DONE;

	for (char *item; (item = next_item(&hosts)); free(item)) {
		PCTL_AUTO(free) char *given = pctl_xstrdup(item);

		a->err = (struct pctl_error){ 0 };
		if (add_item(a, item) == 0)
			continue;
		ipmipower_tell(a->p, given, given, IPMIPOWER_HOSTNAME);
		if (a->err.code)
			(void)fprintf(stderr, "ipmipower: %s: %s\n", given, a->err.text);
		status = IPMIPOWER_FAILED;
	}
	if (status == IPMIPOWER_DONE && pctl_names_count(a->names) == 0) {
		(void)fprintf(stderr, "ipmipower: no host is named\n");
		status = IPMIPOWER_FAILED;
	}
	return status;
}

int ipmipower_hosts_add(struct ipmipower *p, const char *hosts, struct selection *ret)
{
	struct adder a = { .p = p };
	int r = hand_over(p->options.password, &p->password_path, &a.err);

	if (r == 0)
		r = hand_over(p->options.kg, &p->kg_path, &a.err);
	if (r < 0) {
		(void)fprintf(stderr, "ipmipower: %s\n", a.err.text);
		return IPMIPOWER_FAILED;
	}
	a.settings = make_settings(p);
	a.names = pctl_names_new();
	int status = add_all(&a, hosts);
	if (status == IPMIPOWER_DONE)
		select_all(&a, ret);
	pctl_value_free(a.settings);
	pctl_names_free(a.names);
	return status;
}
