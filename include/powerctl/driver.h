/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract between the core and a driver plugin.
 *
 * Here is what a plugin exports; what its devices can do is in <powerctl/interfaces.h>, the tables
 * of its settings and methods are in <powerctl/method.h>, and what it is handed in <powerctl/op.h>
 * and <powerctl/device.h>.
 *
 * A plugin is <name>.so in the plugin directory. It exports one const data symbol, pctl_driver, and
 * nothing else; it has no constructors and no mutable globals. plugins/null is the template.
 *
 * Every struct of the contract begins with its size, as the plugin was compiled. Members are only
 * ever appended, and what a shorter struct lacks counts as zero or NULL; PCTL_DRIVER_ABI changes
 * only when a meaning changes.
 *
 * The same holds where the core hands a struct to a driver, to be filled in or to be read: its size
 * is the core's, whose header may be the older one. Read and set members one by one, never the
 * whole struct, and those that were appended later only if size covers them. What is to be filled
 * in is zero but for its size. It lives until the op ends, or is aborted.
 *
 * Which functions call pctl_op_committed(), before the first byte that changes the device leaves:
 *
 *   power.act, log.clear...  must: twice is not the same as once
 *   method.run               must, where its PCTL_METHOD_CHANGES says that it changes something;
 *                            one that ends well without it tells that all was so already
 *   boot.set, identify.set   may; without it they are tried again, which does the same as once
 *   console.open             must not
 *   display.open             must not
 *   display.direct           may; without it it is tried again, which does the same as once, and
 *                            tells that all was so already unless it says pctl_op_taken()
 *   console.end_sessions     must not: before the action it is for, nothing has happened
 *   consent.request, cancel  may; without it they are tried again, which does the same as once
 *   consent.submit           must: a device counts wrong codes
 *   media.attach, .detach    may
 *   account.set_password     must: right before the request that changes it
 *   what only reads, logs in must not
 *   discover.find            must not
 *
 * An op has one commit point. Where a second request of it changes the device too, say
 * pctl_op_taken() when the first was answered; pctl_op_not_taken() about the second would say that
 * nothing happened at all.
 *
 * An op that ends well stands for a login that was taken, now or before by the same dev, and
 * PCTL_E_AUTH for one that was refused: to how many nodes a password is sent hangs on both. No
 * other class says anything about it.
 *
 * All functions but describe() are called on the loop's thread and must not block. Memory: dev and
 * ctx are the driver's; everything else that is passed in is borrowed for the call, or for as long
 * as the op or the open device lives where that is said.
 */
#ifndef POWERCTL_DRIVER_H
#define POWERCTL_DRIVER_H

#include <uv.h>

#include <powerctl/device.h>
#include <powerctl/error.h>
#include <powerctl/finding.h>
#include <powerctl/interfaces.h>
#include <powerctl/method.h>
#include <powerctl/op.h>
#include <powerctl/secret.h>
#include <powerctl/session.h>
#include <powerctl/value.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PCTL_DRIVER_ABI 1u

enum pctl_maturity {
	PCTL_EXPERIMENTAL,
	PCTL_BETA,
	PCTL_STABLE,
};

/*
 * Called once, when a driver has let go of everything: from the loop or, where there is nothing to
 * wait for, before the function returns that was given it.
 */
typedef void pctl_closed_fn(void *data);

/* --- Selectors. ------------------------------------------------------------------------------- */

/* What a describe() is asked about. */
struct pctl_selector;
/* The selector's value, as pctl_setting_text() returns it. */
PCTL_API const char *pctl_selector_value(const struct pctl_selector *selector);
/* The file of the inventory that the value stands in; NULL: in none (a URL, a command line). */
PCTL_API const char *pctl_selector_file(const struct pctl_selector *selector);
/*
 * As pctl_cache_get() and pctl_cache_put() with PCTL_CACHE_DRIVER: what a program said of itself is
 * kept with what tells whether it is still the same program.
 */
PCTL_API bool pctl_selector_cache_get(
	const struct pctl_selector *selector, const char *key, struct pctl_buf *ret);
