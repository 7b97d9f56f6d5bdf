/* SPDX-License-Identifier: Apache-2.0 */
#include "methods.h"

#include <ctype.h>
#include <string.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "asked.h"
#include "command.h"
#include "property.h"
#include "run.h"
#include "say.h"
#include "text.h"

#define WORDS_MAX  512u
#define COLUMN     28
#define LOWER      "abcdefghijklmnopqrstuvwxyz"
#define DIGITS     "0123456789"
#define USAGE_TAIL "[PARAMETER=VALUE ...] NODES"

/* --- Drivers. --------------------------------------------------------------------------------- */

/* Whether there is a plugin of that name. None is loaded for that. */
static bool is_driver(struct cli *cli, const char *word)
{
	if (!*word || strspn(word, LOWER DIGITS) != strlen(word))
		return false;
	struct pctl_names *names = pctl_names_new();
	pctl_core_driver_names(cli_core(cli), names);
	bool there = pctl_names_has(names, word);
	pctl_names_free(names);
	return there;
}

char *method_nearest_driver(struct cli *cli, const char *word)
{
	struct pctl_names *names = pctl_names_new();
	const char *words[WORDS_MAX + 1] = { NULL };

	pctl_core_driver_names(cli_core(cli), names);
	for (size_t i = 0; i < pctl_names_count(names) && i < WORDS_MAX; i++)
		words[i] = pctl_names_at(names, i);
	const char *near = pctl_parse_nearest(word, words);
	char *copy = near ? pctl_xstrdup(near) : NULL;
	pctl_names_free(names);
	return copy;
}

int method_driver(
	struct cli *cli, const char *name, const struct pctl_driver **ret, struct pctl_error *err)
{
	int r = pctl_core_driver(cli_core(cli), name, ret, err);
	PCTL_AUTO(free) char *near = r < 0 ? method_nearest_driver(cli, name) : NULL;

	/* A driver may be there and have been refused. */
	if (near && strcmp(near, name) != 0) {
		PCTL_AUTO(free) char *text = pctl_xstrdup(err->text);

		(void)pctl_error_set(err, err->code, "%s; did you mean '%s'?", text, near);
	}
	return r;
}

static const struct pctl_method *find(const struct pctl_driver *d, const char *name)
{
	for (const struct pctl_method *m = d->methods; m && m->name; m++)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}

/* `a b` stands for a-b too. Returns how many of words (NULL: none) are its name; 0: no method. */
static size_t find_words(
	const struct pctl_driver *d, const char *const *words, const struct pctl_method **ret)
{
	*ret = words[0] ? find(d, words[0]) : NULL;
	if (*ret)
		return 1;
	if (!words[0] || !words[1])
		return 0;
	PCTL_AUTO(free) char *name = pctl_xasprintf("%s-%s", words[0], words[1]);
	*ret = find(d, name);
	return *ret ? 2 : 0;
}

/* The methods whose names begin with word and a hyphen: "get, put"; NULL: there are none. */
static char *second_words(const struct pctl_driver *d, const char *word)
{
	size_t len = strlen(word);
	struct pctl_buf buf;

	pctl_buf_init(&buf, TEXT_ANSWER_MAX);
	for (const struct pctl_method *m = d->methods; m && m->name; m++)
		if (strncmp(m->name, word, len) == 0 && m->name[len] == '-')
			pctl_buf_addf(&buf, "%s%s", buf.len ? ", " : "", m->name + len + 1);
	if (buf.len)
		return pctl_buf_steal(&buf);
	pctl_buf_done(&buf);
	return NULL;
}

