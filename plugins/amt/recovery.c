/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery.h"

#include <string.h>

enum { TYPE_URI = 1, TYPE_SYNC_ROOT_CA = 20 };
#define VENDOR_INTEL 0x8086u

struct bytes {
	unsigned char data[RECOVERY_MAX_URL + 8 + 9];
	size_t len;
};

static void put_le(struct bytes *b, uint32_t value, unsigned bytes)
{
	for (; bytes; bytes--, value >>= 8)
		b->data[b->len++] = (unsigned char)(value & 0xff);
}

static void put_entry(struct bytes *b, unsigned type, const void *value, size_t len)
{
	put_le(b, VENDOR_INTEL, 2);
	put_le(b, type, 2);
	put_le(b, (uint32_t)len, 4);
	memcpy(b->data + b->len, value, len);
	b->len += len;
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

static bool plain_text(const char *s)
{
	for (; *s; s++) {
		if (*s <= ' ' || *s > '~')
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
	if (strlen(url) > RECOVERY_MAX_URL || !plain_text(url))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"--url: Intel AMT takes at most %u characters of plain ASCII without "
			"blanks",
			RECOVERY_MAX_URL);
	const char *host = strstr(url, "://") + 3;
	size_t len = strcspn(host, "/?#");
	if (memchr(host, '@', len))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"--url: has a login in it, which Intel AMT does not read out of a URL");
	if (len == 0 || *host == ':')
		return pctl_error_set(err, PCTL_E_CONFIG, "--url: names no host");
	if (strchr(host, '#'))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"--url: has a part behind # that no server is asked for");
	return 0;
}

int recovery_parameters(const char *url, struct recovery *ret, struct pctl_error *err)
{
	static const unsigned char yes = 1;
	struct bytes b = { .len = 0 };

	int r = check_url(url, err);

	if (r < 0)
		return r;
	put_entry(&b, TYPE_URI, url, strlen(url));
	ret->count = 1;
	if (strncmp(url, "https:", 6) == 0) {
		put_entry(&b, TYPE_SYNC_ROOT_CA, &yes, sizeof(yes));
		ret->count++;
	}
	encode(&b, ret->base64);
	return 0;
}
