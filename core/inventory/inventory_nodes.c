/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "inventory/inventory.h"

#define NAME_MAX_BYTES 255u

struct pctl_node_text {
	const struct pctl_value *from;
	struct pctl_node_text *next;
	char text[];
};

/* --- Ranges on the right. --------------------------------------------------------------------- */

/* Never ranges, whatever they look like. */
static const char *const never_ranged[] = { "maintenance", "protected", "username", "password",
	NULL };

/* [fe80::1] is an address and [1-8] is a range. */
static bool has_range(const char *text)
{
	for (const char *open = strchr(text, '['); open; open = strchr(open + 1, '['))
		if (open[1 + strcspn(open + 1, ":[]")] != ':')
			return true;
	return false;
}

static bool may_be_ranged(const char *key, const char *text)
{
	return key && text && has_range(text) && pctl_parse_choice(key, never_ranged) < 0;
}

/* NOLINTNEXTLINE(misc-no-recursion) */
bool pctl_inventory_has_range(const char *key, const struct pctl_value *v)
{
	if (pctl_value_text(v))
		return may_be_ranged(key, pctl_value_text(v));
	/* Of a list only what maps in it say: its texts are no settings. */
	for (size_t i = 0; i < pctl_value_count(v); i++)
		if (pctl_inventory_has_range(pctl_value_key_at(v, i), pctl_value_at(v, i)))
			return true;
	return false;
}

static void say_pairing(const struct pctl_entry *entry, const struct pctl_value *v, uint64_t count,
	struct pctl_problems *problems)
{
	pctl_problems_add(problems, pctl_value_place(v),
		"'%s' names %" PRIu64 " but '%s' names %" PRIu64 "; both must name equally many",
		pctl_value_text(v), count, entry->pattern, entry->count);
}

/* "a[1-2],b[1-2]": a comma outside of brackets. */
static bool is_union(const char *text)
{
	bool inside = false;

	for (; *text; text++) {
		if (*text == ',' && !inside)
			return true;
		inside = *text == '[' || (inside && *text != ']');
	}
	return false;
}

/* What looks like a range and is none is only a mistake where nothing else can be meant. */
static void check_text(const struct pctl_entry *entry, const char *key, const struct pctl_value *v,
	struct pctl_problems *problems)
{
	const char *text = pctl_value_text(v);
	bool address = strcmp(key, "address") == 0;
	struct pctl_error err;
	uint64_t count;

	if (!may_be_ranged(key, text) || !(entry->ranged || address))
		return;
	if (pctl_range_count(text, &count, NULL, &err) < 0) {
		if (address)
			pctl_problems_add(problems, pctl_value_place(v), "address '%s': %s%s", text,
				err.text,
				is_union(text) ? "; split the entry, one for each range" : "");
	} else if (count != entry->count) {
		say_pairing(entry, v, count, problems);
	}
}

/* map may be a list as well, of maps. NOLINTNEXTLINE(misc-no-recursion) */
static void check_ranges(const struct pctl_entry *entry, const struct pctl_value *map,
	struct pctl_problems *problems)
{
	for (size_t i = 0; i < pctl_value_count(map); i++) {
		const char *key = pctl_value_key_at(map, i);

		if (key)
			check_text(entry, key, pctl_value_at(map, i), problems);
		check_ranges(entry, pctl_value_at(map, i), problems);
	}
}

/* The text for one of the entry's names, or NULL if it is the same for all. */
static char *text_at(
	const struct pctl_entry *entry, const char *key, const char *text, uint32_t index)
{
	uint64_t count;

	if (!entry->ranged || !may_be_ranged(key, text) ||
		pctl_range_count(text, &count, NULL, NULL) < 0 || count != entry->count)
		return NULL;
	return pctl_range_at(text, index);
}

/* --- Entries into nodes. ---------------------------------------------------------------------- */

/* Why a name cannot be one, or NULL. */
const char *pctl_inventory_wrong_name(const char *name)
{
	size_t len = strlen(name);

	if (!len)
		return "a node's name cannot be empty";
	if (len > NAME_MAX_BYTES)
		return "a node's name is at most 255 bytes long";
	if (*name == '-' || *name == '.')
		return "a node's name cannot begin with '-' or '.'";
	for (; *name; name++)
		if ((unsigned char)*name <= ' ' || *name == 0x7f ||
			strchr("/\\\"'@%,!&^*?[]", *name))
			return "a node's name has no blanks, slashes, quotes or any of @%,!&^*?[]";
	return NULL;
}

