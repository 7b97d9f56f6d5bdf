/* SPDX-License-Identifier: Apache-2.0 */
/* The drives of IDE redirection: SCSI commands, frames byte by byte, and images in pieces. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "redirection/image.h"
#include "redirection/scsi.h"

#define CDB(...) ((const uint8_t[12]){ __VA_ARGS__ })

static const struct scsi_drive new_cd = { .cd = true, .blocks = 1000, .present = true };
static const struct scsi_drive new_floppy = { .blocks = 2880, .present = true };
static const struct scsi_drive empty_cd = { .cd = true };

static struct scsi_answer run(const struct scsi_drive *drive, const uint8_t *cdb)
{
	struct scsi_drive d = *drive;
	struct scsi_answer a;

	scsi_run(&d, cdb, &a);
	return a;
}

static void assert_sense(const struct scsi_drive *drive, const uint8_t *cdb, unsigned sense)
{
	struct scsi_answer a = run(drive, cdb);

	assert_int_equal(a.what, SCSI_ENDED);
	assert_int_equal((unsigned)a.sense.key << 16 | a.sense.asc << 8 | a.sense.ascq, sense);
}

static void assert_data(
	const struct scsi_drive *drive, const uint8_t *cdb, const void *data, size_t len)
{
	struct scsi_answer a = run(drive, cdb);

	assert_int_equal(a.what, SCSI_DATA);
	assert_int_equal(a.len, len);
	assert_memory_equal(a.data, data, len);
}
#define DATA(drive, cdb, ...)                                     \
	assert_data(drive, cdb, (const uint8_t[]){ __VA_ARGS__ }, \
		sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void test_new_medium(void **state)
{
	struct scsi_drive d = new_cd;
	struct scsi_answer a;

	(void)state;
	scsi_run(&d, CDB(0x00), &a);
	assert_int_equal(a.sense.key, 6);
	assert_int_equal(a.sense.asc, 0x28);
	scsi_run(&d, CDB(0x00), &a);
	assert_int_equal(a.sense.key, 0);
	assert_sense(&empty_cd, CDB(0x00), 0x023A00);
}

static void test_senses(void **state)
{
	static const uint8_t needs_medium[] = { 0x00, 0x08, 0x0A, 0x25, 0x28, 0x2A, 0x43, 0xA8 };

	(void)state;
	for (size_t i = 0; i < sizeof(needs_medium); i++)
		assert_sense(&empty_cd, CDB(needs_medium[i], [8] = 1), 0x023A00);
	assert_sense(&new_cd, CDB(0x2A, [8] = 1), 0x072700);
	assert_sense(&new_cd, CDB(0x2E, [8] = 1), 0x072700);
	assert_sense(&new_cd, CDB(0x0A), 0x072700);
	assert_sense(&new_floppy, CDB(0x43, [8] = 20), 0x052000);
	assert_sense(&new_cd, CDB(0x23, [8] = 20), 0x052000);
	assert_sense(&new_cd, CDB(0x1A, 0, 0x3E, 0, 4), 0x052400);
	assert_sense(&new_cd, CDB(0x5A, 0, 0x33, [8] = 99), 0x052400);
	for (unsigned op = 0x4C; op <= 0x55; op += op == 0x4C ? 5 : op == 0x52 ? 3 : 1)
		assert_sense(&new_cd, CDB((uint8_t)op), 0x052000);
	assert_sense(&new_cd, CDB(0xF7), 0x052000);
	assert_sense(&new_cd, CDB(0x1E, [4] = 1), 0);
	assert_sense(&new_cd, CDB(0x1B, [4] = 1), 0);
}

static void test_reads(void **state)
{
	struct scsi_answer a;

	(void)state;
	a = run(&new_cd, CDB(0x28, 0, 0, 0, 3, 0xE0, 0, 0, 8));
	assert_int_equal(a.what, SCSI_READ);
	assert_int_equal(a.lba, 992);
	assert_int_equal(a.count, 8);
	assert_sense(&new_cd, CDB(0x28, 0, 0, 0, 3, 0xE1, 0, 0, 8), 0x052100);
	assert_sense(&new_cd, CDB(0x28, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 1), 0x052100);
	assert_sense(&new_cd, CDB(0x28, 0, 0, 0, 3, 0xE8, 0, 0, 0), 0);
	a = run(&new_cd, CDB(0xA8, 0, 0, 0, 0, 1, 0, 0, 1, 4));
	assert_int_equal(a.count, 260);
	a = run(&new_floppy,
		CDB(0x08, 0xE0, 1, 2, 0)); /* the unit's bits are none of the block's */
	assert_int_equal(a.lba, 258);
	assert_int_equal(a.count, 256);
}

