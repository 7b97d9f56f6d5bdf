/* SPDX-License-Identifier: Apache-2.0 */
/* What can be seen of a driver without a device. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "driver/plugin.h"
#include "elf_file.h"
#include "node/describe.h"
#include "rig.h"

#define FILE_MAX_   ((long)256 << 20)
#define WRITABLE    64u /* the compiler's own: __dso_handle, completed.0 */
#define CONNECT_MAX ((uint32_t)60000)

const struct pctl_driver *load_driver(const struct bench *bench)
{
	const struct options *o = bench->options;
	struct pctl_plugin *plugin = NULL;
	struct pctl_error err = { 0 };

	doing(bench, "loading");
	if (pctl_plugin_load(o->dir, o->name, &plugin, &err) < 0)
		fail(bench, "%s", err.text);
	return &plugin->driver;
}

static void check_loads(const struct bench *bench)
{
	const struct pctl_driver *d = load_driver(bench);

	note(bench, "%s: %s", d->name, d->summary);
}

/* --- The file. -------------------------------------------------------------------------------- */

static void read_elf(const struct bench *bench, struct elf_facts *ret)
{
	const char *path = bench->options->path;
	FILE *f = fopen(path, "re");
	struct stat st;

	if (!f || fstat(fileno(f), &st) < 0 || st.st_size > FILE_MAX_)
		fail(bench, "%s cannot be read: %s", path, strerror(errno));
	PCTL_AUTO(free) unsigned char *data = pctl_xcalloc(1, (size_t)st.st_size + 1);
	size_t len = fread(data, 1, (size_t)st.st_size, f);
	(void)fclose(f);
	const char *why = elf_read(data, len, ret);
	if (why)
		fail(bench, "%s: %s", path, why);
}

static void check_exports(const struct bench *bench)
{
	struct elf_facts facts;

	read_elf(bench, &facts);
	if (!facts.has_driver)
		fail(bench, "it does not export the data symbol pctl_driver");
	if (facts.exports_n)
		fail(bench,
			"it exports more than pctl_driver: %s; build it with "
			"-fvisibility=hidden",
			facts.exports);
}

static void check_constructors(const struct bench *bench)
{
	struct elf_facts facts;

	read_elf(bench, &facts);
	if (facts.sanitized)
		skip(bench, "built with a sanitizer, which has a constructor of its own");
	if (facts.own_init)
		fail(bench, "it has a constructor, which runs before anything was checked");
}

static void check_globals(const struct bench *bench)
{
	struct elf_facts facts;

	read_elf(bench, &facts);
	if (facts.sanitized)
		skip(bench, "built with a sanitizer, which has data of its own");
	if (facts.writable > WRITABLE)
		fail(bench,
			"it has %llu bytes of .data and .bss: what its devices share belongs "
			"into the context of start()",
			(unsigned long long)facts.writable);
}

/* --- Tables. ---------------------------------------------------------------------------------- */

static void check_help(
	const struct bench *bench, const char *what, const char *name, const char *help)
{
	if (!help || !*help)
		fail(bench, "%s %s has no help", what, name);
	if (strpbrk(help, "\n\t\r"))
		fail(bench, "the help of %s %s is more than one line", what, name);
	if (strlen(help) > 200)
		fail(bench, "the help of %s %s is longer than 200 bytes", what, name);
}

/* What stands in the table as the default has to be right as if somebody had written it. */
static void check_defaults(
	const struct bench *bench, const char *what, const struct pctl_property *table)
{
	struct pctl_problems *problems = pctl_problems_new();
	const struct pctl_settings_context context = { .node = what, .problems = problems };
	struct pctl_value *none = pctl_value_new_map();
	struct pctl_settings settings = { 0 };

	(void)pctl_settings_read(&settings, table, none, &context);
	for (size_t i = 0; i < pctl_problems_count(problems); i++)
		if (!strstr(pctl_problems_at(problems, i), "is missing"))
			fail(bench, "the default of a setting is wrong: %s",
				pctl_problems_at(problems, i));
	pctl_settings_done(&settings);
	pctl_value_free(none);
	pctl_problems_free(problems);
}

static void check_row(const struct bench *bench, const char *what,
	const struct pctl_property *table, const struct pctl_property *p)
{
	const unsigned known = PCTL_PROPERTY_REQUIRED | PCTL_PROPERTY_SECRET |
			       PCTL_PROPERTY_SELECTOR | PCTL_PROPERTY_UNIT | PCTL_PROPERTY_WORD |
			       PCTL_PROPERTY_OWN | PCTL_PROPERTY_NEW;

	check_help(bench, what, p->name, p->help);
	for (const struct pctl_property *other = table; other < p; other++)
		if (strcmp(other->name, p->name) == 0)
			fail(bench, "%s %s is there twice", what, p->name);
	if (p->type == PCTL_TYPE_UINT && p->max && p->min > p->max)
		fail(bench, "%s %s: min is over max", what, p->name);
	if (p->type != PCTL_TYPE_UINT && (p->min || p->max))
		fail(bench, "%s %s has min or max and is no number", what, p->name);
	if ((p->flags & PCTL_PROPERTY_NEW) && !(p->flags & PCTL_PROPERTY_SECRET))
		fail(bench, "%s %s is typed twice and is no secret", what, p->name);
	if (p->flags & ~known)
		fail(bench, "%s %s has flags that nobody knows", what, p->name);
}

