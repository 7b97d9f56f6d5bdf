/* SPDX-License-Identifier: Apache-2.0 */
/*
 * amtctrl (of Python's package "amt"): its commands, its file of hosts and what it prints. Where
 * amtctrl says nothing and ends with 0 after a failure this says "Error: ..." and ends with 1.
 */
#include <assert.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "amtctrl/hosts.h"
#include "ask.h"
#include "command.h"
#include "face.h"
#include "login.h"
#include "run.h"
#include "signals.h"

enum { DONE = 0, FAILED = 1, WRONG = 2 };

#define WORDS_MAX 8

static const char usage[] =
	"usage: amtctrl [-h] [-p] name [command]\n\n"
	"amtctrl list                                 list all servers\n"
	"amtctrl set [-V vncpasswd] name host passwd  register a server\n"
	"amtctrl rm name                              unregister a server\n"
	"amtctrl get name                             show a server's address\n"
	"amtctrl name on|off|reboot|pxeboot|status    do it\n"
	"amtctrl -p host on|off|...                   the same, asking for the password\n\n"
	"This is powerctl in the shape of amtctrl: powerctl-amtctrl(1).\n";

struct line {
	char *words[WORDS_MAX];
	size_t n;
	char *vncpasswd;
	bool prompt, help;
};

struct face_run {
	struct cli *cli;
	const struct command_row *row;
	struct ask ask;
	size_t failed;
};

/* --- Commands for machines. ------------------------------------------------------------------- */

static const struct command_row {
	const char *word;
	enum pctl_verb verb;
	bool pxe;
} rows[] = {
	{ "on", PCTL_VERB_ON, false },
	{ "off", PCTL_VERB_OFF, false },
	{ "reboot", PCTL_VERB_REBOOT, false },
	{ "pxeboot", PCTL_VERB_BOOT, true },
	{ "status", PCTL_VERB_STATUS, false },
};

static const struct command_row *find_row(const char *word)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].word, word) == 0)
			return &rows[i];
	return NULL;
}

static int fail(const struct pctl_error *err)
{
	const char *class = pctl_error_name(err->code);

	(void)printf("Error: %s: %s\n", class ? class : "internal", err->text);
	return FAILED;
}

/* In amtctrl's words. */
static const char *state_word(const struct pctl_result *r)
{
	static const struct {
		enum pctl_power_state state;
		const char *word;
	} words[] = {
		{ PCTL_POWER_ON, "on" },
		{ PCTL_POWER_OFF, "off" },
		{ PCTL_POWER_SLEEP, "standby" },
		{ PCTL_POWER_HIBERNATE, "hibernate" },
	};

	for (size_t i = 0; r->state_known && i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].state == r->state)
			return words[i].word;
	return "unknown";
}

static void on_result(void *data, const struct pctl_result *r)
{
	struct face_run *f = data;

	if (!r->ok || r->error.code) {
		(void)fail(&r->error);
		f->failed++;
	} else if (r->verb == PCTL_VERB_STATUS) {
		(void)printf("%s\n", state_word(r));
	}
}

static void on_signal(void *data)
{
	struct face_run *f = data;

	if (f->ask.run)
		pctl_run_cancel(f->ask.run);
}

static int run_row(struct face_run *f, size_t node)
{
	struct pctl_request request = run_request_from(f->cli, f->row->verb);
	const struct selection selection = { .nodes = &node, .count = 1 };
	struct pctl_problems *problems = pctl_problems_new();
	struct signals signals;

	request.no_wait = f->row->verb != PCTL_VERB_STATUS;
	if (f->row->pxe)
		request.boot = (struct pctl_boot){ .device = PCTL_BOOT_PXE };
	signals_start(&signals, &f->cli->loop, on_signal, NULL, f);
	int r = ask_nodes(f->cli, &selection, &request, &f->ask, on_result, f, problems);
	signals_stop(&signals);
	(void)uv_run(&f->cli->loop, UV_RUN_NOWAIT); /* their handles live on this stack */
	for (size_t i = 0; r < 0 && pctl_problems_at(problems, i); i++)
		(void)printf("Error: %s\n", pctl_problems_at(problems, i));
	pctl_problems_free(problems);
	if (signals.came)
		return CLI_INTERRUPTED;
	return r < 0 || f->failed ? FAILED : DONE;
}

