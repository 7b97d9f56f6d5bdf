/* SPDX-License-Identifier: Apache-2.0 */
#include "tally.h"

#include <string.h>

#include "cli.h"
#include "render.h"
#include "text.h"

/* In the order of the summary. Another word counts as the last. */
static const char *const words[TALLY_WORDS] = { "on", "off", "sleep", "hibernate", "unknown",
	"accepted", "skipped", "ok" };

void tally_add(struct tally *t, const struct pctl_result *r)
{
	size_t i = 0, class = (size_t)-r->error.code;

	t->done++;
	if (!r->ok) {
		t->failed++;
		t->classes[class < TALLY_CLASSES ? class : (size_t)-PCTL_E_INTERNAL]++;
		return;
	}
	while (i < TALLY_WORDS - 1 && strcmp(words[i], render_word(r)) != 0)
		i++;
	t->words[i]++;
}

static void add_count(struct pctl_buf *buf, const char *before, size_t n, const char *what)
{
	char number[TEXT_COUNT_SIZE];

	pctl_buf_addf(buf, "%s%s %s", before, text_count(n, number), what);
}

/* The classes, the most frequent first. */
static void add_classes(const struct tally *t, struct pctl_buf *buf)
{
	bool said[TALLY_CLASSES] = { false };

	for (bool first = true;; first = false) {
		size_t most = 0;

		for (size_t i = 1; i < TALLY_CLASSES; i++)
			if (!said[i] && t->classes[i] > (most ? t->classes[most] : 0))
				most = i;
		if (!most)
			return;
		said[most] = true;
		add_count(buf, first ? " (" : ", ", t->classes[most], pctl_error_name(-(int)most));
	}
}

void tally_words(const struct tally *t, struct pctl_buf *ret)
{
	for (size_t i = 0; i < TALLY_WORDS; i++)
		if (t->words[i])
			add_count(ret, ret->len ? ", " : "", t->words[i], words[i]);
}

void tally_summary(const struct tally *t, struct pctl_buf *ret)
{
	tally_words(t, ret);
	if (!t->failed)
		return;
	add_count(ret, ret->len ? ", " : "", t->failed, "failed");
	add_classes(t, ret);
	pctl_buf_adds(ret, ")");
}

static size_t of(const struct tally *t, int code)
{
	return t->classes[-code];
}

int tally_status(const struct tally *t, bool by_class)
{
	if (!t->failed)
		return CLI_OK;
	if (!by_class)
		return CLI_FAILED;
	if (of(t, PCTL_E_UNREACHABLE) == t->failed)
		return CLI_UNREACHABLE;
	if (of(t, PCTL_E_AUTH) + of(t, PCTL_E_TRUST) == t->failed)
		return CLI_AUTH;
	if (of(t, PCTL_E_TIMEOUT) + of(t, PCTL_E_OUTCOME_UNKNOWN) == t->failed)
		return CLI_TIMEOUT;
	return CLI_FAILED;
}
