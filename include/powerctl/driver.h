/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract between the core and a driver plugin.
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
 *   display.direct           may; without it it is tried again, which does the same as once
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
#include <powerctl/op.h>
#include <powerctl/secret.h>
#include <powerctl/session.h>
#include <powerctl/value.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PCTL_DRIVER_ABI 1u

/* What the hardware last confirmed. Sleep and hibernate are neither on nor off. */
enum pctl_power_state {
	PCTL_POWER_UNKNOWN,
	PCTL_POWER_OFF,
	PCTL_POWER_ON,
	PCTL_POWER_SLEEP,
	PCTL_POWER_HIBERNATE,
};

enum pctl_action {
	PCTL_ACTION_ON,
	PCTL_ACTION_OFF,        /* hard */
	PCTL_ACTION_SOFT_OFF,   /* ask the operating system */
	PCTL_ACTION_CYCLE,      /* off and on again, by the device */
	PCTL_ACTION_RESET,      /* hard reset, power stays */
	PCTL_ACTION_SOFT_RESET, /* ask the operating system to restart */
	PCTL_ACTION_SLEEP,
	PCTL_ACTION_NMI,
	PCTL_ACTION_AC_CYCLE, /* take mains power away and give it back */
	PCTL_ACTION_COUNT,
};
#define PCTL_ACTION_BIT(action) (1u << (action))

enum pctl_boot_device {
	PCTL_BOOT_NONE, /* what the machine itself is set to; as a wish: clear the override */
	PCTL_BOOT_PXE,
	PCTL_BOOT_DISK,
	PCTL_BOOT_CD,
	PCTL_BOOT_USB,
	PCTL_BOOT_BIOS,
	PCTL_BOOT_DIAG,
	PCTL_BOOT_HTTP,
	PCTL_BOOT_RECOVERY, /* what is on its own disk to mend it with */
	PCTL_BOOT_COUNT,
};
#define PCTL_BOOT_BIT(device) (1u << (device))

enum pctl_boot_mode {
	PCTL_BOOT_MODE_ANY,
	PCTL_BOOT_MODE_LEGACY,
	PCTL_BOOT_MODE_UEFI,
};

enum pctl_maturity {
	PCTL_EXPERIMENTAL,
	PCTL_BETA,
	PCTL_STABLE,
};

/* The words of users and JSON for these. NULL or PCTL_E_CONFIG for what is none of them. */
PCTL_API const char *pctl_power_state_name(enum pctl_power_state state);
PCTL_API const char *pctl_action_name(enum pctl_action action);
PCTL_API const char *pctl_boot_device_name(enum pctl_boot_device device);
PCTL_API const char *pctl_boot_mode_name(enum pctl_boot_mode mode);
PCTL_API int pctl_boot_device_from_name(const char *word);

enum pctl_type {
	PCTL_TYPE_TEXT,
	PCTL_TYPE_BOOL,
	PCTL_TYPE_UINT,     /* min..max */
	PCTL_TYPE_DURATION, /* as pctl_parse_duration() */
	PCTL_TYPE_CHOICE,   /* one of choices */
	PCTL_TYPE_FILE,     /* a path; relative ones start at the inventory file's folder */
	PCTL_TYPE_TEXTS,    /* a list of texts; has no default */
	PCTL_TYPE_FLAGS, /* a list of some of choices, at most 64; default: "one" or "[one, two]" */
};

#define PCTL_PROPERTY_REQUIRED 1u
/*
 * The value is a secret: `name` accepts it in place, and name_file, name_env and name_command (a
 * list, run without a shell) fetch it. Only pctl_setting_secret() returns it.
 */
#define PCTL_PROPERTY_SECRET 2u
/*
 * Its value decides on a second table, which describe() returns: an agent's parameters, what a
 * program says of itself. At most one property of a driver, a text, file or choice; not in a second
 * table.
 */
#define PCTL_PROPERTY_SELECTOR 4u
/*
 * Says which machine of those behind one endpoint is meant: a system's id, an outlet. At most one
 * property of a driver, a text, number or choice. Nodes that share host and port and differ in it
 * are different machines: each has its own lock, held boot device, mark in the log and identity
 * (pctl_pin_check()); the login, facts, the cache and the certificate are the endpoint's. Where it
 * is not set the endpoint is the machine. Numbers are compared as numbers, texts byte by byte:
 * where a device has several names for one machine, take one of them and refuse the others in open.
 */
