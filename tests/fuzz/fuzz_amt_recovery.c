/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One-Click Recovery: whatever a server gives as an image is looked at without a read beyond it,
 * and an URL or a path that is taken becomes entries whose lengths add up.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "boot_image.h"
#include "fuzz.h"
#include "recovery.h"

/* As many entries as are counted, and nothing behind the last. */
static void check_entries(const struct recovery *r)
{
	unsigned char bytes[sizeof(r->base64)];
	size_t len = strlen(r->base64), at = 0;
	int n = EVP_DecodeBlock(bytes, (const unsigned char *)r->base64, (int)len);
	unsigned count = 0;

	require(len % 4 == 0 && n > 8);
	for (; len && r->base64[len - 1] == '='; len--)
		n--;
	for (; at + 8 <= (size_t)n; count++) {
		require(bytes[at] == 0x86 && bytes[at + 1] == 0x80 && !bytes[at + 6]);
		at += 8u + bytes[at + 4] + 256u * bytes[at + 5];
	}
	require(at == (size_t)n && count == r->count);
}

static void check_text(const char *text)
{
	const struct recovery_wish wish = { .url = text, .server_name = text, .user = text };
	const struct recovery_wish hashes = {
		.url = "https://h/x.efi", .image_hash = text, .server_hash = text
	};
	struct recovery r;
	struct pctl_error err;

	if (recovery_network(&wish, &r, &err) == 0)
		check_entries(&r);
	if (recovery_network(&hashes, &r, &err) == 0)
		check_entries(&r);
	if (recovery_file(text, &r, &err) == 0)
		check_entries(&r);
}

static void check_image(const uint8_t *data, size_t size, const char *url, const char *type)
{
	/* Of its own size, so that a read beyond it is seen. */
	unsigned char *head = malloc(size ? size : 1);
	struct pctl_error err;

	if (!head)
		abort();
	memcpy(head, data, size);
	for (int secure = 0; secure < 2; secure++) {
		const struct boot_image image = { .url = url,
			.content_type = type,
			.head = head,
			.len = size,
			.secure_boot = secure };
		int code = boot_image_check(&image, &err);
		require(code == 0 || code == PCTL_E_REFUSED);
	}
	free(head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	check_text(text);
	if (size <= BOOT_IMAGE_HEAD) {
		check_image(data, size, "http://h/a.efi", "");
		check_image(data, size, "http://h/a", "application/vnd.efi-iso");
		check_image(data, size, "http://h/a.img", "text/html");
		check_image(data, size, text, text);
	}
	free(text);
	return 0;
}
