/* SPDX-License-Identifier: Apache-2.0 */
/* powerctl-driver-check: whether a driver keeps what <powerctl/driver.h> says. */
#include <dlfcn.h>
#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "child.h"
#include "rig.h"

enum { ALL_WELL = 0, SOME_FAILED = 1, USAGE = 2, INTERRUPTED = 130 };

static const struct check *const groups[] = { static_checks, contract_checks, device_checks,
	secret_checks, fault_checks, load_checks };
#define GROUPS     (sizeof(groups) / sizeof(groups[0]))
#define CHECKS_MAX 100u

/* --- Words. ----------------------------------------------------------------------------------- */

enum word {
	OPTION_ADDRESS,
	OPTION_SET,
	OPTION_PASSWORD_FILE,
	OPTION_REFUSALS,
	OPTION_ONLY,
	OPTION_LIST,
	OPTION_JUNIT,
	OPTION_OPS,
	OPTION_QUICK,
	OPTION_LIMIT,
	OPTION_VERSION,
	OPTION_HELP,
};

static const struct {
	const char *name, *value, *help;
} options[] = {
	[OPTION_ADDRESS] = { "address", "HOST", "the device; its machine is switched off and on" },
	[OPTION_SET] = { "set", "NAME=VALUE", "a setting of the driver; may be given again" },
	[OPTION_PASSWORD_FILE] = { "password-file", "FILE",
		"the same as --set password_file=FILE" },
	[OPTION_REFUSALS] = { "refusals", "PROGRAM",
		"it prints how many logins the device has refused so far" },
	[OPTION_ONLY] = { "only", "GROUP", "one group of checks, or one check: GROUP.NAME" },
	[OPTION_LIST] = { "list", NULL, "list the checks and what they prove" },
	[OPTION_JUNIT] = { "junit", "FILE", "write the results as JUnit XML as well" },
	[OPTION_OPS] = { "ops", "N", "how many ops the check of growth does (10000)" },
	[OPTION_QUICK] = { "quick", NULL, "the same as --ops 500" },
	[OPTION_LIMIT] = { "limit", "SECONDS", "how long one check may take (300)" },
	[OPTION_VERSION] = { "version", NULL, "say which version this is" },
	[OPTION_HELP] = { "help", NULL, "this list" },
};
#define OPTIONS (sizeof(options) / sizeof(options[0]))

static int help(void)
{
	(void)puts("Usage: powerctl-driver-check [options] DRIVER.so\n\n"
		   "Checks that a driver keeps the contract of <powerctl/driver.h>.\n");
	for (size_t i = 0; i < OPTIONS; i++) {
		char left[40];

		(void)snprintf(left, sizeof(left), "--%s%s%s", options[i].name,
			options[i].value ? " " : "", options[i].value ? options[i].value : "");
		(void)printf("  %-24s %s\n", left, options[i].help);
	}
	return ALL_WELL;
}

static int list(void)
{
	for (size_t g = 0; g < GROUPS; g++)
		for (const struct check *c = groups[g]; c->name; c++)
			(void)printf("%s.%s: %s\n", c->group, c->name, c->proves);
	return ALL_WELL;
}

static void complain(const char *fmt, const char *word)
{
	(void)fprintf(stderr, "powerctl-driver-check: ");
	(void)fprintf(stderr, "%s%s%s\n", fmt, *word ? ": " : "", word);
}

/* "--ony is no option; did you mean '--only'?" */
static void complain_of(const char *what, const char *word, const char *near, const char *else_)
{
	(void)fprintf(stderr, "powerctl-driver-check: %s: there is no such %s; ", word, what);
	if (near)
		(void)fprintf(stderr, "did you mean '%s'?\n", near);
	else
		(void)fprintf(stderr, "%s lists them\n", else_);
}

static void complain_of_option(const char *word)
{
	const char *names[OPTIONS + 1] = { NULL };
	PCTL_AUTO(free) char *name = pctl_xstrdup(word + strspn(word, "-"));

	name[strcspn(name, "=")] = '\0';
	for (size_t i = 0; i < OPTIONS; i++)
		names[i] = options[i].name;
	const char *near = pctl_parse_nearest(name, names);
	PCTL_AUTO(free) char *full = near ? pctl_xasprintf("--%s", near) : NULL;
	complain_of("option", word, full, "--help");
}

