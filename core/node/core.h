/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the core: what a loop's core holds, the drivers it has loaded, and open nodes. */
#ifndef POWERCTL_CORE_CORE_H
#define POWERCTL_CORE_CORE_H

#include <powerctl/powerctl.h>

#include "base/program.h"
#include "base/strmap.h"
#include "driver/op.h"
#include "driver/plugin.h"
#include "driver/settings.h"
#include "keep/history.h"
#include "keep/lock.h"
#include "keep/store.h"
#include "node/channel.h"
#include "node/describe.h"
#include "node/dial.h"
#include "node/gateway.h"
#include "node/resolve.h"
#include "node/ssh_login.h"

/* A driver that was asked for, loaded or refused. */
struct pctl_loaded {
	char *name;
	struct pctl_plugin *plugin; /* NULL: refused */
	const struct pctl_driver *driver;
	struct pctl_error refused;
	bool started;
	void *ctx;
};

struct pctl_feeds;
struct pctl_login;
struct pctl_limits;

struct pctl_core {
	uv_loop_t *loop;
	char *plugin_dir;
	struct pctl_strmap by_name; /* of struct pctl_loaded */
	struct pctl_loaded **loaded;
	size_t n, cap;
	struct pctl_descriptions descriptions;
	struct pctl_store *facts, *pins, *intents;
	struct pctl_secrets *secrets;
	struct pctl_locks *locks;
	struct pctl_limits *limits;
	struct pctl_resolver *resolver;
	struct pctl_gateways *gateways;
	struct pctl_ssh_logins *ssh_logins;
	size_t lock_waiters; /* tasks that wait for one of other processes' */
	size_t stopping;
	uv_timer_t goodbye; /* never runs: its end is when the loop is back */
	pctl_closed_fn *closed;
	void *closed_data;
	struct pctl_breaker *breaker;
	struct pctl_op_order ended; /* ops, in this turn of the loop */
	struct pctl_store *looks;   /* how far this user has read the devices' logs */
	struct pctl_programs *programs;
	struct pctl_programs *hooks; /* in a line of their own: drivers do not wait for them */
	struct pctl_history *history;
};

/* Loads (once) and starts (once) a driver. PCTL_E_CONFIG if it is refused or does not start. */
int pctl_core_load(
	struct pctl_core *core, const char *name, struct pctl_loaded **ret, struct pctl_error *err);
/* The plugin that was probably meant, where there is none of that name; free() it. Or NULL. */
char *pctl_core_nearest_driver(struct pctl_core *core, const char *name);
int pctl_core_start(struct pctl_core *core, struct pctl_loaded *loaded, struct pctl_error *err);

/* When the machine of a node is of use (ready.h); texts are borrowed from the target's map. */
struct pctl_ready {
	const char *host;                 /* of the machine, not of its management processor */
	uint16_t port;                    /* 0: none */
	const struct pctl_value *command; /* NULL: none */
	uint64_t connect_ms, command_ms;  /* what one try may take */
};

/*
 * A binding: one driver for one node, and what is known and checked about that before anything is
 * sent. A node has one of its own, and others where interfaces or feeds of it come from elsewhere.
 *
 * endpoint, "host:port", is what answers; machine is which of those behind it is meant: the
 * endpoint itself or, where the driver has a property for that and it is set, "host:port/unit".
 * Behind a gateway it is "host:port@gateway": the same address is another machine elsewhere.
 *
 *   endpoint   turns (max_in_flight of them), what the breaker keeps, facts, the cache, the pins
 *              "tls" and "realm": one password, one way to talk, one certificate
 *   machine    turns (one of them), the lock between processes, held boot devices, the marks in
 *              logs, all other pins: what is done to one is not done to its neighbour
 *
 * Two names of one machine have the same keys.
 */
