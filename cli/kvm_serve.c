/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One machine's screen for one viewer: the device is opened first, so that what is wrong with it is
 * said at once; then a viewer is waited for at a port of this host or at a socket. A port can be
 * reached by all who are logged in here: only this user's viewers are let in.
 */
#include "kvm.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "ask.h"
#include "display/peer.h"
#include "display/relay.h"
#include "json.h"
#include "kvm_viewer.h"
#include "opened.h"
#include "run.h"
#include "say.h"
#include "signals.h"

/* Who hangs up within this time, or without an answer, does so for what the viewer asked first. */
#define COLOURS_MS ((uint64_t)5000)

struct serve {
	struct cli *cli;
	size_t node;
	const char *name;
	struct pctl_stream *stream;
	bool stream_gone;
	int listener, viewer; /* -1: none */
	uint16_t port;
	char *made;                /* the path of the socket that is to go */
	uv_poll_t waiting, device; /* while no viewer is there */
	bool waits;
	struct relay *relay;
	struct kvm_viewer program;
	struct signals signals;
	struct ask ask; /* while it is opened */
	bool over, cut_off;
	uint64_t viewed_at;
	int status;
	struct pctl_error why; /* the device ended it */
};

static void leave(struct serve *s, int status)
{
	if (s->over)
		return;
	s->over = true;
	s->status = status;
}

/* --- The device. ------------------------------------------------------------------------------ */

static void on_note(void *data, const char *text)
{
	const struct serve *s = data;

	if (!s->cli->options.quiet)
		say("%s: %s", s->name, text);
}

static void on_ended(void *data, const struct pctl_error *err)
{
	struct serve *s = data;

	/* Who reads the descriptor finds its end; nobody does while no viewer is there. */
	(void)err;
	if (!s->relay)
		leave(s, CLI_FAILED);
}

static void on_result(void *data, const struct pctl_result *r)
{
	struct serve *s = data;

	enum opened how = opened_sort(s->cli, r);

	if (how != OPENED_STREAM) {
		opened_print(s->cli, r);
		leave(s, opened_status(how));
		return;
	}
	s->stream = r->stream;
	pctl_stream_take(r->stream, on_ended, s);
	pctl_stream_on_note(r->stream, on_note);
}

static void on_stream_closed(void *data, const struct pctl_error *err)
{
	struct serve *s = data;

	s->why = *err;
	s->stream_gone = true;
}

/* --- A place for viewers. --------------------------------------------------------------------- */

static int no_place(const char *what)
{
	say("kvm: no viewer can be waited for at %s: %s", what, strerror(errno));
	return CLI_FAILED;
}

static int listen_port(struct serve *s)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&a, sizeof(a)) < 0 ||
		listen(s->listener, 1) < 0 ||
		getsockname(s->listener, (struct sockaddr *)&a, &len) < 0)
		return no_place("127.0.0.1");
	s->port = ntohs(a.sin_port);
	return CLI_OK;
}

/* What is left of one that ended badly may go; one that somebody answers at, or a file, may not. */
static int clear_path(const struct sockaddr_un *a)
{
	struct stat st;

	if (lstat(a->sun_path, &st) < 0)
		return errno == ENOENT ? CLI_OK : no_place(a->sun_path);
	if (!S_ISSOCK(st.st_mode)) {
		say("--socket: %s is there, and no socket; choose another path", a->sun_path);
		return CLI_USAGE;
	}
	/* Of another type, so that nobody takes it for a viewer. */
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = connect(fd, (const struct sockaddr *)a, sizeof(*a));
	bool refused = r < 0 && errno == ECONNREFUSED;
	if (fd >= 0)
		(void)close(fd);
	if (!refused) {
		say("--socket: somebody waits at %s already; choose another path", a->sun_path);
		return CLI_USAGE;
	}
	return unlink(a->sun_path) == 0 ? CLI_OK : no_place(a->sun_path);
}

