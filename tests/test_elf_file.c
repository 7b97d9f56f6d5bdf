/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <powerctl/mem.h>

#include "conformance/elf_file.h"

static unsigned char *read_all(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "re");
	unsigned char *data = pctl_xcalloc(1, (size_t)8 << 20);

	assert_non_null(f);
	*ret_len = fread(data, 1, (size_t)8 << 20, f);
	(void)fclose(f);
	return data;
}

static void test_a_driver(void **state)
{
	struct elf_facts facts;
	size_t len;
	PCTL_AUTO(free) unsigned char *data = read_all(TEST_PLUGIN_DIR "/null.so", &len);

	(void)state;
	assert_null(elf_read(data, len, &facts));
	assert_true(facts.has_driver);
	assert_int_equal(facts.exports_n, 0);
	if (facts.sanitized)
		return;
	assert_false(facts.own_init);
	assert_true(facts.writable <= 64);
}

static void test_one_that_exports_more(void **state)
{
	struct elf_facts facts;
	size_t len;
	PCTL_AUTO(free)
	unsigned char *data = read_all(TEST_BINARY_DIR "/tests/plugins/nosymbol.so", &len);

	(void)state;
	assert_null(elf_read(data, len, &facts));
	assert_false(facts.has_driver);
	assert_string_equal(facts.exports, "something_else");
}

/* Whatever the numbers in a file say, nothing outside of it is read (a sanitizer would tell). */
static void test_damaged(void **state)
{
	struct elf_facts facts;
	size_t len;
	PCTL_AUTO(free) unsigned char *data = read_all(TEST_PLUGIN_DIR "/null.so", &len);

	(void)state;
	assert_string_equal(elf_read(data, 10, &facts), "it is no ELF file");
	assert_string_equal(
		elf_read((const unsigned char *)"hello", 5, &facts), "it is no ELF file");
	for (size_t n = 64; n < len; n += len / 97) {
		unsigned char *part = pctl_xcalloc(1, n);

		memcpy(part, data, n);
		(void)elf_read(part, n, &facts);
		free(part);
	}
	for (size_t i = 0; i < 64; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			data[i] ^= (unsigned char)(1u << bit);
			(void)elf_read(data, len, &facts);
			data[i] ^= (unsigned char)(1u << bit);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_driver),
		cmocka_unit_test(test_one_that_exports_more),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
