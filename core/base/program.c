/* SPDX-License-Identifier: Apache-2.0 */
#include "base/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>

#include "base/command.h"
#include "base/spawn.h"

#define AT_A_TIME 32u
#define GRACE_MS  1000u /* between SIGTERM and SIGKILL, and until it is given up */
#define MARGIN_MS 1000u /* of an op's time: for that, and for telling of it */
#define LEAST_MS  200u  /* with less of it a program would only be killed in the middle */
#define SAID_SIZE 4096u
#define CHUNK     4096u
#define DRAIN_MAX 64u /* chunks read at its end; more can only come from who got away */

enum stage { WAITS, RUNS, TOLD, SHOT, ENDED };

/* What is watched: a pipe that it prints to, or its life. */
struct stream {
	uv_poll_t poll;
	int fd;    /* below 0: none */
	bool open; /* poll is libuv's */
};

struct list {
	struct pctl_program *first, **end;
};

struct pctl_program {
	struct pctl_programs *line;
	struct pctl_program *next, **link; /* of those that wait, or that run */
	struct pctl_program_options options;
	char **argv, **more;
	struct pctl_buf input, out, said;
	pctl_program_done_fn *done; /* NULL: aborted */
	void *data;

	enum stage stage;
	enum pctl_program_end end;
	int status;
	struct pctl_error err; /* code 0 unless it was not started */
	pid_t pid;
	uv_timer_t timer;
	struct stream life, prints, says;
	unsigned handles;
};

struct pctl_programs {
	uv_loop_t *loop;
	unsigned max, running;
	struct list waiting, going;
	bool closing;
	void (*closed)(void *data);
	void *closed_data;
};

/* --- Lists. ----------------------------------------------------------------------------------- */

static void append(struct list *list, struct pctl_program *p)
{
	p->next = NULL;
	p->link = list->end;
	*p->link = p;
	list->end = &p->next;
}

static void take_out(struct list *list, struct pctl_program *p)
{
	*p->link = p->next;
	if (p->next)
		p->next->link = p->link;
	else
		list->end = p->link;
}

static size_t count(const char *const *texts)
{
	size_t n = 0;

	while (texts[n])
		n++;
	return n;
}

static char **copy_texts(const char *const *texts)
{
	size_t n = texts ? count(texts) : 0;
	char **copy = pctl_xcalloc(n + 1, sizeof(*copy));

	for (size_t i = 0; i < n; i++)
		copy[i] = pctl_xstrdup(texts[i]);
	return copy;
}

/* What it may see of our environment behind what the caller adds; free() it alone. */
static char **environment(char *const *more)
{
	static const char *const kept[] = { "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LC_MESSAGES",
		"LOGNAME", "PATH", "TMPDIR", "TZ", "USER" };
	const size_t kept_n = sizeof(kept) / sizeof(kept[0]);
	size_t n = count((const char *const *)more);
	char **env = pctl_xcalloc(n + kept_n + 1, sizeof(*env));

	memcpy(env, more, n * sizeof(*env));
	for (size_t i = 0; i < kept_n; i++) {
		char *value = getenv(kept[i]);

		if (value) /* what stands before it is its name */
			env[n++] = value - strlen(kept[i]) - 1;
	}
	return env;
}

/* --- The end. --------------------------------------------------------------------------------- */

static void free_program(struct pctl_program *p)
{
	pctl_command_free_argv(p->argv);
	pctl_command_free_argv(p->more);
	pctl_buf_done(&p->input);
	pctl_buf_done(&p->out);
	pctl_buf_done(&p->said);
	free(p);
}

static void tell(struct pctl_program *p)
{
	char last[PCTL_PROGRAM_LAST_SIZE];

	if (!p->done)
		return;
	if (p->options.op)
		pctl_op_runs(p->options.op, NULL);
	pctl_program_redact(p->said.data, p->said.len, p->options.secrets);
	pctl_program_last_line(&p->said, last);
	struct pctl_program_result result = {
		.size = sizeof(result),
		.end = p->end,
		.status = p->status,
		.out = p->out.data,
		.out_len = p->out.len,
		.said = p->said.data,
		.said_len = p->said.len,
		.last = last,
		.err = p->err,
	};
	if (!result.err.code)
		pctl_program_explain(p->argv[0], &p->options, last, &result);
	p->done(p->data, &result);
}

static void begin_next(struct pctl_programs *line);

