/* SPDX-License-Identifier: Apache-2.0 */
/* drivers: which plugins there are, what one of them can be set to, and the beginning of a new one.
 */
#include <string.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>

#include "command.h"
#include "driver_new.h"
#include "json.h"
#include "methods.h"
#include "property.h"
#include "say.h"
#include "text.h"

static const char *const maturities[] = {
	[PCTL_EXPERIMENTAL] = "experimental",
	[PCTL_BETA] = "beta",
	[PCTL_STABLE] = "stable",
};
#define MATURITIES (sizeof(maturities) / sizeof(maturities[0]))

static const char *maturity_of(const struct pctl_driver *d)
{
	return (size_t)d->maturity < MATURITIES ? maturities[d->maturity] : "unknown";
}

static struct pctl_value *abilities_of(const struct pctl_driver *d)
{
	const struct {
		const char *name;
		bool has;
	} rows[] = {
		{ "power", d->power },
		{ "boot", d->boot },
		{ "info", d->inspect && d->inspect->info },
		{ "hardware", d->inspect && d->inspect->hardware },
		{ "check", d->inspect && d->inspect->check },
		{ "identify", d->identify },
		{ "console", d->console },
		{ "display", d->display },
		{ "log", d->log },
		{ "sensors", d->sensors },
		{ "consent", d->consent },
		{ "passwd", d->account },
		{ "media", d->media },
		{ "discover", d->discover },
		{ "methods", d->methods && d->methods->name },
	};
	struct pctl_value *list = pctl_value_new_list();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].has)
			pctl_value_add(list, pctl_value_new_text(rows[i].name));
	return list;
}

/* The driver's own settings, and those that a value of its selector brings with it. */
static struct pctl_value *settings_of(
	const struct pctl_driver *d, const struct pctl_description *about)
{
	PCTL_AUTO(free)
	struct pctl_property *all = property_join(d->properties, about ? about->properties : NULL);

	return property_list(all);
}

static void print_json(const struct pctl_driver *d, const struct pctl_description *about)
{
	struct pctl_value *map = pctl_value_new_map();

	pctl_value_set_text(map, "driver", d->name);
	pctl_value_set_text(map, "summary", about && about->summary ? about->summary : d->summary);
	pctl_value_set_text(map, "maturity", maturity_of(d));
	pctl_value_set(map, "abilities", abilities_of(d));
	pctl_value_set(map, "settings", settings_of(d, about));
	pctl_value_set(map, "methods", method_list(d));
	PCTL_AUTO(free) char *line = json_node(NULL, map);
	(void)printf("%s\n", line);
	pctl_value_free(map);
}

static void print_driver(const struct pctl_driver *d)
{
	struct pctl_value *abilities = abilities_of(d);
	struct pctl_buf line;

	pctl_buf_init(&line, TEXT_ANSWER_MAX);
	text_clean(&line, d->summary);
	pctl_buf_addf(&line, " (%s; ", maturity_of(d));
	for (size_t i = 0; i < pctl_value_count(abilities); i++)
		pctl_buf_addf(
			&line, "%s%s", i ? ", " : "", pctl_value_text(pctl_value_at(abilities, i)));
	(void)printf("%s: %s)\n", d->name, line.data);
	pctl_buf_done(&line);
	pctl_value_free(abilities);
}

static void print_table(const struct pctl_property *table)
{
	for (const struct pctl_property *p = table; p && p->name; p++) {
		struct pctl_buf type;

		pctl_buf_init(&type, TEXT_ANSWER_MAX);
		property_describe(&type, p);
		(void)printf("  %s (%s)\n", p->name, type.data);
		if (p->help) {
			struct pctl_buf help;

			pctl_buf_init(&help, TEXT_ANSWER_MAX);
			text_clean(&help, p->help);
			(void)printf("      %s\n", help.data);
			pctl_buf_done(&help);
		}
		pctl_buf_done(&type);
	}
}