static int listen_socket(struct serve *s, const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	if (!*path || strlen(path) >= sizeof(a.sun_path)) {
		say("--socket: a path of 1 to %zu bytes is needed", sizeof(a.sun_path) - 1);
		return CLI_USAGE;
	}
	memcpy(a.sun_path, path, strlen(path));
	int status = clear_path(&a);
	if (status != CLI_OK)
		return status;
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	mode_t before = umask(0177);
	int r = s->listener < 0 ? -1 : bind(s->listener, (struct sockaddr *)&a, sizeof(a));
	int number = errno;
	(void)umask(before);
	errno = number;
	if (r < 0)
		return no_place(path);
	s->made = pctl_xstrdup(path);
	return listen(s->listener, 1) < 0 ? no_place(path) : CLI_OK;
}

/* A dry run waits for nobody. */
static int find_place(struct serve *s)
{
	const struct options *o = &s->cli->options;

	if (o->dry_run)
		return CLI_OK;
	return o->socket ? listen_socket(s, o->socket) : listen_port(s);
}

static int announce(const struct serve *s)
{
	PCTL_AUTO(free)
	char *url = s->made ? pctl_xasprintf("unix:%s", s->made)
			    : pctl_xasprintf("vnc://127.0.0.1:%u", s->port);

	if (s->cli->options.json) {
		struct pctl_value *map = pctl_value_new_map();

		pctl_value_set_text(map, "url", url);
		pctl_value_set_text(map, "address", s->made ? NULL : "127.0.0.1");
		if (!s->made)
			pctl_value_set_int(map, "port", s->port);
		pctl_value_set_text(map, "socket", s->made);
		PCTL_AUTO(free) char *line = json_node(s->name, map);
		(void)printf("%s\n", line);
		pctl_value_free(map);
	} else {
		(void)printf("%s: %s\n", s->name, url);
	}
	if (fflush(stdout) == 0)
		return CLI_OK;
	s->cli->output_fault = errno;
	say("standard output cannot be written: %s", strerror(errno));
	return CLI_FAILED;
}

/* --- The viewer. ------------------------------------------------------------------------------ */

static void on_relay_end(void *data, enum relay_end how)
{
	struct serve *s = data;

	bool early = uv_now(&s->cli->loop) - s->viewed_at < COLOURS_MS;

	s->cut_off = how == RELAY_SCREEN_LEFT && (early || !relay_has_shown(s->relay));
	if (how == RELAY_NO_SCREEN)
		say("%s: protocol: what it sends is no screen (RFB)", s->name);
	leave(s, how == RELAY_VIEWER_LEFT ? CLI_OK : CLI_FAILED);
}

static void stop_waiting(struct serve *s)
{
	if (!s->waits)
		return;
	s->waits = false;
	uv_close((uv_handle_t *)&s->waiting, NULL);
	uv_close((uv_handle_t *)&s->device, NULL);
}

static void on_waiting(uv_poll_t *poll, int status, int events)
{
	struct serve *s = poll->data;

	(void)status, (void)events;
	int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	if (!s->made && !display_peer_is_ours(fd)) {
		if (!s->cli->options.quiet)
			say("%s: a viewer of another user was turned away", s->name);
		(void)close(fd);
		return;
	}
	/* There is one screen: who comes now finds nobody. */
	stop_waiting(s);
	(void)close(s->listener);
	s->listener = -1;
	s->viewer = fd;
	s->viewed_at = uv_now(&s->cli->loop);
	s->relay = relay_new(&s->cli->loop, pctl_stream_fd(s->stream), fd, on_relay_end, s);
}

static void on_program_left(void *data, int64_t status, int signal)
{
	struct serve *s = data;

	if (s->relay || s->over)
		return;
	if (status == 0 && signal == 0) {
		/* Some hand the address to one of theirs that runs already. */
		if (!s->cli->options.quiet)
			say("%s: the viewer has ended; another one is waited for at port %u",
				s->name, s->port);
		return;
	}
	if (signal)
		say("%s: the viewer ended by signal %d", s->name, signal);
	else
		say("%s: the viewer ended with status %" PRId64, s->name, status);
	leave(s, CLI_FAILED);
}

static bool has_few_colours(const struct serve *s)
{
	return pctl_value_get(pctl_stream_facts(s->stream), "pixel_formats");
}

/* A screen that a viewer has seen for a moment only, or never, was most likely asked for too many
 * colours. */
