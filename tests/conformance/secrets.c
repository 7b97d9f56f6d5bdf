/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a wrong password is tried once, and whether a secret gets out. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/buf.h>
#include <powerctl/log.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "base/command.h"
#include "rig.h"

static const struct rig_options plain = { .where = RIG_RELAY };
static const struct rig_options hasty = { .where = RIG_RELAY, .impatient = true };
static const struct rig_options wrong = { .where = RIG_RELAY, .wrong_secret = true };

/* --- Passwords. ------------------------------------------------------------------------------- */

static uint64_t refusals(const struct bench *bench)
{
	char *argv[] = { (char *)(uintptr_t)bench->options->refusals, NULL };
	struct pctl_buf out;
	struct pctl_error err = { 0 };
	uint64_t n = 0;

	pctl_buf_init(&out, 32);
	const struct pctl_command command = { .argv = argv, .out = &out };
	if (pctl_command_run(&command, &err) < 0)
		fail(bench, "--refusals: %s", err.text);
	PCTL_AUTO(free) char *text = pctl_buf_steal(&out);
	text[strcspn(text, "\n")] = '\0';
	if (pctl_parse_uint(text, UINT32_MAX, &n) < 0)
		fail(bench, "--refusals: %s printed no number: '%s'", argv[0], text);
	return n;
}

struct sent {
	unsigned connections, requests, repeats;
	unsigned turns[RELAY_TURNS];
	size_t turns_n;
	int code;
	char words[400];
};

static void count_sent(const struct relay_shared *relay, struct sent *ret)
{
	ret->connections = atomic_load(&relay->connections);
	ret->repeats = atomic_load(&relay->repeats);
	ret->turns_n = atomic_load(&relay->turns_n);
	ret->requests = atomic_load(&relay->datagrams) + (unsigned)ret->turns_n;
	if (ret->turns_n > RELAY_TURNS)
		ret->turns_n = RELAY_TURNS;
	for (size_t i = 0; i < ret->turns_n; i++)
		ret->turns[i] = atomic_load(&relay->turns[i]);
}

/* What a login with a reading sends, of a device that is new to the driver. */
static struct sent log_in(const struct bench *bench, const struct rig_options *how)
{
	struct relay_shared *relay = &bench->shared->relay;
	struct rig rig;
	struct sent sent = { 0 };

	rig_init(&rig, bench, how);
	struct pctl_device *device = rig_open(&rig);
	relay_set(relay, RELAY_PASS, 0);
	const struct run *run = rig_run(&rig, device, rig_reads, RIG_PATIENT_MS);
	rig_idle(&rig, 200);
	count_sent(relay, &sent);
	sent.code = run->result.code;
	(void)snprintf(sent.words, sizeof(sent.words), "%s", rig_words(run));
	rig_close(&rig, device);
	rig_done(&rig);
	return sent;
}

/* The first may have to wait for a place; facts are known by the second. */
static struct sent log_in_well(const struct bench *bench)
{
	struct rig rig;

	rig_init(&rig, bench, &plain);
	struct pctl_device *device = rig_open(&rig);
	rig_must_read(&rig, device, "");
	rig_close(&rig, device);
	rig_done(&rig);
	struct sent sent = log_in(bench, &plain);
	if (sent.code)
		fail(bench, "power.get fails on a device that works: %s", sent.words);
	return sent;
}

/* How many of the first n turns are as long as one before: encrypted, they look alike in nothing
 * else. */
static size_t count_alike(const struct sent *sent, size_t n)
{
	size_t alike = 0;

	for (size_t i = 0; i < n && i < sent->turns_n; i++)
		for (size_t k = 0; k < i; k++)
			if (sent->turns[k] == sent->turns[i]) {
				alike++;
				break;
			}
	return alike;
}

/*
 * Without the device's own count. A login takes no more than a login and a reading do, and what is
 * sent until it is refused is what is sent until it is taken: nothing twice that was not so there.
 */
