/* SPDX-License-Identifier: Apache-2.0 */
#include "select.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>

#include "failed.h"
#include "login.h"
#include "say.h"

#define STDIN_MAX (64u << 20)

/* Words of our own, NULL-terminated. */
struct list {
	char **v;
	size_t n, cap;
};

static void list_take(struct list *list, char *take_word)
{
	list->v = pctl_xgrow(list->v, &list->cap, list->n + 2, sizeof(*list->v));
	list->v[list->n++] = take_word;
	list->v[list->n] = NULL;
}

static void list_done(struct list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i]);
	free(list->v);
}

/* Blanks and line breaks part words; `#` at the start of a word makes the rest of its line a note.
 */
static void split(struct list *list, const char *s)
{
	while (*s) {
		s += strspn(s, " \t\r\n");
		size_t len = strcspn(s, " \t\r\n");
		if (*s == '#')
			len = strcspn(s, "\n");
		else if (len > 0)
			list_take(list, pctl_xstrndup(s, len));
		s += len;
	}
}

static int read_stdin(struct list *list)
{
	struct pctl_buf buf;
	char chunk[16384];
	ssize_t n;

	pctl_buf_init(&buf, STDIN_MAX);
	while ((n = read(STDIN_FILENO, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0)
			pctl_buf_add(&buf, chunk, (size_t)n);
	}
	bool bad = n < 0 || buf.full;
	if (n < 0)
		say("the nodes cannot be read from standard input: %s", strerror(errno));
	else if (buf.full)
		say("standard input holds more than %u MiB of node names", STDIN_MAX >> 20);
	else
		split(list, buf.data);
	pctl_buf_done(&buf);
	return bad ? CLI_USAGE : CLI_OK;
}

/*
 * No group, tag or operator, no URL, not standard input. Whether the inventory has them is found
 * with all other mistakes.
 */
bool select_is_names(const char *word)
{
	return *word && *word != '-' && !strpbrk(word, "@%*!&^ \t\r\n") &&
	       !pctl_inventory_is_url(word);
}

/* With --names words come from outside. */
static int check_names(const char *const *words)
{
	int status = CLI_OK;

	for (; words && *words; words++) {
		if (select_is_names(*words))
			continue;
		say("'%.200s' is no name or range of names, and --names takes nothing else",
			*words);
		status = CLI_USAGE;
	}
	return status;
}

/* The words, with `-` replaced by what standard input holds. */
static int gather(
	const struct cli *cli, const char *const *words, bool *stdin_read, struct list *ret)
{
	if (cli->options.names && check_names(words) != CLI_OK)
		return CLI_USAGE;
	for (; words && *words; words++) {
		if (strcmp(*words, "-") != 0) {
			list_take(ret, pctl_xstrdup(*words));
			continue;
		}
		if (*stdin_read || cli->options.password_stdin) {
			say("standard input can be read only once: `-` stands beside %s",
				*stdin_read ? "another `-`" : "--password-stdin");
			return CLI_USAGE;
		}
		*stdin_read = true;
		int status = read_stdin(ret);
		if (status != CLI_OK)
			return status;
	}
	return CLI_OK;
}

int select_words(const struct cli *cli, const char *const *words, struct pctl_names *out)
{
	struct list list = { 0 };
	bool stdin_read = false;
	int status = gather(cli, words, &stdin_read, &list);

	for (size_t i = 0; status == CLI_OK && i < list.n; i++)
		pctl_names_add(out, list.v[i]);
	list_done(&list);
	return status;
}

static bool only_urls(const struct list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (!pctl_inventory_is_url(list->v[i]))
			return false;
	return list->n > 0;
}

/* A group of that name in the inventory goes first. */
static bool is_failed(const struct cli *cli, const char *word)
{
	if (strcmp(word, "@failed") != 0)
		return false;
	for (size_t i = 0; i < pctl_inventory_group_count(cli->inventory); i++)
		if (strcmp(pctl_inventory_group_name(cli->inventory, i), "failed") == 0)
			return false;
	return true;
}

/*
 * Another inventory, or one that was edited since, may not have all of them. To choose none of them
 * is a mistake; to exclude none is a good day.
 */
static int add_failed(
	const struct cli *cli, bool exclude, struct list *list, struct pctl_error *err)
{
	struct pctl_names *names = pctl_names_new(), *known = pctl_names_new();

	int r = failed_load(names, err);
	for (size_t i = 0; i < pctl_names_count(names); i++)
		if (pctl_inventory_index(cli->inventory, pctl_names_at(names, i)) >= 0)
			(void)pctl_names_add(known, pctl_names_at(names, i));
	if (r == 0 && pctl_names_count(known) > 0)
		list_take(list, pctl_names_fold(known));
	else if (r == 0 && !exclude)
		r = pctl_error_set(err, PCTL_E_CONFIG, "@failed: no node %s",
			pctl_names_count(names) == 0
				? "failed in your last command"
				: "that failed in your last command is in this inventory");
	pctl_names_free(names);
	pctl_names_free(known);
	return r;
}

/* Replaces what only the command line knows: @failed, and URLs without a login. */
static int resolve(struct cli *cli, const struct list *words, bool exclude, struct list *ret)
{
	PCTL_AUTO(free) char *secret_path = NULL;
	int status = CLI_OK;

	for (size_t i = 0; i < words->n; i++) {
		struct pctl_error err = { 0 };
		char *url = NULL;
		int r = 0;

		if (is_failed(cli, words->v[i])) {
			r = add_failed(cli, exclude, ret, &err);
		} else if (pctl_inventory_is_url(words->v[i])) {
			r = login_url(cli, words->v[i], &secret_path, &url, &err);
			if (r == 0)
				list_take(ret, url);
		} else {
			list_take(ret, pctl_xstrdup(words->v[i]));
		}
		if (r < 0) {
			say("%s", err.text);
			status = CLI_USAGE;
		}
	}
	return status;
}

static int select_resolved(struct cli *cli, bool all, const struct list *words,
	const struct list *exclude, struct selection *ret)
{
	static const char *const none[] = { NULL };
	struct pctl_problems *problems = pctl_problems_new();
	const struct pctl_selection selection = {
		.words = all        ? NULL
			 : words->n ? (const char *const *)words->v
				    : none,
		.exclude = (const char *const *)exclude->v,
	};

	int r = pctl_inventory_select(
		cli->inventory, &selection, &ret->nodes, &ret->count, problems);
	say_problems(problems);
	pctl_problems_free(problems);
	return r < 0 ? CLI_USAGE : CLI_OK;
}

/* Everything that stands in what is selected, and in that; what -x names stays out. */
static int add_children(struct cli *cli, const struct list *exclude, struct selection *ret)
{
	struct list names = { 0 };
	int64_t child;

	for (size_t i = 0; i < ret->count; i++)
		list_take(&names, pctl_xstrdup(pctl_inventory_name(cli->inventory, ret->nodes[i])));
	for (size_t i = 0; i < names.n; i++) {
		int64_t node = pctl_inventory_index(cli->inventory, names.v[i]);

		for (size_t k = 0; node >= 0 && (child = pctl_inventory_child(
							 cli->inventory, (size_t)node, k)) >= 0;
			k++)
			list_take(&names,
				pctl_xstrdup(pctl_inventory_name(cli->inventory, (size_t)child)));
	}
	selection_done(ret);
	int status = select_resolved(cli, false, &names, exclude, ret);
	list_done(&names);
	return status;
}

static void say_empty(const struct cli *cli, bool all)
{
	const char *path = pctl_inventory_path(cli->inventory);

	if (cli->options.exclude.n > 0)
		say("no node is left: -x excludes all that were named");
	else if (all && path)
		say("%s has no nodes yet; `powerctl add NAME ADDRESS` adds one", path);
	else
		say("no node is selected: what is named stands for none");
}

int select_nodes(struct cli *cli, const char *const *words, struct selection *ret)
{
	bool all = cli->options.all || !words || !*words;
	struct list named = { 0 }, resolved = { 0 }, excluded = { 0 }, exclude = { 0 };
	bool read = false;
	int status = gather(cli, all ? NULL : words, &read, &named);

	*ret = (struct selection){ 0 };
	if (status == CLI_OK)
		status = gather(cli, cli->options.exclude.v, &read, &excluded);
	if (status == CLI_OK)
		status = cli_inventory(cli, only_urls(&named));
	if (status == CLI_OK)
		status = resolve(cli, &named, false, &resolved);
	if (status == CLI_OK)
		status = resolve(cli, &excluded, true, &exclude);
	if (status == CLI_OK)
		status = select_resolved(cli, all, &resolved, &exclude, ret);
	if (status == CLI_OK && ret->count && cli->options.with_children)
		status = add_children(cli, &exclude, ret);
	if (status == CLI_OK && ret->count == 0) {
		say_empty(cli, all);
		status = CLI_USAGE;
	}
	list_done(&named);
	list_done(&resolved);
	list_done(&excluded);
	list_done(&exclude);
	if (status != CLI_OK)
		selection_done(ret);
	return status;
}

/* --- Names that need not be anybody's. -------------------------------------------------------- */

static bool wants_inventory(const struct list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (!pctl_inventory_is_url(list->v[i]) && strpbrk(list->v[i], "@%*"))
			return true;
	return false;
}

static int expand(struct cli *cli, const struct list *words, struct pctl_names *out)
{
	struct pctl_names_resolver resolver = pctl_inventory_resolver(cli->inventory);
	struct pctl_problems *problems = pctl_problems_new();
	const struct pctl_place nowhere = { 0 };

	for (size_t i = 0; i < words->n; i++) {
		const char *word = words->v[i];
		struct pctl_error err = { 0 };
		struct list failed = { 0 };
		int r = 0;

		if (pctl_inventory_is_url(word))
			r = pctl_inventory_add_url(cli->inventory, word, out, &err);
		else if (!is_failed(cli, word))
			r = pctl_names_expand(out, word, &resolver, NULL, &err);
		else if ((r = add_failed(cli, false, &failed, &err)) == 0 && failed.n > 0)
			r = pctl_names_expand(out, failed.v[0], NULL, NULL, &err);
		if (r < 0 && is_failed(cli, word)) /* the text begins with it */
			pctl_problems_add(problems, nowhere, "%s", err.text);
		else if (r < 0)
			pctl_problems_add(problems, nowhere, "'%.200s': %s", word, err.text);
		list_done(&failed);
	}
	int status = pctl_problems_count(problems) ? CLI_USAGE : CLI_OK;
	say_problems(problems);
	pctl_problems_free(problems);
	return status;
}

static void take_rest(
	const struct pctl_names *named, const struct pctl_names *excluded, struct pctl_names *out)
{
	for (size_t i = 0; i < pctl_names_count(named); i++)
		if (!pctl_names_has(excluded, pctl_names_at(named, i)))
			(void)pctl_names_add(out, pctl_names_at(named, i));
}

int select_names(struct cli *cli, const char *const *words, struct pctl_names *out)
{
	static const char *const everything[] = { "*", NULL };
	struct pctl_names *named = pctl_names_new(), *excluded = pctl_names_new();
	struct list in = { 0 }, without = { 0 };
	bool read = false;

	int status = gather(cli, cli->options.all ? everything : words, &read, &in);
	if (status == CLI_OK)
		status = gather(cli, cli->options.exclude.v, &read, &without);
	if (status == CLI_OK)
		status = cli_inventory(cli, !wants_inventory(&in) && !wants_inventory(&without));
	if (status == CLI_OK)
		status = expand(cli, &in, named);
	if (status == CLI_OK)
		status = expand(cli, &without, excluded);
	if (status == CLI_OK)
		take_rest(named, excluded, out);
	list_done(&in);
	list_done(&without);
	pctl_names_free(named);
	pctl_names_free(excluded);
	return status;
}

void selection_done(struct selection *selection)
{
	free(selection->nodes);
	*selection = (struct selection){ 0 };
}

char *selection_fold(const struct cli *cli, const struct selection *selection)
{
	struct pctl_names *names = pctl_names_new();

	for (size_t i = 0; i < selection->count; i++)
		(void)pctl_names_add(
			names, pctl_inventory_name(cli->inventory, selection->nodes[i]));
	char *folded = pctl_names_fold(names);
	pctl_names_free(names);
	return folded;
}
