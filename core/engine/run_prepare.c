/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be known before anything is sent: every node's settings and secrets, what the request
 * asks of its driver, and how many nodes may go at once.
 */
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "base/file.h"
#include "engine/kin.h"
#include "engine/run.h"
#include "node/credential.h"

#define FANOUT            512u
#define FILES_OF_OURS     16u                   /* descriptors that are not connections */
#define FILES_PER_SESSION 5u                    /* of a console, display or medium */
#define FILES_OF_HOOKS    100u                  /* those of programs that run at a time */
#define ROOM_OF_OURS      ((uint64_t)6 << 20)   /* with what is kept back (mem.h) */
#define ROOM_PER_NODE     ((uint64_t)128 << 10) /* a connection with TLS and an answer */

static size_t fits_memory(size_t n)
{
	uint64_t room = pctl_memory_room();
	uint64_t nodes = room > ROOM_OF_OURS ? (room - ROOM_OF_OURS) / ROOM_PER_NODE : 0;

	return nodes >= n ? n : nodes ? (size_t)nodes : 1;
}

/* What a node with feeds has open beyond what others have. */
static unsigned most_feeds(const struct pctl_run *run)
{
	size_t most = 1;

	for (size_t i = 0; i < run->count + run->looks; i++)
		if (run->targets[i].feeds && run->targets[i].feeds->n > most)
			most = run->targets[i].feeds->n;
	return (unsigned)(most - 1);
}

static size_t choose_fanout(const struct pctl_run *run)
{
	const struct pctl_value *defaults = pctl_inventory_defaults(run->inventory);
	const char *text = pctl_value_text(pctl_value_get(defaults, "fanout"));
	uint64_t n = run->request.fanout, files = pctl_file_spare();
	size_t ours = FILES_OF_OURS + pctl_limits_count(run->core->limits);
	enum pctl_verb verb = run->request.verb;
	bool session = verb == PCTL_VERB_CONSOLE || verb == PCTL_VERB_KVM ||
		       verb == PCTL_VERB_MEDIA_ATTACH;
	unsigned each = session ? FILES_PER_SESSION : 1;
	unsigned channel = 0;

	for (size_t i = 0; i < run->count; i++)
		if (run->targets[i].dialer && run->targets[i].dialer->files > channel)
			channel = run->targets[i].dialer->files;
	each += channel;

	if (run->hooked)
		ours += FILES_OF_HOOKS;
	if (run->request.until_ready)
		each++;
	each += most_feeds(run);
	if (!n && (!text || pctl_parse_uint(text, PCTL_FANOUT_MAX, &n) < 0))
		n = FANOUT;
	/* A node may need more: then it waits, and there are fewer at once (pctl_run_park()). */
	if (files > ours && n > (files - ours) / each)
		n = (files - ours) / each;
	return fits_memory((size_t)(n ? n : 1));
}

/* The nodes that are another driver's, by driver. */
static int refuse_others(const struct pctl_run *run, struct pctl_problems *problems)
{
	const struct pctl_place nowhere = { 0 };
	const char *wanted = run->request.driver;
	struct pctl_names *drivers = pctl_names_new();

	for (size_t i = 0; i < run->count; i++) {
		const struct pctl_loaded *loaded = run->targets[i].loaded;

		if (loaded && strcmp(loaded->name, wanted) != 0)
			(void)pctl_names_add(drivers, loaded->name);
	}
	size_t n = pctl_names_count(drivers);
	for (size_t k = 0; k < n; k++) {
		const char *driver = pctl_names_at(drivers, k);
		struct pctl_names *nodes = pctl_names_new();

		for (size_t i = 0; i < run->count; i++)
			if (run->targets[i].loaded &&
				strcmp(run->targets[i].loaded->name, driver) == 0)
				(void)pctl_names_add(nodes, run->targets[i].name);
		PCTL_AUTO(free) char *folded = pctl_names_fold(nodes);
		pctl_problems_add(problems, nowhere,
			"%s: driver %s; `%s %s` is for nodes of driver %s only", folded, driver,
			wanted, run->request.method, wanted);
		pctl_names_free(nodes);
	}
	pctl_names_free(drivers);
	return n ? PCTL_E_CONFIG : 0;
}

