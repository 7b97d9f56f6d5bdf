/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a driver says of itself in tables: its settings, and its methods with their parameters. Part
 * of the contract in <powerctl/driver.h>.
 */
#ifndef POWERCTL_METHOD_H
#define POWERCTL_METHOD_H

#include <powerctl/error.h>
#include <powerctl/op.h>
#include <powerctl/secret.h>
#include <powerctl/value.h>

#ifdef __cplusplus
extern "C" {
#endif

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

#ifdef __cplusplus
}
#endif

#endif
