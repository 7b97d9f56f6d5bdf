/* SPDX-License-Identifier: GPL-3.0-or-later */
/* FRU information: from tables of its specification, with wrong sums, and cut short everywhere. */
#include "test.h"

#include <powerctl/mem.h>

#include "fru.h"

/* A whole FRU, put together by a test; sums are added. */
struct image {
	uint8_t data[512];
	size_t len;
};

static void add(struct image *f, const void *data, size_t len)
{
	assert_true(f->len + len <= sizeof(f->data));
	memcpy(f->data + f->len, data, len);
	f->len += len;
}

static void add_byte(struct image *f, uint8_t b)
{
	add(f, &b, 1);
}

static void add_text(struct image *f, const char *s)
{
	add_byte(f, (uint8_t)(0xc0 | strlen(s)));
	add(f, s, strlen(s));
}

static uint8_t sum_of(const uint8_t *data, size_t len)
{
	uint8_t sum = 0;

	while (len--)
		sum = (uint8_t)(sum - *data++);
	return sum;
}

/* Begins an area whose place in the header is index. */
static size_t begin(struct image *f, size_t index)
{
	f->data[index] = (uint8_t)(f->len / 8);
	add_byte(f, 1);
	add_byte(f, 0);
	return f->len - 2;
}

static void end(struct image *f, size_t start)
{
	add_byte(f, 0xc1);
	while ((f->len + 1 - start) % 8)
		add_byte(f, 0);
	f->data[start + 1] = (uint8_t)((f->len + 1 - start) / 8);
	add_byte(f, sum_of(f->data + start, f->len - start));
	f->data[7] = 0;
	f->data[7] = sum_of(f->data, 8);
}

static void make(struct image *f)
{
	size_t start;

	*f = (struct image){ .len = 8, .data = { 1 } };
	start = begin(f, 2);
	add_byte(f, 0x17);
	add_text(f, "CSE-815");
	add(f, "\x83\x29\xdc\xa6", 4); /* 6-bit ASCII, the specification's example */
	add_text(f, "rack 7");
	end(f, start);
	start = begin(f, 3);
	add_byte(f, 0);
	add(f, "\x00\x2d\xe3", 3); /* minutes since 1996, little endian */
	add_text(f, "Supermicro");
	add_text(f, "X9DRi\xae");
	add(f, "\x44\x12\x34\xab\xc5", 5); /* BCD plus */
	add_text(f, "");
	add(f, "\x02\xde\xad", 3);
	end(f, start);
	start = begin(f, 4);
	add_byte(f, 25);
	add_text(f, "ACME");
	add_text(f, "Node 1000 ");
	add_text(f, "PN-1");
	add_text(f, "1.0");
	add_text(f, "S123\xff\xff");
	add_text(f, "asset");
	add_text(f, "ff");
	add_text(f, "one");
	add_text(f, "two");
	end(f, start);
}

static const char *at(const struct pctl_value *v, const char *area, const char *key)
{
	const char *s = pctl_value_text(pctl_value_get(pctl_value_get(v, area), key));

	return s ? s : "(none)";
}

static void test_areas(void **state)
{
	struct pctl_value *v = pctl_value_new_map();
	const struct pctl_value *custom;
	struct image f;

	(void)state;
	make(&f);
	assert_true(fru_decode(f.data, f.len, v));
	assert_int_equal(pctl_value_count(v), 3);
	assert_string_equal(at(v, "chassis", "type"), "Rack Mount Chassis");
	assert_string_equal(at(v, "chassis", "part_number"), "CSE-815");
	assert_string_equal(at(v, "chassis", "serial"), "IPMI");
	assert_string_equal(at(v, "chassis", "checksum"), "(none)");
	assert_string_equal(at(v, "board", "made"), "2024-04-22T00:32:00Z");
	assert_string_equal(at(v, "board", "manufacturer"), "Supermicro");
	assert_string_equal(at(v, "board", "name"), "X9DRi\xc2\xae");
	assert_string_equal(at(v, "board", "serial"), "1234 -.5");
	assert_string_equal(at(v, "board", "part_number"), "(none)");
	assert_string_equal(at(v, "board", "fru_file"), "dead");
	assert_string_equal(at(v, "product", "manufacturer"), "ACME");
	assert_string_equal(at(v, "product", "name"), "Node 1000");
	assert_string_equal(at(v, "product", "part_number"), "PN-1");
	assert_string_equal(at(v, "product", "version"), "1.0");
	assert_string_equal(at(v, "product", "serial"), "S123");
	assert_string_equal(at(v, "product", "asset_tag"), "asset");
	custom = pctl_value_get(pctl_value_get(v, "product"), "custom");
	assert_int_equal(pctl_value_count(custom), 2);
	assert_string_equal(pctl_value_text(pctl_value_at(custom, 1)), "two");
	pctl_value_free(v);
}

