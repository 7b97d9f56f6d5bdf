/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/history.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <powerctl/history.h>
#include <powerctl/mem.h>
#include <powerctl/powerctl.h>

#include "base/file.h"
#include "base/json_text.h"
#include "base/paths.h"

#define BATCH         ((size_t)64 << 10)             /* so much goes out in one write */
#define LOOKS         100u                           /* whether a torn line stays torn */
#define FILE_MAX_READ ((size_t)PCTL_HISTORY_MAX * 8) /* longer where it could not be renamed */

struct pctl_history {
	char *path; /* NULL: the state folder's, which nobody has looked for yet */
	uint64_t max;
	char *who;
	struct pctl_buf line, lines; /* being written; for the next write */
	int fd;                      /* -1: not open */
	struct pctl_error failed;
};

/* --- Who. ------------------------------------------------------------------------------------- */

/* A word that no line, log or terminal trips over. NULL: there is none. free() it. */
static char *clean_word(const char *s)
{
	char word[PCTL_HISTORY_CALLER + 1] = "";
	size_t n = 0;

	for (; s && s[n] && n < PCTL_HISTORY_CALLER; n++)
		word[n] = (char)(isalnum((unsigned char)s[n]) || strchr("._:/@+-", s[n]) ? s[n]
											 : '_');
	return n ? pctl_xstrdup(word) : NULL;
}

static char *find_who(const char *caller)
{
	PCTL_AUTO(free) char *user = pctl_path_user();
	PCTL_AUTO(free) char *behind = clean_word(getenv("SUDO_USER"));
	PCTL_AUTO(free) char *word = clean_word(caller);
	char host[256] = "";
	struct pctl_buf buf;

	(void)gethostname(host, sizeof(host) - 1);
	pctl_buf_init(&buf, PCTL_HISTORY_LINE_MAX);
	pctl_buf_adds(&buf, "\"user\":");
	pctl_json_text(&buf, user);
	pctl_json_add_text(&buf, "sudo_user", behind);
	pctl_json_add_uint(&buf, "pid", (uint64_t)getpid());
	pctl_json_add_text(&buf, "host", host);
	pctl_json_add_text(&buf, "caller", word);
	return pctl_buf_steal(&buf);
}

struct pctl_history *pctl_history_new(const char *path, uint64_t max, const char *caller)
{
	struct pctl_history *h = pctl_xcalloc(1, sizeof(*h));

	h->path = path ? pctl_xstrdup(path) : NULL;
	h->max = max;
	h->who = find_who(caller);
	h->fd = -1;
	pctl_buf_init(&h->line, PCTL_HISTORY_LINE_MAX);
	pctl_buf_init(&h->lines, BATCH);
	return h;
}

void pctl_history_free(struct pctl_history *h)
{
	if (!h)
		return;
	if (h->fd >= 0)
		(void)close(h->fd);
	pctl_buf_done(&h->line);
	pctl_buf_done(&h->lines);
	free(h->path);
	free(h->who);
	free(h);
}

const char *pctl_history_who(const struct pctl_history *h)
{
	return h->who;
}

int pctl_history_status(const struct pctl_history *h, struct pctl_error *err)
{
	if (h->failed.code && err)
		*err = h->failed;
	return h->failed.code;
}

/* --- The file. -------------------------------------------------------------------------------- */

/* The first reason is the one that is told. */
static int fail(struct pctl_history *h, const char *why)
{
	if (!h->failed.code)
		(void)pctl_error_set(&h->failed, PCTL_E_INTERNAL, "%s: %s",
			h->path ? h->path : PCTL_HISTORY_FILE, why);
	return -1;
}

static void close_file(struct pctl_history *h)
{
	(void)close(h->fd);
	h->fd = -1;
}

