/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses times drivers. Addresses are begun as rate and fanout allow, each with all drivers at
 * once; what one takes is freed when its last driver has ended, so that a search needs as much
 * memory as its fanout, however long it is.
 */
#include <powerctl/discover.h>
#include <stdio.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/nodeset.h>

#include "driver/crash.h"
#include "names/addresses.h"
#include "node/core.h"

#define TICK_MS 10u
/* What was not begun in time is not made up for beyond this. */
#define BURST_MS 50u

struct finder {
	struct pctl_loaded *loaded;
	struct pctl_target any;
};

struct visit;

/* One driver at one address. */
struct look {
	struct visit *visit;
	const struct finder *finder;
	struct pctl_target target;
	struct pctl_device device;
	struct pctl_op op;
	struct pctl_value *tree;
	struct look *next; /* parked after it */
	bool running;
};

/* One address. */
struct visit {
	struct pctl_discovery *discovery;
	struct visit *next, *previous;
	union pctl_address addr;
	char text[PCTL_ADDRESS_TEXT];
	const char *host; /* to be looked up; NULL: it is a number */
	struct pctl_asking asking;
	size_t left;         /* looks that have not ended */
	bool cut;            /* canceled before all looks had ended */
	struct look looks[]; /* one for each finder */
};

struct pctl_discovery {
	struct pctl_core *core;
	struct finder *finders;
	size_t finders_n;
	struct pctl_addresses addresses;
	bool public_too, canceled;
	unsigned rate, fanout;

	uv_timer_t timer;
	uint64_t last;   /* loop time of the latest tick */
	uint64_t credit; /* thousandths of an address that may be begun */
	size_t begun, running, looking;
	struct visit *visits; /* that are under way */
	struct look *parked;  /* until this host has descriptors again */
	struct pctl_discover_end end;
	struct pctl_names *unknown; /* names without an address; NULL: none so far */

	pctl_found_fn *found;
	pctl_discover_done_fn *done;
	void *data;
};

/* --- Before anything is sent. ----------------------------------------------------------------- */

static int check_public(const struct pctl_addresses *a, struct pctl_error *err)
{
	char text[PCTL_ADDRESS_TEXT] = "";
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		if (!pctl_address_is_private(&a->v[i].any) && n++ == 0)
			pctl_address_text(&a->v[i].any, text);
	if (!n)
		return 0;
	return pctl_error_set(err, PCTL_E_CONFIG,
		"%zu of the addresses are not private ones, %s first: they may be other people's; "
		"nothing was sent, and --yes asks them all the same",
		n, text);
}

static int read_ranges(struct pctl_discovery *d, const struct pctl_discover_request *request,
	struct pctl_error *err)
{
	int r = 0;

	for (const char *const *word = request->ranges; r == 0 && *word; word++)
		r = pctl_addresses_add(&d->addresses, *word, err);
	if (r < 0)
		return r;
	pctl_addresses_sort(&d->addresses);
	return d->public_too ? 0 : check_public(&d->addresses, err);
}

static int add_finder(struct pctl_discovery *d, struct pctl_loaded *loaded,
	const struct pctl_value *settings, struct pctl_error *err)
{
	const struct pctl_value *own = pctl_value_get(settings, loaded->name);
	struct finder *finder = &d->finders[d->finders_n++];
	struct pctl_problems *problems = pctl_problems_new();

	finder->loaded = loaded;
	int r = pctl_target_init_stranger(&finder->any, d->core, loaded,
		own ? pctl_value_copy(own) : pctl_value_new_map(), problems);
	if (r < 0)
		pctl_error_set(err, r, "%.300s",
			pctl_problems_count(problems) ? pctl_problems_at(problems, 0)
						      : "its settings are wrong");
	pctl_problems_free(problems);
	return r == 0 ? pctl_core_start(d->core, loaded, err) : r;
}

