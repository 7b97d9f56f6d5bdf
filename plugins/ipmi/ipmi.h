/* SPDX-License-Identifier: GPL-3.0-or-later */
/* clang-format off */
/*
 * Inside the IPMI driver. From below:
 *
 *	command, status, workaround   tables: what is sent, and what may come back
 *	text, sdr, reading, sel, fru, device_id, chassis
 *	                              records and answers to words; no I/O
 *	wire (lan, rmcpplus)          packets to bytes and back, on libfreeipmi; no I/O
 *	session, login                one BMC's session: log in, one request at a time, repeat, close
 *	call                          an op as a chain of commands
 *	records, sdr_read, fru_read   chains of reads, in pieces that the BMC takes
 *	account, power, boot, identify, inspect, hardware, sensors, log, methods, reset, console,
 *	discover                      the operations
 *	ipmi                          settings and the driver's table
 */
/* clang-format on */
#ifndef POWERCTL_IPMI_IPMI_H
#define POWERCTL_IPMI_IPMI_H

#include <powerctl/driver.h>
#include <powerctl/udp.h>

#include "command.h"
#include "session.h"
#include "wire.h"

/* What the devices of one loop share. */
struct ipmi {
	struct pctl_udp *udp;
	struct pctl_udp
		*finder; /* of those who look for BMCs; its sockets are opened when there are any */
	/* A packet is read and used within one callback, so one set of templates serves all. */
	struct wire *wire;
};

struct ipmi_dev;

/* --- call.c ----------------------------------------------------------------------------------- */

/*
 * data is what follows the completion code, at least command->least bytes; it lives until this
 * returns. It ends or goes on with the op.
 */
typedef void ipmi_then_fn(struct ipmi_dev *dev, const uint8_t *data, size_t len);
/*
 * The same after a failure. code is the completion code, or -1 where there was no answer to judge.
 * Without such a function the op ends with err.
 */
typedef void ipmi_except_fn(struct ipmi_dev *dev, const struct pctl_error *err, int code);

struct call {
	struct pctl_op *op; /* NULL: nothing is being done */
	const struct command *command;
	uint8_t data[COMMAND_DATA_MAX];
	size_t len;
	ipmi_then_fn *then;
	ipmi_except_fn *except;
	void *job; /* see ipmi_keep() */
	void (*job_done)(void *job);
};

/* Starts working on op; ends it. ipmi_end(dev, NULL) is success. */
void ipmi_begin(struct ipmi_dev *dev, struct pctl_op *op);
void ipmi_end(struct ipmi_dev *dev, const struct pctl_error *err);
void ipmi_fail(struct ipmi_dev *dev, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * One command of the op that was begun, at most COMMAND_DATA_MAX bytes of data (copied); logs in
 * first where there is no session with the rights for it. except may be NULL.
 */
void ipmi_send(struct ipmi_dev *dev, const struct command *command, const void *data, size_t len,
	ipmi_then_fn *then, ipmi_except_fn *except);

/* For commands that end the op well, and whose answer says no more than that. */
void ipmi_then_end(struct ipmi_dev *dev, const uint8_t *data, size_t len);
/*
 * Whether a failure says no more than that the BMC has no use for this command: it is there, and
 * lets the user do such things.
 */
bool ipmi_is_declined(const struct pctl_error *err, int code);

/* What the op keeps while it goes on; done(job) is called when it ends, however it ends. */
void ipmi_keep(struct ipmi_dev *dev, void *job, void (*done)(void *job));
void *ipmi_kept(const struct ipmi_dev *dev);

/* From session.c: what came of the command. Exactly one is given. */
void ipmi_call_answered(
	struct ipmi_dev *dev, const struct message *answer, const struct pctl_error *err);

/* The rights that the command at hand needs, and those that are to come, as far as is known. */
uint8_t ipmi_privilege(const struct ipmi_dev *dev);

/* --- What is known of one device. ------------------------------------------------------------- */

/* In the order of the choices of the setting `protocol`. */
enum protocol {
	PROTOCOL_AUTO,
	PROTOCOL_20,
	PROTOCOL_15,
};

struct power_work {
	struct pctl_power *ret;
};

struct boot_work {
	struct pctl_boot *ret;
	uint8_t flags[2]; /* of boot parameter 5, on their way */
};

struct account_work {
	const struct pctl_secret *password;
	uint8_t id, last; /* the user that is asked for, the last that there is */
	uint8_t found;    /* whose name is ours; 0: none yet */
};

struct ipmi_dev {
	struct ipmi *ipmi;
	struct pctl_device *device;
	struct credential credential;
	uint16_t port;
	enum protocol protocol;
	uint8_t privilege;       /* 0: as much as the command needs */
	int16_t cipher_suite;    /* -1: what both have */
	int8_t auth_type;        /* -1: the safest that the BMC offers */
	bool before_change;      /* power or boot is to be changed next */
	struct session *session; /* NULL: none */
	unsigned held;           /* what goes on although it may be closing: see ipmi_hold() */
	pctl_closed_fn *closed;  /* once it is closing */
	void *closed_data;
	struct call call;
	union {
		struct power_work power;
		struct boot_work boot;
		struct account_work account;
	} work;
};

/* Until it is released as often, the device is not freed. */
void ipmi_hold(struct ipmi_dev *dev);
void ipmi_release(struct ipmi_dev *dev);
/* Closes the session, if there is one; nobody waits for it but the device's end. */
void ipmi_say_goodbye(struct ipmi_dev *dev);

extern const struct pctl_power_if ipmi_power;
extern const struct pctl_boot_if ipmi_boot;
extern const struct pctl_identify_if ipmi_identify;
extern const struct pctl_console_if ipmi_console;
extern const struct pctl_account_if ipmi_account;
extern const struct pctl_discover_if ipmi_discover;
bool ipmi_discover_receive(struct pctl_udp_member *member, const uint8_t *packet, size_t len);

/* Facts. The cipher suite that the last login took: its number. */
#define FACT_CIPHER_SUITE "cipher_suite"

#endif
