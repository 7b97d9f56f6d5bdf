/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <powerctl/inventory.h>
#include <powerctl/mem.h>

#include "driver/crash.h"

/* --- The inventory. --------------------------------------------------------------------------- */

/* A list as it stands, anything else as a text. */
static void put_setting(FILE *f, const char *name, const char *value)
{
	(void)fprintf(f, "    %s: ", name);
	if (*value == '[') {
		(void)fprintf(f, "%s\n", value);
		return;
	}
	(void)fputc('\'', f);
	for (; *value; value++)
		(void)fprintf(f, *value == '\'' ? "''" : "%c", *value);
	(void)fputs("'\n", f);
}

static bool is_port(const struct shared *s, const char *name, size_t len)
{
	for (size_t i = 0; i < s->ports_n; i++)
		if (strncmp(s->ports[i].name, name, len) == 0 && !s->ports[i].name[len])
			return true;
	return false;
}

static bool relayed(const struct bench *bench, const struct rig_options *how)
{
	return bench->ports->n && how->where != RIG_DIRECT;
}

static void put_ports(FILE *f, const struct bench *bench, const struct rig_options *how)
{
	const struct relay_ports *ports = bench->ports;
	char number[8];

	for (size_t i = 0; relayed(bench, how) && i < ports->n; i++) {
		(void)snprintf(number, sizeof(number), "%u",
			(unsigned)(how->where == RIG_NOBODY ? ports->nobody[i] : ports->relay[i]));
		put_setting(f, bench->shared->ports[i].name, number);
	}
}

static char *write_inventory(const struct bench *bench, const struct rig_options *how)
{
	const struct options *o = bench->options;
	char *path = pctl_xasprintf("%s/powerctl.yaml", bench->folder);
	FILE *f = fopen(path, "we");

	if (!f)
		fail(bench, "%s: %s", path, strerror(errno));
	(void)fchmod(fileno(f), 0600);
	(void)fprintf(f, "defaults:\n  timeouts: {%s}\nnodes:\n  device:\n",
		how->impatient ? "connect: 1s, answer: 1500ms" : "connect: 2s, answer: 3s");
	put_setting(f, "driver", o->name);
	if (relayed(bench, how))
		put_setting(f, "address", "127.0.0.1");
	else if (o->address || bench->shared->networked)
		put_setting(f, "address", o->address ? o->address : "127.0.0.1");
	for (size_t i = 0; i < o->sets_n; i++) {
		PCTL_AUTO(free) char *name = pctl_xstrdup(o->sets[i]);
		size_t len = strcspn(name, "=");

		if ((relayed(bench, how) && is_port(bench->shared, name, len)) ||
			(how->wrong_secret && setting_is_of(name, len, bench->shared->secret)) ||
			setting_given(o, (name[len] = '\0', name)) != o->sets[i] + len + 1)
			continue;
		put_setting(f, name, o->sets[i] + len + 1);
	}
	put_ports(f, bench, how);
	if (how->wrong_secret)
		put_setting(f, bench->shared->secret, RIG_WRONG_SECRET);
	if (fclose(f) != 0)
		fail(bench, "%s: %s", path, strerror(errno));
	return path;
}

/* --- Up and down. ----------------------------------------------------------------------------- */

static const struct bench *watched; /* by the sink below; one check, one process */

static void on_fault(const char *words)
{
	fail(watched, "%s", words);
}

/* Without the place: nobody has seen this check's own file. */
static const char *without_place(const char *problem, const char *path)
{
	size_t n = strlen(path);

	if (strncmp(problem, path, n) != 0)
		return problem;
	problem += n;
	problem += strspn(problem, ":0123456789 ");
	return strncmp(problem, "device: ", 8) == 0 ? problem + 8 : problem;
}

/* Without a device, what is missing may stay so: only the file and its tables are looked at. */
static void no_problems(struct rig *rig, const char *path)
{
	const struct bench *bench = rig->bench;
	char words[1000] = "";

	for (size_t i = 0; i < pctl_problems_count(rig->problems); i++) {
		const char *one = pctl_problems_at(rig->problems, i);
		size_t n = strlen(words);

		if (bench->shared->only_tables && one && strstr(one, "is missing"))
			continue;
		(void)snprintf(words + n, sizeof(words) - n, "%s%s", n ? "\n" : "",
			without_place(one ? one : "and more", path));
	}
	if (!*words)
		return;
	bench->shared->mistaken = true;
	fail(bench, "%s", words);
}