struct adding {
	struct pctl_inventory *inv;
	uint32_t entry;
	struct pctl_problems *problems;
};

static struct pctl_node *node_of(struct pctl_inventory *inv, const char *name)
{
	size_t before = inv->names.n;
	size_t at = pctl_names_put(&inv->names, name, strlen(name));

	inv->nodes = pctl_xgrow(inv->nodes, &inv->node_cap, inv->names.n, sizeof(*inv->nodes));
	if (at == before)
		inv->nodes[at] = (struct pctl_node){ 0 };
	return &inv->nodes[at];
}

static int add_name(void *data, size_t i, const char *name)
{
	struct adding *a = data;
	struct pctl_inventory *inv = a->inv;
	const struct pctl_entry *entry = &inv->entries[a->entry];
	const char *wrong = pctl_inventory_wrong_name(name);

	if (wrong) {
		pctl_problems_add(a->problems, entry->place, "'%s': %s", entry->pattern, wrong);
		return PCTL_E_CONFIG;
	}
	struct pctl_node *node = node_of(inv, name);
	if (node->last_ref && inv->refs[node->last_ref].entry == a->entry) {
		pctl_problems_add(
			a->problems, entry->place, "'%s' names '%s' twice", entry->pattern, name);
		return PCTL_E_CONFIG;
	}
	inv->refs = pctl_xgrow(inv->refs, &inv->ref_cap, inv->ref_count + 1, sizeof(*inv->refs));
	inv->refs[inv->ref_count] = (struct pctl_ref){
		.entry = a->entry,
		.index = (uint32_t)i,
		.earlier = node->last_ref,
	};
	node->last_ref = (uint32_t)inv->ref_count++;
	return 0;
}

static bool count_names(
	const struct pctl_inventory *inv, struct pctl_entry *entry, struct pctl_problems *problems)
{
	struct pctl_error err;
	uint64_t count;

	if (pctl_range_count(entry->pattern, &count, NULL, &err) < 0) {
		pctl_problems_add(problems, entry->place, "'%s': %s", entry->pattern, err.text);
		return false;
	}
	if (count > PCTL_NAMES_MAX - (inv->ref_count - 1)) {
		pctl_problems_add(problems, entry->place,
			"'%s' names %" PRIu64 "; an inventory names at most %u nodes",
			entry->pattern, count, PCTL_NAMES_MAX);
		return false;
	}
	entry->count = count;
	return true;
}

void pctl_inventory_add_entry(struct pctl_inventory *inv, const char *pattern,
	const struct pctl_value *settings, struct pctl_place place, struct pctl_problems *problems)
{
	struct pctl_entry entry = {
		.pattern = pattern,
		.settings = settings,
		.place = place,
		.ranged = strchr(pattern, '[') != NULL,
	};

	if (entry.ranged && !count_names(inv, &entry, problems))
		return;
	if (!entry.ranged)
		entry.count = 1;
	check_ranges(&entry, settings, problems);
	inv->entries = pctl_xgrow(
		inv->entries, &inv->entry_cap, inv->entry_count + 1, sizeof(*inv->entries));
	inv->entries[inv->entry_count++] = entry;

	struct adding adding = { inv, (uint32_t)(inv->entry_count - 1), problems };
	struct pctl_error err = { 0 };
	if (!entry.ranged)
		(void)add_name(&adding, 0, pattern);
	else if (pctl_range_each(pattern, add_name, &adding, NULL, &err) < 0 && err.code)
		pctl_problems_add(problems, place, "'%s': %s", pattern, err.text);
}

void pctl_inventory_free_nodes(struct pctl_inventory *inv)
{
	for (size_t i = 0; i < inv->names.n; i++) {
		while (inv->nodes[i].texts) {
			struct pctl_node_text *next = inv->nodes[i].texts->next;

			free(inv->nodes[i].texts);
			inv->nodes[i].texts = next;
		}
	}
	free(inv->nodes);
	free(inv->refs);
	free(inv->entries);
	inv->nodes = NULL;
	inv->refs = NULL;
	inv->entries = NULL;
	inv->node_cap = inv->ref_cap = inv->entry_cap = 0;
	inv->ref_count = inv->entry_count = 0;
	pctl_names_done(&inv->names);
}

/* --- Looking nodes up. ------------------------------------------------------------------------ */

size_t pctl_inventory_count(const struct pctl_inventory *inv)
{
	return inv->names.n;
}

const char *pctl_inventory_name(const struct pctl_inventory *inv, size_t node)
{
	return pctl_names_at(&inv->names, node);
}

