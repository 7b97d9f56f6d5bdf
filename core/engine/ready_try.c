/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ready_try.h"

#include <stdio.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "base/command.h"
#include "engine/ready.h"

#define SAID_SIZE 128u

struct pctl_ready_try {
	const struct pctl_target *target;
	pctl_ready_tried_fn *done;
	void *data;
	char why[PCTL_READY_WHY_SIZE];
	bool passed, dropped;
	uv_timer_t limit;

	const struct sockaddr_storage *addrs; /* to connect to; NULL: a command */
	size_t n, next;
	uv_tcp_t tcp;
	uv_connect_t connect;

	struct pctl_program *program; /* NULL: a connection, or it is gone */
};

static struct pctl_core *core_of(const struct pctl_ready_try *try)
{
	return try->target->core;
}

static struct pctl_ready_try *new_try(
	const struct pctl_target *target, pctl_ready_tried_fn *done, void *data)
{
	struct pctl_ready_try *try = pctl_xcalloc(1, sizeof(*try));

	try->target = target;
	try->done = done;
	try->data = data;
	(void)uv_timer_init(target->core->loop, &try->limit);
	try->limit.data = try;
	return try;
}

/* --- The end. --------------------------------------------------------------------------------- */

static void on_limit_closed(uv_handle_t *handle)
{
	struct pctl_ready_try *try = handle->data;
	pctl_ready_tried_fn *done = try->done;
	void *data = try->data;
	char why[PCTL_READY_WHY_SIZE];
	bool passed = try->passed;

	(void)snprintf(why, sizeof(why), "%s", try->why);
	free(try);
	done(data, passed ? NULL : why);
}

static void end(struct pctl_ready_try *try)
{
	uv_close((uv_handle_t *)&try->limit, on_limit_closed);
}

/* --- A connection. ---------------------------------------------------------------------------- */

static void connect_next(struct pctl_ready_try *try);

static void on_tcp_closed(uv_handle_t *handle)
{
	struct pctl_ready_try *try = handle->data;

	if (!try->passed && !try->dropped && try->next < try->n)
		connect_next(try);
	else
		end(try);
}

static void close_tcp(struct pctl_ready_try *try)
{
	(void)uv_timer_stop(&try->limit);
	if (!uv_is_closing((uv_handle_t *)&try->tcp))
		uv_close((uv_handle_t *)&try->tcp, on_tcp_closed);
}

/* What the connection came to; the host is not in it, so that equal texts of many nodes fold. */
static void on_connected(uv_connect_t *req, int status)
{
	struct pctl_ready_try *try = pctl_container_of(req, struct pctl_ready_try, connect);

	if (status == UV_ECANCELED)
		return; /* the limit, or dropped: that is said already */
	try->passed = status == 0;
	if (status < 0)
		(void)snprintf(try->why, sizeof(try->why), "%s at port %u", uv_strerror(status),
			(unsigned)try->target->ready.port);
	close_tcp(try);
}

static void on_connect_late(uv_timer_t *timer)
{
	struct pctl_ready_try *try = timer->data;

	(void)snprintf(try->why, sizeof(try->why), "no answer at port %u",
		(unsigned)try->target->ready.port);
	close_tcp(try);
}

static void connect_next(struct pctl_ready_try *try)
{
	const struct sockaddr *addr = (const struct sockaddr *)&try->addrs[try->next++];

	(void)uv_tcp_init(core_of(try)->loop, &try->tcp);
	try->tcp.data = try;
	int r = uv_tcp_connect(&try->connect, &try->tcp, addr, on_connected);
	if (r < 0) {
		on_connected(&try->connect, r);
		return;
	}
	(void)uv_timer_start(&try->limit, on_connect_late, try->target->ready.connect_ms, 0);
}

struct pctl_ready_try *pctl_ready_connect(const struct pctl_target *target,
	const struct sockaddr_storage *addrs, size_t n, pctl_ready_tried_fn *done, void *data)
{
	struct pctl_ready_try *try = new_try(target, done, data);

	try->addrs = addrs;
	try->n = n;
	connect_next(try);
	return try;
}

/* --- A command. ------------------------------------------------------------------------------- */

static const char *name_of(const struct pctl_ready_try *try)
{
	return pctl_value_text(pctl_value_at(try->target->ready.command, 0));
}

static void on_ended(void *data, const struct pctl_program_result *result)
{
	struct pctl_ready_try *try = data;
	const char *colon = *result->last ? ": " : "";
	char limit[32];

	try->program = NULL;
	try->passed = result->end == PCTL_PROGRAM_EXITED && result->status == 0;
	if (result->end == PCTL_PROGRAM_EXITED)
		(void)snprintf(try->why, sizeof(try->why), "'%.60s' ended with %d%s%.100s",
			name_of(try), result->status, colon, result->last);
	else if (result->end == PCTL_PROGRAM_SIGNALED)
		(void)snprintf(try->why, sizeof(try->why), "'%.60s' was killed by signal %d",
			name_of(try), result->status);
	else if (result->end == PCTL_PROGRAM_LATE) {
		pctl_format_duration(try->target->ready.command_ms, limit, sizeof(limit));
		(void)snprintf(try->why, sizeof(try->why), "'%.60s' did not end in %s",
			name_of(try), limit);
	} else {
		(void)snprintf(try->why, sizeof(try->why), "%.190s", result->err.text);
	}
	end(try);
}

static void run(struct pctl_ready_try *try, const char *const *told)
{
	const struct pctl_target *target = try->target;
	PCTL_AUTO(pctl_command_free_argv) char **argv = pctl_command_argv(target->ready.command);
	const struct pctl_program_options options = {
		.size = sizeof(options),
		.flags = PCTL_PROGRAM_AS_TYPED | PCTL_PROGRAM_MERGE,
		.argv = (const char *const *)argv,
		.environment = told,
		.timeout_ms = target->ready.command_ms,
		.said_max = SAID_SIZE,
	};

	try->program = pctl_program_run(target->core, &options, on_ended, try);
}

struct pctl_ready_try *pctl_ready_run(
	const struct pctl_target *target, pctl_ready_tried_fn *done, void *data)
{
	struct pctl_ready_try *try = new_try(target, done, data);
	char *told[] = {
		pctl_xasprintf("POWERCTL_NODE=%s", target->name),
		pctl_xasprintf("POWERCTL_HOST=%s", target->ready.host),
		pctl_xasprintf("POWERCTL_ADDRESS=%s", target->address),
		pctl_xasprintf("POWERCTL_DRIVER=%s", target->loaded->driver->name),
		NULL,
	};

	run(try, (const char *const *)told);
	for (char **text = told; *text; text++)
		free(*text);
	return try;
}

void pctl_ready_try_drop(struct pctl_ready_try *try)
{
	if (try->dropped)
		return;
	try->dropped = true;
	(void)snprintf(try->why, sizeof(try->why), "not tried to the end");
	if (try->addrs) {
		close_tcp(try);
	} else if (try->program) {
		pctl_program_abort(try->program);
		try->program = NULL;
		end(try);
	}
}
