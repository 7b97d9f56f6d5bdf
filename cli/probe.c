/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"

#include <string.h>

#include <powerctl/buf.h>
#include <powerctl/discover.h>
#include <powerctl/mem.h>

#include "login.h"

#define TRIED_MAX 240u

struct attempt {
	struct probe *probe;
	const struct pctl_driver *driver;
	struct pctl_inventory *inventory; /* of the one URL; a run needs its own */
	struct pctl_error error;          /* code 0: it answered */
	bool found;                       /* without a login */
	unsigned rank;                    /* if so */
};

struct probe {
	struct attempt *attempts;
	size_t n, running;
	bool over; /* the search */
	struct pctl_discover_end end;
};

/* --- Without a login. ------------------------------------------------------------------------- */

static void on_found(void *data, const struct pctl_found *found)
{
	struct probe *p = data;

	for (size_t i = 0; i < p->n; i++) {
		struct attempt *a = &p->attempts[i];

		if (strcmp(a->driver->name, found->driver) != 0)
			continue;
		a->found = true;
		a->rank = found->rank;
	}
}

static void on_over(void *data, const struct pctl_discover_end *end)
{
	struct probe *p = data;

	p->over = true;
	p->end = *end;
}

/* Whether drivers could be asked what is there; not where something else than one host is named. */
static bool look(struct cli *cli, struct probe *p, const char *address)
{
	PCTL_AUTO(free) char *bare = pctl_xstrdup(*address == '[' ? address + 1 : address);
	const char *const ranges[] = { bare, NULL };
	const struct pctl_discover_request request = { .ranges = ranges, .public_too = true };
	struct pctl_discovery *discovery = NULL;
	struct pctl_error err = { 0 };

	if (*address == '[' && *bare && bare[strlen(bare) - 1] == ']')
		bare[strlen(bare) - 1] = '\0';
	if (pctl_discovery_new(cli_core(cli), &request, &discovery, &err) < 0)
		return false;
	if (pctl_discovery_count(discovery) != 1) {
		pctl_discovery_free(discovery);
		return false;
	}
	pctl_discovery_start(discovery, on_found, on_over, p);
	while (!p->over)
		(void)uv_run(&cli->loop, UV_RUN_ONCE);
	return true;
}

static void note_absent(const struct probe *p, struct attempt *a)
{
	const struct pctl_discover_end *end = &p->end;

	if (end->unknown)
		pctl_error_set(&a->error, PCTL_E_UNREACHABLE, "that name has no address");
	else if (end->failed)
		pctl_error_set(&a->error, end->error.code, "%s", end->error.text);
	else
		pctl_error_set(&a->error, PCTL_E_UNREACHABLE, "nothing of its kind answers there");
}

/* --- With the login. -------------------------------------------------------------------------- */

static void on_result(void *data, const struct pctl_result *result)
{
	struct attempt *a = data;

	a->error = result->error;
}

static void on_done(void *data)
{
	struct attempt *a = data;

	a->probe->running--;
}

static char *make_url(struct cli *cli, const struct pctl_driver *driver, const char *address,
	const struct probe_login *login)
{
	bool ipv6 = strchr(address, ':') && *address != '[';
	char *url = pctl_xasprintf(
		"%s://%s%s%s", driver->name, ipv6 ? "[" : "", address, ipv6 ? "]" : "");

	if (login->user && *login->user && login_property(cli, driver, NULL, "username")) {
		char *longer = login_url_with(url, "username", login->user);
		free(url);
		url = longer;
	}
	if (login->via) {
		char *longer = login_url_with(url, "via", login->via);
		free(url);
		url = longer;
	}
	if (login->secret_path && login_property(cli, driver, NULL, "password")) {
		char *longer = login_url_with(url, "password_file", login->secret_path);
		free(url);
		url = longer;
	}
	return url;
}

static int start_run(struct cli *cli, struct attempt *a)
{
	const struct pctl_request request = { .verb = PCTL_VERB_STATUS, .try_anyway = true };
	const struct pctl_run_callbacks callbacks = {
		.result = on_result, .done = on_done, .data = a
	};
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_run *run = NULL;
	const size_t node = 0;

	int r = pctl_run_new(cli_core(cli), a->inventory, &node, 1, &request, &run, problems);
	if (r < 0)
		pctl_error_set(&a->error, r, "%s",
			pctl_problems_count(problems) ? pctl_problems_at(problems, 0)
						      : "it needs more settings");
	pctl_problems_free(problems);
	if (r < 0)
		return r;
	a->probe->running++;
	pctl_run_start(run, &callbacks);
	return 0;
}

