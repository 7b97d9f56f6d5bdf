/* SPDX-License-Identifier: Apache-2.0 */
/* What a driver owes to the core, whatever the device is. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "quiet.h"
#include "rig.h"

#define TURNS_MAX 24u /* await points that are tried, of one op */
#define SHORT_MS  ((uint64_t)700)
#define LATE_MS   ((uint64_t)1000) /* the deadline is kept so exactly */
#define TRIES     3u               /* of what a busy machine may spoil */

static const struct rig_options plain = { .where = RIG_RELAY };

/* --- open, close, stop. ----------------------------------------------------------------------- */

static void check_open_quiet(const struct bench *bench)
{
	struct rig rig;

	/* The core's own look-ups are over by then; the driver's start and open are not. */
	rig_init(&rig, bench, &plain);
	quiet_from_now(bench);
	for (int i = 0; i < 3; i++) {
		struct pctl_device *device = rig_open(&rig);

		doing(bench, "after open");
		rig_idle(&rig, 50);
		rig_close(&rig, device);
	}
	rig_done(&rig);
}

static void check_close(const struct bench *bench)
{
	struct rig rig;

	rig_init(&rig, bench, &plain);
	struct pctl_device *one = rig_open(&rig), *two = rig_open(&rig);
	if (rig.driver->power) {
		rig_must_read(&rig, one, "after open");
		rig_must_read(&rig, two, "after open");
	}
	rig_close(&rig, one);
	if (rig.driver->power)
		rig_must_read(&rig, two, "after close of another device");
	rig_close(&rig, two);
	rig_done(&rig);
}

/* --- Ops. ------------------------------------------------------------------------------------- */

/* How an op may end on a device that works. */
static void check_end(struct rig *rig, const struct run *run)
{
	int code = run->result.code;

	rig_must_end(rig, run);
	if (code && !pctl_error_name(code))
		fail(rig->bench, "%s ended with %d, which is no class of error", run->call->name,
			code);
	if (code && !*run->result.text)
		fail(rig->bench, "%s failed without a word", run->call->name);
	if (code == PCTL_E_SKIPPED || code == PCTL_E_CANCELED || code == PCTL_E_OUTCOME_UNKNOWN)
		fail(rig->bench, "%s ended with %s, which is the core's to say", run->call->name,
			pctl_error_name(code));
	if (code == PCTL_E_INTERNAL || code == PCTL_E_PROTOCOL || code == PCTL_E_UNREACHABLE ||
		code == PCTL_E_TIMEOUT || code == PCTL_E_AUTH || code == PCTL_E_CONFIG)
		fail(rig->bench, "%s fails on a device that works: %s", run->call->name,
			rig_words(run));
}

static void check_words(struct rig *rig, const struct run *run)
{
	const char *text = run->result.text;
	size_t n = strlen(text);

	if (n && text[n - 1] == '.')
		fail(rig->bench, "%s: an error's text ends with a full stop: %s", run->call->name,
			text);
}

static void read_methods(struct rig *rig, struct pctl_device *device);

static void check_reads(const struct bench *bench)
{
	struct rig rig;
	unsigned n = 0;

	rig_init(&rig, bench, &plain);
	struct pctl_device *device = rig_open(&rig);
	if (rig.driver->power)
		rig_must_read(&rig, device, "");
	for (const struct call *c = rig_reads; c->name; c++) {
		if (!c->has(rig.driver))
			continue;
		const struct run *run = rig_run(&rig, device, c, RIG_PATIENT_MS);
		check_end(&rig, run);
		check_words(&rig, run);
		n++;
	}
	if (rig.driver->power)
		rig_must_read(&rig, device, "after all that");
	read_methods(&rig, device);
	rig_idle(&rig, 100);
	rig_close(&rig, device);
	rig_done(&rig);
	note(bench, "%u interfaces were read", n);
}

static void method_run(struct run *run, const struct pctl_driver *d, void *dev)
{
	(void)d;
	run->method->run(dev, &run->op, run->arguments, run->tree);
}

static bool needs_words(const struct pctl_method *m)
{
	for (const struct pctl_property *p = m->parameters; p && p->name; p++)
		if (p->flags & PCTL_PROPERTY_REQUIRED)
			return true;
	return false;
}

static void read_methods(struct rig *rig, struct pctl_device *device)
{
	static const struct call call = { "method.run", NULL, method_run, false, NULL };

	for (const struct pctl_method *m = rig->driver->methods; m && m->name; m++) {
		if ((m->flags & (PCTL_METHOD_CHANGES | PCTL_METHOD_DISRUPTS)) || needs_words(m))
			continue;
		struct run *run = rig_new_run(rig, &call);
		run->method = m;
		if (pctl_arguments_new(rig->driver, m->name, NULL, &run->arguments, rig->problems) <
			0)
			continue;
		rig_start(rig, device, run,
			m->limit_ms > RIG_PATIENT_MS ? m->limit_ms : RIG_PATIENT_MS);
		rig_wait(rig, run);
		check_end(rig, run);
	}
}

