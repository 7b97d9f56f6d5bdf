/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ssh runs on a terminal of its own, of which the session has our side. ssh makes that raw when it
 * is logged in and not before, which is what tells us. Its standard error is a pipe: what it says
 * itself is not what the device says.
 */
#include "node/ssh_login.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <powerctl/log.h>
#include <powerctl/mem.h>

#include "base/command.h"
#include "base/program.h"
#include "base/spawn.h"
#include "node/core.h"
#include "node/ssh_args.h"
#include "node/ssh_terminal.h"

#define SAID_MAX    8192u
#define LOOK_MS     20u
#define REST_MS     300u  /* what was shown has come to rest */
#define SILENT_MS   3000u /* nothing is shown: the command is typed all the same */
#define RESTLESS_MS 5000u /* it never rests: likewise */
#define LEAVE_MS    800u  /* between SIGTERM and SIGKILL, and until it is given up */
#define HANDLES     3u

enum stage {
	LOGS_IN,
	TYPES,   /* it is logged in, and has a command to be typed */
	OPEN,    /* its user has the descriptor */
	GONE,    /* it ended by itself, and its user was told */
	LEAVING, /* its user has closed it, or it was aborted */
};

struct pctl_ssh {
	struct pctl_session session;
	struct pctl_ssh_logins *all;
	const struct pctl_device *device; /* NULL: nobody has us any more, and it may be closed */
	enum stage stage;
	bool open; /* there was a session */
	bool ours; /* we ended it: what it says then is no reason */
	bool shot, reaped;
	bool told; /* opened or ended was called with how it ended, or nobody is to be told */
	pid_t pid;
	int pidfd, out;
	unsigned handles;
	uv_poll_t life, says;
	uv_timer_t timer;
	struct pctl_ssh_answer answer;
	char *command;
	int shown;         /* bytes that wait at the terminal */
	uint64_t shown_at; /* loop time when that became so many */
	uint64_t in_at;    /* and when it was logged in */
	char *typed;       /* what a person types to get there */
	char said[SAID_MAX];
	size_t said_n, logged_n;
	struct pctl_error why;
	pctl_ssh_opened_fn *opened;
	void *data;
};

struct pctl_ssh_logins {
	uv_loop_t *loop;
	size_t running;
	unsigned serial;
	pctl_closed_fn *closed;
	void *data;
};

struct pctl_ssh_logins *pctl_ssh_logins_new(uv_loop_t *loop)
{
	struct pctl_ssh_logins *all = pctl_xcalloc(1, sizeof(*all));

	all->loop = loop;
	return all;
}

static void free_all(struct pctl_ssh_logins *all)
{
	pctl_closed_fn *closed = all->closed;
	void *data = all->data;

	free(all);
	closed(data);
}

void pctl_ssh_logins_close(struct pctl_ssh_logins *all, pctl_closed_fn *closed, void *data)
{
	all->closed = closed;
	all->data = data;
	if (!all->running)
		free_all(all);
}

/* --- How it ended, in words. ------------------------------------------------------------------ */

static enum pctl_ssh_password password_of(const struct pctl_ssh *ssh)
{
	if (ssh->answer.fd < 0)
		return PCTL_SSH_PASSWORD_NONE;
	return pctl_ssh_answer_taken(&ssh->answer) ? PCTL_SSH_PASSWORD_TAKEN
						   : PCTL_SSH_PASSWORD_KEPT;
}

static void explain(struct pctl_ssh *ssh, int status)
{
	char shown[PCTL_PROGRAM_LAST_SIZE] = "";
	const char *space = strchr(ssh->typed, ' ');

	if (!ssh->open)
		pctl_ssh_terminal_last_line(ssh->session.fd, shown);
	const struct pctl_ssh_end end = { .said = ssh->said,
		.status = status,
		.spot = space ? space + 1 : "",
		.open = ssh->open,
		.password = password_of(ssh),
		.no_password = ssh->answer.missing,
		.shown = shown };
	(void)pctl_ssh_explain_end(&end, &ssh->why);
}

/* --- The end. --------------------------------------------------------------------------------- */

