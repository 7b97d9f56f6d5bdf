/* SPDX-License-Identifier: Apache-2.0 */
/* ipmipower's options, from the command line and from FreeIPMI's configuration file. */
#ifndef POWERCTL_CLI_IPMIPOWER_OPTIONS_H
#define POWERCTL_CLI_IPMIPOWER_OPTIONS_H

#include <powerctl/powerctl.h>

/* Exit statuses of ipmipower. */
enum {
	IPMIPOWER_DONE = 0,
	IPMIPOWER_FAILED = 1,
	IPMIPOWER_WRONG = 64, /* options that there are not, as argp ends with */
};

/* What can be done to hosts. */
struct ipmipower_action {
	const char *name; /* of the option and of the command at the prompt */
	int letter;       /* 0: none; only at the prompt */
	const char *help;
	enum pctl_verb verb;
	bool soft;              /* OFF */
	bool off;               /* IDENTIFY */
	bool unanswerable;      /* nobody can say */
	const char *privileged; /* it takes this privilege: its name in ipmipower's complaint */
};

const struct ipmipower_action *ipmipower_action_named(const char *name);

struct ipmipower_options {
	const struct ipmipower_action *action; /* NULL: the prompt */
	char *hosts;                           /* NULL: none are named */
	char *username;
	struct pctl_secret *password, *kg;
	const char *protocol, *auth_type, *privilege; /* as the driver calls them; NULL: not said */
	int cipher_suite;                             /* -1: not said */
	struct pctl_value *workarounds;               /* a list, or NULL */
	uint64_t session_ms, retransmission_ms;       /* 0: not said */
	unsigned fanout;
	bool consolidate, eliminate, on_if_off, wait_on, wait_off, debug, try_anyway;
	bool ends; /* --help and so on: everything was printed */
};

/*
 * Reads all of it. What is secret in argv is wiped before anything else is done. DONE, or the exit
 * status with everything said.
 */
int ipmipower_options_read(struct ipmipower_options *options, int argc, char **argv);
void ipmipower_options_done(struct ipmipower_options *options);

/*
 * Reads FreeIPMI's configuration file (NULL: the usual one, if it is there) over what is there:
 * keys of ipmipower itself hold over those of all tools. DONE or FAILED with everything said.
 */
int ipmipower_config_read(struct ipmipower_options *options, const char *path);
/* The same of a text. *ret_secret: it holds a password or a key. PCTL_E_CONFIG names the line. */
int ipmipower_config_parse(struct ipmipower_options *options, const char *text, size_t len,
	bool *ret_secret, struct pctl_error *err);

/* One option by its long name ("fanout"), value NULL for a switch. NULL, or what is wrong. */
const char *ipmipower_option_take(
	struct ipmipower_options *options, const char *name, const char *value);
/* Whether the file may have it, and whether it is a switch there. */
bool ipmipower_option_in_file(const char *name, bool *ret_switch);

#endif
