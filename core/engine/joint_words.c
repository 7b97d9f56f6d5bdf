/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a node's feeds together, and how that is said. */
#include <stdio.h>
#include <string.h>

#include "engine/joint.h"

struct pctl_part *pctl_joint_own(struct pctl_joint *j)
{
	for (size_t i = 0; i < j->n; i++)
		if (j->parts[i].feed->own)
			return &j->parts[i];
	return NULL;
}

bool pctl_part_is_silent(const struct pctl_part *part)
{
	int code = part->error.code;

	return part->asked && !part->read && (code == PCTL_E_UNREACHABLE || code == PCTL_E_TIMEOUT);
}

bool pctl_part_is(const struct pctl_part *part, enum pctl_power_state state)
{
	return part->read && part->state == state;
}

bool pctl_joint_outlets_are(const struct pctl_joint *j, enum pctl_power_state state)
{
	for (size_t i = 0; i < j->n; i++)
		if (!j->parts[i].feed->own && !pctl_part_is(&j->parts[i], state))
			return false;
	return true;
}

bool pctl_joint_state(const struct pctl_joint *j, enum pctl_power_state *ret, bool *ret_silent)
{
	const struct pctl_part *own = NULL;
	bool off = pctl_joint_outlets_are(j, PCTL_POWER_OFF);
	bool on = pctl_joint_outlets_are(j, PCTL_POWER_ON);

	for (size_t i = 0; i < j->n; i++)
		if (j->parts[i].feed->own)
			own = &j->parts[i];
	*ret_silent = off && own && pctl_part_is_silent(own);
	*ret = PCTL_POWER_UNKNOWN;
	if (off && (!own || *ret_silent || pctl_part_is(own, PCTL_POWER_OFF)))
		*ret = PCTL_POWER_OFF;
	else if (on && (!own || pctl_part_is(own, PCTL_POWER_ON)))
		*ret = PCTL_POWER_ON;
	/* Sleep has its power. */
	else if (on &&
		 (pctl_part_is(own, PCTL_POWER_SLEEP) || pctl_part_is(own, PCTL_POWER_HIBERNATE)))
		*ret = own->state;
	return *ret != PCTL_POWER_UNKNOWN;
}

static unsigned weight(const struct pctl_part *part)
{
	if (!part->asked || part->ok)
		return 0;
	if (part->error.code == PCTL_E_OUTCOME_UNKNOWN)
		return 3;
	return pctl_part_is_silent(part) ? 1 : 2;
}

int pctl_joint_code(const struct pctl_joint *j)
{
	unsigned most = 0;
	int code = 0;

	for (size_t i = 0; i < j->n; i++) {
		if (weight(&j->parts[i]) <= most)
			continue;
		most = weight(&j->parts[i]);
		code = j->parts[i].error.code;
	}
	return code;
}

/* --- Words. ----------------------------------------------------------------------------------- */

#define PART_MAX 160u /* of what is told of one feed */

/* A text of bounded length that is put together; what does not fit is left out. */
struct words {
	char *buf;
	size_t size, len;
};

__attribute__((format(printf, 2, 3))) static void add(struct words *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(w->buf + w->len, w->size - w->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		w->len += (size_t)n < w->size - w->len ? (size_t)n : w->size - w->len - 1;
}

/* A text as long as there is room for beside others, cut between two words. */
static void add_cut(struct words *w, const char *text)
{
	size_t n = PART_MAX;

	if (strlen(text) <= n) {
		add(w, "%s", text);
		return;
	}
	while (n && text[n] != ' ')
		n--;
	while (n && strchr(" ,;:(", text[n - 1]))
		n--;
	add(w, "%.*s…", (int)(n ? n : PART_MAX), text);
}

static bool failed(const struct pctl_part *part)
{
	return part->asked && !part->ok;
}

/* Whether it is told of by its state: it did not fail, or what failed was not the reading. */
static bool tells_state(const struct pctl_part *part, enum pctl_power_state state)
{
	return part->asked && part->read && part->state == state;
}

/* "a, b and c" of those parts that stand; returns how many there are. */
static size_t add_names(struct words *w, const struct pctl_joint *j, const bool *which)
{
	size_t count = 0, told = 0;

	for (size_t i = 0; i < j->n; i++)
		count += which[i];
	for (size_t i = 0; i < j->n; i++) {
		if (!which[i])
			continue;
		told++;
		add(w, "%s%s",
			told == 1       ? ""
			: told == count ? " and "
					: ", ",
			j->parts[i].feed->name);
	}
	return count;
}

const char *pctl_joint_names(
	const struct pctl_joint *j, pctl_part_fn *which, char *buf, size_t size)
{
	bool chosen[PCTL_FEEDS_MAX] = { false };
	struct words w = { buf, size, 0 };

	*buf = '\0';
	for (size_t i = 0; i < j->n; i++)
		chosen[i] = which(&j->parts[i]);
	(void)add_names(&w, j, chosen);
	return buf;
}

/* Equal failures, as of two outlets of one strip, are told once. */
static void add_failures(struct words *w, const struct pctl_joint *j)
{
	bool told[PCTL_FEEDS_MAX] = { false };

	for (size_t i = 0; i < j->n; i++) {
		const struct pctl_part *part = &j->parts[i];
		bool same[PCTL_FEEDS_MAX] = { false };

		if (told[i] || !failed(part))
			continue;
		for (size_t k = i; k < j->n; k++)
			same[k] = failed(&j->parts[k]) && !told[k] &&
				  j->parts[k].error.code == part->error.code &&
				  strcmp(j->parts[k].error.text, part->error.text) == 0;
		for (size_t k = i; k < j->n; k++)
			told[k] |= same[k];
		add(w, "%s", w->len ? "; " : "");
		(void)add_names(w, j, same);
		add(w, ": ");
		add_cut(w, part->error.text);
	}
}

static void add_states(struct words *w, const struct pctl_joint *j)
{
	for (int s = 0; pctl_power_state_name((enum pctl_power_state)s); s++) {
		bool which[PCTL_FEEDS_MAX] = { false };
		size_t n = 0;

		for (size_t i = 0; i < j->n; i++) {
			which[i] = tells_state(&j->parts[i], (enum pctl_power_state)s);
			n += which[i];
		}
		if (!n)
			continue;
		add(w, "%s", w->len ? "; " : "");
		(void)add_names(w, j, which);
		add(w, n > 1 ? " are %s" : " is %s",
			pctl_power_state_name((enum pctl_power_state)s));
	}
}

const char *pctl_joint_words(const struct pctl_joint *j, char *buf, size_t size)
{
	struct words w = { buf, size, 0 };

	*buf = '\0';
	add_failures(&w, j);
	add_states(&w, j);
	return buf;
}
