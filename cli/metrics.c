/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <powerctl/file.h>
#include <powerctl/mem.h>

#include "tally.h"
#include "text.h"

/* One node. */
struct sample {
	size_t order;
	char *labels; /* node="n1",driver="ipmi" */
	enum pctl_power_state state;
	int error; /* PCTL_E_…, or 0 */
	uint64_t took_ms;
};

struct metrics {
	struct sample *samples;
	size_t n, cap;
};

static const enum pctl_power_state states[] = { PCTL_POWER_ON, PCTL_POWER_OFF, PCTL_POWER_SLEEP,
	PCTL_POWER_HIBERNATE, PCTL_POWER_UNKNOWN };
#define STATES (sizeof(states) / sizeof(states[0]))

/* --- Collecting. ------------------------------------------------------------------------------ */

/* Label values are UTF-8 in which backslash, quote and line break are escaped. */
static void add_label(struct pctl_buf *buf, const char *name, const char *value)
{
	struct pctl_buf clean;

	pctl_buf_init(&clean, TEXT_ANSWER_MAX);
	text_utf8(&clean, value ? value : "");
	pctl_buf_addf(buf, "%s%s=\"", buf->len ? "," : "", name);
	for (const char *p = clean.data; *p; p++) {
		if (*p == '\n')
			pctl_buf_adds(buf, "\\n");
		else if (*p == '\\' || *p == '"')
			pctl_buf_addf(buf, "\\%c", *p);
		else
			pctl_buf_add(buf, p, 1);
	}
	pctl_buf_adds(buf, "\"");
	pctl_buf_done(&clean);
}

struct metrics *metrics_new(void)
{
	return pctl_xcalloc(1, sizeof(struct metrics));
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n; i++)
		free(m->samples[i].labels);
	free(m->samples);
	free(m);
}

void metrics_add(struct metrics *m, const struct pctl_result *r)
{
	struct pctl_buf labels;

	pctl_buf_init(&labels, TEXT_ANSWER_MAX);
	add_label(&labels, "node", r->name);
	add_label(&labels, "driver", r->driver);
	m->samples = pctl_xgrow(m->samples, &m->cap, m->n + 1, sizeof(*m->samples));
	m->samples[m->n++] = (struct sample){
		.order = r->node,
		.labels = pctl_buf_steal(&labels),
		.state = r->ok && r->state_known ? r->state : PCTL_POWER_UNKNOWN,
		.error = r->error.code,
		.took_ms = r->elapsed_ms,
	};
}

static int by_order(const void *va, const void *vb)
{
	const struct sample *a = va, *b = vb;

	return (a->order > b->order) - (a->order < b->order);
}

/* --- Writing. --------------------------------------------------------------------------------- */

static bool skipped(const struct sample *s)
{
	return s->error == PCTL_E_SKIPPED;
}

static void add_head(struct pctl_buf *buf, const char *name, const char *type, const char *help)
{
	pctl_buf_addf(
		buf, "%s# HELP %s %s\n# TYPE %s %s", buf->len ? "\n" : "", name, help, name, type);
}

static void add_seconds(struct pctl_buf *buf, uint64_t ms)
{
	pctl_buf_addf(buf, "%" PRIu64 ".%03u", ms / 1000, (unsigned)(ms % 1000));
}

static void write_states(const struct metrics *m, struct pctl_buf *buf)
{
	add_head(buf, "powerctl_node_state", "gauge",
		"Power state as the hardware said: 1 for the state that holds, 0 for the others. "
		"None for a node in maintenance.");
	for (size_t i = 0; i < m->n; i++)
		for (size_t k = 0; k < STATES && !skipped(&m->samples[i]); k++)
			pctl_buf_addf(buf, "\npowerctl_node_state{%s,state=\"%s\"} %d",
				m->samples[i].labels, pctl_power_state_name(states[k]),
				m->samples[i].state == states[k]);
}

static void write_nodes(const struct metrics *m, struct pctl_buf *buf)
{
	add_head(buf, "powerctl_node_up", "gauge",
		"Whether the node's power state could be read. None for a node in maintenance.");
	for (size_t i = 0; i < m->n; i++)
		if (!skipped(&m->samples[i]))
			pctl_buf_addf(buf, "\npowerctl_node_up{%s} %d", m->samples[i].labels,
				m->samples[i].state != PCTL_POWER_UNKNOWN);
	add_head(buf, "powerctl_node_maintenance", "gauge",
		"Whether the node was left out because it is in maintenance.");
	for (size_t i = 0; i < m->n; i++)
		pctl_buf_addf(buf, "\npowerctl_node_maintenance{%s} %d", m->samples[i].labels,
			skipped(&m->samples[i]));
	add_head(buf, "powerctl_node_error", "gauge",
		"1 for the class of error with which reading the node failed.");
	for (size_t i = 0; i < m->n; i++)
		if (m->samples[i].error && !skipped(&m->samples[i]))
			pctl_buf_addf(buf, "\npowerctl_node_error{%s,class=\"%s\"} 1",
				m->samples[i].labels, pctl_error_name(m->samples[i].error));
}