static void no_method(const struct pctl_driver *d, const char *method)
{
	const char *words[WORDS_MAX + 1] = { NULL };
	size_t n = 0;

	for (const struct pctl_method *m = d->methods; m && m->name && n < WORDS_MAX; m++)
		words[n++] = m->name;
	PCTL_AUTO(free) char *seconds = second_words(d, method);
	const char *near = seconds ? NULL : pctl_parse_nearest(method, words);
	if (seconds)
		say("%s %s needs a second word: %s", d->name, method, seconds);
	else if (near)
		say("driver %s has no method '%s'; did you mean '%s'?", d->name, method, near);
	else if (command_find(method))
		say("driver %s has no method '%s'; the verb is: powerctl %s NODES", d->name, method,
			method);
	else if (n)
		say("driver %s has no method '%s'; `powerctl help %s` lists them", d->name, method,
			d->name);
	else
		say("driver %s has no methods of its own", d->name);
}

/* CLI_OK with both, or with *ret_method NULL where words has none; how many words name it. */
static int load(struct cli *cli, const char *driver, const char *const *words,
	const struct pctl_driver **ret, const struct pctl_method **ret_method, size_t *ret_n)
{
	struct pctl_error err = { 0 };

	*ret_method = NULL;
	*ret_n = 0;
	if (pctl_core_driver(cli_core(cli), driver, ret, &err) < 0) {
		say("%s", err.text);
		return CLI_USAGE;
	}
	if (!words[0])
		return CLI_OK;
	*ret_n = find_words(*ret, words, ret_method);
	if (*ret_n)
		return CLI_OK;
	no_method(*ret, words[0]);
	return CLI_USAGE;
}

/* --- Help. ------------------------------------------------------------------------------------ */

static const struct {
	uint32_t flag;
	const char *words;
} flag_rows[] = {
	{ PCTL_METHOD_CHANGES, "changes the device" },
	{ PCTL_METHOD_DISRUPTS, "disrupts what runs on the machine" },
	{ PCTL_METHOD_CONFIRM, "asks first" },
};
#define FLAG_ROWS (sizeof(flag_rows) / sizeof(flag_rows[0]))

struct pctl_property method_parameter(const struct pctl_property *p, char **ret_name)
{
	struct pctl_property shown = *p;

	*ret_name = NULL;
	if (p->flags & PCTL_PROPERTY_SECRET) {
		shown.name = *ret_name = pctl_xasprintf("%s_file", p->name);
		shown.type = PCTL_TYPE_FILE;
		shown.flags &= ~PCTL_PROPERTY_SECRET;
	}
	return shown;
}

static void add_upper(struct pctl_buf *buf, const char *word)
{
	for (; *word; word++)
		pctl_buf_addf(buf, "%c", toupper((unsigned char)*word));
}

/* "CLASS text=TEXT [times=NUMBER] NODES" */
static char *usage_of(const struct pctl_method *m)
{
	struct pctl_buf buf;

	pctl_buf_init(&buf, TEXT_ANSWER_MAX);
	for (const struct pctl_property *p = m->parameters; p && p->name; p++) {
		PCTL_AUTO(free) char *name = NULL;
		const struct pctl_property shown = method_parameter(p, &name);

		if (p->flags & PCTL_PROPERTY_WORD)
			add_upper(&buf, p->name);
		else
			property_usage(&buf, &shown);
		pctl_buf_adds(&buf, " ");
	}
	pctl_buf_adds(&buf, "NODES");
	return pctl_buf_steal(&buf);
}

/* "read a text back (changes the device; asks first)" */
static void add_help(struct pctl_buf *buf, const struct pctl_method *m)
{
	bool first = true;

	text_clean(buf, m->help);
	for (size_t i = 0; i < FLAG_ROWS; i++) {
		if (!(m->flags & flag_rows[i].flag))
			continue;
		if (flag_rows[i].flag == PCTL_METHOD_CHANGES && (m->flags & PCTL_METHOD_DISRUPTS))
			continue;
		pctl_buf_addf(buf, "%s%s", first ? " (" : "; ", flag_rows[i].words);
		first = false;
	}
	if (m->flags & PCTL_METHOD_READS_BARE && !first)
		pctl_buf_adds(buf, "; without parameters it only reads");
	pctl_buf_adds(buf, first ? "" : ")");
}

