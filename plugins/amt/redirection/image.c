/* SPDX-License-Identifier: Apache-2.0 */
#include "redirection/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <powerctl/mem.h>

/* What is read where it is no continuation: a machine that boots asks for little here and there. */
#define WINDOW_FIRST ((size_t)32 << 10)
/* What is taken at a time of a file that is in memory already. */
#define PIECE ((size_t)8 << 10)

struct window {
	uv_work_t work;
	struct image *image;
	uint64_t offset;
	size_t size;
	size_t got; /* bytes that were there; the rest is lacking */
	int fault;  /* errno, or 0 */
	enum { WINDOW_EMPTY, WINDOW_FETCHING, WINDOW_READY } state;
	uint8_t *data; /* IMAGE_WINDOW bytes */
};

struct image {
	int fd; /* -1: zeros */
	char *path;
	uint64_t size, padded;
	uv_loop_t *loop;
	void (*ready)(void *data);
	void *data;
	struct window windows[IMAGE_WINDOWS];
	uint64_t next; /* where the last read ended: who goes on there reads one after the other */
	uint8_t piece[PIECE];
	bool slow; /* whether a piece is in memory cannot be told */
	unsigned fetching;
	bool waited; /* somebody wants what is fetched */
	bool closed;
};

/* --- Opening. --------------------------------------------------------------------------------- */

