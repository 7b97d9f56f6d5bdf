/* SPDX-License-Identifier: Apache-2.0 */
#include "media_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>
#include <powerctl/powerctl.h>

#define WORD_MAX   32u
#define ANSWER_MAX 65536u
#define ANSWER_MS  10000
#define ASKERS_MAX 8
#define FNV_BASIS  UINT64_C(14695981039346656037)
#define FNV_PRIME  UINT64_C(1099511628211)

struct media_asker {
	uv_pipe_t pipe;
	uv_write_t write;
	struct media_socket *socket; /* NULL: it is gone */
	struct media_asker *next;
	char word[WORD_MAX];
	size_t n;
	char *answer;
	bool asked, closing;
};

/* --- Where. ----------------------------------------------------------------------------------- */

/* Two names of one machine have one socket. */
static char *name_of(const char *machine)
{
	uint64_t h = FNV_BASIS;

	for (; *machine; machine++)
		h = (h ^ (uint8_t)*machine) * FNV_PRIME;
	return pctl_xasprintf("%016" PRIx64, h);
}

/* The folder, however deep it is, by a path that always fits. */
static int open_folder(struct pctl_error *err)
{
	PCTL_AUTO(free) char *path = NULL;

	if (pctl_path_runtime("media/lock", &path, err) < 0)
		return -1;
	*strrchr(path, '/') = '\0';
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		(void)pctl_error_set(err, PCTL_E_INTERNAL, "%s: %s", path, strerror(errno));
	return fd;
}

static struct sockaddr_un address_of(int folder, const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/%s", folder, name);
	return a;
}

