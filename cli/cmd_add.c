/* SPDX-License-Identifier: Apache-2.0 */
/* add: asks for the login once, finds the driver, writes the inventory, reads the state. */
#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "command.h"
#include "login.h"
#include "methods.h"
#include "probe.h"
#include "prompt.h"
#include "run.h"
#include "say.h"
#include "text.h"

#define USER_MAX  256u
#define PINS_MAX  16u
#define PINS_SAID 8u /* nodes whose identities are printed; beyond that the command for it */

/* What is going to be added. */
struct addition {
	struct cli *cli;
	const char *name, *address;
	char *path;        /* of the inventory */
	char *driver;      /* NULL: the class says it */
	char *user;        /* NULL: none */
	char *credential;  /* NULL: none is made */
	char *secret_file; /* stored beside the inventory */
	struct pctl_secret *secret;
	char *secret_path; /* for the probe: a file of this process */
	int secret_fd;
};

static void addition_done(struct addition *a)
{
	free(a->path);
	free(a->driver);
	free(a->user);
	free(a->credential);
	free(a->secret_file);
	free(a->secret_path);
	pctl_secret_free(a->secret);
	if (a->secret_fd >= 0)
		(void)close(a->secret_fd);
}

/* --- Before anybody is asked. ----------------------------------------------------------------- */

/* NAME and ADDRESS name equally many. */
static int check_ranges(const struct addition *a, struct pctl_error *err)
{
	uint64_t names = 0, addresses = 0;

	int r = pctl_range_count(a->name, &names, NULL, err);
	if (r == 0)
		r = pctl_range_count(a->address, &addresses, NULL, err);
	if (r == 0 && names != addresses)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"'%s' names %llu, '%s' %llu; they have to be equally many", a->name,
			(unsigned long long)names, a->address, (unsigned long long)addresses);
	return r;
}

static int is_known(void *data, size_t i, const char *name)
{
	(void)i;
	return pctl_inventory_index(data, name) >= 0 ? PCTL_E_CONFIG : 0;
}

/* The file may be missing: then it is begun. */
static int check_inventory(struct addition *a, struct pctl_error *err)
{
	int r = cli_inventory_path(a->cli, &a->path, err);

	if (r < 0 || access(a->path, F_OK) < 0)
		return r;
	if (cli_inventory_reload(a->cli, a->path) != CLI_OK)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "nothing was added: mend %s first", a->path);
	if (pctl_range_each(a->name, is_known, a->cli->inventory, NULL, NULL) < 0)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s is in %s already; `powerctl set` changes it, `powerctl rm` removes it",
			a->name, a->path);
	return 0;
}

static int check_settings(const struct addition *a, struct pctl_error *err)
{
	const struct words *settings = &a->cli->options.settings;

	for (size_t i = 0; i < settings->n; i++) {
		const char *word = settings->v[i];
		size_t len = strcspn(word, "=");
		PCTL_AUTO(free) char *key = pctl_xstrndup(word, len);

		if (!word[len] || !len)
			return pctl_error_set(
				err, PCTL_E_CONFIG, "--set %s: write KEY=VALUE", word);
		if (pctl_key_is_secret(key))
			return pctl_error_set(err, PCTL_E_CONFIG,
				"--set %s: a secret is not taken from the command line; leave it "
				"out to be asked, or use %s_file",
				key, key);
	}
	return 0;
}

static int check_via(const struct addition *a, struct pctl_error *err)
{
	const char *via = a->cli->options.via;
	struct pctl_error why;

	if (!via || pctl_via_check(via, &why) == 0)
		return 0;
	return pctl_error_set(err, PCTL_E_CONFIG, "--via: %.200s", why.text);
}

/* --- The login. ------------------------------------------------------------------------------- */

/* The value of the driver's selector among the settings that are given, or NULL. */
static const char *selected(const struct addition *a, const struct pctl_driver *driver)
{
	const struct words *settings = &a->cli->options.settings;
	const struct pctl_property *selector = login_selector(driver);
	size_t len = selector ? strlen(selector->name) : 0;

	for (size_t i = 0; selector && i < settings->n; i++)
		if (strncmp(settings->v[i], selector->name, len) == 0 && settings->v[i][len] == '=')
			return settings->v[i] + len + 1;
	return NULL;
}

static const struct pctl_property *find(
	const struct addition *a, const struct pctl_driver *driver, const char *name)
{
	return login_property(a->cli, driver, selected(a, driver), name);
}