int64_t pctl_inventory_index(const struct pctl_inventory *inv, const char *name)
{
	size_t at = pctl_names_find(&inv->names, name);

	return at == SIZE_MAX ? -1 : (int64_t)at;
}

const char *pctl_names_nearest(const struct pctl_names *names, const char *name)
{
	PCTL_AUTO(free) const char **words = pctl_xcalloc(names->n + 1, sizeof(*words));

	for (size_t i = 0; i < names->n; i++)
		words[i] = names->items[i];
	return pctl_parse_nearest(name, words);
}

const char *pctl_inventory_nearest(const struct pctl_inventory *inv, const char *name)
{
	return pctl_names_nearest(&inv->names, name);
}

struct pctl_place pctl_inventory_place(const struct pctl_inventory *inv, size_t node)
{
	uint32_t ref = node < inv->names.n ? inv->nodes[node].last_ref : 0;

	/* The first entry is the one that makes the node; later ones amend it. */
	while (ref && inv->refs[ref].earlier)
		ref = inv->refs[ref].earlier;
	return ref ? inv->entries[inv->refs[ref].entry].place : (struct pctl_place){ 0 };
}

/* --- What holds for a node. ------------------------------------------------------------------- */

/* One thing that says something about a node, the strongest first: its entries from the last to
 * the first, then its class, then that one's class. */
struct level {
	const struct pctl_value *settings;
	uint32_t ref; /* 0: a class */
};

struct levels {
	struct level *v;
	size_t n, cap;
};

static void levels_add(struct levels *levels, const struct pctl_value *settings, uint32_t ref)
{
	levels->v = pctl_xgrow(levels->v, &levels->cap, levels->n + 1, sizeof(*levels->v));
	levels->v[levels->n++] = (struct level){ settings, ref };
}

static const char *own_text(const struct pctl_value *settings, const char *key)
{
	const char *text = pctl_value_text(pctl_value_get(settings, key));

	return text && *text ? text : NULL;
}

const struct pctl_value *pctl_inventory_class_of(
	const struct pctl_inventory *inv, const struct pctl_value *settings)
{
	const char *name = own_text(settings, "class");
	const struct pctl_item *class = name ? pctl_items_find(&inv->classes, name) : NULL;

	return class ? class->value : NULL;
}

static struct levels levels_of(const struct pctl_inventory *inv, size_t node)
{
	struct levels levels = { 0 };
	const struct pctl_value *class = NULL;
	bool class_known = false;

	for (uint32_t ref = inv->nodes[node].last_ref; ref; ref = inv->refs[ref].earlier) {
		const struct pctl_value *settings = inv->entries[inv->refs[ref].entry].settings;

		levels_add(&levels, settings, ref);
		if (class_known || !pctl_value_get(settings, "class"))
			continue;
		class = pctl_inventory_class_of(inv, settings);
		class_known = true;
	}
	for (unsigned depth = 0; class && depth < PCTL_CLASS_DEPTH_MAX; depth++) {
		levels_add(&levels, class, 0);
		class = pctl_inventory_class_of(inv, class);
	}
	return levels;
}

/* The credential that holds, and the level that names it: its fields are right below that one. */
static const struct pctl_value *credential_of(
	const struct pctl_inventory *inv, const struct levels *levels, size_t *ret_level)
{
	for (size_t i = 0; i < levels->n; i++) {
		const struct pctl_value *v = pctl_value_get(levels->v[i].settings, "credential");
		const struct pctl_item *item;

		if (!v)
			continue;
		item = pctl_value_text(v) ? pctl_items_find(&inv->credentials, pctl_value_text(v))
					  : NULL;
		*ret_level = i;
		return item ? item->value : NULL;
	}
	*ret_level = levels->n;
	return NULL;
}

const char *const pctl_secret_ends[PCTL_SECRET_ENDS] = { "", "_file", "_env", "_command" };

bool pctl_key_is_secret(const char *key)
{
	static const char *const parts[] = { "password", "pass", "passphrase", "passwd", "secret",
		"token", "key", "apikey", "kg", "psk", "community", "pin", NULL };
	static const char *const sources[] = { "file", "env", "command", NULL };
	bool secret = false, elsewhere = false;

	for (const char *part = key; part; part = strchr(part, '_')) {
		part += *part == '_';
		PCTL_AUTO(free) char *word = pctl_xstrndup(part, strcspn(part, "_"));

		elsewhere = pctl_parse_choice(word, sources) >= 0;
		secret = secret || pctl_parse_choice(word, parts) >= 0;
	}
	return secret && !elsewhere;
}