static void test_answers(void **state)
{
	(void)state;
	DATA(&new_cd, CDB(0x25), 0, 0, 3, 0xE7, 0, 0, 8, 0);
	DATA(&new_floppy, CDB(0x25), 0, 0, 0x0B, 0x3F, 0, 0, 2, 0);
	DATA(&new_floppy, CDB(0x23, [8] = 252), 0, 0, 0, 8, 0, 0, 0x0B, 0x40, 2, 0, 2, 0);
	DATA(&new_cd, CDB(0x1A, 0, 0x3F, 0, 192), 0, 5, 0x80, 0);
	DATA(&new_floppy, CDB(0x1A, 0, 0x3F, 0, 2), 0, 0);
	DATA(&new_cd, CDB(0x43, 0, [8] = 20), 0, 0x12, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x14,
		0xAA, 0, 0, 0, 0, 0);
	DATA(&new_cd, CDB(0x43, 2, [8] = 20), 0, 0x12, 1, 1, 0, 0x14, 1, 0, 0, 0, 2, 0, 0, 0x14,
		0xAA, 0, 0, 0, 0x34, 0x13);
	DATA(&new_cd, CDB(0x43, [8] = 12, 0x40), 0, 0x0A, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0);
	DATA(&new_cd, CDB(0x4A, 1, [4] = 0x10, [8] = 8), 0, 2, 0x80, 0);
	DATA(&empty_cd, CDB(0x4A, 1, [4] = 0x10, [8] = 8), 0, 0, 0x80, 0);
	DATA(&new_cd, CDB(0xAC), 0, 0, 0, 4, 2, 0, 0, 0);
	DATA(&new_cd, CDB(0x5A, 0, 0x01, [8] = 99), 0, 0x0E, 1, 0x80, 0, 0, 0, 0, 1, 6, 0, 0xFF, 0,
		0, 0, 0);
	DATA(&new_cd, CDB(0x46, 2, 0, 0x1E, [8] = 99), 0, 0, 0, 8, 0, 0, 0, 8, 0, 0x1E, 3, 0);
	assert_sense(&new_cd, CDB(0x46), 0); /* no room: no data */
}

/* Each page says how long it is. */
static void test_pages(void **state)
{
	static const struct scsi_drive large = { .blocks = 245760, .present = true };
	const struct scsi_drive *drives[] = { &new_cd, &new_floppy, &large };
	static const size_t all[] = { 42, 94, 94 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (unsigned page = 0; page < 0x40; page++) {
			struct scsi_answer a =
				run(drives[i], CDB(0x5A, 0, (uint8_t)page, [8] = 255));
			if (a.what == SCSI_DATA)
				assert_int_equal(a.len, a.data[1] + 2u);
			if (page == 0x3F)
				assert_int_equal(a.len, all[i]);
		}
		assert_int_equal(run(drives[i], CDB(0x5A, 0, 0x3F, [8] = 20)).len, 20);
	}
	assert_int_equal(run(&large, CDB(0x5A, 0, 0x05, [8] = 255)).data[2], 0x31);
	struct scsi_answer a = run(&new_cd, CDB(0x46, [8] = 255));
	assert_int_equal(a.len, a.data[3] + 4u);
}

static void test_tray(void **state)
{
	struct scsi_drive d = new_cd;
	struct scsi_answer a;

	(void)state;
	scsi_run(&d, CDB(0x1B, [4] = 2), &a);
	assert_true(a.ejected && !d.present);
	scsi_run(&d, CDB(0x25), &a);
	assert_int_equal(a.sense.asc, 0x3A);
	scsi_run(&d, CDB(0x1B, [4] = 3), &a);
	assert_true(a.loaded && d.present);
	scsi_run(&d, CDB(0x00), &a);
	assert_int_equal(a.sense.key, 6);
	d = empty_cd;
	scsi_run(&d, CDB(0x1B, [4] = 3), &a);
	assert_false(a.loaded || d.present);
	assert_false(scsi_remove(&d));
}

