/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a driver can fill in for its devices, each as one table of functions: power, boot, console
 * and the others. <powerctl/driver.h> says what holds for all of them.
 */
#ifndef POWERCTL_INTERFACES_H
#define POWERCTL_INTERFACES_H

#include <powerctl/error.h>
#include <powerctl/op.h>
#include <powerctl/secret.h>
#include <powerctl/session.h>
#include <powerctl/value.h>

#ifdef __cplusplus
extern "C" {
#endif

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

/* The words of users and JSON for these. NULL or PCTL_E_CONFIG for what is none of them. */
PCTL_API const char *pctl_power_state_name(enum pctl_power_state state);
PCTL_API const char *pctl_action_name(enum pctl_action action);
PCTL_API const char *pctl_boot_device_name(enum pctl_boot_device device);
PCTL_API const char *pctl_boot_mode_name(enum pctl_boot_mode mode);
PCTL_API int pctl_boot_device_from_name(const char *word);

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

#ifdef __cplusplus
}
#endif

#endif