/* Of password, password_file, password_env and password_command: "password". */
static size_t stem_of(const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 1; i < PCTL_SECRET_ENDS; i++) {
		size_t end = strlen(pctl_secret_ends[i]);

		if (len > end && strcmp(key + len - end, pctl_secret_ends[i]) == 0)
			return len - end;
	}
	return len;
}

/* The ways to give one secret displace each other: a stronger password_env ends a password_file. */
static void displace_secrets(struct pctl_value *base, const struct pctl_value *over)
{
	for (size_t i = 0; i < pctl_value_count(over); i++) {
		const char *key = pctl_value_key_at(over, i);
		size_t stem = stem_of(key);

		for (size_t j = pctl_value_count(base); j-- > 0;) {
			const char *old = pctl_value_key_at(base, j);

			if (stem_of(old) == stem && strncmp(old, key, stem) == 0 &&
				strcmp(old, key) != 0)
				(void)pctl_value_unset(base, old);
		}
	}
}

/*
 * Puts this node's own texts where the entry's ranges were merged into base. Lists replace, so that
 * one of maps stands in base as in the entry.
 */
/* NOLINTNEXTLINE(misc-no-recursion) */
static void resolve_ranges(struct pctl_value *base, const struct pctl_entry *entry,
	const struct pctl_value *map, uint32_t index)
{
	for (size_t i = 0; i < pctl_value_count(map); i++) {
		const char *key = pctl_value_key_at(map, i);
		const struct pctl_value *v = pctl_value_at(map, i);
		PCTL_AUTO(free) char *text = text_at(entry, key, pctl_value_text(v), index);

		if (!pctl_value_text(v))
			resolve_ranges(key ? pctl_value_get(base, key) : pctl_value_at(base, i),
				entry, v, index);
		if (!text)
			continue;
		struct pctl_value *own = pctl_value_new_text(text);
		pctl_value_set_place(own, pctl_value_place(v));
		pctl_value_set(base, key, own);
	}
}

static void merge_level(
	const struct pctl_inventory *inv, struct pctl_value *base, const struct level *level)
{
	if (pctl_value_kind(level->settings) != PCTL_VALUE_MAP)
		return;
	displace_secrets(base, level->settings);
	pctl_value_merge(base, level->settings);
	if (!level->ref)
		return;

	const struct pctl_ref *ref = &inv->refs[level->ref];
	const struct pctl_entry *entry = &inv->entries[ref->entry];
	if (entry->ranged)
		resolve_ranges(base, entry, level->settings, ref->index);
}

/* What comes from another driver has a credential of its own. NULL: it names none. */
static struct pctl_value *with_credential(
	const struct pctl_inventory *inv, const struct pctl_value *map)
{
	const char *name = own_text(map, "credential");
	const struct pctl_item *item = name ? pctl_items_find(&inv->credentials, name) : NULL;

	if (!item || pctl_value_kind(item->value) != PCTL_VALUE_MAP)
		return NULL;
	struct pctl_value *whole = pctl_value_copy(item->value);
	displace_secrets(whole, map);
	pctl_value_merge(whole, map);
	pctl_value_set_place(whole, pctl_value_place(map));
	return whole;
}

static void resolve_interface(
	const struct pctl_inventory *inv, struct pctl_value *base, const char *key)
{
	struct pctl_value *whole = with_credential(inv, pctl_value_get(base, key));

	if (whole)
		pctl_value_set(base, key, whole);
}

/* One feed is a list of one; a text stays as it is. */
static void resolve_feeds(const struct pctl_inventory *inv, struct pctl_value *base)
{
	const struct pctl_value *power = pctl_value_get(base, "power");

	if (!power || (pctl_value_text(power) && !*pctl_value_text(power)))
		return;
	bool list = pctl_value_kind(power) == PCTL_VALUE_LIST;
	struct pctl_value *feeds = pctl_value_new_list();
	for (size_t i = 0; i < (list ? pctl_value_count(power) : 1); i++) {
		const struct pctl_value *feed = list ? pctl_value_at(power, i) : power;
		struct pctl_value *whole = with_credential(inv, feed);

		pctl_value_add(feeds, whole ? whole : pctl_value_copy(feed));
	}
	pctl_value_set_place(feeds, pctl_value_place(power));
	pctl_value_set(base, "power", feeds);
}

const char *const pctl_interfaces[] = { "console", "display", "identify", "inspect", "log",
	"sensors", NULL };

