/* SPDX-License-Identifier: Apache-2.0 */
/*
 * powerctl-driver-check: what its files share.
 *
 * Each check runs in a process of its own, forked before the driver is loaded: a driver that
 * crashes, hangs or exits is a check that failed. What a child has to say goes through shared
 * memory. The tool has the core inside and hands its own functions to the driver, so that it sees
 * ops from within: the public headers let a driver end an op, and nobody but the core begin one.
 */
#ifndef POWERCTL_CONFORM_H
#define POWERCTL_CONFORM_H

#include <powerctl/driver.h>
#include <powerctl/value.h>

#include "relay.h"

#define SETS_MAX 64u

struct options {
	char *dir, *name;           /* of the plugin: its folder, and its file without .so */
	const char *path;           /* as it was given */
	const char *address;        /* of the device; NULL: none */
	const char *sets[SETS_MAX]; /* NAME=VALUE */
	size_t sets_n;
	char *password_set;   /* the one that --password-file stands for, or NULL */
	const char *refusals; /* a command that prints how many logins the device refused so far */
	const char *only;     /* a group or a check; NULL: all */
	const char *junit;    /* a file, or NULL */
	uint64_t ops;         /* of the checks of growth */
	uint64_t limit_s;     /* for one check */
	bool list;
};

/* What the children say, and what the first of them found out about the driver. */
struct shared {
	char doing[128];  /* what of the driver runs; for who crashes */
	char why[1500];   /* a check failed, or was skipped */
	char note[500];   /* what a check measured */
	bool mistaken;    /* of what somebody typed: why says it */
	bool only_tables; /* no check opens a device: a setting that is missing may be so */
	bool loaded;      /* and what follows is known */
	bool networked;   /* it is reached over a network */
	bool tells_power; /* has a power interface */
	char secret[64];  /* a secret setting, one that is set if there is one, or "" */
	bool has_secret;  /* that one is set */
	struct {
		char name[64]; /* of the setting */
		uint16_t device;
	} ports[RELAY_PORTS];
	size_t ports_n;
	struct relay_shared relay;
};

/* What a check has at hand. */
struct bench {
	const struct options *options;
	struct shared *shared;
	const struct relay_ports *ports;
	const char *folder; /* this check's own; removed with all that is in it */
};

#define NEEDS_DEVICE 1u /* one that can be talked to: an address, or a driver without a network */
#define NEEDS_RELAY  2u /* one that is reached through ports */
#define NEEDS_SECRET 4u /* a secret setting that is set */
#define NEEDS_POWER  8u

struct check {
	const char *group, *name;
	const char *proves;
	void (*run)(const struct bench *bench);
	unsigned needs; /* NEEDS_ */
};

/* The tables of the groups; each ends with a row that has no name. */
extern const struct check static_checks[], contract_checks[], device_checks[], secret_checks[],
	fault_checks[], load_checks[];

/* End this check, which is this process. */
void fail(const struct bench *bench, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));
void skip(const struct bench *bench, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));
/* What was measured, for the report. */
void note(const struct bench *bench, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void doing(const struct bench *bench, const char *what);

struct pctl_described;
struct pctl_descriptions;

/* What the selector's value brings, where one is set; else NULL. It lives as long as descriptions.
 */
const struct pctl_described *describe_driver(const struct bench *bench,
	const struct pctl_driver *driver, struct pctl_descriptions *descriptions);
/* Fails where it cannot be loaded. */
const struct pctl_driver *load_driver(const struct bench *bench);
/* Fills in what the shared memory says about the driver; fails as that. */
void scout(const struct bench *bench);

/* The last value that was given of a setting, or NULL. */
const char *setting_given(const struct options *o, const char *name);
/* Whether name, of len bytes, is this secret or one of its other ways to be given. */
bool setting_is_of(const char *name, size_t len, const char *secret);

#endif
