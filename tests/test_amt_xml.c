/* SPDX-License-Identifier: Apache-2.0 */
/* The XML reader of the Intel AMT driver: what it takes, and what it must refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <powerctl/buf.h>

#include "wsman/xml.h"

static int set_up(void **state)
{
	*state = xml_reader_new();
	return 0;
}

static int tear_down(void **state)
{
	xml_reader_free(*state);
	return 0;
}

static const struct xml_node *read_text(void **state, const char *text)
{
	struct pctl_error err = { 0 };
	const struct xml_node *n = xml_read(*state, text, strlen(text), &err);

	if (!n)
		fail_msg("refused: %s", err.text);
	return n;
}

static void refused_bytes(void **state, const char *data, size_t len, const char *why)
{
	struct pctl_error err = { 0 };

	assert_null(xml_read(*state, data, len, &err));
	assert_int_equal(err.code, PCTL_E_PROTOCOL);
	if (!strstr(err.text, why))
		fail_msg("'%s' is not in '%s'", why, err.text);
}

static void refused(void **state, const char *text, const char *why)
{
	refused_bytes(state, text, strlen(text), why);
}

static void test_tree(void **state)
{
	const struct xml_node *r = read_text(state,
		" \r\n\t<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<a:E xmlns:a=\"x:a\" xmlns=\"x:d\"><a:One> first\n</a:One><!-- c --><Two/>"
		"<b:One xmlns:b=\"x:b\">a&amp;b&lt;&#65;<![CDATA[<c>]]></b:One>"
		"<S Name = \"key &amp; lock \" Other=\"x\">v</S><Deep><Deeper>d</Deeper></Deep>"
		"</a:E>\n\n");

	assert_string_equal(r->name, "E");
	assert_string_equal(r->text, "");
	assert_null(r->parent);
	assert_string_equal(xml_text(r, "One"), "first");
	const struct xml_node *again = xml_again(xml_child(r, "One"));
	assert_non_null(again);
	assert_string_equal(again->text, "a&b<A<c>");
	assert_null(xml_again(again));
	assert_string_equal(xml_text(r, "Two"), "");
	assert_null(xml_text(r, "Three"));
	assert_null(xml_text(r, "Deeper"));
	assert_string_equal(xml_child(r, "S")->key, "key & lock");
	assert_null(xml_child(r, "Two")->key);
	assert_string_equal(xml_find(r, "Deeper")->text, "d");
	assert_null(xml_find(xml_child(r, "S"), "Deeper"));
	assert_null(xml_child(NULL, "x"));
	assert_null(xml_text(NULL, "x"));
	assert_int_equal(xml_uint(r, "One", 7), 7);
	assert_int_equal(xml_uint(NULL, "x", 7), 7);
	assert_false(xml_true(r, "One"));
	assert_false(xml_true(r, "Three"));
	assert_null(xml_find(NULL, "x"));
}

static void test_walk(void **state)
{
	const struct xml_node *r = read_text(state, "<a><b><c/><d/></b><e><f/></e></a>");
	const struct xml_node *b = xml_child(r, "b");
	char names[16] = "";
	size_t n = 0;

	for (const struct xml_node *x = r; x; x = xml_walk(x, r))
		names[n++] = *x->name;
	assert_string_equal(names, "abcdef");
	memset(names, 0, sizeof(names));
	n = 0;
	for (const struct xml_node *x = b; x; x = xml_walk(x, b))
		names[n++] = *x->name;
	assert_string_equal(names, "bcd");
}

static void test_text_beside_elements(void **state)
{
	const struct xml_node *r = read_text(state, "<a> AMT-STATUS 5 <b>c</b> later </a>");

	assert_string_equal(r->text, "AMT-STATUS 5");
	assert_string_equal(xml_text(r, "b"), "c");
}

static void test_broken(void **state)
{
	refused(state, "", "empty");
	refused(state, " \n\t ", "empty");
	refused(state, "nonsense", "not XML");
	refused(state, "<a>", "not XML");
	refused(state, "<a></b>", "not XML");
	refused(state, "<a/><b/>", "not XML");
	refused(state, "<a>&unknown;</a>", "not XML");
	refused(state, "<a x=1/>", "not XML");
	refused(state, "<a x='1' x='2'/>", "not XML");
	refused(state, "<a>\x01</a>", "not XML");
	refused(state, "<a>\xff</a>", "not XML");
	refused(state, "{\"json\": true}", "not XML");
	refused_bytes(state, "<a>\0</a>", 8, "not XML");
	/* And the reader is none the worse for it. */
	assert_string_equal(read_text(state, "<a>b</a>")->text, "b");
}

