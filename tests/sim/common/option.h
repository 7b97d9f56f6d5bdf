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

struct fleet;

/* Each "DEV:KNOB=VALUE"; false: stderr knows why. */
bool option_apply_sets(const struct option_sets *sets, const struct fleet *fleet);
/* As many descriptors as we may have; false, having said so, if they are less than need. */
bool option_raise_files(const char *program, uint32_t devices, uint64_t need);

#endif