static void add_parameters(struct pctl_buf *buf, const struct pctl_method *m, int indent)
{
	for (const struct pctl_property *p = m->parameters; p && p->name; p++) {
		PCTL_AUTO(free) char *name = NULL;
		const struct pctl_property shown = method_parameter(p, &name);

		pctl_buf_addf(buf, "\n%*s%-*s %s%s", indent, "", COLUMN - indent, shown.name,
			p->help ? p->help : "", p->help ? ": " : "");
		property_describe(buf, &shown);
		if (p->type == PCTL_TYPE_TEXTS)
			pctl_buf_addf(buf, ": say %s= again for each", p->name);
		else if (p->type == PCTL_TYPE_FLAGS)
			pctl_buf_adds(buf, "; with commas between them");
		else if (p->flags & PCTL_PROPERTY_SECRET)
			pctl_buf_adds(buf, " that holds it; - asks for it");
	}
}

static void list_methods(const struct pctl_driver *d)
{
	struct pctl_buf buf;

	if (!d->methods || !d->methods->name) {
		(void)printf("driver %s (%s) has no methods of its own; `powerctl drivers %s` "
			     "lists its settings\n",
			d->name, d->summary, d->name);
		return;
	}
	pctl_buf_init(&buf, TEXT_ANSWER_MAX);
	pctl_buf_addf(
		&buf, "usage: powerctl [options] %s METHOD " USAGE_TAIL "\n\nMethods:", d->name);
	for (const struct pctl_method *m = d->methods; m->name; m++) {
		PCTL_AUTO(free) char *usage = usage_of(m);

		pctl_buf_addf(&buf, "\n  %s %s\n      ", m->name, usage);
		add_help(&buf, m);
		add_parameters(&buf, m, 8);
	}
	(void)printf("%s\n\n`powerctl help %s METHOD` lists the options of one, `powerctl drivers "
		     "%s` the driver's settings.\n",
		buf.data, d->name, d->name);
	pctl_buf_done(&buf);
}

void method_overview(FILE *out)
{
	(void)fputs("  DRIVER METHOD [PARAMETER=VALUE ...] NODES\n"
		    "                                what only one driver can do: `powerctl help "
		    "DRIVER` lists it\n",
		out);
}

/* --- The method as a command. ----------------------------------------------------------------- */

struct call {
	struct command command;
	char *name, *usage, *help;
};

static const enum option_id *options_of(const struct pctl_method *m)
{
	static const enum option_id change[] = { OPTIONS_CHANGE, OPTION_COUNT };
	static const enum option_id confirm[] = { OPTIONS_CHANGE, OPTION_YES, OPTION_COUNT };
	static const enum option_id disrupt[] = { OPTIONS_DISRUPT, OPTION_COUNT };

	if (m->flags & PCTL_METHOD_DISRUPTS)
		return disrupt;
	return m->flags & PCTL_METHOD_CONFIRM ? confirm : change;
}

size_t method_find(struct cli *cli, const char *const *words, const struct pctl_method **ret)
{
	const struct pctl_driver *d = NULL;

	*ret = NULL;
	if (!is_driver(cli, words[0]) || pctl_core_driver(cli_core(cli), words[0], &d, NULL) < 0)
		return 0;
	return find_words(d, words + 1, ret);
}

const enum option_id *method_options(struct cli *cli, const char *const *words)
{
	const struct pctl_method *m = NULL;

	return method_find(cli, words, &m) ? options_of(m) : NULL;
}

static void call_init(struct call *c, const char *const *words)
{
	bool method = words[0] && words[1];

	*c = (struct call){ .name = pctl_xasprintf("%s%s%s", words[0] ? words[0] : "",
				    method ? " " : "", method ? words[1] : "") };
	c->command.name = c->name;
	c->command.flags = COMMAND_NODES;
	c->command.verb = PCTL_VERB_METHOD;
}