#define PCTL_PROPERTY_UNIT 8u
/*
 * Only of a method's parameters: it is required, and stands on the command line as a bare word,
 * before what is written NAME=VALUE. Such rows come first in their table.
 */
#define PCTL_PROPERTY_WORD 16u
/*
 * Only of a method's parameters: it is one machine's own, like an address or a name. The core
 * refuses it for several nodes at once, before anything is sent to any of them.
 */
#define PCTL_PROPERTY_OWN 32u
/* Only of a method's secret parameters: the device gets it; at a terminal it is typed twice. */
#define PCTL_PROPERTY_NEW 64u

/* One setting. A table of these ends with a row that has no name. */
struct pctl_property {
	uint32_t size;
	enum pctl_type type;
	const char *name;           /* lower case, words joined by _ */
	const char *default_text;   /* as it would stand in the file; NULL: none */
	const char *help;           /* one line: what it does */
	const char *const *choices; /* PCTL_TYPE_CHOICE, _FLAGS: NULL-terminated */
	uint64_t max;               /* PCTL_TYPE_UINT: the largest allowed; 0: 2^64-1 */
	uint32_t flags;
	uint64_t min; /* PCTL_TYPE_UINT: the smallest allowed */
	/*
	 * PCTL_TYPE_TEXT: what the inventory's schema asks of it, a regular expression as
	 * JavaScript has them, for editors; NULL: any text. It takes all that check() takes.
	 */
	const char *pattern;
	/*
	 * Only of a method's parameters, each NULL or the names of others of its table, with blanks
	 * between them; the core refuses what breaks it before anything is sent.
	 * needs: one of them has to be given beside it, for without it has no effect;
	 * wants: all of them have to; excludes: none of them may.
	 */
	const char *needs, *wants, *excludes;
};
#define PCTL_PROPERTY(...)                                        \
	{                                                         \
		.size = sizeof(struct pctl_property), __VA_ARGS__ \
	}

/* What a device said about its power. */
struct pctl_power {
	uint32_t size;
	enum pctl_power_state state;
	bool changing;        /* the device itself reports a transition */
	bool tells_actions;   /* actions is what it takes now; else the driver's list holds */
	uint32_t actions;     /* PCTL_ACTION_BIT()s */
	char device_code[32]; /* the device's own word or number for the state */
	/*
	 * Of what the driver can ever do: what this device does not have, in any state. Read only
	 * where tells_actions is set, whose actions do not have these either.
	 */
	uint32_t lacks;
	/*
	 * Whether lacks_boot is set: PCTL_BOOT_BIT()s, of what the driver can ever boot from, of
	 * what this device does not offer.
	 */
	bool tells_boot;
	uint32_t lacks_boot;
};

/*
 * The core only waits for a hard state to be reached: what merely refines "on" and costs a request
 * (modern standby) may be left out.
 */
#define PCTL_GET_CONFIRM 1u
/* Power or boot of this device is to be changed next: log in with the rights for that. */
#define PCTL_GET_BEFORE_CHANGE 2u

struct pctl_power_if {
	uint32_t size;
	uint32_t actions; /* PCTL_ACTION_BIT()s this driver can ever do */

	/*
	 * Required. Reads the state from the hardware into *ret, which lives until op ends.
	 * PCTL_E_UNSUPPORTED: nothing tells what this device's state is; `on` is then sent all the
	 * same and ends as accepted, for there is nothing to wait for.
	 */
	void (*get)(void *dev, struct pctl_op *op, unsigned flags, struct pctl_power *ret);

	/* Required. Ends when the device has accepted the action. The core waits and confirms. */
	void (*act)(void *dev, struct pctl_op *op, enum pctl_action action);
};

struct pctl_boot {
	uint32_t size;
	enum pctl_boot_device device;
	enum pctl_boot_mode mode;
	bool persistent; /* else for the next start only */
	const char *url; /* PCTL_BOOT_HTTP; NULL otherwise */
	uint32_t flags;  /* PCTL_BOOT_WITH_ or 0 */
};

