/* SPDX-License-Identifier: Apache-2.0 */
/* The setting `via`: which way a node's TCP ports are reached. Parsed once, nothing is looked up.
 */
#ifndef POWERCTL_CORE_VIA_H
#define POWERCTL_CORE_VIA_H

#include <powerctl/error.h>
#include <powerctl/mem.h>
#include <powerctl/secret.h>

enum pctl_via_kind {
	PCTL_VIA_DIRECT,
	PCTL_VIA_PUMP, /* direct, but through a channel of the program's own: for tests */
	PCTL_VIA_SOCKS5,
	PCTL_VIA_SSH,
};

#define PCTL_SOCKS5_PORT 1080u

struct pctl_via {
	enum pctl_via_kind kind;
	char *text;    /* as it is shown: "ssh://root@gw:2222", "socks5://[fd00::1]:1080" */
	char *user;    /* NULL: none; of ssh, ssh decides */
	char *host;    /* the gateway, without brackets; NULL: none */
	unsigned port; /* 0: ssh decides */
	char *key;     /* tells networks apart: "gw:1080", "gw"; NULL: direct */
	const struct pctl_secret *secret; /* socks5: borrowed; NULL: no password */
};

/*
 * direct, pump, socks5://[USER@]HOST[:PORT] or ssh://[USER@]HOST[:PORT]. PCTL_E_CONFIG with what
 * would be right; what may be a password is never repeated. pctl_via_free(*ret).
 */
int pctl_via_parse(const char *text, struct pctl_via **ret, struct pctl_error *err);
void pctl_via_free(struct pctl_via *via);

#endif