static const char *selector_of(const struct pctl_driver *d)
{
	for (const struct pctl_property *p = d->properties; p && p->name; p++)
		if (p->flags & PCTL_PROPERTY_SELECTOR)
			return p->name;
	return NULL;
}

static void print_settings(const struct pctl_driver *d, const struct pctl_description *about)
{
	const char *selector = selector_of(d);

	print_driver(d);
	if (about && about->summary) {
		struct pctl_buf summary;

		pctl_buf_init(&summary, TEXT_ANSWER_MAX);
		text_clean(&summary, about->summary);
		(void)printf("  %s\n", summary.data);
		pctl_buf_done(&summary);
	}
	print_table(d->properties);
	print_table(about ? about->properties : NULL);
	if (selector && !about)
		(void)printf("`powerctl drivers %s VALUE` lists the settings that come with a "
			     "value of %s\n",
			d->name, selector);
	if (d->methods && d->methods->name)
		(void)printf("`powerctl help %s` lists its methods\n", d->name);
}

static void print_manual(const struct pctl_driver *d, const struct pctl_description *about)
{
	PCTL_AUTO(free)
	struct pctl_property *all = property_join(d->properties, about ? about->properties : NULL);
	struct pctl_buf buf;

	pctl_buf_init(&buf, TEXT_ANSWER_MAX);
	for (const struct pctl_property *p = all; p->name; p++) {
		pctl_buf_adds(&buf, p == all ? "" : "\n");
		property_manual(&buf, p);
	}
	(void)fputs(buf.data, stdout);
	pctl_buf_done(&buf);
}

static void print_as_asked(const struct cli *cli, const struct pctl_driver *d,
	const struct pctl_description *about, bool all)
{
	if (cli->options.json)
		print_json(d, about);
	else if (cli->options.man)
		print_manual(d, about);
	else if (all)
		print_driver(d);
	else
		print_settings(d, about);
}

/* --- One, or all of them. --------------------------------------------------------------------- */

/* value: of its selector, or NULL. */
static int find_one(struct cli *cli, const char *name, const char *value,
	const struct pctl_driver **ret, const struct pctl_description **ret_about)
{
	struct pctl_error err = { 0 };

	if (pctl_core_driver(cli_core(cli), name, ret, &err) < 0) {
		PCTL_AUTO(free) char *near = method_nearest_driver(cli, name);

		if (near)
			say("%s; did you mean '%s'?", err.text, near);
		else
			say("%s; `powerctl drivers` lists them", err.text);
		return CLI_USAGE;
	}
	if (value && pctl_core_describe(cli_core(cli), name, value, ret_about, &err) < 0) {
		const char *selector = selector_of(*ret);

		say("%s%s%s%s%s", selector ? selector : "", selector ? " '" : "",
			selector ? value : "", selector ? "': " : "", err.text);
		return CLI_USAGE;
	}
	return CLI_OK;
}

/* Of all that are not refused, and where one with a value is named, with what that brings. */
static int print_schema(struct cli *cli, const char *name, const char *value)
{
	const struct pctl_description *about = NULL;
	const struct pctl_driver *one = NULL;
	int status = name ? find_one(cli, name, value, &one, &about) : CLI_OK;

	if (status != CLI_OK)
		return status;
	struct pctl_driver with = one ? *one : (struct pctl_driver){ 0 };
	PCTL_AUTO(free)
	struct pctl_property *all =
		property_join(with.properties, about ? about->properties : NULL);
	with.properties = all;
	struct pctl_names *names = pctl_names_new();
	size_t n = 0;

	pctl_core_driver_names(cli_core(cli), names);
	PCTL_AUTO(free)
	const struct pctl_driver **drivers =
		pctl_xcalloc(pctl_names_count(names) + 1, sizeof(struct pctl_driver *));
	for (size_t i = 0; i < pctl_names_count(names); i++) {
		struct pctl_error err = { 0 };

		if (pctl_core_driver(cli_core(cli), pctl_names_at(names, i), &drivers[n], &err) < 0)
			say("driver %s is refused and left out: %s", pctl_names_at(names, i),
				err.text);
		else if (drivers[n] == one)
			drivers[n++] = &with;
		else
			n++;
	}
	pctl_names_free(names);
	struct pctl_value *schema = pctl_drivers_schema(drivers, n);
	PCTL_AUTO(free) char *text = json_pretty(schema);
	(void)printf("%s\n", text);
	pctl_value_free(schema);
	return CLI_OK;
}