static void find_address(struct rig *rig, const struct rig_options *how)
{
	const char *host = relayed(rig->bench, how) ? "127.0.0.1" : rig->bench->options->address;
	struct addrinfo *found = NULL;

	if (!host)
		return;
	int e = getaddrinfo(host, NULL, NULL, &found);
	if (e != 0 || !found)
		fail(rig->bench, "%s: %s", host, gai_strerror(e));
	memcpy(&rig->address, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
}

/* Problems are left to be looked at: in what the settings say, as the driver sees it. The file's
 * path; free() it. */
static char *prepare(struct rig *rig, const struct bench *bench, const struct rig_options *how)
{
	const struct options *o = bench->options;
	char *path = write_inventory(bench, how);
	const struct pctl_core_options core = { .plugin_dir = o->dir, .caller = "driver-check" };

	*rig = (struct rig){ .bench = bench, .problems = pctl_problems_new() };
	watched = bench;
	pctl_op_on_fault = on_fault;
	pctl_op_strict = true;
	find_address(rig, how);
	(void)uv_loop_init(&rig->loop);
	rig->core = pctl_core_new(&rig->loop, &core);
	doing(bench, "loading");
	(void)pctl_inventory_load(path, &rig->inventory, rig->problems);
	no_problems(rig, path);
	(void)pctl_target_init(
		&rig->target, rig->core, rig->inventory, 0, NULL, true, rig->problems);
	return path;
}

void rig_init(struct rig *rig, const struct bench *bench, const struct rig_options *how)
{
	PCTL_AUTO(free) char *path = prepare(rig, bench, how);

	no_problems(rig, path);
	rig->driver = rig->target.loaded->driver;
}

static struct pctl_device *try_open(struct rig *rig, struct pctl_error *err)
{
	struct pctl_device *device = NULL;

	doing(rig->bench, "open");
	if (pctl_device_open(&rig->target, &device, err) < 0)
		return NULL;
	if (pctl_device_needs_resolving(device))
		pctl_device_set_address(device, (const struct sockaddr *)&rig->address);
	return device;
}

struct pctl_device *rig_open(struct rig *rig)
{
	struct pctl_error err = { 0 };
	struct pctl_device *device = try_open(rig, &err);

	if (!device)
		fail(rig->bench, "open failed: %s: %s", pctl_error_name(err.code), err.text);
	return device;
}

bool rig_takes(const struct bench *bench, const struct rig_options *how)
{
	struct pctl_error err = { .code = PCTL_E_CONFIG };
	struct pctl_device *device = NULL;
	struct rig rig;

	free(prepare(&rig, bench, how));
	if (!pctl_problems_count(rig.problems)) {
		rig.driver = rig.target.loaded->driver;
		device = try_open(&rig, &err);
	}
	if (device)
		rig_close(&rig, device);
	else if (err.code != PCTL_E_CONFIG)
		fail(bench, "open failed: %s: %s", pctl_error_name(err.code), err.text);
	rig_done(&rig);
	return device;
}

/* Not of the heap, whose growth is measured; and never given back: zeros that nobody else uses. */
static void *new_place(struct rig *rig, size_t need)
{
	static char *pool;
	static size_t left;
	const size_t size = (need + 63) & ~(size_t)63, part = (size_t)4 << 20;

	if (left < size) {
		pool = mmap(NULL, part, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (pool == MAP_FAILED)
			fail(rig->bench, "no memory: %s", strerror(errno));
		left = part;
	}
	left -= size;
	return pool + left;
}

struct closing {
	struct rig *rig;
	unsigned calls;
	const char *what;
};

static void on_closed(void *data)
{
	struct closing *c = data;

	if (++c->calls > 1)
		fail(c->rig->bench, "%s called back more than once", c->what);
}

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
}

static void close_quietly(uv_handle_t *handle)
{
	free(handle);
}

/* Turns the loop until *flag, for at most so long; a timer of ours ends the sleep. */
static bool turn_until(struct rig *rig, const unsigned *flag, uint64_t ms)
{
	uint64_t end = rig_now_ms() + ms;
	uv_timer_t *tick = pctl_xcalloc(1, sizeof(*tick));

	(void)uv_timer_init(&rig->loop, tick);
	(void)uv_timer_start(tick, on_tick, 20, 20);
	while (!*flag && rig_now_ms() < end)
		(void)uv_run(&rig->loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)tick, close_quietly);
	(void)uv_run(&rig->loop, UV_RUN_NOWAIT);
	return *flag;
}

