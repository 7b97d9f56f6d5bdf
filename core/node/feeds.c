/* SPDX-License-Identifier: Apache-2.0 */
/* What powers a node where that is more than one thing: its management processor and outlets. */
#include <stdio.h>
#include <string.h>

#include <powerctl/mem.h>

#include "inventory/inventory.h"
#include "node/core.h"

#define RETURN_MS ((uint64_t)180000)
#define OWN_WORD  "bmc"

struct making {
	struct pctl_feeds *feeds;
	struct pctl_target *own;
	const struct pctl_value *map; /* the node's */
	const struct pctl_inventory *inventory;
	bool with_secrets;
	struct pctl_problems *problems;
	int *ret;
	bool wrong; /* one has a mistake: which machine it is shows when that is mended */
};

void pctl_feeds_free(struct pctl_feeds *feeds)
{
	if (!feeds)
		return;
	for (size_t i = 0; i < feeds->n; i++) {
		if (feeds->v[i].own || !feeds->v[i].target)
			continue;
		pctl_target_done(feeds->v[i].target);
		free(feeds->v[i].target);
	}
	free(feeds);
}

static bool has_own(const struct pctl_feeds *feeds)
{
	for (size_t i = 0; i < feeds->n; i++)
		if (feeds->v[i].own)
			return true;
	return false;
}

/* A text is the node's own driver, by its name or by what it is. */
static void add_own(struct making *m, const struct pctl_value *v)
{
	const char *word = pctl_value_text(v);
	const char *driver = m->own->loaded ? m->own->loaded->name : "";

	if (strcmp(word, OWN_WORD) != 0 && strcmp(word, driver) != 0) {
		pctl_problems_add(m->problems, pctl_value_place(v),
			"power: '%s' is no feed; it is '" OWN_WORD
			"' for the node's own driver, or "
			"a map, {driver: NAME, address: ADDRESS}",
			word);
		return;
	}
	if (has_own(m->feeds)) {
		pctl_problems_add(m->problems, pctl_value_place(v),
			"power: the node's own driver stands here twice");
		return;
	}
	struct pctl_feed *feed = &m->feeds->v[m->feeds->n++];
	*feed = (struct pctl_feed){ .name = OWN_WORD, .own = true, .target = m->own };
}

static void check_new(const struct making *m, const struct pctl_value *v)
{
	const struct pctl_feeds *feeds = m->feeds;
	const char *machine = feeds->v[feeds->n - 1].target->machine;

	for (size_t i = 0; machine && i + 1 < feeds->n; i++) {
		const char *other = feeds->v[i].target->machine;

		if (other && strcmp(other, machine) == 0)
			pctl_problems_add(m->problems, pctl_value_place(v),
				"power: this is the same as an earlier feed; each outlet stands "
				"here once");
	}
}

static void add_feed(struct making *m, const struct pctl_value *v)
{
	struct pctl_feed *feed = &m->feeds->v[m->feeds->n++];

	*feed = (struct pctl_feed){ .target = pctl_xcalloc(1, sizeof(*feed->target)) };
	int r = pctl_target_init_feed(
		feed->target, m->own, m->map, v, m->inventory, m->with_secrets, m->problems);
	if (r < 0)
		*m->ret = r;
	m->wrong |= r < 0;
	if (!m->wrong)
		check_new(m, v);
}

/* By their drivers; those of one driver are numbered as they stand there. */
static void name_feeds(struct pctl_feeds *feeds)
{
	for (size_t i = 0; i < feeds->n; i++) {
		struct pctl_feed *feed = &feeds->v[i];
		unsigned number = 0, all = 0;

		if (feed->own || !feed->target->loaded)
			continue;
		for (size_t k = 0; k < feeds->n; k++) {
			bool same = !feeds->v[k].own &&
				    feeds->v[k].target->loaded == feed->target->loaded;

			all += same;
			number += same && k <= i;
		}
		(void)snprintf(feed->name, sizeof(feed->name), all > 1 ? "%.32s %u" : "%.32s",
			feed->target->loaded->name, number);
	}
}

struct pctl_feeds *pctl_feeds_new(struct pctl_target *target, const struct pctl_value *map,
	const struct pctl_inventory *inventory, bool with_secrets, struct pctl_problems *problems,
	int *ret)
{
	size_t before = pctl_problems_count(problems);
	const struct pctl_value *list = pctl_value_get(map, "power");
	size_t n = pctl_value_text(list) ? 0 : pctl_value_count(list);
	struct pctl_feeds *feeds = pctl_xcalloc(1, sizeof(*feeds) + (n + 1) * sizeof(feeds->v[0]));
	struct making m = { feeds, target, map, inventory, with_secrets, problems, ret, false };

	if (n > PCTL_FEEDS_MAX)
		pctl_problems_add(problems, pctl_value_place(list),
			"power: a node has at most %u feeds", PCTL_FEEDS_MAX);
	for (size_t i = 0; i < n && i < PCTL_FEEDS_MAX; i++) {
		const struct pctl_value *v = pctl_value_at(list, i);

		if (pctl_value_text(v))
			add_own(&m, v);
		else if (pctl_value_kind(v) == PCTL_VALUE_MAP)
			add_feed(&m, v);
	}
	name_feeds(feeds);
	feeds->outage_ms =
		pctl_target_read_time(inventory, map, "outage", PCTL_OUTAGE_MS, problems);
	feeds->return_ms = pctl_target_read_time(inventory, map, "return", RETURN_MS, problems);
	if (pctl_problems_count(problems) > before)
		*ret = PCTL_E_CONFIG;
	if (feeds->n > 1)
		return feeds;
	target->outage_ms = feeds->outage_ms;
	pctl_feeds_free(feeds); /* what stands for all of them is the one */
	return NULL;
}