static void call_take(struct call *c, const char *driver, const struct pctl_method *m)
{
	struct pctl_buf help;

	free(c->name);
	c->name = pctl_xasprintf("%s %s", driver, m->name);
	c->command.name = c->name;
	pctl_buf_init(&help, TEXT_ANSWER_MAX);
	add_help(&help, m);
	if (m->parameters && m->parameters->name)
		pctl_buf_adds(&help, "\n\nParameters:");
	add_parameters(&help, m, 2);
	c->help = pctl_buf_steal(&help);
	c->usage = usage_of(m);
	c->command.usage = c->usage;
	c->command.help = c->help;
	c->command.options = options_of(m);
}

static void call_done(struct call *c)
{
	free(c->name);
	free(c->usage);
	free(c->help);
}

/* NAME=VALUE. A URL may have a `=` behind its `://`. */
static bool is_parameter(const char *word)
{
	size_t len = strcspn(word, "=:[");

	return word[len] == '=';
}

static enum pctl_type type_of(const struct pctl_method *m, const char *name)
{
	for (const struct pctl_property *p = m->parameters; p && p->name; p++)
		if (strcmp(p->name, name) == 0)
			return p->type;
	return PCTL_TYPE_TEXT;
}

/* One that takes a list may come again; words of one with fixed words may have commas instead. */
static bool take_parameter(
	const struct pctl_method *m, const char *key, const char *value, struct pctl_value *map)
{
	enum pctl_type type = type_of(m, key);
	struct pctl_value *list = pctl_value_get(map, key);

	if (type != PCTL_TYPE_TEXTS && type != PCTL_TYPE_FLAGS) {
		if (!list)
			pctl_value_set_text(map, key, value);
		return !list;
	}
	if (!list) {
		list = pctl_value_new_list();
		pctl_value_set(map, key, list);
	}
	while (type == PCTL_TYPE_FLAGS && strchr(value, ',')) {
		size_t len = strcspn(value, ",");
		PCTL_AUTO(free) char *word = pctl_xstrndup(value, len);

		pctl_value_add(list, pctl_value_new_text(word));
		value += len + 1;
	}
	pctl_value_add(list, pctl_value_new_text(value));
	return true;
}

/* Takes the parameters off the front of the words. */
static int take_parameters(struct cli *cli, const struct pctl_method *m, const char *const *words,
	struct pctl_value *map)
{
	for (const struct pctl_property *p = m->parameters;
		p && p->name && (p->flags & PCTL_PROPERTY_WORD) && *words && !is_parameter(*words);
		p++, words++)
		pctl_value_set_text(map, p->name, *words);
	for (; *words && is_parameter(*words); words++) {
		PCTL_AUTO(free) char *key = pctl_xstrndup(*words, strcspn(*words, "="));

		if (!take_parameter(m, key, *words + strlen(key) + 1, map)) {
			say("%s is given twice: leave one of them out", key);
			return CLI_USAGE;
		}
	}
	cli->args = words;
	for (cli->nargs = 0; words[cli->nargs]; cli->nargs++) {
		const char *word = words[cli->nargs];

		if (!is_parameter(word))
			continue;
		say("'%s' stands behind nodes; nodes come last: powerctl %s %s %s", word,
			cli->command->name, word, words[0]);
		return CLI_USAGE;
	}
	return CLI_OK;
}

/* `null echo text hi n1`: the words are read as nodes. */
static void hint_at_parameter(const struct cli *cli, const struct pctl_method *m)
{
	for (const struct pctl_property *p = m->parameters; p && p->name && cli->args[0]; p++)
		if (strcmp(p->name, cli->args[0]) == 0)
			say("parameters are written NAME=VALUE: powerctl %s %s=VALUE NODES",
				cli->command->name, p->name);
}

