/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ssh runs on a terminal of its own, of which the session has our side. ssh makes that raw when it
 * is logged in and not before, which is what tells us. Its standard error is a pipe: what it says
 * itself is not what the device says.
 */
#include "node/ssh_login.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "base/command.h"
#include "base/spawn.h"
#include "node/core.h"

#define SAID_MAX   8192u
#define LOOK_MS    20u
#define REST_MS    300u  /* what was shown has come to rest */
#define SILENT_MS  3000u /* nothing is shown: the command is typed all the same */
#define LEAVE_MS   800u  /* between SIGTERM and SIGKILL, and until it is given up */
#define SPOT_MAX   128u
#define HANDLES    3u
#define SETTINGS   24u /* of both tables, at most */
#define SIZE_LIMIT 10000u
#define FIRST_SIZE 80, 24

/* Nothing else is forwarded, nothing is run, nothing stays behind, and a dead peer is noticed. */
const char *const pctl_ssh_settings[] = { "LogLevel=INFO", "ClearAllForwardings=yes",
	"PermitLocalCommand=no", "RemoteCommand=none", "ForkAfterAuthentication=no",
	"ConnectTimeout=10", "ServerAliveInterval=5", "ServerAliveCountMax=3", "Tunnel=no", NULL };

/*
 * What of ssh_config(5) would break a login's promises: that the password is for who has shown a
 * key that was known before, and that there is a terminal and a shell behind it.
 */
static const char *const login_settings[] = { "StrictHostKeyChecking=yes", "VerifyHostKeyDNS=no",
	"NoHostAuthenticationForLocalhost=no", "SessionType=default", "StdinNull=no",
	"ControlPath=none", NULL };

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
	char spot[SPOT_MAX];
	char said[SAID_MAX];
	size_t said_n;
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

/* ssh's last words where all is well; where the far side was killed it ends with 255 all the same.
 */
static bool was_closed(const char *said)
{
	const char *line = NULL;

	for (const char *at = said; (at = strstr(at, "Connection to ")) != NULL; at++)
		line = at;
	return line && strstr(line, " closed.") && !strstr(said, "closed by remote host") &&
	       !strstr(said, "not responding");
}

int pctl_ssh_explain_end(
	const char *said, int status, const char *destination, struct pctl_error *err)
{
	if (WIFEXITED(status) && (WEXITSTATUS(status) != 255 || was_closed(said))) {
		*err = (struct pctl_error){ 0 };
		return 0;
	}
	if (WIFSIGNALED(status))
		return pctl_error_set(
			err, PCTL_E_UNREACHABLE, "ssh was killed by signal %d", WTERMSIG(status));
	return pctl_gateway_explain(said, destination, err);
}

/* Who has had the password and did not let us in is not asked again: accounts get locked. */
static void explain_login(struct pctl_ssh *ssh, int code, const char *text)
{
	bool had_password = pctl_ssh_answer_taken(&ssh->answer);

	if (code == PCTL_E_AUTH && had_password)
		pctl_error_set(&ssh->why, code,
			"over SSH it takes neither a key of yours nor the password");
	else if (code == 0 || (had_password && pctl_error_retried(code)))
		pctl_error_set(&ssh->why, PCTL_E_REFUSED,
			"the login over SSH ended before there was a console%s%.200s",
			*text ? ": " : "", text);
	else
		pctl_error_set(&ssh->why, code, "over SSH: %.250s", text);
}