/* HOST, or HOST:PORT for plain HTTP at another port than AMT's. */
static int add_node(struct cli *cli, const char *host, const char *secret_path, size_t *ret,
	struct pctl_error *err)
{
	const char *colon = strchr(host, ':');
	bool port = colon && !strchr(colon + 1, ':');
	size_t len = port ? (size_t)(colon - host) : strlen(host);
	PCTL_AUTO(free) char *address = pctl_xstrndup(host, len);
	struct pctl_value *settings = pctl_value_new_map();
	struct pctl_names *names = pctl_names_new();

	pctl_value_set_text(settings, "driver", "amt");
	pctl_value_set_text(settings, "address", address);
	pctl_value_set_text(settings, "port", port ? colon + 1 : NULL);
	pctl_value_set_text(settings, "tls", port ? "false" : NULL);
	pctl_value_set_text(settings, "password_file", secret_path);
	int r = pctl_range_is_plain(address)
			? pctl_inventory_add_nodes(cli->inventory, host, settings, names, err)
			: pctl_error_set(err, PCTL_E_CONFIG, "'%.200s' is no address", host);
	if (r == 0)
		*ret = (size_t)pctl_inventory_index(cli->inventory, pctl_names_at(names, 0));
	pctl_names_free(names);
	pctl_value_free(settings);
	return r;
}

static int power(struct cli *cli, const struct command_row *row, const char *host,
	const struct pctl_secret *secret)
{
	struct face_run f = { .cli = cli, .row = row };
	PCTL_AUTO(free) char *path = NULL;
	struct pctl_error err = { 0 };
	size_t node = 0;
	int fd = -1;
	int r = login_secret_file(secret, &path, &fd, &err);

	cli->inventory = pctl_inventory_new();
	if (r == 0)
		r = add_node(cli, host, path, &node, &err);
	int status = r == 0 ? run_row(&f, node) : fail(&err);
	if (fd >= 0)
		(void)close(fd);
	return status;
}

/* --- Whose password. -------------------------------------------------------------------------- */

static int power_prompted(struct cli *cli, const struct command_row *row, const char *host)
{
	struct pctl_secret *secret = NULL;
	struct pctl_error err = { 0 };
	int status = face_password("Password: ", true, &secret, &err) < 0
			     ? fail(&err)
			     : power(cli, row, host, secret);

	pctl_secret_free(secret);
	return status;
}

static int say_unknown(const char *name)
{
	(void)printf("No config found for server (%s), perhaps you need to add one via ``amtctrl "
		     "set``\n",
		name);
	return FAILED;
}

static int power_registered(struct cli *cli, const struct command_row *row, const char *name)
{
	struct amtctrl_hosts hosts;
	struct pctl_error err = { 0 };
	int status = FAILED;

	if (amtctrl_hosts_read(&hosts, false, &err) < 0) {
		amtctrl_hosts_done(&hosts);
		return fail(&err);
	}
	const struct amtctrl_host *host = amtctrl_host_find(&hosts, name);
	const char *address = host ? amtctrl_host_get(host, "host") : NULL;
	const char *password = host ? amtctrl_host_get(host, "passwd") : NULL;
	struct pctl_secret *secret = password ? pctl_secret_new(password, strlen(password)) : NULL;
	if (address && *address && secret) {
		status = power(cli, row, address, secret);
	} else {
		(void)say_unknown(name);
		(void)printf("Server %s not found in hostdb\n", name);
	}
	pctl_secret_free(secret);
	amtctrl_hosts_done(&hosts);
	return status;
}

