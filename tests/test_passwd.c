/* SPDX-License-Identifier: Apache-2.0 */
/* Rules for passwords, and the file of one that is being changed. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include <powerctl/mem.h>

#include "driver/password.h"
#include "keep/pending.h"

static const struct pctl_account_if strict = { .size = sizeof(strict),
	.min = 8,
	.max = 32,
	.made = 16,
	.classes = PCTL_PASSWORD_UPPER | PCTL_PASSWORD_LOWER | PCTL_PASSWORD_DIGIT |
		   PCTL_PASSWORD_SPECIAL,
	.forbidden = "\",:" };
static const struct pctl_account_if narrow = {
	.size = sizeof(narrow), .min = 1, .max = 12, .made = 12, .forbidden = "!#%*+-=?@"
};
static const struct pctl_account_if impossible = {
	.size = sizeof(impossible), .min = 40, .forbidden = NULL
};

static int check(const struct pctl_password_rules *rules, const char *text)
{
	struct pctl_secret *secret = pctl_secret_new(text, strlen(text));
	struct pctl_error err = { 0 };
	int r = pctl_password_check(rules, secret, &err);

	if (strlen(text) > 3)
		assert_null(strstr(err.text, text));
	pctl_secret_free(secret);
	return r;
}

static void rules_hold(void **state)
{
	struct pctl_password_rules rules = { 0 };

	(void)state;
	assert_int_equal(check(&rules, "x"), 0);
	assert_int_equal(check(&rules, ""), PCTL_E_CONFIG);
	assert_int_equal(check(&rules, "a b"), PCTL_E_CONFIG);
	assert_int_equal(check(&rules, "caf\xc3\xa9"), PCTL_E_CONFIG);
	assert_int_equal(check(&rules, "tab\t"), PCTL_E_CONFIG);
	pctl_password_rules_add(&rules, &strict);
	assert_int_equal(check(&rules, "P@ssw0rd"), 0);
	assert_int_equal(check(&rules, "P@ssw0r"), PCTL_E_CONFIG);
	assert_int_equal(check(&rules, "p@ssw0rd"), PCTL_E_CONFIG);
	assert_int_equal(check(&rules, "P@SSW0RD"), PCTL_E_CONFIG);
	assert_int_equal(check(&rules, "P@ssword"), PCTL_E_CONFIG);
	assert_int_equal(check(&rules, "Passw0rd"), PCTL_E_CONFIG);
	assert_int_equal(check(&rules, "Pass_w0rd"), PCTL_E_CONFIG);
	assert_int_equal(check(&rules, "P@ssw0rd,"), PCTL_E_CONFIG);
	assert_int_equal(check(&rules, "P@ssw0rdP@ssw0rdP@ssw0rdP@ssw0rd"), 0);
	assert_int_equal(check(&rules, "P@ssw0rdP@ssw0rdP@ssw0rdP@ssw0rdx"), PCTL_E_CONFIG);
	pctl_password_rules_add(&rules, &narrow);
	assert_int_equal(check(&rules, "P@ssw0rd"), PCTL_E_CONFIG);
	assert_int_equal(check(&rules, "P.ssw0rd"), 0);
	assert_int_equal(check(&rules, "P.ssw0rdP.ssw"), PCTL_E_CONFIG);
}

static void made_ones_hold(void **state)
{
	struct pctl_password_rules rules = { 0 };
	struct pctl_secret *first = NULL, *made = NULL;
	struct pctl_error err = { 0 };

	(void)state;
	pctl_password_rules_add(&rules, &strict);
	assert_int_equal(pctl_password_make(&rules, &first, &err), 0);
	assert_int_equal(pctl_secret_len(first), 16);
	pctl_password_rules_add(&rules, &narrow);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(pctl_password_make(&rules, &made, &err), 0);
		assert_int_equal(pctl_secret_len(made), 12);
		assert_int_equal(pctl_password_check(&rules, made, &err), 0);
		assert_string_not_equal(pctl_secret_data(made), pctl_secret_data(first));
		pctl_secret_free(first);
		first = made;
	}
	pctl_secret_free(first);
	pctl_password_rules_add(&rules, &impossible);
	assert_int_equal(pctl_password_make(&rules, &made, &err), PCTL_E_CONFIG);
}

/* Devices that ask for nothing mostly want all kinds of characters all the same. */
static void made_ones_have_all_kinds(void **state)
{
	struct pctl_password_rules none = { 0 }, all = { 0 };
	struct pctl_secret *made = NULL;
	struct pctl_error err = { 0 };

	(void)state;
	all.classes = strict.classes;
	for (int i = 0; i < 200; i++) {
		assert_int_equal(pctl_password_make(&none, &made, &err), 0);
		assert_int_equal(pctl_password_check(&all, made, &err), 0);
		pctl_secret_free(made);
	}
}