static void must_commit(struct rig *rig, const struct run *run)
{
	check_end(rig, run);
	if (run->result.code)
		fail(rig->bench, "power.act %s failed: %s", pctl_action_name(run->action),
			rig_words(run));
	if (!run->committed && !run->op.taken)
		fail(rig->bench,
			"power.act %s ended well without pctl_op_committed(): had its answer "
			"been lost, it would have been sent again",
			pctl_action_name(run->action));
}

static bool switches(const struct rig *rig)
{
	const uint32_t both = PCTL_ACTION_BIT(PCTL_ACTION_ON) | PCTL_ACTION_BIT(PCTL_ACTION_OFF);

	return (rig->target.actions & both) == both;
}

static void check_actions(const struct bench *bench)
{
	struct rig rig;

	rig_init(&rig, bench, &plain);
	if (!switches(&rig))
		skip(bench, "it does not do both on and off");
	struct pctl_device *device = rig_open(&rig);
	rig_make(&rig, device, PCTL_POWER_OFF);
	must_commit(&rig, rig_do(&rig, device, PCTL_ACTION_ON, RIG_PATIENT_MS));
	rig_reach(&rig, device, PCTL_POWER_ON);
	must_commit(&rig, rig_do(&rig, device, PCTL_ACTION_OFF, RIG_PATIENT_MS));
	rig_reach(&rig, device, PCTL_POWER_OFF);
	rig_idle(&rig, 100);
	rig_close(&rig, device);
	rig_done(&rig);
}

static void check_boot_devices(const struct bench *bench)
{
	struct rig rig;
	unsigned n = 0;

	rig_init(&rig, bench, &plain);
	if (!rig.driver->boot || !rig.target.boot_once)
		skip(bench, "it has no boot interface");
	struct pctl_device *device = rig_open(&rig);
	for (int i = 0; i < PCTL_BOOT_COUNT; i++) {
		struct run *run = rig_new_run(&rig, &rig_boot_set);

		if (!(rig.target.boot_once & PCTL_BOOT_BIT(i)) || i == PCTL_BOOT_HTTP)
			continue;
		run->boot.device = (enum pctl_boot_device)i;
		rig_start(&rig, device, run, RIG_PATIENT_MS);
		rig_wait(&rig, run);
		check_end(&rig, run);
		n++;
	}
	struct run *clear = rig_new_run(&rig, &rig_boot_set);
	clear->boot.device = PCTL_BOOT_NONE;
	rig_start(&rig, device, clear, RIG_PATIENT_MS);
	rig_wait(&rig, clear);
	rig_close(&rig, device);
	rig_done(&rig);
	note(bench, "%u boot devices", n);
}

static void check_identify(const struct bench *bench)
{
	struct rig rig;

	rig_init(&rig, bench, &plain);
	if (!rig.driver->identify)
		skip(bench, "it has no identify interface");
	struct pctl_device *device = rig_open(&rig);
	for (int on = 1; on >= 0; on--) {
		struct run *run = rig_new_run(&rig, &rig_identify);

		run->identify_on = on;
		rig_start(&rig, device, run, RIG_PATIENT_MS);
		rig_wait(&rig, run);
		check_end(&rig, run);
	}
	rig_close(&rig, device);
	rig_done(&rig);
}

/* --- Cancel. ---------------------------------------------------------------------------------- */

/* Begins an op, turns the loop so often, and cancels it. False: it had ended by itself. */
static bool cancel_after(
	struct rig *rig, struct pctl_device *device, struct run *run, unsigned turns)
{
	rig_start(rig, device, run, RIG_PATIENT_MS);
	for (unsigned i = 0; i < turns && !run->ends; i++)
		(void)uv_run(&rig->loop, UV_RUN_ONCE);
	if (run->ends)
		return false;
	bool settled = run->op.settled;
	pctl_op_cancel(&run->op);
	rig_wait(rig, run);
	return !settled;
}

static void check_canceled(struct rig *rig, const struct run *run)
{
	int code = run->result.code;

	if (code != PCTL_E_CANCELED && code != PCTL_E_OUTCOME_UNKNOWN)
		fail(rig->bench, "%s was canceled and ended so: %s", run->call->name,
			rig_words(run));
}