static void begin(
	struct cli *cli, struct attempt *a, const char *address, const struct probe_login *login)
{
	PCTL_AUTO(free) char *url = make_url(cli, a->driver, address, login);
	struct pctl_names *names = pctl_names_new();

	a->inventory = pctl_inventory_new();
	if (pctl_inventory_add_url(a->inventory, url, names, &a->error) == 0)
		(void)start_run(cli, a);
	pctl_names_free(names);
}

/* How much an answer says that the device is of the driver's kind: 0 not, 2 surely. */
static int evidence(const struct attempt *a)
{
	switch (a->error.code) {
	case 0:
		return 2;
	case PCTL_E_AUTH:
	case PCTL_E_FORBIDDEN:
	case PCTL_E_TRUST:
	case PCTL_E_BUSY:
	case PCTL_E_CONSENT:
		return 1;
	default:
		return 0;
	}
}

static int choose(const struct probe *p, const char *address, char **ret, struct pctl_error *err)
{
	const struct attempt *best = NULL;
	struct pctl_buf tried;

	for (size_t i = 0; i < p->n; i++)
		if (evidence(&p->attempts[i]) > (best ? evidence(best) : 0))
			best = &p->attempts[i];
	if (best && best->error.code == PCTL_E_AUTH)
		return pctl_error_set(err, PCTL_E_AUTH, "%s at %s: %s", best->driver->name, address,
			best->error.text);
	if (best) {
		*ret = pctl_xstrdup(best->driver->name);
		return 0;
	}
	pctl_buf_init(&tried, TRIED_MAX);
	for (size_t i = 0; i < p->n; i++)
		pctl_buf_addf(&tried, "%s%s: %s", i ? "; " : "", p->attempts[i].driver->name,
			p->attempts[i].error.text);
	int r = pctl_error_set(err, PCTL_E_UNREACHABLE, "no driver got an answer from %s (%s)",
		address, p->n ? tried.data : "no driver here has a port to look at");
	pctl_buf_done(&tried);
	return r;
}

/* The drivers that can be tried without being told more than an address. */
static void collect(struct cli *cli, struct probe *p)
{
	struct pctl_names *names = pctl_names_new();

	pctl_core_driver_names(cli_core(cli), names);
	p->attempts = pctl_xcalloc(pctl_names_count(names), sizeof(*p->attempts));
	for (size_t i = 0; i < pctl_names_count(names); i++) {
		const struct pctl_driver *driver = NULL;

		if (pctl_core_driver(cli_core(cli), pctl_names_at(names, i), &driver, NULL) < 0)
			continue;
		if (driver->default_port && driver->power)
			p->attempts[p->n++] = (struct attempt){ .probe = p, .driver = driver };
	}
	pctl_names_free(names);
}

static void wait_for(struct cli *cli, const struct probe *p)
{
	while (p->running > 0)
		(void)uv_run(&cli->loop, UV_RUN_ONCE);
}

/* The best of those that were found and not tried yet. */
static struct attempt *next_found(const struct probe *p)
{
	struct attempt *best = NULL;

	for (size_t i = 0; i < p->n; i++) {
		struct attempt *a = &p->attempts[i];

		if (a->found && !a->inventory && (!best || a->rank > best->rank))
			best = a;
	}
	return best;
}

/*
 * One after the other, so that a stranger gets no login and a device not two wrong ones. Who could
 * not be asked without a login is tried when nothing else is there.
 */
static void try_found(
	struct cli *cli, struct probe *p, const char *address, const struct probe_login *login)
{
	bool known = false;

	for (struct attempt *a; !known && (a = next_found(p));) {
		begin(cli, a, address, login);
		wait_for(cli, p);
		known = evidence(a) > 0;
	}
	for (size_t i = 0; i < p->n; i++) {
		struct attempt *a = &p->attempts[i];

		if (a->inventory)
			continue;
		if (a->driver->discover || known || p->end.unknown)
			note_absent(p, a);
		else
			begin(cli, a, address, login);
	}
}

int probe_driver(struct cli *cli, const char *address, const struct probe_login *login, char **ret,
	struct pctl_error *err)
{
	struct probe p = { 0 };

	collect(cli, &p);
	/* Behind a gateway nobody can be asked without one. */
	if (!login->via && look(cli, &p, address))
		try_found(cli, &p, address, login);
	else
		for (size_t i = 0; i < p.n; i++)
			begin(cli, &p.attempts[i], address, login);
	wait_for(cli, &p);
	int r = choose(&p, address, ret, err);
	for (size_t i = 0; i < p.n; i++)
		pctl_inventory_free(p.attempts[i].inventory);
	free(p.attempts);
	return r;
}
