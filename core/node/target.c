/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "driver/crash.h"
#include "inventory/inventory.h"
#include "inventory/problems.h"
#include "node/core.h"
#include "node/credential.h"

/* How long what may take; each may stand under `timeouts` of defaults, class and node. */
static const struct {
	const char *name;
	size_t offset;
	uint64_t ms;
} times[] = {
	{ "connect", offsetof(struct pctl_target, connect_ms), 3000 },
	{ "answer", offsetof(struct pctl_target, answer_ms), 10000 },
	{ "read", offsetof(struct pctl_target, read_ms), 15000 },
	{ "confirm", offsetof(struct pctl_target, confirm_ms), 120000 },
	{ "reboot", offsetof(struct pctl_target, reboot_ms), 240000 },
	{ "soft", offsetof(struct pctl_target, soft_ms), 300000 },
	{ "outage", offsetof(struct pctl_target, outage_ms), PCTL_OUTAGE_MS },
	{ "verify", offsetof(struct pctl_target, verify_ms), 10000 },
	{ "poll", offsetof(struct pctl_target, poll_ms), 500 },
	{ "ready", offsetof(struct pctl_target, ready_ms), 300000 },
};

static void set_time(const struct pctl_value *map, const char *name, uint64_t *ms,
	struct pctl_problems *problems)
{
	const struct pctl_value *v = pctl_value_get(map, name);

	if (v && (!pctl_value_text(v) || pctl_parse_duration(pctl_value_text(v), ms) < 0))
		pctl_problems_add(problems, pctl_value_place(v),
			"timeouts: %s is a duration: 500ms, 60s or 2m", name);
}

static void read_times(struct pctl_target *t, const struct pctl_inventory *inventory,
	struct pctl_problems *problems)
{
	const struct pctl_value *all =
		pctl_value_get(pctl_inventory_defaults(inventory), "timeouts");
	const struct pctl_value *own = pctl_value_get(t->map, "timeouts");

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		uint64_t *ms = (uint64_t *)(void *)((char *)t + times[i].offset);

		*ms = times[i].ms;
		if (i == 0 && t->loaded && t->loaded->driver->connect_ms)
			*ms = t->loaded->driver->connect_ms;
		set_time(all, times[i].name, ms, problems);
		set_time(own, times[i].name, ms, problems);
	}
}

uint64_t pctl_target_read_time(const struct pctl_inventory *inventory, const struct pctl_value *map,
	const char *name, uint64_t ms, struct pctl_problems *problems)
{
	set_time(pctl_value_get(pctl_inventory_defaults(inventory), "timeouts"), name, &ms,
		problems);
	set_time(pctl_value_get(map, "timeouts"), name, &ms, problems);
	return ms;
}

static uint64_t key_port(const struct pctl_target *t)
{
	const struct pctl_driver *driver = t->loaded->driver;
	const struct pctl_setting *port = pctl_settings_find(&t->settings, "port");
	const struct pctl_device settings_only = { .target = t };

	if (driver->key_port) {
		pctl_crash_enter(driver->name, "key_port", t->name);
		uint16_t own = driver->key_port(&settings_only);
		pctl_crash_leave();
		return own;
	}
	return port && port->given ? port->number : driver->default_port;
}

/* Where the driver has no port the node itself is meant, unless an address says that several are
 * the same thing. */
static char *make_endpoint(const struct pctl_target *t)
{
	const struct pctl_driver *driver = t->loaded->driver;
	const char *gateway = t->via && t->via->key ? t->via->key : NULL;
	bool six = strchr(t->address, ':');

	if (driver->default_port && *t->address)
		return pctl_xasprintf(six ? "[%s]:%" PRIu64 "%s%s" : "%s:%" PRIu64 "%s%s",
			t->address, key_port(t), gateway ? "@" : "", gateway ? gateway : "");
	uint64_t port = driver->key_port && *t->address ? key_port(t) : 0;
	if (port)
		return pctl_xasprintf(six ? "%s:[%s]:%" PRIu64 : "%s:%s:%" PRIu64, driver->name,
			t->address, port);
	return pctl_xasprintf("%s:%s", driver->name, *t->address ? t->address : t->name);
}

/* A number is one machine however it is written. */
static char *make_machine(const struct pctl_target *t)
{
	const struct pctl_setting *unit = pctl_settings_unit(&t->settings);

	if (!unit)
		return t->endpoint;
	if (unit->property->type == PCTL_TYPE_UINT)
		return pctl_xasprintf("%s/%" PRIu64, t->endpoint, unit->number);
	return pctl_xasprintf("%s/%s", t->endpoint, unit->text);
}