void rig_close(struct rig *rig, struct pctl_device *device)
{
	struct closing *c = new_place(rig, sizeof(*c));
	uint64_t begin = rig_now_ms();

	doing(rig->bench, "close");
	*c = (struct closing){ .rig = rig, .what = "close" };
	pctl_crash_enter(rig->driver->name, "close", rig->target.name);
	rig->driver->close(device->dev, on_closed, c);
	pctl_crash_leave();
	if (!turn_until(rig, &c->calls, 10000))
		fail(rig->bench, "close did not call back in 10 s; it has 2 s");
	uint64_t took = rig_now_ms() - begin;
	/* As the core does it, but for a second call, which it would not survive. */
	pctl_channels_free(device->channels);
	free(device);
	if (took > RIG_CLOSE_MS + RIG_SPARE_MS)
		fail(rig->bench, "close took %llu ms; it has 2 s", (unsigned long long)took);
}

static void on_core_closed(void *data)
{
	struct rig *rig = data;

	rig->core_closed = true;
}

static void name_handle(uv_handle_t *handle, void *data)
{
	char *words = data;
	size_t n = strlen(words);

	(void)snprintf(words + n, 200 - n, "%s%s", n ? ", " : "",
		uv_handle_type_name(uv_handle_get_type(handle)));
}

static void find_left_behind(struct rig *rig)
{
	char words[200] = "";

	uv_walk(&rig->loop, name_handle, words);
	if (*words)
		fail(rig->bench, "stop left something on the loop: %s", words);
	fail(rig->bench, "stop left a request on the loop that has not ended");
}

void rig_done(struct rig *rig)
{
	uint64_t begin = rig_now_ms();

	doing(rig->bench, "stop");
	pctl_target_done(&rig->target);
	pctl_core_close(rig->core, on_core_closed, rig);
	while (!rig->core_closed && rig_now_ms() - begin < 10000)
		if (!uv_run(&rig->loop, UV_RUN_NOWAIT) && !rig->core_closed)
			break;
		else
			(void)usleep(500);
	if (!rig->core_closed)
		fail(rig->bench, "stop did not call back in 10 s; it has 2 s");
	if (rig_now_ms() - begin > RIG_CLOSE_MS + RIG_SPARE_MS)
		fail(rig->bench, "stop took more than 2 s");
	begin = rig_now_ms();
	while (uv_loop_close(&rig->loop) == UV_EBUSY) {
		if (rig_now_ms() - begin > 1000)
			find_left_behind(rig);
		(void)uv_run(&rig->loop, UV_RUN_NOWAIT);
		(void)usleep(500);
	}
	pctl_inventory_free(rig->inventory);
	pctl_problems_free(rig->problems);
}

/* --- Ops. ------------------------------------------------------------------------------------- */

uint64_t rig_now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

struct run *rig_new_run(struct rig *rig, const struct call *call)
{
	struct run *run = new_place(rig, sizeof(*run));

	run->call = call;
	run->power.size = sizeof(run->power);
	run->boot.size = sizeof(run->boot);
	run->consent.size = sizeof(run->consent);
	return run;
}

static void on_end(struct pctl_op *op, const struct pctl_error *result)
{
	struct run *run = op->data;

	run->ends++;
	run->result = *result;
	run->committed = op->committed;
}

void rig_start(struct rig *rig, struct pctl_device *device, struct run *run, uint64_t limit_ms)
{
	run->tree = pctl_value_new_map();
	run->started_ns = uv_hrtime();
	uv_update_time(&rig->loop);
	pctl_op_begin(&run->op, &rig->loop, limit_ms, on_end, run);
	doing(rig->bench, run->call->name);
	pctl_op_enter(&run->op, rig->driver->name, run->call->name, rig->target.name);
	run->call->start(run, rig->driver, device->dev);
	pctl_op_leave(&run->op);
	if (run->ends)
		fail(rig->bench, "%s: its end was told before it returned", run->call->name);
	uint64_t blocked = (uv_hrtime() - run->started_ns) / 1000000;
	if (blocked > RIG_SPARE_MS)
		fail(rig->bench, "%s blocked the loop for %llu ms", run->call->name,
			(unsigned long long)blocked);
}

