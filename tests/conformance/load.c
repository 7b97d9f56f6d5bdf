/* SPDX-License-Identifier: Apache-2.0 */
/* What stays behind of many ops. */
#include <dirent.h>
#include <malloc.h>
#include <stdlib.h>

#include "rig.h"

/*
 * What fills up and then stays so is no leak: caches, tickets of TLS, the allocator's own. So the
 * heap is looked at after each of several windows, and what counts is the slope through them, of
 * which single steps tell little; while it still grows, this is done again.
 */
#define WINDOWS 8u
#define ROUNDS  4u
#define STEPS   2000u /* at least, before it is a leak */
/* Less than one block of the heap for each. */
#define PER_STEP 16
#define ALWAYS   2048

static const struct rig_options plain = { .where = RIG_RELAY };

struct use {
	unsigned descriptors;
	int64_t bytes; /* of the heap; 0 where nobody knows */
};

static struct use measure(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct use use = { .bytes = (int64_t)mallinfo2().uordblks };

	while (dir && readdir(dir))
		use.descriptors++;
	if (dir)
		(void)closedir(dir);
	return use;
}

/* What is done many times over, and what its rounds showed. */
struct load {
	struct rig rig;
	struct pctl_device *device;
	void (*step)(struct load *load);
	const char *what; /* the steps are, in the plural */
	uint64_t n;       /* steps in a round */
	unsigned descriptors;
	int64_t bytes; /* that a round adds, by its slope */
};

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Bytes for each window: the middle one of the slopes between any two points (Theil and Sen). */
static int64_t slope(const struct use *points)
{
	int64_t slopes[WINDOWS * (WINDOWS + 1) / 2];
	size_t n = 0;

	for (unsigned i = 0; i < WINDOWS; i++)
		for (unsigned k = i + 1; k <= WINDOWS; k++)
			slopes[n++] = (points[k].bytes - points[i].bytes) / (int64_t)(k - i);
	qsort(slopes, n, sizeof(*slopes), by_size);
	return slopes[n / 2];
}

static void run_round(struct load *load)
{
	struct use points[WINDOWS + 1] = { measure() };

	for (unsigned i = 1; i <= WINDOWS; i++) {
		for (uint64_t k = load->n * (i - 1) / WINDOWS; k < load->n * i / WINDOWS; k++)
			load->step(load);
		points[i] = measure();
	}
	unsigned now = points[WINDOWS].descriptors, before = points[0].descriptors;
	load->descriptors = now > before ? now - before : 0;
	load->bytes = slope(points) * (int64_t)WINDOWS;
}

static bool is_level(const struct load *load)
{
	return !load->descriptors && load->bytes <= ALWAYS + PER_STEP * (int64_t)load->n;
}

/* There has to be time for one more round, which takes no longer than all until now. */
static bool may_go_on(const struct load *load, unsigned rounds, uint64_t begin)
{
	if (rounds >= ROUNDS && rounds * load->n >= STEPS)
		return false;
	return (rig_now_ms() - begin) * 2 < load->rig.bench->options->limit_s * 1000;
}

/* Fails where each round leaves as much behind as the one before. */
static void must_level_off(struct load *load)
{
	const struct bench *bench = load->rig.bench;
	uint64_t begin = rig_now_ms();
	unsigned long long n = load->n;
	unsigned rounds = 0;

	for (uint64_t i = 0; i < load->n / 10 + 20; i++)
		load->step(load);
	do {
		run_round(load);
		rounds++;
	} while (!is_level(load) && may_go_on(load, rounds, begin));
	if (load->descriptors)
		fail(bench, "%u more descriptors are open after %llu %s, %u times over",
			load->descriptors, n, load->what, rounds);
	if (!is_level(load))
		fail(bench, "%lld more bytes of memory are in use after %llu %s, %u times over",
			(long long)load->bytes, n, load->what, rounds);
	note(bench, "%llu %s: %lld bytes more, no descriptor%s", n, load->what,
		load->bytes > 0 ? (long long)load->bytes : 0,
		rounds > 1 ? "; those before left more" : "");
}

/* --- Steps. ----------------------------------------------------------------------------------- */

static void read_once(struct rig *rig, struct pctl_device *device)
{
	struct run *run = rig_read(rig, device);

	if (run->result.code && run->result.code != PCTL_E_UNSUPPORTED)
		fail(rig->bench, "power.get fails on a device that works: %s", rig_words(run));
	pctl_value_free(run->tree);
	run->tree = NULL;
}

static void step_op(struct load *load)
{
	read_once(&load->rig, load->device);
}

static void step_device(struct load *load)
{
	struct pctl_device *device = rig_open(&load->rig);

	read_once(&load->rig, device);
	rig_close(&load->rig, device);
}

/* A core of its own: what that leaves on the heap is not the driver's alone. */
static void step_loop(struct load *load)
{
	const struct bench *bench = load->rig.bench;

	rig_init(&load->rig, bench, &plain);
	step_device(load);
	rig_done(&load->rig);
}

/* --- Checks. ---------------------------------------------------------------------------------- */

static void check_ops(const struct bench *bench)
{
	struct load load = { .step = step_op, .what = "ops", .n = bench->options->ops };

	rig_init(&load.rig, bench, &plain);
	load.device = rig_open(&load.rig);
	must_level_off(&load);
	rig_close(&load.rig, load.device);
	rig_done(&load.rig);
}

static void check_devices(const struct bench *bench)
{
	struct load load = {
		.step = step_device, .what = "devices", .n = bench->options->ops / 20 + 20
	};

	rig_init(&load.rig, bench, &plain);
	must_level_off(&load);
	rig_done(&load.rig);
}

static void check_loops(const struct bench *bench)
{
	uint64_t n = bench->options->ops / 200 + 5;
	struct load load = { .rig.bench = bench };

	for (int i = 0; i < 5; i++)
		step_loop(&load);
	struct use before = measure();
	for (uint64_t i = 0; i < n; i++)
		step_loop(&load);
	struct use now = measure();
	if (now.descriptors > before.descriptors)
		fail(bench, "%u more descriptors are open after %llu times start and stop",
			now.descriptors - before.descriptors, (unsigned long long)n);
}

const struct check load_checks[] = {
	{ "load", "ops", "many ops leave neither descriptors nor memory behind", check_ops,
		NEEDS_DEVICE | NEEDS_POWER },
	{ "load", "devices", "neither do many devices that are opened and closed", check_devices,
		NEEDS_DEVICE | NEEDS_POWER },
	{ "load", "loops", "nor is anything of it open after stop", check_loops,
		NEEDS_DEVICE | NEEDS_POWER },
	{ 0 },
};
