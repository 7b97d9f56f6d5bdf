/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/pending.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "base/file.h"
#include "base/paths.h"
#include "base/strmap.h"

#define HEAD     "powerctl-pending 1"
#define SECRET   "secret "
#define FILE_MAX ((size_t)64 << 20)

struct pctl_pending {
	char *secret_file, *file;
	struct pctl_secret *secret;
	struct pctl_names *nodes;
	struct pctl_strmap states; /* 1 + enum pctl_password_state, by name */
	int fd;                    /* to append to; -1: not open */
	off_t whole;               /* so much of the file are lines that were written */
};

static const char *const words[] = { [PCTL_PASSWORD_OLD] = "old",
	[PCTL_PASSWORD_SENT] = "sent",
	[PCTL_PASSWORD_NEW] = "new",
	NULL };

const char *pctl_password_state_name(enum pctl_password_state state)
{
	return words[state];
}

struct pctl_pending *pctl_pending_new(const char *secret_file, const struct pctl_secret *secret)
{
	struct pctl_pending *p = pctl_xcalloc(1, sizeof(*p));

	p->secret_file = pctl_xstrdup(secret_file);
	p->file = pctl_xasprintf("%s" PCTL_PENDING_END, secret_file);
	p->secret = pctl_secret_copy(secret);
	p->nodes = pctl_names_new();
	p->fd = -1;
	return p;
}

void pctl_pending_free(struct pctl_pending *p)
{
	if (!p)
		return;
	if (p->fd >= 0)
		(void)close(p->fd);
	pctl_strmap_done(&p->states);
	pctl_names_free(p->nodes);
	pctl_secret_free(p->secret);
	free(p->secret_file);
	free(p->file);
	free(p);
}

const struct pctl_secret *pctl_pending_secret(const struct pctl_pending *p)
{
	return p->secret;
}

const char *pctl_pending_file(const struct pctl_pending *p)
{
	return p->file;
}

const struct pctl_names *pctl_pending_nodes(const struct pctl_pending *p)
{
	return p->nodes;
}

enum pctl_password_state pctl_pending_state(const struct pctl_pending *p, const char *node)
{
	uintptr_t state = (uintptr_t)pctl_strmap_get(&p->states, node);

	return state ? (enum pctl_password_state)(state - 1) : PCTL_PASSWORD_OLD;
}

static void put_state(struct pctl_pending *p, const char *node, enum pctl_password_state state)
{
	(void)pctl_names_add(p->nodes, node);
	*pctl_strmap_put(&p->states, node) = (void *)((uintptr_t)state + 1);
}

void pctl_pending_add(struct pctl_pending *p, const char *node)
{
	put_state(p, node, PCTL_PASSWORD_OLD);
}

/* --- Reading. --------------------------------------------------------------------------------- */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_secret(struct pctl_pending *p, const char *hex)
{
	size_t len = strlen(hex) / 2;
	char bytes[PCTL_SECRET_MAX];
	bool good = len > 0 && len <= sizeof(bytes) && strlen(hex) % 2 == 0 && !p->secret;

	for (size_t i = 0; good && i < len; i++) {
		int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

		good = high >= 0 && low >= 0;
		if (good)
			bytes[i] = (char)(high << 4 | low);
	}
	if (good)
		p->secret = pctl_secret_new(bytes, len);
	explicit_bzero(bytes, sizeof(bytes));
	return good;
}

static bool take_line(struct pctl_pending *p, char *line)
{
	char *name = strchr(line, ' ');

	if (strncmp(line, SECRET, strlen(SECRET)) == 0)
		return take_secret(p, line + strlen(SECRET));
	if (!name || !name[1])
		return false;
	*name = '\0';
	int state = pctl_parse_choice(line, words);
	if (state < 0)
		return false;
	put_state(p, name + 1, (enum pctl_password_state)state);
	return true;
}

static bool take_all(struct pctl_pending *p, char *text)
{
	bool first = true, good = true;
	char *end;

	for (; good && (end = strchr(text, '\n')); text = end + 1, first = false) {
		*end = '\0';
		good = first ? strcmp(text, HEAD) == 0 : take_line(p, text);
	}
	return good && !first && p->secret;
}

int pctl_pending_read(const char *secret_file, struct pctl_pending **ret, struct pctl_error *err)
{
	struct pctl_pending *p = pctl_pending_new(secret_file, NULL);
	struct pctl_buf buf;
	struct stat st;
	int r = 0;

	*ret = NULL;
	if (lstat(p->file, &st) < 0 && errno == ENOENT) {
		pctl_pending_free(p);
		return 0;
	}
	pctl_buf_init_secret(&buf, FILE_MAX);
	r = pctl_file_read(p->file, &buf, &st, err);
	if (r == 0)
		r = pctl_file_check_private(p->file, &st, err);
	if (r == 0 && !take_all(p, buf.data))
		r = pctl_error_set(err, PCTL_E_CONFIG,
			"%s: is no pending password of powerctl's, or damaged; it may have the "
			"only "
			"copy of a password: look at it before you remove it",
			p->file);
	pctl_buf_done(&buf);
	if (r < 0)
		pctl_pending_free(p);
	else
		*ret = p;
	return r;
}

