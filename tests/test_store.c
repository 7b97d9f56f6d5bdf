/* SPDX-License-Identifier: Apache-2.0 */
/* Facts, pins and intents on disk; and the lock between processes. */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "keep/lock.h"
#include "keep/store.h"
#include "node/core.h"

static int setup(void **state)
{
	struct test_place *p = test_place_new("known_devices");

	(void)setenv("XDG_RUNTIME_DIR", p->dir, 1);
	*state = p;
	return 0;
}

static void test_what_is_saved_is_read(void **state)
{
	const struct test_place *p = *state;
	struct pctl_store *store = pctl_store_new(p->path);

	assert_null(pctl_store_get(store, "10.0.0.1:1", "tls"));
	pctl_store_put(store, "10.0.0.1:1", "tls", "a b=c%d#\n");
	pctl_store_put(store, "n 2", "x", "1");
	pctl_store_put(store, "n 2", "gone", "1");
	pctl_store_put(store, "n 2", "gone", NULL);
	assert_int_equal(pctl_store_save(store, NULL), 0);
	pctl_store_free(store);

	store = pctl_store_new(p->path);
	assert_string_equal(pctl_store_get(store, "10.0.0.1:1", "tls"), "a b=c%d#\n");
	assert_string_equal(pctl_store_get(store, "n 2", "x"), "1");
	assert_null(pctl_store_get(store, "n 2", "gone"));
	assert_int_equal(pctl_store_each(store, "n 2", NULL, NULL), 1);
	pctl_store_free(store);

	struct stat st;
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_two_writers_lose_nothing(void **state)
{
	const struct test_place *p = *state;
	struct pctl_store *a = pctl_store_new(p->path), *b = pctl_store_new(p->path);

	pctl_store_put(a, "k", "old", "1");
	assert_int_equal(pctl_store_save(a, NULL), 0);
	assert_string_equal(pctl_store_get(b, "k", "old"), "1");
	pctl_store_put(a, "k", "from_a", "1");
	pctl_store_put(b, "k", "from_b", "1");
	pctl_store_put(b, "k", "old", NULL);
	assert_int_equal(pctl_store_save(a, NULL), 0);
	assert_int_equal(pctl_store_save(b, NULL), 0);
	assert_string_equal(pctl_store_get(b, "k", "from_a"), "1");
	assert_string_equal(pctl_store_get(b, "k", "from_b"), "1");
	assert_null(pctl_store_get(b, "k", "old"));
	pctl_store_free(a);
	pctl_store_free(b);
}

static void test_a_refresh_sees_what_others_wrote(void **state)
{
	const struct test_place *p = *state;
	struct pctl_store *a = pctl_store_new(p->path), *b = pctl_store_new(p->path);

	assert_null(pctl_store_get(b, "k", "x"));
	pctl_store_put(a, "k", "x", "1");
	assert_int_equal(pctl_store_save(a, NULL), 0);
	assert_null(pctl_store_get(b, "k", "x"));
	pctl_store_refresh(b);
	assert_string_equal(pctl_store_get(b, "k", "x"), "1");
	pctl_store_put(a, "k", "x", "2");
	assert_int_equal(pctl_store_save(a, NULL), 0);
	pctl_store_refresh(b);
	assert_string_equal(pctl_store_get(b, "k", "x"), "2");
	pctl_store_free(a);
	pctl_store_free(b);
}

static void test_a_refresh_keeps_what_is_not_saved(void **state)
{
	const struct test_place *p = *state;
	struct pctl_store *a = pctl_store_new(p->path), *b = pctl_store_new(p->path);

	pctl_store_put(b, "k", "mine", "1");
	pctl_store_put(b, "k", "both", "b");
	pctl_store_put(a, "k", "theirs", "1");
	pctl_store_put(a, "k", "both", "a");
	pctl_store_put(a, "other", "x", "1");
	assert_int_equal(pctl_store_save(a, NULL), 0);
	assert_true(pctl_store_refresh(b));
	assert_false(pctl_store_refresh(b));
	assert_string_equal(pctl_store_get(b, "k", "theirs"), "1");
	assert_string_equal(pctl_store_get(b, "k", "mine"), "1");
	assert_string_equal(pctl_store_get(b, "k", "both"), "b");
	assert_string_equal(pctl_store_get(b, "other", "x"), "1");
	assert_int_equal(pctl_store_save(b, NULL), 0);
	assert_true(pctl_store_refresh(a));
	assert_string_equal(pctl_store_get(a, "k", "mine"), "1");
	assert_string_equal(pctl_store_get(a, "k", "both"), "b");
	pctl_store_free(a);
	pctl_store_free(b);
}

static void test_many_keys_and_few(void **state)
{
	const struct test_place *p = *state;
	char key[32], value[32];
	FILE *f = fopen(p->path, "we");

	assert_non_null(f);
	for (int i = 0; i < 50; i++)
		(void)fprintf(f, "k%d a=%d\nk%d b=x\n", i, i, i);
	(void)fclose(f);
	struct pctl_store *store = pctl_store_new(p->path);
	pctl_store_put(store, "k3", "a", "mine");
	for (int i = 0; i < 50; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		(void)snprintf(value, sizeof(value), "%d", i);
		assert_string_equal(pctl_store_get(store, key, "a"), i == 3 ? "mine" : value);
		assert_string_equal(pctl_store_get(store, key, "b"), "x");
	}
	assert_string_equal(
		pctl_store_get(store, "k3", "a"), "mine"); /* and the rest was read since */
	assert_null(pctl_store_get(store, "k", "a"));
	assert_null(pctl_store_get(store, "k50", "a"));
	assert_int_equal(pctl_store_save(store, NULL), 0);
	assert_string_equal(pctl_store_get(store, "k3", "a"), "mine");
	assert_string_equal(pctl_store_get(store, "k49", "a"), "49");
	pctl_store_free(store);
}

static void test_a_mangled_file_is_survived(void **state)
{
	const struct test_place *p = *state;
	FILE *f = fopen(p->path, "we");

	assert_non_null(f);
	(void)fputs("\n# a comment\nlonely\nk a=1 =2 b c=%zz%4 d=\nk a=2", f);
	(void)fclose(f);
	struct pctl_store *store = pctl_store_new(p->path);
	assert_string_equal(pctl_store_get(store, "k", "a"), "2");
	assert_string_equal(pctl_store_get(store, "k", "c"), "%zz%4");
	assert_string_equal(pctl_store_get(store, "k", "d"), "");
	assert_null(pctl_store_get(store, "k", "b"));
	pctl_store_free(store);
}

static void test_a_file_that_cannot_be_written_says_so(void **state)
{
	struct pctl_error err = { 0 };
	struct pctl_store *store = pctl_store_new("/nonexistent/known_devices");

	(void)state;
	pctl_store_put(store, "k", "a", "1");
	assert_int_equal(pctl_store_save(store, &err), PCTL_E_INTERNAL);
	assert_non_null(strstr(err.text, "/nonexistent/known_devices"));
	pctl_store_free(store);
}

/* A link to itself: it is there, and nobody can read it, not even root. */
static void test_what_cannot_be_read_is_not_empty(void **state)
{
	const struct test_place *p = *state;
	struct pctl_error err = { 0 };
	struct stat st;

	assert_int_equal(symlink("known_devices", p->path), 0);
	struct pctl_store *store = pctl_store_new(p->path);
	assert_null(pctl_store_get(store, "k", "a"));
	assert_int_equal(pctl_store_check(store, &err), PCTL_E_INTERNAL);
	assert_non_null(strstr(err.text, p->path));
	pctl_store_put(store, "k", "a", "1");
	err.text[0] = '\0';
	assert_int_equal(pctl_store_save(store, &err), PCTL_E_INTERNAL);
	assert_non_null(strstr(err.text, p->path));
	assert_int_equal(lstat(p->path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	pctl_store_free(store);
}

static void test_what_cannot_be_read_is_looked_at_again(void **state)
{
	const struct test_place *p = *state;
	struct pctl_store *store = pctl_store_new(p->path);

	assert_int_equal(mkdir(p->path, 0700), 0);
	assert_int_equal(pctl_store_check(store, NULL), PCTL_E_INTERNAL);
	assert_int_equal(rmdir(p->path), 0);
	assert_int_equal(mkfifo(p->path, 0600), 0);
	(void)pctl_store_refresh(store);
	assert_int_equal(pctl_store_check(store, NULL), PCTL_E_INTERNAL);
	assert_int_equal(unlink(p->path), 0);
	FILE *f = fopen(p->path, "we");
	assert_non_null(f);
	(void)fputs("k a=1\n", f);
	(void)fclose(f);
	assert_true(pctl_store_refresh(store));
	assert_int_equal(pctl_store_check(store, NULL), 0);
	assert_string_equal(pctl_store_get(store, "k", "a"), "1");
	pctl_store_free(store);
}

/* Zeros and what is too long name no machine, and so are not the one that is known. */
static void test_another_identity_is_refused_whatever_it_says(void **state)
{
	const struct test_place *p = *state;
	char longer[200];
	struct pctl_core core = { .pins = pctl_store_new(p->path) };
	char key[] = "k";
	struct pctl_target target = {
		.core = &core, .endpoint = key, .machine = key, .name = "n1"
	};
	struct pctl_device device = { .target = &target };
	const char *const others[] = { "", "0000-00", "Digest:0000", longer, "two" };
	struct pctl_error err;

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pctl_pin_check(&device, "realm", others[i], &err), 0);
		pctl_device_settle_pins(&device, 0);
		assert_false(pctl_pin_known(&device, "realm"));
	}
	assert_int_equal(pctl_pin_check(&device, "realm", "one", &err), 0);
	pctl_device_settle_pins(&device, 0);
	assert_true(pctl_pin_known(&device, "realm"));
	assert_int_equal(pctl_pin_check(&device, "realm", "one", &err), 0);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(pctl_pin_check(&device, "realm", others[i], &err), PCTL_E_TRUST);
		assert_non_null(strstr(err.text, "powerctl trust NODES"));
	}
	pctl_store_free(core.pins);
}

