/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery.h"

#include <string.h>

enum {
	TYPE_URI = 1,
	TYPE_FILE_PATH = 2,
	TYPE_FILE_PATH_LENGTH = 3,
	TYPE_IMAGE_HASH = 4, /* SHA-256; the next two are the longer ones */
	TYPE_SYNC_ROOT_CA = 20,
	TYPE_SERVER_NAME = 21,
	TYPE_SERVER_NAME_HOW = 22,
	TYPE_SERVER_HASH = 23, /* as TYPE_IMAGE_HASH */
	TYPE_USER = 40,
	TYPE_PASSWORD = 41,
};
enum { NAME_FULL = 1, NAME_SUFFIX = 2 };
#define VENDOR_INTEL 0x8086u

struct bytes {
	unsigned char data[RECOVERY_MAX_BYTES];
	size_t len;
	unsigned count;
};

/* --- Entries. --------------------------------------------------------------------------------- */

static void put_le(struct bytes *b, uint32_t value, unsigned bytes)
{
	for (; bytes; bytes--, value >>= 8)
		b->data[b->len++] = (unsigned char)(value & 0xff);
}

static void put_head(struct bytes *b, unsigned type, size_t len)
{
	put_le(b, VENDOR_INTEL, 2);
	put_le(b, type, 2);
	put_le(b, (uint32_t)len, 4);
	b->count++;
}

static void put_entry(struct bytes *b, unsigned type, const void *value, size_t len)
{
	put_head(b, type, len);
	memcpy(b->data + b->len, value, len);
	b->len += len;
}

static void put_number(struct bytes *b, unsigned type, uint32_t value, unsigned bytes)
{
	put_head(b, type, bytes);
	put_le(b, value, bytes);
}

static void put_text(struct bytes *b, unsigned type, const char *text)
{
	if (text)
		put_entry(b, type, text, strlen(text));
}

static void put_hash(struct bytes *b, unsigned type, const char *hex)
{
	unsigned char hash[RECOVERY_MAX_HASH];
	size_t n = hex ? recovery_hash(hex, hash) : 0;

	if (n)
		put_entry(b, type + (unsigned)(n - 32) / 16, hash, n);
}

static void encode(const struct bytes *b, char *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < b->len; i += 3) {
		size_t n = b->len - i < 3 ? b->len - i : 3;
		uint32_t v = 0;

		for (size_t j = 0; j < 3; j++)
			v = v << 8 | (j < n ? b->data[i + j] : 0u);
		for (size_t j = 0; j < 4; j++)
			*out++ = j <= n ? digits[v >> (18 - 6 * j) & 63] : '=';
	}
	*out = '\0';
}

static void finish(struct bytes *b, struct recovery *ret)
{
	ret->count = b->count;
	encode(b, ret->base64);
	explicit_bzero(b, sizeof(*b));
}

/* --- What the firmware takes. ----------------------------------------------------------------- */

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

size_t recovery_hash(const char *hex, unsigned char ret[RECOVERY_MAX_HASH])
{
	size_t len = strlen(hex);

	if (len != 64 && len != 96 && len != 128)
		return 0;
	for (size_t i = 0; i < len / 2; i++) {
		int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return 0;
		ret[i] = (unsigned char)(high << 4 | low);
	}
	return len / 2;
}

static bool plain_text(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	}
	return true;
}

/* What the firmware would find out only when the machine has been restarted. */
static int check_url(const char *url, struct pctl_error *err)
{
	if (!url || (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"boot http needs --url with the http:// or https:// address of the image");
	if (strlen(url) > RECOVERY_MAX_URL || !plain_text(url, strlen(url)))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"--url: Intel AMT takes at most %u characters of plain ASCII without "
			"blanks",
			RECOVERY_MAX_URL);
	const char *host = strstr(url, "://") + 3;
	size_t len = strcspn(host, "/?#");
	if (memchr(host, '@', len))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"--url: has a login in it, which Intel AMT does not read out of a URL; "
			"the settings boot_user and boot_password are for that");
	if (len == 0 || *host == ':')
		return pctl_error_set(err, PCTL_E_CONFIG, "--url: names no host");
	if (strchr(host, '#'))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"--url: has a part behind # that no server is asked for");
	return 0;
}