static int check_file(int fd, const char *path, uint64_t *ret_size, struct pctl_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return pctl_error_set(err, PCTL_E_CONFIG, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return pctl_error_set(err, PCTL_E_CONFIG, "%s is no file", path);
	off_t size = S_ISBLK(st.st_mode) ? lseek(fd, 0, SEEK_END) : st.st_size;
	if (size <= 0)
		return pctl_error_set(err, PCTL_E_CONFIG, "%s is empty", path);
	*ret_size = (uint64_t)size;
	return 0;
}

static struct image *make(int fd, const char *path, uint64_t size)
{
	struct image *m = pctl_xcalloc(1, sizeof(*m));

	m->fd = fd;
	m->path = path ? pctl_xstrdup(path) : NULL;
	m->size = m->padded = size;
	m->next = UINT64_MAX;
	for (size_t i = 0; i < IMAGE_WINDOWS; i++) {
		m->windows[i].image = m;
		m->windows[i].work.data = &m->windows[i];
	}
	return m;
}

int image_open(const char *path, uint64_t size, struct image **ret, struct pctl_error *err)
{
	if (!path) {
		*ret = make(-1, NULL, size);
		return 0;
	}
	/* A pipe would have to be waited for until somebody writes. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return pctl_error_set(err, PCTL_E_CONFIG, "%s: %s", path, strerror(errno));
	int r = check_file(fd, path, &size, err);
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	*ret = make(fd, path, size);
	return 0;
}

void image_use(
	struct image *image, uv_loop_t *loop, uint32_t pad, void (*ready)(void *data), void *data)
{
	image->loop = loop;
	image->padded = (image->size + pad - 1) / pad * pad;
	image->ready = ready;
	image->data = data;
}

uint64_t image_size(const struct image *image)
{
	return image->size;
}

const char *image_path(const struct image *image)
{
	return image->path;
}

/* --- The end. A worker that hangs in a read keeps what it works with. --------------------------
 */

static void release(struct image *m)
{
	if (m->fd >= 0)
		(void)close(m->fd);
	for (size_t i = 0; i < IMAGE_WINDOWS; i++)
		free(m->windows[i].data);
	free(m->path);
	free(m);
}

void image_close(struct image *image)
{
	if (!image)
		return;
	image->closed = true;
	for (size_t i = 0; i < IMAGE_WINDOWS; i++)
		if (image->windows[i].state == WINDOW_FETCHING)
			(void)uv_cancel((uv_req_t *)&image->windows[i].work);
	if (!image->fetching)
		release(image);
}

/* --- Reading. --------------------------------------------------------------------------------- */

static void fetch(uv_work_t *work)
{
	struct window *w = work->data;
	int fd = w->image->fd;

	while (fd >= 0 && w->got < w->size) {
		ssize_t n =
			pread(fd, w->data + w->got, w->size - w->got, (off_t)(w->offset + w->got));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			w->fault = errno;
		if (n <= 0)
			break;
		w->got += (size_t)n;
	}
	memset(w->data + w->got, 0, w->size - w->got);
}

static void fetched(uv_work_t *work, int status)
{
	struct window *w = work->data;
	struct image *m = w->image;

	m->fetching--;
	w->state = status < 0 ? WINDOW_EMPTY : WINDOW_READY;
	if (m->closed) {
		if (!m->fetching)
			release(m);
		return;
	}
	bool waited = m->waited;
	m->waited = false;
	if (waited)
		m->ready(m->data);
}

static struct window *find(struct image *m, uint64_t offset)
{
	for (size_t i = 0; i < IMAGE_WINDOWS; i++) {
		struct window *w = &m->windows[i];
		if (w->state != WINDOW_EMPTY && offset >= w->offset && offset - w->offset < w->size)
			return w;
	}
	return NULL;
}

/* One that nothing is fetched into; keep is not to be touched. */
static struct window *find_free(struct image *m, const struct window *keep)
{
	for (size_t i = 0; i < IMAGE_WINDOWS; i++)
		if (&m->windows[i] != keep && m->windows[i].state != WINDOW_FETCHING)
			return &m->windows[i];
	return NULL;
}

static void begin_fetch(struct image *m, struct window *w, uint64_t offset, size_t size)
{
	uint64_t left = m->padded - offset;

	if (!w->data)
		w->data = pctl_xmalloc(IMAGE_WINDOW);
	w->offset = offset;
	w->size = size < left ? size : (size_t)left;
	w->got = 0;
	w->fault = 0;
	w->state = uv_queue_work(m->loop, &w->work, fetch, fetched) < 0 ? WINDOW_EMPTY
									: WINDOW_FETCHING;
	m->fetching += w->state == WINDOW_FETCHING;
}

/* Whether a window has what the file had at that place when it was opened. */
static int check(struct image *m, struct window *w, uint64_t offset, struct pctl_error *err)
{
	uint64_t lacks = w->offset + w->got;

	if (m->fd < 0 || offset < lacks || offset >= m->size)
		return 0;
	w->state = WINDOW_EMPTY;
	if (w->fault)
		return pctl_error_set(err, PCTL_E_INTERNAL, "%s cannot be read any more: %s",
			m->path, strerror(w->fault));
	return pctl_error_set(err, PCTL_E_INTERNAL,
		"%s is shorter than when it was attached: it ends at byte %llu of %llu", m->path,
		(unsigned long long)lacks, (unsigned long long)m->size);
}

/* Bytes of a window from offset on that are good: the file's, or beyond its end. */
static size_t usable(const struct image *m, const struct window *w, uint64_t offset)
{
	uint64_t end = w->offset + w->size, good = w->offset + w->got;

	if (m->fd >= 0 && good < end && good < m->size && offset < good)
		end = good;
	return (size_t)(end - offset);
}

static void read_ahead(struct image *m, const struct window *w)
{
	uint64_t at = w->offset + w->size;
	struct window *next = find_free(m, w);

	if (at < m->padded && next && !find(m, at))
		begin_fetch(m, next, at, IMAGE_WINDOW);
}

/* What the kernel has in memory needs no worker. 0: it has not, or that is no whole piece. */
static size_t read_at_once(struct image *m, uint64_t offset, size_t want)
{
	size_t size = want < PIECE ? want : PIECE;
	struct iovec to = { m->piece, size };

	if (m->slow || m->fd < 0 || offset + size > m->size)
		return 0;
	ssize_t n = preadv2(m->fd, &to, 1, (off_t)offset, RWF_NOWAIT);
	m->slow = n < 0 && errno != EAGAIN && errno != EINTR;
	return n == (ssize_t)size ? size : 0;
}

int64_t image_read(struct image *image, uint64_t offset, size_t want, const uint8_t **ret,
	struct pctl_error *err)
{
	struct window *w = find(image, offset);
	bool goes_on = offset == image->next;
	size_t n = w ? 0 : read_at_once(image, offset, want);

	if (n) {
		*ret = image->piece;
		image->next = offset + n;
		return (int64_t)n;
	}
	if (!w) {
		struct window *room = find_free(image, NULL);
		size_t size = goes_on ? IMAGE_WINDOW : want > WINDOW_FIRST ? want : WINDOW_FIRST;
		if (room)
			begin_fetch(image, room, offset, size < IMAGE_WINDOW ? size : IMAGE_WINDOW);
		if (room && room->state == WINDOW_EMPTY)
			return pctl_error_set(err, PCTL_E_INTERNAL, "no thread to read with");
		image->waited = true;
		return 0;
	}
	if (w->state == WINDOW_FETCHING) {
		image->waited = true;
		return 0;
	}
	int r = check(image, w, offset, err);
	if (r < 0)
		return r;
	n = usable(image, w, offset);
	if (n > want)
		n = want;
	*ret = w->data + (offset - w->offset);
	image->next = offset + n;
	if (goes_on)
		read_ahead(image, w);
	return (int64_t)n;
}