/* Settings of a driver that is not asked would be settings that nobody reads. */
static int check_used(
	const struct pctl_discovery *d, const struct pctl_value *settings, struct pctl_error *err)
{
	for (size_t i = 0; i < pctl_value_count(settings); i++) {
		const char *name = pctl_value_key_at(settings, i);
		bool used = false;

		for (size_t j = 0; j < d->finders_n; j++)
			used = used || strcmp(d->finders[j].loaded->name, name) == 0;
		if (!used)
			return pctl_error_set(err, PCTL_E_CONFIG,
				"a setting of driver '%s' is given, which is not one that looks "
				"for devices here",
				name);
	}
	return 0;
}

static int find_finders(struct pctl_discovery *d, const struct pctl_discover_request *request,
	struct pctl_error *err)
{
	struct pctl_names *names = pctl_names_new();
	int r = 0;

	if (request->driver)
		pctl_names_add(names, request->driver);
	else
		pctl_core_driver_names(d->core, names);
	d->finders = pctl_xcalloc(pctl_names_count(names) + 1, sizeof(*d->finders));
	for (size_t i = 0; r == 0 && i < pctl_names_count(names); i++) {
		struct pctl_loaded *loaded = NULL;

		int e = pctl_core_load(d->core, pctl_names_at(names, i), &loaded, err);
		if (e < 0 && request->driver)
			r = e;
		if (e == 0 && loaded->driver->discover)
			r = add_finder(d, loaded, request->settings, err);
	}
	pctl_names_free(names);
	if (r == 0 && !d->finders_n)
		r = pctl_error_set(err, PCTL_E_CONFIG,
			request->driver ? "driver '%s' cannot look for devices%s"
					: "no driver%s here can look for devices%s",
			request->driver ? request->driver : "", "");
	return r == 0 ? check_used(d, request->settings, err) : r;
}

int pctl_discovery_new(struct pctl_core *core, const struct pctl_discover_request *request,
	struct pctl_discovery **ret, struct pctl_error *err)
{
	struct pctl_discovery *d = pctl_xcalloc(1, sizeof(*d));

	d->core = core;
	d->public_too = request->public_too;
	d->rate = request->rate ? request->rate : PCTL_DISCOVER_RATE;
	d->fanout = request->fanout ? request->fanout : PCTL_DISCOVER_FANOUT;
	int r = read_ranges(d, request, err);
	if (r == 0)
		r = find_finders(d, request, err);
	if (r < 0) {
		pctl_discovery_free(d);
		return r;
	}
	*ret = d;
	return 0;
}

void pctl_discovery_free(struct pctl_discovery *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->finders_n; i++)
		pctl_target_done(&d->finders[i].any);
	free(d->finders);
	pctl_addresses_done(&d->addresses);
	pctl_names_free(d->unknown);
	free(d);
}

size_t pctl_discovery_count(const struct pctl_discovery *d)
{
	return d->addresses.n + d->addresses.names_n;
}

size_t pctl_discovery_ended(const struct pctl_discovery *d)
{
	return d->begun - d->running;
}

/* --- The end. --------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
	struct pctl_discovery *d =
		pctl_container_of((uv_timer_t *)handle, struct pctl_discovery, timer);
	PCTL_AUTO(free) char *unknown = d->unknown ? pctl_names_fold(d->unknown) : NULL;
	struct pctl_discover_end end = d->end;
	pctl_discover_done_fn *done = d->done;
	void *data = d->data;

	end.unknown_names = unknown;
	pctl_discovery_free(d);
	done(data, &end);
}

static void end_if_over(struct pctl_discovery *d)
{
	bool all = d->canceled || d->begun == pctl_discovery_count(d);

	if (!all || d->running || uv_is_closing((uv_handle_t *)&d->timer))
		return;
	d->end.left += pctl_discovery_count(d) - d->begun;
	uv_close((uv_handle_t *)&d->timer, on_closed);
}

static void visit_end(struct visit *v)
{
	struct pctl_discovery *d = v->discovery;

	if (v->next)
		v->next->previous = v->previous;
	if (v->previous)
		v->previous->next = v->next;
	else
		d->visits = v->next;
	if (v->cut) { /* nobody knows what is there */
		d->end.addresses--;
		d->end.left++;
	}
	free(v);
	d->running--;
	end_if_over(d);
}

