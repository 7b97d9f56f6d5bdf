/* SPDX-License-Identifier: Apache-2.0 */
/* import: takes over what another program knows of machines, into a file that the inventory
 * includes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/file.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "command.h"
#include "import/write.h"
#include "say.h"
#include "takeover.h"
#include "text.h"

#define ROUNDS_MAX  2u /* what drivers refuse is left out, and then the rest is right */
#define FORMATS_MAX 16u

/* --- Reading. --------------------------------------------------------------------------------- */

static int read_all(int fd, const char *path, struct pctl_buf *out, struct pctl_error *err)
{
	int r = pctl_file_read_fd(fd, path, out, err);

	if (out->full)
		return pctl_error_set(err, PCTL_E_CONFIG, "%s is larger than %u MB; split it", path,
			IMPORT_FILE_MAX >> 20);
	if (r < 0)
		return r;
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
	const char *names[FORMATS_MAX + 1] = { NULL };

	for (size_t i = 0; i < FORMATS_MAX && import_formats[i].name; i++) {
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
	takeover_reuse_logins(t);
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
	int status = takeover_options(t);

	if (status != CLI_OK)
		return status;
	takeover_leave_known(t);
	takeover_complete(t);
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

		if (login->is_there)
			continue;
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

	import_report(&t->im);
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
		import_report(&t->im);
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

static void list_formats(FILE *out)
{
	(void)fputs("\n", out);
	for (const struct import_format *f = import_formats; f->name; f++) {
		(void)fprintf(out, "  %-9s %s%s", f->name, f->help, f->more ? ": " : "");
		for (const char *p = f->more ? f->more : ""; *p; p++) {
			(void)fputc(*p, out);
			if (*p == '\n')
				(void)fprintf(out, "%12s", "");
		}
		(void)fputs("\n", out);
	}
}

const struct command command_import = {
	.name = "import",
	.usage = "FORMAT FILE",
	.summary = "take over machines from another program's files",
	.help = "FORMAT is one of those below; FILE - is standard input. What is there becomes "
		"conf.d/FORMAT.yaml\nbeside the inventory, which includes it, with equal machines "
		"as ranges; passwords go to secrets/.\nNothing that is in the inventory already is "
		"changed. What is left out is listed, each with its\nline, why, and what to do; "
		"then the exit status is 1. --dry-run prints the file.\n\n"
		"The login of the options is for machines that have none in FILE; --driver for "
		"those of a table\nwithout that column; --tag for all.",
	.more = list_formats,
	.arguments = 2,
	.options = OPTIONS(OPTIONS_SECRET, OPTION_DRIVER, OPTION_TAG, OPTION_DRY_RUN),
	.exec = exec_import,
};
