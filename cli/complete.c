/* SPDX-License-Identifier: Apache-2.0 */
#include "complete.h"

#include <string.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>

#include "command.h"
#include "import/import.h"
#include "methods.h"
#include "text.h"

/* --- Words that can be offered. --------------------------------------------------------------- */

/* The typed word up to what is begun stays in front. */
static int kept(const struct completion *c)
{
	return (int)(strlen(c->word) - strlen(c->begun));
}

void complete_offer(const struct completion *c, const char *word, const char *help)
{
	struct pctl_buf line;

	if (strncmp(word, c->begun, strlen(c->begun)) != 0)
		return;
	pctl_buf_init(&line, TEXT_LINE_MAX);
	pctl_buf_addf(&line, "%.*s", kept(c), c->word);
	text_clean(&line, word);
	pctl_buf_adds(&line, "\t");
	text_clean(&line, help ? help : "");
	(void)printf("%s\n", line.data);
	pctl_buf_done(&line);
}

static void offer_path(const struct completion *c, const char *kind)
{
	(void)printf(":%s\t%.*s\n", kind, kept(c), c->word);
}

static void offer_names(const struct completion *c, struct pctl_names *take_names)
{
	for (size_t i = 0; i < pctl_names_count(take_names); i++)
		complete_offer(c, pctl_names_at(take_names, i), NULL);
	pctl_names_free(take_names);
}

/* --- The inventory and the drivers. ----------------------------------------------------------- */

const struct pctl_inventory *complete_inventory(struct completion *c)
{
	PCTL_AUTO(free) char *path = NULL;
	bool shadowed;

	if (c->cli->inventory)
		return c->cli->inventory;
	if (pctl_inventory_find(c->cli->options.inventory, &path, &shadowed, NULL) < 0)
		return NULL;
	struct pctl_problems *problems = pctl_problems_new();
	(void)pctl_inventory_load_fresh(path, PCTL_SOURCES_NEVER, &c->cli->inventory, problems);
	pctl_problems_free(problems);
	return c->cli->inventory;
}

static void offer_drivers(struct completion *c, const char *before)
{
	struct pctl_names *names = pctl_names_new();

	(void)before;
	pctl_core_driver_names(cli_core(c->cli), names);
	offer_names(c, names);
}

static const struct pctl_driver *driver_of(struct completion *c, const char *name)
{
	struct pctl_names *names = pctl_names_new();
	const struct pctl_driver *driver = NULL;

	pctl_core_driver_names(cli_core(c->cli), names);
	if (!pctl_names_has(names, name) ||
		pctl_core_driver(cli_core(c->cli), name, &driver, NULL) < 0)
		driver = NULL;
	pctl_names_free(names);
	return driver;
}

/* --- What a word can be. ---------------------------------------------------------------------- */

enum kind {
	NOTHING,
	NODES,
	VERBS,
	DRIVERS,
	DRIVERS_OR_NEW,
	METHODS,
	CLASSES,
	CREDENTIALS,
	TAGS,
	GATEWAYS,
	DEVICES,
	STATES,
	CONSENT,
	SETTINGS,
	SETTINGS_THEN_NODES,
	SELECTOR, /* the value of a driver's */
	FILES,
	FOLDERS,
	FORMATS,
	MEDIA, /* attach, detach, status */
	FILES_OR_NODES,
	ITSELF, /* the option's argument is the one word that it takes */
};

static void offer_devices(struct completion *c, const char *before)
{
	(void)before;
	for (int i = 0; i < PCTL_BOOT_COUNT; i++)
		complete_offer(c, pctl_boot_device_name((enum pctl_boot_device)i), NULL);
}

static void offer_media(struct completion *c, const char *before)
{
	(void)before;
	complete_offer(c, "attach", "put a file or URL into a drive");
	complete_offer(c, "detach", "take out what is there");
	complete_offer(c, "status", "what is there");
}

