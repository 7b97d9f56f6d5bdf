/* SPDX-License-Identifier: Apache-2.0 */
#include "discovered.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "say.h"
#include "table.h"
#include "text.h"

#define NUMBER_MAX 999999999999u
#define DIGITS     "0123456789"
/* No new question goes to a DNS server after that. */
#define NAMES_MS 10000u

void discovered_init(struct discovered *d, struct cli *cli)
{
	*d = (struct discovered){ .cli = cli };
}

void discovered_done(struct discovered *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->rows[i].address);
		free(d->rows[i].driver);
		free(d->rows[i].host);
		pctl_value_free(d->rows[i].tree);
	}
	free(d->rows);
	free(d->path);
	pctl_value_free(d->settings);
}

void discovered_add(struct discovered *d, const struct pctl_found *found)
{
	d->rows = pctl_xgrow(d->rows, &d->cap, d->n + 1, sizeof(*d->rows));
	d->rows[d->n] = (struct discovered_row){ .address = pctl_xstrdup(found->address),
		.driver = pctl_xstrdup(found->driver),
		.host = found->host ? pctl_xstrdup(found->host) : NULL,
		.rank = found->rank,
		.tree = pctl_value_copy(found->tree),
		.number = d->n };
	d->n++;
}

/* --- Order and table. ------------------------------------------------------------------------- */

/* Numbers as bytes: IPv4 before IPv6. */
static void key_of(const char *address, uint8_t key[17])
{
	struct sockaddr_in6 six;

	memset(key, 0, 17);
	if (inet_pton(AF_INET, address, key + 1) == 1)
		return;
	key[0] = 1;
	if (uv_ip6_addr(address, 0, &six) == 0)
		memcpy(key + 1, &six.sin6_addr, 16);
}

static int compare(const void *x, const void *y)
{
	const struct discovered_row *a = x, *b = y;
	uint8_t key_a[17], key_b[17];

	key_of(a->address, key_a);
	key_of(b->address, key_b);
	int order = memcmp(key_a, key_b, sizeof(key_a));
	if (order == 0)
		order = strcmp(a->address, b->address);
	if (order == 0 && a->rank != b->rank)
		order = a->rank > b->rank ? -1 : 1;
	if (order == 0)
		order = a->number < b->number ? -1 : 1;
	return order;
}

void discovered_sort(struct discovered *d)
{
	if (d->n > 0)
		qsort(d->rows, d->n, sizeof(*d->rows), compare);
}

static const char *text_at(const struct pctl_value *tree, const char *map, const char *key)
{
	const struct pctl_value *v = map ? pctl_value_get(tree, map) : tree;
	const char *text = pctl_value_text(pctl_value_get(v, key));

	return text ? text : "";
}

static const char *first_of(const struct pctl_value *tree, const char *const *keys)
{
	for (; *keys; keys++)
		if (*text_at(tree, NULL, *keys))
			return text_at(tree, NULL, *keys);
	return "";
}

/* Of those at one address: the best. */
static bool is_first_there(const struct discovered *d, size_t i)
{
	return i == 0 || strcmp(d->rows[i - 1].address, d->rows[i].address) != 0;
}

/* What of the device is worth a word in a table; --json has all of it. */
static void add_cells(struct table *table, const struct discovered_row *row)
{
	static const char *const versions[] = { "redfish_version", "ipmi_version", NULL };
	static const char *const identities[] = { "uuid", "digest_realm", NULL };
	const struct pctl_value *security = pctl_value_get(row->tree, "security");
	const struct pctl_value *tls = pctl_value_get(security, "tls");
	const char *firmware = text_at(row->tree, "firmware", "version");
	const char *tls_word = "";

	if (tls)
		tls_word = pctl_value_bool(tls) ? "tls" : "no tls";
	table_add(table, row->address);
	table_add(table, row->driver);
	table_add(table, *firmware ? firmware : first_of(row->tree, versions));
	table_add(table, text_at(row->tree, NULL, "provisioning_state"));
	table_add(table, tls_word);
	table_add(table, pctl_value_bool(pctl_value_get(security, "anonymous_login"))
				 ? "anonymous login"
				 : "");
	table_add(table, text_at(row->tree, NULL, "product"));
	table_add(table, first_of(row->tree, identities));
	table_add(table, row->host ? row->host : "");
}

