/* SPDX-License-Identifier: Apache-2.0 */
#include "import/write.h"

#include <ctype.h>
#include <string.h>

#include <powerctl/mem.h>

#include "import/fold.h"
#include "text.h"

/* What may differ from one machine of an entry to the next, beside the name. */
static const char *const counted[] = { "address", "plug", "system", "port" };
#define COUNTED (sizeof(counted) / sizeof(counted[0]))

/* Nodes that are equal but for that. */
struct kin {
	size_t *nodes;
	size_t n, cap;
};

struct writer {
	struct import_plan *plan;
	struct pctl_buf *out; /* of nodes */
	struct pctl_buf classes;
	struct kin *kin;
	size_t kin_count, kin_cap;
};

/* --- Names of credentials. -------------------------------------------------------------------- */

static char *clean(const char *format, const char *user)
{
	char *name = user && *user ? pctl_xasprintf("%s-%s", format, user) : pctl_xstrdup(format);

	for (char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '_' && *c != '-')
			*c = '-';
	return name;
}

static void name_login(
	struct import_login *login, const char *base, struct pctl_names *taken, unsigned *count)
{
	for (login->name = pctl_xstrdup(base); !pctl_names_add(taken, login->name);) {
		free(login->name);
		login->name = pctl_xasprintf("%s-%u", base, ++*count);
	}
}

static void count_nodes(struct import *im)
{
	for (size_t i = 0; i < im->login_count; i++)
		im->logins[i].nodes = 0;
	for (size_t i = 0; i < im->node_count; i++)
		if (!im->nodes[i].dropped && im->nodes[i].login)
			im->logins[im->nodes[i].login - 1].nodes++;
}

void import_name_logins(struct import *im, const char *format, struct pctl_names *taken)
{
	unsigned count = 1;

	count_nodes(im);
	/* One machine's own is called as the machine is. */
	for (size_t i = 0; i < im->node_count; i++) {
		const struct import_node *node = &im->nodes[i];
		struct import_login *login = node->login ? &im->logins[node->login - 1] : NULL;
		PCTL_AUTO(free) char *base = NULL;

		if (node->dropped || !login || login->name)
			continue;
		base = login->nodes == 1 && im->login_count > 1 ? clean(node->name, NULL)
								: clean(format, login->user);
		name_login(login, base, taken, &count);
	}
}

char *import_secret_name(const struct import_login *login, const char *key)
{
	return strcmp(key, "password") == 0 ? pctl_xstrdup(login->name)
					    : pctl_xasprintf("%s-%s", login->name, key);
}

char *import_secret_path(const struct import_login *login, const char *key)
{
	PCTL_AUTO(free) char *name = import_secret_name(login, key);

	return pctl_xasprintf("../secrets/%s", name);
}

static void write_key(struct pctl_buf *out, const char *key)
{
	pctl_buf_adds(out, out->len && out->data[out->len - 1] != '{' ? ", " : "");
	pctl_inventory_write_text(out, key, true);
	pctl_buf_adds(out, ": ");
}

static void write_pair(struct pctl_buf *out, const char *key, const char *text)
{
	write_key(out, key);
	pctl_inventory_write_text(out, text, true);
}

static void write_secret(struct pctl_buf *out, const struct import_login *login, const char *key,
	const struct pctl_secret *secret)
{
	PCTL_AUTO(free) char *setting = pctl_xasprintf("%s_file", key);
	PCTL_AUTO(free) char *path = import_secret_path(login, key);

	if (secret)
		write_pair(out, setting, path);
}

static void write_logins(const struct import *im, struct pctl_buf *out)
{
	bool begun = false;

	for (size_t i = 0; i < im->login_count; i++) {
		const struct import_login *login = &im->logins[i];

		if (!login->nodes || !login->name || login->is_there)
			continue;
		pctl_buf_adds(out, begun ? "  " : "credentials:\n  ");
		pctl_inventory_write_text(out, login->name, false);
		pctl_buf_adds(out, ": {");
		if (login->user)
			write_pair(out, "username", login->user);
		write_secret(out, login, "password", login->password);
		write_secret(out, login, "kg", login->kg);
		pctl_buf_adds(out, "}\n");
		begun = true;
	}
}

/* --- Settings. -------------------------------------------------------------------------------- */

static bool is_counted(const char *key)
{
	for (size_t i = 0; i < COUNTED; i++)
		if (strcmp(counted[i], key) == 0)
			return true;
	return false;
}

static void write_value(struct pctl_buf *out, const char *key, const struct pctl_value *value)
{
	if (pctl_value_text(value)) {
		write_pair(out, key, pctl_value_text(value));
		return;
	}
	write_key(out, key);
	pctl_buf_adds(out, "[");
	for (size_t i = 0; i < pctl_value_count(value); i++) {
		pctl_buf_adds(out, i ? ", " : "");
		pctl_inventory_write_text(out, pctl_value_text(pctl_value_at(value, i)), true);
	}
	pctl_buf_adds(out, "]");
}