static size_t check_table(
	const struct bench *bench, const char *what, const struct pctl_property *table)
{
	size_t n = 0;

	for (const struct pctl_property *p = table; p->name; p++, n++) {
		check_row(bench, "setting", table, p);
		if (pctl_parse_choice(p->name, pctl_core_keys) >= 0)
			fail(bench, "setting %s is one of the core's own", p->name);
		if ((p->flags & PCTL_PROPERTY_REQUIRED) && p->default_text)
			fail(bench, "setting %s is required and has a default", p->name);
		if (p->flags & PCTL_PROPERTY_WORD)
			fail(bench, "setting %s is a bare word, which only parameters are",
				p->name);
		if (p->flags & PCTL_PROPERTY_OWN)
			fail(bench,
				"setting %s is marked as a machine's own, as only parameters "
				"are",
				p->name);
		if (p->flags & PCTL_PROPERTY_NEW)
			fail(bench, "setting %s is marked as new, as only parameters are", p->name);
	}
	check_defaults(bench, what, table);
	return n;
}

static void check_properties(const struct bench *bench)
{
	struct pctl_descriptions descriptions = { 0 };
	const struct pctl_driver *d = load_driver(bench);
	const struct pctl_described *more = describe_driver(bench, d, &descriptions);
	size_t n = check_table(bench, "the driver", d->properties), of_value = 0;

	if (more)
		of_value = check_table(bench, "the driver", more->properties);
	note(bench, "%zu settings, and %zu that a selector brings", n, of_value);
	pctl_descriptions_done(&descriptions);
}

static void check_secret(const struct bench *bench, const struct pctl_property *p)
{
	static const char *const words[] = { "password", "passwd", "passphrase", "secret", "token",
		"api_key", "apikey", "credential", "private_key", "community" };
	bool secret = p->flags & PCTL_PROPERTY_SECRET;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!secret && p->type == PCTL_TYPE_TEXT && strstr(p->name, words[i]))
			fail(bench,
				"setting %s sounds like a secret and is not flagged "
				"PCTL_PROPERTY_SECRET",
				p->name);
	if (secret && p->type != PCTL_TYPE_TEXT)
		fail(bench, "setting %s is a secret and no text", p->name);
	if (secret && p->default_text)
		fail(bench, "setting %s is a secret with a default, which everybody knows",
			p->name);
}

static void check_secrets(const struct bench *bench)
{
	struct pctl_descriptions descriptions = { 0 };
	const struct pctl_driver *d = load_driver(bench);
	const struct pctl_described *more = describe_driver(bench, d, &descriptions);

	for (const struct pctl_property *p = d->properties; p->name; p++)
		check_secret(bench, p);
	for (const struct pctl_property *p = more ? more->properties : NULL; p && p->name; p++)
		check_secret(bench, p);
	pctl_descriptions_done(&descriptions);
}

/* --- Interfaces. ------------------------------------------------------------------------------ */

static void check_bits(const struct bench *bench, const char *what, uint32_t bits, uint32_t known)
{
	if (bits & ~known)
		fail(bench, "%s has bits that nobody knows: %#x", what, (unsigned)(bits & ~known));
}

static void check_power(const struct bench *bench, const struct pctl_driver *d)
{
	const uint32_t ons = PCTL_ACTION_BIT(PCTL_ACTION_ON),
		       offs = PCTL_ACTION_BIT(PCTL_ACTION_OFF);

	check_bits(
		bench, "power.actions", d->power->actions, PCTL_ACTION_BIT(PCTL_ACTION_COUNT) - 1);
	if (!d->power->actions)
		fail(bench, "power.actions is empty: such an interface can do nothing");
	if ((d->power->actions & PCTL_ACTION_BIT(PCTL_ACTION_CYCLE)) &&
		!(d->power->actions & (ons | offs)))
		fail(bench, "power.actions has cycle, and neither on nor off");
}

static void check_boot(const struct bench *bench, const struct pctl_driver *d)
{
	const uint32_t known = PCTL_BOOT_BIT(PCTL_BOOT_COUNT) - 1;

	check_bits(bench, "boot.once", d->boot->once, known);
	check_bits(bench, "boot.persistent", d->boot->persistent, known);
	check_bits(bench, "boot.flags", d->boot->flags,
		PCTL_BOOT_APPLY_AT_POWER_ACTION | PCTL_BOOT_TAKES_CONSOLE | PCTL_BOOT_TAKES_MEDIA);
	if (!(d->boot->once | d->boot->persistent))
		fail(bench, "boot.once and boot.persistent are empty: there is nothing to set");
	if (d->boot->flags && !d->power)
		fail(bench, "boot is applied at a power action, and there is no power interface");
}