static bool take_number(const char *name, const char *word, uint64_t *ret)
{
	if (pctl_parse_uint(word, 100000000, ret) == 0 && *ret)
		return true;
	(void)fprintf(
		stderr, "powerctl-driver-check: --%s is a number from 1, not '%s'\n", name, word);
	return false;
}

static bool take_set(struct options *o, const char *word)
{
	if (!strchr(word, '=') || *word == '=' || o->sets_n == SETS_MAX) {
		complain("--set takes NAME=VALUE", word);
		return false;
	}
	o->sets[o->sets_n++] = word;
	return true;
}

static bool take_option(struct options *o, enum word option, char *word)
{
	switch (option) {
	case OPTION_ADDRESS:
		o->address = word;
		return true;
	case OPTION_SET:
		return take_set(o, word);
	case OPTION_PASSWORD_FILE: {
		PCTL_AUTO(free) char *full = realpath(word, NULL);

		free(o->password_set);
		o->password_set = pctl_xasprintf("password_file=%s", full ? full : word);
		return true;
	}
	case OPTION_REFUSALS:
		o->refusals = word;
		return true;
	case OPTION_ONLY:
		o->only = word;
		return true;
	case OPTION_LIST:
		o->list = true;
		return true;
	case OPTION_JUNIT:
		o->junit = word;
		return true;
	case OPTION_OPS:
		return take_number("ops", word, &o->ops);
	case OPTION_QUICK:
		o->ops = 500;
		return true;
	case OPTION_LIMIT:
		return take_number("limit", word, &o->limit_s);
	default:
		return false;
	}
}

static bool take_driver(struct options *o, const char *path)
{
	PCTL_AUTO(free) char *full = realpath(path, NULL);
	char *slash = full ? strrchr(full, '/') : NULL;
	size_t n = slash ? strlen(slash + 1) : 0;

	if (!slash) {
		(void)fprintf(stderr, "powerctl-driver-check: %s: %s\n", path, strerror(errno));
		return false;
	}
	if (n < 4 || strcmp(slash + 1 + n - 3, ".so") != 0) {
		complain("a driver is a file NAME.so", path);
		return false;
	}
	o->name = pctl_xstrndup(slash + 1, n - 3);
	o->dir = pctl_xstrndup(full, slash == full ? 1 : (size_t)(slash - full));
	o->path = path;
	return true;
}

/* -1: go on; else the status to end with. */
static int read_words(struct options *o, int argc, char **argv)
{
	struct option words[OPTIONS + 1];
	int c;

	memset(words, 0, sizeof(words));
	for (size_t i = 0; i < OPTIONS; i++) {
		words[i].name = options[i].name;
		words[i].has_arg = options[i].value ? 1 : 0;
		words[i].val = (int)i;
	}
	opterr = 0;
	for (;;) {
		c = getopt_long(argc, argv, ":h", words, NULL);
		if (c == -1)
			break;
		if (c == OPTION_HELP || c == 'h')
			return help();
		if (c == OPTION_VERSION)
			return puts("powerctl-driver-check " POWERCTL_VERSION) < 0;
		if (c == ':')
			complain(argv[optind - 1], "it takes a value; --help says which");
		if (c == '?')
			complain_of_option(optopt > ' ' ? (const char[]){ '-', (char)optopt, '\0' }
							: argv[optind - 1]);
		if (c == ':' || c == '?' || !take_option(o, (enum word)c, optarg))
			return USAGE;
	}
	if (o->list)
		return list();
	if (optind + 1 != argc) {
		complain("takes one driver, as in: powerctl-driver-check ./mydriver.so", "");
		return USAGE;
	}
	return take_driver(o, argv[optind]) ? -1 : USAGE;
}

/* --- The checks. ------------------------------------------------------------------------------ */

static bool wanted(const struct options *o, const struct check *c)
{
	size_t group = strlen(c->group);

	if (!o->only || strcmp(o->only, c->group) == 0)
		return true;
	return strncmp(o->only, c->group, group) == 0 && o->only[group] == '.' &&
	       strcmp(o->only + group + 1, c->name) == 0;
}