static void offer_states(struct completion *c, const char *before)
{
	(void)before;
	for (int i = PCTL_POWER_OFF; i <= PCTL_POWER_HIBERNATE; i++)
		complete_offer(c, pctl_power_state_name((enum pctl_power_state)i), NULL);
	complete_offer(c, "ready", "the machine's own test passes");
}

static void offer_consent(struct completion *c, const char *before)
{
	(void)before;
	complete_offer(c, "status", "whether somebody has agreed");
	complete_offer(c, "request", "the machine shows a code");
	complete_offer(c, "submit", "gives the code to the machine");
	complete_offer(c, "cancel", "takes the request back");
}

static void offer_verbs(struct completion *c, const char *before)
{
	(void)before;
	for (size_t i = 0; commands[i]; i++)
		complete_offer(c, commands[i]->name, commands[i]->summary);
	offer_drivers(c, NULL);
}

static void offer_formats(struct completion *c, const char *before)
{
	(void)before;
	for (size_t i = 0; import_formats[i].name; i++)
		complete_offer(c, import_formats[i].name, import_formats[i].help);
}

typedef void list_fn(const struct pctl_inventory *inventory, struct pctl_names *out);

static void offer_inventory(struct completion *c, list_fn *list)
{
	const struct pctl_inventory *inventory = complete_inventory(c);
	struct pctl_names *names = pctl_names_new();

	if (inventory)
		list(inventory, names);
	offer_names(c, names);
}

static void offer_classes(struct completion *c, const char *before)
{
	(void)before;
	offer_inventory(c, pctl_inventory_classes);
}

static void offer_credentials(struct completion *c, const char *before)
{
	(void)before;
	offer_inventory(c, pctl_inventory_credentials);
}

static void offer_tags(struct completion *c, const char *before)
{
	(void)before;
	offer_inventory(c, pctl_inventory_tags);
}

static void offer_methods(struct completion *c, const char *name)
{
	const struct pctl_driver *driver = name ? driver_of(c, name) : NULL;

	for (const struct pctl_method *m = driver ? driver->methods : NULL; m && m->name; m++)
		complete_offer(c, m->name, m->help);
}

static void offer_drivers_or_new(struct completion *c, const char *before)
{
	(void)before;
	complete_offer(c, "new", "the beginning of a driver of your own");
	offer_drivers(c, NULL);
}

static void offer_gateways(struct completion *c, const char *before)
{
	(void)before;
	complete_offer(c, "ssh://", "a host that you log in to with a key");
	complete_offer(c, "socks5://", "a SOCKS server");
}

static void offer_nodes(struct completion *c, const char *before)
{
	(void)before;
	complete_nodes(c);
}

static void offer_settings(struct completion *c, const char *before)
{
	(void)before;
	complete_setting(c);
}

static void offer_settings_then_nodes(struct completion *c, const char *before)
{
	(void)before;
	complete_setting(c);
	if (!strchr(c->word, '='))
		complete_nodes(c);
}

static void offer_files(struct completion *c, const char *before)
{
	(void)before;
	offer_path(c, "files");
}

static void offer_folders(struct completion *c, const char *before)
{
	(void)before;
	offer_path(c, "folders");
}

static void offer_files_or_nodes(struct completion *c, const char *before)
{
	complete_nodes(c);
	offer_files(c, before);
}

/* before: the word that stands before it, or NULL. */
static void (*const offers[])(struct completion *c, const char *before) = {
	[NODES] = offer_nodes,
	[VERBS] = offer_verbs,
	[DRIVERS] = offer_drivers,
	[DRIVERS_OR_NEW] = offer_drivers_or_new,
	[METHODS] = offer_methods,
	[CLASSES] = offer_classes,
	[CREDENTIALS] = offer_credentials,
	[TAGS] = offer_tags,
	[GATEWAYS] = offer_gateways,
	[DEVICES] = offer_devices,
	[STATES] = offer_states,
	[CONSENT] = offer_consent,
	[SETTINGS] = offer_settings,
	[SETTINGS_THEN_NODES] = offer_settings_then_nodes,
	[SELECTOR] = complete_selector,
	[FILES] = offer_files,
	[FOLDERS] = offer_folders,
	[FORMATS] = offer_formats,
	[MEDIA] = offer_media,
	[FILES_OR_NODES] = offer_files_or_nodes,
	[ITSELF] = NULL,
};