PCTL_API void pctl_selector_cache_put(
	const struct pctl_selector *selector, const char *key, const void *data, size_t len);

/*
 * What a value of the selector stands for. The masks say which of what the driver can ever do is
 * there with this value: what is left at 0 is not there.
 */
struct pctl_description {
	uint32_t size;
	uint32_t actions;         /* of power.actions */
	uint32_t boot_once;       /* of boot.once */
	uint32_t boot_persistent; /* of boot.persistent */
	const char *summary;      /* one line: what it is; NULL: not known */
	/*
	 * Read as if its rows stood in the driver's own table; NULL: none. No name may be one of
	 * the driver's or of the core's; at most one PCTL_PROPERTY_UNIT in both together. The name
	 * of a secret has to be one that pctl_key_is_secret() takes for one.
	 */
	const struct pctl_property *properties;
	uint32_t max_in_flight; /* in place of the driver's; 0: as the driver's */
};

struct pctl_core;

/*
 * How devices are found that nobody has named yet: `powerctl discover`, and `add` without a driver.
 * What is asked is what a device tells anybody. No login and no secret is sent, nothing is changed,
 * and nothing is remembered of who answers: whoever it is, it is a stranger.
 */
struct pctl_discover_if {
	uint32_t size;
	/* How long an address may be silent; then nothing is there. 0: the driver's connect_ms. */
	uint32_t limit_ms;
	/* Where several drivers find something at one address: the higher is the better choice. */
	uint32_t rank;
	/*
	 * Required. Looks whether a device of the driver's is at device's address, which is numeric
	 * and known already; thousands are looked at at a time. device was never opened: it has
	 * settings, of which those of a login are not set, pctl_device_connect_ms() (limit_ms),
	 * pctl_device_answer_ms(), and can be dialled. It lives until the op ends. Datagrams go
	 * through a socket that all finds of a loop share.
	 *
	 * Fills in ret, with the names of docs/names.md, and ends well where there is one: "driver"
	 * is the core's. PCTL_E_UNREACHABLE, PCTL_E_TIMEOUT, PCTL_E_PROTOCOL: there is none. Any
	 * other class: it could not be found out.
	 */
	void (*find)(
		void *ctx, struct pctl_device *device, struct pctl_op *op, struct pctl_value *ret);
};

/*
 * The driver repeats by itself what may get lost on the way (datagrams): a device that was silent
 * for connect_ms is not tried a second time.
 */
#define PCTL_DRIVER_REPEATS 1u
/* It reaches its devices by other means than pctl_dial(): no gateway (`via`) can be set for them.
 */
#define PCTL_DRIVER_NO_DIAL 2u

/* The one symbol a plugin exports: PCTL_API const struct pctl_driver pctl_driver = { ... }. */
struct pctl_driver {
	uint32_t size;
	uint32_t abi;     /* PCTL_DRIVER_ABI */
	const char *name; /* [a-z][a-z0-9]*, equal to the file's name without .so */
	const char *summary;
	enum pctl_maturity maturity;

	/* Every setting the driver knows; `driver`, `address` and the core's own are not repeated.
	 */
	const struct pctl_property *properties;

	/*
	 * Optional. Once per loop before the first open: what the driver's devices share. *ret_ctx
	 * is handed to open and stop. Without it ctx is NULL.
	 */
	int (*start)(
		struct pctl_core *core, uv_loop_t *loop, void **ret_ctx, struct pctl_error *err);
	/* Required if start is there. No device is open. Frees ctx within 2 s, then calls closed.
	 */
	void (*stop)(void *ctx, pctl_closed_fn *closed, void *data);

	/*
	 * Required. Allocates what one device needs and checks its settings beyond what their table
	 * and check() say, naming the property at fault. Touches no network. device lives until
	 * closed.
	 */
	int (*open)(void *ctx, struct pctl_device *device, void **ret_dev, struct pctl_error *err);
	/* Required. No op is in flight. Says goodbye to the device, frees dev within 2 s, calls
	 * closed. */
	void (*close)(void *dev, pctl_closed_fn *closed, void *data);
	/* Optional. Give up connections and buffers, keep what was learned. Not called yet. */
	void (*idle)(void *dev);

