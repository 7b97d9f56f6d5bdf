/* SPDX-License-Identifier: Apache-2.0 */
#include "option.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "fleet.h"

static void print_help(const struct option_table *table)
{
	printf("usage: %s [options]\n\n%s\noptions (defaults in brackets):\n", table->program,
		table->about);
	for (size_t i = 0; i < table->count; i++) {
		const struct option *opt = &table->options[i];

		printf("  --%-13s %-15s %s\n", opt->name, opt->arg ? opt->arg : "", opt->help);
	}
	printf("\nexamples:\n%s\n`--knobs` lists the knobs; %s(1) tells more.\n", table->examples,
		table->program);
}

enum option_result option_complain(
	const struct option_table *table, const char *what, const char *name)
{
	fprintf(stderr, "%s: %s%s (see --help)\n", table->program, what, name);
	return OPTION_BAD;
}

static enum option_result set_password(
	const struct option_table *table, char *at, const char *password)
{
	if (!*password || !str_copy(str_of(password), at, OPTION_PASSWORD + 1))
		return option_complain(table, "a password has 1 to 64 characters", "");
	return OPTION_RUN;
}

static enum option_result read_password(
	const struct option_table *table, char *at, const char *path)
{
	char line[128] = "";
	FILE *file = fopen(path, "re");

	if (!file)
		return option_complain(table, "cannot read ", path);
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	line[strcspn(line, "\r\n")] = '\0';
	return set_password(table, at, line);
}

static enum option_result number(
	const struct option_table *table, void *at, const struct option *opt, const char *value)
{
	uint64_t n;

	if (!parse_uint(str_of(value), opt->max, &n) || n < opt->min) {
		fprintf(stderr, "%s: --%s wants a number from %llu to %llu, not '%s'\n",
			table->program, opt->name, (unsigned long long)opt->min,
			(unsigned long long)opt->max, value);
		return OPTION_BAD;
	}
	*(uint32_t *)at = (uint32_t)n;
	return OPTION_RUN;
}

static enum option_result add_set(
	const struct option_table *table, struct option_sets *sets, const char *value)
{
	if (sets->count == OPTION_SETS)
		return option_complain(table, "too many of --set", "");
	sets->text[sets->count++] = value;
	return OPTION_RUN;
}

static enum option_result apply(
	const struct option_table *table, void *ret, const struct option *opt, const char *value)
{
	void *at = (char *)ret + opt->at;

	switch (opt->kind) {
	case OPTION_FLAG:
		*(bool *)at = true;
		return OPTION_RUN;
	case OPTION_NUMBER:
		return number(table, at, opt, value);
	case OPTION_TEXT:
		*(const char **)at = value;
		return OPTION_RUN;
	case OPTION_PASSWORD_WORD:
		return set_password(table, at, value);
	case OPTION_PASSWORD_FILE:
		return read_password(table, at, value);
	case OPTION_SET:
		return add_set(table, at, value);
	case OPTION_KNOBS:
		knob_print(table->knobs);
		return OPTION_DONE;
	case OPTION_HELP:
		print_help(table);
		return OPTION_DONE;
	}
	return OPTION_BAD;
}

static const struct option *find(const struct option_table *table, struct str name)
{
	for (size_t i = 0; i < table->count; i++)
		if (str_is(name, table->options[i].name))
			return &table->options[i];
	return NULL;
}

/* One option; *i moves on when its value is an argument of its own. */
static enum option_result parse_one(
	const struct option_table *table, void *ret, int argc, char **argv, int *i)
{
	struct str text = str_of(argv[*i]), name;
	const char *value = NULL;

	if (str_is(text, "-h"))
		text = STR("--help");
	if (!str_starts(text, "--"))
		return option_complain(table, "unexpected argument ", argv[*i]);
	text.p += 2;
	text.n -= 2;
	str_split(&text, '=', &name);
	value = text.p;

	const struct option *opt = find(table, name);

	if (!opt)
		return option_complain(table, "no such option: ", argv[*i]);
	if (!opt->arg && value)
		return option_complain(table, "takes no value: ", argv[*i]);
	if (opt->arg && !value && ++*i < argc)
		value = argv[*i];
	if (opt->arg && !value)
		return option_complain(table, "needs a value: --", opt->name);
	return apply(table, ret, opt, value ? value : "");
}

enum option_result option_parse(const struct option_table *table, void *ret, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		enum option_result r = parse_one(table, ret, argc, argv, &i);

		if (r != OPTION_RUN)
			return r;
	}
	return OPTION_RUN;
}

enum option_result option_check_ports(const struct option_table *table,
	const struct fleet_options *o, const char *name, uint32_t first, uint32_t step)
{
	if (!o->by_port || !first || first + step * (o->devices - 1) <= 65535)
		return OPTION_RUN;
	return option_complain(table, "not that many ports behind ", name);
}

static bool apply_set(const struct fleet *fleet, const char *text)
{
	struct str rest = str_of(text), devices;
	char why[KNOB_WHY];
	uint32_t first, last;

	if (!str_split(&rest, ':', &devices) || !rest.p ||
		!knob_devices(fleet->count, devices, &first, &last)) {
		fprintf(stderr,
			"%s: --set wants DEV:KNOB=VALUE with DEV 1 to %u, 3-5 or all, not '%s'\n",
			fleet->program, fleet->count, text);
		return false;
	}
	for (uint32_t n = first; n <= last; n++) {
		if (!knob_set_text(fleet->knobs, fleet_device(fleet, n - 1), rest, why)) {
			fprintf(stderr, "%s: --set %s: %s\n", fleet->program, text, why);
			return false;
		}
	}
	return true;
}

bool option_apply_sets(const struct fleet *fleet)
{
	const struct option_sets *sets = &fleet->options->sets;

	for (size_t i = 0; i < sets->count; i++)
		if (!apply_set(fleet, sets->text[i]))
			return false;
	return true;
}

bool option_raise_files(const char *program, uint32_t devices, uint64_t need)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return true;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= need)
		return true;
	fprintf(stderr, "%s: %u devices need %llu descriptors, the limit is %llu (ulimit -n)\n",
		program, devices, (unsigned long long)need, (unsigned long long)limit.rlim_cur);
	return false;
}
