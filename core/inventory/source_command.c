/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that prints nodes and groups. Its last good answer is kept in the cache folder; beside
 * it stands a lock, and why it failed since. What it prints is not ours: it may name credentials
 * and classes, but it can neither hold secrets nor have programs run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "base/command.h"
#include "base/file.h"
#include "base/paths.h"
#include "inventory/inventory.h"
#include "inventory/source.h"
#include "inventory/yaml_tree.h"
#include "keep/cache_file.h"

#define EVERY_MS   UINT64_C(300000)
#define SAID_MAX   1024u
#define DIGEST_MAX 64u

PCTL_DEFINE_AUTO(struct pctl_problems *, pctl_problems_free)

struct asking {
	struct pctl_source *source;
	char *const *argv;
	uint64_t every_ms;
	enum pctl_freshness freshness;
	char *kept, *failed; /* paths; NULL: nothing can be kept */
	bool may_wait;       /* no other lock is held */
	int lock;
};

struct pctl_answer {
	char *kept, *failed;
	struct pctl_buf text;
	struct pctl_value
		*other; /* the former's tree while the new one is in use, and the reverse */
	bool has_former;
	uint64_t former_age_s;
	int lock;
};

/* --- Files. ----------------------------------------------------------------------------------- */

/* One name for the same program with the same arguments. */
static char *key_of(char *const *argv)
{
	unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
	char hex[DIGEST_MAX + 1] = "";
	struct pctl_buf words;

	pctl_buf_init(&words, SIZE_MAX / 2);
	for (char *const *arg = argv; *arg; arg++)
		pctl_buf_add(&words, *arg, strlen(*arg) + 1);
	(void)EVP_Digest(words.data, words.len, digest, NULL, EVP_sha256(), NULL);
	for (size_t i = 0; i < DIGEST_MAX / 2; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	pctl_buf_done(&words);
	return pctl_xstrdup(hex);
}

/* Without a folder nothing is kept, and that is said only if it matters. */
static void find_files(struct asking *a)
{
	PCTL_AUTO(free) char *key = key_of(a->argv);
	PCTL_AUTO(free) char *name = pctl_xasprintf("sources/%s", key);

	if (pctl_path_cache(name, &a->kept, NULL) < 0)
		return;
	a->failed = pctl_xasprintf("%s.failed", a->kept);
}

/* The age of a file of ours in seconds; false: there is none that counts. */
static bool age_of(const char *path, uint64_t *ret_s)
{
	struct stat st;
	time_t now = time(NULL);

	if (!path || lstat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
		(st.st_mode & 022))
		return false;
	*ret_s = now > st.st_mtime ? (uint64_t)(now - st.st_mtime) : 0;
	return true;
}

/*
 * Two commands at once ask once: the second waits, and finds an answer that is new. The lock is
 * held until the answer is kept; two that wait for each other's would wait for ever, so who has one
 * already asks without.
 */
static void lock(struct asking *a)
{
	PCTL_AUTO(free) char *path = a->kept ? pctl_xasprintf("%s.lock", a->kept) : NULL;

	if (path)
		a->lock = a->may_wait ? pctl_file_lock(path, 0600, NULL)
				      : pctl_file_try_lock(path, 0600, NULL);
}

static void unlock(int lock)
{
	if (lock >= 0)
		(void)close(lock);
}

/* --- Whether an answer is one. ---------------------------------------------------------------- */

static bool ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), n = strlen(end);

	return len >= n && strcmp(s + len - n, end) == 0;
}

static const char *refused_key(const char *key)
{
	if (strcmp(key, "command") == 0 || ends_with(key, "_command"))
		return "a source cannot have programs run; write this in the inventory itself";
	if (strncmp(key, "password", strlen("password")) == 0 || strncmp(key, "kg", 2) == 0 ||
		ends_with(key, "_env"))
		return "a source cannot hold or fetch secrets; name a credential of the inventory";
	return NULL;
}

