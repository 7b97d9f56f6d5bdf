/* SPDX-License-Identifier: Apache-2.0 */
/* import: takes over what another program knows of machines, into a file that the inventory
 * includes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "command.h"
#include "import/import.h"
#include "import/write.h"
#include "login.h"
#include "say.h"
#include "text.h"

#define ROUNDS_MAX 2u /* what drivers refuse is left out, and then the rest is right */

struct takeover {
	struct cli *cli;
	const struct import_format *format;
	const char *file; /* "-": standard input */
	struct import im;
	char *path;        /* of the inventory */
	bool begun;        /* it is there already */
	size_t user_login; /* what the options say: 1 + its number; 0: nothing */
	struct pctl_buf text;
	char *written; /* the file */
};

/* --- Reading. --------------------------------------------------------------------------------- */

static int read_all(int fd, const char *path, struct pctl_buf *out, struct pctl_error *err)
{
	char piece[65536];
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) != 0 && !out->full) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		pctl_buf_add(out, piece, (size_t)n);
	}
	explicit_bzero(piece, sizeof(piece));
	if (n < 0)
		return pctl_error_set(err, PCTL_E_CONFIG, "%s: %s", path, strerror(errno));
	if (out->full)
		return pctl_error_set(err, PCTL_E_CONFIG, "%s is larger than %u MB; split it", path,
			IMPORT_FILE_MAX >> 20);
	uint32_t wrong = import_wrong_line(out->data, out->len);
	if (wrong)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s:%u: this is no text in UTF-8; `iconv -f latin1 -t utf8` makes one",
			path, wrong);
	return 0;
}

static int read_file(void *data, const char *path, struct pctl_buf *out, struct pctl_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	(void)data;
	if (fd < 0)
		return pctl_error_set(err, PCTL_E_CONFIG, "%s: %s", path, strerror(errno));
	int r = read_all(fd, path, out, err);
	(void)close(fd);
	return r;
}

static int read_input(struct takeover *t, struct pctl_error *err)
{
	struct pctl_buf in;
	int r;

	pctl_buf_init_secret(&in, IMPORT_FILE_MAX);
	if (strcmp(t->file, "-") == 0)
		r = read_all(STDIN_FILENO, "standard input", &in, err);
	else
		r = read_file(NULL, t->file, &in, err);
	t->im.read = read_file;
	if (r == 0)
		t->format->parse(&t->im, in.data);
	pctl_buf_done(&in);
	return r;
}

static int find_format(const char *name, const struct import_format **ret)
{
	const char *names[16] = { NULL };

	for (size_t i = 0; import_formats[i].name; i++) {
		names[i] = import_formats[i].name;
		if (strcmp(names[i], name) == 0) {
			*ret = &import_formats[i];
			return CLI_OK;
		}
	}
	const char *near = pctl_parse_nearest(name, names);
	if (near)
		say("unknown format '%s'; did you mean '%s'?", name, near);
	else
		say("unknown format '%s'; `powerctl help import` lists them", name);
	return CLI_USAGE;
}

static int open_inventory(struct takeover *t)
{
	struct pctl_error err = { 0 };

	if (cli_inventory_path(t->cli, &t->path, &err) < 0) {
		say("%s", err.text);
		return CLI_USAGE;
	}
	t->begun = access(t->path, F_OK) == 0;
	if (!t->begun || cli_inventory_reload(t->cli, t->path) == CLI_OK)
		return CLI_OK;
	say("nothing was taken over: mend %s first", t->path);
	return CLI_USAGE;
}

/* --- What is left out. ------------------------------------------------------------------------ */

/* Nodes that are left out for one reason, as one line with the first one's place. */
struct leftovers {
	struct pctl_names *names;
	struct pctl_place place;
};

static void leave(struct leftovers *l, struct import_node *node)
{
	if (!l->names) {
		l->names = pctl_names_new();
		l->place = node->place;
	}
	(void)pctl_names_add(l->names, node->name);
	node->dropped = true;
}