static void on_part_closed(uv_handle_t *handle)
{
	struct pctl_program *p = handle->data;
	struct pctl_programs *line = p->line;

	if (--p->handles > 0)
		return;
	take_out(&line->going, p);
	tell(p); /* inside, its place is still taken: line stays whoever closes it */
	free_program(p);
	line->running--;
	begin_next(line);
	if (!line->closing || line->running)
		return;
	void (*closed)(void *data) = line->closed;
	void *data = line->closed_data;
	free(line);
	closed(data);
}

static void close_stream(struct stream *s)
{
	if (s->open)
		uv_close((uv_handle_t *)&s->poll, on_part_closed);
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
}

static void close_parts(struct pctl_program *p)
{
	p->stage = ENDED;
	uv_close((uv_handle_t *)&p->timer, on_part_closed);
	close_stream(&p->life);
	close_stream(&p->prints);
	close_stream(&p->says);
}

/* --- While it runs. --------------------------------------------------------------------------- */

/* Its group is there as long as nobody has waited for it. */
static void signal_group(const struct pctl_program *p, int signum)
{
	(void)kill(-p->pid, signum);
}

static void on_time(uv_timer_t *timer);

/* From SIGTERM to SIGKILL; what is left then of its op's time is for its end to be seen. */
static uint64_t grace_of(const struct pctl_program *p)
{
	uint64_t left = p->options.op ? pctl_op_time_left(p->options.op) / 4 * 3 : GRACE_MS;

	return left < GRACE_MS ? left : GRACE_MS;
}

/* Why is what is told, unless something was before. */
static void stop(struct pctl_program *p, enum pctl_program_end why)
{
	if (p->stage != RUNS)
		return;
	p->stage = TOLD;
	p->end = why;
	signal_group(p, SIGTERM);
	(void)uv_timer_start(&p->timer, on_time, grace_of(p), 0);
}

static void on_time(uv_timer_t *timer)
{
	struct pctl_program *p = timer->data;

	if (p->stage == RUNS) {
		stop(p, PCTL_PROGRAM_LATE);
	} else if (p->stage == TOLD) {
		p->stage = SHOT;
		signal_group(p, SIGKILL);
		(void)uv_timer_start(&p->timer, on_time, GRACE_MS, 0);
	} else {
		close_parts(p);
	}
}

/* Keeps the end of what comes. */
static void keep_end(struct pctl_buf *said, char *bytes, size_t n)
{
	if (n > said->max) {
		bytes += n - said->max;
		n = said->max;
	}
	size_t old = said->len < said->max - n ? said->len : said->max - n;
	memmove(said->data, said->data + said->len - old, old);
	pctl_buf_cut(said, old);
	pctl_buf_add(said, bytes, n);
}

/* One chunk of it. False: there is nothing now, or never again. */
static bool read_some(struct pctl_program *p, struct stream *s)
{
	char chunk[CHUNK];
	ssize_t n = s->fd >= 0 ? read(s->fd, chunk, sizeof(chunk)) : 0;

	if (n > 0 && s == &p->prints)
		pctl_buf_add(&p->out, chunk, (size_t)n);
	else if (n > 0)
		keep_end(&p->said, chunk, (size_t)n);
	else if (n == 0 && s->open)
		(void)uv_poll_stop(&s->poll);
	explicit_bzero(chunk, sizeof(chunk));
	return n > 0;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct pctl_program *p = poll->data;

	(void)events;
	if (status < 0)
		(void)uv_poll_stop(poll);
	else
		(void)read_some(p, pctl_container_of(poll, struct stream, poll));
	if (p->out.full)
		stop(p, PCTL_PROGRAM_NOISY);
}

static void drain(struct pctl_program *p, struct stream *s)
{
	for (unsigned i = 0; i < DRAIN_MAX && read_some(p, s); i++)
		continue;
}

static void on_gone(uv_poll_t *poll, int status, int events)
{
	struct pctl_program *p = poll->data;
	int how = 0;

	(void)status, (void)events;
	signal_group(p, SIGKILL); /* what it leaves; before its number can be another's */
	while (waitpid(p->pid, &how, 0) < 0 && errno == EINTR)
		continue;
	drain(p, &p->prints);
	drain(p, &p->says);
	if (p->stage == RUNS && p->out.full) {
		p->end = PCTL_PROGRAM_NOISY;
	} else if (p->stage == RUNS) {
		p->end = WIFSIGNALED(how) ? PCTL_PROGRAM_SIGNALED : PCTL_PROGRAM_EXITED;
		p->status = WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how);
	}
	close_parts(p);
}

/* --- Its start. ------------------------------------------------------------------------------- */