void discovered_table(const struct discovered *d, struct pctl_buf *out)
{
	static const unsigned columns[9] = { 0 };
	struct table table;

	table_init(&table, columns, 9);
	for (size_t i = 0; i < d->n; i++)
		add_cells(&table, &d->rows[i]);
	table_write(&table, out, "", "\n");
	table_done(&table);
}

/* --- Before anything is sent. ----------------------------------------------------------------- */

static int add_setting(struct discovered *d, const char *word, struct pctl_error *err)
{
	size_t dot = strcspn(word, ".="), equals = strcspn(word, "=");

	if (word[dot] != '.' || !dot || !word[equals] || equals == dot + 1)
		return pctl_error_set(err, PCTL_E_CONFIG, "--set %s: write DRIVER.KEY=VALUE", word);
	PCTL_AUTO(free) char *driver = pctl_xstrndup(word, dot);
	PCTL_AUTO(free) char *key = pctl_xstrndup(word + dot + 1, equals - dot - 1);
	if (pctl_key_is_secret(key))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"--set %s: a secret is not taken from the command line, and none is "
			"needed to look for devices",
			key);
	if (!d->settings)
		d->settings = pctl_value_new_map();
	if (!pctl_value_get(d->settings, driver))
		pctl_value_set(d->settings, driver, pctl_value_new_map());
	pctl_value_set_text(pctl_value_get(d->settings, driver), key, word + equals + 1);
	return 0;
}

/* "n[001-]": what stands around it, and the number to begin with. */
struct pattern {
	size_t before, width;
	const char *after;
	uint64_t number;
};

static bool read_pattern(const char *text, struct pattern *ret)
{
	const char *open = strchr(text, '[');
	size_t width = open ? strspn(open + 1, DIGITS) : 0;

	if (!width || strncmp(open + 1 + width, "-]", 2) != 0 || strchr(open + 1, '['))
		return false;
	PCTL_AUTO(free) char *digits = pctl_xstrndup(open + 1, width);
	if (pctl_parse_uint(digits, NUMBER_MAX, &ret->number) < 0)
		return false;
	ret->before = (size_t)(open - text);
	ret->width = *digits == '0' ? width : 0;
	ret->after = open + 1 + width + 2;
	return true;
}

static int check_names_known(const struct discovered *d, struct pctl_error *err)
{
	const struct options *o = &d->cli->options;
	struct pctl_names *names = pctl_names_new();
	const char *missing = NULL;

	if (d->cli->inventory && o->node_class)
		pctl_inventory_classes(d->cli->inventory, names);
	if (o->node_class && !pctl_names_has(names, o->node_class))
		missing = "class";
	pctl_names_free(names);
	if (!missing && o->credential &&
		(!d->cli->inventory ||
			!pctl_inventory_credential(d->cli->inventory, o->credential)))
		missing = "credential";
	if (!missing)
		return 0;
	return pctl_error_set(err, PCTL_E_CONFIG, "there is no %s '%s' in %s", missing,
		strcmp(missing, "class") == 0 ? o->node_class : o->credential, d->path);
}

static int check_add(struct discovered *d, struct pctl_error *err)
{
	const struct options *o = &d->cli->options;
	struct pattern pattern;

	if (o->name && !read_pattern(o->name, &pattern))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"--name %s: write a name with the number to begin with: n[001-]", o->name);
	int r = cli_inventory_path(d->cli, &d->path, err);
	if (r < 0)
		return r;
	if (access(d->path, F_OK) == 0 && cli_inventory_reload(d->cli, d->path) != CLI_OK)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "nothing was looked for: mend %s first", d->path);
	return check_names_known(d, err);
}