/* Says why, and how to mend it. */
static void leftovers_done(struct takeover *t, struct leftovers *l, const char *why)
{
	if (l->names) {
		PCTL_AUTO(free) char *folded = pctl_names_fold(l->names);

		import_left(&t->im, l->place, "%s: %s", folded, why);
	}
	pctl_names_free(l->names);
}

static bool has(const struct import_node *node, const char *key)
{
	return pctl_value_get(node->settings, key) != NULL;
}

static void leave_known(struct takeover *t)
{
	struct leftovers known = { 0 };
	PCTL_AUTO(free)
	char *why = pctl_xasprintf("already in %s, where they stay as they are", t->path);

	for (size_t i = 0; t->begun && i < t->im.node_count; i++) {
		struct import_node *node = &t->im.nodes[i];

		if (!node->dropped && pctl_inventory_index(t->cli->inventory, node->name) >= 0)
			leave(&known, node);
	}
	leftovers_done(t, &known, why);
}

static void leave_known_groups(struct takeover *t)
{
	struct pctl_names *there = pctl_names_new();

	for (size_t i = 0; t->begun && i < pctl_inventory_group_count(t->cli->inventory); i++)
		(void)pctl_names_add(there, pctl_inventory_group_name(t->cli->inventory, i));
	for (size_t i = 0; i < t->im.group_count; i++) {
		struct import_group *group = &t->im.groups[i];

		if (!pctl_names_has(there, group->name))
			continue;
		import_left(&t->im, group->place,
			"the group '%s' is already in %s, where it stays as it is", group->name,
			t->path);
		pctl_names_free(group->members);
		group->members = pctl_names_new();
	}
	pctl_names_free(there);
}

/* --- Drivers and logins. ---------------------------------------------------------------------- */

static bool is_one_of(const struct takeover *t, const char *name,
	void (*list)(const struct pctl_inventory *inventory, struct pctl_names *out))
{
	struct pctl_names *names = pctl_names_new();

	if (t->begun)
		list(t->cli->inventory, names);
	bool found = pctl_names_has(names, name);
	pctl_names_free(names);
	return found;
}

/* The login of the options, where there is one. */
static int take_options(struct takeover *t)
{
	const struct options *o = &t->cli->options;
	const char *env = getenv("POWERCTL_PASSWORD");
	bool some = o->user || o->password_file || o->password_stdin || (env && *env);
	struct pctl_secret *secret = NULL;
	struct pctl_error err = { 0 };

	if (o->password_stdin && strcmp(t->file, "-") == 0) {
		say("both FILE and the password cannot come from standard input: use "
		    "--password-file FILE");
		return CLI_USAGE;
	}
	if (o->credential && !is_one_of(t, o->credential, pctl_inventory_credentials)) {
		say("--credential %s: there is no such credential in %s", o->credential, t->path);
		return CLI_USAGE;
	}
	if (!some || o->credential)
		return CLI_OK;
	if (login_password(t->cli, "Password for machines that have none there: ", &secret, &err) <
		0) {
		say("%s", err.text);
		return CLI_USAGE;
	}
	t->user_login = import_login(&t->im, o->user, pctl_secret_data(secret), NULL);
	pctl_secret_free(secret);
	return CLI_OK;
}

/* What the file says of a login, filled up with what the options say. */
static void complete_login(struct takeover *t, struct import_node *node)
{
	const struct options *o = &t->cli->options;
	const struct import_login *own = node->login ? &t->im.logins[node->login - 1] : NULL;
	const struct import_login *given = t->user_login ? &t->im.logins[t->user_login - 1] : NULL;

	if ((own && own->password) || has(node, "credential") || has(node, "class"))
		return;
	if (o->credential) {
		import_set(node, "credential", o->credential);
		node->login = 0;
	} else if (given) {
		node->login = import_login(&t->im, own && own->user ? own->user : given->user,
			pctl_secret_data(given->password),
			own && own->kg ? pctl_secret_data(own->kg) : NULL);
	}
}

static bool has_login(struct takeover *t, const struct import_node *node)
{
	static const char *const ways[] = { "class", "credential", "password_file", "password_env",
		"password_command" };
	const char *name = import_setting(node, "driver");
	const struct pctl_driver *driver = NULL;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (has(node, ways[i]))
			return true;
	if (node->login && t->im.logins[node->login - 1].password)
		return true;
	/* One that is not there is found out later, and said. */
	return pctl_core_driver(cli_core(t->cli), name, &driver, NULL) < 0 ||
	       !login_property(t->cli, driver, NULL, "username") ||
	       !login_property(t->cli, driver, NULL, "password");
}

