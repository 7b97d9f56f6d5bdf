/* SPDX-License-Identifier: Apache-2.0 */
/* NODES, half typed. Of very many names only the next characters are offered. */
#include <string.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>

#include "complete.h"
#include "text.h"

#define OFFERED_MAX 100u /* more than that nobody reads */
#define DIGITS      "0123456789"

/* Where the last operand begins: behind the last operator that stands outside of brackets. */
static const char *operand_of(const char *word)
{
	const char *begin = word;
	bool inside = false;

	for (const char *p = word; *p; p++) {
		if (*p == '[')
			inside = true;
		else if (*p == ']')
			inside = false;
		else if (!inside && strchr(",!&^", *p))
			begin = p + 1;
	}
	return begin;
}

static const char *help_of(const struct pctl_inventory *inventory, const char *name, char **ret)
{
	int64_t node = pctl_inventory_index(inventory, name);

	if (node < 0)
		return NULL;
	const char *driver = pctl_inventory_text(inventory, (size_t)node, "driver");
	const char *address = pctl_inventory_text(inventory, (size_t)node, "address");
	*ret = pctl_xasprintf(
		"%s%s%s", driver ? driver : "", address ? " " : "", address ? address : "");
	return *ret;
}

/* --- Many words. ------------------------------------------------------------------------------ */

/* How many different beginnings of len bytes there are; words are sorted. */
static size_t count_stems(const struct pctl_names *words, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < pctl_names_count(words); i++)
		if (i == 0 ||
			strncmp(pctl_names_at(words, i), pctl_names_at(words, i - 1), len) != 0)
			n++;
	return n;
}

/* The words themselves, or as long a beginning of each as there are not too many of. */
static void offer_thinned(const struct completion *c, const struct pctl_inventory *inventory,
	struct pctl_names *words)
{
	size_t count = pctl_names_count(words), len = strlen(c->begun) + 1;

	pctl_names_sort(words);
	if (count <= OFFERED_MAX) {
		for (size_t i = 0; i < count; i++) {
			PCTL_AUTO(free) char *help = NULL;
			const char *word = pctl_names_at(words, i);

			complete_offer(c, word, help_of(inventory, word, &help));
		}
		return;
	}
	while (count_stems(words, len) == 1 || count_stems(words, len + 1) <= OFFERED_MAX)
		len++;
	struct pctl_names *stems = pctl_names_new();
	for (size_t i = 0; i < count; i++) {
		PCTL_AUTO(free) char *stem = pctl_xstrndup(pctl_names_at(words, i), len);

		if (pctl_names_add(stems, stem))
			complete_offer(c, stem, NULL);
	}
	pctl_names_free(stems);
}

/* "nuc[1-8]", "c[001-400]": those that go on from what is typed and are not offered by themselves.
 */
static void offer_folded(
	const struct completion *c, const struct pctl_names *names, const struct pctl_names *words)
{
	PCTL_AUTO(free) char *folded = pctl_names_fold(names);
	const char *at = folded;

	while (*at) {
		size_t len = 0;
		bool inside = false;

		for (; at[len] && (inside || at[len] != ','); len++)
			inside = at[len] == '[' || (inside && at[len] != ']');
		PCTL_AUTO(free) char *one = pctl_xstrndup(at, len);
		if (strchr(one, '[') && !pctl_names_has(words, one))
			complete_offer(c, one, "range");
		at += len + (at[len] == ',');
	}
}

/* --- Inside of brackets. ---------------------------------------------------------------------- */

struct bracket {
	const char *stem; /* what is typed, from the operand's begin */
	size_t stem_len;  /* up to the bracket */
	size_t kept_len;  /* up to the number that is being typed */
	const char *low;  /* the range's begin, where one is open */
	size_t low_len;
};

static struct bracket bracket_of(const char *operand)
{
	const char *open = strrchr(operand, '['), *number = open + 1;
	struct bracket b = { .stem = operand, .stem_len = (size_t)(open - operand) };

	for (const char *p = open + 1; *p; p++)
		if (*p == ',')
			number = p + 1;
	const char *dash = strchr(number, '-');
	if (dash) {
		b.low = number;
		b.low_len = (size_t)(dash - number);
		number = dash + 1;
	}
	b.kept_len = (size_t)(number - operand);
	return b;
}

/* As numbers: 10 is above 9, 010 is above 9 as well. */
static bool is_above(const char *a, size_t a_len, const char *b, size_t b_len)
{
	for (; a_len > 1 && *a == '0'; a_len--)
		a++;
	for (; b_len > 1 && *b == '0'; b_len--)
		b++;
	return a_len != b_len ? a_len > b_len : strncmp(a, b, a_len) > 0;
}

/* The name nuc7 is the operand `nuc[1-7]`, if `nuc[1-` is typed. NULL: it is none; free() it. */
static char *in_bracket(const struct bracket *b, const char *name)
{
	if (strncmp(name, b->stem, b->stem_len) != 0)
		return NULL;
	const char *number = name + b->stem_len;
	size_t len = strspn(number, DIGITS);
	if (!len || (b->low && !is_above(number, len, b->low, b->low_len)))
		return NULL;
	return pctl_xasprintf(
		"%.*s%.*s]%s", (int)b->kept_len, b->stem, (int)len, number, number + len);
}

/* --- All of them. ----------------------------------------------------------------------------- */

static void offer_plain(struct completion *c, const struct pctl_inventory *inventory)
{
	const char *open = strrchr(c->begun, '[');
	bool inside = open && !strchr(open, ']');
	struct bracket b = inside ? bracket_of(c->begun) : (struct bracket){ 0 };
	size_t begun = strlen(c->begun);
	struct pctl_names *words = pctl_names_new(), *alike = pctl_names_new();

	for (size_t i = 0; i < pctl_inventory_count(inventory); i++) {
		const char *name = pctl_inventory_name(inventory, i);
		PCTL_AUTO(free) char *in = inside ? in_bracket(&b, name) : NULL;
		const char *word = inside ? in : name;

		if (strncmp(name, c->begun, inside ? b.stem_len : begun) == 0)
			(void)pctl_names_add(alike, name);
		if (word && strncmp(word, c->begun, begun) == 0)
			(void)pctl_names_add(words, word);
	}
	offer_folded(c, alike, words);
	offer_thinned(c, inventory, words);
	pctl_names_free(words);
	pctl_names_free(alike);
}

static void offer_groups(const struct completion *c, const struct pctl_inventory *inventory)
{
	for (size_t i = 0; i < pctl_inventory_group_count(inventory); i++) {
		PCTL_AUTO(free)
		char *word = pctl_xasprintf("@%s", pctl_inventory_group_name(inventory, i));

		complete_offer(c, word, "group");
	}
	complete_offer(c, "@failed", "those that failed in your last command");
}

static void offer_tags(const struct completion *c, const struct pctl_inventory *inventory)
{
	struct pctl_names *tags = pctl_names_new();

	pctl_inventory_tags(inventory, tags);
	for (size_t i = 0; i < pctl_names_count(tags); i++) {
		PCTL_AUTO(free) char *word = pctl_xasprintf("%%%s", pctl_names_at(tags, i));

		complete_offer(c, word, "tag");
	}
	pctl_names_free(tags);
}

void complete_nodes(struct completion *c)
{
	const struct pctl_inventory *inventory = complete_inventory(c);

	if (!inventory)
		return;
	c->begun = operand_of(c->begun);
	if (*c->begun != '@' && *c->begun != '%')
		offer_plain(c, inventory);
	offer_groups(c, inventory);
	offer_tags(c, inventory);
}
