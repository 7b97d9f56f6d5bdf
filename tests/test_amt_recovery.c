/* SPDX-License-Identifier: Apache-2.0 */
/* One-Click Recovery as bytes: what the firmware is told, and what it boots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <powerctl/mem.h>

#include "boot_image.h"
#include "recovery.h"
#include "url_check.h"

/* --- Parameters. ------------------------------------------------------------------------------ */

#define SUM_256 "00112233445566778899aabbccddeeffFFEEDDCCBBAA99887766554433221100"
#define SUM_384 SUM_256 "0123456789abcdef0123456789abcdef"
#define SUM_512 SUM_256 SUM_256

static void assert_network(const struct recovery_wish *wish, unsigned count, const char *base64)
{
	struct recovery r = { .count = 77 };
	struct pctl_error err;

	assert_int_equal(recovery_network(wish, &r, &err), 0);
	assert_int_equal(r.count, count);
	assert_string_equal(r.base64, base64);
}

static void test_url(void **state)
{
	(void)state;
	assert_network(
		&(struct recovery_wish){ .url = "http://b/x" }, 1, "hoABAAoAAABodHRwOi8vYi94");
	assert_network(&(struct recovery_wish){ .url = "https://b/xy" }, 2,
		"hoABAAwAAABodHRwczovL2IveHmGgBQAAQAAAAE=");
}

static void test_server(void **state)
{
	(void)state;
	/* 8086 21 3 "b.c", 8086 22 2 1; with a dot in front the method is 2. */
	assert_network(&(struct recovery_wish){ .url = "https://b/xy", .server_name = "b.c" }, 4,
		"hoABAAwAAABodHRwczovL2IveHmGgBQAAQAAAAGGgBUAAwAAAGIuY4aAFgACAAAAAQA=");
	assert_network(&(struct recovery_wish){ .url = "https://b/xy", .server_name = ".bc" }, 4,
		"hoABAAwAAABodHRwczovL2IveHmGgBQAAQAAAAGGgBUAAwAAAC5iY4aAFgACAAAAAgA=");
	/* Without TLS there is no server to know. */
	assert_network(
		&(struct recovery_wish){
			.url = "http://b/x", .server_name = "b.c", .server_hash = SUM_256 },
		1, "hoABAAoAAABodHRwOi8vYi94");
}

/* The entry whose head is at byte `at` of what base64 stands for. */
static void assert_entry(const char *base64, size_t at, unsigned type, unsigned len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char b[8];

	for (size_t i = 0; i < sizeof(b); i++) {
		size_t bit = (at + i) * 8, n = bit / 6;
		unsigned v = (unsigned)(strchr(digits, base64[n]) - digits) << 6;

		v |= (unsigned)(strchr(digits, base64[n + 1]) - digits);
		b[i] = (unsigned char)(v >> (4 - bit % 6));
	}
	const unsigned char want[] = { 0x86, 0x80, (unsigned char)type, 0, (unsigned char)len,
		(unsigned char)(len >> 8), 0, 0 };
	assert_memory_equal(b, want, sizeof(want));
}

static void test_hashes(void **state)
{
	static const char *const sums[] = { SUM_256, SUM_384, SUM_512 };
	struct recovery r;
	struct pctl_error err;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		const unsigned len = 32 + 16 * i;
		const struct recovery_wish wish = {
			.url = "https://b/xy", .image_hash = sums[i], .server_hash = sums[2 - i]
		};
		assert_int_equal(recovery_network(&wish, &r, &err), 0);
		assert_int_equal(r.count, 4);
		assert_entry(r.base64, 20, 4 + i, len);
		assert_entry(r.base64, 28 + len, 20, 1);
		assert_entry(r.base64, 37 + len, 25 - i, 64 - 16 * i);
	}
}

static void test_login(void **state)
{
	struct pctl_secret *password = pctl_secret_new("pw", 2);
	struct recovery_wish wish = { .url = "http://b/x", .user = "me", .password = password };

	(void)state;
	assert_network(&wish, 3, "hoABAAoAAABodHRwOi8vYi94hoAoAAIAAABtZYaAKQACAAAAcHc=");
	wish.password = NULL;
	assert_network(&wish, 1, "hoABAAoAAABodHRwOi8vYi94");
	pctl_secret_free(password);
}

