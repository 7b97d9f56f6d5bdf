/* SPDX-License-Identifier: Apache-2.0 */
/* What the arguments of a method say about each other, and the files that they name. */
#include "driver/method.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>

#define WORDS_MAX 4096u

/* The next of words, copied; NULL: there is no more. free() it. */
static char *take_word(const char **words)
{
	const char *begin = *words ? *words + strspn(*words, " ") : "";
	size_t len = strcspn(begin, " ");

	*words = begin + len;
	return len ? pctl_xstrndup(begin, len) : NULL;
}

/* As it is typed. */
static void add_name(struct pctl_buf *buf, const struct pctl_setting *s)
{
	bool secret = s->property->flags & PCTL_PROPERTY_SECRET;

	pctl_buf_addf(buf, "%s%s", s->property->name, secret ? "_file" : "");
}

const char *pctl_method_wrong_words(const struct pctl_property *table, const char *words)
{
	for (char *word; (word = take_word(&words));) {
		const struct pctl_property *p = table;

		while (p->name && strcmp(p->name, word) != 0)
			p++;
		free(word);
		if (!p->name)
			return "a parameter of a method needs, wants or excludes one that is not "
			       "there";
	}
	return NULL;
}

/* --- What goes together. ---------------------------------------------------------------------- */

static void complain(struct pctl_problems *problems, const char *what, const struct pctl_buf *text)
{
	const struct pctl_place nowhere = { 0 };

	pctl_problems_add(problems, nowhere, "%s: %s", what, text->data);
}

static bool misses_all(
	const struct pctl_settings *all, const struct pctl_setting *s, struct pctl_buf *text)
{
	const char *words = s->property->needs;
	size_t n = 0;

	add_name(text, s);
	pctl_buf_adds(text, " has no effect without ");
	for (char *word; (word = take_word(&words)); n++) {
		const struct pctl_setting *other = pctl_settings_at(all, word);

		free(word);
		if (other->given)
			return false;
		pctl_buf_adds(text, n ? " or " : "");
		add_name(text, other);
	}
	return n > 0;
}

static void find_missing(const struct pctl_settings *all, const struct pctl_setting *s,
	const char *what, struct pctl_problems *problems)
{
	const char *words = s->property->wants;

	for (char *word; (word = take_word(&words)); free(word)) {
		const struct pctl_setting *other = pctl_settings_at(all, word);
		struct pctl_buf text;

		if (other->given)
			continue;
		pctl_buf_init(&text, WORDS_MAX);
		add_name(&text, other);
		pctl_buf_adds(&text, " is missing, which goes with ");
		add_name(&text, s);
		if (other->property->help)
			pctl_buf_addf(&text, ": %s", other->property->help);
		complain(problems, what, &text);
		pctl_buf_done(&text);
	}
}

static void find_excluded(const struct pctl_settings *all, const struct pctl_setting *s,
	const char *what, struct pctl_problems *problems)
{
	const char *words = s->property->excludes;

	for (char *word; (word = take_word(&words)); free(word)) {
		const struct pctl_setting *other = pctl_settings_at(all, word);
		struct pctl_buf text;

		if (!other->given)
			continue;
		pctl_buf_init(&text, WORDS_MAX);
		add_name(&text, s);
		pctl_buf_adds(&text, " and ");
		add_name(&text, other);
		pctl_buf_adds(&text, ": one of them at a time");
		complain(problems, what, &text);
		pctl_buf_done(&text);
	}
}

static void check_rules(const struct pctl_settings *all, const struct pctl_setting *s,
	const char *what, struct pctl_problems *problems)
{
	struct pctl_buf text;

	pctl_buf_init(&text, WORDS_MAX);
	if (s->property->needs && misses_all(all, s, &text))
		complain(problems, what, &text);
	pctl_buf_done(&text);
	find_missing(all, s, what, problems);
	find_excluded(all, s, what, problems);
}

/* --- Files. ----------------------------------------------------------------------------------- */

/* Nothing is taken out of a pipe by this. */
static void check_file(
	const struct pctl_setting *s, const char *what, struct pctl_problems *problems)
{
	const struct pctl_place nowhere = { 0 };
	struct stat st;
	int e = 0;

	if (stat(s->text, &st) < 0 || faccessat(AT_FDCWD, s->text, R_OK, AT_EACCESS) < 0)
		e = errno;
	else if (S_ISDIR(st.st_mode))
		e = EISDIR;
	if (e)
		pctl_problems_add(problems, nowhere, "%s: %s: %s: %s", what, s->property->name,
			s->text, strerror(e));
}

int pctl_arguments_check(
	const struct pctl_arguments *args, const char *what, struct pctl_problems *problems)
{
	const struct pctl_place nowhere = { 0 };
	size_t before = pctl_problems_count(problems);
	struct pctl_error err = { 0 };

	for (size_t i = 0; i < args->settings.n; i++) {
		const struct pctl_setting *s = &args->settings.v[i];

		if (!s->given)
			continue;
		check_rules(&args->settings, s, what, problems);
		if (s->property->type == PCTL_TYPE_FILE && s->text)
			check_file(s, what, problems);
	}
	if (pctl_problems_count(problems) == before && args->method->check &&
		args->method->check(args, &err) < 0)
		pctl_problems_add(problems, nowhere, "%s: %s", what, err.text);
	return pctl_problems_count(problems) > before ? PCTL_E_CONFIG : 0;
}