static void offer(struct completion *c, enum kind kind, const char *before)
{
	if (offers[kind])
		offers[kind](c, before);
}

static const enum kind option_kinds[OPTION_COUNT] = {
	[OPTION_INVENTORY] = FILES,
	[OPTION_PLUGIN_DIR] = FOLDERS,
	[OPTION_EXCLUDE] = NODES,
	[OPTION_CREDENTIAL] = CREDENTIALS,
	[OPTION_PASSWORD_FILE] = FILES,
	[OPTION_DRIVER] = DRIVERS,
	[OPTION_CLASS] = CLASSES,
	[OPTION_TAG] = TAGS,
	[OPTION_SET] = SETTINGS,
	[OPTION_VIA] = GATEWAYS,
	[OPTION_LOG] = FILES,
	[OPTION_FLOPPY] = FILES,
	[OPTION_OUTPUT] = FILES,
	[OPTION_UNTIL] = ITSELF,
	[OPTION_DIR] = FOLDERS,
	[OPTION_SCREENSHOT] = FILES,
	[OPTION_SOCKET] = FILES,
	[OPTION_VNC_PASSWORD_FILE] = FILES,
};

/* What stands before NODES, and all of what a command without NODES takes; the last one repeats. */
static const struct {
	const struct command *command;
	enum kind first, rest;
} argument_kinds[] = {
	{ &command_boot, DEVICES, NODES },
	{ &command_bootdev, DEVICES, NODES },
	{ &command_wait, STATES, NODES },
	{ &command_consent, CONSENT, NODES },
	{ &command_help, VERBS, METHODS },
	{ &command_drivers, DRIVERS_OR_NEW, SELECTOR },
	{ &command_import, FORMATS, FILES },
	{ &command_media, MEDIA, FILES_OR_NODES },
	{ &command_set, SETTINGS, SETTINGS_THEN_NODES },
};

static enum kind kind_of(const struct command *command, size_t at)
{
	for (size_t i = 0; i < sizeof(argument_kinds) / sizeof(argument_kinds[0]); i++)
		if (argument_kinds[i].command == command)
			return at == 0 ? argument_kinds[i].first : argument_kinds[i].rest;
	return (command->flags & COMMAND_NODES) && at >= command->arguments ? NODES : NOTHING;
}

/* --- The command line so far. ----------------------------------------------------------------- */

struct line {
	struct words words;
	enum option_id wants; /* the option whose value comes next; OPTION_COUNT: none */
	bool ended;           /* by -- */
};

static enum option_id option_of(const char *word, const char **ret_value)
{
	size_t len = strcspn(word, "=");

	*ret_value = NULL;
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];

		if (word[1] == '-' && strlen(row->name) == len - 2 &&
			strncmp(row->name, word + 2, len - 2) == 0) {
			*ret_value = word[len] ? word + len + 1 : NULL;
			return (enum option_id)i;
		}
		/* Of several letters only the last can take a value. */
		if (word[1] != '-' && row->letter && row->letter == word[strlen(word) - 1])
			return (enum option_id)i;
	}
	return OPTION_COUNT;
}

/* The shell has not put anything in the place of ~. */
static const char *at_home(const char *path)
{
	const char *home = getenv("HOME");

	if (strncmp(path, "~/", 2) != 0 || !home)
		return path;
	return pctl_xasprintf("%s%s", home, path + 1); /* until the end, which is near */
}

/* What the rest goes by. */
static void take_value(struct options *options, enum option_id id, const char *value)
{
	if (id == OPTION_INVENTORY)
		options->inventory = at_home(value);
	else if (id == OPTION_PLUGIN_DIR)
		options->plugin_dir = at_home(value);
	else if (id == OPTION_DRIVER)
		options->driver = value;
	else if (id == OPTION_SET)
		words_add(&options->settings, value);
}

