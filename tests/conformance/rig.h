/* SPDX-License-Identifier: Apache-2.0 */
/* A core with one node of the driver under test, and ops on it that are seen from within. */
#ifndef POWERCTL_CONFORM_RIG_H
#define POWERCTL_CONFORM_RIG_H

#include "conform.h"
#include "driver/method.h"
#include "driver/op.h"
#include "node/core.h"

/* For one op on a device that answers, on a busy machine. */
#define RIG_PATIENT_MS ((uint64_t)20000)
/* How long close and stop may take, and some for a busy machine. */
#define RIG_CLOSE_MS ((uint64_t)2000)
#define RIG_SPARE_MS ((uint64_t)3000)

enum rig_where {
	RIG_RELAY,  /* through the relay, where there is one; else as it was set */
	RIG_NOBODY, /* where nobody listens */
	RIG_DIRECT, /* without the relay */
};

struct rig_options {
	enum rig_where where;
	bool impatient;    /* short times to connect and to answer: the line is broken anyway */
	bool wrong_secret; /* RIG_WRONG_SECRET in place of the real one */
};

#define RIG_WRONG_SECRET "canary-7f3a91-not-it"

struct rig {
	const struct bench *bench;
	uv_loop_t loop;
	struct pctl_core *core;
	struct pctl_inventory *inventory;
	struct pctl_problems *problems;
	struct pctl_target target;
	const struct pctl_driver *driver;
	struct sockaddr_storage address; /* of a device without ports of its own */
	bool core_closed;
};

/* Each of these fails the check where it cannot. */
void rig_init(struct rig *rig, const struct bench *bench, const struct rig_options *how);
struct pctl_device *rig_open(struct rig *rig);
/* Whether check and open take these settings: a secret may have to have a form. */
bool rig_takes(const struct bench *bench, const struct rig_options *how);
/* Waits until closed was called: once, and in time. */
void rig_close(struct rig *rig, struct pctl_device *device);
/* Stops the driver; nothing of it may be left on the loop. */
void rig_done(struct rig *rig);

/* --- Ops. ------------------------------------------------------------------------------------- */

struct run;

/* One of the driver's functions. */
struct call {
	const char *name;
	bool (*has)(const struct pctl_driver *driver);
	void (*start)(struct run *run, const struct pctl_driver *driver, void *dev);
	bool changes; /* it is to commit; else it must not */
	/* What is asked for where this is not supported as it is asked; or NULL. */
	const struct call *fallback;
};

/* In the order of the header; ends with a row that has no name. Those that only read. */
extern const struct call rig_reads[];
/* rig_console takes it from whoever has it; its fallback does not. */
extern const struct call rig_act, rig_boot_set, rig_identify, rig_display, rig_console;

/*
 * An op and what it fills in. Its memory is never used again in this process: what a driver does to
 * an op that is over is seen then.
 */
struct run {
	struct pctl_op op;
	const struct call *call;

	/* What it is called with. */
	enum pctl_action action;
	bool identify_on;
	const struct pctl_method *method;
	struct pctl_arguments *arguments;
	struct pctl_display_wish wish;

	/* What it brought. */
	struct pctl_power power;
	struct pctl_boot boot;
	struct pctl_consent consent;
	struct pctl_value *tree;
	struct pctl_session *session;

	unsigned ends;
	struct pctl_error result;
	bool committed; /* when it ended */
	uint64_t took_ms;
	unsigned turns; /* of the loop, until it ended */
	uint64_t started_ns, ended_ns;
};

struct run *rig_new_run(struct rig *rig, const struct call *call);
/* Begins it; it may have settled, but not ended, when this returns. */
void rig_start(struct rig *rig, struct pctl_device *device, struct run *run, uint64_t limit_ms);
/* Until it has ended. Where its limit and some more is over: fails, the loop hangs. */
void rig_wait(struct rig *rig, struct run *run);
/* All of the above. */
struct run *rig_run(
	struct rig *rig, struct pctl_device *device, const struct call *call, uint64_t limit_ms);
/* A new action, to its end. */
struct run *rig_do(
	struct rig *rig, struct pctl_device *device, enum pctl_action action, uint64_t limit_ms);
/* The loop goes on for so long. */
void rig_idle(struct rig *rig, uint64_t ms);

/* "ok", or "timeout: no answer"; valid until the next call. */
const char *rig_words(const struct run *run);

/* Of a device that works: it was not the deadline that ended it. */
void rig_must_end(struct rig *rig, const struct run *run);
/* power.get of a device that works: waits while that is busy with what checks have left. */
struct run *rig_read(struct rig *rig, struct pctl_device *device);
/* And it has to end well, or as unsupported; after: "after a cancel", or "". */
void rig_must_read(struct rig *rig, struct pctl_device *device, const char *after);

/* Reads until the state is wanted and not changing; fails where that takes longer than 30 s. */
void rig_reach(struct rig *rig, struct pctl_device *device, enum pctl_power_state wanted);
/* Brings it there by an action where it is not there already. Where nothing tells: skips the check.
 */
void rig_make(struct rig *rig, struct pctl_device *device, enum pctl_power_state wanted);

uint64_t rig_now_ms(void);

#endif
