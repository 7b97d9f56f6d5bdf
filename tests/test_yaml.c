/* SPDX-License-Identifier: Apache-2.0 */
/* YAML text into trees: kinds, places, spans, and every mistake at its place. */
#include "inventory_help.h"

#include "inventory/yaml_tree.h"

/* The tree as one line: maps {k: v}, lists [a], texts 'x', each behind LINE:COLUMN. */
static void write_tree(struct pctl_buf *out, const struct pctl_value *v)
{
	struct pctl_place at = pctl_value_place(v);
	bool map = pctl_value_kind(v) == PCTL_VALUE_MAP;

	pctl_buf_addf(out, "%u:%u", at.line, at.column);
	if (pctl_value_text(v)) {
		pctl_buf_addf(out, "'%s'", pctl_value_text(v));
		return;
	}
	pctl_buf_adds(out, map ? "{" : "[");
	for (size_t i = 0; i < pctl_value_count(v); i++) {
		struct pctl_place key = pctl_value_key_place(v, i);

		pctl_buf_adds(out, i ? ", " : "");
		if (map)
			pctl_buf_addf(
				out, "%u:%u%s: ", key.line, key.column, pctl_value_key_at(v, i));
		write_tree(out, pctl_value_at(v, i));
	}
	pctl_buf_adds(out, map ? "}" : "]");
}

static void check_tree(const char *text, const char *wanted)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_yaml yaml;
	struct pctl_buf out;

	assert_int_equal(pctl_yaml_parse(&yaml, "f", text, strlen(text), false, problems), 0);
	pctl_buf_init(&out, 10000);
	if (yaml.root)
		write_tree(&out, yaml.root);
	assert_string_equal(out.data, wanted);
	assert_null(yaml.spans);
	pctl_buf_done(&out);
	pctl_yaml_done(&yaml);
	pctl_problems_free(problems);
}

static void test_trees(void **state)
{
	(void)state;
	check_tree("", "");
	check_tree("# nothing\n", "");
	check_tree("a: 1\nb:\n  - x\n  - {c: d}\n",
		"1:1{1:1a: 1:4'1', 2:1b: 3:3[3:5'x', 4:5{4:6c: 4:9'd'}]}");
	/* Scalars stay what was written. */
	check_tree("[0123, no, 1e3, \"a\\tb\", 'it''s']",
		"1:1[1:2'0123', 1:8'no', 1:12'1e3', 1:17'a\tb', 1:25'it's']");
	check_tree("{a: , b: ~, c: null, d: '~'}",
		"1:1{1:2a: 1:5'', 1:7b: 1:10'', 1:13c: 1:16'null', 1:22d: 1:25'~'}");
	check_tree("a: |\n  x\n  y\nb: >\n  p\n  q\n", "1:1{1:1a: 1:4'x\ny\n', 4:1b: 4:4'p q\n'}");
	check_tree("a: 1\r\nb: 2\r\n", "1:1{1:1a: 1:4'1', 2:1b: 2:4'2'}");
	/* Columns are characters; a byte order mark is none. */
	check_tree("\xef\xbb\xbf"
		   "\xc3\xa4: {\xc3\xb6\xc3\xbc: x}\nb: y",
		"1:1{1:1\xc3\xa4: 1:4{1:5\xc3\xb6\xc3\xbc: 1:9'x'}, 2:1b: 2:4'y'}");
}

/* --- Mistakes. -------------------------------------------------------------------------------- */

static const struct {
	const char *text, *said;
} mistakes[] = {
	{ "a: 1\nb: 2\na: 3\n",
		"f:3:1: 'a' stands here twice; the first is on line 1, keep one of them" },
	{ "x: {k: 1, k: 2, k: 3}",
		"f:1:11: 'k' stands here twice; the first is on line 1, keep one of them\n"
		"f:1:17: 'k' stands here twice; the first is on line 1, keep one of them" },
	{ "a: {address: 10.0.0.[1-8]}\n",
		"f:1:21: inside { } and [ ] a text with brackets needs quotes: \"10.0.0.[1-8]\"" },
	{ "a: {b: c\nd: e}\n", "f:2:2: a ',' or the closing '}' is missing before this" },
	{ "a: {b: c\n", "f:1:4: this '{' is never closed" },
	{ "a: {b: c,\n", "f:2:1: the text ends here, but a '{' or '[' is still open" },
	{ "a: [b, c\n", "f:1:4: this '[' is never closed" },
	{ "a: \"b\nc: d\n", "f:1:4: this quote is never closed" },
	{ "a: b: c\n", "f:1:5: a ': ' cannot stand here; quote the text, or check the "
		       "indentation" },
	{ "a: 1\n\tb: 2\n", "f:2:1: a tab cannot indent; use blanks" },
	{ "a: @rack1\n", "f:1:4: a text cannot begin with this character without quotes" },
	{ "a:\n  b: 1\n c: 2\n",
		"f:3:2: this is not a 'key: value' of the block it stands in; check the "
		"indentation" },
	{ "a: &x 1\n", "f:1:4: anchors (&x) are not understood; name a class instead" },
	{ "a: *x\n", "f:1:4: aliases (*) are not understood; to begin a text with '*', quote it" },
	{ "a: !t 1\n", "f:1:4: tags (!) are not understood; to begin a text with '!', quote it" },
	{ "a: 1\n---\nb: 2\n", "f:2:1: a second document begins here; one file holds one" },
	{ "? [a]\n: b\n",
		"f:1:3: a key must be a text; to begin one with '[', '{' or '*', quote it" },
	{ "a: \"x\\0y\"\n", "f:1:4: a text cannot hold a zero byte" },
	{ "a: \xc3\xa4\xff\n",
		"f:1:5: this is not text: invalid leading UTF-8 octet; the file must be UTF-8" },
	{ "a:\n- b\nc\n", "f:3:1: after this key a ': ' is missing" },
};