/* All of it at its longest fits. */
static void test_longest(void **state)
{
	struct pctl_secret *password = pctl_secret_new("0123456789abcdef", 16);
	char url[RECOVERY_MAX_URL + 2], name[RECOVERY_MAX_NAME + 2];
	struct recovery_wish wish = { .url = url,
		.server_name = name,
		.image_hash = SUM_512,
		.server_hash = SUM_512,
		.user = "0123456789abcdef",
		.password = password };
	struct recovery r = { .count = 0 };
	struct pctl_error err;

	(void)state;
	memset(url, 'u', sizeof(url));
	memset(name, 'n', sizeof(name));
	memcpy(url, "https://", 8);
	url[RECOVERY_MAX_URL] = name[RECOVERY_MAX_NAME] = '\0';
	assert_int_equal(recovery_network(&wish, &r, &err), 0);
	assert_int_equal(r.count, 8);
	assert_int_equal(strlen(r.base64), sizeof(r.base64) - 1);
	url[RECOVERY_MAX_URL] = 'u';
	url[RECOVERY_MAX_URL + 1] = '\0';
	r.count = 77;
	assert_int_equal(recovery_network(&wish, &r, &err), PCTL_E_CONFIG);
	assert_int_equal(r.count, 77);
	url[RECOVERY_MAX_URL] = '\0';
	name[RECOVERY_MAX_NAME] = 'n';
	name[RECOVERY_MAX_NAME + 1] = '\0';
	assert_int_equal(recovery_network(&wish, &r, &err), PCTL_E_CONFIG);
	pctl_secret_free(password);
}