static void explain(struct pctl_ssh *ssh, int status)
{
	char text[sizeof(ssh->why.text)];
	unsigned flags;
	int code = pctl_ssh_explain_end(ssh->said, status, ssh->spot, &ssh->why);

	(void)snprintf(text, sizeof(text), "%s", ssh->why.text);
	flags = ssh->why.flags;
	if (!ssh->open)
		explain_login(ssh, code, text);
	else if (code != 0)
		pctl_error_set(&ssh->why, code, "over SSH: %.250s", text);
	(void)pctl_error_flag(&ssh->why, flags | PCTL_ERROR_GATEWAY);
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

/* Keeps the end of what it says. False: it will say no more. */
static bool hear(struct pctl_ssh *ssh)
{
	char *said = ssh->said;
	ssize_t n;

	for (;;) {
		size_t half = sizeof(ssh->said) / 2;

		if (ssh->said_n > half) {
			memmove(said, said + ssh->said_n - half, half);
			ssh->said_n = half;
		}
		n = read(ssh->out, said + ssh->said_n, sizeof(ssh->said) - 1 - ssh->said_n);
		if (n <= 0)
			break;
		ssh->said_n += (size_t)n;
		said[ssh->said_n] = '\0';
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
	ssh->told = true;
	dispose(ssh);
	ssh->opened(ssh->data, NULL, &ssh->why);
}

static void tell_end(struct pctl_ssh *ssh)
{
	ssh->stage = GONE;
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

static bool hung_up(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
}

static void close_session(struct pctl_session *session)
{
	struct pctl_ssh *ssh = pctl_container_of(session, struct pctl_ssh, session);

	if (ssh->stage == GONE) {
		ssh->stage = LEAVING;
		dispose(ssh);
	} else if (hung_up(session->fd)) { /* it is about to end by itself, and will say why */
		ssh->stage = LEAVING;
		(void)uv_timer_start(&ssh->timer, on_leave, LEAVE_MS, 0);
	} else {
		leave(ssh);
	}
}

void pctl_ssh_abort(struct pctl_ssh *ssh)
{
	ssh->told = true;
	leave(ssh);
}

/* --- The session. ----------------------------------------------------------------------------- */

static int set_size(int fd, unsigned columns, unsigned rows)
{
	const struct winsize size = { .ws_col = (unsigned short)columns,
		.ws_row = (unsigned short)rows };

	return ioctl(fd, TIOCSWINSZ, &size);
}

/* "80x24" */
static bool read_size(const char *text, uint64_t *ret_columns, uint64_t *ret_rows)
{
	const char *x = text ? strchr(text, 'x') : NULL;
	PCTL_AUTO(free) char *columns = x ? pctl_xstrndup(text, (size_t)(x - text)) : NULL;

	return columns && pctl_parse_uint(columns, SIZE_LIMIT, ret_columns) == 0 &&
	       pctl_parse_uint(x + 1, SIZE_LIMIT, ret_rows) == 0 && *ret_columns && *ret_rows;
}

static int resize(struct pctl_session *session, const char *arg, struct pctl_error *err)
{
	uint64_t columns, rows;

	if (!read_size(arg, &columns, &rows))
		return pctl_error_set(err, PCTL_E_CONFIG, "a size is COLUMNSxROWS: 80x24");
	if (session->fd < 0 || set_size(session->fd, (unsigned)columns, (unsigned)rows) < 0)
		return pctl_error_set(err, PCTL_E_STATE, "it has ended");
	return 0;
}

static const struct pctl_control controls[] = {
	{ .size = sizeof(struct pctl_control),
		.name = "resize",
		.help = "tells the far side the terminal's size, COLUMNSxROWS",
		.run = resize },
	{ 0 },
};

/* --- Until it is open. ------------------------------------------------------------------------ */

static void open_session(struct pctl_ssh *ssh)
{
	ssh->stage = OPEN;
	ssh->open = true;
	(void)uv_timer_stop(&ssh->timer);
	ssh->opened(ssh->data, &ssh->session, NULL);
}

/* Many a command line throws away what was typed before it asks for something. */
static void look_for_rest(struct pctl_ssh *ssh)
{
	uint64_t now = uv_now(ssh->all->loop);
	int shown = 0;

	if (ioctl(ssh->session.fd, FIONREAD, &shown) == 0 && shown != ssh->shown) {
		ssh->shown = shown;
		ssh->shown_at = now;
	}
	if (now - ssh->shown_at < (ssh->shown > 0 ? REST_MS : SILENT_MS))
		return;
	/* All or nothing of so little; and who hung up shows it at the next turn. */
	if (write(ssh->session.fd, ssh->command, strlen(ssh->command)) > 0)
		open_session(ssh);
}

static void on_look(uv_timer_t *timer)
{
	struct pctl_ssh *ssh = timer->data;
	struct termios mode;

	if (ssh->stage == TYPES) {
		look_for_rest(ssh);
		return;
	}
	if (tcgetattr(ssh->session.fd, &mode) < 0 || (mode.c_lflag & ICANON))
		return;
	pctl_ssh_answer_done(&ssh->answer);
	ssh->shown_at = uv_now(ssh->all->loop);
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

struct arguments {
	char *v[2 * SETTINGS + 24];
	size_t n;
};

static void add(struct arguments *a, const char *text)
{
	a->v[a->n++] = (char *)(uintptr_t)text;
}

static void add_setting(struct arguments *a, const char *setting)
{
	add(a, "-o");
	add(a, setting);
}

static void add_settings(struct arguments *a, bool answers)
{
	add(a, "ssh");
	add(a, "-ttaxk");
	add(a, "-e");
	add(a, "none");
	add_setting(a, answers ? "BatchMode=no" : "BatchMode=yes");
	add_setting(a, "NumberOfPasswordPrompts=1");
	for (size_t i = 0; login_settings[i]; i++)
		add_setting(a, login_settings[i]);
	for (size_t i = 0; pctl_ssh_settings[i]; i++)
		add_setting(a, pctl_ssh_settings[i]);
}

/* Without the brackets that an IPv6 address may have; free() it. */
static char *host_of(const struct pctl_device *device)
{
	const char *host = pctl_device_host(device);
	size_t len = strlen(host);

	if (*host == '[' && len > 2 && host[len - 1] == ']')
		return pctl_xstrndup(host + 1, len - 2);
	return pctl_xstrdup(host);
}

static int run(struct pctl_ssh *ssh, const struct pctl_ssh_options *options, const char *host,
	const char *terminal, int said)
{
	struct arguments a = { .n = 0 };
	char port[12];
	bool answers = ssh->answer.fd >= 0;
	PCTL_AUTO(free)
	char **env = pctl_command_environment(ssh->answer.environment, answers ? 3 : 0);

	add_settings(&a, answers);
	if (options->username) {
		add(&a, "-l");
		add(&a, options->username);
	}
	(void)snprintf(port, sizeof(port), "%u", options->port);
	if (options->port) {
		add(&a, "-p");
		add(&a, port);
	}
	add(&a, "--");
	add(&a, host);
	const struct pctl_spawn spawn = { .argv = a.v,
		.env = env,
		.in = -1,
		.out = -1,
		.said = said,
		.terminal = terminal,
		.session = true };
	return pctl_spawn(&spawn, &ssh->pid);
}

/* Our side of a terminal, and the name of the other. 0, or an errno value. */
static int make_terminal(int *ret_fd, char *name, size_t size)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	int r = 0;

	if (fd < 0)
		return errno;
	if (grantpt(fd) < 0 || unlockpt(fd) < 0 || set_size(fd, FIRST_SIZE) < 0)
		r = errno;
	if (r == 0)
		r = ptsname_r(fd, name, size);
	if (r == 0)
		*ret_fd = fd;
	else
		(void)close(fd);
	return r;
}

static int start(struct pctl_ssh *ssh, const struct pctl_ssh_options *options, const char *host)
{
	char terminal[64];
	int out[2] = { -1, -1 };
	int r = make_terminal(&ssh->session.fd, terminal, sizeof(terminal));

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

/* What is typed behind "ssh" to get there. */
static void write_spot(struct pctl_ssh *ssh, const struct pctl_ssh_options *o, const char *host)
{
	char port[16] = "";

	if (o->port && o->port != 22)
		(void)snprintf(port, sizeof(port), "-p %u ", o->port);
	(void)snprintf(ssh->spot, sizeof(ssh->spot), "%s%s%.40s%s%.60s", port,
		o->username ? "-l " : "", o->username ? o->username : "", o->username ? " " : "",
		host);
}

static void undo(struct pctl_ssh *ssh)
{
	if (ssh->session.fd >= 0)
		(void)close(ssh->session.fd);
	if (ssh->out >= 0)
		(void)close(ssh->out);
	pctl_ssh_answer_done(&ssh->answer);
	free(ssh->command);
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

static struct pctl_ssh *new_ssh(struct pctl_ssh_logins *all, const char *command)
{
	struct pctl_ssh *ssh = pctl_xcalloc(1, sizeof(*ssh));

	ssh->session = (struct pctl_session){
		.size = sizeof(ssh->session), .fd = -1, .controls = controls, .close = close_session
	};
	ssh->all = all;
	ssh->out = ssh->pidfd = -1;
	ssh->command = command && *command ? pctl_xasprintf("%s\r", command) : NULL;
	return ssh;
}

int pctl_ssh_open(struct pctl_device *device, const struct pctl_ssh_options *options,
	pctl_ssh_opened_fn *opened, void *data, struct pctl_ssh **ret, struct pctl_error *err)
{
	struct pctl_ssh_logins *all = device->target->core->ssh_logins;
	PCTL_AUTO(free) char *host = host_of(device);

	if (device->target->dialer != &pctl_dial_direct)
		return pctl_error_set(err, PCTL_E_UNSUPPORTED,
			"it is behind a gateway (via), through which powerctl takes no ssh");
	struct pctl_ssh *ssh = new_ssh(all, options->command);
	write_spot(ssh, options, host);
	int r = pctl_ssh_answer_init(&ssh->answer, options->password, all->serial++, err);
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
	all->running++;
	watch(ssh);
	*ret = ssh;
	return 0;
}
