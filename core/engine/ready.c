/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ready.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/log.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "base/jitter.h"
#include "engine/ready_try.h"
#include "engine/task.h"

#define CONNECT_MS    3000u
#define COMMAND_MS    10000u
#define ADDRESSES_MAX 4u
#define POLL_GROWTH   10u /* how long the last pauses are, in first ones */

/* --- What the inventory says. ----------------------------------------------------------------- */

/* Whether a program can be found that could be run; as execvp() looks for it. */
static bool can_run(const char *name)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/'))
		return access(name, X_OK) == 0;
	for (path = path ? path : "/usr/bin:/bin"; *path;) {
		size_t len = strcspn(path, ":");
		PCTL_AUTO(free)
		char *full = pctl_xasprintf("%.*s/%s", len ? (int)len : 1, len ? path : ".", name);

		if (access(full, X_OK) == 0)
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

static void check_command(const struct pctl_value *command, struct pctl_problems *problems)
{
	const char *name = pctl_value_text(pctl_value_at(command, 0));

	for (size_t i = 0; i < pctl_value_count(command); i++)
		if (!pctl_value_text(pctl_value_at(command, i)))
			return; /* said when the file was read */
	if (!name || !*name)
		pctl_problems_add(problems, pctl_value_place(command),
			"ready: command is a list, [program, argument]");
	else if (!can_run(name))
		pctl_problems_add(problems, pctl_value_place(command),
			"ready: there is no program '%s' that could be run", name);
}

bool pctl_ready_read(struct pctl_target *t, struct pctl_problems *problems)
{
	const struct pctl_value *map = pctl_value_get(t->map, "ready");
	const char *tcp = pctl_value_text(pctl_value_get(map, "tcp"));
	const struct pctl_value *command = pctl_value_get(map, "command");
	const char *host = pctl_value_text(pctl_value_get(map, "host"));
	const char *limit = pctl_value_text(pctl_value_get(map, "timeout"));
	struct pctl_ready *r = &t->ready;
	uint64_t port = 0, ms = 0;

	if (tcp)
		(void)pctl_parse_uint(tcp, UINT16_MAX, &port);
	if (limit && *limit)
		(void)pctl_parse_duration(limit, &ms);
	*r = (struct pctl_ready){
		.host = host && *host ? host : t->name,
		.port = (uint16_t)port,
		.command = pctl_value_count(command) > 0 ? command : NULL,
		.connect_ms = ms ? ms : CONNECT_MS,
		.command_ms = ms ? ms : COMMAND_MS,
	};
	if (r->command)
		check_command(r->command, problems);
	return r->port || r->command;
}

/* --- A watch. --------------------------------------------------------------------------------- */

struct resolving;

struct pctl_ready_watch {
	const struct pctl_target *target;
	uv_timer_t timer; /* the pause between tries; the limit of a look-up */
	struct resolving *resolving;
	struct pctl_ready_try *trying;
	struct sockaddr_storage addrs[ADDRESSES_MAX];
	size_t n;
	uint64_t pause_ms;
	bool must_fail;       /* nothing counts before a try has failed */
	bool settled, counts; /* counts: this try began afterwards */
	bool passed_before;   /* one passed that did not count */
	char why[PCTL_READY_WHY_SIZE];
	pctl_ready_fn *passed, *closed;
	void *data, *closed_data;
};

static void try_now(uv_timer_t *timer);

static void on_closed(uv_handle_t *handle)
{
	struct pctl_ready_watch *w = handle->data;
	pctl_ready_fn *closed = w->closed;
	void *data = w->closed_data;

	free(w);
	closed(data);
}

static void pause_and_try(struct pctl_ready_watch *w)
{
	uint64_t first = w->target->poll_ms;

	/* How long it is away is not known: until it is, nothing is missed. */
	if (!w->must_fail)
		w->pause_ms = w->pause_ms * 3 / 2 < first * POLL_GROWTH ? w->pause_ms * 3 / 2
									: first * POLL_GROWTH;
	(void)uv_timer_start(&w->timer, try_now, pctl_jitter(w->pause_ms), 0);
}

/* why NULL: every part of the test passed. */
static void judge(struct pctl_ready_watch *w, const char *why)
{
	(void)snprintf(w->why, sizeof(w->why), "%s", why ? why : "");
	pctl_log(PCTL_LOG_DEBUG, NULL, "%s: ready: %s%s", w->target->name, why ? why : "passed",
		!why && w->must_fail ? ", but it has not failed since the restart" : "");
	if (why)
		w->must_fail = false;
	else if (w->must_fail)
		w->passed_before = true;
	else if (w->counts) {
		w->passed(w->data);
		return;
	}
	pause_and_try(w);
}

static bool stopped(struct pctl_ready_watch *w)
{
	if (!w->closed)
		return false;
	uv_close((uv_handle_t *)&w->timer, on_closed);
	return true;
}

static void on_command_tried(void *data, const char *why)
{
	struct pctl_ready_watch *w = data;

	w->trying = NULL;
	if (!stopped(w))
		judge(w, why);
}

static void on_connect_tried(void *data, const char *why)
{
	struct pctl_ready_watch *w = data;

	w->trying = NULL;
	if (stopped(w))
		return;
	if (!why && w->target->ready.command)
		w->trying = pctl_ready_run(w->target, on_command_tried, w);
	else
		judge(w, why);
}

/* --- Where the machine is. -------------------------------------------------------------------- */

/* A look-up that runs cannot be stopped: whoever has no patience any more leaves it to itself. */
struct resolving {
	uv_getaddrinfo_t req;
	struct pctl_ready_watch *watch; /* NULL: nobody waits */
};

static void leave_resolving(struct pctl_ready_watch *w)
{
	w->resolving->watch = NULL;
	(void)uv_cancel((uv_req_t *)&w->resolving->req);
	w->resolving = NULL;
	(void)uv_timer_stop(&w->timer);
}

static void add_address(struct pctl_ready_watch *w, const struct sockaddr *addr)
{
	struct sockaddr_storage *at = &w->addrs[w->n];

	if (w->n == ADDRESSES_MAX)
		return;
	if (addr->sa_family == AF_INET) {
		memcpy(at, addr, sizeof(struct sockaddr_in));
		((struct sockaddr_in *)at)->sin_port = htons(w->target->ready.port);
	} else if (addr->sa_family == AF_INET6) {
		memcpy(at, addr, sizeof(struct sockaddr_in6));
		((struct sockaddr_in6 *)at)->sin6_port = htons(w->target->ready.port);
	} else {
		return;
	}
	w->n++;
}

static void connect_to(struct pctl_ready_watch *w)
{
	w->trying = pctl_ready_connect(w->target, w->addrs, w->n, on_connect_tried, w);
}

/* A machine may get its name only when it is up: another look-up comes with the next try. */
static void say_no_address(struct pctl_ready_watch *w, const char *reason)
{
	char why[PCTL_READY_WHY_SIZE];

	(void)snprintf(why, sizeof(why),
		"no address for its name (%s); `ready: {host: ADDRESS}` says where it is", reason);
	judge(w, why);
}

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *res)
{
	struct resolving *r = pctl_container_of(req, struct resolving, req);
	struct pctl_ready_watch *w = r->watch;

	if (w) {
		leave_resolving(w);
		for (struct addrinfo *a = res; status == 0 && a; a = a->ai_next)
			add_address(w, a->ai_addr);
	}
	uv_freeaddrinfo(res);
	free(r);
	if (w && w->n > 0)
		connect_to(w);
	else if (w)
		say_no_address(w, status < 0 ? uv_strerror(status) : "none that can be used");
}