static int show_all(struct cli *cli)
{
	struct pctl_names *names = pctl_names_new();
	size_t good = 0;

	pctl_core_driver_names(cli_core(cli), names);
	for (size_t i = 0; i < pctl_names_count(names); i++) {
		const char *name = pctl_names_at(names, i);
		const struct pctl_driver *driver = NULL;
		struct pctl_error err = { 0 };

		if (pctl_core_driver(cli_core(cli), name, &driver, &err) < 0) {
			say("driver %s is refused: %s", name, err.text);
			continue;
		}
		good++;
		print_as_asked(cli, driver, NULL, true);
	}
	if (pctl_names_count(names) == 0)
		say("there is no driver in %s; --plugin-dir DIR names another place",
			pctl_core_plugin_dir(cli_core(cli)));
	pctl_names_free(names);
	return good ? CLI_OK : CLI_USAGE;
}

/* value: of its selector, or NULL. */
static int show_one(struct cli *cli, const char *name, const char *value)
{
	const struct pctl_description *about = NULL;
	const struct pctl_driver *driver = NULL;
	int status = find_one(cli, name, value, &driver, &about);

	if (status == CLI_OK)
		print_as_asked(cli, driver, about, false);
	return status;
}

/* Words that another form of the command would take. */
static int check_words(const struct cli *cli, bool new)
{
	if (cli->nargs > 2) {
		say("'%s' is too much here: powerctl drivers %s", cli->args[2],
			cli->command->usage);
		return CLI_USAGE;
	}
	if (cli->options.schema && cli->nargs == 1 && !new) {
		say("a schema is of all drivers; with a value of its selector, those settings are "
		    "in it too: powerctl drivers --schema %s VALUE",
			cli->args[0]);
		return CLI_USAGE;
	}
	if (new && cli->nargs < 2) {
		say("a name is missing: powerctl drivers new NAME");
		return CLI_USAGE;
	}
	if (new && (cli->options.json || cli->options.man || cli->options.schema)) {
		say("`drivers new` takes --dir and nothing else");
		return CLI_USAGE;
	}
	if (!new && cli->options.dir) {
		say("--dir is for `drivers new NAME`");
		return CLI_USAGE;
	}
	return CLI_OK;
}

static int exec_drivers(struct cli *cli)
{
	bool new = cli->nargs > 0 && strcmp(cli->args[0], "new") == 0;

	int status = check_words(cli, new);
	if (status != CLI_OK)
		return status;
	if (new)
		return driver_new(cli, cli->args[1]);
	if (cli->options.schema)
		return print_schema(cli, cli->args[0], cli->nargs > 1 ? cli->args[1] : NULL);
	if (cli->nargs == 0)
		return show_all(cli);
	return show_one(cli, cli->args[0], cli->nargs > 1 ? cli->args[1] : NULL);
}

const struct command command_drivers = {
	.name = "drivers",
	.usage = "[NAME [VALUE] | new NAME]",
	.summary = "list drivers, or the settings of one; begin a new one",
	.help = "Plugins that were refused are named with the reason, on standard error. `powerctl "
		"help "
		"NAME`\nlists the methods of a driver. Where one setting of a driver "
		"decides on others (an agent), VALUE is\nthat one's, and those are listed too. "
		"--schema prints a JSON Schema of the "
		"inventory, by which\neditors complete and check it; with NAME and VALUE those "
		"settings are in it as well. `drivers new NAME` writes a "
		"folder with a driver that works,\nto be made into yours.",
	.options = OPTIONS(OPTION_JSON, OPTION_SCHEMA, OPTION_MAN, OPTION_DIR),
	.exec = exec_drivers,
};