/* Asks where nothing is given; a driver's default is offered. */
static int get_user(struct addition *a, const struct pctl_driver *driver, struct pctl_error *err)
{
	const struct pctl_property *p = driver ? find(a, driver, "username") : NULL;
	const char *usual = p ? p->default_text : NULL;
	PCTL_AUTO(free) char *question = NULL;
	char answer[USER_MAX] = "";

	if (a->cli->options.user) {
		a->user = pctl_xstrdup(a->cli->options.user);
		return 0;
	}
	if (driver && !p)
		return 0;
	question = usual ? pctl_xasprintf("User [%s]: ", usual) : pctl_xstrdup("User: ");
	if (prompt_text(question, answer, sizeof(answer), NULL) < 0 && !usual)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"a user is needed and there is no terminal to ask on; add --user NAME");
	if (*answer)
		a->user = pctl_xstrdup(answer);
	else if (usual)
		a->user = pctl_xstrdup(usual);
	return 0;
}

static int get_login(struct addition *a, const struct pctl_driver *driver, struct pctl_error *err)
{
	if (driver && !find(a, driver, "password"))
		return 0;

	int r = get_user(a, driver, err);
	if (r < 0)
		return r;
	PCTL_AUTO(free)
	char *question = pctl_xasprintf(
		"Password for %s%s%s: ", a->user ? a->user : "", a->user ? "@" : "", a->address);
	r = login_password(a->cli, question, &a->secret, err);
	if (r == 0)
		r = login_secret_file(a->secret, &a->secret_path, &a->secret_fd, err);
	return r;
}

/* A class or a credential of the inventory brings the login along, unless one is given. */
static bool has_login(const struct addition *a)
{
	const struct options *o = &a->cli->options;

	if (o->credential)
		return true;
	return o->node_class && !o->user && !o->password_file && !o->password_stdin;
}

static int get_driver(struct addition *a, struct pctl_error *err)
{
	const struct probe_login login = {
		.user = a->user, .secret_path = a->secret_path, .via = a->cli->options.via
	};

	if (a->driver || a->cli->options.node_class)
		return 0;
	PCTL_AUTO(free) char *first = pctl_range_at(a->address, 0);
	if (!a->cli->options.quiet)
		say("looking for the management processor at %s", first);
	int r = probe_driver(a->cli, first, &login, &a->driver, err);
	if (r < 0) {
		say("%s", err->text);
		if (r == PCTL_E_AUTH)
			return pctl_error_set(err, r,
				"nothing was added; begin again with the right user and password");
		return pctl_error_set(err, r,
			"nothing was added; if the machine is there, name its driver: --driver "
			"NAME "
			"(`powerctl drivers` lists them)");
	}
	return 0;
}

/* --- Writing. --------------------------------------------------------------------------------- */

/* A name for the credential's file that no other one has: nuc[1-8] becomes nuc1-8. */
static char *choose_credential(const struct addition *a)
{
	const char *slash = strrchr(a->path, '/');
	int folder = slash ? (int)(slash - a->path) : 1;
	PCTL_AUTO(free) char *base = pctl_xcalloc(strlen(a->name) + 1, 1);
	size_t n = 0;

	for (const char *c = a->name; *c; c++) {
		if (isalnum((unsigned char)*c) || *c == '_')
			base[n++] = *c;
		else if (n > 0 && base[n - 1] != '-' && *c != '[' && *c != ']')
			base[n++] = '-';
	}
	for (unsigned i = 1;; i++) {
		char *name = i == 1 ? pctl_xstrdup(base) : pctl_xasprintf("%s-%u", base, i);
		PCTL_AUTO(free)
		char *file = pctl_xasprintf("%.*s/secrets/%s", folder, slash ? a->path : ".", name);

		if (access(file, F_OK) < 0)
			return name;
		free(name);
	}
}

static int write_login(struct addition *a, struct pctl_error *err)
{
	if (!a->secret)
		return 0;
	a->credential = choose_credential(a);
	int r = pctl_inventory_store_secret(
		a->path, a->credential, a->secret, &a->secret_file, err);
	if (r < 0)
		return r;
	return pctl_inventory_edit_credential(a->path, a->credential, a->user, a->secret_file, err);
}

static struct pctl_value *make_settings(const struct addition *a)
{
	const struct options *o = &a->cli->options;
	struct pctl_value *map = pctl_value_new_map();

	pctl_value_set_text(map, "class", o->node_class);
	pctl_value_set_text(map, "driver", a->driver);
	pctl_value_set_text(map, "address", a->address);
	pctl_value_set_text(map, "via", o->via);
	pctl_value_set_text(map, "credential", o->credential ? o->credential : a->credential);
	for (size_t i = 0; i < o->settings.n; i++) {
		const char *word = o->settings.v[i];
		size_t len = strcspn(word, "=");
		PCTL_AUTO(free) char *key = pctl_xstrndup(word, len);

		pctl_value_set_text(map, key, word + len + 1);
	}
	if (o->tags.n > 0) {
		struct pctl_value *tags = pctl_value_new_list();

		for (size_t i = 0; i < o->tags.n; i++)
			pctl_value_add(tags, pctl_value_new_text(o->tags.v[i]));
		pctl_value_set(map, "tags", tags);
	}
	return map;
}