static void test_mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < TEST_COUNT(mistakes); i++) {
		struct pctl_problems *problems = pctl_problems_new();
		struct pctl_yaml yaml;

		assert_int_equal(pctl_yaml_parse(&yaml, "f", mistakes[i].text,
					 strlen(mistakes[i].text), true, problems),
			PCTL_E_CONFIG);
		PCTL_AUTO(free) char *said = test_problems(problems);
		assert_string_equal(said, mistakes[i].said);
		pctl_yaml_done(&yaml);
		pctl_problems_free(problems);
	}
}

static int parse_nested(unsigned depth, char open, char close)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_yaml yaml;
	char text[128] = { 0 };

	memset(text, open, depth);
	memset(text + depth, close, depth);
	int r = pctl_yaml_parse(&yaml, "f", text, strlen(text), false, problems);
	pctl_yaml_done(&yaml);
	pctl_problems_free(problems);
	return r;
}

static void test_depth(void **state)
{
	(void)state;
	assert_int_equal(parse_nested(PCTL_YAML_DEPTH_MAX, '[', ']'), 0);
	assert_int_equal(parse_nested(PCTL_YAML_DEPTH_MAX + 1, '[', ']'), PCTL_E_CONFIG);
}

static void test_duplicates_in_long_maps(void **state)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_yaml yaml;
	struct pctl_buf text;

	(void)state;
	pctl_buf_init(&text, 100000);
	for (int i = 0; i < 1000; i++)
		pctl_buf_addf(&text, "k%d: %d\n", i, i);
	pctl_buf_adds(&text, "k0: x\nk16: x\nk17: x\nk999: x\n");
	assert_int_equal(
		pctl_yaml_parse(&yaml, "f", text.data, text.len, false, problems), PCTL_E_CONFIG);
	PCTL_AUTO(free) char *said = test_problems(problems);
	assert_string_equal(said,
		"f:1001:1: 'k0' stands here twice; the first is on line 1, keep one of them\n"
		"f:1002:1: 'k16' stands here twice; the first is on line 17, keep one of them\n"
		"f:1003:1: 'k17' stands here twice; the first is on line 18, keep one of them\n"
		"f:1004:1: 'k999' stands here twice; the first is on line 1000, keep one of them");
	assert_int_equal(pctl_value_count(yaml.root), 1000);
	pctl_buf_done(&text);
	pctl_yaml_done(&yaml);
	pctl_problems_free(problems);
}

/* --- Spans. ----------------------------------------------------------------------------------- */

static void check_span(
	const char *text, const struct pctl_yaml *yaml, size_t at, const char *wanted, bool flow)
{
	const struct pctl_yaml_span *span = &yaml->spans[at];

	assert_true(at < yaml->span_count);
	assert_int_equal(span->end - span->begin, strlen(wanted));
	assert_memory_equal(text + span->begin, wanted, strlen(wanted));
	assert_int_equal(span->flow, flow);
}

static void test_spans(void **state)
{
	const char *text =
		"\xef\xbb\xbf# \xc3\xa4\n\xc3\xa4: \"\xc3\xb6\" # c\nb:\n  x: 1\n\n  # d\n"
		"c: {y: [1, 2], z: }\nd:\n";
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_yaml yaml;

	(void)state;
	assert_int_equal(pctl_yaml_parse(&yaml, "f", text, strlen(text), true, problems), 0);
	assert_int_equal(yaml.span_count, 17);
	check_span(text, &yaml, 1, "\xc3\xa4", false);
	check_span(text, &yaml, 2, "\"\xc3\xb6\"", false);
	/* A block ends with its last scalar and not where the next key begins. */
	assert_int_equal(pctl_yaml_member(&yaml, yaml.root, 0, 1), 4);
	check_span(text, &yaml, 4, "x: 1", false);
	assert_int_equal(yaml.spans[4].next, 7);
	assert_int_equal(pctl_yaml_member(&yaml, yaml.root, 0, 2), 8);
	check_span(text, &yaml, 8, "{y: [1, 2], z: }", true);
	check_span(text, &yaml, 10, "[1, 2]", true);
	check_span(text, &yaml, 14, "", false);
	assert_int_equal(pctl_yaml_member(&yaml, yaml.root, 0, 3), 16);
	check_span(text, &yaml, 16, "", false);
	pctl_yaml_done(&yaml);
	pctl_problems_free(problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trees),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_duplicates_in_long_maps),
		cmocka_unit_test(test_spans),
	};

	return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