static int check_text(
	const char *setting, const char *text, size_t len, size_t max, struct pctl_error *err)
{
	if (text && (len == 0 || len > max || !plain_text(text, len)))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s: Intel AMT takes 1 to %zu characters of plain ASCII without blanks",
			setting, max);
	return 0;
}

static int check_hash(const char *setting, const char *hex, struct pctl_error *err)
{
	unsigned char unused[RECOVERY_MAX_HASH];

	if (hex && !recovery_hash(hex, unused))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s: is a SHA-256, SHA-384 or SHA-512 sum: 64, 96 or 128 hexadecimal "
			"digits",
			setting);
	return 0;
}

static int check_login(const struct recovery_wish *w, struct pctl_error *err)
{
	const char *password = w->password ? pctl_secret_data(w->password) : NULL;
	size_t len = w->password ? pctl_secret_len(w->password) : 0;

	int r = check_text(
		"boot_user", w->user, w->user ? strlen(w->user) : 0, RECOVERY_MAX_LOGIN, err);
	return r < 0 ? r : check_text("boot_password", password, len, RECOVERY_MAX_LOGIN, err);
}

int recovery_check(const struct recovery_wish *w, struct pctl_error *err)
{
	const char *name = w->server_name;
	int r = check_login(w, err);

	if (r == 0)
		r = check_text(
			"boot_server_name", name, name ? strlen(name) : 0, RECOVERY_MAX_NAME, err);
	if (r == 0)
		r = check_hash("boot_server_hash", w->server_hash, err);
	return r < 0 ? r : check_hash("boot_image_hash", w->image_hash, err);
}

/* --- Together. -------------------------------------------------------------------------------- */

/* What only TLS has. */
static void put_server(struct bytes *b, const struct recovery_wish *w)
{
	put_number(b, TYPE_SYNC_ROOT_CA, 1, 1);
	put_text(b, TYPE_SERVER_NAME, w->server_name);
	if (w->server_name)
		put_number(b, TYPE_SERVER_NAME_HOW,
			*w->server_name == '.' ? NAME_SUFFIX : NAME_FULL, 2);
	put_hash(b, TYPE_SERVER_HASH, w->server_hash);
}

int recovery_network(const struct recovery_wish *w, struct recovery *ret, struct pctl_error *err)
{
	struct bytes b = { .len = 0 };
	int r = check_url(w->url, err);

	if (r == 0)
		r = recovery_check(w, err);
	if (r < 0)
		return r;
	put_text(&b, TYPE_URI, w->url);
	put_hash(&b, TYPE_IMAGE_HASH, w->image_hash);
	if (strncmp(w->url, "https:", 6) == 0)
		put_server(&b, w);
	if (w->user && w->password) {
		put_text(&b, TYPE_USER, w->user);
		put_entry(&b, TYPE_PASSWORD, pctl_secret_data(w->password),
			pctl_secret_len(w->password));
	}
	finish(&b, ret);
	return 0;
}

int recovery_file(const char *path, struct recovery *ret, struct pctl_error *err)
{
	struct bytes b = { .len = 0 };
	size_t len = path ? strlen(path) : 0;

	if (len == 0 || len > RECOVERY_MAX_URL)
		return pctl_error_set(err, PCTL_E_PROTOCOL,
			"the boot source came with a path of %zu characters, where 1 to %u are "
			"taken",
			len, RECOVERY_MAX_URL);
	put_text(&b, TYPE_FILE_PATH, path);
	put_number(&b, TYPE_FILE_PATH_LENGTH, (uint32_t)len, 2);
	finish(&b, ret);
	return 0;
}