static void make_keys(struct pctl_target *t)
{
	t->endpoint = make_endpoint(t);
	t->machine = make_machine(t);
}

static void read_trust(struct pctl_target *t, struct pctl_problems *problems)
{
	static const char *const words[] = { "first-use", "strict", NULL };
	const struct pctl_value *v = pctl_value_get(t->map, "trust");
	int i = v && pctl_value_text(v) ? pctl_parse_choice(pctl_value_text(v), words) : -1;

	if (v && i < 0)
		pctl_problems_add(
			problems, pctl_value_place(v), "trust is one of: first-use, strict");
	t->trust = i > 0 ? PCTL_TRUST_STRICT : PCTL_TRUST_FIRST_USE;
}

/* The login at a SOCKS server. */
static void read_via_login(struct pctl_target *t, const struct pctl_inventory *inventory,
	const struct pctl_settings_context *context)
{
	const struct pctl_value *v = pctl_value_get(t->map, "via_credential");
	const char *name = pctl_value_text(v);
	const struct pctl_value *login = name ? pctl_inventory_credential(inventory, name) : NULL;
	const char *user = pctl_value_text(pctl_value_get(login, "username"));
	struct pctl_place place = pctl_value_place(v);
	struct pctl_error err;

	if (name && t->via->kind != PCTL_VIA_SOCKS5)
		pctl_problems_add(context->problems, place,
			"via_credential is for socks5://; ssh logs in with keys");
	else if (!name && t->via->kind == PCTL_VIA_SOCKS5 && t->via->user)
		pctl_problems_add(context->problems,
			pctl_value_place(pctl_value_get(t->map, "via")),
			"a user needs a password: say `via_credential: NAME`, a credential that "
			"has it");
	if (!login || t->via->kind != PCTL_VIA_SOCKS5)
		return; /* what is no credential was named before */
	if (!t->via->user && user)
		t->via->user = pctl_xstrdup(user);
	if (!t->via->user)
		pctl_problems_add(
			context->problems, place, "credential '%s' has no username", name);
	if (context->secrets &&
		pctl_secrets_get(context->secrets, login, "password", &t->via->secret, &err) < 0)
		pctl_problems_add(context->problems, place, "%s", err.text);
}

static void read_via(struct pctl_target *t, const struct pctl_inventory *inventory,
	const struct pctl_settings_context *context)
{
	const struct pctl_value *v = pctl_value_get(t->map, "via");
	const char *text = pctl_value_text(v);
	struct pctl_error err;

	t->dialer = &pctl_dial_direct;
	if (pctl_via_parse(text ? text : "direct", &t->via, &err) < 0) {
		pctl_problems_add(context->problems, pctl_value_place(v), "via: %s", err.text);
		return;
	}
	if (t->via->kind != PCTL_VIA_DIRECT && t->loaded->driver->flags & PCTL_DRIVER_NO_DIAL)
		pctl_problems_add(context->problems, pctl_value_place(v),
			"via: driver %s reaches its devices by itself, past any gateway; what "
			"takes "
			"this from its node says `via: direct`",
			t->loaded->name);
	t->dialer = pctl_dialer_of(t->via->kind);
	read_via_login(t, inventory, context);
}

static int read_driver(
	struct pctl_target *t, struct pctl_place place, struct pctl_problems *problems)
{
	const struct pctl_value *v = pctl_value_get(t->map, "driver");
	const char *name = pctl_value_text(v);
	struct pctl_error err = { 0 };