static void test_an_identity_waits_for_the_op_that_ends_well(void **state)
{
	const struct test_place *p = *state;
	char key[] = "k";
	struct pctl_core core = { .pins = pctl_store_new(p->path) };
	struct pctl_target target = {
		.core = &core, .endpoint = key, .machine = key, .name = "n1"
	};
	struct pctl_device device = { .target = &target };

	assert_int_equal(pctl_pin_check(&device, "realm", "one", NULL), 0);
	pctl_device_settle_pins(&device, PCTL_E_AUTH);
	pctl_device_settle_pins(&device, 0);
	assert_false(pctl_pin_known(&device, "realm"));
	assert_int_equal(pctl_pin_check(&device, "realm", "one", NULL), 0);
	pctl_device_settle_pins(&device, PCTL_E_BUSY);
	assert_false(pctl_pin_known(&device, "realm"));
	assert_int_equal(
		pctl_pin_check(&device, "realm", "two", NULL), 0); /* on a new connection */
	pctl_device_settle_pins(&device, PCTL_E_BUSY);
	pctl_device_settle_pins(&device, 0);
	assert_int_equal(pctl_pin_check(&device, "realm", "two", NULL), 0);
	assert_int_equal(pctl_pin_check(&device, "realm", "one", NULL), PCTL_E_TRUST);
	pctl_store_free(core.pins);
}