static int open_file(struct pctl_history *h)
{
	struct pctl_error err = { 0 };
	struct stat st;

	if (!h->path && pctl_path_state(PCTL_HISTORY_FILE, &h->path, &err) < 0)
		return fail(h, err.text);
	h->fd = pctl_file_open(
		h->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (h->fd < 0)
		return fail(h, strerror(errno));
	if (fstat(h->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close_file(h);
		return fail(h, "not a file");
	}
	return 0;
}

/*
 * What somebody could not write to its end is not to swallow the line behind it. A file also ends
 * so for the moment that another one's write takes, whose line's end is then yet to come.
 */
static bool ends_torn(const struct pctl_history *h, struct stat *st)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	char last = '\n';

	for (unsigned looks = 0; looks < LOOKS; looks++) {
		if (looks > 0)
			(void)nanosleep(&moment, NULL);
		if (fstat(h->fd, st) < 0 || st->st_size == 0 ||
			pread(h->fd, &last, 1, st->st_size - 1) != 1 || last == '\n')
			return false;
	}
	return true;
}

/* Whoever has the lock renames; nobody waits for it, since all others can go on writing. */
static void rotate(struct pctl_history *h)
{
	PCTL_AUTO(free) char *lock = pctl_xasprintf("%s.lock", h->path);
	int fd = pctl_file_try_lock(lock, 0600, NULL);
	struct stat st;

	if (fd < 0)
		return;
	if (stat(h->path, &st) == 0 && (uint64_t)st.st_size >= h->max) {
		for (unsigned i = PCTL_HISTORY_FILES - 1; i > 0; i--) {
			PCTL_AUTO(free)
			char *from = i > 1 ? pctl_xasprintf("%s.%u", h->path, i - 1)
					   : pctl_xstrdup(h->path);
			PCTL_AUTO(free) char *to = pctl_xasprintf("%s.%u", h->path, i);

			(void)rename(from, to);
		}
	}
	(void)close(fd);
}

/* The file that has the name now, with room in it; another process may have renamed ours. */
static int take_file(struct pctl_history *h, struct stat *st)
{
	struct stat named;

	for (unsigned tries = 0; tries < 3; tries++) {
		if (h->fd < 0 && open_file(h) < 0)
			return -1;
		if (fstat(h->fd, st) < 0)
			return fail(h, strerror(errno));
		bool same = stat(h->path, &named) == 0 && named.st_ino == st->st_ino &&
			    named.st_dev == st->st_dev;
		if (same && (uint64_t)st->st_size < h->max)
			return 0;
		if (same)
			rotate(h);
		close_file(h);
	}
	/* It cannot be renamed, or others are at it: a large file is better than none. */
	if (open_file(h) < 0)
		return -1;
	return fstat(h->fd, st) < 0 ? fail(h, strerror(errno)) : 0;
}

static void write_lines(struct pctl_history *h)
{
	struct stat st = { 0 };
	ssize_t n;

	if (take_file(h, &st) < 0)
		return;
	if (ends_torn(h, &st) && write(h->fd, "\n", 1) < 0) {
		(void)fail(h, strerror(errno));
		return;
	}
	do
		n = write(h->fd, h->lines.data, h->lines.len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		(void)fail(h, strerror(errno));
	else if ((size_t)n < h->lines.len)
		(void)fail(h, strerror(ENOSPC));
}

void pctl_history_flush(struct pctl_history *h)
{
	if (!h->lines.len)
		return;
	write_lines(h);
	if (h->fd >= 0) /* kept, it would be one connection less */
		close_file(h);
	pctl_buf_cut(&h->lines, 0);
}

struct pctl_buf *pctl_history_begin(struct pctl_history *h)
{
	pctl_buf_cut(&h->line, 0);
	return &h->line;
}

void pctl_history_end(struct pctl_history *h)
{
	if (h->line.full) {
		(void)fail(h, "an event has too many words to be kept");
		return;
	}
	if (h->lines.len + h->line.len + 1 > BATCH)
		pctl_history_flush(h);
	pctl_buf_add(&h->lines, h->line.data, h->line.len);
	pctl_buf_add(&h->lines, "\n", 1);
}

/* --- Reading. --------------------------------------------------------------------------------- */

/* The lines of a text, the last one first. False: no more are wanted. */
static bool each_backwards(const char *text, size_t len, pctl_history_line_fn *line, void *data)
{
	while (len) {
		const char *before = memrchr(text, '\n', len);
		const char *begin = before ? before + 1 : text;
		size_t n = (size_t)(text + len - begin);

		if (n && !line(data, begin, n))
			return false;
		len = before ? (size_t)(before - text) : 0;
	}
	return true;
}

struct reading {
	pctl_history_line_fn *line;
	void *data;
	ino_t seen[PCTL_HISTORY_FILES]; /* files may be renamed while they are read */
	size_t n;
	bool over;
};

static bool was_read(struct reading *r, ino_t file)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->seen[i] == file)
			return true;
	r->seen[r->n++] = file;
	return false;
}

static int read_file(struct reading *r, const char *path, struct pctl_error *err)
{
	struct stat st = { 0 };
	struct pctl_buf text;
	int e = 0;

	if (access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	pctl_buf_init(&text, FILE_MAX_READ);
	e = pctl_file_read_kept(path, &text, &st, err);
	if (e == 0 && !was_read(r, st.st_ino))
		r->over = !each_backwards(text.data, text.len, r->line, r->data);
	pctl_buf_done(&text);
	return e;
}

int pctl_history_read(pctl_history_line_fn *line, void *data, struct pctl_error *err)
{
	PCTL_AUTO(free) char *path = pctl_path_state_unmade(PCTL_HISTORY_FILE);
	struct reading reading = { .line = line, .data = data };

	if (!path)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "no home folder; set $HOME or $XDG_STATE_HOME");
	for (unsigned i = 0; i < PCTL_HISTORY_FILES && !reading.over; i++) {
		PCTL_AUTO(free)
		char *file = i ? pctl_xasprintf("%s.%u", path, i) : pctl_xstrdup(path);
		int r = read_file(&reading, file, err);

		if (r < 0)
			return r;
	}
	return 0;
}