	/* NULL where the driver has none. */
	const struct pctl_power_if *power;
	const struct pctl_boot_if *boot;
	const struct pctl_inspect_if *inspect;
	const struct pctl_identify_if *identify;
	const struct pctl_console_if *console;

	/* How long a connection may take to come about; 0: the core's default (3 s). */
	uint32_t connect_ms;
	/* The port a node's key is made with where the node sets none. 0: keys have no port. */
	uint32_t default_port;

	/*
	 * Optional. The port that, with the address, names the endpoint: what shares both is one
	 * endpoint, and one machine but for PCTL_PROPERTY_UNIT. Without it the setting `port`, or
	 * else default_port. Where that is 0 the driver's name stands before both, and 0 is no port
	 * at all. Only settings and pctl_device_description() may be asked for.
	 */
	uint16_t (*key_port)(const struct pctl_device *device);

	/* NULL where the driver has none. */
	const struct pctl_log_if *log;
	const struct pctl_sensors_if *sensors;
	const struct pctl_method *methods;

	uint32_t flags; /* PCTL_DRIVER_ */

	/*
	 * So many machines behind one endpoint may be worked on at a time in one command, each with
	 * one op in flight; 0: 1. It says something only beside a PCTL_PROPERTY_UNIT: one machine
	 * has one op at a time in any case. Until an op at the endpoint has ended well there is one
	 * as well, so that a wrong password gets there once.
	 */
	uint32_t max_in_flight;

	/*
	 * Both or neither, and with them a PCTL_PROPERTY_SELECTOR. Says what a value of it stands
	 * for, or what is wrong with the value, in words that mend it.
	 *
	 * It blocks: it may run a program and wait for it, up to 10 s (pctl_program_wait()). The
	 * core calls it while nodes are prepared, before anything is sent to any of them and while
	 * its loop does not run; a caller whose loop has to go on calls it on another thread. So it
	 * may be called on any thread, by one at a time; it has no ctx and no device, touches
	 * neither core nor loop nor anything that the driver's other functions share, and what it
	 * returns is read by all of them and changed by none. It may be called again for the same
	 * value, and while other descriptions of it are in use.
	 *
	 * The core asks once for each value and file of the inventory that it stands in, however
	 * many nodes have it, failures included, and keeps the answer until it closes; undescribe()
	 * then frees it. Who runs a program keeps what it said with pctl_selector_cache_put(), by
	 * which later commands, and other files, need not ask again.
	 */
	int (*describe)(const struct pctl_selector *selector, struct pctl_description **ret,
		struct pctl_error *err);
	void (*undescribe)(struct pctl_description *description);

	/*
	 * Optional. What is wrong with settings beyond what their tables say: a text that is no MAC
	 * address, one that goes without another. Called while nodes are prepared, before anything
	 * is sent to any of them, where the tables found nothing wrong: the mistake is told of with
	 * its place in the inventory, and `powerctl check` and --dry-run find it as well. Returns
	 * 0, or PCTL_E_CONFIG with *err, whose text begins with the name of the property at fault,
	 * by which the place is found. Only settings may be asked for; secrets are NULL where they
	 * were not read, so that open looks at them again.
	 */
	int (*check)(const struct pctl_device *settings, struct pctl_error *err);

	/*
	 * NULL, or the values that the selector can have on this machine, for completion: calls add
	 * once for each; a value is borrowed for the call. Runs before start(); it must not wait
	 * and starts nothing.
	 */
	void (*values)(void (*add)(void *data, const char *value), void *data);

	/* NULL where the driver has none. */
	const struct pctl_display_if *display;
	/* NULL where the device asks nobody. It is the node's own, for all of its interfaces. */
	const struct pctl_consent_if *consent;
	const struct pctl_account_if *account; /* NULL: its password is changed elsewhere */
	const struct pctl_media_if *media;
	/* NULL where the driver has none. Called between start() and stop(), with its ctx. */
	const struct pctl_discover_if *discover;
};

#ifdef __cplusplus
}
#endif

#endif