/* --- One driver at one address. --------------------------------------------------------------- */

static void look_begin(struct look *look);

static void look_end(struct look *look)
{
	struct visit *v = look->visit;

	pctl_value_free(look->tree);
	look->tree = NULL;
	if (--v->left == 0)
		visit_end(v);
}

static void unpark(struct pctl_discovery *d)
{
	struct look *look = d->parked;

	if (!look)
		return;
	d->parked = look->next;
	if (!d->canceled) {
		look_begin(look);
		return;
	}
	look->visit->cut = true;
	look_end(look);
}

/* Whether it waits until others have ended, and fewer go at once from now on. */
static bool park(struct look *look, const struct pctl_error *result)
{
	struct pctl_discovery *d = look->visit->discovery;

	if (!pctl_error_is_shortage(result) || !d->looking || d->canceled)
		return false;
	look->next = d->parked;
	d->parked = look;
	if (d->fanout > 1 && d->fanout >= d->running)
		d->fanout = d->running > 1 ? (unsigned)d->running - 1 : 1;
	return true;
}

static bool is_nothing(int code)
{
	return code == PCTL_E_UNREACHABLE || code == PCTL_E_TIMEOUT || code == PCTL_E_PROTOCOL;
}

static void tell(struct look *look)
{
	struct visit *v = look->visit;
	struct pctl_discovery *d = v->discovery;
	const struct pctl_found found = { .address = v->text,
		.host = v->host,
		.driver = look->finder->loaded->name,
		.rank = look->finder->loaded->driver->discover->rank,
		.tree = look->tree };

	d->end.found++;
	if (d->found)
		d->found(d->data, &found);
}

static void on_done(struct pctl_op *op, const struct pctl_error *result)
{
	struct look *look = op->data;
	struct pctl_discovery *d = look->visit->discovery;

	look->running = false;
	look->visit->cut = look->visit->cut || result->code == PCTL_E_CANCELED;
	d->looking--;
	if (park(look, result))
		return;
	if (result->code == 0) {
		tell(look);
	} else if (!is_nothing(result->code) && result->code != PCTL_E_CANCELED) {
		if (d->end.failed++ == 0)
			d->end.error = *result;
	}
	d->looking++; /* the discovery does not end within */
	d->running++;
	look_end(look);
	unpark(d); /* two for one: those that find no room again wait again */
	unpark(d);
	d->looking--;
	d->running--;
	end_if_over(d);
}

static void look_begin(struct look *look)
{
	struct visit *v = look->visit;
	struct pctl_loaded *loaded = look->finder->loaded;

	pctl_value_free(look->tree);
	look->tree = pctl_value_new_map();
	pctl_stranger_init(&look->target, &look->device, &look->finder->any, v->text, &v->addr.any);
	look->running = true;
	v->discovery->looking++;
	pctl_op_begin(&look->op, v->discovery->core->loop,
		look->target.connect_ms + look->target.answer_ms, on_done, look);
	look->op.data = look;
	pctl_op_enter(&look->op, loaded->name, "discover.find", v->text);
	loaded->driver->discover->find(loaded->ctx, &look->device, &look->op, look->tree);
	pctl_op_leave(&look->op);
}

/* --- One address. ----------------------------------------------------------------------------- */

static void ask_all(struct visit *v)
{
	struct pctl_discovery *d = v->discovery;

	d->end.addresses++;
	pctl_address_text(&v->addr.any, v->text);
	v->left = d->finders_n;
	for (size_t i = 0; i < d->finders_n; i++) {
		v->looks[i].visit = v;
		v->looks[i].finder = &d->finders[i];
		look_begin(&v->looks[i]);
	}
}

