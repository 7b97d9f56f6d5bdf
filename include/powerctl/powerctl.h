/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For programs: power machines through whatever drivers they need. A program makes a core on its
 * loop, loads an inventory (<powerctl/inventory.h>), and runs requests: one verb over many nodes.
 * The core queues, locks, retries, waits and confirms; results come one by one from the loop.
 */
#ifndef POWERCTL_H
#define POWERCTL_H

#include <uv.h>

#include <powerctl/driver.h>
#include <powerctl/error.h>
#include <powerctl/inventory.h>
#include <powerctl/passwd.h>
#include <powerctl/stream.h>
#include <powerctl/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- The core. -------------------------------------------------------------------------------- */

struct pctl_core_options {
	const char *plugin_dir; /* NULL: beside the program, else where it is installed */
	const char *caller;     /* for locks: what other processes are told, "powerctl reboot" */
	const char *asked_by;   /* for the history: what made it do so, "slurm"; NULL: a person */
};

PCTL_API struct pctl_core *pctl_core_new(uv_loop_t *loop, const struct pctl_core_options *options);
/*
 * Writes the pins that were learned, and how far logs were read (and what may be lost: facts, and
 * which logins were refused).
 * PCTL_E_INTERNAL: they could not be kept, so the next contact with those devices is a first one
 * again.
 */
PCTL_API int pctl_core_save(struct pctl_core *core, struct pctl_error *err);
/*
 * LOG moves the mark that log_new starts at, and pctl_core_save() writes it. This forgets it
 * instead: what was read could not be shown, so it counts as not looked at.
 */
PCTL_API void pctl_core_forget_looks(struct pctl_core *core);
/* Stops drivers, saves facts and pins, frees; closed runs from the loop. No run is under way, no
 * stream is left. */
PCTL_API void pctl_core_close(struct pctl_core *core, pctl_closed_fn *closed, void *data);

/* --- Drivers. --------------------------------------------------------------------------------- */

PCTL_API const char *pctl_core_plugin_dir(const struct pctl_core *core);
/* Loads a driver by name (once). PCTL_E_CONFIG: there is none, or it was refused; err says why. */
PCTL_API int pctl_core_driver(struct pctl_core *core, const char *name,
	const struct pctl_driver **ret, struct pctl_error *err);
/*
 * What a value of the driver's selector stands for (once for each value). PCTL_E_CONFIG: the driver
 * has no selector, or the value is none; err says why. May wait for a program. *ret lives as long
 * as the core.
 */
PCTL_API int pctl_core_describe(struct pctl_core *core, const char *driver, const char *value,
	const struct pctl_description **ret, struct pctl_error *err);
/* Names of the plugins that are there, loaded or not, sorted. */
PCTL_API void pctl_core_driver_names(struct pctl_core *core, struct pctl_names *out);

/*
 * What an inventory may hold, as a JSON Schema (draft 7) made from the core's tables and those of
 * drivers; free it. It takes all that is right, and some that only pctl_core_check() finds wrong.
 */
PCTL_API struct pctl_value *pctl_drivers_schema(
	const struct pctl_driver *const *drivers, size_t count);

/* --- Verbs. ----------------------------------------------------------------------------------- */