static void test_languages(void **state)
{
	struct pctl_value *v = pctl_value_new_map();
	struct image f = { .len = 8, .data = { 1 } };
	size_t start = begin(&f, 4);

	(void)state;
	add_byte(&f, 36); /* Japanese */
	add(&f, "\xc4\xe5\x65\x2c\x67", 5);
	add_text(&f, "ABCD"); /* ASCII all the same */
	add_text(&f, "odd");
	end(&f, start);
	assert_true(fru_decode(f.data, f.len, v));
	assert_string_equal(at(v, "product", "manufacturer"), "\xe6\x97\xa5\xe6\x9c\xac");
	assert_string_equal(at(v, "product", "name"), "ABCD");
	assert_string_equal(at(v, "product", "part_number"), "odd");
	pctl_value_free(v);
}

static void test_wrong_sums(void **state)
{
	struct pctl_value *v = pctl_value_new_map();
	struct image f;

	(void)state;
	make(&f);
	f.data[(size_t)f.data[3] * 8 + 8] ^= 1; /* in the board's manufacturer */
	assert_true(fru_decode(f.data, f.len, v));
	assert_string_equal(at(v, "board", "checksum"), "wrong");
	assert_string_equal(at(v, "board", "name"), "X9DRi\xc2\xae");
	assert_string_equal(at(v, "product", "checksum"), "(none)");
	pctl_value_free(v);

	v = pctl_value_new_map();
	f.data[7]++;
	assert_false(fru_decode(f.data, f.len, v));
	assert_int_equal(fru_need(f.data, f.len, 1000), 0);
	f.data[7]--;
	f.data[0] = 2;
	f.data[7]--;
	assert_false(fru_decode(f.data, f.len, v)); /* another format */
	assert_int_equal(pctl_value_count(v), 0);
	pctl_value_free(v);
}

/* How much there is to read is found out step by step, and never more than needed. */
static void test_need(void **state)
{
	struct image f;
	size_t have = 0, need, steps = 0;

	(void)state;
	make(&f);
	while ((need = fru_need(f.data, have, 2048)) > have) {
		have = need;
		steps++;
	}
	assert_int_equal(have, f.len);
	assert_true(steps <= 4);
	assert_int_equal(fru_need(f.data, 0, 5), 5);
	assert_int_equal(fru_need(f.data, f.len, 100), 100);
	memset(f.data, 0, 8);
	assert_int_equal(fru_need(f.data, 8, 2048), 0);

	/* Nothing but what the format can say. */
	memcpy(f.data, "\x01\xff\xff\xff\xff\xff\x00\x04", 8);
	assert_int_equal(fru_need(f.data, 8, 1 << 20), 255 * 8 + 2);
	assert_true(fru_need(f.data, 8, 1 << 20) <= FRU_BYTES_MAX);
}

/* At its exact size, so that a byte too many is found; what is whole is still told. */
static void test_every_length(void **state)
{
	struct image f;

	(void)state;
	make(&f);
	for (size_t n = 0; n <= f.len; n++) {
		uint8_t *cut = pctl_xcalloc(1, n ? n : 1);
		struct pctl_value *v = pctl_value_new_map();

		memcpy(cut, f.data, n);
		assert_int_equal(fru_decode(cut, n, v), n >= 8);
		assert_true(fru_need(cut, n, 2048) <= FRU_BYTES_MAX);
		if (n >= (size_t)f.data[4] * 8)
			assert_string_equal(at(v, "board", "checksum"), "(none)");
		else if (pctl_value_get(v, "board"))
			assert_string_equal(at(v, "board", "checksum"), "wrong");
		pctl_value_free(v);
		free(cut);
	}
}

/* Each byte of the image with each of some values: nothing is read that is not there. */
static void test_every_byte(void **state)
{
	static const uint8_t values[] = { 0, 1, 0x3f, 0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xff };
	struct image f;

	(void)state;
	make(&f);
	for (size_t i = 0; i < f.len * sizeof(values); i++) {
		uint8_t *copy = pctl_xcalloc(1, f.len);
		struct pctl_value *v = pctl_value_new_map();

		memcpy(copy, f.data, f.len);
		copy[i / sizeof(values)] = values[i % sizeof(values)];
		copy[7] = 0;
		copy[7] = sum_of(copy, 8);
		(void)fru_decode(copy, f.len, v);
		assert_true(fru_need(copy, f.len, 1 << 20) <= FRU_BYTES_MAX);
		pctl_value_free(v);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_areas),
		cmocka_unit_test(test_languages),
		cmocka_unit_test(test_wrong_sums),
		cmocka_unit_test(test_need),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