static void write_counts(const struct metrics *m, struct pctl_buf *buf)
{
	size_t by_state[STATES] = { 0 }, by_class[TALLY_CLASSES] = { 0 };

	for (size_t i = 0; i < m->n; i++) {
		const struct sample *s = &m->samples[i];
		size_t class = (size_t)-s->error;

		by_class[class < TALLY_CLASSES ? class : (size_t)-PCTL_E_INTERNAL]++;
		for (size_t k = 0; k < STATES && !skipped(s); k++)
			by_state[k] += s->state == states[k];
	}
	add_head(buf, "powerctl_nodes", "gauge", "Nodes by what became of them.");
	for (size_t k = 0; k < STATES; k++)
		pctl_buf_addf(buf, "\npowerctl_nodes{state=\"%s\"} %zu",
			pctl_power_state_name(states[k]), by_state[k]);
	pctl_buf_addf(
		buf, "\npowerctl_nodes{state=\"maintenance\"} %zu", by_class[-PCTL_E_SKIPPED]);
	add_head(buf, "powerctl_errors", "gauge",
		"Nodes that could not be read, by class of error.");
	for (size_t i = 1; i < TALLY_CLASSES; i++)
		if (i != (size_t)-PCTL_E_SKIPPED)
			pctl_buf_addf(buf, "\npowerctl_errors{class=\"%s\"} %zu",
				pctl_error_name(-(int)i), by_class[i]);
}

/* Bounds in ms: a local BMC answers in some 10, a sleeping engine in 6,000, the verb ends at
 * 15,000. */
static void write_times(const struct metrics *m, struct pctl_buf *buf)
{
	static const uint64_t bounds[] = { 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000,
		15000, 30000 };
	size_t asked = 0;
	uint64_t sum = 0;

	add_head(buf, "powerctl_node_duration_seconds", "histogram",
		"How long reading a node took, over the nodes of this run.");
	for (size_t i = 0; i < m->n; i++) {
		asked += !skipped(&m->samples[i]);
		sum += skipped(&m->samples[i]) ? 0 : m->samples[i].took_ms;
	}
	for (size_t b = 0; b < sizeof(bounds) / sizeof(bounds[0]); b++) {
		size_t within = 0;

		for (size_t i = 0; i < m->n; i++)
			within += !skipped(&m->samples[i]) && m->samples[i].took_ms <= bounds[b];
		pctl_buf_addf(buf, "\npowerctl_node_duration_seconds_bucket{le=\"%g\"} %zu",
			(double)bounds[b] / 1000, within);
	}
	pctl_buf_addf(buf, "\npowerctl_node_duration_seconds_bucket{le=\"+Inf\"} %zu", asked);
	pctl_buf_adds(buf, "\npowerctl_node_duration_seconds_sum ");
	add_seconds(buf, sum);
	pctl_buf_addf(buf, "\npowerctl_node_duration_seconds_count %zu", asked);
}

static void write_run(const struct metrics_run *run, struct pctl_buf *buf)
{
	add_head(buf, "powerctl_run_success", "gauge",
		"Whether every node could be read; a node in maintenance does not count.");
	pctl_buf_addf(buf, "\npowerctl_run_success %d", run->success);
	add_head(buf, "powerctl_run_duration_seconds", "gauge", "How long the run took.");
	pctl_buf_adds(buf, "\npowerctl_run_duration_seconds ");
	add_seconds(buf, run->took_ms);
	add_head(buf, "powerctl_run_timestamp_seconds", "gauge",
		"When the run ended, in seconds since 1970.");
	pctl_buf_adds(buf, "\npowerctl_run_timestamp_seconds ");
	add_seconds(buf, run->ended_ms);
	add_head(buf, "powerctl_build_info", "gauge", "1; the version that wrote this.");
	pctl_buf_adds(buf, "\npowerctl_build_info{version=\"" POWERCTL_VERSION "\"} 1");
}

void metrics_write(struct metrics *m, const struct metrics_run *run, struct pctl_buf *ret)
{
	if (m->n)
		qsort(m->samples, m->n, sizeof(*m->samples), by_order);
	write_states(m, ret);
	write_nodes(m, ret);
	write_counts(m, ret);
	write_times(m, ret);
	write_run(run, ret);
}

/* --- Files. ----------------------------------------------------------------------------------- */

/* A link stays, and what it points to is replaced. free() it. */
static char *target_of(const char *path)
{
	char *real = realpath(path, NULL);

	return real ? real : pctl_xstrdup(path);
}

static bool is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

int metrics_check_file(const char *path, struct pctl_error *err)
{
	PCTL_AUTO(free) char *target = target_of(path);
	PCTL_AUTO(free) char *copy = pctl_xstrdup(target);
	const char *folder = dirname(copy);
	struct stat st;

	if (!*path)
		return pctl_error_set(err, PCTL_E_CONFIG, "-o: the name of the file is empty");
	if (is_special(target))
		return 0;
	if (stat(target, &st) == 0 && S_ISDIR(st.st_mode))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"-o: %s is a folder; name a file in it, as %s/powerctl.prom", path, path);
	if (access(folder, W_OK | X_OK) < 0)
		return pctl_error_set(err, PCTL_E_CONFIG, "-o: no file can be made in %s: %s",
			folder, strerror(errno));
	return 0;
}

static int save_special(const char *path, const struct pctl_buf *text, struct pctl_error *err)
{
	/* A pipe that nobody reads is a failure, and nothing to wait for. */
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
	bool bad = fd < 0 || fcntl(fd, F_SETFL, O_WRONLY) < 0 ||
		   pctl_file_write(fd, text->data, text->len) < 0;
	int r = bad ? pctl_error_set(err, PCTL_E_INTERNAL, "%s cannot be written: %s", path,
			      strerror(errno))
		    : 0;

	if (fd >= 0)
		(void)close(fd);
	return r;
}

int metrics_save(const char *path, const struct pctl_buf *text, struct pctl_error *err)
{
	if (is_special(path))
		return save_special(path, text, err);
	/* The collector reads what ends in .prom: not the new file beside it. */
	return pctl_file_replace(path, text->data, text->len, 0644, NULL, err);
}