enum pctl_verb {
	PCTL_VERB_STATUS,
	PCTL_VERB_ON,
	PCTL_VERB_OFF,
	PCTL_VERB_REBOOT,
	PCTL_VERB_CYCLE,
	PCTL_VERB_RESET,
	PCTL_VERB_BOOTDEV,      /* sets boot */
	PCTL_VERB_BOOTDEV_SHOW, /* reads it */
	PCTL_VERB_BOOT,
	PCTL_VERB_NMI,
	PCTL_VERB_SLEEP,
	PCTL_VERB_IDENTIFY,
	PCTL_VERB_WAIT,
	PCTL_VERB_WAIT_READY, /* for the machine's own test; the device is sent nothing */
	PCTL_VERB_INFO,
	PCTL_VERB_HARDWARE,
	PCTL_VERB_CAPS,
	PCTL_VERB_LOG,
	PCTL_VERB_LOG_CLEAR,
	PCTL_VERB_SENSORS,
	PCTL_VERB_CONSOLE,
	PCTL_VERB_KVM,        /* screen, keyboard and mouse, as a stream of RFB */
	PCTL_VERB_KVM_DIRECT, /* the device's own port for viewers, on or off */
	PCTL_VERB_METHOD,     /* one of a driver's methods */
	PCTL_VERB_AC_CYCLE,   /* mains power off and on, then on again if it was on */
	PCTL_VERB_CONSENT_STATUS,
	PCTL_VERB_CONSENT_REQUEST, /* a code appears on the machine's screen */
	PCTL_VERB_CONSENT_SUBMIT,  /* consent_code, as somebody there read it out */
	PCTL_VERB_CONSENT_CANCEL,
	PCTL_VERB_PASSWD, /* gives the login a new password; ends when the device has accepted it */
	PCTL_VERB_LOGIN,  /* logs in and does nothing else */
	PCTL_VERB_MEDIA_ATTACH,
	PCTL_VERB_MEDIA_DETACH,
	PCTL_VERB_MEDIA_STATUS,
	PCTL_VERB_CHECK, /* reads the state, and what is wrong with the device: faults are failures
			  */
	PCTL_VERB_COUNT,
};

#define PCTL_VERB_CHANGES  1u  /* holds the node's lock from the first read to the confirmation */
#define PCTL_VERB_DISRUPTS 2u  /* what runs on the machine suffers: guards and `protected` apply */
#define PCTL_VERB_DESTROYS 4u  /* what goes does not come back */
#define PCTL_VERB_CONFIRM  8u  /* a person is to be asked first, whatever the number of nodes */
#define PCTL_VERB_STARTS   16u /* starts machines: the limits of the inventory hold */

PCTL_API const char *pctl_verb_name(enum pctl_verb verb);
/*
 * What the history and hooks call a verb that changes machines, each by a word of its own:
 * "log-clear", "media attach". NULL: it changes none, or is METHOD, which is called by its driver's
 * words.
 */
PCTL_API const char *pctl_verb_word(enum pctl_verb verb);
/* Those of METHOD are its method's: pctl_run_flags(). */
PCTL_API unsigned pctl_verb_flags(enum pctl_verb verb);

/* --- A request: one verb over nodes. ---------------------------------------------------------- */

struct pctl_request {
	enum pctl_verb verb;
	struct pctl_boot boot;            /* BOOTDEV, BOOT */
	enum pctl_power_state wait_state; /* WAIT */
	bool identify_off;                /* IDENTIFY */
	bool steal;                       /* CONSOLE, KVM: end the session of somebody else */
	bool again;                       /* CONSOLE: PCTL_CONSOLE_AGAIN */
	bool login_new;                   /* LOGIN: with the new password, else with the old one */

	bool end_sessions;       /* OFF, REBOOT, CYCLE: first end sessions that forbid it */
	bool no_wait;            /* end when accepted */
	bool until_ready;        /* ON, REBOOT, CYCLE, RESET, BOOT: then wait as WAIT_READY does */
	bool soft;               /* OFF, REBOOT: ask the operating system */
	uint64_t force_after_ms; /* OFF with soft: hard after this long; 0: never */
	bool on_if_off;          /* RESET, CYCLE of a machine that is off turns it on */
	bool dry_run;            /* read and say what would be sent; change nothing */
	bool maintenance;        /* include nodes in maintenance */
	bool override_protected;
	bool no_hooks;   /* run none of the inventory's hooks */
	bool try_anyway; /* log in also where the credential was refused a moment ago */

	/* For another process's lock; then it goes first, without the lock. 0: as long as it takes
	 */
	uint64_t lock_wait_ms;