static int write_all(struct addition *a, struct pctl_error *err)
{
	int r = write_login(a, err);

	if (r == 0) {
		struct pctl_value *settings = make_settings(a);

		r = pctl_inventory_edit_add(a->path, a->name, settings, err);
		pctl_value_free(settings);
	}
	if (r < 0 && a->secret_file)
		(void)unlink(a->secret_file); /* nobody refers to it */
	return r;
}

/* --- Afterwards. ------------------------------------------------------------------------------ */

static void say_pins(const struct addition *a, size_t node)
{
	struct pctl_pin pins[PINS_MAX] = { { 0 } };
	struct pctl_buf line;
	int n = pctl_trust_list(cli_core(a->cli), a->cli->inventory, node, pins, PINS_MAX, NULL);

	pctl_buf_init(&line, TEXT_ANSWER_MAX);
	for (int i = 0; i < n && i < (int)PINS_MAX; i++)
		if (pins[i].value)
			pctl_buf_addf(&line, "%s%s %s", line.len ? ", " : "", pins[i].kind,
				pins[i].value);
	if (line.len)
		say("%s: trusted on first use: %s", pctl_inventory_name(a->cli->inventory, node),
			line.data);
	pctl_buf_done(&line);
}

static int show_status(struct addition *a)
{
	const struct pctl_request request = run_request_from(a->cli, PCTL_VERB_STATUS);
	struct selection selection = { 0 };
	struct pctl_problems *problems = pctl_problems_new();
	const char *words[] = { a->name, NULL };
	const struct pctl_selection chosen = { .words = words };

	int status = cli_inventory_reload(a->cli, a->path);
	if (status == CLI_OK && pctl_inventory_select(a->cli->inventory, &chosen, &selection.nodes,
					&selection.count, problems) < 0)
		status = CLI_USAGE;
	say_problems(problems);
	pctl_problems_free(problems);
	if (status != CLI_OK)
		return status;
	status = run_request(a->cli, &selection, &request, NULL);
	if (selection.count > PINS_SAID && !a->cli->options.quiet)
		say("`powerctl trust %s` shows what was trusted on first use", a->name);
	else if (!a->cli->options.quiet)
		for (size_t i = 0; i < selection.count; i++)
			say_pins(a, selection.nodes[i]);
	selection_done(&selection);
	return status;
}

static int prepare(struct addition *a, struct pctl_error *err)
{
	const struct pctl_driver *driver = NULL;

	int r = check_ranges(a, err);
	if (r == 0)
		r = check_settings(a, err);
	if (r == 0)
		r = check_via(a, err);
	if (r == 0)
		r = check_inventory(a, err);
	if (r == 0 && a->driver)
		r = method_driver(a->cli, a->driver, &driver, err);
	if (r == 0 && !has_login(a))
		r = get_login(a, driver, err);
	return r;
}

static int exec_add(struct cli *cli)
{
	struct addition a = {
		.cli = cli,
		.name = cli->args[0],
		.address = cli->args[1],
		.driver = cli->options.driver ? pctl_xstrdup(cli->options.driver) : NULL,
		.secret_fd = -1,
	};
	struct pctl_error err = { 0 };
	int status = CLI_USAGE;

	if (cli->nargs > 2 && strchr(cli->args[2], '=')) {
		say("a setting is given with --set: powerctl add %s %s --set %.*s=VALUE",
			cli->args[0], cli->args[1], (int)strcspn(cli->args[2], "="), cli->args[2]);
	} else if (cli->nargs > 2) {
		say("add takes one NAME and one ADDRESS, both may be ranges: powerctl add nuc[1-8] "
		    "10.0.0.[11-18]");
	} else if (prepare(&a, &err) < 0) {
		say("%s", err.text);
	} else if (get_driver(&a, &err) < 0 || write_all(&a, &err) < 0) {
		say("%s", err.text);
		status = CLI_FAILED;
	} else {
		if (!cli->options.quiet)
			say("%s is added to %s%s%s", a.name, a.path, a.driver ? ", driver " : "",
				a.driver ? a.driver : "");
		status = show_status(&a);
	}
	addition_done(&a);
	return status;
}

const struct command command_add = {
	.name = "add",
	.usage = "NAME ADDRESS",
	.summary = "add a machine to the inventory and try it",
	.help = "Asks for user and password, finds out which driver talks to ADDRESS, stores the "
		"password in\nsecrets/ beside the inventory, and reads the state once. NAME and "
		"ADDRESS may be ranges of\nequally many: powerctl add nuc[1-8] 10.0.0.[11-18].",
	.arguments = 2,
	.options = OPTIONS(OPTIONS_OUTPUT, OPTIONS_SECRET, OPTION_TRY_ANYWAY, OPTION_DRIVER,
		OPTION_CLASS, OPTION_TAG, OPTION_SET, OPTION_VIA, OPTION_TIMEOUT),
	.exec = exec_add,
};
