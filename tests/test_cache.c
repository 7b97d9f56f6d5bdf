/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of bytes: what was put comes back or nothing does, whatever becomes of the file. */
#include "world.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <powerctl/buf.h>
#include <powerctl/driver.h>

static const struct pctl_driver driver = {
	.size = sizeof(driver), .abi = PCTL_DRIVER_ABI, .name = "odd", .default_port = 623
};

/* Two endpoints of one driver, as far as the cache looks at them. */
struct place {
	struct world w;
	struct pctl_loaded loaded;
	struct pctl_target targets[2];
	struct pctl_device devices[2];
	struct pctl_buf buf;
};

static int set_up(void **state)
{
	static char keys[2][32] = { "10.0.0.5:623", "../up" };
	struct place *p = pctl_xcalloc(1, sizeof(*p));

	world_init(&p->w, "nodes: {}\n");
	p->loaded.driver = &driver;
	for (size_t i = 0; i < 2; i++) {
		p->targets[i].endpoint = keys[i];
		p->targets[i].loaded = &p->loaded;
		p->devices[i].target = &p->targets[i];
	}
	pctl_buf_init(&p->buf, PCTL_CACHE_MAX);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	pctl_buf_done(&p->buf);
	world_done(&p->w);
	free(p);
	return 0;
}

static char *path_of(const struct place *p, const char *name)
{
	return pctl_xasprintf("%s/powerctl/drivers/odd/%s", p->w.dir, name);
}

static bool get(struct place *p, size_t device, enum pctl_cache_scope scope, const char *key)
{
	return pctl_cache_get(&p->devices[device], scope, key, &p->buf);
}

static void test_scopes(void **state)
{
	struct place *p = *state;
	static const char bytes[] = { 'a', 0, '\n', (char)0xff };

	assert_false(get(p, 0, PCTL_CACHE_DRIVER, "k"));
	pctl_cache_put(&p->devices[0], PCTL_CACHE_DRIVER, "k", bytes, sizeof(bytes));
	assert_true(get(p, 1, PCTL_CACHE_DRIVER, "k"));
	assert_int_equal(p->buf.len, sizeof(bytes));
	assert_memory_equal(p->buf.data, bytes, sizeof(bytes));
	assert_false(get(p, 0, PCTL_CACHE_DEVICE, "k"));
	assert_int_equal(p->buf.len, 0);
	pctl_cache_put(&p->devices[1], PCTL_CACHE_DEVICE, "k", "own", 3);
	assert_false(get(p, 0, PCTL_CACHE_DEVICE, "k"));
	assert_true(get(p, 1, PCTL_CACHE_DEVICE, "k"));
	assert_string_equal(p->buf.data, "own");
	PCTL_AUTO(free) char *name = path_of(p, "k@..%2fup"); /* no way out of the folder */
	struct stat st;
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	pctl_cache_put(&p->devices[0], PCTL_CACHE_DRIVER, "k", "", 0);
	assert_true(get(p, 0, PCTL_CACHE_DRIVER, "k"));
	assert_int_equal(p->buf.len, 0);
}

static void test_damage(void **state)
{
	struct place *p = *state;
	PCTL_AUTO(free) char *path = path_of(p, "k");
	char whole[256];
	ssize_t len;

	pctl_cache_put(&p->devices[0], PCTL_CACHE_DRIVER, "k", "content", 7);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	len = read(fd, whole, sizeof(whole));
	assert_true(len > 7);
	for (ssize_t i = 0; i < len; i++) {
		char c = (char)(whole[i] ^ 1);
		assert_int_equal(pwrite(fd, &c, 1, i), 1);
		assert_false(get(p, 0, PCTL_CACHE_DRIVER, "k"));
		assert_int_equal(p->buf.len, 0);
		assert_int_equal(pwrite(fd, &whole[i], 1, i), 1);
	}
	assert_true(get(p, 0, PCTL_CACHE_DRIVER, "k"));
	while (len-- > 0) {
		assert_int_equal(ftruncate(fd, len), 0);
		assert_false(get(p, 0, PCTL_CACHE_DRIVER, "k"));
	}
	(void)close(fd);
	/* Put again it is whole again. */
	pctl_cache_put(&p->devices[0], PCTL_CACHE_DRIVER, "k", "content", 7);
	assert_true(get(p, 0, PCTL_CACHE_DRIVER, "k"));
	assert_string_equal(p->buf.data, "content");
}