/* --- Writing. --------------------------------------------------------------------------------- */

static void render(const struct pctl_pending *p, struct pctl_buf *buf)
{
	const unsigned char *bytes = (const unsigned char *)pctl_secret_data(p->secret);

	pctl_buf_adds(buf, HEAD "\n" SECRET);
	for (size_t i = 0; i < pctl_secret_len(p->secret); i++)
		pctl_buf_addf(buf, "%02x", bytes[i]);
	pctl_buf_adds(buf, "\n");
	for (size_t i = 0; i < pctl_names_count(p->nodes); i++) {
		const char *name = pctl_names_at(p->nodes, i);

		pctl_buf_addf(buf, "%s %s\n", words[pctl_pending_state(p, name)], name);
	}
}

/* Written as a whole also where it was there: a line that was cut is gone then. */
int pctl_pending_write(struct pctl_pending *p, struct pctl_error *err)
{
	struct pctl_buf buf;
	struct stat st;
	/* Who reads the secret reads this too: his commands need it. */
	const struct stat *like = stat(p->secret_file, &st) == 0 ? &st : NULL;

	pctl_buf_init_secret(&buf, FILE_MAX);
	render(p, &buf);
	int r = buf.full ? pctl_error_set(err, PCTL_E_CONFIG,
				   "%s: so many nodes do not fit into it", p->file)
			 : pctl_file_replace(p->file, buf.data, buf.len, 0600, like, err);
	off_t whole = (off_t)buf.len;
	pctl_buf_done(&buf);
	if (r < 0)
		return r;
	p->whole = whole;
	if (p->fd >= 0)
		(void)close(p->fd);
	p->fd = pctl_file_open(p->file, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0);
	if (p->fd < 0)
		return pctl_error_set(
			err, PCTL_E_INTERNAL, "%s: cannot open it: %s", p->file, strerror(errno));
	return 0;
}

/* What was cut off in the middle of a line has to go first: the next one would be read as its end.
 */
static int cut_rest(struct pctl_pending *p)
{
	off_t end = lseek(p->fd, 0, SEEK_END);

	return end < 0 || (end != p->whole && ftruncate(p->fd, p->whole) < 0) ? -1 : 0;
}

int pctl_pending_mark(struct pctl_pending *p, const char *node, enum pctl_password_state state,
	struct pctl_error *err)
{
	PCTL_AUTO(free) char *line = pctl_xasprintf("%s %s\n", words[state], node);
	size_t len = strlen(line);

	if (pctl_pending_state(p, node) == state)
		return 0;
	if (cut_rest(p) < 0 || pctl_file_write(p->fd, line, len) < 0 || fdatasync(p->fd) < 0) {
		int why = errno;

		(void)cut_rest(p); /* else before the next one */
		return pctl_error_set(
			err, PCTL_E_INTERNAL, "%s: cannot write it: %s", p->file, strerror(why));
	}
	p->whole += (off_t)len;
	put_state(p, node, state);
	return 0;
}

/* --- The end. --------------------------------------------------------------------------------- */

void pctl_pending_drop(struct pctl_pending *p)
{
	PCTL_AUTO(free) char *dir = pctl_path_dirname(p->file);
	int fd = pctl_file_open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	(void)unlink(p->file);
	if (fd < 0)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

int pctl_pending_promote(struct pctl_pending *p, struct pctl_error *err)
{
	struct stat st;
	bool there = stat(p->secret_file, &st) == 0;
	int r = pctl_file_replace(p->secret_file, pctl_secret_data(p->secret),
		pctl_secret_len(p->secret), 0600, there ? &st : NULL, err);

	if (r == 0)
		pctl_pending_drop(p);
	return r;
}

int pctl_pending_lock(const char *folder, struct pctl_error *err)
{
	int fd = pctl_file_open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0), r;

	if (fd < 0)
		return pctl_error_set(
			err, PCTL_E_INTERNAL, "%s: cannot open it: %s", folder, strerror(errno));
	do
		r = flock(fd, LOCK_EX | LOCK_NB);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return fd;
	r = errno == EWOULDBLOCK
		    ? pctl_error_set(err, PCTL_E_BUSY,
			      "another powerctl is changing passwords in %s: nothing was sent",
			      folder)
		    : pctl_error_set(err, PCTL_E_INTERNAL, "%s: cannot lock it: %s", folder,
			      strerror(errno));
	(void)close(fd);
	return r;
}