/* --- Lines that are added. -------------------------------------------------------------------- */

static struct pctl_store *append(const struct test_place *p, struct pctl_store *store,
	const char *key, const char *field, const char *value)
{
	if (!store)
		store = pctl_store_new(p->path);
	pctl_store_put(store, key, field, value);
	assert_int_equal(pctl_store_append(store, NULL), 0);
	return store;
}

static void assert_kept(
	const struct test_place *p, const char *key, const char *field, const char *want)
{
	struct pctl_store *store = pctl_store_new(p->path);
	const char *value = pctl_store_get(store, key, field);

	if (want)
		assert_string_equal(value, want);
	else
		assert_null(value);
	pctl_store_free(store);
}

static unsigned lines_of(const struct test_place *p)
{
	FILE *f = fopen(p->path, "re");
	unsigned n = 0;
	int c;

	assert_non_null(f);
	while ((c = fgetc(f)) != EOF)
		n += c == '\n';
	(void)fclose(f);
	return n;
}

static void test_what_is_added_is_on_disk(void **state)
{
	const struct test_place *p = *state;
	struct pctl_store *store = append(p, NULL, "n 1", "device", "p x=e");

	assert_kept(p, "n 1", "device", "p x=e");
	pctl_store_put(store, "n 1", "mode", "uefi");
	(void)append(p, store, "n 1", "device", "disk");
	assert_kept(p, "n 1", "device", "disk");
	assert_kept(p, "n 1", "mode", "uefi");
	(void)append(p, store, "n 1", "device", NULL);
	assert_kept(p, "n 1", "device", NULL);
	assert_kept(p, "n 1", "mode", "uefi");
	assert_null(pctl_store_get(store, "n 1", "device"));
	assert_string_equal(pctl_store_get(store, "n 1", "mode"), "uefi");
	pctl_store_free(store);
}