void rig_wait(struct rig *rig, struct run *run)
{
	uint64_t limit = run->op.timeout_ms;

	while (!run->ends) {
		/* The op's deadline is a timer: this does not sleep for longer. */
		(void)uv_run(&rig->loop, UV_RUN_ONCE);
		run->turns++;
		uint64_t ms = (uv_hrtime() - run->started_ns) / 1000000;
		if (!run->ends && ms > limit + RIG_SPARE_MS)
			fail(rig->bench,
				"%s: the driver blocked the loop beyond the deadline of %llu ms",
				run->call->name, (unsigned long long)limit);
	}
	run->ended_ns = uv_hrtime();
	run->took_ms = (run->ended_ns - run->started_ns) / 1000000;
	/* A second end would come now or later. */
	(void)uv_run(&rig->loop, UV_RUN_NOWAIT);
	if (run->call->changes || !run->committed)
		return;
	fail(rig->bench, "%s called pctl_op_committed(), though it only reads", run->call->name);
}

struct run *rig_run(
	struct rig *rig, struct pctl_device *device, const struct call *call, uint64_t limit_ms)
{
	struct run *run = rig_new_run(rig, call);

	rig_start(rig, device, run, limit_ms);
	rig_wait(rig, run);
	return run;
}

struct run *rig_do(
	struct rig *rig, struct pctl_device *device, enum pctl_action action, uint64_t limit_ms)
{
	struct run *run = rig_new_run(rig, &rig_act);

	run->action = action;
	rig_start(rig, device, run, limit_ms);
	rig_wait(rig, run);
	return run;
}

void rig_idle(struct rig *rig, uint64_t ms)
{
	const unsigned never = 0;

	(void)turn_until(rig, &never, ms);
}

const char *rig_words(const struct run *run)
{
	static char words[400];

	if (!run->result.code)
		return "ok";
	(void)snprintf(words, sizeof(words), "%s: %s", pctl_error_name(run->result.code),
		run->result.text);
	return words;
}

/* Devices have few places for sessions, and forget those that a broken line left after a minute. */
#define PLACES_MS ((uint64_t)75000)

struct run *rig_read(struct rig *rig, struct pctl_device *device)
{
	uint64_t begin = rig_now_ms();
	struct run *run = rig_run(rig, device, &rig_reads[0], RIG_PATIENT_MS);

	while (run->result.code == PCTL_E_BUSY && rig_now_ms() - begin < PLACES_MS) {
		rig_idle(rig, 500);
		run = rig_run(rig, device, &rig_reads[0], RIG_PATIENT_MS);
	}
	return run;
}

void rig_must_end(struct rig *rig, const struct run *run)
{
	uint64_t limit = run->op.timeout_ms;

	if (run->result.code == PCTL_E_TIMEOUT && run->took_ms + 100 >= limit)
		fail(rig->bench,
			"%s never ended: its deadline of %llu s passed, and the device answers",
			run->call->name, (unsigned long long)limit / 1000);
}

void rig_must_read(struct rig *rig, struct pctl_device *device, const char *after)
{
	const struct run *run = rig_read(rig, device);

	rig_must_end(rig, run);
	if (run->result.code && run->result.code != PCTL_E_UNSUPPORTED)
		fail(rig->bench, "%s%spower.get fails: %s", after, *after ? ", " : "",
			rig_words(run));
}

void rig_reach(struct rig *rig, struct pctl_device *device, enum pctl_power_state wanted)
{
	uint64_t begin = rig_now_ms();
	const struct run *run = NULL;

	while (rig_now_ms() - begin < 30000) {
		run = rig_read(rig, device);
		if (!run->result.code && run->power.state == wanted && !run->power.changing)
			return;
		rig_idle(rig, 100);
	}
	fail(rig->bench, "it was told to go %s, and after 30 s it reads %s",
		pctl_power_state_name(wanted),
		run && !run->result.code ? pctl_power_state_name(run->power.state) : "nothing");
}

void rig_make(struct rig *rig, struct pctl_device *device, enum pctl_power_state wanted)
{
	const struct run *run = rig_read(rig, device);

	if (run->result.code == PCTL_E_UNSUPPORTED)
		skip(rig->bench, "nothing tells its state: %s", rig_words(run));
	if (run->result.code)
		fail(rig->bench, "power.get of the device failed: %s", rig_words(run));
	if (run->power.state == wanted && !run->power.changing)
		return;
	run = rig_do(rig, device, wanted == PCTL_POWER_ON ? PCTL_ACTION_ON : PCTL_ACTION_OFF,
		RIG_PATIENT_MS);
	if (run->result.code)
		fail(rig->bench, "power.act %s of the device failed: %s",
			pctl_action_name(run->action), rig_words(run));
	rig_reach(rig, device, wanted);
}