/* What only one machine can have. */
static int refuse_shared(const struct pctl_run *run, struct pctl_problems *problems)
{
	const struct pctl_place nowhere = { 0 };
	const struct pctl_method *m = run->arguments->method;
	int r = 0;

	for (const struct pctl_property *p = m->parameters; p && p->name && run->count > 1; p++) {
		if (!(p->flags & PCTL_PROPERTY_OWN) ||
			!pctl_argument_given(run->arguments, p->name))
			continue;
		pctl_problems_add(problems, nowhere,
			"%s: several nodes cannot have the same; say it for one node at a time",
			p->name);
		r = PCTL_E_CONFIG;
	}
	return r;
}

static int take_method(struct pctl_run *run, struct pctl_problems *problems)
{
	const struct pctl_place nowhere = { 0 };
	struct pctl_loaded *loaded = NULL;
	struct pctl_error err = { 0 };

	if (pctl_core_load(run->core, run->request.driver, &loaded, &err) < 0) {
		pctl_problems_add(problems, nowhere, "%s", err.text);
		return PCTL_E_CONFIG;
	}
	int r = pctl_arguments_new(loaded->driver, run->request.method, run->request.arguments,
		&run->arguments, problems);
	int e = refuse_others(run, problems);
	if (r < 0 || e < 0 || refuse_shared(run, problems) < 0)
		return PCTL_E_CONFIG;
	run->flags |= pctl_method_verb_flags(run->arguments->method, run->arguments->map);
	run->request.driver = loaded->name;
	run->request.method = run->arguments->method->name;
	run->request.arguments = run->arguments->map;
	return 0;
}

/* Without a test there is nothing to wait for: said of all nodes before any of them is touched. */
static int take_ready(struct pctl_run *run, struct pctl_problems *problems)
{
	const struct pctl_place nowhere = { 0 };
	size_t before = pctl_problems_count(problems);
	struct pctl_names *without = pctl_names_new();

	for (size_t i = 0; i < run->count; i++) {
		struct pctl_target *t = &run->targets[i];
		bool skip = t->maintenance && !run->request.maintenance;

		if (!skip && t->loaded && !pctl_ready_read(t, problems))
			(void)pctl_names_add(without, t->name);
	}
	if (pctl_names_count(without) > 0) {
		PCTL_AUTO(free) char *folded = pctl_names_fold(without);
		pctl_problems_add(problems, nowhere,
			"%s: nothing says when the machine is ready; add a line to it or its "
			"class: `ready: {tcp: 22}`, a port that is open then, or `ready: "
			"{command: [PROGRAM, ARGUMENT]}`",
			folded);
	}
	pctl_names_free(without);
	return pctl_problems_count(problems) > before ? PCTL_E_CONFIG : 0;
}

/* The one of both that the request is about, whatever other commands would take now. */
static void use_password(struct pctl_run *run, size_t i)
{
	const struct pctl_request *request = &run->request;
	enum pctl_password_state state = request->login_new ? PCTL_PASSWORD_NEW : PCTL_PASSWORD_OLD;
	const struct pctl_secret *secret = NULL;

	if (request->rotation && run->targets[i].loaded->driver->account)
		secret = pctl_rotation_secret(request->rotation, run->targets[i].node, state);
	if (secret)
		pctl_target_use_password(&run->targets[i], secret);
}

static int init_target(struct pctl_run *run, size_t i, struct pctl_twins *twins, size_t node,
	enum pctl_verb verb, struct pctl_problems *problems)
{
	bool skip = !run->request.maintenance &&
		    pctl_inventory_text(run->inventory, node, "maintenance");
	bool secrets = !skip && verb != PCTL_VERB_CAPS && verb != PCTL_VERB_WAIT_READY;

	int r = pctl_target_init_twin(&run->targets[i], twins, run->core, run->inventory, node,
		pctl_verb_def(verb)->interface, secrets, problems);
	if (r == 0 && secrets && (verb == PCTL_VERB_PASSWD || verb == PCTL_VERB_LOGIN))
		use_password(run, i);
	return r;
}

/* A few nodes need none, unless they may stand behind one endpoint, which would refuse each. */
static void find_login(struct pctl_run *run, size_t i, bool tried, size_t count)
{
	struct pctl_target *target = &run->targets[i];
	const struct pctl_feeds *feeds = target->feeds;

	/* Outlets of one node may share an endpoint: it hears a wrong password once. */
	for (size_t k = 0; feeds && k < feeds->n; k++)
		feeds->v[k].target->login =
			pctl_breaker_login(run->core->breaker, feeds->v[k].target);
	if (feeds)
		return;
	if ((tried || (count > 1 && pctl_target_has_unit(target))) && !target->login)
		target->login = pctl_breaker_login(run->core->breaker, target);
}