int discovered_prepare(struct discovered *d, struct pctl_error *err)
{
	const struct options *o = &d->cli->options;
	int r = 0;

	for (size_t i = 0; r == 0 && i < o->settings.n; i++)
		r = add_setting(d, o->settings.v[i], err);
	if (r == 0 && !o->add && (o->name || o->node_class || o->credential || o->tags.n))
		r = pctl_error_set(err, PCTL_E_CONFIG,
			"--name, --class, --credential and --tag go with --add: add --add");
	return r == 0 && o->add ? check_add(d, err) : r;
}

/* --- Names. ----------------------------------------------------------------------------------- */

struct naming {
	uv_getnameinfo_t request;
	struct discovered_row *row;
	struct lookups *lookups;
};

struct lookups {
	struct naming *all;
	size_t n, pending, unanswered;
	uv_timer_t limit;
};

static void on_name(uv_getnameinfo_t *request, int status, const char *host, const char *service)
{
	struct naming *naming = request->data;

	(void)service;
	naming->lookups->pending--;
	if (status == UV_EAI_AGAIN || status == UV_EAI_CANCELED)
		naming->lookups->unanswered++;
	if (status == 0 && host)
		naming->row->host = pctl_xstrdup(host);
}

/* A server that is silent for one address is asked about no other. */
static void on_limit(uv_timer_t *timer)
{
	struct lookups *l = timer->data;

	for (size_t i = 0; i < l->n; i++)
		(void)uv_cancel((uv_req_t *)&l->all[i].request);
}

static void begin_lookup(struct lookups *l, uv_loop_t *loop, struct discovered_row *row)
{
	struct naming *naming = &l->all[l->n];
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} addr = { 0 };

	if (uv_ip4_addr(row->address, 0, &addr.four) < 0 &&
		uv_ip6_addr(row->address, 0, &addr.six) < 0)
		return;
	*naming = (struct naming){ .request.data = naming, .row = row, .lookups = l };
	if (uv_getnameinfo(loop, &naming->request, on_name, &addr.any, NI_NAMEREQD) < 0)
		return;
	l->n++;
	l->pending++;
}

/* What DNS calls the addresses; each is asked for once, all at once. */
static void find_names(struct discovered *d)
{
	uv_loop_t *loop = &d->cli->loop;
	struct lookups l = { .all = pctl_xcalloc(d->n, sizeof(*l.all)), .limit.data = &l };

	for (size_t i = 0; i < d->n; i++)
		if (!d->rows[i].host && is_first_there(d, i))
			begin_lookup(&l, loop, &d->rows[i]);
	(void)uv_timer_init(loop, &l.limit);
	(void)uv_timer_start(&l.limit, on_limit, NAMES_MS, 0);
	while (l.pending > 0)
		(void)uv_run(loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&l.limit, NULL);
	(void)uv_run(loop, UV_RUN_NOWAIT);
	free(l.all);
	if (l.unanswered)
		say("DNS did not answer what %zu of the addresses are called", l.unanswered);
}

static bool is_free(const struct discovered *d, const struct pctl_names *used, const char *name)
{
	return !pctl_names_has(used, name) &&
	       (!d->cli->inventory || pctl_inventory_index(d->cli->inventory, name) < 0);
}

/* free() it; NULL: there is none. */
static char *choose_name(const struct discovered *d, const struct discovered_row *row,
	struct pattern *pattern, const struct pctl_names *used)
{
	char *name;

	while (d->cli->options.name) {
		name = pctl_xasprintf("%.*s%0*llu%s", (int)pattern->before, d->cli->options.name,
			(int)pattern->width, (unsigned long long)pattern->number++, pattern->after);
		if (is_free(d, used, name))
			return name;
		free(name);
	}
	if (!row->host)
		return NULL;
	for (int full = 0; full < 2; full++) {
		name = pctl_xstrndup(row->host, full ? strlen(row->host) : strcspn(row->host, "."));
		if (*name && !pctl_inventory_wrong_name(name) && is_free(d, used, name))
			return name;
		free(name);
	}
	return NULL;
}