static void say_colours(const struct serve *s)
{
	if (s->cut_off && has_few_colours(s) && !s->cli->options.quiet)
		say("%s: its screen knows 16 and 8 bits a pixel only, and may hang up on viewers "
		    "that ask for more: choose few colours in the viewer",
			s->name);
}

static int start_viewer(struct serve *s)
{
	struct pctl_error err = { 0 };

	if (!s->cli->options.view)
		return CLI_OK;
	s->program.left = on_program_left;
	s->program.data = s;
	if (kvm_viewer_start(&s->program, &s->cli->loop, s->port, has_few_colours(s), &err) == 0)
		return CLI_OK;
	say("%s", err.text);
	return CLI_FAILED;
}

/* --- All of it. ------------------------------------------------------------------------------- */

static void on_signal(void *data)
{
	struct serve *s = data;

	leave(s, CLI_INTERRUPTED);
	ask_cancel(&s->ask);
}

/* Until a viewer is there nobody reads the device, and its greeting lies unread. */
static void on_disconnect(uv_poll_t *poll, int status, int events)
{
	struct serve *s = poll->data;

	(void)status, (void)events;
	leave(s, CLI_FAILED);
}

static void wait_for_viewer(struct serve *s)
{
	(void)uv_poll_init(&s->cli->loop, &s->waiting, s->listener);
	(void)uv_poll_init(&s->cli->loop, &s->device, pctl_stream_fd(s->stream));
	s->waiting.data = s->device.data = s;
	s->waits = true;
	(void)uv_poll_start(&s->waiting, UV_READABLE, on_waiting);
	(void)uv_poll_start(&s->device, UV_DISCONNECT, on_disconnect);
	while (!s->over)
		(void)uv_run(&s->cli->loop, UV_RUN_ONCE);
}

static void clean_up(struct serve *s)
{
	relay_close(s->relay);
	s->relay = NULL;
	stop_waiting(s);
	kvm_viewer_leave(&s->program);
	if (s->stream) {
		say_colours(s);
		pctl_stream_close(s->stream, on_stream_closed, s);
		while (!s->stream_gone)
			(void)uv_run(&s->cli->loop, UV_RUN_ONCE);
	}
	signals_stop(&s->signals);
	(void)uv_run(&s->cli->loop, UV_RUN_NOWAIT); /* our handles end here */
	if (s->listener >= 0)
		(void)close(s->listener);
	if (s->viewer >= 0)
		(void)close(s->viewer);
	if (s->made)
		(void)unlink(s->made);
	free(s->made);
}

static int open_screen(struct serve *s)
{
	const struct selection one = { .nodes = &s->node, .count = 1 };
	const struct pctl_request request = kvm_request(s->cli);
	struct pctl_problems *problems = pctl_problems_new();

	int r = ask_nodes_consent(s->cli, &one, &request, &s->ask, on_result, s, problems);
	say_problems(problems);
	pctl_problems_free(problems);
	return r < 0 ? CLI_USAGE : CLI_OK;
}

static const char *note_of(const struct serve *s)
{
	return pctl_value_text(pctl_value_get(pctl_stream_facts(s->stream), "note"));
}

int kvm_serve(struct cli *cli, size_t node)
{
	struct serve s = { .cli = cli,
		.node = node,
		.name = pctl_inventory_name(cli->inventory, node),
		.listener = -1,
		.viewer = -1 };

	int status = find_place(&s);
	signals_start(&s.signals, &cli->loop, on_signal, NULL, &s);
	if (status == CLI_OK)
		status = open_screen(&s);
	if (status == CLI_OK && s.stream && note_of(&s))
		on_note(&s, note_of(&s));
	if (status == CLI_OK && !s.over)
		status = announce(&s);
	if (status == CLI_OK && !s.over)
		status = start_viewer(&s);
	if (status == CLI_OK && !s.over)
		wait_for_viewer(&s);
	if (status == CLI_OK)
		status = s.status;
	clean_up(&s);
	if (status == CLI_FAILED && s.why.code)
		say("%s: %s: %s", s.name, pctl_error_name(s.why.code), s.why.text);
	return s.signals.came ? CLI_INTERRUPTED : status;
}
