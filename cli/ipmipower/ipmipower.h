/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the ipmipower face. */
#ifndef POWERCTL_CLI_IPMIPOWER_IPMIPOWER_H
#define POWERCTL_CLI_IPMIPOWER_IPMIPOWER_H

#include "ask.h"
#include "ipmipower/options.h"
#include "ipmipower/words.h"
#include "outflow.h"
#include "signals.h"

/* What several hosts failed of in the same words. */
struct ipmipower_reason {
	char *text;
	struct pctl_names *names;
};

struct ipmipower {
	struct cli *cli;
	struct ipmipower_options options;
	struct selection hosts; /* those that are configured */
	char *password_path, *kg_path;
	struct pctl_names *buckets[IPMIPOWER_WORDS]; /* with -C */
	struct ipmipower_reason *reasons;
	size_t reason_n, reason_cap;
	size_t failed;
	struct outflow out;
	struct signals signals;
	struct ask ask;
	bool ended; /* the prompt: no command follows */
};

/* Prints to standard output; whoever reads it slowly keeps nobody waiting. */
void ipmipower_print(struct ipmipower *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A host's line, or its place in the folded ones. name tells two ports of a host apart. */
void ipmipower_tell(
	struct ipmipower *p, const char *host, const char *name, enum ipmipower_word word);

/* What is said of a node: its address, without the port. */
char *ipmipower_host_of(const struct ipmipower *p, size_t node);

/* Does it, with all that is to be printed. DONE or FAILED. */
int ipmipower_do(struct ipmipower *p, const struct ipmipower_action *action,
	const struct selection *selection);

/* hosts.c: makes nodes of a list of hosts. DONE, or FAILED with everything said. */
int ipmipower_hosts_add(struct ipmipower *p, const char *hosts, struct selection *ret);

/* talk.c: commands at the prompt, until `quit` or the end of the input. */
int ipmipower_talk(struct ipmipower *p);

#endif