static void add_tags(const struct takeover *t, struct import_node *node)
{
	const struct words *tags = &t->cli->options.tags;
	struct pctl_value *list = pctl_value_get(node->settings, "tags");

	if (tags->n && !list) {
		list = pctl_value_new_list();
		pctl_value_set(node->settings, "tags", list);
	}
	for (size_t i = 0; i < tags->n; i++)
		pctl_value_add(list, pctl_value_new_text(tags->v[i]));
}

static void complete_nodes(struct takeover *t)
{
	struct leftovers no_driver = { 0 }, no_login = { 0 }, no_class = { 0 },
			 no_credential = { 0 };

	for (size_t i = 0; i < t->im.node_count; i++) {
		struct import_node *node = &t->im.nodes[i];
		const char *class = import_setting(node, "class");
		const char *credential = import_setting(node, "credential");

		if (node->dropped)
			continue;
		if (!has(node, "driver") && !class)
			import_set(node, "driver", t->cli->options.driver);
		complete_login(t, node);
		if (class && !is_one_of(t, class, pctl_inventory_classes))
			leave(&no_class, node);
		else if (credential && !is_one_of(t, credential, pctl_inventory_credentials))
			leave(&no_credential, node);
		else if (!has(node, "driver") && !class)
			leave(&no_driver, node);
		else if (!has_login(t, node))
			leave(&no_login, node);
		else
			add_tags(t, node);
	}
	leftovers_done(
		t, &no_driver, "no driver is named; add a column 'driver', or --driver NAME");
	leftovers_done(t, &no_class, "the inventory has no such class; write it there first");
	leftovers_done(
		t, &no_credential, "the inventory has no such credential; write it there first");
	leftovers_done(t, &no_login,
		"no password is there; import again with --user NAME and --password-file FILE, or "
		"with --credential NAME");
}

/* --- Whether it is right. --------------------------------------------------------------------- */

/* Files that `add` or somebody has put there. */
static void list_secrets(const struct takeover *t, struct pctl_names *out)
{
	const char *slash = strrchr(t->path, '/');
	PCTL_AUTO(free)
	char *folder = slash ? pctl_xasprintf("%.*s/secrets", (int)(slash - t->path), t->path)
			     : pctl_xstrdup("secrets");
	DIR *dir = opendir(folder);

	for (const struct dirent *entry; dir && (entry = readdir(dir));)
		(void)pctl_names_add(out, entry->d_name);
	if (dir)
		(void)closedir(dir);
}

static void name_logins(struct takeover *t)
{
	struct pctl_names *taken = pctl_names_new();

	if (t->begun)
		pctl_inventory_credentials(t->cli->inventory, taken);
	list_secrets(t, taken);
	import_name_logins(&t->im, t->format->name, taken);
	pctl_names_free(taken);
}

static void write_text(struct takeover *t)
{
	struct import_plan plan = {
		.im = &t->im,
		.format = t->format->name,
		.classes = pctl_names_new(),
		.inventory = t->cli->inventory,
	};

	pctl_buf_cut(&t->text, 0);
	if (t->begun)
		pctl_inventory_classes(t->cli->inventory, plan.classes);
	import_write(&plan, &t->text);
	pctl_names_free(plan.classes);
}

/* A problem without its place in a file that nobody has seen. */
static const char *saying(const char *problem, const char *node)
{
	const char *said = strstr(problem, ": ");
	size_t len = strlen(node);

	said = said ? said + 2 : problem;
	return strncmp(said, node, len) == 0 && strncmp(said + len, ": ", 2) == 0 ? said + len + 2
										  : said;
}