	uint64_t timeout_ms;  /* one node's whole verb, queueing not counted; 0: the verb's own */
	uint64_t deadline_ms; /* the whole request; 0: none */
	unsigned fanout; /* nodes at a time, at most PCTL_FANOUT_MAX; 0: the inventory's, or 512 */

	/* Verbs that start machines: beside the inventory's limits, over the whole request. */
	unsigned max_at_once; /* so many between sending and confirmation; 0: any number */
	uint64_t stagger_ms;  /* so far apart */

	/*
	 * LOG: only events since this user's last look; since a time (the beginning of one as
	 * events have it, or NULL; events without a time are told); at most so many, the newest (0:
	 * all). With either of the last two, or log_source, it does not count as a look.
	 */
	bool log_new;
	const char *log_since;
	uint64_t log_newest;
	/* LOG, LOG_CLEAR: one of several logs of a device, or "event" where there is one; NULL: all
	 */
	const char *log_source;

	/* METHOD: whose it is (nodes of other drivers are problems), its name, and a map of texts,
	 * and of lists of texts, by the names of its parameters, or NULL. */
	const char *driver, *method;
	const struct pctl_value *arguments;

	unsigned display; /* KVM: which of several, from 1; 0: the one the device shows */
	/* KVM_DIRECT: what viewers have to know, which outlives the run; NULL: off. */
	const struct pctl_secret *display_password;
	/*
	 * CONSENT_SUBMIT; other verbs: submitted where the device says that somebody at the machine
	 * has to agree first, and nobody is asked for another one. NULL: none. One node's only.
	 */
	const char *consent_code;
	/* PASSWD, LOGIN: where the passwords are, borrowed; marks a node as sent before it is. */
	struct pctl_rotation *rotation;
	struct pctl_media media; /* MEDIA_ATTACH */
};

/* One of several things that power a node, and what became of it. */
struct pctl_feed_result {
	const char *feed; /* "bmc", "fence 2" */
	const char *driver, *address;
	enum pctl_power_state state;
	struct pctl_error error; /* code 0 where ok */
	bool state_known;
	bool ok; /* whatever was tried at it last went well */
};

/* What became of one node. Everything is valid during the callback only. */
struct pctl_result {
	size_t node; /* index in the inventory */
	const char *name, *driver, *address;
	const char *via; /* the gateway on the way to it; NULL: none */
	/* What the driver that was asked logs in with: names, which may be NULL. */
	const char *credential, *user;
	enum pctl_verb verb;
	bool ok;
	enum pctl_power_state state;
	bool state_known; /* state was read or confirmed */
	bool changing;
	bool changed;          /* something was sent that changes the machine */
	const char *confirmed; /* "seen", "accepted", or NULL where nothing was to confirm */
	unsigned attempts;     /* how often something was tried */
	uint64_t elapsed_ms;
	const char *word; /* what a line says: on, off, ..., accepted, ok, skipped, error */
	/* Whose lock it did not wait for any longer ("root, powerctl reboot, pid 4711"), or why
	 * there was none to be had; NULL: it had the lock, or needed none. */
	const char *overtook;
	const char *note;    /* more about it: a reason, what a dry run would do; or NULL */
	const char *warning; /* what went wrong beside it, and unmakes nothing; or NULL */
	const struct pctl_value *tree; /* what was read, and what a method answers; or NULL */
	struct pctl_error error;       /* code 0 where ok; PCTL_E_SKIPPED with ok */
	/* CONSOLE, KVM, and MEDIA_ATTACH from this computer: to be taken over, pctl_stream_take();
	 * or NULL */
	struct pctl_stream *stream;
	/* Where several feeds had a part in it: each of them. */
	const struct pctl_feed_result *feeds;
	size_t feed_count;
};