	if (!name) {
		pctl_problems_add(problems, v ? pctl_value_place(v) : place,
			"no driver: say `driver: NAME` here or in the class; `powerctl drivers` "
			"lists them");
		return PCTL_E_CONFIG;
	}
	if (pctl_core_load(t->core, name, &t->loaded, &err) < 0) {
		struct pctl_place at = pctl_value_place(v);
		PCTL_AUTO(free) char *near = pctl_core_nearest_driver(t->core, name);
		pctl_problems_add(problems, at.file ? at : place, "%s%s%s%s", err.text,
			near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
		return PCTL_E_CONFIG;
	}
	return 0;
}

/* changes go over what the inventory says; an empty text takes a setting away. */
static void apply(struct pctl_value *map, const struct pctl_value *changes)
{
	pctl_value_merge(map, changes);
	for (size_t i = 0; i < pctl_value_count(changes); i++) {
		const char *text = pctl_value_text(pctl_value_at(changes, i));

		if (text && !*text)
			(void)pctl_value_unset(map, pctl_value_key_at(changes, i));
	}
}

/*
 * What comes from another driver (`console: {driver: ...}`, a feed) is a map of its own: it
 * inherits where the machine is and what people said about it, and no setting.
 */
static struct pctl_value *inherit(const struct pctl_value *node, const struct pctl_value *own)
{
	static const char *const inherited[] = { "address", "maintenance", "protected", "trust",
		"ready", "via", "via_credential" };
	struct pctl_value *map = pctl_value_copy(own);