/* --- The file. -------------------------------------------------------------------------------- */

static char folder[] = "/tmp/powerctl-pending-XXXXXX";
static char secret_file[64], pending_file[80];

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(secret_file, sizeof(secret_file), "%s/bmc", folder);
	(void)snprintf(pending_file, sizeof(pending_file), "%s/bmc.pending", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(secret_file);
	(void)unlink(pending_file);
	return rmdir(folder);
}

static void put(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	assert_int_equal(close(fd), 0);
}

static size_t get(const char *path, char *ret, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, ret, size - 1);

	if (fd >= 0)
		(void)close(fd);
	assert_true(n >= 0);
	ret[n] = '\0';
	return (size_t)n;
}

static struct pctl_pending *read_it(void)
{
	struct pctl_pending *p = NULL;
	struct pctl_error err = { 0 };

	assert_int_equal(pctl_pending_read(secret_file, &p, &err), 0);
	return p;
}

static void goes_its_way(void **state)
{
	struct pctl_secret *new = pctl_secret_new("new\0one", 7);
	struct pctl_pending *p = NULL;
	struct pctl_error err = { 0 };
	char text[64];

	(void)state;
	put(secret_file, "old", 3);
	assert_int_equal(chmod(secret_file, 0640), 0);
	assert_null(read_it());
	p = pctl_pending_new(secret_file, new);
	pctl_pending_add(p, "c1");
	pctl_pending_add(p, "c2");
	assert_int_equal(pctl_pending_write(p, &err), 0);
	assert_int_equal(pctl_pending_mark(p, "c1", PCTL_PASSWORD_SENT, &err), 0);
	assert_int_equal(pctl_pending_mark(p, "c1", PCTL_PASSWORD_NEW, &err), 0);
	assert_int_equal(pctl_pending_mark(p, "c2", PCTL_PASSWORD_SENT, &err), 0);
	pctl_pending_free(p);
	p = read_it();
	assert_int_equal(pctl_secret_len(pctl_pending_secret(p)), 7);
	assert_memory_equal(pctl_secret_data(pctl_pending_secret(p)), "new\0one", 7);
	assert_int_equal(pctl_names_count(pctl_pending_nodes(p)), 2);
	assert_int_equal(pctl_pending_state(p, "c1"), PCTL_PASSWORD_NEW);
	assert_int_equal(pctl_pending_state(p, "c2"), PCTL_PASSWORD_SENT);
	assert_int_equal(pctl_pending_state(p, "c3"), PCTL_PASSWORD_OLD);
	assert_int_equal(pctl_pending_promote(p, &err), 0);
	assert_int_equal(get(secret_file, text, sizeof(text)), 7);
	assert_memory_equal(text, "new\0one", 7);
	assert_int_equal(access(pending_file, F_OK), -1);
	struct stat st;
	assert_int_equal(stat(secret_file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	pctl_pending_free(p);
	pctl_secret_free(new);
}

/* Cut anywhere it is either read with what is whole, or refused: never read as something else. */
static void cut_anywhere(void **state)
{
	static const char text[] =
		"powerctl-pending 1\nsecret 6e6577\nold c1\nold c2\nsent c1\nnew c1\n";
	const size_t whole = strlen("powerctl-pending 1\nsecret 6e6577\n");

	(void)state;
	put(secret_file, "old", 3);
	for (size_t len = 0; len < sizeof(text); len++) {
		struct pctl_pending *p = NULL;
		struct pctl_error err = { 0 };

		put(pending_file, text, len);
		int r = pctl_pending_read(secret_file, &p, &err);
		if (len < whole) {
			assert_int_equal(r, PCTL_E_CONFIG);
			continue;
		}
		assert_int_equal(r, 0);
		assert_string_equal(pctl_secret_data(pctl_pending_secret(p)), "new");
		assert_int_equal(pctl_pending_state(p, "c1"),
			len >= sizeof(text) - 1                        ? PCTL_PASSWORD_NEW
			: len >= sizeof(text) - 1 - strlen("new c1\n") ? PCTL_PASSWORD_SENT
								       : PCTL_PASSWORD_OLD);
		pctl_pending_free(p);
	}
}

static void nonsense(void **state)
{
	static const char *const texts[] = { "", "\n", "powerctl-pending 2\nsecret 61\n",
		"powerctl-pending 1\n", "powerctl-pending 1\nsecret \n",
		"powerctl-pending 1\nsecret 6\n", "powerctl-pending 1\nsecret 6g\n",
		"powerctl-pending 1\nsecret 61\nsecret 62\n",
		"powerctl-pending 1\nsecret 61\nmaybe c1\n",
		"powerctl-pending 1\nsecret 61\nold \n", "powerctl-pending 1\nsecret 61\nold\n" };

	(void)state;
	put(secret_file, "old", 3);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct pctl_pending *p = NULL;
		struct pctl_error err = { 0 };

		put(pending_file, texts[i], strlen(texts[i]));
		assert_int_equal(pctl_pending_read(secret_file, &p, &err), PCTL_E_CONFIG);
		assert_null(p);
		assert_non_null(strstr(err.text, "bmc.pending"));
	}
	put(pending_file, "powerctl-pending 1\nsecret 61\n", 29);
	assert_int_equal(chmod(pending_file, 0604), 0);
	struct pctl_pending *p = NULL;
	struct pctl_error err = { 0 };
	assert_int_equal(pctl_pending_read(secret_file, &p, &err), PCTL_E_CONFIG);
	assert_non_null(strstr(err.text, "chmod"));
}

/* --- A disk that fails twice. ----------------------------------------------------------------- */

static bool cannot_truncate;

/* In place of the C library's. */
int cut_file(int fd, off_t len) __asm__("ftruncate");

int cut_file(int fd, off_t len)
{
	if (!cannot_truncate)
		return (int)syscall(SYS_ftruncate, fd, len);
	errno = EIO;
	return -1;
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* What was written of a line, and could not be taken back, is no part of the next one. */
static void a_line_that_was_cut(void **state)
{
	struct pctl_secret *new = pctl_secret_new("new", 3);
	struct pctl_error err = { 0 };
	struct stat st;

	(void)state;
	put(secret_file, "old", 3);
	(void)unlink(pending_file);
	struct pctl_pending *p = pctl_pending_new(secret_file, new);
	pctl_pending_add(p, "c1");
	pctl_pending_add(p, "c2");
	assert_int_equal(pctl_pending_write(p, &err), 0);
	assert_int_equal(stat(pending_file, &st), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	limit_files((rlim_t)st.st_size + 6);
	cannot_truncate = true;
	assert_int_equal(pctl_pending_mark(p, "c1", PCTL_PASSWORD_SENT, &err), PCTL_E_INTERNAL);
	limit_files(RLIM_INFINITY);
	assert_int_equal(pctl_pending_mark(p, "c2", PCTL_PASSWORD_SENT, &err), PCTL_E_INTERNAL);
	assert_int_equal(pctl_pending_state(p, "c2"), PCTL_PASSWORD_OLD);
	cannot_truncate = false;
	assert_int_equal(pctl_pending_mark(p, "c2", PCTL_PASSWORD_SENT, &err), 0);
	assert_int_equal(pctl_pending_mark(p, "c2", PCTL_PASSWORD_NEW, &err), 0);
	pctl_pending_free(p);
	p = read_it();
	assert_int_equal(pctl_pending_state(p, "c1"), PCTL_PASSWORD_OLD);
	assert_int_equal(pctl_pending_state(p, "c2"), PCTL_PASSWORD_NEW);
	pctl_pending_free(p);
	pctl_secret_free(new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_hold),
		cmocka_unit_test(made_ones_hold),
		cmocka_unit_test(made_ones_have_all_kinds),
		cmocka_unit_test(goes_its_way),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(nonsense),
		cmocka_unit_test(a_line_that_was_cut),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