/* In pctl_boot.flags: for the next start, what the BIOS shows goes to the console as well. Only
 * where pctl_boot_if.flags has PCTL_BOOT_TAKES_CONSOLE. */
#define PCTL_BOOT_WITH_CONSOLE 1u
/*
 * Not from the machine's own drive, but from that of a medium whose session is open: PCTL_BOOT_CD
 * from its CD, PCTL_BOOT_USB from its floppy. Only where pctl_boot_if.flags has
 * PCTL_BOOT_TAKES_MEDIA.
 */
#define PCTL_BOOT_WITH_MEDIA 2u
/*
 * With PCTL_BOOT_HTTP: a driver that asks for the URL itself before it has the machine load it
 * leaves that out, for only the machine's network may reach it. Others have nothing to leave out.
 */
#define PCTL_BOOT_UNCHECKED 4u

/* The device takes an override only together with a power action: set() is called right before
 * act(). */
#define PCTL_BOOT_APPLY_AT_POWER_ACTION 1u
/* set() knows PCTL_BOOT_WITH_CONSOLE. */
#define PCTL_BOOT_TAKES_CONSOLE 2u
/* set() knows PCTL_BOOT_WITH_MEDIA. */
#define PCTL_BOOT_TAKES_MEDIA 4u

struct pctl_boot_if {
	uint32_t size;
	uint32_t flags;
	uint32_t once;       /* PCTL_BOOT_BIT()s it can do for the next start */
	uint32_t persistent; /* PCTL_BOOT_BIT()s it can do for every start */

	/* Required. Sets the next start's device; *boot lives until op ends. */
	void (*set)(void *dev, struct pctl_op *op, const struct pctl_boot *boot);

	/* Optional. Reads what is set; ret->url stays NULL. */
	void (*get)(void *dev, struct pctl_op *op, struct pctl_boot *ret);
};

/* Trees with the names of docs/names.md; ret is a map of the core's that lives until op ends. */
struct pctl_inspect_if {
	uint32_t size;
	/* Identity and firmware: cheap. */
	void (*info)(void *dev, struct pctl_op *op, struct pctl_value *ret);
	/* What the machine is made of. */
	void (*hardware)(void *dev, struct pctl_op *op, struct pctl_value *ret);
	/*
	 * Optional. What is wrong with the device, or good to know, as <powerctl/finding.h> has it:
	 * fills in ret["findings"], which is left out where there is nothing. It changes nothing,
	 * costs few requests, and says nothing that is not certain; what this firmware lacks, or
	 * this user may not see, is left out. The power state was read with the same dev before.
	 */
	void (*check)(void *dev, struct pctl_op *op, struct pctl_value *ret);
};

struct pctl_identify_if {
	uint32_t size;
	void (*set)(void *dev, struct pctl_op *op, bool on);
};

/* Where somebody else has the console: end theirs. Without it that is PCTL_E_BUSY, which is then
 * not tried again. PCTL_E_UNSUPPORTED where nobody's can be ended. */
#define PCTL_CONSOLE_STEAL 1u
/* It was open a moment ago and is made again: what is switched off by now was switched off by
 * somebody, and is left off (PCTL_E_REFUSED). */
#define PCTL_CONSOLE_AGAIN 2u

struct pctl_console_if {
	uint32_t size;
	/*
	 * Required. Opens the machine's serial console; the op ends with a session in *ret_session.
	 * The device stays open until the session has ended.
	 */
	void (*open)(
		void *dev, struct pctl_op *op, unsigned flags, struct pctl_session **ret_session);
	/* PCTL_ACTION_BIT()s the device refuses while one is open. */
	uint32_t refused_actions;
	/*
	 * Optional. Ends all sessions that make the device refuse actions (consoles, media,
	 * screens), whoever has them; that there is none is no failure. `off --end-sessions` calls
	 * it before one of refused_actions. Must not call pctl_op_committed().
	 */
	void (*end_sessions)(void *dev, struct pctl_op *op);
};

/* End the session that somebody else has with the display. */
#define PCTL_DISPLAY_STEAL 1u

/* What is to be seen of a machine, and how. */
struct pctl_display_wish {
	uint32_t size;
	uint32_t flags;   /* PCTL_DISPLAY_ */
	uint32_t display; /* which of several, from 1; 0: the one the device shows by itself */
};