static void signal_group(const struct pctl_ssh *ssh, int signum)
{
	if (!ssh->reaped)
		(void)kill(-ssh->pid, signum);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct pctl_ssh *ssh = handle->data;
	struct pctl_ssh_logins *all = ssh->all;

	if (--ssh->handles > 0)
		return;
	if (!ssh->told && ssh->session.ended)
		ssh->session.ended(ssh->session.data, &ssh->why);
	pctl_value_free(ssh->session.facts);
	if (ssh->session.fd >= 0)
		(void)close(ssh->session.fd);
	(void)close(ssh->pidfd);
	(void)close(ssh->out);
	pctl_ssh_answer_done(&ssh->answer);
	free(ssh->command);
	free(ssh->typed);
	explicit_bzero(ssh->said, sizeof(ssh->said));
	free(ssh);
	if (--all->running == 0 && all->closed)
		free_all(all);
}

static void dispose(struct pctl_ssh *ssh)
{
	uv_close((uv_handle_t *)&ssh->life, on_handle_closed);
	uv_close((uv_handle_t *)&ssh->says, on_handle_closed);
	uv_close((uv_handle_t *)&ssh->timer, on_handle_closed);
}

/* Each line once, when it is whole. */
static void log_said(struct pctl_ssh *ssh)
{
	const char *end;

	while ((end = strchr(ssh->said + ssh->logged_n, '\n')) != NULL) {
		const char *line = ssh->said + ssh->logged_n;

		pctl_log(
			PCTL_LOG_DEBUG, ssh->device, "ssh: %.*s", (int)strcspn(line, "\r\n"), line);
		ssh->logged_n = (size_t)(end - ssh->said) + 1;
	}
}