	for (size_t i = 0; i < sizeof(inherited) / sizeof(inherited[0]); i++) {
		const struct pctl_value *v = pctl_value_get(node, inherited[i]);

		if (v && !pctl_value_get(map, inherited[i]))
			pctl_value_set(map, inherited[i], pctl_value_copy(v));
	}
	return map;
}

/* Of feeds, what stands for all of them: the node's own driver if it is among them. */
static const struct pctl_value *choose_feed(const struct pctl_value *map)
{
	const struct pctl_value *feeds = pctl_value_get(map, "power");

	if (!feeds || pctl_value_kind(feeds) != PCTL_VALUE_LIST)
		return NULL;
	for (size_t i = 0; i < pctl_value_count(feeds); i++)
		if (pctl_value_text(pctl_value_at(feeds, i)))
			return NULL;
	return pctl_value_at(feeds, 0);
}

/* The map that interface comes from; NULL: the node's own driver has it. */
static const struct pctl_value *choose_map(const struct pctl_value *map, const char *interface)
{
	bool power =
		interface && (strcmp(interface, "power") == 0 || strcmp(interface, "boot") == 0);
	const struct pctl_value *own = NULL;

	if (power)
		own = choose_feed(map);
	else if (interface)
		own = pctl_value_get(map, interface);
	if (!own && !pctl_value_get(map, "driver"))
		own = choose_feed(map);
	return own && pctl_value_kind(own) == PCTL_VALUE_MAP ? own : NULL;
}

static bool wants_feeds(const struct pctl_value *map, const char *interface)
{
	const struct pctl_value *feeds = pctl_value_get(map, "power");

	return interface && strcmp(interface, "power") == 0 && feeds;
}

static void check_address(
	struct pctl_target *t, struct pctl_place place, struct pctl_problems *problems)
{
	if (t->address)
		return;
	t->address = "";
	if (t->loaded->driver->default_port &&
		!pctl_settings_is_mistyped(&t->settings, "address", t->map))
		pctl_problems_add(problems, place, "%s: address is missing", t->name);
}

/* The second table, where the driver has a selector; false: it is not known which settings are. */
/* What is wrong with a program begins with its name, which then stands there already. */
static const char *without_name(const char *text, const char *name)
{
	PCTL_AUTO(free) char *before = pctl_xasprintf("'%.100s' ", name);
	size_t len = strlen(before);

	return strncmp(text, before, len) == 0 ? text + len : text;
}

static bool read_described(struct pctl_target *t, const struct pctl_settings_context *context)
{
	const struct pctl_driver *driver = t->loaded->driver;
	const struct pctl_setting *s = pctl_settings_selector(&t->settings);

	if (!s)
		return true;
	const struct pctl_place place = pctl_value_place(pctl_value_get(t->map, s->property->name));
	if (!s->text || !*s->text)
		return !s->text; /* then its name may be mistyped */
	const struct pctl_described *d =
		pctl_descriptions_get(&t->core->descriptions, driver, s->text, place.file);
	if (d->err.code) {
		PCTL_AUTO(free)
		char *what = pctl_xasprintf("%s '%s': %s", s->property->name, s->text,
			without_name(d->err.text, s->text));
		pctl_settings_complain(context, place, what);
		return false;
	}
	t->described = d;
	(void)pctl_settings_read(&t->settings, d->properties, t->map, context);
	return true;
}

/* Where the setting stands that a text begins with the name of. */
static struct pctl_place place_of_setting(
	const struct pctl_target *t, const char *text, struct pctl_place otherwise)
{
	PCTL_AUTO(free)
	char *name = pctl_xstrndup(text, strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_"));

	if (!pctl_settings_find(&t->settings, name))
		return otherwise;
	for (size_t i = 0; i < PCTL_SECRET_ENDS; i++) {
		PCTL_AUTO(free) char *key = pctl_xasprintf("%s%s", name, pctl_secret_ends[i]);
		const struct pctl_value *v = pctl_value_get(t->map, key);

		if (v)
			return pctl_value_place(v);
	}
	return otherwise;
}

/* What the tables cannot say, once they have nothing to say themselves. */
static void check_settings(const struct pctl_target *t, const struct pctl_settings_context *context)
{
	const struct pctl_driver *driver = t->loaded->driver;
	const struct pctl_device settings_only = { .target = t };
	struct pctl_error err = { 0 };

	if (!driver->check)
		return;
	pctl_crash_enter(driver->name, "check", t->name);
	int r = driver->check(&settings_only, &err);
	pctl_crash_leave();
	if (r < 0)
		pctl_settings_complain(
			context, place_of_setting(t, err.text, context->place), err.text);
}

static void read_settings(struct pctl_target *t, const struct pctl_settings_context *context)
{
	const struct pctl_driver *driver = t->loaded->driver;
	size_t before = pctl_problems_said(context->problems);

	(void)pctl_settings_read(&t->settings, driver->properties, t->map, context);
	if (read_described(t, context))
		(void)pctl_settings_check_keys(&t->settings, driver->name, t->map, context);
	if (pctl_problems_said(context->problems) == before && !context->no_login)
		check_settings(t, context);
}

static void set_abilities(struct pctl_target *t)
{
	const struct pctl_driver *driver = t->loaded->driver;
	const struct pctl_description *d = t->described ? &t->described->full : NULL;

	if (driver->power)
		t->actions = driver->power->actions & (d ? d->actions : ~0u);
	if (driver->boot) {
		t->boot_once = driver->boot->once & (d ? d->boot_once : ~0u);
		t->boot_persistent = driver->boot->persistent & (d ? d->boot_persistent : ~0u);
	}
}

uint32_t pctl_target_max_in_flight(const struct pctl_target *t)
{
	uint32_t own = t->described ? t->described->full.max_in_flight : 0;

	return own ? own : t->loaded->driver->max_in_flight;
}

/* --- Passwords that are being changed. --------------------------------------------------------
 */

void pctl_target_use_password(struct pctl_target *t, const struct pctl_secret *password)
{
	const struct pctl_account_if *account = t->loaded->driver->account;

	if (!t->lent.v) {
		t->lent = t->settings;
		t->settings.v = pctl_xcalloc(t->lent.n, sizeof(*t->lent.v));
		memcpy(t->settings.v, t->lent.v, t->lent.n * sizeof(*t->lent.v));
	}
	for (size_t i = 0; i < t->settings.n; i++)
		if (strcmp(t->settings.v[i].property->name, account->setting) == 0)
			t->settings.v[i].secret = password;
	t->login = NULL; /* it is another one */
	t->other_password = NULL;
}

static const struct pctl_secret *password_of(const struct pctl_target *t)
{
	const struct pctl_setting *s =
		pctl_settings_find(&t->settings, t->loaded->driver->account->setting);

	return s ? s->secret : NULL;
}

void pctl_target_swap_passwords(struct pctl_target *t)
{
	const struct pctl_secret *now = password_of(t), *other = t->other_password;

	pctl_target_use_password(t, other);
	t->other_password = now;
}

struct pctl_target *pctl_target_with_other(const struct pctl_target *t)
{
	struct pctl_target *other = pctl_xcalloc(1, sizeof(*other));

	*other = *t;
	if (t->lent.v)
		other->settings = t->lent;
	other->lent = (struct pctl_settings){ 0 };
	pctl_target_use_password(other, t->other_password);
	return other;
}

void pctl_target_free_other(struct pctl_target *other)
{
	if (other)
		free(other->settings.v);
	free(other);
}

static void give_settings_back(struct pctl_target *t)
{
	if (!t->lent.v)
		return;
	free(t->settings.v);
	t->settings = t->lent;
	t->lent = (struct pctl_settings){ 0 };
}

/* While its password is being changed a node has the old one or the new one, as is written. */
static void settle_password(struct pctl_target *t, const struct pctl_settings_context *context)
{
	const struct pctl_account_if *account = t->loaded->driver->account;
	const struct pctl_pending *pending = NULL;
	const struct pctl_secret *old;
	struct pctl_error err = { 0 };

	t->other_password = NULL;
	t->two_passwords = false;
	if (!account || !context->secrets)
		return;
	old = password_of(t);
	if (pctl_secrets_pending(context->secrets, t->map, account->setting, &pending, &err) < 0)
		pctl_problems_add(context->problems, (struct pctl_place){ 0 }, "%s", err.text);
	if (!pending || pctl_pending_state(pending, t->name) == PCTL_PASSWORD_OLD)
		return;
	pctl_target_use_password(t, pctl_pending_secret(pending));
	t->two_passwords = pctl_pending_state(pending, t->name) == PCTL_PASSWORD_SENT;
	t->other_password = t->two_passwords ? old : NULL;
}

/* target has its map. */
static int check_map(struct pctl_target *target, const struct pctl_inventory *inventory,
	struct pctl_place place, bool with_secrets, struct pctl_problems *problems)
{
	size_t before = pctl_problems_said(problems);
	struct pctl_settings_context context = { .node = target->name,
		.place = place,
		.secrets = with_secrets ? target->core->secrets : NULL,
		.problems = problems };

	context.no_login = !pctl_inventory_has_login(inventory, target->map, problems);
	target->maintenance = pctl_value_text(pctl_value_get(target->map, "maintenance"));
	target->guard = pctl_value_text(pctl_value_get(target->map, "protected"));
	target->address = pctl_value_text(pctl_value_get(target->map, "address"));
	if (read_driver(target, context.place, problems) < 0)
		return PCTL_E_CONFIG;

	read_settings(target, &context);
	settle_password(target, &context);
	set_abilities(target);
	check_address(target, context.place, problems);
	read_times(target, inventory, problems);
	read_trust(target, problems);
	read_via(target, inventory, &context);
	make_keys(target);
	return pctl_problems_said(problems) > before ? PCTL_E_CONFIG : 0;
}

static int init(struct pctl_target *target, struct pctl_core *core,
	const struct pctl_inventory *inventory, size_t node, const char *interface,
	const struct pctl_value *changes, bool with_secrets, struct pctl_problems *problems)
{
	size_t before = pctl_problems_count(problems);
	struct pctl_value *map = pctl_inventory_settings(inventory, node);

	*target = (struct pctl_target){
		.core = core, .node = node, .name = pctl_inventory_name(inventory, node)
	};
	apply(map, changes);
	const struct pctl_value *chosen = choose_map(map, interface);
	bool feeds = wants_feeds(map, interface);
	target->bound = chosen || feeds;
	target->map = chosen ? inherit(map, chosen) : map;
	/* A mistake that was said of another node is not said again, and is one all the same. */
	int r = check_map(target, inventory,
		chosen ? pctl_value_place(chosen) : pctl_inventory_place(inventory, node),
		with_secrets, problems);
	if (feeds)
		target->feeds = pctl_feeds_new(target, map, inventory, with_secrets, problems, &r);
	if (chosen)
		pctl_value_free(map);
	return pctl_problems_count(problems) > before ? PCTL_E_CONFIG : r;
}

int pctl_target_init(struct pctl_target *target, struct pctl_core *core,
	const struct pctl_inventory *inventory, size_t node, const char *interface,
	bool with_secrets, struct pctl_problems *problems)
{
	return init(target, core, inventory, node, interface, NULL, with_secrets, problems);
}

int pctl_target_init_feed(struct pctl_target *target, const struct pctl_target *own,
	const struct pctl_value *map, const struct pctl_value *feed,
	const struct pctl_inventory *inventory, bool with_secrets, struct pctl_problems *problems)
{
	*target = (struct pctl_target){ .core = own->core,
		.node = own->node,
		.name = own->name,
		.bound = true,
		.map = inherit(map, feed) };
	return check_map(target, inventory, pctl_value_place(feed), with_secrets, problems);
}

const char *const pctl_bindings[PCTL_BINDINGS] = { NULL, "power", "console", "display", "identify",
	"inspect", "log", "sensors" };

bool pctl_target_has_binding(const struct pctl_inventory *inventory, size_t node, size_t i)
{
	return !pctl_bindings[i] || pctl_inventory_value(inventory, node, pctl_bindings[i]);
}

/* --- Twins. ----------------------------------------------------------------------------------- */

void pctl_twins_done(struct pctl_twins *twins)
{
	pctl_strmap_done(&twins->by_shape);
}

/* Where a twin of this node stands or is to stand; NULL: it has none. */
static void **place_of_twin(struct pctl_twins *twins, const struct pctl_inventory *inventory,
	size_t node, bool with_secrets)
{
	const char *address = pctl_inventory_text(inventory, node, "address");
	uint64_t shape = pctl_inventory_shape(inventory, node);
	char key[20], *end = key;

	/* An address in brackets is one without them (inventory_nodes.c). */
	if (!shape || (address && *address == '['))
		return NULL;
	*end++ = with_secrets ? '+' : '-';
	for (; shape; shape /= 16)
		*end++ = (char)('a' + shape % 16);
	*end = '\0';
	return pctl_strmap_put(&twins->by_shape, key);
}

static int init_like(struct pctl_target *target, const struct pctl_target *twin,
	const struct pctl_inventory *inventory, size_t node, bool with_secrets,
	struct pctl_problems *problems)
{
	size_t before = pctl_problems_count(problems);
	const struct pctl_settings_context context = {
		.secrets = with_secrets ? twin->core->secrets : NULL, .problems = problems
	};

	*target = *twin;
	if (twin->lent.v) {
		target->settings = twin->lent;
		target->lent = (struct pctl_settings){ 0 };
		target->login = NULL;
	}
	target->shared = true;
	target->node = node;
	target->name = pctl_inventory_name(inventory, node);
	target->address = pctl_inventory_text(inventory, node, "address");
	target->maintenance = pctl_inventory_text(inventory, node, "maintenance");
	target->guard = pctl_inventory_text(inventory, node, "protected");
	settle_password(target, &context);
	check_address(target, pctl_inventory_place(inventory, node), problems);
	make_keys(target);
	return pctl_problems_count(problems) > before ? PCTL_E_CONFIG : 0;
}

int pctl_target_init_twin(struct pctl_target *target, struct pctl_twins *twins,
	struct pctl_core *core, const struct pctl_inventory *inventory, size_t node,
	const char *interface, bool with_secrets, struct pctl_problems *problems)
{
	void **place = place_of_twin(twins, inventory, node, with_secrets);
	const struct pctl_target *twin = place ? *place : NULL;

	if (twin && pctl_inventory_alike(inventory, twin->node, node))
		return init_like(target, twin, inventory, node, with_secrets, problems);
	int r = init(target, core, inventory, node, interface, NULL, with_secrets, problems);
	if (r == 0 && place &&
		!target->bound) /* with a mistake it is nobody's: each place is named */
		*place = target;
	return r;
}

/* --- What a change would do. ------------------------------------------------------------------ */

static bool has_line(const struct pctl_problems *problems, const char *line)
{
	for (size_t i = 0; i < pctl_problems_count(problems); i++)
		if (strcmp(pctl_problems_at(problems, i), line) == 0)
			return true;
	return false;
}

int pctl_core_check_change(struct pctl_core *core, const struct pctl_inventory *inventory,
	size_t node, const struct pctl_value *changes, struct pctl_problems *problems)
{
	const struct pctl_place nowhere = { 0 };
	struct pctl_problems *before = pctl_problems_new(), *after = pctl_problems_new();
	struct pctl_target target;
	int r = 0;

	for (size_t i = 0; i < PCTL_BINDINGS; i++) {
		const char *interface = pctl_bindings[i];

		if (!pctl_target_has_binding(inventory, node, i))
			continue;
		(void)init(&target, core, inventory, node, interface, NULL, false, before);
		pctl_target_done(&target);
		(void)init(&target, core, inventory, node, interface, changes, false, after);
		pctl_target_done(&target);
	}
	for (size_t i = 0; i < pctl_problems_count(after); i++) {
		if (has_line(before, pctl_problems_at(after, i)))
			continue;
		pctl_problems_add(problems, nowhere, "%s", pctl_problems_at(after, i));
		r = PCTL_E_CONFIG;
	}
	pctl_problems_free(before);
	pctl_problems_free(after);
	return r;
}

void pctl_target_done(struct pctl_target *target)
{
	pctl_feeds_free(target->feeds);
	give_settings_back(target);
	if (!target->shared) {
		pctl_settings_done(&target->settings);
		pctl_value_free(target->map);
		pctl_via_free(target->via);
	}
	if (pctl_target_has_unit(target))
		free(target->machine);
	free(target->endpoint);
	*target = (struct pctl_target){ 0 };
}