/* A VNC port of the device's own, as it is to be from now on. */
struct pctl_display_direct {
	uint32_t size;
	bool on;
	const struct pctl_secret *password; /* what viewers have to know; NULL if not on */
};

struct pctl_display_if {
	uint32_t size;
	/*
	 * Required. Opens the machine's screen, keyboard and mouse; the op ends with a session in
	 * *ret_session, whose descriptor speaks RFB (RFC 6143) from the server's greeting on, with
	 * security type None: the login was the op's. It greets with version 3.8 or one above, to
	 * which 3.8 is an answer as well; who hands it to a viewer writes 3.8 in the greeting's
	 * place, for not all of them know that. Facts: kind "rfb"; version "3.8"; pixel_formats, a
	 * list of the names ("rgb565", "rgb332") that the device takes where it does not take all;
	 * picture_max, how many bytes a picture may have where that is limited; note, one line that
	 * whoever looks at it should know. wish lives until the op ends. The device stays open
	 * until the session has ended.
	 */
	void (*open)(void *dev, struct pctl_op *op, const struct pctl_display_wish *wish,
		struct pctl_session **ret_session);
	/*
	 * Optional. Lets the device itself wait for viewers, at a port of its own, or ends that.
	 * Answers in ret, a map: on, and port (an integer) where on. A password that the device
	 * would not take is PCTL_E_CONFIG with its rules, and nothing is sent. direct lives until
	 * the op ends.
	 */
	void (*direct)(void *dev, struct pctl_op *op, const struct pctl_display_direct *direct,
		struct pctl_value *ret);
};

/* Trees as inspect's. */
struct pctl_log_if {
	uint32_t size;
	/*
	 * Required. Fills in ret["events"], a list of maps, oldest first, and ret["cursor"], a text
	 * of the driver's own (one line of at most 200 bytes) that stands for the last of them;
	 * nobody else reads it. after is the cursor of an earlier read, or NULL: the events up to
	 * there are left out. Where that event is gone, all are new. Where nothing is new, there
	 * need not be a cursor. Of several logs, those that are not told while another is are maps
	 * in ret["left_out"], a list: source; class, by pctl_error_name(); text, that names it.
	 */
	void (*read)(void *dev, struct pctl_op *op, const char *after, struct pctl_value *ret);
	/*
	 * Optional. Empties the device's log, of several all. What a device does not have need not
	 * be emptied; what it has and did not empty is an error that names it, and says what it
	 * did.
	 */
	void (*clear)(void *dev, struct pctl_op *op);
	/*
	 * NULL: a device has one log. Else the words for each, as events have them in `source`,
	 * with a NULL at the end, at most 32; and, where there is clear, what empties one of them.
	 * That the device does not have that one is PCTL_E_UNSUPPORTED.
	 */
	const char *const *sources;
	void (*clear_source)(void *dev, struct pctl_op *op, unsigned source);
};

struct pctl_sensors_if {
	uint32_t size;
	/* Required. Fills in ret["sensors"], a list of maps, in the device's order. */
	void (*read)(void *dev, struct pctl_op *op, struct pctl_value *ret);
};

/* What somebody at the machine has to agree to before it is done from afar. */
enum pctl_consent_need {
	PCTL_CONSENT_NONE,
	PCTL_CONSENT_KVM, /* seeing and using the screen */
	PCTL_CONSENT_ALL, /* and boot devices, and media */
};

enum pctl_consent_state {
	PCTL_CONSENT_IDLE,       /* "none": nobody was asked */
	PCTL_CONSENT_REQUESTED,  /* a code is about to be shown */
	PCTL_CONSENT_DISPLAYED,  /* the machine's screen shows it */
	PCTL_CONSENT_RECEIVED,   /* it was submitted: agreed */
	PCTL_CONSENT_IN_SESSION, /* and a session goes on under it */
};

/* The words of users and JSON for these: "none", "kvm"; "none", "in_session". NULL for others. */
PCTL_API const char *pctl_consent_need_name(enum pctl_consent_need need);
PCTL_API const char *pctl_consent_state_name(enum pctl_consent_state state);

