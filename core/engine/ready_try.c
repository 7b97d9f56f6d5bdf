/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ready_try.h"

#include <ctype.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "base/command.h"
#include "engine/ready.h"

#define COMMANDS_MAX 32u /* at a time, of one core */
#define TAIL_SIZE    128u
#define CHUNK        4096u

struct pctl_ready_try {
	const struct pctl_target *target;
	pctl_ready_tried_fn *done;
	void *data;
	char why[PCTL_READY_WHY_SIZE];
	bool passed, dropped;
	unsigned open; /* handles */
	uv_timer_t limit;

	const struct sockaddr_storage *addrs; /* to connect to; NULL: a command */
	size_t n, next;
	uv_tcp_t tcp;
	uv_connect_t connect;

	struct pctl_ready_try *after; /* the one behind in the queue */
	bool queued, runs;
	uv_process_t process;
	uv_pipe_t out;
	char chunk[CHUNK], tail[TAIL_SIZE]; /* of what it prints */
	size_t tail_len;
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

static void run(struct pctl_ready_try *try);

static void begin_next(struct pctl_core *core)
{
	struct pctl_ready_try *try = core->ready_commands.first;

	if (!try || core->ready_commands.running >= COMMANDS_MAX)
		return;
	core->ready_commands.first = try->after;
	try->queued = false;
	run(try);
}

static void on_part_closed(uv_handle_t *handle)
{
	struct pctl_ready_try *try = handle->data;

	if (--try->open > 0)
		return;
	core_of(try)->ready_commands.running--;
	begin_next(core_of(try));
	end(try);
}

/* Keeps the end of what was printed. */
static void keep_tail(struct pctl_ready_try *try, const char *bytes, size_t n)
{
	const size_t room = TAIL_SIZE - 1;

	if (n > room) {
		bytes += n - room;
		n = room;
	}
	size_t old = try->tail_len < room - n ? try->tail_len : room - n;
	memmove(try->tail, try->tail + try->tail_len - old, old);
	memcpy(try->tail + old, bytes, n);
	try->tail_len = old + n;
	try->tail[try->tail_len] = '\0';
}

/* The last line that says something, or "". */
static const char *last_line(struct pctl_ready_try *try)
{
	while (try->tail_len > 0 && isspace((unsigned char)try->tail[try->tail_len - 1]))
		try->tail[--try->tail_len] = '\0';
	const char *line = strrchr(try->tail, '\n');
	return line ? line + 1 : try->tail;
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
	struct pctl_ready_try *try = handle->data;

	(void)wanted;
	*buf = uv_buf_init(try->chunk, sizeof(try->chunk));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct pctl_ready_try *try = stream->data;

	if (n > 0)
		keep_tail(try, buf->base, (size_t)n);
	else if (n < 0)
		(void)uv_read_stop(stream);
}

static void close_parts(struct pctl_ready_try *try)
{
	(void)uv_timer_stop(&try->limit);
	if (try->open > 1)
		uv_close((uv_handle_t *)&try->process, on_part_closed);
	uv_close((uv_handle_t *)&try->out, on_part_closed);
}

static void on_ended(uv_process_t *process, int64_t status, int signum)
{
	struct pctl_ready_try *try = process->data;
	const char *name = pctl_value_text(pctl_value_at(try->target->ready.command, 0));

	try->runs = false; /* what it printed was read before: the loop tells of the end last */
	const char *line = last_line(try);
	try->passed = !*try->why && status == 0 && signum == 0;
	if (!*try->why && signum)
		(void)snprintf(try->why, sizeof(try->why), "'%.60s' was killed by signal %d", name,
			signum);
	else if (!*try->why)
		(void)snprintf(try->why, sizeof(try->why), "'%.60s' ended with %" PRId64 "%s%.100s",
			name, status, *line ? ": " : "", line);
	close_parts(try);
}

static void kill_group(const struct pctl_ready_try *try)
{
	if (try->runs)
		(void)kill(-try->process.pid, SIGKILL);
}

static void on_command_late(uv_timer_t *timer)
{
	struct pctl_ready_try *try = timer->data;
	const char *name = pctl_value_text(pctl_value_at(try->target->ready.command, 0));
	char limit[32];

	pctl_format_duration(try->target->ready.command_ms, limit, sizeof(limit));
	(void)snprintf(try->why, sizeof(try->why), "'%.60s' did not end in %s", name, limit);
	kill_group(try);
}

/* 0, or a negative errno. */
static int spawn(struct pctl_ready_try *try, uv_file out)
{
	const struct pctl_target *target = try->target;
	PCTL_AUTO(pctl_command_free_argv) char **argv = pctl_command_argv(target->ready.command);
	char *told[] = {
		pctl_xasprintf("POWERCTL_NODE=%s", target->name),
		pctl_xasprintf("POWERCTL_HOST=%s", target->ready.host),
		pctl_xasprintf("POWERCTL_ADDRESS=%s", target->address),
		pctl_xasprintf("POWERCTL_DRIVER=%s", target->loaded->driver->name),
	};
	const size_t n = sizeof(told) / sizeof(told[0]);
	PCTL_AUTO(free) char **env = pctl_command_environment(told, n);
	uv_stdio_container_t files[] = {
		{ .flags = UV_IGNORE },
		{ .flags = UV_INHERIT_FD, .data.fd = out },
		{ .flags = UV_INHERIT_FD, .data.fd = out },
	};
	uv_process_options_t options = {
		.exit_cb = on_ended,
		.file = argv[0],
		.args = argv,
		.env = env,
		.flags = UV_PROCESS_DETACHED, /* a group of its own, to be killed as one */
		.stdio_count = sizeof(files) / sizeof(files[0]),
		.stdio = files,
	};

	int r = uv_spawn(core_of(try)->loop, &try->process, &options);
	for (size_t i = 0; i < n; i++)
		free(told[i]);
	return r;
}

static void run(struct pctl_ready_try *try)
{
	uv_file fds[2] = { -1, -1 };
	int r = uv_pipe(fds, UV_NONBLOCK_PIPE, 0);

	core_of(try)->ready_commands.running++;
	try->process.data = try->out.data = try;
	(void)uv_pipe_init(core_of(try)->loop, &try->out, 0);
	try->open = 1;
	if (r == 0) {
		(void)uv_pipe_open(&try->out, fds[0]);
		try->open = 2; /* the process is a handle also where it could not be begun */
		r = spawn(try, fds[1]);
		(void)close(fds[1]);
	}
	if (r < 0) {
		(void)snprintf(try->why, sizeof(try->why), "cannot run '%.60s': %s",
			pctl_value_text(pctl_value_at(try->target->ready.command, 0)),
			uv_strerror(r));
		close_parts(try);
		return;
	}
	try->runs = true;
	(void)uv_read_start((uv_stream_t *)&try->out, on_alloc, on_read);
	(void)uv_timer_start(&try->limit, on_command_late, try->target->ready.command_ms, 0);
}

struct pctl_ready_try *pctl_ready_run(
	const struct pctl_target *target, pctl_ready_tried_fn *done, void *data)
{
	struct pctl_ready_try *try = new_try(target, done, data);
	struct pctl_core *core = target->core;

	try->queued = true;
	if (core->ready_commands.first)
		core->ready_commands.last->after = try;
	else
		core->ready_commands.first = try;
	core->ready_commands.last = try;
	begin_next(core);
	return try;
}

static void leave_queue(struct pctl_ready_try *try)
{
	struct pctl_core *core = core_of(try);
	struct pctl_ready_try **at = &core->ready_commands.first, *before = NULL;

	for (; *at != try; at = &(*at)->after)
		before = *at;
	*at = try->after;
	if (core->ready_commands.last == try)
		core->ready_commands.last = before;
	try->queued = false;
}

void pctl_ready_try_drop(struct pctl_ready_try *try)
{
	if (try->dropped)
		return;
	try->dropped = true;
	(void)snprintf(try->why, sizeof(try->why), "not tried to the end");
	if (try->addrs) {
		close_tcp(try);
	} else if (try->queued) {
		leave_queue(try);
		end(try);
	} else {
		kill_group(try);
	}
}
