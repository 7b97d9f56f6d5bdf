/* SPDX-License-Identifier: Apache-2.0 */
#include "node/fingerprint.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>
#include <powerctl/secret.h>

#include "base/file.h"

#define PARTS_MAX ((size_t)1 << 20)

/* --- The key. --------------------------------------------------------------------------------- */

static void make_random(unsigned char *bytes, size_t len)
{
	/* With a key that can be guessed, so can be what it hides. */
	if (getentropy(bytes, len) < 0)
		abort();
}

static bool read_salt(const char *path, unsigned char *ret)
{
	unsigned char bytes[PCTL_SALT_SIZE + 1];
	int fd = pctl_file_open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0);
	struct stat st;

	if (fd < 0)
		return false;
	bool good = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && !(st.st_mode & 077) &&
		    read(fd, bytes, sizeof(bytes)) == PCTL_SALT_SIZE;
	(void)close(fd);
	if (good)
		memcpy(ret, bytes, PCTL_SALT_SIZE);
	return good;
}

/* Whole or not at all; of two processes that make one at the same time, the first one's stays. */
static void make_salt(const char *path)
{
	PCTL_AUTO(free) char *temp = pctl_xasprintf("%s.%d", path, (int)getpid());
	unsigned char bytes[PCTL_SALT_SIZE];

	make_random(bytes, sizeof(bytes));
	(void)unlink(temp);
	int fd = pctl_file_open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	bool good = write(fd, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes);
	bool made = close(fd) == 0 && good && link(temp, path) == 0;
	(void)made; /* whoever reads it will see */
	(void)unlink(temp);
}

void pctl_salt_load(const char *path, unsigned char ret[PCTL_SALT_SIZE])
{
	if (path && read_salt(path, ret))
		return;
	if (path) {
		(void)unlink(path); /* damaged, or others can read it */
		make_salt(path);
	}
	if (!path || !read_salt(path, ret))
		make_random(ret, PCTL_SALT_SIZE);
}

/* --- The name. -------------------------------------------------------------------------------- */

static void add_part(struct pctl_buf *buf, const char *data, size_t len)
{
	pctl_buf_addf(buf, "%zu:", len);
	pctl_buf_add(buf, data, len);
}

static void add_text(struct pctl_buf *buf, const char *text)
{
	add_part(buf, text ? text : "", text ? strlen(text) : 0);
}

static bool add_secrets(struct pctl_buf *buf, const struct pctl_settings *settings)
{
	bool any = false;

	for (size_t i = 0; i < settings->n; i++) {
		const struct pctl_setting *s = &settings->v[i];

		if (!s->secret)
			continue;
		any = true;
		add_text(buf, s->property->name);
		add_part(buf, pctl_secret_data(s->secret), pctl_secret_len(s->secret));
	}
	return any;
}

/* How it logs in: rights, ciphers, certificates. Where it is (a port) does not matter. */
static void add_manner(struct pctl_buf *buf, const struct pctl_settings *settings)
{
	for (size_t i = 0; i < settings->n; i++) {
		const struct pctl_setting *s = &settings->v[i];
		enum pctl_type type = s->property->type;

		if (!s->given || (s->property->flags & PCTL_PROPERTY_SECRET))
			continue;
		if (type == PCTL_TYPE_FILE) {
			add_text(buf, s->property->name);
			add_text(buf, s->text);
		} else if (type == PCTL_TYPE_BOOL || type == PCTL_TYPE_CHOICE ||
			   type == PCTL_TYPE_FLAGS) {
			add_text(buf, s->property->name);
			pctl_buf_addf(buf, "=%" PRIu64, s->number);
		}
	}
}

bool pctl_fingerprint(const unsigned char salt[PCTL_SALT_SIZE], const struct pctl_target *target,
	char ret[PCTL_FINGERPRINT_SIZE])
{
	const struct pctl_setting *user = pctl_settings_find(&target->settings, "username");
	unsigned char sum[EVP_MAX_MD_SIZE];
	struct pctl_buf parts;

	pctl_buf_init_secret(&parts, PARTS_MAX);
	add_text(&parts, pctl_value_text(pctl_value_get(target->map, "credential")));
	add_text(&parts, user ? user->text : NULL);
	add_manner(&parts, &target->settings);
	bool any = add_secrets(&parts, &target->settings);
	if (any && !HMAC(EVP_sha256(), salt, PCTL_SALT_SIZE, (const unsigned char *)parts.data,
			   parts.len, sum, NULL))
		pctl_out_of_memory(); /* of what it does, nothing else can fail */
	pctl_buf_done(&parts);
	for (size_t i = 0; any && i < (PCTL_FINGERPRINT_SIZE - 1) / 2; i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", sum[i]);
	return any;
}
