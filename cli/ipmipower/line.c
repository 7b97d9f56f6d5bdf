/* SPDX-License-Identifier: Apache-2.0 */
/* ipmipower's command line. */
#include <getopt.h>
#include <string.h>

#include <powerctl/mem.h>

#include "cli.h"
#include "command.h"
#include "ipmipower/rows.h"

#define PASSWORD_15  16u
#define SESSION_MS   20000u
#define BY_ROW       0x1100 /* a row's place from here on, for getopt_long() */
#define BY_ACTION    0x1200
#define HELP_COLUMNS 38

static void show_line(int letter, const char *name, const char *argument, const char *help)
{
	char words[64], first[8] = "    ";

	if (letter != IPMIPOWER_LONG_ONLY)
		(void)snprintf(first, sizeof(first), "-%c, ", letter);
	(void)snprintf(words, sizeof(words), "  %s--%s%s%s", first, name, argument ? "=" : "",
		argument ? argument : "");
	(void)printf("%-*s %s\n", HELP_COLUMNS, words, help);
}

static void show_help(void)
{
	(void)printf(
		"Usage: ipmipower [OPTION...]\n"
		"powerctl in the shape of ipmipower: powerctl-ipmipower(1) has what differs.\n\n");
	for (const struct ipmipower_action *a = ipmipower_actions; a->name; a++)
		if (a->letter)
			show_line(a->letter, a->name, NULL, a->help);
	for (const struct ipmipower_row *row = ipmipower_rows; row->name; row++)
		if (row->help)
			show_line(row->letter, row->name, row->argument, row->help);
	(void)printf("Without one of the first seven it asks for commands: `help` lists them.\n");
}

/* For getopt_long(): options without a letter are their place among these. */
static void make_tables(struct option *longs, char *shorts)
{
	size_t n = 0;

	for (const struct ipmipower_row *row = ipmipower_rows; row->name; row++) {
		if (!row->help)
			continue;
		longs[n++] =
			(struct option){ row->name, row->argument ? required_argument : no_argument,
				NULL, BY_ROW + (int)(row - ipmipower_rows) };
		if (row->letter == IPMIPOWER_LONG_ONLY || row->letter == '?')
			continue;
		*shorts++ = (char)row->letter;
		if (row->argument)
			*shorts++ = ':';
	}
	for (const struct ipmipower_action *a = ipmipower_actions; a->name; a++) {
		if (!a->letter)
			continue;
		longs[n++] = (struct option){ a->name, no_argument, NULL,
			BY_ACTION + (int)(a - ipmipower_actions) };
		if (a->letter != IPMIPOWER_LONG_ONLY)
			*shorts++ = (char)a->letter;
	}
	*shorts = '\0';
}

/* What was met in argv. */
struct entry {
	const struct ipmipower_row *row;
	const struct ipmipower_action *action;
	const char *value;
	struct pctl_secret *secret;
};

struct line {
	struct entry *entries;
	size_t n, cap;
	const char *config;
};

static void meet(struct line *line, int found, char *value)
{
	line->entries = pctl_xgrow(line->entries, &line->cap, line->n + 1, sizeof(*line->entries));
	struct entry *e = &line->entries[line->n++];

	*e = (struct entry){ .value = value };
	for (const struct ipmipower_row *row = ipmipower_rows; row->name; row++)
		if (found == row->letter || found == BY_ROW + (int)(row - ipmipower_rows))
			e->row = row;
	for (const struct ipmipower_action *a = ipmipower_actions; a->name; a++)
		if (found == a->letter || found == BY_ACTION + (int)(a - ipmipower_actions))
			e->action = a;
	if (e->row && e->row->flags & IPMIPOWER_SECRET) {
		size_t len = strlen(value);

		e->secret = pctl_secret_new(value, len < PCTL_SECRET_MAX ? len : PCTL_SECRET_MAX);
		e->value = NULL;
		explicit_bzero(value, len);
	}
	if (e->row && strcmp(e->row->name, "config-file") == 0)
		line->config = value;
}

static int refuse(const char *what)
{
	(void)fprintf(stderr, "ipmipower: %s\nTry `ipmipower --help'.\n", what);
	return IPMIPOWER_WRONG;
}