static void must_look_like_one(
	const struct bench *bench, const struct sent *good, const struct sent *bad)
{
	const struct {
		const char *what;
		size_t bad, good;
	} counts[] = {
		{ "requests", bad->requests, good->requests },
		{ "connections", bad->connections, good->connections },
		{ "requests that were sent before", bad->repeats, good->repeats },
		{ "requests as long as one before", count_alike(bad, bad->turns_n),
			count_alike(good, bad->turns_n) },
	};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (counts[i].bad > counts[i].good)
			fail(bench,
				"a wrong password took %zu %s, and a right one with the reading "
				"%zu: "
				"it was tried again",
				counts[i].bad, counts[i].what, counts[i].good);
	note(bench,
		"%u requests in %u connections, a good reading takes %u in %u\n"
		"not proven: that the device saw one login; --refusals asks it%s",
		bad->requests, bad->connections, good->requests, good->connections,
		bad->requests && !bad->connections ? "\nnot proven: that no datagram was a second "
						     "login; only their number was "
						     "compared"
						   : "");
}

static void must_count_one(const struct bench *bench, uint64_t before, const struct sent *bad)
{
	uint64_t now = refusals(bench);

	if (now < before || now - before > 1)
		fail(bench, "a wrong password was tried %lld times in one op",
			(long long)(now - before));
	note(bench, "%u requests in %u connections; the device counted %s", bad->requests,
		bad->connections, now > before ? "one refusal" : "no refusal: the driver saw it");
}

static void check_wrong_password(const struct bench *bench)
{
	if (!rig_takes(bench, &wrong))
		skip(bench, "open takes no '" RIG_WRONG_SECRET "' as a %s", bench->shared->secret);
	struct sent good = log_in_well(bench);
	uint64_t before = bench->options->refusals ? refusals(bench) : 0;
	struct sent bad = log_in(bench, &wrong);

	if (bad.code != PCTL_E_AUTH)
		fail(bench, "the password is wrong, and power.get does not fail as auth: %s",
			bad.words);
	if (bench->options->refusals)
		must_count_one(bench, before, &bad);
	else
		must_look_like_one(bench, &good, &bad);
}

/* --- The planted canary. ---------------------------------------------------------------------- */

/* A secret as it is, in hex and in base64, whichever way somebody printed it. */
struct canary {
	const struct bench *bench;
	char forms[8][PCTL_SECRET_MAX * 2 + 8];
	size_t n;
};

static void add_hex(struct canary *c, const char *secret, const char *digits)
{
	char *to = c->forms[c->n++];

	for (; *secret; secret++) {
		*to++ = digits[(unsigned char)*secret >> 4];
		*to++ = digits[(unsigned char)*secret & 15];
	}
	*to = '\0';
}

/* Without what depends on the bytes around it: the first group may begin anywhere. */
static void add_base64(struct canary *c, const char *secret, size_t skipped)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = strlen(secret);
	char *to = c->forms[c->n++];

	for (size_t i = skipped; i + 3 <= len; i += 3) {
		const unsigned char *s = (const unsigned char *)secret + i;
		unsigned group = (unsigned)s[0] << 16 | (unsigned)s[1] << 8 | s[2];

		for (int shift = 18; shift >= 0; shift -= 6)
			*to++ = digits[group >> shift & 63];
	}
	*to = '\0';
}

static void canary_init(struct canary *c, const struct bench *bench, const char *secret)
{
	*c = (struct canary){ .bench = bench };
	(void)snprintf(c->forms[c->n++], sizeof(c->forms[0]), "%s", secret);
	add_hex(c, secret, "0123456789abcdef");
	add_hex(c, secret, "0123456789ABCDEF");
	for (size_t i = 0; i < 3; i++)
		add_base64(c, secret, i);
}

static void look_at(const struct canary *c, const char *where, const char *text)
{
	for (size_t i = 0; i < c->n && text; i++)
		if (strlen(c->forms[i]) >= 6 && strstr(text, c->forms[i]))
			fail(c->bench, "the secret '%s' is in %s", c->bench->shared->secret, where);
}

static void look_at_tree(const struct canary *c, const struct pctl_value *v)
{
	look_at(c, "a result", pctl_value_text(v));
	for (size_t i = 0; v && i < pctl_value_count(v); i++) {
		if (pctl_value_kind(v) == PCTL_VALUE_MAP)
			look_at(c, "a result", pctl_value_key_at(v, i));
		look_at_tree(c, pctl_value_at(v, i));
	}
}