static void test_limits(void **state)
{
	struct place *p = *state;
	PCTL_AUTO(free) char *big = pctl_xcalloc(1, PCTL_CACHE_MAX + 1);
	struct pctl_buf small;

	pctl_cache_put(&p->devices[0], PCTL_CACHE_DRIVER, "big", big, PCTL_CACHE_MAX + 1);
	assert_false(get(p, 0, PCTL_CACHE_DRIVER, "big"));
	pctl_cache_put(&p->devices[0], PCTL_CACHE_DRIVER, "big", big, PCTL_CACHE_MAX);
	assert_true(get(p, 0, PCTL_CACHE_DRIVER, "big"));
	assert_int_equal(p->buf.len, PCTL_CACHE_MAX);
	pctl_buf_init(&small, 10);
	assert_false(pctl_cache_get(&p->devices[0], PCTL_CACHE_DRIVER, "big", &small));
	assert_int_equal(small.len, 0);
	assert_false(small.full);
	pctl_buf_done(&small);
}

/* The same again is not written again: the file stays the one it was. */
static void test_unchanged(void **state)
{
	struct place *p = *state;
	PCTL_AUTO(free) char *path = path_of(p, "k");
	struct stat first, second;

	pctl_cache_put(&p->devices[0], PCTL_CACHE_DRIVER, "k", "one", 3);
	assert_int_equal(stat(path, &first), 0);
	pctl_cache_put(&p->devices[1], PCTL_CACHE_DRIVER, "k", "one", 3);
	assert_int_equal(stat(path, &second), 0);
	assert_true(first.st_ino == second.st_ino);
	assert_true(first.st_mtim.tv_nsec == second.st_mtim.tv_nsec);
	pctl_cache_put(&p->devices[1], PCTL_CACHE_DRIVER, "k", "two", 3);
	assert_true(get(p, 0, PCTL_CACHE_DRIVER, "k"));
	assert_string_equal(p->buf.data, "two");
}

static size_t count_files(const char *folder)
{
	DIR *dir = opendir(folder);
	size_t n = 0;

	assert_non_null(dir);
	for (const struct dirent *e; (e = readdir(dir));)
		n += e->d_name[0] != '.';
	(void)closedir(dir);
	return n;
}

/* Only so many are kept: the one that was written first goes. */
static void test_room(void **state)
{
	struct place *p = *state;
	const struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
	PCTL_AUTO(free) char *folder = path_of(p, "");
	PCTL_AUTO(free) char *first = path_of(p, "k7");
	char key[16];

	pctl_cache_put(&p->devices[0], PCTL_CACHE_DRIVER, "k0", "x", 1);
	for (int i = 1; i < 4096; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		PCTL_AUTO(free) char *path = path_of(p, key);
		int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		(void)close(fd);
	}
	assert_int_equal(utimensat(AT_FDCWD, first, old, 0), 0);
	assert_int_equal(count_files(folder), 4096);
	pctl_cache_put(&p->devices[0], PCTL_CACHE_DRIVER, "new", "x", 1);
	assert_int_equal(count_files(folder), 4096);
	assert_int_equal(access(first, F_OK), -1);
	assert_true(get(p, 0, PCTL_CACHE_DRIVER, "new"));
	assert_true(get(p, 0, PCTL_CACHE_DRIVER, "k0"));
	pctl_cache_put(&p->devices[0], PCTL_CACHE_DRIVER, "k0", "y", 1); /* no new file: no room */
	assert_int_equal(count_files(folder), 4096);
}

static void test_no_folder(void **state)
{
	struct place *p = *state;

	(void)setenv("XDG_CACHE_HOME", "/proc/nowhere", 1);
	pctl_cache_put(&p->devices[0], PCTL_CACHE_DRIVER, "k", "x", 1);
	assert_false(get(p, 0, PCTL_CACHE_DRIVER, "k"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_scopes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_damage, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unchanged, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_room, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_folder, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