typedef void pctl_result_fn(void *data, const struct pctl_result *result);
/*
 * A node waits for another process: holder says whose lock it is ("root, powerctl reboot, pid
 * 4711"), or which places of a limit it has ("a place in rack1 (8 at once): root, ..."). NULL: it
 * waits for a lock no longer. waiting: so many do now.
 */
typedef void pctl_waiting_fn(void *data, const char *name, const char *holder, size_t waiting);
/*
 * A node begins to wait for what a limit allows ("a place in rack1 (8 at once)"), or waits no
 * longer (what is NULL). waiting: so many do now.
 */
typedef void pctl_queued_fn(void *data, const char *name, const char *what, size_t waiting);
typedef void pctl_run_done_fn(void *data);

/* A code that a person is to be asked for. Everything is valid during the callback only. */
struct pctl_consent_question {
	size_t node; /* index in the inventory */
	const char *name;
	unsigned digits;      /* a code has so many */
	unsigned wrong, left; /* so many were wrong; so many may be tried */
	bool turned_on;       /* the machine was off, and was turned on to show its code */
	uint32_t seconds;     /* so long an answer is waited for */
};
/*
 * A node's machine shows a code, and somebody is to say which: pctl_run_consent() answers, now or
 * later. One node at a time. question NULL: an answer is not waited for any more.
 */
typedef void pctl_consent_fn(void *data, const struct pctl_consent_question *question);

struct pctl_op;
/*
 * MEDIA_DETACH, MEDIA_STATUS: the device is about to be asked. true: a program of this host serves
 * the medium of this machine (pctl_run_machine()) and is asked instead; op (<powerctl/op.h>) ends
 * as a driver would end it, and ret, the map that STATUS fills (else NULL), lives until then. Where
 * it ends as unreachable this is called again.
 */
typedef bool pctl_served_fn(
	void *data, const char *machine, struct pctl_op *op, struct pctl_value *ret);

struct pctl_run;

struct pctl_run_callbacks {
	pctl_result_fn *result;   /* once per node, as each ends */
	pctl_waiting_fn *waiting; /* may be NULL */
	pctl_queued_fn *queued;   /* may be NULL */
	pctl_run_done_fn *done;   /* once, last; the run is gone afterwards */
	void *data;
	pctl_consent_fn *consent; /* may be NULL: there is nobody to ask */
	pctl_served_fn *served;   /* may be NULL: nobody serves media here */
};

/*
 * Checks the settings of all nodes against their drivers and reads their secrets; nothing is sent.
 * PCTL_E_CONFIG: problems has every mistake. 0: *ret is ready to be started or freed. inventory
 * outlives the run; nodes are indices into it and are copied, as is what request points at but for
 * its secret and its rotation.
 */
PCTL_API int pctl_run_new(struct pctl_core *core, struct pctl_inventory *inventory,
	const size_t *nodes, size_t count, const struct pctl_request *request,
	struct pctl_run **ret, struct pctl_problems *problems);
PCTL_API void pctl_run_free(struct pctl_run *run);
/* PCTL_VERB_CHANGES and so on: its verb's, or its method's. */
PCTL_API unsigned pctl_run_flags(const struct pctl_run *run);
/* Which machine the i-th of its nodes is: all names of one have the same. Lives as the run does. */
PCTL_API const char *pctl_run_machine(const struct pctl_run *run, size_t i);
/* Callbacks follow from the loop, never from within. */
PCTL_API void pctl_run_start(struct pctl_run *run, const struct pctl_run_callbacks *callbacks);
/* While paused no further node is begun; what is under way goes on, and so does its time. */
PCTL_API void pctl_run_pause(struct pctl_run *run, bool paused);
/*
 * The answer to what the consent callback asked: the code, or NULL: there is none, and the request
 * is taken back. It is copied. Without a question it does nothing.
 */
PCTL_API void pctl_run_consent(struct pctl_run *run, size_t node, const char *code);
/* Ends what is in flight and what waits: results follow, with what is known of each. */
PCTL_API void pctl_run_cancel(struct pctl_run *run);

