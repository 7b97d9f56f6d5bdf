/* SPDX-License-Identifier: Apache-2.0 */
#include "node/resolve.h"

#include <netinet/in.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "base/strmap.h"

#define POOL_DEFAULT 4u /* libuv's, where the environment says nothing */
#define POOL_MAX     1024u

struct pctl_lookup {
	uv_getaddrinfo_t req;
	struct pctl_resolver *resolver; /* NULL: it is gone */
	char *name;
	enum { QUEUED, RUNNING, KNOWN } state;
	struct pctl_asking *first, *last;
	struct pctl_lookup *next; /* in the queue */
	uint64_t begun, known;    /* loop time in ms */
	int status;               /* KNOWN: 0, or libuv's reason */
	struct sockaddr_storage addr;
};

struct pctl_resolver {
	uv_loop_t *loop;
	struct pctl_strmap by_name;
	struct pctl_lookup *first, *last; /* that wait for a thread */
	unsigned running, most;
	uint64_t silent_since; /* loop time in ms: of the last answer, or of the first question */
};

/* libuv gives look-ups half of its threads (src/threadpool.c). */
static unsigned count_threads(void)
{
	const char *text = getenv("UV_THREADPOOL_SIZE");
	uint64_t n = POOL_DEFAULT;

	if (text && pctl_parse_uint(text, POOL_MAX, &n) < 0)
		n = POOL_DEFAULT;
	return (unsigned)(n + 1) / 2 ? (unsigned)(n + 1) / 2 : 1;
}

struct pctl_resolver *pctl_resolver_new(uv_loop_t *loop)
{
	struct pctl_resolver *resolver = pctl_xcalloc(1, sizeof(*resolver));

	resolver->loop = loop;
	resolver->most = count_threads();
	return resolver;
}

static void free_lookup(struct pctl_lookup *lookup)
{
	free(lookup->name);
	free(lookup);
}

static void let_go(void *data, const char *name, void *value)
{
	struct pctl_lookup *lookup = value;

	(void)data, (void)name;
	lookup->resolver = NULL;
	if (lookup->state != RUNNING)
		free_lookup(lookup);
}

void pctl_resolver_free(struct pctl_resolver *resolver)
{
	if (!resolver)
		return;
	pctl_strmap_each(&resolver->by_name, let_go, NULL);
	pctl_strmap_done(&resolver->by_name);
	free(resolver);
}

/* --- Looking up. ------------------------------------------------------------------------------ */

static void answer(struct pctl_lookup *lookup)
{
	while (lookup->first) {
		struct pctl_asking *asking = lookup->first;

		lookup->first = asking->next;
		asking->lookup = NULL;
		asking->resolved(asking,
			lookup->status ? NULL : (const struct sockaddr *)&lookup->addr,
			lookup->status);
	}
}

static void take_address(struct pctl_lookup *lookup, int status, const struct addrinfo *res)
{
	lookup->state = KNOWN;
	lookup->known = uv_now(lookup->resolver->loop);
	lookup->status = status < 0 ? status : UV_EAI_NONAME;
	if (status < 0 || !res || res->ai_addrlen > sizeof(lookup->addr))
		return;
	memcpy(&lookup->addr, res->ai_addr, res->ai_addrlen);
	lookup->status = 0;
}

/* Whether somebody out there said so, be it that there is no such name. */
static bool is_answer(int status)
{
	return status != UV_EAI_AGAIN && status != UV_EAI_FAIL;
}

static void run_next(struct pctl_resolver *resolver, bool tell);

static void on_looked_up(uv_getaddrinfo_t *req, int status, struct addrinfo *res)
{
	struct pctl_lookup *lookup = pctl_container_of(req, struct pctl_lookup, req);
	struct pctl_resolver *resolver = lookup->resolver;

	if (resolver) {
		take_address(lookup, status, res);
		resolver->running--;
		if (is_answer(lookup->status))
			resolver->silent_since = lookup->known;
		run_next(resolver, true);
		answer(lookup);
	} else {
		free_lookup(lookup);
	}
	uv_freeaddrinfo(res);
}