static size_t count(const struct options *o)
{
	size_t n = 0;

	for (size_t g = 0; g < GROUPS; g++)
		for (const struct check *c = groups[g]; c->name; c++)
			n += wanted(o, c);
	return n;
}

/* A name without its group is meant as well as one that is nearly right. */
static void complain_of_check(const char *word)
{
	const char *words[CHECKS_MAX + 1] = { NULL }, *near = NULL;
	char full[CHECKS_MAX][64];
	size_t n = 0;

	for (size_t g = 0; g < GROUPS; g++)
		for (const struct check *c = groups[g]; c->name && n + 1 < CHECKS_MAX; c++) {
			(void)snprintf(full[n], sizeof(full[n]), "%s.%s", c->group, c->name);
			words[n] = full[n];
			if (strcmp(c->name, word) == 0)
				near = full[n];
			n++;
		}
	for (size_t g = 0; g < GROUPS && n < CHECKS_MAX; g++)
		words[n++] = groups[g]->group;
	complain_of(
		"check or group", word, near ? near : pctl_parse_nearest(word, words), "--list");
}

static bool lacks_device(const struct bench *b, const struct check *c)
{
	return (c->needs & NEEDS_DEVICE) && b->shared->networked && !b->options->address;
}

/* Why a check does not apply here; NULL: it does. */
static const char *missing(const struct bench *b, const struct check *c)
{
	const struct shared *s = b->shared;

	if (!s->loaded && c->needs)
		return "the driver does not load";
	if (lacks_device(b, c))
		return "no device: give --address";
	if ((c->needs & NEEDS_RELAY) && !b->ports->n)
		return s->networked ? "it has no port that a relay could stand in front of"
				    : "it does not use the network";
	if ((c->needs & NEEDS_SECRET) && !s->has_secret)
		return *s->secret ? "no secret is set" : "it has no secret";
	if ((c->needs & NEEDS_POWER) && !s->tells_power)
		return "it has no power interface";
	return NULL;
}

static void run_all(const struct bench *bench, const char *folder, struct report *report)
{
	for (size_t g = 0; g < GROUPS; g++) {
		for (const struct check *c = groups[g]; c->name; c++) {
			if (!wanted(bench->options, c))
				continue;
			struct verdict v = { .check = c, .outcome = SKIPPED };
			const char *why = missing(bench, c);

			if (why)
				v.why = pctl_xstrdup(why);
			else
				child_run(bench, folder, c, &v);
			if (child_interrupted()) { /* it was killed for that */
				free(v.why);
				free(v.note);
				free(v.said);
				return;
			}
			report_add(report, &v);
			if (ferror(stdout)) /* nobody reads it */
				return;
		}
	}
}

/* In a child, as everything that loads the driver. Whether it went well; else why, if it is known.
 */
static bool look(const struct bench *bench, const char *folder, void (*run)(const struct bench *),
	char *why, size_t size)
{
	const struct check first = { "first", "look", "it can be checked", run, 0 };
	struct verdict v;

	child_run(bench, folder, &first, &v);
	(void)snprintf(why, size, "%s", v.why ? v.why : "");
	free(v.why);
	free(v.note);
	free(v.said);
	return v.outcome == PASSED;
}

static void set_up(const struct bench *bench)
{
	struct rig rig;

	rig_init(&rig, bench, &(struct rig_options){ .where = RIG_RELAY });
}

static bool opens_device(const struct bench *bench)
{
	for (size_t g = 0; g < GROUPS; g++)
		for (const struct check *c = groups[g]; c->name; c++)
			if (wanted(bench->options, c) && (c->needs & NEEDS_DEVICE) &&
				!lacks_device(bench, c))
				return true;
	return false;
}

/* What somebody typed is no fault of the driver's; what else is wrong the checks say. */
static bool settings_are_right(
	const struct bench *bench, const char *folder, char *why, size_t size)
{
	struct shared *s = bench->shared;

	s->only_tables = !opens_device(bench);
	if (!s->loaded || (s->only_tables && !bench->options->sets_n))
		return true;
	return look(bench, folder, set_up, why, size) || !s->mistaken;
}