/* The reader has bounded the depth. */
static void check_keys(const struct pctl_value *v, struct pctl_problems *problems)
{
	for (size_t i = 0; i < pctl_value_count(v); i++) {
		const char *key =
			pctl_value_kind(v) == PCTL_VALUE_MAP ? pctl_value_key_at(v, i) : NULL;
		const char *refused = key ? refused_key(key) : NULL;

		if (refused)
			pctl_problems_add(
				problems, pctl_value_key_place(v, i), "'%s': %s", key, refused);
		check_keys(pctl_value_at(v, i), problems);
	}
}

static void check_section(
	const struct pctl_value *root, const char *section, struct pctl_problems *problems)
{
	const struct pctl_value *map = pctl_value_get(root, section);

	for (size_t i = 0; map && i < pctl_value_count(map); i++)
		check_keys(pctl_value_at(map, i), problems);
}

/* Patterns and settings of nodes as well, which are checked where they are taken. */
static void check_nodes(const struct pctl_value *root, struct pctl_problems *problems)
{
	const struct pctl_value *nodes = pctl_value_get(root, "nodes");
	struct pctl_inventory *scratch = pctl_inventory_new();

	for (size_t i = 0; nodes && pctl_value_key_at(nodes, i); i++)
		pctl_inventory_add_entry(scratch, pctl_value_key_at(nodes, i),
			pctl_value_at(nodes, i), pctl_value_key_place(nodes, i), problems);
	pctl_inventory_free(scratch);
}

/* A script whose query found nothing must not take all nodes away. */
static bool is_empty(const struct pctl_value *root)
{
	return !pctl_value_count(pctl_value_get(root, "nodes")) &&
	       !pctl_value_count(pctl_value_get(root, "groups")) &&
	       !pctl_value_count(pctl_value_get(root, "classes"));
}

/* Its tree, or NULL with at least one problem. What only the whole inventory
 * can tell is checked later, and so are the nodes of an answer that was good once. */
static struct pctl_value *parse(const struct asking *a, const struct pctl_buf *text, bool anew,
	struct pctl_problems *problems)
{
	const struct pctl_place place = { a->source->name, 1, 1 };
	size_t before = pctl_problems_count(problems);
	struct pctl_yaml yaml;

	(void)pctl_yaml_parse_answer(&yaml, a->source->name, text->data, text->len, problems);
	if (!yaml.root && pctl_problems_count(problems) == before)
		pctl_problems_add(
			problems, place, "it printed nothing; print nodes, groups or classes");
	else if (yaml.root && pctl_value_kind(yaml.root) != PCTL_VALUE_MAP)
		pctl_problems_add(problems, place,
			"what it prints is a map with keys like 'nodes:', not a %s",
			pctl_value_kind_name(pctl_value_kind(yaml.root)));
	if (yaml.root && pctl_problems_count(problems) == before) {
		pctl_inventory_check_answer(yaml.root, problems);
		check_section(yaml.root, "nodes", problems);
		check_section(yaml.root, "classes", problems);
		if (anew)
			check_nodes(yaml.root, problems);
		if (anew && is_empty(yaml.root) && pctl_problems_count(problems) == before)
			pctl_problems_add(problems, place,
				"what it prints has no node, no group and no class; take the "
				"source out if that is right");
	}
	if (pctl_problems_count(problems) == before)
		return yaml.root;
	pctl_yaml_done(&yaml);
	return NULL;
}

/* --- Asking. ---------------------------------------------------------------------------------- */

static void first_line(struct pctl_buf *said)
{
	pctl_buf_cut(said, strcspn(said->data, "\r\n"));
}

/* 0 with the tree in source->root; else problems say why, and in one line err. */
static int ask(struct asking *a, struct pctl_buf *text, struct pctl_problems *problems,
	struct pctl_error *err)
{
	struct pctl_buf said;

	pctl_buf_init(&said, SAID_MAX);
	int r = pctl_command_run(
		&(struct pctl_command){ .argv = a->argv, .out = text, .said = &said }, err);
	first_line(&said);
	if (r < 0) {
		PCTL_AUTO(free) char *why = pctl_xstrdup(err->text);

		r = pctl_error_set(err, r, "%s%s%s", why, said.len ? ": " : "", said.data);
		pctl_problems_add(problems, a->source->place, "%s: %s", a->source->name, err->text);
		pctl_buf_done(&said);
		return r;
	}
	pctl_buf_done(&said);