/* What equal machines have in common beside class and driver; *ret_count: how many settings. */
static void write_shared(const struct writer *w, const struct import_node *node,
	struct pctl_buf *out, size_t *ret_count)
{
	*ret_count = 0;
	if (node->login && w->plan->im->logins[node->login - 1].name)
		write_pair(out, "credential", w->plan->im->logins[node->login - 1].name);
	*ret_count = node->login != 0;
	for (size_t i = 0; i < pctl_value_count(node->settings); i++) {
		const char *key = pctl_value_key_at(node->settings, i);

		if (strcmp(key, "driver") == 0 || strcmp(key, "class") == 0 || is_counted(key))
			continue;
		write_value(out, key, pctl_value_at(node->settings, i));
		++*ret_count;
	}
}

/* --- Entries. --------------------------------------------------------------------------------- */

static const struct import_node *node_at(const struct writer *w, const struct kin *kin, size_t i)
{
	return &w->plan->im->nodes[kin->nodes[i]];
}

/* Whether all of them have the same value of a setting, which the first one has. */
static bool is_constant(const struct writer *w, const struct kin *kin, const char *key)
{
	const char *first = import_setting(node_at(w, kin, 0), key);

	for (size_t i = 1; i < kin->n; i++)
		if (strcmp(import_setting(node_at(w, kin, i), key), first) != 0)
			return false;
	return true;
}

struct layout {
	const char *keys[COUNTED]; /* that stand in each entry */
	size_t n;
	const char *own_class, *driver; /* as the machines have them; NULL: they have none */
	char *shared;                   /* what follows */
	size_t shared_count;
	char *class; /* that is made for driver and shared; NULL: none */
};

static void lay_out(const struct writer *w, const struct kin *kin, struct layout *ret)
{
	const struct import_node *first = node_at(w, kin, 0);
	struct pctl_buf shared;

	pctl_buf_init(&shared, IMPORT_FILE_MAX);
	*ret = (struct layout){
		.own_class = import_setting(first, "class"),
		.driver = import_setting(first, "driver"),
	};
	write_shared(w, first, &shared, &ret->shared_count);
	for (size_t i = 0; i < COUNTED; i++) {
		const char *text = import_setting(first, counted[i]);

		if (!text)
			continue;
		/* The same everywhere: it stands with the rest. */
		if (i > 0 && kin->n > 1 && is_constant(w, kin, counted[i])) {
			write_pair(&shared, counted[i], text);
			ret->shared_count++;
		} else {
			ret->keys[ret->n++] = counted[i];
		}
	}
	w->out->full = w->out->full || shared.full;
	ret->shared = pctl_buf_steal(&shared);
}

static void write_entry(
	const struct writer *w, const struct layout *l, const struct import_line_row *row)
{
	pctl_buf_adds(w->out, "  ");
	pctl_inventory_write_text(w->out, row->fields[0], false);
	pctl_buf_adds(w->out, ": {");
	if (l->class || l->own_class)
		write_pair(w->out, "class", l->class ? l->class : l->own_class);
	if (l->driver && !l->class)
		write_pair(w->out, "driver", l->driver);
	for (size_t i = 0; i < l->n; i++)
		write_pair(w->out, l->keys[i], row->fields[1 + i]);
	if (!l->class && *l->shared)
		pctl_buf_addf(w->out, "%s%s", w->out->data[w->out->len - 1] == '{' ? "" : ", ",
			l->shared);
	pctl_buf_adds(w->out, "}\n");
}

/* Several entries that say the same get a class for it. */
static void make_class(struct writer *w, struct layout *l)
{
	l->class = pctl_xstrdup(l->driver);
	for (unsigned i = 2; !pctl_names_add(w->plan->classes, l->class); i++) {
		free(l->class);
		l->class = pctl_xasprintf("%s-%u", l->driver, i);
	}
	pctl_buf_adds(&w->classes, w->classes.len ? "  " : "classes:\n  ");
	pctl_inventory_write_text(&w->classes, l->class, false);
	pctl_buf_adds(&w->classes, ": {");
	write_pair(&w->classes, "driver", l->driver);
	pctl_buf_addf(&w->classes, ", %s}\n", l->shared);
}

static void write_kin(struct writer *w, const struct kin *kin)
{
	struct import_line_row *rows = pctl_xcalloc(kin->n, sizeof(*rows));
	struct layout l;

	lay_out(w, kin, &l);
	for (size_t i = 0; i < kin->n; i++) {
		const struct import_node *node = node_at(w, kin, i);

		rows[i].fields[0] = pctl_xstrdup(node->name);
		for (size_t k = 0; k < l.n; k++)
			rows[i].fields[1 + k] = pctl_xstrdup(import_setting(node, l.keys[k]));
	}
	size_t n = import_fold(rows, kin->n, 1 + l.n);
	if (n > 1 && l.shared_count > 0 && l.driver && !l.own_class)
		make_class(w, &l);
	for (size_t i = 0; i < n; i++) {
		write_entry(w, &l, &rows[i]);
		for (size_t f = 0; f <= l.n; f++)
			free(rows[i].fields[f]);
	}
	free(rows);
	free(l.shared);
	free(l.class);
}