static void on_resolving_too_long(uv_timer_t *timer)
{
	struct pctl_ready_watch *w = timer->data;

	leave_resolving(w);
	say_no_address(w, "name servers do not answer");
}

static void look_up(struct pctl_ready_watch *w)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	struct resolving *r = pctl_xcalloc(1, sizeof(*r));

	r->watch = w;
	int error = uv_getaddrinfo(
		w->target->core->loop, &r->req, on_resolved, w->target->ready.host, NULL, &hints);
	if (error < 0) {
		free(r);
		say_no_address(w, uv_strerror(error));
		return;
	}
	w->resolving = r;
	(void)uv_timer_start(&w->timer, on_resolving_too_long, w->target->ready.connect_ms, 0);
}

static void find_numeric(struct pctl_ready_watch *w)
{
	const char *host = w->target->ready.host;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (uv_ip4_addr(host, 0, &v4) == 0)
		add_address(w, (const struct sockaddr *)&v4);
	else if (uv_ip6_addr(host, 0, &v6) == 0)
		add_address(w, (const struct sockaddr *)&v6);
}

static void try_now(uv_timer_t *timer)
{
	struct pctl_ready_watch *w = timer->data;

	w->counts = w->settled;
	if (!w->target->ready.port)
		w->trying = pctl_ready_run(w->target, on_command_tried, w);
	else if (w->n > 0)
		connect_to(w);
	else
		look_up(w);
}

/* --- For verbs. ------------------------------------------------------------------------------- */

struct pctl_ready_watch *pctl_ready_watch_new(
	const struct pctl_target *target, bool restarted, pctl_ready_fn *passed, void *data)
{
	struct pctl_ready_watch *w = pctl_xcalloc(1, sizeof(*w));

	w->target = target;
	w->must_fail = restarted;
	w->passed = passed;
	w->data = data;
	w->pause_ms = target->poll_ms;
	(void)uv_timer_init(target->core->loop, &w->timer);
	w->timer.data = w;
	find_numeric(w);
	(void)uv_timer_start(&w->timer, try_now, 0, 0);
	return w;
}

void pctl_ready_watch_settle(struct pctl_ready_watch *w, bool seen_down)
{
	w->settled = true;
	if (seen_down)
		w->must_fail = false;
}

const char *pctl_ready_watch_why(const struct pctl_ready_watch *w)
{
	return w->why;
}

bool pctl_ready_watch_never_failed(const struct pctl_ready_watch *w)
{
	return w->must_fail && w->passed_before;
}

void pctl_ready_watch_stop(struct pctl_ready_watch *w, pctl_ready_fn *closed, void *data)
{
	w->closed = closed;
	w->closed_data = data;
	(void)uv_timer_stop(&w->timer);
	if (w->resolving)
		leave_resolving(w);
	if (w->trying)
		pctl_ready_try_drop(w->trying);
	else
		(void)stopped(w);
}