/* Keeps the end of what it says. False: it will say no more. */
static bool hear(struct pctl_ssh *ssh)
{
	char *said = ssh->said;
	ssize_t n;

	for (;;) {
		size_t half = sizeof(ssh->said) / 2;

		if (ssh->said_n > half) {
			size_t gone = ssh->said_n - half;

			memmove(said, said + gone, half);
			ssh->said_n = half;
			ssh->logged_n = ssh->logged_n > gone ? ssh->logged_n - gone : 0;
		}
		n = read(ssh->out, said + ssh->said_n, sizeof(ssh->said) - 1 - ssh->said_n);
		if (n <= 0)
			break;
		ssh->said_n += (size_t)n;
		said[ssh->said_n] = '\0';
		log_said(ssh);
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void on_says(uv_poll_t *poll, int status, int events)
{
	(void)events;
	if (!hear(poll->data) || status < 0)
		(void)uv_poll_stop(poll);
}

/* Nobody has the session yet: its one who asked for it hears why there is none. */
static void fail_to_open(struct pctl_ssh *ssh)
{
	ssh->stage = LEAVING;
	ssh->device = NULL;
	ssh->told = true;
	dispose(ssh);
	ssh->opened(ssh->data, NULL, &ssh->why);
}

static void tell_end(struct pctl_ssh *ssh)
{
	ssh->stage = GONE;
	ssh->device = NULL;
	(void)uv_poll_stop(&ssh->life);
	if (!ssh->session.ended)
		return;
	ssh->told = true;
	ssh->session.ended(ssh->session.data, &ssh->why);
}

static void on_gone(uv_poll_t *poll, int status, int events)
{
	struct pctl_ssh *ssh = poll->data;
	int how = 0;

	(void)status, (void)events;
	signal_group(ssh, SIGKILL); /* what it leaves; before its number can be another's */
	while (waitpid(ssh->pid, &how, 0) < 0 && errno == EINTR)
		continue;
	ssh->reaped = true;
	(void)hear(ssh);
	(void)uv_timer_stop(&ssh->timer);
	if (!ssh->ours)
		explain(ssh, how);
	if (ssh->stage == LEAVING)
		dispose(ssh);
	else if (ssh->stage == OPEN)
		tell_end(ssh);
	else
		fail_to_open(ssh);
}

static void on_leave(uv_timer_t *timer)
{
	struct pctl_ssh *ssh = timer->data;

	if (ssh->shot) { /* it hangs in the kernel */
		dispose(ssh);
		return;
	}
	ssh->shot = true;
	signal_group(ssh, SIGKILL);
	(void)uv_timer_start(&ssh->timer, on_leave, LEAVE_MS, 0);
}

/* Its terminal hangs up, which ends it as well. */
static void leave(struct pctl_ssh *ssh)
{
	ssh->stage = LEAVING;
	ssh->ours = true;
	signal_group(ssh, SIGTERM);
	(void)close(ssh->session.fd);
	ssh->session.fd = -1;
	(void)uv_timer_start(&ssh->timer, on_leave, LEAVE_MS, 0);
}

static void close_session(struct pctl_session *session)
{
	struct pctl_ssh *ssh = pctl_container_of(session, struct pctl_ssh, session);

	if (ssh->stage == GONE) {
		ssh->stage = LEAVING;
		dispose(ssh);
	} else if (pctl_ssh_terminal_hung_up(session->fd)) {
		ssh->stage = LEAVING; /* it is about to end by itself, and will say why */
		(void)uv_timer_start(&ssh->timer, on_leave, LEAVE_MS, 0);
	} else {
		leave(ssh);
	}
}

void pctl_ssh_abort(struct pctl_ssh *ssh)
{
	ssh->told = true;
	ssh->device = NULL;
	leave(ssh);
}

/* --- Until it is open. ------------------------------------------------------------------------ */

static void open_session(struct pctl_ssh *ssh)
{
	ssh->stage = OPEN;
	ssh->open = true;
	(void)uv_timer_stop(&ssh->timer);
	ssh->opened(ssh->data, &ssh->session, NULL);
}

static void type(struct pctl_ssh *ssh)
{
	/* All or nothing of so little; and who hung up shows it at the next turn. */
	if (write(ssh->session.fd, ssh->command, strlen(ssh->command)) > 0)
		open_session(ssh);
}

/*
 * Many a command line throws away what was typed before it asks for something, and none says that
 * it does: what it shows has come to rest then. One that never rests is not waited for.
 */
static void look_for_rest(struct pctl_ssh *ssh)
{
	uint64_t now = uv_now(ssh->all->loop);
	int shown = pctl_ssh_terminal_waiting(ssh->session.fd);

	if (shown != ssh->shown) {
		ssh->shown = shown;
		ssh->shown_at = now;
	}
	if (now - ssh->shown_at >= (ssh->shown > 0 ? REST_MS : SILENT_MS) ||
		now - ssh->in_at >= RESTLESS_MS)
		type(ssh);
}

static void on_look(uv_timer_t *timer)
{
	struct pctl_ssh *ssh = timer->data;

	if (ssh->stage == TYPES) {
		look_for_rest(ssh);
		return;
	}
	if (!pctl_ssh_terminal_logged_in(ssh->session.fd))
		return;
	pctl_log(PCTL_LOG_DEBUG, ssh->device, "ssh: logged in%s",
		pctl_ssh_answer_taken(&ssh->answer) ? ", by the password" : "");
	pctl_ssh_answer_done(&ssh->answer);
	ssh->in_at = ssh->shown_at = uv_now(ssh->all->loop);
	if (ssh->command)
		ssh->stage = TYPES;
	else
		open_session(ssh);
}

static void watch(struct pctl_ssh *ssh)
{
	uv_loop_t *loop = ssh->all->loop;

	ssh->handles = HANDLES;
	(void)uv_poll_init(loop, &ssh->life, ssh->pidfd);
	(void)uv_poll_init(loop, &ssh->says, ssh->out);
	(void)uv_timer_init(loop, &ssh->timer);
	ssh->life.data = ssh->says.data = ssh->timer.data = ssh;
	(void)uv_poll_start(&ssh->life, UV_READABLE, on_gone);
	(void)uv_poll_start(&ssh->says, UV_READABLE, on_says);
	(void)uv_timer_start(&ssh->timer, on_look, LOOK_MS, LOOK_MS);
}

/* --- Its begin. ------------------------------------------------------------------------------- */

static int run(struct pctl_ssh *ssh, const struct pctl_ssh_options *options, const char *host,
	const char *terminal, int said)
{
	struct pctl_ssh_args args;
	bool answers = ssh->answer.fd >= 0;
	PCTL_AUTO(free)
	char **env = pctl_command_environment(ssh->answer.environment, answers ? 3 : 0);

	pctl_ssh_args_init_login(&args, options, host, answers);
	if (pctl_log_enabled(PCTL_LOG_DEBUG)) {
		PCTL_AUTO(free) char *text = pctl_ssh_args_text(&args);

		pctl_log(PCTL_LOG_DEBUG, ssh->device, "%s", text);
	}
	const struct pctl_spawn spawn = { .argv = args.v,
		.env = env,
		.in = -1,
		.out = -1,
		.said = said,
		.terminal = terminal,
		.session = true };
	int r = pctl_spawn(&spawn, &ssh->pid);
	pctl_ssh_args_done(&args);
	return r;
}

static int start(struct pctl_ssh *ssh, const struct pctl_ssh_options *options, const char *host)
{
	char terminal[PCTL_SSH_TERMINAL_NAME];
	int out[2] = { -1, -1 };
	int r = pctl_ssh_terminal_open(&ssh->session.fd, terminal);

	if (r == 0)
		r = pctl_spawn_pipe(out);
	ssh->out = out[0];
	if (r != 0)
		return r;
	(void)fcntl(ssh->out, F_SETFL, O_NONBLOCK);
	r = run(ssh, options, host, terminal, out[1]);
	(void)close(out[1]);
	if (r != 0)
		return r;
	ssh->pidfd = pidfd_open(ssh->pid, 0);
	if (ssh->pidfd >= 0)
		return 0;
	r = errno;
	(void)kill(-ssh->pid, SIGKILL);
	(void)waitpid(ssh->pid, NULL, 0);
	return r;
}

static void undo(struct pctl_ssh *ssh)
{
	if (ssh->session.fd >= 0)
		(void)close(ssh->session.fd);
	if (ssh->out >= 0)
		(void)close(ssh->out);
	pctl_ssh_answer_done(&ssh->answer);
	free(ssh->command);
	free(ssh->typed);
	free(ssh);
}

static int fail_start(int errnum, struct pctl_error *err)
{
	if (pctl_error_shortage(err, errnum))
		return PCTL_E_INTERNAL;
	if (errnum == ENOENT)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"there is no program 'ssh' here: install openssh-client");
	return pctl_error_set(err, PCTL_E_INTERNAL, "cannot run ssh: %s", strerror(errnum));
}

static struct pctl_ssh *new_ssh(struct pctl_device *device, const struct pctl_ssh_options *options)
{
	const char *command = options->command;
	struct pctl_ssh *ssh = pctl_xcalloc(1, sizeof(*ssh));

	ssh->session = (struct pctl_session){ .size = sizeof(ssh->session),
		.fd = -1,
		.controls = pctl_ssh_terminal_controls,
		.close = close_session };
	ssh->all = device->target->core->ssh_logins;
	ssh->device = device;
	ssh->typed = pctl_ssh_typed(device, options);
	ssh->out = ssh->pidfd = -1;
	ssh->command = command && *command ? pctl_xasprintf("%s\r", command) : NULL;
	return ssh;
}

int pctl_ssh_open(struct pctl_device *device, const struct pctl_ssh_options *options,
	pctl_ssh_opened_fn *opened, void *data, struct pctl_ssh **ret, struct pctl_error *err)
{
	PCTL_AUTO(free) char *host = pctl_ssh_host(device);

	if (device->target->dialer != &pctl_dial_direct)
		return pctl_error_set(err, PCTL_E_UNSUPPORTED,
			"it is behind a gateway (via), through which powerctl takes no ssh");
	struct pctl_ssh *ssh = new_ssh(device, options);
	int r = pctl_ssh_answer_init(&ssh->answer, options->password, ssh->all->serial++, err);
	if (r == 0) {
		int errnum = start(ssh, options, host);

		r = errnum ? fail_start(errnum, err) : 0;
	}
	if (r < 0) {
		undo(ssh);
		return r;
	}
	ssh->opened = opened;
	ssh->data = data;
	ssh->all->running++;
	watch(ssh);
	*ret = ssh;
	return 0;
}