/* What this process added itself it need not read again: two thousand stay two thousand lines. */
static void test_adding_reads_nothing_again(void **state)
{
	const struct test_place *p = *state;
	struct pctl_store *store = NULL;
	char key[32];

	for (unsigned i = 0; i < 2000; i++) {
		(void)snprintf(key, sizeof(key), "n%u", i);
		store = append(p, store, key, "device", "pxe");
		assert_false(pctl_store_refresh(store));
	}
	assert_int_equal(lines_of(p), 2000);
	assert_string_equal(pctl_store_get(store, "n7", "device"), "pxe");
	for (unsigned i = 0; i < 2000; i += 2) {
		(void)snprintf(key, sizeof(key), "n%u", i);
		(void)append(p, store, key, "device", NULL);
	}
	assert_int_equal(lines_of(p), 3000);
	assert_int_equal(pctl_store_save(store, NULL), 0); /* one line per key again */
	assert_int_equal(lines_of(p), 1000);
	assert_null(pctl_store_get(store, "n8", "device"));
	assert_string_equal(pctl_store_get(store, "n9", "device"), "pxe");
	pctl_store_free(store);
}

static void test_two_add_to_one_file(void **state)
{
	const struct test_place *p = *state;
	struct pctl_store *a = append(p, NULL, "a", "x", "1"), *b = append(p, NULL, "b", "x", "1");

	assert_true(pctl_store_refresh(a)); /* the other one wrote */
	assert_string_equal(pctl_store_get(a, "b", "x"), "1");
	(void)append(p, a, "b", "x", "2");
	(void)append(p, b, "c", "x", "3"); /* without having looked */
	assert_string_equal(pctl_store_get(b, "b", "x"), "2");
	assert_int_equal(pctl_store_save(a, NULL), 0);
	(void)append(p, b, "a", "x", NULL);
	assert_kept(p, "a", "x", NULL);
	assert_kept(p, "b", "x", "2");
	assert_kept(p, "c", "x", "3");
	assert_int_equal(lines_of(p), 4);
	pctl_store_free(a);
	pctl_store_free(b);
}