static int do_power(struct cli *cli, const struct line *line)
{
	const char *word = line->n > 1 ? line->words[1] : "None";
	const struct command_row *row = find_row(word);

	if (strncmp(word, "vnc", 3) == 0) {
		(void)printf(
			"Error: unsupported: %s is not there; the display is not opened here\n",
			word);
		return FAILED;
	}
	if (!row) {
		(void)printf(
			"Unknown command %s, try one of on, off, reboot, pxeboot, status\n", word);
		return WRONG;
	}
	return line->prompt ? power_prompted(cli, row, line->words[0])
			    : power_registered(cli, row, line->words[0]);
}

/* --- The file of hosts. ----------------------------------------------------------------------- */

static void show_list(const struct amtctrl_hosts *hosts)
{
	(void)printf("Available servers (%zu):\n", hosts->n);
	for (size_t i = 0; i < hosts->n; i++)
		(void)printf("    %s\n", hosts->hosts[i].name);
}

static int show_host(const struct amtctrl_hosts *hosts, const char *name)
{
	const struct amtctrl_host *host = amtctrl_host_find(hosts, name);
	const char *address = host ? amtctrl_host_get(host, "host") : NULL;

	if (!address)
		return say_unknown(name);
	(void)printf("%s => %s\n", name, address);
	return DONE;
}

static int set_host(struct amtctrl_hosts *hosts, const struct line *line, struct pctl_error *err)
{
	const char *name = line->words[1];

	assert(name && line->words[2] && line->words[3]);
	if (!*name || strpbrk(name, "]\r\n"))
		return pctl_error_set(err, PCTL_E_CONFIG, "'%.200s' is no name", name);
	for (size_t i = 2; i < 4; i++)
		if (strpbrk(line->words[i], "\r\n"))
			return pctl_error_set(err, PCTL_E_CONFIG, "a value is one line");
	struct amtctrl_host *host = amtctrl_host_add(hosts, name);
	amtctrl_host_set(host, "host", line->words[2]);
	amtctrl_host_set(host, "passwd", line->words[3]);
	if (line->vncpasswd)
		amtctrl_host_set(host, "vncpasswd", line->vncpasswd);
	return amtctrl_hosts_write(hosts, err);
}

static int remove_host(struct amtctrl_hosts *hosts, const char *name, struct pctl_error *err)
{
	if (!amtctrl_host_find(hosts, name)) {
		(void)fprintf(stderr, "amtctrl: there is no %s; nothing is changed\n", name);
		return 0;
	}
	amtctrl_host_remove(hosts, name);
	return amtctrl_hosts_write(hosts, err);
}

static const struct list_row {
	const char *word;
	size_t words; /* with itself */
	bool changes;
	const char *usage;
} list_rows[] = {
	{ "list", 1, false, "list" },
	{ "get", 2, false, "get name" },
	{ "set", 4, true, "set [-V vncpasswd] name host passwd" },
	{ "add", 4, true, "add [-V vncpasswd] name host passwd" },
	{ "rm", 2, true, "rm name" },
};

static int do_list(const struct list_row *row, const struct line *line)
{
	struct amtctrl_hosts hosts;
	struct pctl_error err = { 0 };
	int status = DONE, r = amtctrl_hosts_read(&hosts, row->changes, &err);

	if (r == 0 && strcmp(row->word, "add") == 0)
		(void)printf("WARNING: ``add`` command is deprecated, ``set`` is prefered\n");
	if (r == 0 && strcmp(row->word, "list") == 0)
		show_list(&hosts);
	else if (r == 0 && strcmp(row->word, "get") == 0)
		status = show_host(&hosts, line->words[1]);
	else if (r == 0 && strcmp(row->word, "rm") == 0)
		r = remove_host(&hosts, line->words[1], &err);
	else if (r == 0)
		r = set_host(&hosts, line, &err);
	amtctrl_hosts_done(&hosts);
	return r < 0 ? fail(&err) : status;
}

/* --- Words. ----------------------------------------------------------------------------------- */