/*
 * Checks the settings of nodes (NULL: of all) against their drivers, and reads their secrets where
 * with_secrets, but of nodes in maintenance; nothing is sent. 0, or PCTL_E_CONFIG with all mistakes
 * in problems.
 */
PCTL_API int pctl_core_check(struct pctl_core *core, const struct pctl_inventory *inventory,
	const size_t *nodes, size_t count, bool with_secrets, struct pctl_problems *problems);

/*
 * Whether a node would still be right if changes (a map of settings; an empty text takes one away)
 * stood in its entry. 0, or PCTL_E_CONFIG with the mistakes that would be new.
 */
PCTL_API int pctl_core_check_change(struct pctl_core *core, const struct pctl_inventory *inventory,
	size_t node, const struct pctl_value *changes, struct pctl_problems *problems);

/* --- Trust. ----------------------------------------------------------------------------------- */

/* Whether a text can be the setting `via`; PCTL_E_CONFIG with what is wrong with it. */
PCTL_API int pctl_via_check(const char *text, struct pctl_error *err);

/* One remembered identity of a device. Texts are valid until the next call for this core. */
struct pctl_pin {
	const char *kind;    /* "tls", "realm", "guid", "uuid" */
	const char *value;   /* what is remembered, or NULL */
	const char *offered; /* what it showed instead when it was last refused, or NULL */
	/* "console": of the device which that interface of the node comes from; "power": of one of
	 * its feeds; NULL: the node's */
	const char *interface;
	bool shared;   /* of the endpoint, and so of the other machines behind it as well */
	char feed[48]; /* which of several feeds, as in results: "fence 2"; "": none */
};

/*
 * The pins of a node and of the devices that single interfaces of it come from, at most max;
 * returns how many there are.
 */
PCTL_API int pctl_trust_list(struct pctl_core *core, struct pctl_inventory *inventory, size_t node,
	struct pctl_pin *pins, size_t max, struct pctl_error *err);
/* Takes over what was last refused, for the endpoint too. Returns how many were changed. */
PCTL_API int pctl_trust_accept(struct pctl_core *core, struct pctl_inventory *inventory,
	size_t node, struct pctl_error *err);
/*
 * Forgets all pins of the node, those of its endpoint too: the next contact is a first one. Returns
 * how many there were.
 */
PCTL_API int pctl_trust_forget(struct pctl_core *core, struct pctl_inventory *inventory,
	size_t node, struct pctl_error *err);

/* --- Faults of drivers. ----------------------------------------------------------------------- */

/*
 * From now on a crash (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) is told of on standard error
 * before the program ends of it: which driver's code it was, as far as can be told, and what the
 * core asked of a driver last. program begins the line; first (or NULL) is called before it, in the
 * signal handler: what the program has to put right whatever ends it. Call it once, in main(): it
 * takes the place on the stack where it is called for the top of what may have crashed.
 *
 * An exit() of a driver's, before pctl_program_ends(), is told of likewise, and the program ends
 * with EXIT_FAILURE.
 */
PCTL_API void pctl_name_crashes(const char *program, void (*first)(void));
PCTL_API void pctl_program_ends(void);

/* For signal handlers, where the loop does not turn any more: says which driver has it. */
PCTL_API void pctl_name_blocked(void);

/* --- Files. ----------------------------------------------------------------------------------- */

/*
 * The full path of a file among what is remembered between calls ($XDG_STATE_HOME/powerctl, root:
 * /var/lib/powerctl); its folder is made, 0700. free() *ret. PCTL_E_INTERNAL if there can be none.
 */
PCTL_API int pctl_path_state(const char *name, char **ret, struct pctl_error *err);
/* The same for sockets and locks ($XDG_RUNTIME_DIR/powerctl, root: /run/powerctl). */
PCTL_API int pctl_path_runtime(const char *name, char **ret, struct pctl_error *err);

#ifdef __cplusplus
}
#endif

#endif