/* --- Writing. --------------------------------------------------------------------------------- */

/* The node that has this address, or whose address is the name that DNS has for it; NULL: none. */
static const char *node_at(const struct discovered *d, const struct discovered_row *row)
{
	const struct pctl_inventory *inventory = d->cli->inventory;

	for (size_t i = 0; inventory && i < pctl_inventory_count(inventory); i++) {
		const char *address = pctl_inventory_text(inventory, i, "address");

		if (!address)
			continue;
		size_t bracket = *address == '[', len = strcspn(address + bracket, "]");
		if ((strlen(row->address) == len &&
			    strncmp(address + bracket, row->address, len) == 0) ||
			(row->host && strcasecmp(address, row->host) == 0))
			return pctl_inventory_name(inventory, i);
	}
	return NULL;
}

static struct pctl_value *make_settings(
	const struct discovered *d, const struct discovered_row *row)
{
	const struct options *o = &d->cli->options;
	const struct pctl_value *own = pctl_value_get(d->settings, row->driver);
	struct pctl_value *map = pctl_value_new_map();

	pctl_value_set_text(map, "class", o->node_class);
	pctl_value_set_text(map, "driver", row->driver);
	pctl_value_set_text(map, "address", row->address);
	pctl_value_set_text(map, "credential", o->credential);
	if (own)
		pctl_value_merge(map, own);
	for (size_t i = 0; i < o->tags.n; i++) {
		if (i == 0)
			pctl_value_set(map, "tags", pctl_value_new_list());
		pctl_value_add(pctl_value_get(map, "tags"), pctl_value_new_text(o->tags.v[i]));
	}
	return map;
}

struct writing {
	struct discovered *d;
	struct pattern pattern;
	struct pctl_names *used;
	struct pctl_value *nodes; /* names to settings */
	bool nameless;
};

static void take_row(struct writing *w, const struct discovered_row *row)
{
	const char *known = node_at(w->d, row);

	if (known) {
		if (!w->d->cli->options.quiet)
			say("%s: is there already, as %s", row->address, known);
		return;
	}
	PCTL_AUTO(free) char *name = choose_name(w->d, row, &w->pattern, w->used);
	if (!name) {
		w->nameless = true;
		say("%s: is not added: DNS has no name for it that is free; --name n[001-] gives "
		    "it one",
			row->address);
		return;
	}
	pctl_value_set(w->nodes, name, make_settings(w->d, row));
	pctl_names_add(w->used, name);
}

/* All of them at once: a file that is changed a thousand times is a file that is lost half-way. */
static int write_nodes(const struct writing *w)
{
	const struct options *o = &w->d->cli->options;
	PCTL_AUTO(free) char *folded = pctl_names_fold(w->used);
	struct pctl_error err = { 0 };

	if (pctl_inventory_edit_add_all(w->d->path, w->nodes, &err) < 0) {
		say("%s: nothing was added: %s", folded, err.text);
		return CLI_FAILED;
	}
	if (o->quiet)
		return CLI_OK;
	say("%s: added to %s", folded, w->d->path);
	if (!o->credential && !o->node_class)
		say("they have no login yet: `powerctl set username=USER password_file=FILE %s`, "
		    "with the password in FILE; or credential=NAME, of what stands under "
		    "`credentials:` in %s",
			folded, w->d->path);
	return CLI_OK;
}

int discovered_write(struct discovered *d)
{
	struct writing w = { .d = d, .used = pctl_names_new(), .nodes = pctl_value_new_map() };
	int status = CLI_OK;

	find_names(d);
	if (d->cli->options.name)
		(void)read_pattern(d->cli->options.name, &w.pattern);
	for (size_t i = 0; i < d->n; i++)
		if (is_first_there(d, i))
			take_row(&w, &d->rows[i]);
	if (pctl_value_count(w.nodes) > 0)
		status = write_nodes(&w);
	pctl_value_free(w.nodes);
	pctl_names_free(w.used);
	return w.nameless ? CLI_FAILED : status;
}
