/* SPDX-License-Identifier: Apache-2.0 */
/*
 * amtctrl's file of hosts, as Python's ConfigParser writes it: a section for each machine with
 * host, passwd and perhaps vncpasswd. It stays a file that amtctrl itself can read.
 */
#ifndef POWERCTL_CLI_AMTCTRL_HOSTS_H
#define POWERCTL_CLI_AMTCTRL_HOSTS_H

#include <powerctl/buf.h>
#include <powerctl/error.h>

struct amtctrl_pair {
	char *key, *value; /* percent signs are not doubled here */
};

struct amtctrl_host {
	char *name;
	struct amtctrl_pair *pairs;
	size_t n, cap;
};

struct amtctrl_hosts {
	char *path;
	struct amtctrl_host *hosts;
	size_t n, cap;
	unsigned odd; /* the first line that is not understood; 0: none */
	int lock;     /* for changes; -1: none */
};

/*
 * Reads $XDG_CONFIG_HOME/amtctrl/hosts.cfg; there need not be one. A file that others can read is
 * made private, which is said on standard error. to_change: nobody else changes it until done.
 */
int amtctrl_hosts_read(struct amtctrl_hosts *hosts, bool to_change, struct pctl_error *err);
/* Replaces the file, 0600. PCTL_E_CONFIG: it holds what would be lost. */
int amtctrl_hosts_write(const struct amtctrl_hosts *hosts, struct pctl_error *err);
/* Wipes passwords. */
void amtctrl_hosts_done(struct amtctrl_hosts *hosts);

struct amtctrl_host *amtctrl_host_find(const struct amtctrl_hosts *hosts, const char *name);
/* Finds or adds. */
struct amtctrl_host *amtctrl_host_add(struct amtctrl_hosts *hosts, const char *name);
void amtctrl_host_remove(struct amtctrl_hosts *hosts, const char *name);
/* NULL: it has none. */
const char *amtctrl_host_get(const struct amtctrl_host *host, const char *key);
void amtctrl_host_set(struct amtctrl_host *host, const char *key, const char *value);

/* Takes a text apart, as amtctrl_hosts_read() does. */
void amtctrl_hosts_parse(struct amtctrl_hosts *hosts, const char *text, size_t len);
/* And writes it. */
void amtctrl_hosts_format(const struct amtctrl_hosts *hosts, struct pctl_buf *buf);

#endif