/* Leaves out those that their drivers do not take. */
static void leave_refused(struct takeover *t, const struct pctl_inventory *inventory)
{
	for (size_t i = 0; i < t->im.node_count; i++) {
		struct import_node *node = &t->im.nodes[i];
		struct pctl_problems *problems = pctl_problems_new();
		int64_t index = pctl_inventory_index(inventory, node->name);
		size_t one = (size_t)index;

		if (!node->dropped && index >= 0 &&
			pctl_core_check(cli_core(t->cli), inventory, &one, 1, false, problems) <
				0) {
			import_left(&t->im, node->place, "'%s': %s", node->name,
				saying(pctl_problems_at(problems, 0), node->name));
			node->dropped = true;
		}
		pctl_problems_free(problems);
	}
}

/* Indices of the nodes that are new; free() it. */
static size_t *list_new(
	const struct takeover *t, const struct pctl_inventory *inventory, size_t *ret_count)
{
	size_t *nodes = pctl_xcalloc(t->im.node_count + 1, sizeof(*nodes));

	*ret_count = 0;
	for (size_t i = 0; i < t->im.node_count; i++) {
		int64_t index = pctl_inventory_index(inventory, t->im.nodes[i].name);

		if (!t->im.nodes[i].dropped && index >= 0)
			nodes[(*ret_count)++] = (size_t)index;
	}
	return nodes;
}

/* CLI_OK, or CLI_FAILED: some were left out; CLI_USAGE: it is wrong as a whole, which is said. */
static int try_out(struct takeover *t)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_inventory *inventory = NULL;
	int status = CLI_OK;

	free(t->written);
	t->written = NULL;
	int r = pctl_inventory_try_file(t->path, t->format->name, t->text.data, t->text.len,
		&t->written, &inventory, problems);
	if (r < 0 || t->text.full) {
		say_problems(problems);
		say("nothing was taken over");
		status = CLI_USAGE;
	} else {
		size_t count;
		PCTL_AUTO(free) size_t *nodes = list_new(t, inventory, &count);

		if (pctl_core_check(cli_core(t->cli), inventory, nodes, count, false, problems) <
			0) {
			leave_refused(t, inventory);
			status = CLI_FAILED;
		}
	}
	pctl_inventory_free(inventory);
	pctl_problems_free(problems);
	return status;
}

static size_t count_taken(const struct takeover *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->im.node_count; i++)
		n += !t->im.nodes[i].dropped;
	return n;
}

static int prepare(struct takeover *t)
{
	int status = take_options(t);

	if (status != CLI_OK)
		return status;
	leave_known(t);
	leave_known_groups(t);
	complete_nodes(t);
	name_logins(t);
	for (unsigned round = 0; count_taken(t); round++) {
		write_text(t);
		status = try_out(t);
		if (status != CLI_FAILED || round == ROUNDS_MAX)
			break;
		name_logins(t);
	}
	return status;
}

/* --- Writing. --------------------------------------------------------------------------------- */

static int store_one(struct takeover *t, const struct import_login *login, const char *key,
	const struct pctl_secret *secret, struct words *stored, struct pctl_error *err)
{
	PCTL_AUTO(free) char *name = import_secret_name(login, key);
	char *path = NULL;

	if (!secret)
		return 0;
	int r = pctl_inventory_store_secret(t->path, name, secret, &path, err);
	if (r == 0)
		words_add(stored, path);
	return r;
}

/* Secrets first: nobody refers to them yet. */
static int write_all(struct takeover *t, struct pctl_error *err)
{
	struct words stored = { 0 };
	int r = 0;

	for (size_t i = 0; i < t->im.login_count && r == 0; i++) {
		const struct import_login *login = &t->im.logins[i];

		if (login->nodes)
			r = store_one(t, login, "password", login->password, &stored, err);
		if (login->nodes && r == 0)
			r = store_one(t, login, "kg", login->kg, &stored, err);
	}
	free(t->written);
	t->written = NULL;
	if (r == 0)
		r = pctl_inventory_edit_file(
			t->path, t->format->name, t->text.data, t->text.len, &t->written, err);
	for (size_t i = 0; i < stored.n; i++) {
		if (r < 0)
			(void)unlink(stored.v[i]);
		free((char *)(uintptr_t)stored.v[i]);
	}
	words_done(&stored);
	return r;
}

