/* SPDX-License-Identifier: Apache-2.0 */
/* How it behaves towards a machine, and when there is none. */
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
static const struct rig_options nobody = { .where = RIG_NOBODY, .impatient = true };
static const struct rig_options wrong = { .where = RIG_RELAY, .wrong_secret = true };

#define UNREACHABLE_MS ((uint64_t)12000)

/* --- Doing again what is done. ---------------------------------------------------------------- */

static void twice(const struct bench *bench, enum pctl_power_state state, enum pctl_action action)
{
	struct rig rig;

	rig_init(&rig, bench, &plain);
	if (!(rig.driver->power->actions & PCTL_ACTION_BIT(action)))
		skip(bench, "it has no %s", pctl_action_name(action));
	struct pctl_device *device = rig_open(&rig);
	rig_make(&rig, device, state);
	const struct run *run = rig_do(&rig, device, action, RIG_PATIENT_MS);
	int code = run->result.code;
	if (code && code != PCTL_E_STATE && code != PCTL_E_REFUSED && code != PCTL_E_UNSUPPORTED)
		fail(bench,
			"%s while %s: %s; it is to succeed, or to fail as state, refused or "
			"unsupported",
			pctl_action_name(action), pctl_power_state_name(state), rig_words(run));
	rig_reach(&rig, device, state);
	rig_close(&rig, device);
	rig_done(&rig);
	note(bench, "%s", rig_words(run));
}

static void check_on_twice(const struct bench *bench)
{
	twice(bench, PCTL_POWER_ON, PCTL_ACTION_ON);
}

static void check_off_twice(const struct bench *bench)
{
	twice(bench, PCTL_POWER_OFF, PCTL_ACTION_OFF);
}

/* --- Nobody there. ---------------------------------------------------------------------------- */

/* Fencing stakes data on it: what nobody has read is no state. */
static void must_not_know(struct rig *rig, const struct run *run)
{
	int code = run->result.code;

	if (!code && run->power.state != PCTL_POWER_UNKNOWN)
		fail(rig->bench, "nobody answers, and power.get says that the machine is %s",
			pctl_power_state_name(run->power.state));
	if (!code)
		fail(rig->bench, "nobody answers, and power.get ended well: it has to fail as "
				 "unreachable or timeout");
	if (code == PCTL_E_UNSUPPORTED)
		skip(rig->bench, "nothing tells its state: %s", rig_words(run));
	if (code != PCTL_E_UNREACHABLE && code != PCTL_E_TIMEOUT)
		fail(rig->bench,
			"nobody answers, and power.get fails as something else than "
			"unreachable or timeout: %s",
			rig_words(run));
}

static void check_unreachable(const struct bench *bench)
{
	struct rig rig;

	rig_init(&rig, bench, &nobody);
	struct pctl_device *device = rig_open(&rig);
	const struct run *run = rig_run(&rig, device, rig_reads, UNREACHABLE_MS);
	must_not_know(&rig, run);
	note(bench, "%s", rig_words(run));
	if (rig.driver->power->actions & PCTL_ACTION_BIT(PCTL_ACTION_OFF)) {
		run = rig_do(&rig, device, PCTL_ACTION_OFF, UNREACHABLE_MS);
		if (!run->result.code)
			fail(bench, "nobody answers, and power.act off ended well");
	}
	rig_close(&rig, device);
	rig_done(&rig);
}

static void check_mute(const struct bench *bench)
{
	struct rig rig;

	rig_init(&rig, bench, &hasty);
	struct pctl_device *device = rig_open(&rig);
	rig_make(&rig, device, PCTL_POWER_ON);
	relay_set(&bench->shared->relay, RELAY_SILENT, 0);
	/* What it knew a moment ago is not what it reads now. */
	must_not_know(&rig, rig_run(&rig, device, rig_reads, UNREACHABLE_MS));
	relay_set(&bench->shared->relay, RELAY_PASS, 0);
	rig_close(&rig, device);
	rig_done(&rig);
}

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
	unsigned requests, repeats;
	int code;
	char words[400];
};

/* What a login with a reading sends, of a device that is new to the driver. */
static struct sent log_in(const struct bench *bench, const struct rig_options *how)
{
	struct relay_shared *relay = &bench->shared->relay;
	struct rig rig;
	struct sent sent;

	rig_init(&rig, bench, how);
	struct pctl_device *device = rig_open(&rig);
	relay_set(relay, RELAY_PASS, 0);
	const struct run *run = rig_run(&rig, device, rig_reads, RIG_PATIENT_MS);
	rig_idle(&rig, 200);
	sent.requests = atomic_load(&relay->requests);
	sent.repeats = atomic_load(&relay->repeats);
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

static void check_wrong_password(const struct bench *bench)
{
	struct sent good = log_in_well(bench);
	uint64_t before = bench->options->refusals ? refusals(bench) : 0;
	struct sent bad = log_in(bench, &wrong);

	if (bad.code != PCTL_E_AUTH)
		fail(bench, "the password is wrong, and power.get does not fail as auth: %s",
			bad.words);
	uint64_t refused = bench->options->refusals ? refusals(bench) - before : 1;
	if (refused > 1)
		fail(bench, "a wrong password was tried %llu times in one op",
			(unsigned long long)refused);
	/* A login cannot take more than a login and a reading do, and says nothing twice. */
	if (bad.requests > good.requests || bad.repeats > good.repeats)
		fail(bench,
			"a wrong password took %u requests, %u of them sent before, and a right "
			"one "
			"with the reading %u, %u of them sent before: it was tried again",
			bad.requests, bad.repeats, good.requests, good.repeats);
	note(bench, "%u requests, a good reading takes %u%s", bad.requests, good.requests,
		bench->options->refusals ? "; the device counted at most one refusal" : "");
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
	if (calls && mode == RELAY_PASS && rig.driver->power && rig.driver->power->actions & 1u)
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
	try_all(&other, &wrong, RELAY_PASS, 0);
	if (bench->ports->n) {
		try_all(&right, &hasty, RELAY_GARBAGE, 0);
		try_all(&right, &hasty, RELAY_RESET, 0);
		try_all(&right, &hasty, RELAY_CUT, 60);
	}
}

const struct check device_checks[] = {
	{ "device", "on-twice", "on while on leaves it on", check_on_twice,
		NEEDS_DEVICE | NEEDS_POWER },
	{ "device", "off-twice", "off while off leaves it off", check_off_twice,
		NEEDS_DEVICE | NEEDS_POWER },
	{ "device", "unreachable", "where nobody is, the state is unknown, and never off",
		check_unreachable, NEEDS_DEVICE | NEEDS_RELAY | NEEDS_POWER },
	{ "device", "mute", "a device that falls silent is unknown, whatever it was before",
		check_mute, NEEDS_DEVICE | NEEDS_RELAY | NEEDS_POWER },
	{ "device", "wrong-password", "a wrong password is an auth error, and is tried once",
		check_wrong_password, NEEDS_DEVICE | NEEDS_SECRET | NEEDS_RELAY | NEEDS_POWER },
	{ "device", "canary", "no secret is in a log, an error, a result or a file", check_canary,
		NEEDS_DEVICE | NEEDS_SECRET },
	{ 0 },
};