#define PCTL_OUTAGE_MS ((uint64_t)5000)
struct pctl_target {
	struct pctl_core *core;
	size_t node;
	const char *name; /* the inventory's */
	struct pctl_value *map;
	struct pctl_loaded *loaded;
	struct pctl_settings settings;
	struct pctl_settings lent; /* in place of which settings are ours, with another password */
	/*
	 * Its password is being changed, and it may have either of two: what it refuses says
	 * nothing of others, each is tried once. other_password is the one that comes second.
	 */
	bool two_passwords;
	const struct pctl_secret *other_password;
	const struct pctl_described *described; /* NULL: the driver has no selector */
	/* What its driver can ever do, and what its description leaves of it. */
	uint32_t actions, boot_once, boot_persistent;
	const char *address;             /* "" where the driver needs none */
	char *endpoint, *machine;        /* see above; the same text where there is no unit */
	const char *maintenance, *guard; /* reasons, or NULL */
	struct pctl_login *login; /* the breaker's; NULL: none, or its secrets were not read */
	bool shared;              /* map and settings are another target's */
	bool bound;               /* not by its own entry alone: it has no twins */
	struct pctl_feeds *feeds; /* several things power it; NULL: this one does */
	enum pctl_trust trust;
	const struct pctl_dialer *dialer;
	struct pctl_via *via; /* ours; shared with twins */
	uint64_t connect_ms, answer_ms, read_ms, confirm_ms, reboot_ms, soft_ms;
	uint64_t outage_ms;      /* how long it stays off where the core turns it off and on */
	uint64_t verify_ms;      /* how long a lost action is looked for */
	uint64_t poll_ms;        /* the first poll for a state; they grow to ten times that */
	uint64_t ready_ms;       /* how long a machine that is on may take until it is ready */
	struct pctl_ready ready; /* where the request asks for it */
};

/*
 * Reads a node's settings from the inventory and checks them against its driver, which is loaded
 * for that; secrets are read where with_secrets. interface ("console"): of the driver that the node
 * takes this one from; NULL: of its own. "power": with its feeds, where it has several; "boot": of
 * the feed that starts it. All mistakes go to problems. PCTL_E_CONFIG if there were any; done in
 * any case.
 */
int pctl_target_init(struct pctl_target *target, struct pctl_core *core,
	const struct pctl_inventory *inventory, size_t node, const char *interface,
	bool with_secrets, struct pctl_problems *problems);
void pctl_target_done(struct pctl_target *target);

/* Logs in with this password, which outlives it, and not with that of its settings. */
void pctl_target_use_password(struct pctl_target *target, const struct pctl_secret *password);
/* With the other one of its two first. */
void pctl_target_swap_passwords(struct pctl_target *target);
/* The same target with the other one, as long as that lives; pctl_target_free_other(). */
struct pctl_target *pctl_target_with_other(const struct pctl_target *target);
void pctl_target_free_other(struct pctl_target *other);

/* What interface of pctl_target_init() may be, but "boot", which is one of these: NULL first. */
#define PCTL_BINDINGS 8u
extern const char *const pctl_bindings[PCTL_BINDINGS];
/* Whether a node says something of its own about the i-th. */
bool pctl_target_has_binding(const struct pctl_inventory *inventory, size_t node, size_t i);

/* --- Feeds (feeds.c). ------------------------------------------------------------------------- */

#define PCTL_FEEDS_MAX 16u

/* One of the things that power a node. */
struct pctl_feed {
	char name[48]; /* "bmc", "fence", "fence 2": without anything that differs between nodes */
	bool own;      /* the node's own driver, that is its management processor */
	struct pctl_target *target; /* own: the node's; else the feed's own */
};

struct pctl_feeds {
	uint64_t outage_ms; /* how long outlets stay off before they are turned on again */
	uint64_t return_ms; /* how long a management processor may take until it answers then */
	size_t n;
	struct pctl_feed v[];
};

/*
 * The feeds that a node names under `power:`, of which target is the own one, and which has its
 * merged settings in map. Mistakes go to problems, and make *ret PCTL_E_CONFIG.
 */
struct pctl_feeds *pctl_feeds_new(struct pctl_target *target, const struct pctl_value *map,
	const struct pctl_inventory *inventory, bool with_secrets, struct pctl_problems *problems,
	int *ret);
void pctl_feeds_free(struct pctl_feeds *feeds);

