/* SPDX-License-Identifier: Apache-2.0 */
#include "node/gateway.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <powerctl/log.h>

#include "base/command.h"
#include "base/paths.h"
#include "node/ssh_args.h"

#define LOGIN_S        20u /* the program's own limit for a connection is half of it */
#define LOOK_MS        20u /* while it logs in: whether its control socket is there */
#define KILL_MS        1000u
#define FAILED_MS      2000u  /* a gateway that failed is not tried again for so long */
#define REFUSED_MS     60000u /* nor is one that refused us, or is not the known one */
#define CHANNELS_MAX   1000u
#define SAID_MAX       8192u
#define TEMPORARY_NAME 20u /* what ssh puts behind the name of its socket for a moment */

/* The program while it runs, and until its handles are closed. */
struct ssh {
	struct pctl_gateway *gateway; /* NULL: nobody cares any more */
	struct pctl_gateways *all;
	uv_poll_t ended, talks;
	uv_timer_t timer;
	pid_t pid;
	int pidfd, out;
	int open;
	bool reaped;
	char *path;
	char said[SAID_MAX];
	size_t said_n;
};

struct pctl_gateway {
	struct pctl_gateways *all;
	char *text, *user, *host;
	unsigned port;
	struct ssh *ssh;
	bool up;
	size_t channels;
	uint64_t tried_at, hold_ms; /* loop time of the failure, and how long it counts */
	struct pctl_error err;
	struct pctl_gateway_wait *first;
	struct pctl_gateway *next;
};

struct pctl_gateways {
	uv_loop_t *loop;
	struct pctl_gateway *first;
	size_t running;  /* programs that are not closed yet */
	unsigned serial; /* of control sockets */
	pctl_closed_fn *closed;
	void *data;
};

struct pctl_gateways *pctl_gateways_new(uv_loop_t *loop)
{
	struct pctl_gateways *all = pctl_xcalloc(1, sizeof(*all));

	all->loop = loop;
	return all;
}

struct pctl_gateway *pctl_gateway_get(struct pctl_gateways *all, const struct pctl_via *via)
{
	struct pctl_gateway *gw = all->first;

	while (gw && strcmp(gw->text, via->text) != 0)
		gw = gw->next;
	if (gw)
		return gw;
	gw = pctl_xcalloc(1, sizeof(*gw));
	*gw = (struct pctl_gateway){ .all = all,
		.text = pctl_xstrdup(via->text),
		.user = via->user ? pctl_xstrdup(via->user) : NULL,
		.host = pctl_xstrdup(via->host),
		.port = via->port,
		.next = all->first };
	all->first = gw;
	return gw;
}

static void free_all(struct pctl_gateways *all)
{
	while (all->first) {
		struct pctl_gateway *gw = all->first;

		all->first = gw->next;
		free(gw->text);
		free(gw->user);
		free(gw->host);
		free(gw);
	}
	pctl_closed_fn *closed = all->closed;
	void *data = all->data;
	free(all);
	closed(data);
}

/* --- The end of the program. ------------------------------------------------------------------ */

static void on_handle_closed(uv_handle_t *handle)
{
	struct ssh *ssh = handle->data;
	struct pctl_gateways *all = ssh->all;

	if (--ssh->open > 0)
		return;
	(void)unlink(ssh->path); /* where it had no time to */
	(void)close(ssh->pidfd);
	(void)close(ssh->out);
	free(ssh->path);
	free(ssh);
	if (--all->running == 0 && all->closed)
		free_all(all);
}