struct pctl_consent {
	uint32_t size;
	enum pctl_consent_need required;
	enum pctl_consent_state state;
	bool can_modify;    /* what it is required for can be changed */
	uint32_t display_s; /* how long a code is shown; 0: not known */
	uint32_t idle_s;    /* how long an agreement holds without a session; 0: not known */
	bool turned_on; /* request: the machine was not on, and was turned on to show its code */
	bool renewed;   /* request: the code that it showed before is not taken any more */
};

/*
 * Some machines do what touches their user only when somebody sits there and agrees: a code appears
 * on the screen, is read out, and is given back to the device. An op of any interface that lacks it
 * ends with PCTL_E_CONSENT before it has changed anything; where the driver has this interface the
 * core then asks a person for the code, if there is one to ask, and begins anew.
 */
struct pctl_consent_if {
	uint32_t size;
	uint32_t digits; /* of a code, 1 to PCTL_CONSENT_DIGITS_MAX */
	uint32_t tries;  /* after so many wrong codes a request is over; at least 1 */

	/* Required. Reads how things are. */
	void (*get)(void *dev, struct pctl_op *op, struct pctl_consent *ret);
	/*
	 * Required. Lets a new code appear, in place of one that is shown; *ret is filled in as it
	 * is afterwards. A machine that is off is turned on, for nobody would see it: ret says so.
	 * Where somebody has agreed already it does nothing and ends well. PCTL_E_STATE: nobody's
	 * consent is required; PCTL_E_BUSY: it takes no request now, after wrong codes say, with
	 * what to do; it is not tried again.
	 */
	void (*request)(void *dev, struct pctl_op *op, struct pctl_consent *ret);
	/*
	 * Required. Gives the device the code that was read out: digits, as many as there have to
	 * be. PCTL_E_CONSENT: a wrong one, and another one may be given; PCTL_E_FORBIDDEN: a wrong
	 * one, and the request is over; PCTL_E_STATE: no code is shown. code lives until op ends.
	 */
	void (*submit)(void *dev, struct pctl_op *op, const char *code);
	/*
	 * Required. Takes a request back, and an agreement: the code leaves the screen. Where there
	 * is nothing to take back that is success.
	 */
	void (*cancel)(void *dev, struct pctl_op *op);
};
#define PCTL_CONSENT_DIGITS_MAX 16u
/* What is to be in a machine's drives, write-protected but where it says otherwise. */
struct pctl_media {
	uint32_t size;
	/* A file of this computer, or the URL of one; NULL: nothing. At least one of them. */
	const char *cd, *floppy;
	bool writable;
	/* They were in a moment ago: as PCTL_CONSOLE_AGAIN. */
	bool again;
};

struct pctl_media_if {
	uint32_t size;
	/*
	 * Required. Puts them in; *media lives until op ends. The op ends with a session in
	 * *ret_session, without a descriptor, where the machine reads from this computer: they are
	 * in its drives until that has ended. Where the device fetches a URL by itself there is
	 * none. What cannot be read, or is no such thing for this device, is found before anything
	 * is sent: PCTL_E_CONFIG, PCTL_E_UNSUPPORTED.
	 *
	 * Controls of a session: `progress` brings its facts up to date, `eject` with "cd" or
	 * "floppy" takes one out.
	 */
	void (*attach)(void *dev, struct pctl_op *op, const struct pctl_media *media,
		struct pctl_session **ret_session);
	/* Required. Takes out all that there is, whoever put it in; that nothing is in is fine. */
	void (*detach)(void *dev, struct pctl_op *op);
	/* Optional. Fills in ret["attached"], and what else docs/names.md has. */
	void (*status)(void *dev, struct pctl_op *op, struct pctl_value *ret);
};

/* Changes the device: the node's lock is held. */
#define PCTL_METHOD_CHANGES 1u
/* What runs on the machine suffers: it changes, and guards and `protected` apply. */
#define PCTL_METHOD_DISRUPTS 2u
/* Sent twice it does what it does once: tried again, once, when its answer was lost. */
#define PCTL_METHOD_REPEATABLE 4u
/* Asks on a terminal before it does anything, else wants --yes. */
#define PCTL_METHOD_CONFIRM 8u
/* Without any parameter it only reads: the flags above hold where one is given. */
#define PCTL_METHOD_READS_BARE 16u