static void check_consent(const struct bench *bench, const struct pctl_consent_if *consent)
{
	if (!consent->digits || consent->digits > PCTL_CONSENT_DIGITS_MAX)
		fail(bench, "consent.digits is 0 or over 16: codes have a number of digits");
	if (!consent->tries)
		fail(bench, "consent.tries is 0: nobody could try a code");
}

static void check_account(const struct bench *bench, const struct pctl_driver *d)
{
	const struct pctl_account_if *a = d->account;
	const struct pctl_property *p = d->properties;

	check_bits(bench, "account.classes", a->classes,
		PCTL_PASSWORD_UPPER | PCTL_PASSWORD_LOWER | PCTL_PASSWORD_DIGIT |
			PCTL_PASSWORD_SPECIAL);
	if (a->max && a->min > a->max)
		fail(bench, "account.min is over account.max");
	if (a->made && (a->made < a->min || (a->max && a->made > a->max)))
		fail(bench, "account.made is not between account.min and account.max");
	while (p->name && (!a->setting || strcmp(p->name, a->setting) != 0))
		p++;
	if (!p->name || !(p->flags & PCTL_PROPERTY_SECRET))
		fail(bench, "account.setting is none of its secrets");
}

static void check_discover(const struct bench *bench, const struct pctl_driver *d)
{
	if (d->discover->limit_ms > CONNECT_MAX)
		fail(bench,
			"discover.limit_ms is over a minute: thousands of addresses are silent");
}

static void check_method(const struct bench *bench, const struct pctl_method *m)
{
	const unsigned known = PCTL_METHOD_CHANGES | PCTL_METHOD_DISRUPTS | PCTL_METHOD_REPEATABLE |
			       PCTL_METHOD_CONFIRM | PCTL_METHOD_READS_BARE | PCTL_METHOD_DRY;

	check_help(bench, "method", m->name, m->help);
	check_bits(bench, m->name, m->flags, known);
	for (const struct pctl_property *p = m->parameters; p && p->name; p++)
		check_row(bench, "parameter", m->parameters, p);
	check_defaults(bench, m->name, m->parameters);
}

static void check_interfaces(const struct bench *bench)
{
	const struct pctl_driver *d = load_driver(bench);
	bool unit = false;

	if (d->power)
		check_power(bench, d);
	if (d->boot)
		check_boot(bench, d);
	if (d->inspect && !d->inspect->info && !d->inspect->hardware && !d->inspect->check)
		fail(bench, "the inspect interface has neither info nor hardware nor check");
	if (d->console)
		check_bits(bench, "console.refused_actions", d->console->refused_actions,
			PCTL_ACTION_BIT(PCTL_ACTION_COUNT) - 1);
	if (d->consent)
		check_consent(bench, d->consent);
	if (d->account)
		check_account(bench, d);
	if (d->discover)
		check_discover(bench, d);
	for (const struct pctl_method *m = d->methods; m && m->name; m++)
		check_method(bench, m);
	if (!d->power && !d->boot && !d->inspect && !d->identify && !d->console && !d->display &&
		!d->log && !d->sensors && !(d->methods && d->methods->name))
		fail(bench, "it has no interface and no method: it can do nothing");
	check_bits(bench, "flags", d->flags, PCTL_DRIVER_REPEATS | PCTL_DRIVER_NO_DIAL);
	if ((unsigned)d->maturity > PCTL_STABLE)
		fail(bench, "its maturity is none of experimental, beta, stable");
	if (strpbrk(d->summary, "\n\t\r") || !*d->summary || strlen(d->summary) > 100)
		fail(bench, "its summary is not one line of at most 100 bytes");
	if (d->connect_ms > CONNECT_MAX)
		fail(bench, "connect_ms is over a minute");
	if (d->default_port > 65535)
		fail(bench, "default_port is no port");
	for (const struct pctl_property *p = d->properties; p->name; p++)
		unit |= p->flags & PCTL_PROPERTY_UNIT;
	if (d->max_in_flight > 1 && !unit)
		fail(bench, "max_in_flight says nothing without a PCTL_PROPERTY_UNIT");
}

const struct check static_checks[] = {
	{ "static", "loads", "the core takes it: symbol, ABI, name, sizes, tables", check_loads,
		0 },
	{ "static", "exports", "it exports pctl_driver and nothing else", check_exports, 0 },
	{ "static", "constructors", "none of its code runs when it is loaded", check_constructors,
		0 },
	{ "static", "globals", "it keeps nothing in global variables", check_globals, 0 },
	{ "static", "settings", "settings have help, and defaults that are right", check_properties,
		0 },
	{ "static", "secrets", "what sounds like a secret is flagged as one", check_secrets, 0 },
	{ "static", "interfaces", "interfaces, lists of abilities and flags agree",
		check_interfaces, 0 },
	{ 0 },
};