static int run(struct cli *cli, const struct pctl_method *method, const char *const *words)
{
	struct pctl_request request = run_request_from(cli, PCTL_VERB_METHOD);
	struct pctl_value *map = pctl_value_new_map();
	struct asked asked = { .n = 0 };
	struct selection selection;
	struct pctl_error err = { 0 };

	request.driver = cli->options.words.v[0];
	request.method = method->name;
	request.arguments = map;
	int status = take_parameters(cli, method, words, map);
	if (status == CLI_OK)
		status = command_check_words(cli);
	if (status == CLI_OK) {
		status = select_nodes(cli, cli->args, &selection);
		if (status != CLI_OK)
			hint_at_parameter(cli, method);
	}
	if (status == CLI_OK) {
		if (asked_take(&asked, method, map, &err) < 0) {
			say("%s", err.text);
			status = CLI_USAGE;
		} else {
			status = run_request(cli, &selection, &request, NULL);
		}
		selection_done(&selection);
	}
	asked_done(&asked);
	pctl_value_free(map);
	return status;
}

static int exec(struct cli *cli, struct call *c, const char *const *words)
{
	const struct pctl_driver *driver = NULL;
	const struct pctl_method *method = NULL;
	struct pctl_error err = { 0 };
	size_t n = 0;

	if (!is_driver(cli, words[0]))
		return command_unknown(cli, words);
	int status = load(cli, words[0], words + 1, &driver, &method, &n);
	if (status != CLI_OK)
		return status;
	if (!method) {
		list_methods(driver);
		return CLI_OK;
	}
	call_take(c, words[0], method);
	if (cli->options.help) {
		help_command(stdout, &c->command);
		return CLI_OK;
	}
	if (options_check(&cli->options, c->command.options, c->name, &err) < 0) {
		say("%s", err.text);
		return CLI_USAGE;
	}
	return run(cli, method, words + 1 + n);
}

static const struct command nothing = { .name = "" };

int method_exec(struct cli *cli)
{
	struct call c;

	call_init(&c, cli->options.words.v);
	cli->command = &c.command; /* also says who we are where the core is made */
	int status = exec(cli, &c, cli->options.words.v);
	cli->command = &nothing;
	call_done(&c);
	return status;
}

int method_help(struct cli *cli)
{
	const struct pctl_driver *driver = NULL;
	const struct pctl_method *method = NULL;
	struct call c;
	size_t n = 0;

	if (!is_driver(cli, cli->args[0]))
		return command_unknown(cli, cli->args);
	int status = load(cli, cli->args[0], cli->args + 1, &driver, &method, &n);
	if (status != CLI_OK)
		return status;
	if (!method) {
		list_methods(driver);
		return CLI_OK;
	}
	call_init(&c, cli->args);
	call_take(&c, cli->args[0], method);
	help_command(stdout, &c.command);
	call_done(&c);
	return CLI_OK;
}

/* --- As JSON. --------------------------------------------------------------------------------- */

struct pctl_value *method_list(const struct pctl_driver *d)
{
	struct pctl_value *list = pctl_value_new_list();

	for (const struct pctl_method *m = d->methods; m && m->name; m++) {
		struct pctl_value *map = pctl_value_new_map();

		pctl_value_set_text(map, "name", m->name);
		pctl_value_set_text(map, "help", m->help);
		pctl_value_set_bool(
			map, "changes", m->flags & (PCTL_METHOD_CHANGES | PCTL_METHOD_DISRUPTS));
		pctl_value_set_bool(map, "disrupts", m->flags & PCTL_METHOD_DISRUPTS);
		pctl_value_set_bool(map, "confirm", m->flags & PCTL_METHOD_CONFIRM);
		pctl_value_set_bool(map, "reads_bare", m->flags & PCTL_METHOD_READS_BARE);
		pctl_value_set(map, "parameters", property_list(m->parameters));
		pctl_value_add(list, map);
	}
	return list;
}