/* In a dry run it reads, and says what it would send: see pctl_op_would(). Else it is not called.
 */
#define PCTL_METHOD_DRY 32u

/*
 * The arguments of a method, by the names of its parameter table, checked and with their defaults;
 * they live until the op ends. Rules as for pctl_setting_...() in <powerctl/device.h>; the path of
 * a PCTL_TYPE_FILE is as it was typed; it could be read when that was checked.
 */
struct pctl_arguments;
PCTL_API const char *pctl_argument_text(const struct pctl_arguments *args, const char *name);
PCTL_API bool pctl_argument_bool(const struct pctl_arguments *args, const char *name);
PCTL_API uint64_t pctl_argument_uint(const struct pctl_arguments *args, const char *name);
PCTL_API uint64_t pctl_argument_duration(const struct pctl_arguments *args, const char *name);
PCTL_API int pctl_argument_choice(const struct pctl_arguments *args, const char *name);
PCTL_API uint64_t pctl_argument_flags(const struct pctl_arguments *args, const char *name);
PCTL_API size_t pctl_argument_texts(const struct pctl_arguments *args, const char *name);
PCTL_API const char *pctl_argument_texts_at(
	const struct pctl_arguments *args, const char *name, size_t i);
PCTL_API bool pctl_argument_given(const struct pctl_arguments *args, const char *name);
PCTL_API const struct pctl_secret *pctl_argument_secret(
	const struct pctl_arguments *args, const char *name);

/*
 * What fits no interface: `powerctl DRIVER METHOD [PARAMETER=VALUE ...] NODES`. A table of these
 * ends with a row that has no name.
 */
struct pctl_method {
	uint32_t size;
	uint32_t flags;
	const char *name; /* lower case, words joined by -; `a-b` may be typed as `a b` too */
	const char *help; /* one line: what it does */
	/*
	 * NULL: none. They stand on the command line: a list by saying NAME=VALUE again
	 * (PCTL_TYPE_TEXTS) or with commas (PCTL_TYPE_FLAGS), a secret as NAME_file=FILE or
	 * NAME_env=VARIABLE and never in place; its name needs a word like password or key.
	 */
	const struct pctl_property *parameters;
	uint32_t limit_ms; /* how long it may take; less than a read: as long as a read */
	/*
	 * Required. Answers in ret, a map of the core's that lives until op ends. Commit points as
	 * for act().
	 */
	void (*run)(void *dev, struct pctl_op *op, const struct pctl_arguments *args,
		struct pctl_value *ret);
	/*
	 * Optional. What can be known of the arguments without any device, and the table does not
	 * say: 0, or PCTL_E_CONFIG with a text that names the parameter. Called once before
	 * anything is sent, however many nodes there are.
	 */
	int (*check)(const struct pctl_arguments *args, struct pctl_error *err);
};

/* What a password has at least one character of. */
#define PCTL_PASSWORD_UPPER   1u
#define PCTL_PASSWORD_LOWER   2u
#define PCTL_PASSWORD_DIGIT   4u
#define PCTL_PASSWORD_SPECIAL 8u /* ASCII that is neither letter, digit, blank nor _ */

/*
 * The user that the device is opened with. The core knows by the data what a new password has to be
 * like before it sends anything; it is printable ASCII without blanks in any case.
 */
struct pctl_account_if {
	uint32_t size;
	uint32_t min, max;     /* bytes; max 0: any number */
	uint32_t classes;      /* PCTL_PASSWORD_ */
	uint32_t made;         /* how long one is that the core makes up; 0: as it likes */
	const char *forbidden; /* characters that cannot be in one; NULL: none */
	const char *setting;   /* the secret among the properties that is the user's password */

	/*
	 * Required. Ends well when the device has taken the login, with the rights to change its
	 * password where a login has to ask for them. Changes nothing.
	 */
	void (*login)(void *dev, struct pctl_op *op);
	/*
	 * Required. Gives the user that dev logs in as another password, which lives until op ends
	 * and is in no trace. Its commit point is right before that request leaves; what is read
	 * before it may be tried again. Ends when the device says that it has done it: the core
	 * opens the device anew and logs in to see. dev is not used again but to be closed.
	 */
	void (*set_password)(void *dev, struct pctl_op *op, const struct pctl_secret *password);
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