static void resolved(struct visit *v, const struct sockaddr *addr)
{
	struct pctl_discovery *d = v->discovery;

	if (!addr) {
		d->end.unknown++;
		if (!d->unknown)
			d->unknown = pctl_names_new();
		(void)pctl_names_add(d->unknown, v->host);
		visit_end(v);
	} else if (!d->public_too && !pctl_address_is_private(addr)) {
		d->end.outside++;
		visit_end(v);
	} else {
		memcpy(&v->addr, addr,
			addr->sa_family == AF_INET6 ? sizeof(v->addr.v6) : sizeof(v->addr.v4));
		ask_all(v);
	}
}

static void on_resolved(struct pctl_asking *asking, const struct sockaddr *addr, int status)
{
	(void)status;
	resolved(pctl_container_of(asking, struct visit, asking), addr);
}

static void look_up(struct visit *v)
{
	struct sockaddr_storage addr;

	v->asking.resolved = on_resolved;
	int r = pctl_resolve(v->discovery->core->resolver, v->host, &v->asking, &addr);
	if (r != 0)
		resolved(v, r > 0 ? (const struct sockaddr *)&addr : NULL);
}

static void visit_begin(struct pctl_discovery *d)
{
	size_t size = sizeof(struct visit) + d->finders_n * sizeof(struct look);
	struct visit *v = pctl_xcalloc(1, size);
	size_t i = d->begun++;

	v->discovery = d;
	v->next = d->visits;
	if (v->next)
		v->next->previous = v;
	d->visits = v;
	d->running++;
	if (i < d->addresses.n) {
		v->addr = d->addresses.v[i];
		ask_all(v);
	} else {
		v->host = d->addresses.names[i - d->addresses.n];
		look_up(v);
	}
}

/* --- All of them. ----------------------------------------------------------------------------- */

static void on_tick(uv_timer_t *timer)
{
	struct pctl_discovery *d = pctl_container_of(timer, struct pctl_discovery, timer);
	uint64_t now = uv_now(timer->loop), most = (uint64_t)d->rate * BURST_MS;

	if (most < 1000)
		most = 1000;
	d->credit += (now - d->last) * d->rate;
	d->credit = d->credit < most ? d->credit : most;
	d->last = now;
	d->running++; /* it does not end within */
	while (d->begun < pctl_discovery_count(d) && d->credit >= 1000 && d->running <= d->fanout) {
		d->credit -= 1000;
		visit_begin(d);
	}
	d->running--;
	if (d->begun == pctl_discovery_count(d))
		(void)uv_timer_stop(timer);
	end_if_over(d);
}

void pctl_discovery_start(
	struct pctl_discovery *d, pctl_found_fn *found, pctl_discover_done_fn *done, void *data)
{
	d->found = found;
	d->done = done;
	d->data = data;
	d->credit = 1000;
	d->last = uv_now(d->core->loop);
	(void)uv_timer_init(d->core->loop, &d->timer);
	(void)uv_timer_start(&d->timer, on_tick, 0, TICK_MS);
}

static void visit_cancel(struct visit *v)
{
	if (v->asking.lookup) {
		pctl_asking_leave(&v->asking);
		v->discovery->end.left++;
		visit_end(v);
		return;
	}
	for (size_t i = 0; i < v->discovery->finders_n; i++)
		if (v->looks[i].running)
			pctl_op_cancel(&v->looks[i].op);
}

void pctl_discovery_cancel(struct pctl_discovery *d)
{
	if (d->canceled)
		return;
	d->canceled = true;
	(void)uv_timer_stop(&d->timer);
	d->running++;
	for (struct visit *v = d->visits, *next; v; v = next) {
		next = v->next;
		visit_cancel(v);
	}
	while (d->parked)
		unpark(d);
	d->running--;
	end_if_over(d);
}