const struct pctl_value *pctl_inventory_credential(
	const struct pctl_inventory *inv, const char *name)
{
	const struct pctl_item *item = pctl_items_find(&inv->credentials, name);

	return item ? item->value : NULL;
}

/* Empty texts of the core's own keys unset what a class says. [::1] loses its brackets. */
static void tidy(struct pctl_value *base)
{
	static const char *const keys[] = { "driver", "class", "credential", "address",
		"maintenance", "protected", "trust", "via", "via_credential", "parent", "power",
		NULL };

	for (const char *const *key = keys; *key; key++) {
		const char *text = pctl_value_text(pctl_value_get(base, *key));

		if (text && !*text)
			(void)pctl_value_unset(base, *key);
	}
	struct pctl_value *v = pctl_value_get(base, "address");
	const char *address = pctl_value_text(v);
	size_t len = address ? strlen(address) : 0;
	if (len < 2 || address[0] != '[' || address[len - 1] != ']' || has_range(address))
		return;
	PCTL_AUTO(free) char *bare = pctl_xstrndup(address + 1, len - 2);
	struct pctl_value *own = pctl_value_new_text(bare);
	pctl_value_set_place(own, pctl_value_place(v));
	pctl_value_set(base, "address", own);
}

struct pctl_value *pctl_inventory_settings(const struct pctl_inventory *inv, size_t node)
{
	struct pctl_value *base = pctl_value_new_map();
	struct levels levels = levels_of(inv, node);
	size_t credential_level;
	const struct pctl_value *credential = credential_of(inv, &levels, &credential_level);

	for (size_t i = levels.n; i-- > 0;) {
		if (i == credential_level && credential) {
			displace_secrets(base, credential);
			pctl_value_merge(base, credential);
		}
		merge_level(inv, base, &levels.v[i]);
	}
	free(levels.v);
	for (const char *const *key = pctl_interfaces; *key; key++)
		resolve_interface(inv, base, *key);
	resolve_feeds(inv, base);
	tidy(base);
	pctl_value_set_place(base, pctl_inventory_place(inv, node));
	return base;
}

/* --- One value without the rest. -------------------------------------------------------------- */

const struct pctl_value *pctl_inventory_value(
	const struct pctl_inventory *inv, size_t node, const char *key)
{
	struct levels levels = levels_of(inv, node);
	const struct pctl_value *v = NULL;

	for (size_t i = 0; i < levels.n && !v; i++)
		v = pctl_value_get(levels.v[i].settings, key);
	free(levels.v);
	return v;
}

/* Made once per node and value, so that asking again costs nothing and leaks nothing. */
static const char *kept_text(const struct pctl_node *node, const struct pctl_value *from)
{
	for (const struct pctl_node_text *kept = node->texts; kept; kept = kept->next)
		if (kept->from == from)
			return kept->text;
	return NULL;
}

static const char *keep_text(
	struct pctl_node *node, const struct pctl_value *from, const char *text)
{
	struct pctl_node_text *kept = pctl_xcalloc(1, sizeof(*kept) + strlen(text) + 1);

	memcpy(kept->text, text, strlen(text));
	kept->from = from;
	kept->next = node->texts;
	node->texts = kept;
	return kept->text;
}

static const char *level_text(const struct pctl_inventory *inv, size_t node,
	const struct level *level, const char *key, const struct pctl_value *v)
{
	const char *text = pctl_value_text(v), *kept;

	if (!level->ref || !text)
		return text;
	kept = kept_text(&inv->nodes[node], v);
	if (kept)
		return kept;
	const struct pctl_ref *ref = &inv->refs[level->ref];
	PCTL_AUTO(free) char *own = text_at(&inv->entries[ref->entry], key, text, ref->index);
	return own ? keep_text(&inv->nodes[node], v, own) : text;
}

const char *pctl_inventory_text(const struct pctl_inventory *inv, size_t node, const char *key)
{
	struct levels levels = levels_of(inv, node);
	size_t credential_level;
	const struct pctl_value *credential = credential_of(inv, &levels, &credential_level);
	const char *text = NULL;

	for (size_t i = 0; i < levels.n; i++) {
		const struct pctl_value *v = pctl_value_get(levels.v[i].settings, key);

		if (v) {
			text = level_text(inv, node, &levels.v[i], key, v);
			break;
		}
		v = i == credential_level ? pctl_value_get(credential, key) : NULL;
		if (v) {
			text = pctl_value_text(v);
			break;
		}
	}
	free(levels.v);
	return text && *text ? text : NULL;
}