static void take_word(struct options *options, struct line *line, const char *word)
{
	const char *value = NULL;

	if (line->wants != OPTION_COUNT) {
		take_value(options, line->wants, word);
		line->wants = OPTION_COUNT;
	} else if (line->ended || word[0] != '-' || !word[1]) {
		words_add(&line->words, word);
	} else if (strcmp(word, "--") == 0) {
		line->ended = true;
	} else {
		enum option_id id = option_of(word, &value);

		if (id != OPTION_COUNT && value)
			take_value(options, id, value);
		else if (id != OPTION_COUNT && option_rows[id].argument)
			line->wants = id;
	}
}

static void offer_value(struct completion *c, enum option_id id)
{
	if (option_kinds[id] == ITSELF)
		complete_offer(c, option_rows[id].argument, NULL);
	else
		offer(c, option_kinds[id], NULL);
}

static const enum option_id *options_here(struct completion *c, const struct line *line)
{
	const char *const *words = (const char *const *)line->words.v;
	const struct command *command = words ? command_find(words[0]) : NULL;

	if (command)
		return command->options;
	return words && words[1] ? method_options(c->cli, words) : NULL;
}

static void offer_options(struct completion *c, const struct line *line)
{
	const enum option_id *options = options_here(c, line);

	for (enum option_id id = 0; id < OPTION_COUNT; id++) {
		PCTL_AUTO(free) char *name = pctl_xasprintf("--%s", option_rows[id].name);

		if (options_have(options, id) || options_have(options_global, id))
			complete_offer(c, name, option_rows[id].help);
	}
}

/* DRIVER METHOD [PARAMETER=VALUE ...] NODES */
static void offer_method(struct completion *c, const struct line *line)
{
	const char *const *words = (const char *const *)line->words.v;
	const struct pctl_method *method;

	if (line->words.n == 1) {
		offer_methods(c, words[0]);
		return;
	}
	size_t n = method_find(c->cli, words, &method);
	if (!n)
		return;
	for (const struct pctl_property *p = method->parameters;
		p && p->name && (p->flags & PCTL_PROPERTY_WORD); p++)
		n++;
	if (line->words.n < n + 1)
		return;
	/* Behind the first of NODES there are no more parameters. */
	if (line->words.n == n + 1 || strchr(words[line->words.n - 1], '='))
		complete_parameter(c, method);
	if (!strchr(c->word, '='))
		complete_nodes(c);
}

static void offer_word(struct completion *c, const struct line *line)
{
	const struct command *command;

	if (line->words.n == 0) {
		offer_verbs(c, NULL);
		return;
	}
	command = command_find(line->words.v[0]);
	for (size_t i = 1; command == &command_set && i < line->words.n; i++)
		words_add(&c->cli->options.settings, line->words.v[i]);
	if (!command)
		offer_method(c, line);
	else
		offer(c, kind_of(command, line->words.n - 1), line->words.v[line->words.n - 1]);
}

int complete_main(struct cli *cli, const char *const *words)
{
	static const struct command hidden = { .name = "complete" };
	struct line line = { .wants = OPTION_COUNT };
	struct completion c = { .cli = cli, .word = "", .begun = "" };
	const char *value = NULL;

	cli->command = &hidden;
	for (; *words && words[1]; words++)
		take_word(&cli->options, &line, *words);
	if (*words)
		c.word = c.begun = *words;
	enum option_id id =
		c.word[0] == '-' && !line.ended ? option_of(c.word, &value) : OPTION_COUNT;
	if (line.wants != OPTION_COUNT) {
		offer_value(&c, line.wants);
	} else if (id != OPTION_COUNT && value) {
		c.begun = value;
		offer_value(&c, id);
	} else if (c.word[0] == '-' && !line.ended) {
		offer_options(&c, &line);
	} else {
		offer_word(&c, &line);
	}
	words_done(&line.words);
	return CLI_OK;
}