static int wrong(const char *what)
{
	(void)fprintf(
		stderr, "usage: amtctrl [-h] [-p] name [command]\namtctrl: error: %s\n", what);
	return WRONG;
}

static const struct list_row *find_list_row(const char *word)
{
	for (size_t i = 0; i < sizeof(list_rows) / sizeof(list_rows[0]); i++)
		if (strcmp(list_rows[i].word, word) == 0)
			return &list_rows[i];
	return NULL;
}

/* -1: go on. */
static int take_option(struct line *line, char **argv, int *at)
{
	static const char vnc[] = "--vncpasswd";
	const char *word = argv[*at];

	if (strcmp(word, "-p") == 0 || strcmp(word, "--prompt-pass") == 0)
		line->prompt = true;
	else if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0)
		line->help = true;
	else if ((strcmp(word, "-V") == 0 || strcmp(word, vnc) == 0) && argv[*at + 1])
		line->vncpasswd = argv[++*at];
	else if (strncmp(word, vnc, sizeof(vnc) - 1) == 0 && word[sizeof(vnc) - 1] == '=')
		line->vncpasswd = argv[*at] + sizeof(vnc);
	else
		return wrong("unrecognized arguments");
	return -1;
}

static int take_words(struct line *line, char **argv)
{
	bool ended = false;
	int status = -1;

	for (int i = 1; status < 0 && argv[i]; i++) {
		if (!ended && strcmp(argv[i], "--") == 0)
			ended = true;
		else if (!ended && argv[i][0] == '-' && argv[i][1])
			status = take_option(line, argv, &i);
		else if (line->n == WORDS_MAX)
			status = wrong("too many arguments");
		else
			line->words[line->n++] = argv[i];
	}
	if (status < 0 && !line->help && line->n == 0)
		status = wrong("the following arguments are required: name");
	return status;
}

/* Passwords of `set`: copies are what is gone on with. */
static void hide(struct line *line)
{
	bool sets = line->n > 0 &&
		    (strcmp(line->words[0], "set") == 0 || strcmp(line->words[0], "add") == 0);
	char **const secrets[] = { sets && line->n > 3 ? &line->words[3] : NULL, &line->vncpasswd };

	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		char *shown = secrets[i] ? *secrets[i] : NULL;

		if (!shown)
			continue;
		*secrets[i] = pctl_xstrdup(shown);
		explicit_bzero(shown, strlen(shown));
	}
}

static void forget(const struct line *line, const char *password)
{
	char *const copies[] = { line->vncpasswd, password ? line->words[3] : NULL };

	for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++) {
		if (!copies[i])
			continue;
		explicit_bzero(copies[i], strlen(copies[i]));
		free(copies[i]);
	}
}

static int obey(struct cli *cli, const struct line *line)
{
	const struct list_row *row = find_list_row(line->words[0]);

	if (!row && line->n > 2)
		return wrong("unrecognized arguments");
	if (row && line->n != row->words) {
		PCTL_AUTO(free)
		char *what = pctl_xasprintf("%s: amtctrl %s",
			line->n < row->words ? "arguments are missing" : "unrecognized arguments",
			row->usage);
		return wrong(what);
	}
	return row ? do_list(row, line) : do_power(cli, line);
}

static int run_face(struct cli *cli, int argc, char **argv)
{
	struct line line = { .n = 0 };
	int status = take_words(&line, argv);
	const char *shown = line.n > 3 ? line.words[3] : NULL;

	(void)argc;
	hide(&line);
	const char *password = line.n > 3 && line.words[3] != shown ? line.words[3] : NULL;
	if (status < 0 && line.help) {
		(void)fputs(usage, stdout);
		status = DONE;
	} else if (status < 0) {
		status = obey(cli, &line);
	}
	forget(&line, password);
	return status;
}

static const struct command command_amtctrl = { .name = "amtctrl" };

const struct face face_amtctrl = {
	.name = "amtctrl",
	.main = run_face,
	.command = &command_amtctrl,
};