static void run_lookup(struct pctl_lookup *lookup)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	struct pctl_resolver *resolver = lookup->resolver;

	lookup->state = RUNNING;
	lookup->begun = uv_now(resolver->loop);
	resolver->running++;
	int r = uv_getaddrinfo(
		resolver->loop, &lookup->req, on_looked_up, lookup->name, NULL, &hints);
	if (r == 0)
		return;
	resolver->running--;
	take_address(lookup, r, NULL); /* a name that cannot be one: whoever waits is told */
}

static void run_next(struct pctl_resolver *resolver, bool tell)
{
	while (resolver->first && resolver->running < resolver->most) {
		struct pctl_lookup *lookup = resolver->first;

		resolver->first = lookup->next;
		if (!resolver->first)
			resolver->last = NULL;
		lookup->next = NULL;
		if (!lookup->first) { /* all have left */
			(void)pctl_strmap_remove(&resolver->by_name, lookup->name);
			free_lookup(lookup);
			continue;
		}
		run_lookup(lookup);
		if (tell && lookup->state == KNOWN)
			answer(lookup);
	}
}

/* --- Asking. ---------------------------------------------------------------------------------- */

static bool is_fresh(const struct pctl_lookup *lookup)
{
	uint64_t age = uv_now(lookup->resolver->loop) - lookup->known;

	return lookup->state == KNOWN && lookup->known &&
	       age < (lookup->status ? PCTL_UNRESOLVED_KEPT_MS : PCTL_RESOLVED_KEPT_MS);
}

static void enqueue(struct pctl_lookup *lookup)
{
	struct pctl_resolver *resolver = lookup->resolver;

	if (!resolver->first && !resolver->running)
		resolver->silent_since = uv_now(resolver->loop);
	lookup->state = QUEUED;
	if (resolver->last)
		resolver->last->next = lookup;
	else
		resolver->first = lookup;
	resolver->last = lookup;
}

static struct pctl_lookup *lookup_of(struct pctl_resolver *resolver, const char *name)
{
	void **place = pctl_strmap_put(&resolver->by_name, name);
	struct pctl_lookup *lookup = *place;

	if (lookup)
		return lookup;
	lookup = *place = pctl_xcalloc(1, sizeof(*lookup));
	lookup->resolver = resolver;
	lookup->name = pctl_xstrdup(name);
	lookup->state = KNOWN;
	lookup->status = UV_EAI_NONAME;
	return lookup;
}

static void add_asking(struct pctl_lookup *lookup, struct pctl_asking *asking)
{
	asking->lookup = lookup;
	asking->next = NULL;
	asking->asked = uv_now(lookup->resolver->loop);
	*(lookup->first ? &lookup->last->next : &lookup->first) = asking;
	lookup->last = asking;
}

int pctl_resolve(struct pctl_resolver *resolver, const char *name, struct pctl_asking *asking,
	struct sockaddr_storage *ret)
{
	struct pctl_lookup *lookup = lookup_of(resolver, name);

	if (is_fresh(lookup)) {
		*ret = lookup->addr;
		return lookup->status ? lookup->status : 1;
	}
	if (lookup->state == KNOWN)
		enqueue(lookup);
	add_asking(lookup, asking);
	if (resolver->running < resolver->most)
		run_next(resolver, false); /* this one, if any: the others are under way */
	if (lookup->state != KNOWN)
		return 0;
	pctl_asking_leave(asking); /* never from within */
	return lookup->status;
}

void pctl_asking_leave(struct pctl_asking *asking)
{
	struct pctl_lookup *lookup = asking->lookup;
	struct pctl_asking *before = NULL;

	if (!lookup)
		return;
	for (struct pctl_asking *a = lookup->first; a != asking; a = a->next)
		before = a;
	*(before ? &before->next : &lookup->first) = asking->next;
	if (lookup->last == asking)
		lookup->last = before;
	asking->lookup = NULL;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

uint64_t pctl_asking_due(const struct pctl_asking *asking, uint64_t limit_ms)
{
	const struct pctl_lookup *lookup = asking->lookup;
	uint64_t grace = limit_ms < PCTL_RESOLVE_GRACE_MS ? limit_ms : PCTL_RESOLVE_GRACE_MS;
	uint64_t due = later(asking->asked + grace, lookup->resolver->silent_since + limit_ms);

	if (lookup->state == RUNNING && lookup->begun + limit_ms < due)
		return later(asking->asked, lookup->begun + limit_ms);
	return due;
}
