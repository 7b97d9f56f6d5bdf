/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of a stand-in: one table, from which the help is made. */
#ifndef POWERCTL_SIM_OPTION_H
#define POWERCTL_SIM_OPTION_H

#include "knob.h"

enum { OPTION_SETS = 256, OPTION_PASSWORD = 64 };

/* Strings point into argv. */
struct option_sets {
	const char *text[OPTION_SETS];
	size_t count;
};

/* What every fleet has. */
struct fleet_options {
	const char *address;
	const char *state;
	struct option_sets sets;
	uint32_t devices;
	uint32_t port;
	uint32_t control;
	uint32_t ready_fd;
	uint32_t seed;
	char password[OPTION_PASSWORD + 1];
	bool by_port;
	bool quiet;
};

enum option_kind {
	OPTION_FLAG,          /* a bool */
	OPTION_NUMBER,        /* a uint32_t, min to max */
	OPTION_TEXT,          /* a const char *, into argv */
	OPTION_PASSWORD_WORD, /* a char[OPTION_PASSWORD + 1] */
	OPTION_PASSWORD_FILE, /* the same, the first line of a file */
	OPTION_SET,           /* a struct option_sets */
	OPTION_HELP,
	OPTION_KNOBS,
};

struct option {
	const char *name;
	const char *arg;
	enum option_kind kind;
	size_t at;
	uint64_t min;
	uint64_t max;
	const char *help;
};

/* Rows that say the same in each program, whose struct options has a struct fleet_options fleet. */
#define OPTION_AT(member) offsetof(struct options, member)
#define OPTION_ROW_ADDRESS                                                                  \
	{                                                                                   \
		"address", "A", OPTION_TEXT, OPTION_AT(fleet.address), 0, 0,                \
			"address of the first one; the others count up from it (127.0.0.1)" \
	}
#define OPTION_ROW_BY_PORT                                                    \
	{                                                                     \
		"by-port", NULL, OPTION_FLAG, OPTION_AT(fleet.by_port), 0, 0, \
			"all on one address, told apart by their ports"       \
	}
#define OPTION_ROW_CONTROL                                                            \
	{                                                                             \
		"control", "PORT", OPTION_NUMBER, OPTION_AT(fleet.control), 0, 65535, \
			"control port on 127.0.0.1 (0: the kernel gives one)"         \
	}
#define OPTION_ROW_PASSWORD_FILE                                                                \
	{                                                                                       \
		"password-file", "FILE", OPTION_PASSWORD_FILE, OPTION_AT(fleet.password), 0, 0, \
			"the same, first line of a file"                                        \
	}
#define OPTION_ROW_SET                                                             \
	{                                                                          \
		"set", "DEV:KNOB=VALUE", OPTION_SET, OPTION_AT(fleet.sets), 0, 0,  \
			"set a knob of device DEV (5, 3-5 or all); again for more" \
	}
#define OPTION_ROW_READY_FD                                                         \
	{                                                                           \
		"ready-fd", "N", OPTION_NUMBER, OPTION_AT(fleet.ready_fd), 0, 1023, \
			"write the ready line to descriptor N instead of stdout"    \
	}
#define OPTION_ROW_QUIET                                                                  \
	{                                                                                 \
		"quiet", NULL, OPTION_FLAG, OPTION_AT(fleet.quiet), 0, 0, "no ready line" \
	}
#define OPTION_ROW_KNOBS                                                         \
	{                                                                        \
		"knobs", NULL, OPTION_KNOBS, 0, 0, 0, "list the knobs and leave" \
	}
#define OPTION_ROW_HELP                                         \
	{                                                       \
		"help", NULL, OPTION_HELP, 0, 0, 0, "this text" \
	}

struct option_table {
	const char *program;
	const struct option *options;
	size_t count;
	/* The help's text before and behind the list. */
	const char *about;
	const char *examples;
	const struct knob_table *knobs;
};

enum option_result {
	OPTION_RUN,
	OPTION_DONE,
	OPTION_BAD,
};

/* OPTION_BAD has said on stderr what is wrong; OPTION_DONE has printed what was asked for. */
enum option_result option_parse(const struct option_table *table, void *ret, int argc, char **argv);
/* Says so on stderr; OPTION_BAD. */
enum option_result option_complain(
	const struct option_table *table, const char *what, const char *name);

/* Whether first, first + step, ... are ports for all devices; else OPTION_BAD, having said so. */
enum option_result option_check_ports(const struct option_table *table,
	const struct fleet_options *o, const char *name, uint32_t first, uint32_t step);

struct fleet;

/* Each --set of its options; false: stderr knows why. */
bool option_apply_sets(const struct fleet *fleet);
/* As many descriptors as we may have; false, having said so, if they are less than need. */
bool option_raise_files(const char *program, uint32_t devices, uint64_t need);

#endif