/* What getopt_long() could not take; never the value of anything. */
static int refuse_option(int argc, char **argv, int found)
{
	const char *word = optind > 0 && optind <= argc ? argv[optind - 1] : "";
	bool is_long = strncmp(word, "--", 2) == 0 && !(optopt > ' ' && optopt < 0x7f);
	PCTL_AUTO(free)
	char *option =
		is_long ? pctl_xstrndup(word, strcspn(word, "="))
			: pctl_xasprintf("-%c", optopt > ' ' && optopt < 0x7f ? optopt : '?');
	PCTL_AUTO(free)
	char *text = pctl_xasprintf(found == ':' ? "option '%.60s' requires an argument"
						 : "unrecognized option '%.60s'",
		option);

	return refuse(text);
}

/* Secrets are wiped in all of argv, also where something in it is wrong. */
static int read_line(struct line *line, int argc, char **argv)
{
	struct option longs[IPMIPOWER_ROWS_MAX + 1] = { { 0 } };
	char shorts[2 * IPMIPOWER_ROWS_MAX + 2] = ":";
	int found, status = IPMIPOWER_DONE;

	make_tables(longs, shorts + 1);
	opterr = 0;
	while ((found = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		bool help = found == '?' && optopt == '?';

		if (!help && (found == '?' || found == ':')) {
			status = status ? status : refuse_option(argc, argv, found);
			continue;
		}
		meet(line, found, optarg);
	}
	if (!status && optind < argc)
		status = refuse("Too many arguments");
	return status;
}

static bool is_for_help(struct ipmipower_options *o, const struct line *line)
{
	for (size_t i = 0; i < line->n && !o->ends; i++) {
		const struct ipmipower_row *row = line->entries[i].row;

		if (!row || !(row->flags & IPMIPOWER_HELP))
			continue;
		if (strcmp(row->name, "version") == 0)
			help_version(stdout);
		else
			show_help();
		o->ends = true;
	}
	return o->ends;
}

static int complain(const char *what)
{
	(void)fprintf(stderr, "ipmipower: %s\n", what);
	return IPMIPOWER_FAILED;
}

static int take_line(struct ipmipower_options *o, const struct line *line)
{
	for (size_t i = 0; i < line->n; i++) {
		const struct entry *e = &line->entries[i];
		const char *wrong = NULL;

		if (e->action)
			o->action = e->action;
		else
			wrong = ipmipower_row_take(
				o, e->row, e->secret ? pctl_secret_data(e->secret) : e->value);
		if (wrong)
			return complain(wrong);
	}
	return IPMIPOWER_DONE;
}

/* What fits together. */
static int check(const struct ipmipower_options *o)
{
	uint64_t session = o->session_ms ? o->session_ms : SESSION_MS;
	bool lan15 = o->protocol && strcmp(o->protocol, "1.5") == 0;

	if (o->retransmission_ms > session)
		return complain("retransmission timeout larger than session timeout");
	if (lan15 && o->password && pctl_secret_len(o->password) > PASSWORD_15)
		return complain("password too long");
	if (o->action && !o->hosts)
		return complain("must specify target hostname(s) in non-interactive mode");
	if (o->action && o->action->privileged && o->privilege &&
		strcmp(o->privilege, "user") == 0) {
		PCTL_AUTO(free)
		char *text = pctl_xasprintf(
			"'%s' requires atleast operator privilege", o->action->privileged);
		return complain(text);
	}
	return IPMIPOWER_DONE;
}

int ipmipower_options_read(struct ipmipower_options *o, int argc, char **argv)
{
	struct line line = { .n = 0 };

	*o = (struct ipmipower_options){ .cipher_suite = -1 };
	int status = read_line(&line, argc, argv);
	bool help = status == IPMIPOWER_DONE && is_for_help(o, &line);
	if (!help && status == IPMIPOWER_DONE)
		status = ipmipower_config_read(o, line.config);
	if (!help && status == IPMIPOWER_DONE)
		status = take_line(o, &line);
	if (!help && status == IPMIPOWER_DONE)
		status = check(o);
	for (size_t i = 0; i < line.n; i++)
		pctl_secret_free(line.entries[i].secret);
	free(line.entries);
	return status;
}