/* What nodes of one kin have in common, and which of the counted settings there are. */
static char *key_of(const struct writer *w, const struct import_node *node)
{
	static const char *const kinds[] = { "class", "driver" };
	struct pctl_buf key;
	size_t count;

	pctl_buf_init(&key, IMPORT_FILE_MAX);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const char *text = import_setting(node, kinds[i]);

		write_pair(&key, kinds[i], text ? text : "");
	}
	write_shared(w, node, &key, &count);
	for (size_t i = 0; i < COUNTED; i++)
		pctl_buf_adds(&key, pctl_value_get(node->settings, counted[i]) ? "+" : "-");
	/* A text with a bracket of its own must not come to stand beside a range. */
	for (size_t i = 0; i < pctl_value_count(node->settings); i++) {
		const char *text = pctl_value_text(pctl_value_at(node->settings, i));

		if (text && strpbrk(text, "[]"))
			pctl_buf_adds(&key, node->name);
	}
	w->out->full = w->out->full || key.full;
	return pctl_buf_steal(&key);
}

static void sort_out(struct writer *w)
{
	struct import *im = w->plan->im;
	struct pctl_names *names = pctl_names_new();
	struct import_index keys = { 0 };

	for (size_t i = 0; i < im->node_count; i++)
		if (!im->nodes[i].dropped)
			(void)pctl_names_add(names, im->nodes[i].name);
	pctl_names_sort(names);
	for (size_t i = 0; i < pctl_names_count(names); i++) {
		size_t at = import_index_find(&im->node_index, pctl_names_at(names, i));
		PCTL_AUTO(free) char *key = key_of(w, &im->nodes[at]);
		size_t k = import_index_put(&keys, key, w->kin_count);

		if (k == w->kin_count) {
			w->kin = pctl_xgrow(w->kin, &w->kin_cap, w->kin_count + 1, sizeof(*w->kin));
			w->kin[w->kin_count++] = (struct kin){ NULL, 0, 0 };
		}
		struct kin *kin = &w->kin[k];
		kin->nodes = pctl_xgrow(kin->nodes, &kin->cap, kin->n + 1, sizeof(*kin->nodes));
		kin->nodes[kin->n++] = at;
	}
	import_index_done(&keys);
	pctl_names_free(names);
}

/* --- Groups. ---------------------------------------------------------------------------------- */

static bool is_there(const struct import_plan *plan, const char *name)
{
	const struct import_node *node = import_find(plan->im, name);

	return (node && !node->dropped) ||
	       (plan->inventory && pctl_inventory_index(plan->inventory, name) >= 0);
}

static void write_group(const struct import_plan *plan, const struct import_group *group,
	struct pctl_buf *out, bool *begun)
{
	struct pctl_names *members = pctl_names_new();

	for (size_t i = 0; i < pctl_names_count(group->members); i++) {
		const char *name = pctl_names_at(group->members, i);

		if (is_there(plan, name))
			(void)pctl_names_add(members, name);
	}
	if (pctl_names_count(members)) {
		PCTL_AUTO(free) char *folded = pctl_names_fold(members);

		pctl_buf_adds(out, *begun ? "  " : "groups:\n  ");
		pctl_inventory_write_text(out, group->name, false);
		pctl_buf_adds(out, ": ");
		pctl_inventory_write_text(out, folded, false);
		pctl_buf_adds(out, "\n");
		*begun = true;
	}
	pctl_names_free(members);
}

/* --- All of it. ------------------------------------------------------------------------------- */

void import_write(struct import_plan *plan, struct pctl_buf *out)
{
	struct pctl_buf nodes;
	struct writer w = { .plan = plan, .out = &nodes };
	bool begun = false;

	pctl_buf_init(&nodes, IMPORT_FILE_MAX);
	pctl_buf_init(&w.classes, IMPORT_FILE_MAX);
	sort_out(&w);
	for (size_t i = 0; i < w.kin_count; i++) {
		write_kin(&w, &w.kin[i]);
		free(w.kin[i].nodes);
	}
	free(w.kin);
	pctl_buf_adds(out, "# Taken over from ");
	text_clean(out, plan->im->file);
	pctl_buf_addf(out, " (%s) by `powerctl import`.\n", plan->format);
	write_logins(plan->im, out);
	pctl_buf_add(out, w.classes.data, w.classes.len);
	if (nodes.len)
		pctl_buf_addf(out, "nodes:\n");
	pctl_buf_add(out, nodes.data, nodes.len);
	for (size_t i = 0; i < plan->im->group_count; i++)
		write_group(plan, &plan->im->groups[i], out, &begun);
	out->full = out->full || nodes.full || w.classes.full;
	pctl_buf_done(&nodes);
	pctl_buf_done(&w.classes);
}