static int fail_start(struct pctl_program *p, int errnum)
{
	if (pctl_error_shortage(&p->err, errnum))
		return p->err.code;
	if (errnum == EAGAIN)
		return pctl_error_set(&p->err, PCTL_E_INTERNAL,
			"cannot run '%.100s': too many processes", p->argv[0]);
	return pctl_error_set(&p->err, PCTL_E_CONFIG, "cannot run '%.100s': %s%s", p->argv[0],
		strerror(errnum),
		errnum == ENOENT && *p->argv[0] == '/' ? " (it, or what its first line names)"
						       : "");
}

uint64_t pctl_program_time(const struct pctl_op *op)
{
	uint64_t left = pctl_op_time_left(op);

	return left - (left / 8 < MARGIN_MS ? left / 8 : MARGIN_MS);
}

/* Its time is its op's. */
static int check_time(struct pctl_program *p)
{
	const struct pctl_op *op = p->options.op;
	uint64_t most = op ? pctl_program_time(op) : 0;

	if (!op)
		return 0;
	if (pctl_op_time_left(op) < LEAST_MS)
		return pctl_error_set(
			&p->err, PCTL_E_TIMEOUT, "no time was left to run %.100s", p->argv[0]);
	if (!p->options.timeout_ms || p->options.timeout_ms > most)
		p->options.timeout_ms = most;
	return 0;
}