static void test_mistakes(void **state)
{
	struct pctl_secret *longer = pctl_secret_new("0123456789abcdefg", 17);
	struct pctl_secret *nul = pctl_secret_new("a\0b", 3);
	const struct {
		struct recovery_wish wish;
		const char *setting;
	} rows[] = {
		{ { .user = "0123456789abcdefg" }, "boot_user" },
		{ { .user = "" }, "boot_user" },
		{ { .user = "a b" }, "boot_user" },
		{ { .user = "a", .password = longer }, "boot_password" },
		{ { .user = "a", .password = nul }, "boot_password" },
		{ { .server_name = "" }, "boot_server_name" },
		{ { .server_hash = "00" }, "boot_server_hash" },
		{ { .image_hash = SUM_256 "0" }, "boot_image_hash" },
		{ { .image_hash = "x0112233445566778899aabbccddeeffFFEEDDCCBBAA9988776655443322110"
				  "0" },
			"boot_image_hash" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pctl_error err = { 0 };

		assert_int_equal(recovery_check(&rows[i].wish, &err), PCTL_E_CONFIG);
		assert_memory_equal(err.text, rows[i].setting, strlen(rows[i].setting));
	}
	pctl_secret_free(longer);
	pctl_secret_free(nul);
}

static void test_file(void **state)
{
	struct recovery r = { .count = 77 };
	struct pctl_error err;
	char path[RECOVERY_MAX_URL + 2];

	(void)state;
	assert_int_equal(recovery_file("HD(1)/\\a", &r, &err), 0);
	assert_int_equal(r.count, 2);
	assert_string_equal(r.base64, "hoACAAgAAABIRCgxKS9cYYaAAwACAAAACAA=");
	memset(path, 'p', sizeof(path));
	path[RECOVERY_MAX_URL + 1] = '\0';
	assert_int_equal(recovery_file(path, &r, &err), PCTL_E_PROTOCOL);
	assert_int_equal(recovery_file("", &r, &err), PCTL_E_PROTOCOL);
	assert_int_equal(recovery_file(NULL, &r, &err), PCTL_E_PROTOCOL);
	assert_int_equal(r.count, 2);
}

/* --- Images. ---------------------------------------------------------------------------------- */

static unsigned char head[BOOT_IMAGE_HEAD];

static void put(size_t at, uint32_t value, unsigned bytes)
{
	for (; bytes; bytes--, value >>= 8)
		head[at++] = (unsigned char)value;
}

/* An EFI application for x86-64 whose PE header is at byte 128, signed. */
static void make_application(void)
{
	memset(head, 0, sizeof(head));
	memcpy(head, "MZ", 2);
	put(0x3c, 128, 4);
	memcpy(head + 128, "PE", 2);
	put(128 + 4, 0x8664, 2);
	put(128 + 24, 0x20b, 2);
	put(128 + 24 + 68, 10, 2);
	put(128 + 24 + 108, 16, 4);
	put(128 + 24 + 112 + 32, 4096, 4);
	put(128 + 24 + 112 + 36, 1000, 4);
}

static int look_at(const char *url, const char *type, size_t len, bool secure, const char **ret)
{
	static struct pctl_error err;
	const struct boot_image image = {
		.url = url, .content_type = type, .head = head, .len = len, .secure_boot = secure
	};

	err = (struct pctl_error){ .code = 0 };
	int r = boot_image_check(&image, &err);
	*ret = err.text;
	return r;
}

static void assert_boots(const char *url, const char *type, bool secure)
{
	const char *text;

	assert_int_equal(look_at(url, type, sizeof(head), secure, &text), 0);
}

static void assert_refused(const char *url, size_t len, const char *words)
{
	const char *text;

	assert_int_equal(look_at(url, "", len, true, &text), PCTL_E_REFUSED);
	if (!strstr(text, words))
		fail_msg("'%s' without '%s'", text, words);
}

static void test_application(void **state)
{
	(void)state;
	make_application();
	assert_boots("http://h/a.efi", "", true);
	assert_boots("http://h/A.EFI?x=.iso", "text/plain", true);
	assert_boots("http://h/a", "Application/EFI", true);
	put(128 + 24 + 112 + 36, 0, 4);
	assert_boots("http://h/a.efi", "", false);
	assert_refused("http://h/a.efi", sizeof(head), "not signed");
	make_application();
	put(128 + 24 + 108, 4, 4); /* no such directory: what stands there is another thing */
	assert_refused("http://h/a.efi", sizeof(head), "not signed");
	make_application();
	put(128 + 4, 0x14c, 2);
	assert_refused("http://h/a.efi", sizeof(head), "another processor");
	make_application();
	put(128 + 24 + 68, 3, 2);
	assert_refused("http://h/a.efi", sizeof(head), "no EFI application");
	make_application();
	head[129] = 'X';
	assert_refused("http://h/a.efi", sizeof(head), "no PE header");
	make_application();
	head[0] = '<';
	assert_refused("http://h/a.efi", sizeof(head), "no EFI application");
}

static void test_cut_application(void **state)
{
	const char *text;

	(void)state;
	make_application();
	for (size_t len = 0; len < 128 + 24 + 112 + 40; len++)
		assert_int_equal(look_at("http://h/a.efi", "", len, true, &text), PCTL_E_REFUSED);
	assert_int_equal(look_at("http://h/a.efi", "", 128 + 24 + 112 + 40, true, &text), 0);
	/* A header that is not in what was read may be a good one. */
	put(0x3c, BOOT_IMAGE_HEAD, 4);
	assert_boots("http://h/a.efi", "", true);
	put(0x3c, UINT32_MAX, 4);
	assert_boots("http://h/a.efi", "", true);
}

static void test_other_images(void **state)
{
	(void)state;
	memset(head, 0, sizeof(head));
	assert_refused("http://h/a.iso", sizeof(head), "no ISO 9660 image");
	assert_refused("http://h/a.img", sizeof(head), "no disk image");
	memcpy(head + 0x8001, "CD001", 5);
	assert_boots("http://h/a.iso", "", true);
	assert_boots("http://h/a.efi", "application/vnd.efi-iso", true);
	assert_refused("http://h/a.iso", 0x8005, "no ISO 9660 image");
	put(510, 0xaa55, 2);
	assert_boots("http://h/a.img", "", true);
	assert_refused("http://h/a.img", 511, "no disk image");
}

static void test_no_kind(void **state)
{
	(void)state;
	make_application();
	assert_refused("http://h/a.efi.txt", sizeof(head), "cannot tell what this is");
	assert_refused("http://h/a?b.efi", sizeof(head), "cannot tell what this is");
	assert_refused(".efi", sizeof(head), "cannot tell what this is");
}

/* --- The URL that is asked for. --------------------------------------------------------------- */

struct asker {
	struct url_waiter waiter; /* first */
	int told, code;
};

static void told(struct url_waiter *waiter, const struct pctl_error *err)
{
	struct asker *a = pctl_container_of(waiter, struct asker, waiter);

	a->told++;
	a->code = err ? err->code : 0;
}

/* Whoever mends the server asks it anew: what failed is not kept, but told to all who wait. */
static void test_a_failure_is_not_kept(void **state)
{
	const struct url_check_wish wish = { .what = { .url = "http://127.0.0.1:1/a.efi" },
		.roots = "" };
	struct asker one = { .waiter = { .done = told } }, two = one;
	struct amt amt = { 0 };
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	amt.loop = &loop;
	url_check_begin(&amt, &wish, &one.waiter);
	url_check_begin(&amt, &wish, &two.waiter);
	assert_ptr_equal(one.waiter.check, two.waiter.check);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(one.told + two.told, 2);
	assert_int_equal(one.code, PCTL_E_CONFIG);
	assert_int_equal(two.code, PCTL_E_CONFIG);
	assert_null(amt.url_checks);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_url),
		cmocka_unit_test(test_server),
		cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_login),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_application),
		cmocka_unit_test(test_cut_application),
		cmocka_unit_test(test_other_images),
		cmocka_unit_test(test_no_kind),
		cmocka_unit_test(test_a_failure_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