/* Whatever it has printed; what does not fit is read all the same. */
/* False: it will say no more. */
static bool hear(struct ssh *ssh)
{
	char chunk[2048];
	ssize_t n;

	while ((n = read(ssh->out, chunk, sizeof(chunk))) > 0) {
		size_t room = sizeof(ssh->said) - 1 - ssh->said_n;
		size_t take = (size_t)n < room ? (size_t)n : room;

		memcpy(ssh->said + ssh->said_n, chunk, take);
		ssh->said_n += take;
		ssh->said[ssh->said_n] = '\0';
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void tell(struct pctl_gateway *gw, const struct pctl_error *err)
{
	struct pctl_gateway_wait *waits = gw->first;

	gw->first = NULL;
	for (struct pctl_gateway_wait *w = waits; w; w = w->next)
		w->gateway = NULL;
	while (waits) {
		struct pctl_gateway_wait *w = waits;

		waits = w->next;
		w->told(w, err);
	}
}

/* The gateway is without a program from here on. */
static void give_up(struct pctl_gateway *gw, const struct pctl_error *err)
{
	bool final = !pctl_error_retried(err->code);
	struct pctl_error told = *err;

	pctl_log(PCTL_LOG_DEBUG, NULL, "gateway %s: %s", gw->text, err->text);
	gw->ssh->gateway = NULL;
	gw->ssh = NULL;
	gw->up = false;
	gw->err = *err;
	gw->tried_at = uv_now(gw->all->loop);
	gw->hold_ms = final ? REFUSED_MS : FAILED_MS;
	tell(gw, &told);
}

static bool has_ended(const struct ssh *ssh)
{
	struct pollfd end = { .fd = ssh->pidfd, .events = POLLIN };

	return poll(&end, 1, 0) > 0;
}

static void reap(struct ssh *ssh)
{
	struct pctl_gateway *gw = ssh->gateway;
	struct pctl_error err;
	int status = 0;

	if (ssh->reaped)
		return;
	ssh->reaped = true;
	(void)hear(ssh);
	while (waitpid(ssh->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (gw) {
		if (WIFEXITED(status) && WEXITSTATUS(status) == 127 && !ssh->said_n)
			pctl_error_set(&err, PCTL_E_CONFIG,
				"there is no program 'ssh' here: install openssh-client");
		else
			(void)pctl_gateway_explain(ssh->said, gw->text, &err);
		give_up(gw, &err);
	}
	uv_close((uv_handle_t *)&ssh->ended, on_handle_closed);
	uv_close((uv_handle_t *)&ssh->talks, on_handle_closed);
	uv_close((uv_handle_t *)&ssh->timer, on_handle_closed);
}

static void on_ended(uv_poll_t *poll, int status, int events)
{
	(void)status, (void)events;
	reap(poll->data);
}

static void on_kill(uv_timer_t *timer)
{
	const struct ssh *ssh = timer->data;

	(void)kill(ssh->pid, SIGKILL);
}

static void quit(struct ssh *ssh)
{
	if (ssh->reaped)
		return;
	(void)kill(ssh->pid, SIGTERM);
	(void)uv_timer_start(&ssh->timer, on_kill, KILL_MS, KILL_MS);
}

void pctl_gateways_close(struct pctl_gateways *all, pctl_closed_fn *closed, void *data)
{
	all->closed = closed;
	all->data = data;
	for (struct pctl_gateway *gw = all->first; gw; gw = gw->next) {
		struct ssh *ssh = gw->ssh;

		if (!ssh)
			continue;
		ssh->gateway = NULL;
		gw->ssh = NULL;
		quit(ssh);
	}
	if (!all->running)
		free_all(all);
}

/* --- Its begin. ------------------------------------------------------------------------------- */

static void make_arguments(const struct pctl_gateway *gw, const char *path, struct pctl_ssh_args *a)
{
	pctl_ssh_args_init(a, "-MNTaxk");
	pctl_ssh_args_add(a, "-S");
	pctl_ssh_args_add(a, path);
	pctl_ssh_args_set(a, "BatchMode=yes"); /* nobody is asked */
	pctl_ssh_args_set(a, "ControlPersist=no");
	pctl_ssh_args_finish(a, gw->user, gw->port, gw->host);
}

/*
 * In the child. It ends with us, whatever becomes of us; a ^C is ours to handle; and each
 * connection through it takes three descriptors of its own.
 */
static void become(char *const *argv, char *const *env, int out, pid_t parent)
{
	struct rlimit files;
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;
	int null = open("/dev/null", O_RDWR);

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(127);
	(void)setsid();
	for (int number = 1; number < NSIG; number++)
		(void)sigaction(number, &plain, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	if (dup2(null, STDIN_FILENO) == 0 && dup2(null, STDOUT_FILENO) == 1 &&
		dup2(out, STDERR_FILENO) == 2)
		(void)execvpe(argv[0], argv, env);
	_exit(127);
}

static pid_t spawn(const struct pctl_gateway *gw, const char *path, int out)
{
	struct pctl_ssh_args arguments;
	PCTL_AUTO(free) char **env = pctl_command_environment(NULL, 0);
	pid_t parent = getpid();

	make_arguments(gw, path, &arguments);
	pid_t pid = fork();
	if (pid == 0)
		become(arguments.v, env, out, parent);
	int errnum = errno;
	pctl_ssh_args_done(&arguments);
	errno = errnum; /* of fork() */
	return pid;
}

/* --- Until it is logged in. ------------------------------------------------------------------- */

static bool is_there(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(name.sun_path, path, strlen(path) + 1);
	bool there = fd >= 0 && connect(fd, (const struct sockaddr *)&name, sizeof(name)) == 0;
	if (fd >= 0)
		(void)close(fd);
	return there;
}

static void on_look(uv_timer_t *timer)
{
	struct ssh *ssh = timer->data;
	struct pctl_gateway *gw = ssh->gateway;
	struct pctl_error err;

	if (!gw)
		return;
	if (access(ssh->path, F_OK) == 0 && is_there(ssh->path)) {
		(void)uv_timer_stop(timer);
		gw->up = true;
		pctl_log(PCTL_LOG_DEBUG, NULL, "gateway %s: logged in", gw->text);
		tell(gw, NULL);
	} else if (uv_now(gw->all->loop) - gw->tried_at > (uint64_t)LOGIN_S * 1000) {
		pctl_error_set(&err, PCTL_E_UNREACHABLE, "no login in %u s", LOGIN_S);
		give_up(gw, &err);
		quit(ssh);
	}
}

static void on_talk(uv_poll_t *poll, int status, int events)
{
	(void)events;
	if (!hear(poll->data) || status < 0)
		(void)uv_poll_stop(poll);
}

static void watch(struct ssh *ssh, uv_loop_t *loop)
{
	ssh->open = 3;
	(void)uv_poll_init(loop, &ssh->ended, ssh->pidfd);
	(void)uv_poll_init(loop, &ssh->talks, ssh->out);
	(void)uv_timer_init(loop, &ssh->timer);
	ssh->ended.data = ssh->talks.data = ssh->timer.data = ssh;
	(void)uv_poll_start(&ssh->ended, UV_READABLE, on_ended);
	(void)uv_poll_start(&ssh->talks, UV_READABLE, on_talk);
	(void)uv_timer_start(&ssh->timer, on_look, LOOK_MS, LOOK_MS);
}

static int begin_program(struct pctl_gateway *gw, struct ssh *ssh, struct pctl_error *err)
{
	PCTL_AUTO(free)
	char *file = pctl_xasprintf("ssh.%d.%u", (int)getpid(), gw->all->serial++);
	int out[2];
	int r = pctl_path_runtime(file, &ssh->path, err);

	if (r < 0)
		return r;
	if (strlen(ssh->path) + TEMPORARY_NAME > sizeof(((struct sockaddr_un *)0)->sun_path))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s is too long a name for a socket; set XDG_RUNTIME_DIR to a shorter one",
			ssh->path);
	(void)unlink(ssh->path);
	if (pipe2(out, O_CLOEXEC | O_NONBLOCK) < 0)
		return pctl_error_shortage(err, errno)
			       ? PCTL_E_INTERNAL
			       : pctl_error_set(err, PCTL_E_INTERNAL, "no pipe for ssh: %s",
					 strerror(errno));
	ssh->out = out[0];
	ssh->pid = spawn(gw, ssh->path, out[1]);
	(void)close(out[1]);
	ssh->pidfd = ssh->pid > 0 ? pidfd_open(ssh->pid, 0) : -1;
	if (ssh->pidfd >= 0)
		return 0;
	if (!pctl_error_shortage(err, errno))
		pctl_error_set(err, PCTL_E_INTERNAL, "no process for ssh: %s", strerror(errno));
	(void)close(ssh->out);
	if (ssh->pid > 0) {
		(void)kill(ssh->pid, SIGKILL);
		(void)waitpid(ssh->pid, NULL, 0);
	}
	return PCTL_E_INTERNAL;
}

static int begin(struct pctl_gateway *gw, struct pctl_error *err)
{
	struct ssh *ssh = pctl_xcalloc(1, sizeof(*ssh));
	int r = begin_program(gw, ssh, err);

	if (r < 0) {
		free(ssh->path);
		free(ssh);
		return r;
	}
	ssh->gateway = gw;
	ssh->all = gw->all;
	gw->all->running++;
	gw->ssh = ssh;
	gw->err = (struct pctl_error){ 0 };
	gw->tried_at = uv_now(gw->all->loop);
	watch(ssh, gw->all->loop);
	return 0;
}

/* --- Who goes through. ------------------------------------------------------------------------ */

static size_t most_channels(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_max / 4 > CHANNELS_MAX)
		return CHANNELS_MAX;
	return (size_t)(files.rlim_max / 4);
}

int pctl_gateway_join(
	struct pctl_gateway *gw, struct pctl_gateway_wait *wait, struct pctl_error *err)
{
	uint64_t age = uv_now(gw->all->loop) - gw->tried_at;

	if (gw->channels >= most_channels()) {
		(void)pctl_error_shortage(err, EUSERS);
		return PCTL_E_INTERNAL;
	}
	if (!gw->ssh && gw->err.code && age < gw->hold_ms) {
		*err = gw->err;
		return err->code;
	}
	if (!gw->ssh) {
		int r = begin(gw, err);

		if (r < 0)
			return r;
	}
	if (gw->up)
		return 1;
	wait->gateway = gw;
	wait->next = gw->first;
	gw->first = wait;
	return 0;
}

void pctl_gateway_leave(struct pctl_gateway_wait *wait)
{
	struct pctl_gateway_wait **link;

	if (!wait->gateway)
		return;
	for (link = &wait->gateway->first; *link && *link != wait;)
		link = &(*link)->next;
	if (*link)
		*link = wait->next;
	wait->gateway = NULL;
}

void pctl_gateway_count(struct pctl_gateway *gw, int difference)
{
	if (difference > 0)
		gw->channels++;
	else
		gw->channels--;
}

const char *pctl_gateway_socket(const struct pctl_gateway *gw)
{
	return gw->up ? gw->ssh->path : NULL;
}

bool pctl_gateway_alive(struct pctl_gateway *gw, struct pctl_error *err)
{
	if (gw->ssh && has_ended(gw->ssh))
		reap(gw->ssh);
	if (gw->ssh)
		return true;
	*err = gw->err;
	return false;
}

/* --- Why it did not get through. -------------------------------------------------------------- */

/* Takes the line at *at out of what was said, where it gives such a reason. */
static bool take_reason(struct ssh *ssh, size_t *at, char *ret, size_t size)
{
	char *line = ssh->said + *at;
	size_t len = strcspn(line, "\n"), whole = len + (line[len] == '\n');
	const char *reason = line[len] ? pctl_gateway_reason(line) : NULL;

	if (!reason) {
		*at += whole;
		return false;
	}
	(void)snprintf(ret, size, "%.*s", (int)strcspn(reason, "\r\n"), reason);
	memmove(line, line + whole, ssh->said_n - *at - whole + 1);
	ssh->said_n -= whole;
	return true;
}

static void look_for_others(const struct ssh *ssh, const char *reason, struct pctl_error *err)
{
	char line[200];

	for (const char *at = ssh->said; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		(void)snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\r\n"), at);
		const char *other = pctl_gateway_reason(line);

		if (!other || strcmp(other, reason) == 0)
			continue;
		pctl_error_set(err, PCTL_E_UNREACHABLE,
			"of several connections it says '%.80s' and '%.80s', and not of which",
			reason, other);
		return;
	}
}

int pctl_gateway_why(struct pctl_gateway *gw, struct pctl_error *err)
{
	char reason[200] = "";
	bool found = false;

	if (!gw->ssh)
		return pctl_error_set(err, PCTL_E_UNREACHABLE, "%s", gw->err.text);
	(void)hear(gw->ssh);
	for (size_t at = 0; !found && at < gw->ssh->said_n;)
		found = take_reason(gw->ssh, &at, reason, sizeof(reason));
	(void)pctl_gateway_explain_open(reason, err);
	look_for_others(gw->ssh, reason, err);
	return err->code;
}