	a->source->root = parse(a, text, true, problems);
	if (a->source->root)
		return 0;
	return pctl_error_set(err, PCTL_E_CONFIG, "%s%s", pctl_problems_at(problems, 0),
		pctl_problems_count(problems) > 1 ? ", and more" : "");
}

/* The tree of the kept answer; false: there is none that can be read. */
static bool read_kept(
	const struct asking *a, struct pctl_value **ret, struct pctl_problems *problems)
{
	struct pctl_buf text;

	pctl_buf_init(&text, PCTL_YAML_FILE_MAX);
	bool good = pctl_cache_read_file(a->kept, &text);
	if (good)
		*ret = parse(a, &text, false, problems);
	pctl_buf_done(&text);
	return good;
}

/* The kept answer instead; false: there is none that can be read. */
static bool use_kept(struct asking *a, uint64_t age_s, struct pctl_problems *problems)
{
	if (!read_kept(a, &a->source->root, problems))
		return false;
	a->source->age_s = age_s;
	a->source->aged = true;
	return true;
}

static void warn_of_age(struct pctl_source *source, const char *why, uint64_t age_s)
{
	PCTL_AUTO(free) char *age = pctl_source_age(age_s);
	size_t own = strlen(source->name);

	/* A mistake in the answer begins with the name, and so does the warning. */
	if (strncmp(why, source->name, own) == 0 && why[own] == ':')
		why += own + 1;
	why += strspn(why, " ");
	pctl_source_warn(source, "%s; using its answer of %s ago", why, age);
}

static void note_failure(const char *path, const char *why)
{
	if (path)
		(void)pctl_cache_write_file(path, why, strlen(why), NULL);
}

static void fall_back(
	struct asking *a, const char *why, uint64_t age_s, struct pctl_problems *problems)
{
	if (use_kept(a, age_s, problems))
		warn_of_age(a->source, why, age_s);
}

/* The answer waits for what the whole inventory says to it. */
static void put_off(struct asking *a, struct pctl_buf *text, bool have_kept, uint64_t age_s)
{
	PCTL_AUTO(pctl_problems_free) struct pctl_problems *unused = pctl_problems_new();
	struct pctl_answer *answer = pctl_xcalloc(1, sizeof(*answer));

	answer->has_former = have_kept && read_kept(a, &answer->other, unused) && answer->other;
	answer->former_age_s = age_s;
	answer->text = *text;
	answer->kept = a->kept;
	answer->failed = a->failed;
	answer->lock = a->lock;
	a->kept = NULL;
	a->failed = NULL;
	a->lock = -1;
	pctl_buf_init(text, PCTL_YAML_FILE_MAX);
	a->source->answer = answer;
	a->source->aged = true;
}

static void ask_anew(
	struct asking *a, bool have_kept, uint64_t age_s, struct pctl_problems *problems)
{
	PCTL_AUTO(pctl_problems_free) struct pctl_problems *own = pctl_problems_new();
	struct pctl_error err = { 0 };
	struct pctl_buf text;

	pctl_buf_init(&text, PCTL_YAML_FILE_MAX);
	int r = ask(a, &text, own, &err);
	if (r == 0) {
		put_off(a, &text, have_kept, age_s);
	} else if (have_kept && r != PCTL_E_CANCELED) {
		note_failure(a->failed, err.text);
		fall_back(a, err.text, age_s, problems);
	}
	pctl_buf_done(&text);
	for (size_t i = 0; !a->source->aged && pctl_problems_at(own, i); i++)
		pctl_problems_add(
			problems, (struct pctl_place){ 0 }, "%s", pctl_problems_at(own, i));
}