static int check_options(struct pctl_program *p)
{
	const char *name = p->argv[0];

	if (!name || !*name)
		return pctl_error_set(&p->err, PCTL_E_CONFIG, "there is no program to run");
	if (strchr(name, '/') && *name != '/' && !(p->options.flags & PCTL_PROGRAM_AS_TYPED))
		return pctl_error_set(&p->err, PCTL_E_CONFIG,
			"cannot run '%.100s': write its path in full", name);
	if (p->input.full)
		return pctl_error_set(&p->err, PCTL_E_CONFIG,
			"'%.100s' would be given more than %zu bytes", name, p->input.max);
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* A pipe that holds the input and ends there: nobody has to write any more. 0, or an errno. */
static int fill_input(struct pctl_program *p, int *ret_fd)
{
	int fds[2];
	int r = p->input.len ? pctl_spawn_pipe(fds) : 0;

	if (r != 0 || !p->input.len)
		return r;
	(void)fcntl(fds[1], F_SETPIPE_SZ, (int)PCTL_PROGRAM_INPUT_MAX);
	(void)fcntl(fds[1], F_SETFL, O_NONBLOCK);
	ssize_t n = write(fds[1], p->input.data, p->input.len);
	(void)close(fds[1]);
	if (n != (ssize_t)p->input.len) {
		(void)close(fds[0]);
		return ENOBUFS;
	}
	pctl_buf_done(&p->input);
	pctl_buf_init_secret(&p->input, 0);
	*ret_fd = fds[0];
	return 0;
}

/* A pipe whose other end is the program's. 0, or an errno value. */
static int open_stream(struct stream *s, int *ret_theirs)
{
	int fds[2];
	int r = pctl_spawn_pipe(fds);

	if (r != 0)
		return r;
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	s->fd = fds[0];
	*ret_theirs = fds[1];
	return 0;
}

static int spawn(struct pctl_program *p)
{
	bool typed = p->options.flags & PCTL_PROGRAM_AS_TYPED;
	bool merge = p->options.flags & PCTL_PROGRAM_MERGE;
	PCTL_AUTO(free)
	char **env = typed ? pctl_command_environment(p->more, count((const char *const *)p->more))
			   : environment(p->more);
	struct pctl_spawn spawn = { .argv = p->argv,
		.env = env,
		.in = -1,
		.out = -1,
		.said = -1,
		.session = true,
		.apart = !typed };
	int r = fill_input(p, &spawn.in);

	if (r == 0)
		r = open_stream(&p->says, &spawn.said);
	if (r == 0 && !merge)
		r = open_stream(&p->prints, &spawn.out);
	if (merge)
		spawn.out = spawn.said;
	if (r == 0)
		r = pctl_spawn(&spawn, &p->pid);
	close_fd(&spawn.in);
	close_fd(&spawn.said);
	if (!merge)
		close_fd(&spawn.out);
	return r == 0 ? 0 : fail_start(p, r);
}

static void watch(struct pctl_program *p, struct stream *s, uv_poll_cb on_event)
{
	if (s->fd < 0 || uv_poll_init(p->line->loop, &s->poll, s->fd) < 0)
		return;
	s->open = true;
	s->poll.data = p;
	p->handles++;
	(void)uv_poll_start(&s->poll, UV_READABLE, on_event);
}

/* It runs, but nobody could see its end. */
static void give_up(struct pctl_program *p)
{
	signal_group(p, SIGKILL);
	while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	(void)pctl_error_set(&p->err, PCTL_E_INTERNAL,
		"'%.100s' cannot be waited for and was killed", p->argv[0]);
	p->end = PCTL_PROGRAM_SIGNALED;
	p->status = SIGKILL;
	close_parts(p);
}

static void begin(struct pctl_program *p)
{
	(void)uv_timer_init(p->line->loop, &p->timer);
	p->timer.data = p;
	p->handles = 1;
	p->stage = RUNS;
	p->line->running++;
	append(&p->line->going, p);
	if (p->options.op)
		pctl_op_goes_on(p->options.op);
	int r = check_options(p);
	if (r == 0)
		r = check_time(p);
	if (r == 0 && p->options.starting)
		p->options.starting(p->data);
	if (r == 0)
		r = spawn(p);
	if (r < 0) {
		p->end = PCTL_PROGRAM_NOT_STARTED;
		close_parts(p);
		return;
	}
	if (p->options.op)
		pctl_op_runs(p->options.op, p->argv[0]);
	p->life.fd = pidfd_open(p->pid, 0);
	watch(p, &p->life, on_gone);
	if (!p->life.open) {
		give_up(p);
		return;
	}
	watch(p, &p->prints, on_readable);
	watch(p, &p->says, on_readable);
	uv_update_time(p->line->loop); /* starting many takes its time */
	(void)uv_timer_start(&p->timer, on_time, p->options.timeout_ms, 0);
}

static void begin_next(struct pctl_programs *line)
{
	struct pctl_program *p = line->waiting.first;

	if (!p || line->running >= line->max || line->closing)
		return;
	take_out(&line->waiting, p);
	begin(p);
}

/* --- Its owner. ------------------------------------------------------------------------------- */

struct pctl_programs *pctl_programs_new(uv_loop_t *loop, unsigned max)
{
	struct pctl_programs *line = pctl_xcalloc(1, sizeof(*line));

	line->loop = loop;
	line->max = max ? max : AT_A_TIME;
	line->waiting.end = &line->waiting.first;
	line->going.end = &line->going.first;
	return line;
}

struct pctl_program *pctl_programs_run(struct pctl_programs *line,
	const struct pctl_program_options *options, pctl_program_done_fn *done, void *data)
{
	struct pctl_program *p = pctl_xcalloc(1, sizeof(*p));
	size_t said = options->said_max ? options->said_max : SAID_SIZE;

	p->line = line;
	p->options = *options;
	p->argv = copy_texts(options->argv);
	p->more = copy_texts(options->environment);
	pctl_buf_init_secret(&p->input, PCTL_PROGRAM_INPUT_MAX);
	pctl_buf_init_secret(&p->out, options->out_max);
	pctl_buf_init_secret(&p->said, said < PCTL_PROGRAM_SAID_MAX ? said : PCTL_PROGRAM_SAID_MAX);
	if (options->input_len)
		pctl_buf_add(&p->input, options->input, options->input_len);
	p->done = done;
	p->data = data;
	p->life.fd = p->prints.fd = p->says.fd = -1;
	append(&line->waiting, p);
	if (options->op)
		pctl_op_waits(options->op);
	begin_next(line);
	return p;
}

/* Nobody wants to know its end any more. */
static void stop_unheard(struct pctl_program *p)
{
	p->done = NULL;
	p->options.secrets = NULL;
	p->options.op = NULL;
	stop(p, PCTL_PROGRAM_LATE);
}

void pctl_program_abort(struct pctl_program *p)
{
	if (p->stage == WAITS) {
		take_out(&p->line->waiting, p);
		free_program(p);
	} else {
		stop_unheard(p);
	}
}

bool pctl_program_is_started(const struct pctl_program *p)
{
	return p->stage != WAITS;
}

void pctl_programs_close(struct pctl_programs *line, void (*closed)(void *data), void *data)
{
	while (line->waiting.first) /* which the one before has left; NOLINTNEXTLINE(*.Malloc) */
		pctl_program_abort(line->waiting.first);
	if (!line->running) {
		free(line);
		closed(data);
		return;
	}
	line->closing = true;
	line->closed = closed;
	line->closed_data = data;
	for (struct pctl_program *p = line->going.first; p; p = p->next)
		stop_unheard(p);
}

void pctl_program_interrupt(struct pctl_program *p)
{
	stop(p, PCTL_PROGRAM_INTERRUPTED);
}