/* What the user takes out stays out, wherever it was. */
static void test_removed(void **state)
{
	struct scsi_answer a;

	(void)state;
	for (int ejected = 0; ejected < 2; ejected++) {
		struct scsi_drive d = new_cd;

		if (ejected)
			scsi_run(&d, CDB(0x1B, [4] = 2), &a);
		assert_true(scsi_remove(&d));
		scsi_run(&d, CDB(0x00), &a);
		assert_int_equal(a.sense.asc, 0x3A);
		scsi_run(&d, CDB(0x1B, [4] = 3), &a);
		assert_false(a.loaded || d.present || a.sense.key);
		assert_false(scsi_remove(&d));
	}
}

/* --- Frames. ---------------------------------------------------------------------------------- */

static void assert_bytes(struct pctl_buf *out, const uint8_t *bytes, size_t len)
{
	assert_int_equal(out->len, len);
	assert_memory_equal(out->data, bytes, len);
	pctl_buf_done(out);
}
#define BYTES(out, ...) \
	assert_bytes(   \
		out, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void test_frames(void **state)
{
	static const struct frame_ider_open open = { .rx_timeout = 30000, .heartbeat = 20000 };
	static const struct frame_sense none = { 0, 0, 0 }, medium = { 3, 0x11, 0 };
	struct pctl_buf out;

	(void)state;
	pctl_buf_init(&out, 64);
	frame_put_ider_open(&out, 0, &open);
	BYTES(&out, 0x40, 0, 0, 0, 0, 0, 0, 0, 0x30, 0x75, 0, 0, 0x20, 0x4E, 1, 0, 0, 0);
	pctl_buf_init(&out, 64);
	frame_put_ider_features(&out, 1, IDER_ENABLED | IDER_NOW);
	BYTES(&out, 0x48, 0, 0, 0, 1, 0, 0, 0, 3, 0x19, 0, 0, 0);
	pctl_buf_init(&out, 64);
	frame_put_ider_end(&out, 2, IDER_CD, &none);
	BYTES(&out, 0x51, 0, 0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xC5, 0, 3, 0, 0,
		0, 0xB0, 0x50, 0, 0, 0);
	pctl_buf_init(&out, 64);
	frame_put_ider_end(&out, 3, IDER_FLOPPY, &medium);
	BYTES(&out, 0x51, 0, 0, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x87, 0x30, 3, 0,
		0, 0, 0xA0, 0x51, 3, 0x11, 0);
	pctl_buf_init(&out, 64);
	frame_put_ider_data(&out, 4, IDER_CD, true, true, "abc", 3);
	BYTES(&out, 0x54, 0, 0, 3, 4, 0, 0, 0, 0, 3, 0, 0, 0xB4, 0, 2, 0, 0, 0, 0xB0, 0x58, 0x85, 0,
		3, 0, 0, 0, 0xB0, 0x50, 0, 0, 0, 0, 0, 0, 'a', 'b', 'c');
	pctl_buf_init(&out, 64);
	frame_put_ider_data(&out, 5, IDER_FLOPPY, false, false, "abc", 3);
	BYTES(&out, 0x54, 0, 0, 0, 5, 0, 0, 0, 0, 3, 0, 0, 0xB5, 0, 2, 0, 3, 0, 0xA0, 0x58, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'a', 'b', 'c');
}

static void test_read_frames(void **state)
{
	uint8_t opened[30] = { 0x41, [16] = 0, 0x20, [18] = 0, 0x20 };
	const uint8_t command[28] = { 0x50, [4] = 9, [9] = 1, [14] = 0xB0, 0xA0, 0x28, [27] = 7 };
	struct frame f = { 0x41, opened, sizeof(opened) };
	struct frame_ider_opened o;
	struct pctl_error err;

	(void)state;
	assert_int_equal(frame_read_ider_opened(&f, &o, &err), 0);
	assert_int_equal(o.read_size, 8192);
	opened[17] = 0x40; /* more than any takes */
	assert_int_equal(frame_read_ider_opened(&f, &o, &err), 0);
	assert_int_equal(o.read_size, 8192);
	opened[17] = 0;
	assert_int_equal(frame_read_ider_opened(&f, &o, &err), PCTL_E_PROTOCOL);
	opened[17] = 0x10;
	opened[21] = 1;
	assert_int_equal(frame_read_ider_opened(&f, &o, &err), PCTL_E_PROTOCOL);

	f = (struct frame){ 0x50, command, sizeof(command) };
	struct frame_ider_command c = frame_read_ider_command(&f);
	assert_int_equal(c.drive, IDER_CD);
	assert_true(c.dma);
	assert_int_equal(c.cdb[0], 0x28);
	assert_int_equal(c.cdb[11], 7);
	assert_int_equal(frame_ider_sequence(&f), 9);
}

/* --- Images. ---------------------------------------------------------------------------------- */

#define SIZE (3 * IMAGE_WINDOW + 1000)

static uint8_t content(uint64_t at)
{
	return (uint8_t)(at * 7 + (at >> 11));
}

static char *make_file(void)
{
	static char path[] = "/tmp/powerctl-image-XXXXXX";
	uint8_t *data = test_malloc(SIZE);

	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	int fd = mkstemp(path);
	for (size_t i = 0; i < SIZE; i++)
		data[i] = content(i);
	assert_int_equal(write(fd, data, SIZE), SIZE);
	assert_int_equal(close(fd), 0);
	test_free(data);
	return path;
}

static void ignore(void *data)
{
	(void)data;
}

static int64_t read_at(
	uv_loop_t *loop, struct image *m, uint64_t at, const uint8_t **ret, struct pctl_error *err)
{
	int64_t n;

	while ((n = image_read(m, at, 5000, ret, err)) == 0)
		(void)uv_run(loop, UV_RUN_ONCE);
	return n;
}

static void close_all(uv_loop_t *loop, struct image *m)
{
	image_close(m);
	assert_int_equal(uv_run(loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(loop), 0);
}

/* The kernel need not have it in memory: then it comes from workers. */
static void forget(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_int_equal(fsync(fd), 0);
	assert_int_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	assert_int_equal(close(fd), 0);
}

static void check_image(char *path)
{
	static const uint64_t jumps[] = { 0, SIZE - 10, 2 * IMAGE_WINDOW - 100, 70000, 3 };
	const uint8_t *data;
	struct pctl_error err = { 0 };
	struct image *m;
	uv_loop_t loop;

	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(image_open(path, 0, &m, &err), 0);
	image_use(m, &loop, 2048, ignore, NULL);
	assert_int_equal(image_size(m), SIZE);
	assert_int_equal(unlink(path), 0); /* it stays what it was */
	for (size_t j = 0; j < 5; j++) {
		for (uint64_t at = jumps[j]; at < SIZE;) {
			int64_t n = read_at(&loop, m, at, &data, &err);
			assert_true(n > 0 && n <= 5000);
			for (int64_t i = 0; i < n; i++)
				assert_int_equal(data[i],
					at + (uint64_t)i < SIZE ? content(at + (uint64_t)i) : 0);
			at += (uint64_t)n;
		}
	}
	close_all(&loop, m);
}

static void test_image(void **state)
{
	char *path = make_file();

	(void)state;
	check_image(path);
	path = make_file();
	forget(path);
	check_image(path);
}

static void test_image_shrinks(void **state)
{
	const uint8_t *data;
	struct pctl_error err = { 0 };
	struct image *m;
	uv_loop_t loop;
	char *path = make_file();

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(image_open(path, 0, &m, &err), 0);
	image_use(m, &loop, 2048, ignore, NULL);
	assert_int_equal(truncate(path, 100000), 0);
	assert_int_equal(read_at(&loop, m, 98000, &data, &err), 2000);
	assert_true(read_at(&loop, m, 100000, &data, &err) < 0);
	assert_non_null(strstr(err.text, "it ends at byte 100000"));
	assert_true(read_at(&loop, m, 500000, &data, &err) < 0);
	assert_true(read_at(&loop, m, 1000, &data, &err) > 0);
	(void)image_read(m, 600000, 10, &data, &err); /* left while it is fetched */
	close_all(&loop, m);
	assert_int_equal(unlink(path), 0);
}

static void test_no_images(void **state)
{
	struct pctl_error err;
	struct image *m;

	(void)state;
	assert_int_equal(image_open("/nowhere/x", 0, &m, &err), PCTL_E_CONFIG);
	assert_int_equal(image_open("/", 0, &m, &err), PCTL_E_CONFIG);
	assert_int_equal(image_open("/dev/null", 0, &m, &err), PCTL_E_CONFIG);
	assert_int_equal(image_open(NULL, 1474560, &m, &err), 0);
	assert_null(image_path(m));
	image_close(m);
	image_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_medium),
		cmocka_unit_test(test_senses),
		cmocka_unit_test(test_reads),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_tray),
		cmocka_unit_test(test_removed),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_read_frames),
		cmocka_unit_test(test_image),
		cmocka_unit_test(test_image_shrinks),
		cmocka_unit_test(test_no_images),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