static int connect_to(int folder, const char *name)
{
	struct sockaddr_un a = address_of(folder, name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

/* --- Being asked. ----------------------------------------------------------------------------- */

static void on_asker_closed(uv_handle_t *handle)
{
	struct media_asker *asker =
		pctl_container_of((uv_pipe_t *)handle, struct media_asker, pipe);

	free(asker->answer);
	free(asker);
}

static void drop(struct media_asker *asker)
{
	struct media_asker **at = asker->socket ? &asker->socket->askers : NULL;

	if (asker->closing)
		return;
	asker->closing = true;
	while (at && *at && *at != asker)
		at = &(*at)->next;
	if (at && *at)
		*at = asker->next;
	asker->socket = NULL;
	uv_close((uv_handle_t *)&asker->pipe, on_asker_closed);
}

static void on_answered(uv_write_t *write, int status)
{
	(void)status;
	drop(pctl_container_of(write, struct media_asker, write));
}

void media_socket_answer(struct media_asker *asker, const char *text)
{
	asker->answer = pctl_xstrdup(text);
	uv_buf_t b = uv_buf_init(asker->answer, (unsigned)strlen(asker->answer));
	if (uv_write(&asker->write, (uv_stream_t *)&asker->pipe, &b, 1, on_answered) < 0)
		drop(asker);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct media_asker *asker =
		pctl_container_of((uv_pipe_t *)handle, struct media_asker, pipe);

	(void)size;
	*buf = uv_buf_init(asker->word + asker->n, (unsigned)(WORD_MAX - asker->n));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct media_asker *asker =
		pctl_container_of((uv_pipe_t *)stream, struct media_asker, pipe);

	(void)buf;
	if (n > 0)
		asker->n += (size_t)n;
	char *end = memchr(asker->word, '\n', asker->n);
	if (n < 0 || (!end && asker->n == WORD_MAX)) {
		drop(asker);
		return;
	}
	if (!end || asker->asked)
		return;
	*end = '\0';
	asker->asked = true;
	(void)uv_read_stop(stream);
	asker->socket->asked(asker->socket->data, asker, asker->word);
}

/* The folder keeps others out already; root, who goes everywhere, is somebody else too. */
static bool is_ours(const uv_pipe_t *pipe)
{
	struct ucred who;
	socklen_t n = sizeof(who);
	uv_os_fd_t fd = -1;

	return uv_fileno((const uv_handle_t *)pipe, &fd) == 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 && who.uid == geteuid();
}

static void on_connection(uv_stream_t *stream, int status)
{
	struct media_socket *s = pctl_container_of((uv_pipe_t *)stream, struct media_socket, pipe);

	if (status < 0)
		return;
	struct media_asker *asker = pctl_xcalloc(1, sizeof(*asker));
	(void)uv_pipe_init(stream->loop, &asker->pipe, 0);
	asker->socket = s;
	asker->next = s->askers;
	s->askers = asker;
	if (uv_accept(stream, (uv_stream_t *)&asker->pipe) < 0 || !is_ours(&asker->pipe) ||
		uv_read_start((uv_stream_t *)&asker->pipe, on_alloc, on_read) < 0)
		drop(asker);
}

/* --- Listening. ------------------------------------------------------------------------------- */

static int listen_at(int folder, const char *name, struct pctl_error *err)
{
	struct sockaddr_un a = address_of(folder, name);
	int other = connect_to(folder, name);

	if (other >= 0) {
		(void)close(other);
		return pctl_error_set(err, PCTL_E_BUSY,
			"another powerctl of yours serves media to this machine; `powerctl media "
			"detach` ends that");
	}
	(void)unlinkat(folder, name, 0);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0 &&
		listen(fd, ASKERS_MAX) == 0)
		return fd;
	int r = pctl_error_set(err, PCTL_E_INTERNAL, "no control socket: %s", strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return r;
}

int media_socket_open(struct media_socket *s, uv_loop_t *loop, const char *machine,
	void (*asked)(void *data, struct media_asker *asker, const char *word), void *data,
	struct pctl_error *err)
{
	PCTL_AUTO(free) char *name = name_of(machine);
	int folder = open_folder(err);

	if (folder < 0)
		return PCTL_E_INTERNAL;
	/* One looks whether somebody is there, and takes the name, at a time. */
	(void)flock(folder, LOCK_EX);
	int fd = listen_at(folder, name, err);
	(void)close(folder);
	if (fd < 0)
		return fd;
	PCTL_AUTO(free) char *file = pctl_xasprintf("media/%s", name);
	*s = (struct media_socket){ .asked = asked, .data = data, .open = true };
	(void)pctl_path_runtime(file, &s->path, NULL);
	(void)uv_pipe_init(loop, &s->pipe, 0);
	if (uv_pipe_open(&s->pipe, fd) < 0 ||
		uv_listen((uv_stream_t *)&s->pipe, ASKERS_MAX, on_connection) < 0) {
		media_socket_close(s);
		return pctl_error_set(err, PCTL_E_INTERNAL, "no control socket");
	}
	return 0;
}

void media_socket_close(struct media_socket *s)
{
	if (!s->open)
		return;
	s->open = false;
	if (s->path)
		(void)unlink(s->path);
	free(s->path);
	for (struct media_asker *a = s->askers, *next; a; a = next) {
		next = a->next;
		a->socket = NULL;
		if (!a->answer)
			drop(a);
	}
	s->askers = NULL;
	uv_close((uv_handle_t *)&s->pipe, NULL);
}

/* --- Asking. ---------------------------------------------------------------------------------- */

static char *read_answer(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct pctl_buf all;
	char part[1024];
	ssize_t n = 0;

	pctl_buf_init(&all, ANSWER_MAX);
	while (poll(&p, 1, ANSWER_MS) == 1 && (n = read(fd, part, sizeof(part))) > 0)
		pctl_buf_add(&all, part, (size_t)n);
	if (n == 0 && all.len)
		return pctl_buf_steal(&all);
	pctl_buf_done(&all);
	return NULL;
}

struct question {
	int fd;
	char line[WORD_MAX];
	char *answer;
	media_answer_fn *answered;
	struct pctl_value *ret;
};

static void put_question(void *job)
{
	struct question *q = job;
	size_t len = strlen(q->line);

	if (send(q->fd, q->line, len, MSG_NOSIGNAL) == (ssize_t)len)
		q->answer = read_answer(q->fd);
	(void)close(q->fd);
}

static void on_question_done(void *job, struct pctl_op *op)
{
	struct question *q = job;

	if (op)
		q->answered(op, q->answer, q->ret);
	free(q->answer);
}

bool media_socket_ask(const char *machine, struct pctl_op *op, const char *word,
	media_answer_fn *answered, struct pctl_value *ret)
{
	PCTL_AUTO(free) char *name = name_of(machine);
	int folder = open_folder(NULL);

	if (folder < 0)
		return false;
	int fd = connect_to(folder, name);
	(void)close(folder);
	if (fd < 0)
		return false;
	struct question *q = pctl_xcalloc(1, sizeof(*q));
	*q = (struct question){ .fd = fd, .answered = answered, .ret = ret };
	(void)snprintf(q->line, sizeof(q->line), "%s\n", word);
	pctl_op_work(op, q, put_question, on_question_done);
	return true;
}