/* For feeds.c: a target of what one feed says; map is the node's. */
int pctl_target_init_feed(struct pctl_target *target, const struct pctl_target *own,
	const struct pctl_value *map, const struct pctl_value *feed,
	const struct pctl_inventory *inventory, bool with_secrets, struct pctl_problems *problems);
/* One of the times of `timeouts`, where it is no member of a target. */
uint64_t pctl_target_read_time(const struct pctl_inventory *inventory, const struct pctl_value *map,
	const char *name, uint64_t ms, struct pctl_problems *problems);

/*
 * Nodes that differ in little more than their address share what was read and checked for the
 * first of them: the settings, their secrets, the login. All zero is none.
 */
struct pctl_twins {
	struct pctl_strmap by_shape; /* of the first target of a shape */
};
void pctl_twins_done(struct pctl_twins *twins);
/*
 * pctl_target_init(), for the same interface of all of them. What is shared belongs to earlier
 * targets: all of them stay where they are until the last is done.
 */
int pctl_target_init_twin(struct pctl_target *target, struct pctl_twins *twins,
	struct pctl_core *core, const struct pctl_inventory *inventory, size_t node,
	const char *interface, bool with_secrets, struct pctl_problems *problems);

/* For what it cannot do: "" or " with agent 'fence_apc'". */
static inline const char *pctl_target_with(const struct pctl_target *target)
{
	return target->described ? target->described->with : "";
}

/*
 * What this machine does not have of its driver's actions, by what was read of it last; 0: nothing
 * is known. Kept in the cache folder, for those who ask nothing of the machine.
 */
uint32_t pctl_target_lacks(const struct pctl_target *target);
void pctl_target_remember_lacks(const struct pctl_target *target, uint32_t actions);
/* The same of boot devices. */
uint32_t pctl_target_lacks_boot(const struct pctl_target *target);
void pctl_target_remember_lacks_boot(const struct pctl_target *target, uint32_t devices);

/* So many machines behind its endpoint may be worked on at a time; 0: 1. */
uint32_t pctl_target_max_in_flight(const struct pctl_target *target);

/* Whether others may stand behind its endpoint. */
static inline bool pctl_target_has_unit(const struct pctl_target *target)
{
	return target->machine != target->endpoint;
}

/* One of the times above, by its offset. */
static inline uint64_t pctl_target_ms(const struct pctl_target *target, size_t offset)
{
	return *(const uint64_t *)(const void *)((const char *)target + offset);
}

#define PCTL_PIN_SIZE 160u

struct pctl_seen {
	char kind[16];
	char value[PCTL_PIN_SIZE];
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
	bool stranger; /* nobody has named it: nothing is known or remembered of it */
};

int pctl_device_open(
	const struct pctl_target *target, struct pctl_device **ret, struct pctl_error *err);
/* closed comes from the loop or at once; the device is freed before. */
void pctl_device_close(struct pctl_device *device, pctl_closed_fn *closed, void *data);

/*
 * After an op that ended with code: keeps the identities that were seen for the first time if it
 * ended well, forgets them if that machine is not the one or does not take the login. Else they
 * wait: a driver that tries again on the connection it has is not shown them twice.
 */
void pctl_device_settle_pins(struct pctl_device *device, int code);

/*
 * Strangers, which a driver looks for without a login. A target that stands for any of them, with
 * settings of map, which becomes the target's; those of a login may be missing. Mistakes go to
 * problems, and make it PCTL_E_CONFIG; pctl_target_done() in any case.
 */
int pctl_target_init_stranger(struct pctl_target *target, struct pctl_core *core,
	struct pctl_loaded *loaded, struct pctl_value *take_map, struct pctl_problems *problems);
/*
 * target and device for one of them, in the caller's memory: address is its number as text and
 * outlives both. There is nothing to be closed or freed but device's channels.
 */
void pctl_stranger_init(struct pctl_target *target, struct pctl_device *device,
	const struct pctl_target *any, const char *address, const struct sockaddr *addr);

/* Whether the address has to be resolved by pctl_device_set_address() first. */
bool pctl_device_needs_resolving(const struct pctl_device *device);
void pctl_device_set_address(struct pctl_device *device, const struct sockaddr *addr);

#endif