/* Each line of it. */
static void complain_lines(const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		(void)fprintf(stderr, "powerctl-driver-check: %.*s\n", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

/* A line for each group that has some. */
static void name_those_without_device(const struct bench *bench)
{
	for (size_t g = 0; g < GROUPS; g++) {
		unsigned n = 0;

		for (const struct check *c = groups[g]; c->name; c++) {
			if (!wanted(bench->options, c) || !lacks_device(bench, c))
				continue;
			(void)printf("%s%s", n++ ? ", " : "# --address is needed for ", c->group);
			(void)printf(".%s", c->name);
		}
		if (n)
			(void)puts("");
	}
}

/* The status to end with: what did not run proves nothing. */
static int conclude(const struct report *report)
{
	if (report->counts[FAILED])
		return SOME_FAILED;
	if (report->counts[PASSED])
		return ALL_WELL;
	complain(report->without_device ? "nothing was checked: these checks need a device; give "
					  "--address"
					: "nothing was checked: none of these checks applies",
		"");
	return USAGE;
}

static int check_driver(const struct options *o, struct shared *shared, const char *folder)
{
	struct relay_ports ports = { .n = 0 };
	const struct bench bench = { .options = o, .shared = shared, .ports = &ports };
	uint16_t device[RELAY_PORTS];
	struct report report;
	char why[1500];
	pid_t relay = 0;

	(void)look(&bench, folder, scout, why, sizeof(why)); /* static.loads says it again */
	for (size_t i = 0; i < shared->ports_n; i++)
		device[i] = shared->ports[i].device;
	if (o->address && shared->ports_n) {
		relay = relay_start(o->address, device, shared->ports_n, &shared->relay, &ports,
			why, sizeof(why));
		if (relay < 0) {
			complain(why, "");
			return USAGE;
		}
	}
	if (!settings_are_right(&bench, folder, why, sizeof(why))) {
		complain_lines(why);
		relay_stop(relay);
		return USAGE;
	}
	report_begin(&report, o->name, count(o));
	report.without_device = shared->networked && !o->address;
	run_all(&bench, folder, &report);
	relay_stop(relay);
	int status = INTERRUPTED;
	if (child_interrupted()) {
		complain(o->address ? "interrupted; the machine is left as it is now"
				    : "interrupted",
			"");
	} else {
		name_those_without_device(&bench);
		report_summary(&report);
		status = conclude(&report);
	}
	if (o->junit && status != INTERRUPTED && !report_junit(&report, o->junit)) {
		complain(o->junit, strerror(errno));
		status = USAGE;
	}
	report_done(&report);
	return status;
}

/*
 * A driver names the libraries it was linked with, of which this program has the core inside: where
 * they are none of the system's they are found beside us, as powerctl finds them, and not by the
 * driver. There need not be any.
 */
static void hold_libraries(void)
{
	(void)dlopen("libpowerctl.so.0", RTLD_LAZY | RTLD_LOCAL);
	(void)dlopen("libpowerctl-http.so.0", RTLD_LAZY | RTLD_LOCAL);
}

/* The status to end with. */
static int run(struct options *o)
{
	const char *tmp = getenv("TMPDIR");
	PCTL_AUTO(free)
	char *folder =
		pctl_xasprintf("%s/powerctl-driver-check-XXXXXX", tmp && *tmp ? tmp : "/tmp");

	if (o->only && !count(o)) {
		complain_of_check(o->only);
		return USAGE;
	}
	if (o->password_set && !take_set(o, o->password_set))
		return USAGE;
	struct shared *shared = mmap(
		NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	child_catch_signals();
	if (shared == MAP_FAILED || !mkdtemp(folder)) {
		complain(folder, strerror(errno));
		return USAGE;
	}
	hold_libraries();
	int status = check_driver(o, shared, folder);
	(void)rmdir(folder);
	return status;
}

/* A report that nobody can read proves nothing. */
static int finish_output(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	complain("standard output cannot be written", "");
	return status == ALL_WELL ? SOME_FAILED : status;
}

int main(int argc, char **argv)
{
	struct options o = { .ops = 10000, .limit_s = 300 };
	int status = read_words(&o, argc, argv);

	if (status < 0)
		status = run(&o);
	free(o.password_set);
	free(o.name);
	free(o.dir);
	return finish_output(status);
}
