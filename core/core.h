/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the core: what a loop's core holds, the drivers it has loaded, and open nodes. */
#ifndef POWERCTL_CORE_CORE_H
#define POWERCTL_CORE_CORE_H

#include <powerctl/powerctl.h>

#include "dial.h"
#include "lock.h"
#include "plugin.h"
#include "settings.h"
#include "store.h"
#include "strmap.h"

/* A driver that was asked for, loaded or refused. */
struct pctl_loaded {
	char *name;
	struct pctl_plugin *plugin; /* NULL: refused */
	const struct pctl_driver *driver;
	struct pctl_error refused;
	bool started;
	void *ctx;
};

struct pctl_login;

struct pctl_core {
	uv_loop_t *loop;
	char *plugin_dir;
	struct pctl_strmap by_name; /* of struct pctl_loaded */
	struct pctl_loaded **loaded;
	size_t n, cap;
	struct pctl_store *facts, *pins, *intents;
	struct pctl_secrets *secrets;
	struct pctl_locks *locks;
	size_t stopping;
	pctl_closed_fn *closed;
	void *closed_data;
	struct pctl_breaker *breaker;
	struct pctl_store *looks; /* how far this user has read the devices' logs */
};

/* Loads (once) and starts (once) a driver. PCTL_E_CONFIG if it is refused or does not start. */
int pctl_core_load(
	struct pctl_core *core, const char *name, struct pctl_loaded **ret, struct pctl_error *err);
/* The plugin that was probably meant, where there is none of that name; free() it. Or NULL. */
char *pctl_core_nearest_driver(struct pctl_core *core, const char *name);
int pctl_core_start(struct pctl_core *core, struct pctl_loaded *loaded, struct pctl_error *err);

/* What is known and checked about a node before anything is sent. */
struct pctl_target {
	struct pctl_core *core;
	size_t node;
	const char *name; /* the inventory's */
	struct pctl_value *map;
	struct pctl_loaded *loaded;
	struct pctl_settings settings;
	const char *address;             /* "" where the driver needs none */
	char *key;                       /* what is one endpoint: locks, facts and pins go by it */
	const char *maintenance, *guard; /* reasons, or NULL */
	struct pctl_login *login; /* the breaker's; NULL: none, or its secrets were not read */
	enum pctl_trust trust;
	const struct pctl_dialer *dialer;
	uint64_t connect_ms, answer_ms, read_ms, confirm_ms, reboot_ms, soft_ms;
	uint64_t verify_ms; /* how long a lost action is looked for */
	uint64_t poll_ms;   /* the first poll for a state; they grow to ten times that */
};

/*
 * Reads a node's settings from the inventory and checks them against its driver, which is loaded
 * for that; secrets are read where with_secrets. interface ("console"): of the driver that the node
 * takes this one from; NULL: of its own. All mistakes go to problems. PCTL_E_CONFIG if
 * there were any; done in any case.
 */
int pctl_target_init(struct pctl_target *target, struct pctl_core *core,
	const struct pctl_inventory *inventory, size_t node, const char *interface,
	bool with_secrets, struct pctl_problems *problems);
void pctl_target_done(struct pctl_target *target);

/* One of the times above, by its offset. */
static inline uint64_t pctl_target_ms(const struct pctl_target *target, size_t offset)
{
	return *(const uint64_t *)(const void *)((const char *)target + offset);
}

struct pctl_seen {
	char kind[16];
	char value[160];
};

/* An open node. target outlives it. */
struct pctl_device {
	const struct pctl_target *target;
	void *dev; /* the driver's */
	struct sockaddr_storage addr;
	socklen_t addr_len;            /* 0: not resolved yet */
	struct pctl_channel *channels; /* dialled through the core, newest first */
	struct pctl_seen seen[4];      /* identities to remember once the op has ended well */
	size_t seen_n;
};

int pctl_device_open(
	const struct pctl_target *target, struct pctl_device **ret, struct pctl_error *err);
/* closed comes from the loop or at once; the device is freed before. */
void pctl_device_close(struct pctl_device *device, pctl_closed_fn *closed, void *data);

/* After an op: keep, or forget, the identities that it saw for the first time. */
void pctl_device_settle_pins(struct pctl_device *device, bool well);

/* Whether the address has to be resolved by pctl_device_set_address() first. */
bool pctl_device_needs_resolving(const struct pctl_device *device);
void pctl_device_set_address(struct pctl_device *device, const struct sockaddr *addr);

#endif