/* It failed a moment ago: so it would again, perhaps after half a minute. */
static bool use_failed(struct asking *a, uint64_t age_s, struct pctl_problems *problems)
{
	uint64_t since;
	struct pctl_buf why;

	if (a->freshness == PCTL_SOURCES_NOW || !age_of(a->failed, &since) ||
		since * 1000 >= a->every_ms)
		return false;
	pctl_buf_init(&why, SAID_MAX);
	bool known = pctl_cache_read_file(a->failed, &why);
	if (known)
		fall_back(a, why.data, age_s, problems);
	pctl_buf_done(&why);
	return known && a->source->aged;
}

static bool use_kept_if_new(struct asking *a, struct pctl_problems *problems)
{
	uint64_t age_s;

	if (a->freshness == PCTL_SOURCES_NOW || !age_of(a->kept, &age_s))
		return false;
	if (a->freshness == PCTL_SOURCES_DUE && age_s * 1000 >= a->every_ms)
		return false;
	return use_kept(a, age_s, problems);
}

static void answer(struct asking *a, struct pctl_problems *problems)
{
	uint64_t age_s = 0;

	if (use_kept_if_new(a, problems) || a->freshness == PCTL_SOURCES_NEVER)
		return;
	lock(a);
	if (!use_kept_if_new(a, problems)) {
		bool have_kept = age_of(a->kept, &age_s);

		if (!have_kept || !use_failed(a, age_s, problems))
			ask_anew(a, have_kept, age_s, problems);
	}
	unlock(a->lock);
}

/* A program beside the inventory is found from anywhere; another one of the same name elsewhere has
 * another answer. */
static void find_program(char **argv, const struct pctl_value *list)
{
	if (!strchr(argv[0], '/'))
		return;
	char *path = pctl_path_of(pctl_value_at(list, 0));
	char *real = realpath(path, NULL);
	free(argv[0]);
	argv[0] = real ? real : pctl_xstrdup(path);
	free(path);
}

void pctl_source_command(
	struct pctl_inventory *inv, struct pctl_source *source, struct pctl_problems *problems)
{
	const struct pctl_value *list = pctl_value_get(source->config, "command");
	const char *every = pctl_value_text(pctl_value_get(source->config, "every"));
	PCTL_AUTO(pctl_command_free_argv) char **argv = pctl_command_argv(list);
	struct asking a = {
		.source = source,
		.argv = argv,
		.every_ms = EVERY_MS,
		.freshness = inv->freshness,
		.may_wait = true,
		.lock = -1,
	};

	if (every && *every)
		(void)pctl_parse_duration(every, &a.every_ms);
	for (size_t i = 0; i < inv->source_count; i++)
		a.may_wait = a.may_wait && !inv->sources[i]->answer;
	find_program(argv, list);
	find_files(&a);
	answer(&a, problems);
	free(a.kept);
	free(a.failed);
}

/* --- What becomes of a new answer. ------------------------------------------------------------ */

bool pctl_answer_has_former(const struct pctl_source *source)
{
	return source->answer->has_former;
}

void pctl_answer_swap(struct pctl_source *source)
{
	struct pctl_answer *answer = source->answer;
	struct pctl_value *root = source->root;

	source->root = answer->other;
	answer->other = root;
	source->age_s = source->age_s ? 0 : answer->former_age_s;
}

void pctl_answer_drop(struct pctl_source *source)
{
	struct pctl_answer *answer = source->answer;

	if (!answer)
		return;
	unlock(answer->lock);
	pctl_buf_done(&answer->text);
	pctl_value_free(answer->other);
	free(answer->kept);
	free(answer->failed);
	free(answer);
	source->answer = NULL;
}

void pctl_answer_keep(struct pctl_source *source)
{
	const struct pctl_answer *answer = source->answer;
	struct pctl_error err;

	if (answer->kept &&
		pctl_cache_write_file(answer->kept, answer->text.data, answer->text.len, &err) < 0)
		pctl_source_warn(source, "its answer cannot be kept: %s", err.text);
	if (answer->failed)
		(void)unlink(answer->failed);
	pctl_answer_drop(source);
}

void pctl_answer_refuse(struct pctl_source *source, const char *why)
{
	note_failure(source->answer->failed, why);
	warn_of_age(source, why, source->answer->former_age_s);
	pctl_answer_drop(source);
}