static void cancel_reads(struct rig *rig, const struct call *call, unsigned *points)
{
	for (unsigned turns = 0; turns < TURNS_MAX; turns++) {
		struct pctl_device *device = rig_open(rig);
		struct run *run = rig_new_run(rig, call);
		bool canceled = cancel_after(rig, device, run, turns);

		if (canceled) {
			check_canceled(rig, run);
			(*points)++;
		}
		/* Every second time the device is closed with the op's leavings. */
		if (turns % 2 == 0 && rig->driver->power)
			rig_must_read(rig, device, "after a cancel");
		rig_close(rig, device);
		if (!canceled)
			return;
	}
}

static void check_cancel(const struct bench *bench)
{
	struct rig rig;
	unsigned points = 0;

	rig_init(&rig, bench, &plain);
	for (const struct call *c = rig_reads; c->name; c++)
		if (c->has(rig.driver))
			cancel_reads(&rig, c, &points);
	rig_done(&rig);
	note(bench, "%u await points", points);
}

/* A cancel that says that nothing happened must be right. */
static void check_cancel_action(const struct bench *bench)
{
	struct rig rig;
	unsigned points = 0;
	bool more = true;

	rig_init(&rig, bench, &plain);
	if (!switches(&rig))
		skip(bench, "it does not do both on and off");
	struct pctl_device *watcher = rig_open(&rig);
	for (unsigned turns = 0; more && turns < TURNS_MAX; turns++) {
		struct pctl_device *device = rig_open(&rig);
		struct run *run = rig_new_run(&rig, &rig_act);

		rig_make(&rig, watcher, PCTL_POWER_OFF);
		run->action = PCTL_ACTION_ON;
		more = cancel_after(&rig, device, run, turns);
		if (more) {
			check_canceled(&rig, run);
			points++;
		}
		rig_close(&rig, device);
		rig_idle(&rig, 100);
		const struct run *now = rig_read(&rig, watcher);
		if (run->result.code == PCTL_E_CANCELED && !now->result.code &&
			now->power.state == PCTL_POWER_ON)
			fail(bench,
				"power.act on was canceled before pctl_op_committed(), which says "
				"that nothing happened, and the machine went on");
	}
	rig_make(&rig, watcher, PCTL_POWER_OFF);
	rig_close(&rig, watcher);
	rig_done(&rig);
	note(bench, "%u await points", points);
}

/* --- Deadlines. ------------------------------------------------------------------------------- */

/* It sent nothing: that it was let in is all that it asks for, and no answer is missing. */
static bool asks_nothing(const struct bench *bench)
{
	const struct relay_shared *relay = &bench->shared->relay;

	return atomic_load(&relay->connections) && !atomic_load(&relay->requests);
}

/* Of a device that says nothing, in this way. 0: the driver asks nothing of it. */
static uint64_t time_to_end(struct rig *rig, enum relay_mode mode)
{
	struct relay_shared *relay = &rig->bench->shared->relay;
	uint64_t best = UINT64_MAX;

	relay_set(relay, mode, 0);
	for (unsigned i = 0; i < TRIES && best > SHORT_MS + LATE_MS; i++) {
		struct pctl_device *device = rig_open(rig);
		const struct run *run = rig_run(rig, device, rig_reads, SHORT_MS);

		rig_idle(rig, 50);
		if (!run->result.code && (mode == RELAY_DEAF || !asks_nothing(rig->bench)))
			fail(rig->bench, "power.get ended well, and the device says nothing");
		if (!run->result.code)
			best = 0;
		if (run->took_ms < best)
			best = run->took_ms;
		rig_close(rig, device);
	}
	relay_set(relay, RELAY_PASS, 0);
	if (best > SHORT_MS + LATE_MS)
		fail(rig->bench, "an op with %llu ms to its deadline took %llu ms",
			(unsigned long long)SHORT_MS, (unsigned long long)best);
	return best;
}

static void check_deadline(const struct bench *bench)
{
	struct rig rig;

	rig_init(&rig, bench, &plain);
	uint64_t deaf = time_to_end(&rig, RELAY_DEAF), silent = time_to_end(&rig, RELAY_SILENT);
	rig_done(&rig);
	note(bench,
		"%llu ms to the deadline; %llu ms taken without a connection, %llu ms without an "
		"answer",
		(unsigned long long)SHORT_MS, (unsigned long long)deaf, (unsigned long long)silent);
}

static void check_idle(const struct bench *bench)
{
	struct rig rig;

	rig_init(&rig, bench, &plain);
	if (!rig.driver->idle)
		skip(bench, "it has no idle function");
	struct pctl_device *device = rig_open(&rig);
	doing(bench, "after idle");
	rig.driver->idle(device->dev);
	rig_must_read(&rig, device, "after idle before anything else");
	for (int i = 0; i < 2; i++) {
		doing(bench, "after idle");
		rig.driver->idle(device->dev);
	}
	rig_must_read(&rig, device, "after idle");
	rig.driver->idle(device->dev);
	rig_close(&rig, device);
	rig_done(&rig);
}

