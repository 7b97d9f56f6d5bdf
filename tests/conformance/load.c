/* SPDX-License-Identifier: Apache-2.0 */
/* What stays behind of many ops. */
#include <dirent.h>
#include <malloc.h>

#include "rig.h"

/* Less than one block of the heap for each. */
#define PER_OP 16u
#define ALWAYS 8192u

static const struct rig_options plain = { .where = RIG_RELAY };

struct use {
	unsigned descriptors;
	size_t bytes; /* of the heap; 0 where nobody knows */
};

static struct use measure(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct use use = { .bytes = mallinfo2().uordblks };

	while (dir && readdir(dir))
		use.descriptors++;
	if (dir)
		(void)closedir(dir);
	return use;
}

static void compare(const struct bench *bench, struct use before, uint64_t n, const char *what)
{
	struct use now = measure();
	size_t more = now.bytes > before.bytes ? now.bytes - before.bytes : 0;

	if (now.descriptors > before.descriptors)
		fail(bench, "%u more descriptors are open after %llu %s",
			now.descriptors - before.descriptors, (unsigned long long)n, what);
	if (more > ALWAYS + PER_OP * n)
		fail(bench, "%zu more bytes of memory are in use after %llu %s", more,
			(unsigned long long)n, what);
	note(bench, "%llu %s: %zu bytes more, no descriptor", (unsigned long long)n, what, more);
}

static void read_once(struct rig *rig, struct pctl_device *device)
{
	struct run *run = rig_read(rig, device);

	if (run->result.code && run->result.code != PCTL_E_UNSUPPORTED)
		fail(rig->bench, "power.get fails on a device that works: %s", rig_words(run));
	pctl_value_free(run->tree);
	run->tree = NULL;
}

static void check_ops(const struct bench *bench)
{
	uint64_t n = bench->options->ops;
	struct rig rig;

	rig_init(&rig, bench, &plain);
	struct pctl_device *device = rig_open(&rig);
	for (uint64_t i = 0; i < n / 10 + 20; i++)
		read_once(&rig, device);
	struct use before = measure();
	for (uint64_t i = 0; i < n; i++)
		read_once(&rig, device);
	compare(bench, before, n, "ops");
	rig_close(&rig, device);
	rig_done(&rig);
}

static void open_once(struct rig *rig)
{
	struct pctl_device *device = rig_open(rig);

	read_once(rig, device);
	rig_close(rig, device);
}

static void check_devices(const struct bench *bench)
{
	uint64_t n = bench->options->ops / 20 + 20;
	struct rig rig;

	rig_init(&rig, bench, &plain);
	for (uint64_t i = 0; i < n / 5 + 10; i++)
		open_once(&rig);
	struct use before = measure();
	for (uint64_t i = 0; i < n; i++)
		open_once(&rig);
	rig_idle(&rig, 50);
	compare(bench, before, n, "devices");
	rig_done(&rig);
}

static void check_loops(const struct bench *bench)
{
	uint64_t n = bench->options->ops / 200 + 5;
	struct use before = { 0 };

	for (uint64_t i = 0; i < n + 5; i++) {
		struct rig rig;

		if (i == 5)
			before = measure();
		rig_init(&rig, bench, &plain);
		open_once(&rig);
		rig_done(&rig);
	}
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