static void say_summary(const struct takeover *t, size_t taken, bool dry)
{
	char taken_words[TEXT_COUNT_SIZE], left_words[TEXT_COUNT_SIZE];
	size_t left = pctl_problems_count(t->im.problems);

	if (t->cli->options.quiet)
		return;
	if (taken)
		say("%s machine%s %s taken over into %s%s", text_count(taken, taken_words),
			taken == 1 ? "" : "s",
			dry          ? "would be"
			: taken == 1 ? "is"
				     : "are",
			t->written, dry ? "" : "; `powerctl check` tries them");
	else
		say("nothing was taken over");
	if (left)
		say("%s line%s above say%s what is left out", text_count(left, left_words),
			left == 1 ? "" : "s", left == 1 ? "s" : "");
}

static int finish(struct takeover *t)
{
	struct pctl_error err = { 0 };
	bool dry = t->cli->options.dry_run;
	size_t taken = count_taken(t);

	say_problems(t->im.problems);
	if (taken && dry)
		(void)fwrite(t->text.data, 1, t->text.len, stdout);
	if (taken && !dry && write_all(t, &err) < 0) {
		say("nothing was taken over: %s", err.text);
		return CLI_FAILED;
	}
	say_summary(t, taken, dry);
	return taken && !pctl_problems_count(t->im.problems) ? CLI_OK : CLI_FAILED;
}

static int take_over(struct takeover *t)
{
	struct pctl_error err = { 0 };
	int status = open_inventory(t);

	if (status != CLI_OK)
		return status;
	if (read_input(t, &err) < 0) {
		say("%s", err.text);
		return CLI_USAGE;
	}
	if (t->im.node_count == 0) {
		say_problems(t->im.problems);
		say("no machine that can be taken over is in %s", t->im.file);
		return CLI_USAGE;
	}
	status = prepare(t);
	return status == CLI_USAGE ? status : finish(t);
}

static int exec_import(struct cli *cli)
{
	struct takeover t = { .cli = cli, .file = cli->args[1] };

	if (cli->nargs > 2) {
		say("import takes one FORMAT and one FILE: powerctl import csv machines.csv");
		return CLI_USAGE;
	}
	if (find_format(cli->args[0], &t.format) != CLI_OK)
		return CLI_USAGE;
	import_init(&t.im, strcmp(t.file, "-") == 0 ? "standard input" : t.file);
	pctl_buf_init(&t.text, IMPORT_FILE_MAX);
	int status = take_over(&t);
	import_done(&t.im);
	pctl_buf_done(&t.text);
	free(t.path);
	free(t.written);
	return status;
}

const struct command command_import = {
	.name = "import",
	.usage = "FORMAT FILE",
	.summary = "take over machines from another program's files",
	.help = "FORMAT is powerman, xcat, conman, amtctrl, ironic or csv; FILE - is standard "
		"input. What is there\nbecomes conf.d/FORMAT.yaml beside the inventory, which "
		"includes it, with equal machines as ranges;\npasswords go to secrets/. Nothing "
		"that is in the inventory already is changed. What is left out is\nlisted, each "
		"with its line, why, and what to do; then the exit status is 1. --dry-run prints "
		"the file.\n\n"
		"  powerman  powerman.conf: what is behind ipmipower and redfishpower; aliases "
		"become groups\n"
		"  xcat      what `lsdef -z` prints, or `tabdump` of nodelist, nodehm, ipmi, "
		"openbmc and passwd\n"
		"  conman    conman.conf: consoles with dev=\"ipmi:HOST\"\n"
		"  amtctrl   ~/.config/amtctrl/hosts.cfg\n"
		"  ironic    what `baremetal node list --detail -f json` prints\n"
		"  csv       a table with a first line like "
		"name,driver,address,username,password,tags,groups;\n"
		"            other columns are settings of the driver, names and addresses may be "
		"ranges\n\n"
		"The login of the options is for machines that have none in FILE; --driver for "
		"those "
		"of a table\nwithout that column; --tag for all.",
	.arguments = 2,
	.options = OPTIONS(OPTIONS_SECRET, OPTION_DRIVER, OPTION_TAG, OPTION_DRY_RUN),
	.exec = exec_import,
};