static void test_every_cut_is_noticed(void **state)
{
	static const char whole[] = "<?xml version=\"1.0\"?><a:E xmlns:a=\"x\"><a:B Name=\"n\">t"
				    "</a:B><a:C><![CDATA[x]]></a:C></a:E>";
	struct pctl_error err;

	for (size_t n = 0; n < sizeof(whole) - 1; n++)
		assert_null(xml_read(*state, whole, n, &err));
	assert_non_null(xml_read(*state, whole, sizeof(whole) - 1, &err));
}

static void test_no_document_types_and_no_entities(void **state)
{
	refused(state, "<!DOCTYPE a><a/>", "document type");
	refused(state, "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", "document type");
	refused(state, "<!DOCTYPE a PUBLIC \"x\" \"http://192.0.2.1/x.dtd\"><a/>", "document type");
	refused(state, "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
		"document type");
	refused(state,
		"<!DOCTYPE l [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">"
		"<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">"
		"<!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\">]><l>&d;</l>",
		"document type");
	assert_string_equal(read_text(state, "<a>&lt;&gt;&amp;&quot;&apos;</a>")->text, "<>&\"'");
}

static char *nested(size_t depth)
{
	struct pctl_buf b;

	pctl_buf_init(&b, 1 << 24);
	for (size_t i = 0; i < depth; i++)
		pctl_buf_adds(&b, "<a>");
	for (size_t i = 0; i < depth; i++)
		pctl_buf_adds(&b, "</a>");
	return pctl_buf_steal(&b);
}

static void test_depth(void **state)
{
	char *s = nested(XML_MAX_DEPTH);
	(void)read_text(state, s);
	free(s);
	s = nested(XML_MAX_DEPTH + 1);
	refused(state, s, "nested too deeply");
	free(s);
	s = nested(100000);
	refused(state, s, "nested too deeply");
	free(s);
}

static void test_number_of_elements(void **state)
{
	struct pctl_buf b;

	pctl_buf_init(&b, XML_MAX_BYTES);
	pctl_buf_adds(&b, "<r>");
	for (unsigned i = 1; i < XML_MAX_NODES; i++)
		pctl_buf_adds(&b, "<a/>");
	size_t end = b.len;
	pctl_buf_adds(&b, "</r>");
	(void)read_text(state, b.data);
	pctl_buf_cut(&b, end);
	pctl_buf_adds(&b, "<a/></r>");
	refused(state, b.data, "too many elements");
	pctl_buf_done(&b);
}

static void write_at(char *s, const char *word)
{
	while (*word)
		*s++ = *word++;
}

static void test_size(void **state)
{
	const size_t huge = (size_t)100 << 20;
	char *s = malloc(huge);

	assert_non_null(s);
	memset(s, 'x', huge);
	write_at(s, "<a>");
	write_at(s + XML_MAX_BYTES - 4, "</a>");
	struct pctl_error err = { 0 };
	const struct xml_node *n = xml_read(*state, s, XML_MAX_BYTES, &err);
	assert_non_null(n);
	assert_int_equal(strlen(n->text), XML_MAX_BYTES - 7);
	s[XML_MAX_BYTES] = ' ';
	refused_bytes(state, s, XML_MAX_BYTES + 1, "too large");
	refused_bytes(state, s, huge, "too large");
	free(s);
}

/* Names are kept in a dictionary by the parser: a device must not be able to fill it. */
static void test_ever_new_names(void **state)
{
	char s[160];

	for (unsigned i = 0; i < 20000; i++) {
		(void)snprintf(s, sizeof(s), "<a><name%u_%0100u/></a>", i, i);
		(void)read_text(state, s);
	}
}

static void test_many_reads_reuse_the_memory(void **state)
{
	static const char text[] = "<a><b>one</b><b>two</b></a>";
	struct pctl_error err;
	const struct xml_node *first = xml_read(*state, text, sizeof(text) - 1, &err);

	for (int i = 0; i < 1000; i++)
		assert_ptr_equal(xml_read(*state, text, sizeof(text) - 1, &err), first);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tree),
		TEST(test_walk),
		TEST(test_text_beside_elements),
		TEST(test_broken),
		TEST(test_every_cut_is_noticed),
		TEST(test_no_document_types_and_no_entities),
		TEST(test_depth),
		TEST(test_number_of_elements),
		TEST(test_size),
		TEST(test_ever_new_names),
		TEST(test_many_reads_reuse_the_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