static void on_log(void *data, enum pctl_log_level level, const char *node, const char *line)
{
	(void)level, (void)node;
	look_at(data, "a log line", line);
}

static void look_at_run(const struct canary *c, const struct run *run)
{
	look_at(c, "an error's text", run->result.text);
	look_at(c, "an error's device code", run->result.device_code);
	look_at(c, "a power state's device code", run->power.device_code);
	look_at_tree(c, run->tree);
}

static void look_at_files(const struct canary *c, const char *folder)
{
	DIR *dir = opendir(folder);

	for (const struct dirent *e; dir && (e = readdir(dir));) {
		if (*e->d_name == '.' || strcmp(e->d_name, "powerctl.yaml") == 0)
			continue;
		PCTL_AUTO(free) char *path = pctl_xasprintf("%s/%s", folder, e->d_name);
		if (e->d_type == DT_DIR)
			look_at_files(c, path);
		FILE *f = e->d_type == DT_REG ? fopen(path, "re") : NULL;
		char line[8192];
		while (f && fgets(line, sizeof(line), f))
			look_at(c, "a file that it left", line);
		if (f)
			(void)fclose(f);
	}
	if (dir)
		(void)closedir(dir);
}

/*
 * Which calls are worth it: on a broken line each takes its time, and each with a wrong password is
 * another one that the device counts.
 */
static size_t calls_for(const struct rig_options *how, enum relay_mode mode)
{
	if (how->wrong_secret)
		return 1;
	return mode == RELAY_PASS ? SIZE_MAX : 2;
}

static void try_all(
	struct canary *c, const struct rig_options *how, enum relay_mode mode, unsigned arg)
{
	const uint64_t limit = mode == RELAY_PASS ? RIG_PATIENT_MS : 1500;
	struct rig rig;

	rig_init(&rig, c->bench, how);
	const struct pctl_setting *s =
		pctl_settings_find(&rig.target.settings, c->bench->shared->secret);
	if (s && s->secret && !c->n)
		canary_init(c, c->bench, pctl_secret_data(s->secret));
	pctl_log_set_sink(on_log, c, PCTL_LOG_TRACE);
	struct pctl_device *device = rig_open(&rig);
	relay_set(&c->bench->shared->relay, mode, arg);
	size_t calls = calls_for(how, mode);
	for (const struct call *call = rig_reads; call->name && calls; call++)
		if (call->has(rig.driver)) {
			look_at_run(c, rig_run(&rig, device, call, limit));
			calls--;
		}
	if (calls && mode == RELAY_PASS && rig.target.actions & PCTL_ACTION_BIT(PCTL_ACTION_ON))
		look_at_run(c, rig_do(&rig, device, PCTL_ACTION_ON, limit));
	relay_set(&c->bench->shared->relay, RELAY_PASS, 0);
	rig_close(&rig, device);
	(void)pctl_core_save(rig.core, NULL);
	rig_done(&rig);
	pctl_log_set_sink(NULL, NULL, PCTL_LOG_TRACE);
	look_at_files(c, c->bench->folder);
}

static void check_canary(const struct bench *bench)
{
	static struct canary right, other;

	right.bench = bench;
	canary_init(&other, bench, RIG_WRONG_SECRET);
	try_all(&right, &plain, RELAY_PASS, 0);
	if (right.n && strlen(right.forms[0]) < 6)
		note(bench, "the device's password is too short to look for it: only the wrong one "
			    "was");
	if (rig_takes(bench, &wrong))
		try_all(&other, &wrong, RELAY_PASS, 0);
	if (bench->ports->n) {
		try_all(&right, &hasty, RELAY_GARBAGE, 0);
		try_all(&right, &hasty, RELAY_RESET, 0);
		try_all(&right, &hasty, RELAY_CUT, 60);
	}
}

const struct check secret_checks[] = {
	{ "device", "wrong-password", "a wrong password is an auth error, and is tried once",
		check_wrong_password, NEEDS_DEVICE | NEEDS_SECRET | NEEDS_RELAY | NEEDS_POWER },
	{ "device", "canary", "no secret is in a log, an error, a result or a file", check_canary,
		NEEDS_DEVICE | NEEDS_SECRET },
	{ 0 },
};