/* --- Sessions. -------------------------------------------------------------------------------- */

static unsigned session_ends;

static void on_session_end(void *data, const struct pctl_error *err)
{
	const struct bench *bench = data;

	(void)err;
	if (++session_ends > 1)
		fail(bench, "a session's ended() was called twice");
}

static void check_session(const struct bench *bench, const struct call *call)
{
	/* A device may say at which port it has its consoles: that is not the relay's. */
	static const struct rig_options direct = { .where = RIG_DIRECT };
	struct rig rig;

	rig_init(&rig, bench, &direct);
	if (!call->has(rig.driver))
		skip(bench, "it has no such interface: %s", call->name);
	struct pctl_device *device = rig_open(&rig);
	struct run *run = rig_run(&rig, device, call, RIG_PATIENT_MS);
	check_end(&rig, run);
	if (run->result.code == PCTL_E_UNSUPPORTED && call->fallback) {
		run = rig_run(&rig, device, call->fallback, RIG_PATIENT_MS);
		check_end(&rig, run);
	}
	if (run->result.code)
		skip(bench, "the device has none now: %s", rig_words(run));
	struct pctl_session *s = run->session;
	if (!s)
		fail(bench, "%s ended well without a session", call->name);
	if (s->fd < 0 || !(fcntl(s->fd, F_GETFL) & O_NONBLOCK))
		fail(bench, "the session's descriptor is none, or blocks");
	s->ended = on_session_end;
	s->data = (void *)(uintptr_t)bench;
	rig_idle(&rig, 100);
	uint64_t begin = rig_now_ms();
	doing(bench, "a session's close");
	s->close(s);
	while (!session_ends && rig_now_ms() - begin < 10000)
		rig_idle(&rig, 20);
	if (!session_ends)
		fail(bench, "a session was closed, and ended() was not called in 10 s; it has 2 s");
	if (rig_now_ms() - begin > RIG_CLOSE_MS + RIG_SPARE_MS)
		fail(bench, "a session took more than 2 s to close");
	rig_close(&rig, device);
	rig_done(&rig);
}

static void check_console(const struct bench *bench)
{
	check_session(bench, &rig_console);
}

static void check_display(const struct bench *bench)
{
	check_session(bench, &rig_display);
}

/* --- What a driver prints. -------------------------------------------------------------------- */

static void check_silent(const struct bench *bench)
{
	struct stat before, after;
	struct rig rig;

	(void)fflush(NULL);
	(void)fstat(STDOUT_FILENO, &before);
	rig_init(&rig, bench, &plain);
	struct pctl_device *device = rig_open(&rig);
	for (const struct call *c = rig_reads; c->name; c++)
		if (c->has(rig.driver))
			(void)rig_run(&rig, device, c, RIG_PATIENT_MS);
	rig_close(&rig, device);
	rig_done(&rig);
	(void)fflush(NULL);
	(void)fstat(STDOUT_FILENO, &after);
	if (after.st_size != before.st_size)
		fail(bench, "it prints; a driver returns what it has to say, or calls pctl_log()");
}

const struct check contract_checks[] = {
	{ "contract", "open", "start and open send nothing: the kernel would say so",
		check_open_quiet, NEEDS_DEVICE },
	{ "contract", "close", "close and stop call back once, in 2 s, and leave nothing behind",
		check_close, NEEDS_DEVICE },
	{ "contract", "reads", "what reads ends once, not before it returned, and commits nothing",
		check_reads, NEEDS_DEVICE },
	{ "contract", "actions", "on and off end once, with a commit point, and the state follows",
		check_actions, NEEDS_DEVICE | NEEDS_POWER },
	{ "contract", "boot", "each boot device that is listed can be set", check_boot_devices,
		NEEDS_DEVICE },
	{ "contract", "identify", "identify goes on and off", check_identify, NEEDS_DEVICE },
	{ "contract", "cancel", "an op can be canceled wherever it waits, and the device goes on",
		check_cancel, NEEDS_DEVICE },
	{ "contract", "cancel-action", "a canceled action says truly whether nothing happened",
		check_cancel_action, NEEDS_DEVICE | NEEDS_POWER },
	{ "contract", "deadline", "a deadline is kept to within a second", check_deadline,
		NEEDS_DEVICE | NEEDS_RELAY | NEEDS_POWER },
	{ "contract", "idle", "idle may come at any time, and the device goes on", check_idle,
		NEEDS_DEVICE | NEEDS_POWER },
	{ "contract", "console", "a console opens, and closes in 2 s with one end", check_console,
		NEEDS_DEVICE },
	{ "contract", "display", "a display opens, and closes in 2 s with one end", check_display,
		NEEDS_DEVICE },
	{ "contract", "prints", "it prints nothing", check_silent, NEEDS_DEVICE },
	{ 0 },
};
