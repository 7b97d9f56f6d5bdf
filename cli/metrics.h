/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `status` found, as Prometheus reads it: its text format 0.0.4 (prometheus.io, "Exposition
 * formats"), which node_exporter's textfile collector takes. contrib/prometheus/README.md lists the
 * metrics; their names and labels are a contract.
 */
#ifndef POWERCTL_CLI_METRICS_H
#define POWERCTL_CLI_METRICS_H

#include <powerctl/buf.h>
#include <powerctl/powerctl.h>

struct metrics;

/* The run as a whole, once it is over. */
struct metrics_run {
	uint64_t ended_ms; /* since 1970 */
	uint64_t took_ms;
	bool success; /* of every node */
};

struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics);
/* Copies what it needs. */
void metrics_add(struct metrics *metrics, const struct pctl_result *result);
/* All of it, nodes in the order of the inventory; the last line without its break. */
void metrics_write(struct metrics *metrics, const struct metrics_run *run, struct pctl_buf *ret);

/*
 * Whether a file can be put at path, before anything is asked: PCTL_E_CONFIG with what is wrong. A
 * path that is no regular file (a pipe, /dev/null) is written to, and never replaced.
 */
int metrics_check_file(const char *path, struct pctl_error *err);
/*
 * Text as the whole of a file, readable by all, in one step: who reads it
 * meanwhile has the old or the new one. PCTL_E_INTERNAL: the old one is still there.
 */
int metrics_save(const char *path, const struct pctl_buf *text, struct pctl_error *err);

#endif