/* What its method is, where there is one; that there is none take_method() says. */
static unsigned method_flags(const struct pctl_run *run)
{
	const struct pctl_method *method = NULL;
	struct pctl_loaded *loaded = NULL;
	struct pctl_error err = { 0 };

	if (run->request.verb == PCTL_VERB_METHOD &&
		pctl_core_load(run->core, run->request.driver, &loaded, &err) == 0)
		method = pctl_method_find(loaded->driver, run->request.method);
	return method ? pctl_method_verb_flags(method, run->request.arguments) : 0;
}

static void find_kin(struct pctl_run *run, const size_t *nodes, size_t count)
{
	run->kin = pctl_kin_new(
		run->inventory, nodes, count, &run->request, run->flags | method_flags(run));
	run->look = (struct pctl_request){ .verb = PCTL_VERB_STATUS,
		.try_anyway = run->request.try_anyway,
		.timeout_ms = run->request.timeout_ms };
}

static int init_looks(
	struct pctl_run *run, struct pctl_twins *twins, bool tried, struct pctl_problems *problems)
{
	int r = 0;

	for (size_t i = 0; i < pctl_kin_looks(run->kin); i++) {
		size_t at = run->count + i;

		if (init_target(run, at, twins, pctl_kin_node(run->kin, i), run->look.verb,
			    problems) < 0)
			r = PCTL_E_CONFIG;
		else
			find_login(run, at, tried, run->count + i + 1);
		run->looks++;
	}
	return r;
}

/* The caller's request may be gone before the run is; what METHOD has take_method() replaces. */
static void take_request(struct pctl_run *run, const struct pctl_request *request)
{
	struct pctl_request *r = &run->request;
	const char **const texts[PCTL_RUN_TEXTS] = { &r->boot.url, &r->log_since, &r->log_source,
		&r->consent_code, &r->media.cd, &r->media.floppy };

	*r = *request;
	r->media.size = sizeof(r->media);
	for (size_t i = 0; i < PCTL_RUN_TEXTS; i++)
		if (*texts[i])
			*texts[i] = run->texts[i] = pctl_xstrdup(*texts[i]);
}

int pctl_run_new(struct pctl_core *core, struct pctl_inventory *inventory, const size_t *nodes,
	size_t count, const struct pctl_request *request, struct pctl_run **ret,
	struct pctl_problems *problems)
{
	struct pctl_run *run = pctl_xcalloc(1, sizeof(*run));
	struct pctl_twins twins = { 0 };
	int r = 0;

	run->core = core;
	run->parked_end = &run->parked;
	run->back_end = &run->back;
	run->inventory = inventory;
	take_request(run, request);
	run->flags = pctl_verb_flags(request->verb);
	pctl_breaker_begin(core->breaker);
	pctl_secrets_look_again(core->secrets); /* a password may have been changed since */
	(void)pctl_store_refresh(core->pins);   /* somebody may have accepted or forgotten one */
	bool ready = request->verb == PCTL_VERB_WAIT_READY;
	bool tried = !ready && pctl_breaker_matters(core->breaker, count);
	find_kin(run, nodes, count);
	run->targets = pctl_xcalloc(count + pctl_kin_looks(run->kin), sizeof(*run->targets));
	for (size_t i = 0; i < count; i++) {
		if (init_target(run, i, &twins, nodes[i], request->verb, problems) < 0)
			r = PCTL_E_CONFIG;
		else
			find_login(run, i, tried, count);
		run->count++;
	}
	if (init_looks(run, &twins, tried, problems) < 0)
		r = PCTL_E_CONFIG;
	pctl_twins_done(&twins);
	if ((ready || request->until_ready) && take_ready(run, problems) < 0)
		r = PCTL_E_CONFIG;
	if (request->verb == PCTL_VERB_METHOD && take_method(run, problems) < 0)
		r = PCTL_E_CONFIG;
	if (pctl_hooks_prepare(run, problems) < 0)
		r = PCTL_E_CONFIG;
	pctl_run_find_limits(run);
	pctl_run_begin_record(run);
	run->fanout = choose_fanout(run);
	if (r < 0) {
		pctl_run_free(run);
		return r;
	}
	*ret = run;
	return 0;
}