static void test_an_open_line_is_left_alone(void **state)
{
	const struct test_place *p = *state;
	FILE *f = fopen(p->path, "we");

	assert_non_null(f);
	(void)fputs("a x=1", f); /* somebody's editor */
	(void)fclose(f);
	pctl_store_free(append(p, NULL, "b", "x", "2"));
	assert_kept(p, "a", "x", "1");
	assert_kept(p, "b", "x", "2");
}

/* A disk that is full leaves no half line, and what was to be added can be tried again. */
static void test_a_full_disk_adds_nothing(void **state)
{
	const struct test_place *p = *state;
	struct pctl_store *store = append(p, NULL, "a", "x", "1");
	struct pctl_error err = { 0 };
	struct rlimit before, few;
	struct stat st;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	few = before;
	few.rlim_cur = 10;
	(void)signal(SIGXFSZ, SIG_IGN);
	pctl_store_put(store, "b", "x", "a long value");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0);
	int r = pctl_store_append(store, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(r, PCTL_E_INTERNAL);
	assert_non_null(strstr(err.text, "cannot be written"));
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_size, strlen("a x=1\n"));
	assert_int_equal(pctl_store_append(store, &err), 0);
	assert_kept(p, "b", "x", "a long value");
	pctl_store_free(store);
}

/* Connections may have taken all descriptors but those that are kept for this. */
static void test_saves_without_descriptors(void **state)
{
	const struct test_place *p = *state;
	struct pctl_store *store = append(p, NULL, "a", "x", "1");
	struct pctl_error err = { 0 };
	struct rlimit before, few;
	int fds[64];
	size_t n = 0;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = sizeof(fds) / sizeof(fds[0]);
	pctl_store_put(store, "b", "x", "2");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	while ((fds[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		n++;
	int r = pctl_store_save(store, &err);
	while (n > 0)
		(void)close(fds[--n]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, 0);
	assert_kept(p, "b", "x", "2");
	pctl_store_free(store);
}

/* --- Locks. ----------------------------------------------------------------------------------- */

/* A child that takes the lock, or goes first, says so, and goes on so until told to end. */
static pid_t hold_in_child(const char *key, bool first, int *ret_stop)
{
	int ready[2], stop[2];
	char c = 0;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(stop), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char holder[100];
		(void)close(stop[1]);
		struct pctl_locks *locks = pctl_locks_new("powerctl reboot");
		int r = first ? pctl_lock_overtake(locks, key, NULL)
			      : pctl_lock_try(locks, key, holder, sizeof(holder), NULL);
		c = r == 0 ? 'y' : 'n';
		(void)!write(ready[1], &c, 1);
		(void)!read(stop[0], &c, 1);
		_exit(0); /* without letting go: the kernel does that */
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(c, 'y');
	(void)close(ready[0]);
	(void)close(ready[1]);
	(void)close(stop[0]);
	*ret_stop = stop[1];
	return pid;
}

static void test_a_lock_names_its_holder_and_ends_with_it(void **state)
{
	char holder[200] = "", want[64];
	struct pctl_locks *locks = pctl_locks_new("powerctl on");
	int stop = -1;

	(void)state;
	pid_t pid = hold_in_child("10.0.0.1:16992", false, &stop);
	assert_int_equal(
		pctl_lock_try(locks, "10.0.0.1:16992", holder, sizeof(holder), NULL), PCTL_E_BUSY);
	(void)snprintf(want, sizeof(want), "powerctl reboot, pid %d", (int)pid);
	assert_non_null(strstr(holder, want));
	assert_int_equal(pctl_lock_try(locks, "10.0.0.2:16992", holder, sizeof(holder), NULL), 0);
	assert_int_equal(pctl_lock_try(locks, "10.0.0.2:16992", holder, sizeof(holder), NULL), 0);

	(void)close(stop);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(pctl_lock_try(locks, "10.0.0.1:16992", holder, sizeof(holder), NULL), 0);
	pctl_lock_release(locks, "10.0.0.1:16992");
	pctl_locks_free(locks);
}

static void end_child(pid_t pid, int stop)
{
	assert_int_equal(write(stop, "", 1), 1); /* a later child may have its pipe as well */
	(void)close(stop);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_who_goes_first_is_waited_for_and_leaves_a_mark(void **state)
{
	static const char key[] = "10.0.0.3:623";
	char holder[200] = "", want[64];
	struct pctl_locks *locks = pctl_locks_new("powerctl on");
	int held = -1, first = -1;
	pid_t by = 0;

	(void)state;
	pid_t holds = hold_in_child(key, false, &held);
	uint64_t before = pctl_lock_mark(locks, key, NULL);
	pid_t goes = hold_in_child(key, true, &first);
	assert_int_not_equal(pctl_lock_mark(locks, key, &by), before);
	assert_int_equal(by, goes);
	assert_int_equal(pctl_lock_mark(locks, "10.0.0.4:623", NULL), 0);

	end_child(holds, held);
	assert_int_equal(pctl_lock_try(locks, key, holder, sizeof(holder), NULL), PCTL_E_BUSY);
	(void)snprintf(want, sizeof(want), "powerctl reboot, pid %d", (int)goes);
	assert_non_null(strstr(holder, want));

	end_child(goes, first);
	assert_int_equal(pctl_lock_try(locks, key, holder, sizeof(holder), NULL), 0);
	assert_int_not_equal(pctl_lock_mark(locks, key, NULL), before);
	pctl_lock_release(locks, key);
	pctl_locks_free(locks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_refresh_keeps_what_is_not_saved, setup, test_place_end),
		cmocka_unit_test_setup_teardown(
			test_an_identity_waits_for_the_op_that_ends_well, setup, test_place_end),
		cmocka_unit_test_setup_teardown(
			test_another_identity_is_refused_whatever_it_says, setup, test_place_end),
		cmocka_unit_test_setup_teardown(test_what_is_saved_is_read, setup, test_place_end),
		cmocka_unit_test_setup_teardown(
			test_two_writers_lose_nothing, setup, test_place_end),
		cmocka_unit_test_setup_teardown(
			test_a_refresh_sees_what_others_wrote, setup, test_place_end),
		cmocka_unit_test_setup_teardown(test_many_keys_and_few, setup, test_place_end),
		cmocka_unit_test_setup_teardown(
			test_a_mangled_file_is_survived, setup, test_place_end),
		cmocka_unit_test_setup_teardown(
			test_a_file_that_cannot_be_written_says_so, setup, test_place_end),
		cmocka_unit_test_setup_teardown(
			test_what_is_added_is_on_disk, setup, test_place_end),
		cmocka_unit_test_setup_teardown(
			test_adding_reads_nothing_again, setup, test_place_end),
		cmocka_unit_test_setup_teardown(test_two_add_to_one_file, setup, test_place_end),
		cmocka_unit_test_setup_teardown(
			test_an_open_line_is_left_alone, setup, test_place_end),
		cmocka_unit_test_setup_teardown(
			test_a_full_disk_adds_nothing, setup, test_place_end),
		cmocka_unit_test_setup_teardown(
			test_saves_without_descriptors, setup, test_place_end),
		cmocka_unit_test_setup_teardown(
			test_what_cannot_be_read_is_not_empty, setup, test_place_end),
		cmocka_unit_test_setup_teardown(
			test_what_cannot_be_read_is_looked_at_again, setup, test_place_end),
		cmocka_unit_test_setup_teardown(
			test_a_lock_names_its_holder_and_ends_with_it, setup, test_place_end),
		cmocka_unit_test_setup_teardown(
			test_who_goes_first_is_waited_for_and_leaves_a_mark, setup, test_place_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
