/* SPDX-License-Identifier: Apache-2.0 */
/* Requests byte for byte, and answers into elements or errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>

#include "wsman/answer.h"

static const struct wsman_class service = WSMAN_CLASS(WSMAN_CIM, "CIM_PowerManagementService");
static const struct wsman_class general = WSMAN_CLASS(WSMAN_AMT, "AMT_GeneralSettings");
static const struct wsman_class host = WSMAN_CLASS(WSMAN_CIM, "CIM_ComputerSystem");
static const struct wsman_class optin = WSMAN_CLASS(WSMAN_IPS, "IPS_OptInService");

#define START(action, class, id)                                                                   \
	"<?xml version=\"1.0\" encoding=\"utf-8\"?><Envelope "                                     \
	"xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "                                 \
	"xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" "                                          \
	"xmlns:a=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\" "                            \
	"xmlns:w=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\" "                              \
	"xmlns=\"http://www.w3.org/2003/05/soap-envelope\"><Header><a:Action>" action              \
	"</a:Action><a:To>/wsman</a:To><w:ResourceURI>" class "</w:ResourceURI><a:MessageID>" id   \
							      "</"                                 \
							      "a:MessageID><a:ReplyTo><a:Address>" \
							      "http://schemas.xmlsoap.org/ws/"     \
							      "2004/08/addressing/"                \
							      "role/anonymous</a:Address></"       \
							      "a:ReplyTo><w:OperationTimeout>"     \
							      "PT60S</w:OperationTimeout>"
#define BODY "</Header><Body>"
#define END  "</Body></Envelope>"

#define SERVICE "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_PowerManagementService"
#define GENERAL "http://intel.com/wbem/wscim/1/amt-schema/1/AMT_GeneralSettings"
#define OPTIN   "http://intel.com/wbem/wscim/1/ips-schema/1/IPS_OptInService"

static void ends_as(struct wsman *w, const char *wanted)
{
	struct pctl_error err = { 0 };

	assert_int_equal(wsman_end(w, &err), 0);
	assert_string_equal(w->out.data, wanted);
	wsman_done(w);
}

static void test_get(void **state)
{
	struct wsman w;

	(void)state;
	wsman_begin(
		&w, &(struct wsman_head){ .verb = WSMAN_GET, .class = &general, .message_id = 7 });
	ends_as(&w,
		START("http://schemas.xmlsoap.org/ws/2004/09/transfer/Get", GENERAL, "7") BODY END);
}

static void test_get_of_one_instance(void **state)
{
	const struct wsman_selector s[] = { { "InstanceID", "a \"b\" & <c>" }, { "B", "2" },
		{ NULL, NULL } };
	struct wsman w;

	(void)state;
	wsman_begin(&w, &(struct wsman_head){ .verb = WSMAN_GET, .class = &optin, .selectors = s });
	ends_as(&w, START("http://schemas.xmlsoap.org/ws/2004/09/transfer/Get", OPTIN,
			    "0") "<w:SelectorSet><w:Selector Name=\"InstanceID\">a &quot;b&quot; "
				 "&amp; &lt;c&gt;"
				 "</w:Selector><w:Selector "
				 "Name=\"B\">2</w:Selector></w:SelectorSet>" BODY END);
}

static void test_put(void **state)
{
	struct wsman w;

	(void)state;
	wsman_begin(&w, &(struct wsman_head){
				.verb = WSMAN_PUT, .class = &general, .message_id = UINT32_MAX });
	wsman_text(&w, "HostName", "<&>");
	wsman_uint(&w, "IdleWakeTimeout", 18446744073709551615ull);
	ends_as(&w,
		START("http://schemas.xmlsoap.org/ws/2004/09/transfer/Put", GENERAL, "4294967295")
			BODY "<h:AMT_GeneralSettings xmlns:h=\"" GENERAL
			     "\"><h:HostName>&lt;&amp;&gt;</h:HostName>"
			     "<h:IdleWakeTimeout>18446744073709551615</h:IdleWakeTimeout>"
			     "</h:AMT_GeneralSettings>" END);
}

static void test_enumerate_and_pull(void **state)
{
	struct wsman w;

	(void)state;
	wsman_begin(&w, &(struct wsman_head){ .verb = WSMAN_ENUMERATE, .class = &general });
	ends_as(&w, START("http://schemas.xmlsoap.org/ws/2004/09/enumeration/Enumerate", GENERAL,
			    "0") BODY
		"<Enumerate xmlns=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\""
		" />" END);
	wsman_begin(&w,
		&(struct wsman_head){ .verb = WSMAN_PULL, .class = &general, .context = "5E1A<" });
	ends_as(&w,
		START("http://schemas.xmlsoap.org/ws/2004/09/enumeration/Pull", GENERAL, "0") BODY
		"<Pull xmlns=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\">"
		"<EnumerationContext>5E1A&lt;</EnumerationContext><MaxElements>999</MaxElements>"
		"<MaxCharacters>99999</MaxCharacters></Pull>" END);
}

static void test_invoke(void **state)
{
	static const struct wsman_selector machine[] = {
		{ "CreationClassName", "CIM_ComputerSystem" },
		{ "Name", "ManagedSystem" },
		{ NULL, NULL },
	};
	struct wsman w;

	(void)state;
	wsman_begin(&w, &(struct wsman_head){ .verb = WSMAN_INVOKE,
				.class = &service,
				.method = "RequestPowerStateChange",
				.message_id = 3 });
	wsman_uint(&w, "PowerState", 8);
	wsman_reference(&w, "ManagedElement", &host, machine);
	ends_as(&w, START(SERVICE "/RequestPowerStateChange", SERVICE, "3") BODY
		"<h:RequestPowerStateChange_INPUT xmlns:h=\"" SERVICE
		"\"><h:PowerState>8</h:PowerState><h:ManagedElement>"
		"<Address xmlns=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\">"
		"http://schemas.xmlsoap.org/ws/2004/08/addressing</Address><ReferenceParameters "
		"xmlns=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\"><ResourceURI "
		"xmlns=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\">"
		"http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ComputerSystem"
		"</ResourceURI><SelectorSet "
		"xmlns=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\"><Selector "
		"Name=\"CreationClassName\">CIM_ComputerSystem</Selector><Selector "
		"Name=\"Name\">ManagedSystem</Selector></SelectorSet></ReferenceParameters>"
		"</h:ManagedElement></h:RequestPowerStateChange_INPUT>" END);
}

static void test_escaping(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "<>&\"'", "&lt;&gt;&amp;&quot;'" },
		{ "a\tb\nc\rd", "a&#9;b&#10;c&#13;d" },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x92\xa9", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x92\xa9" },
		{ "]]>", "]]&gt;" },
	};
	static const char *const bad[] = { "\x01", "a\x1f", "\x80", "\xc3", "\xc0\xaf",
		"\xe0\x80\xaf", "\xed\xa0\x80", "\xef\xbf\xbe", "\xef\xbf\xbf", "\xf4\x90\x80\x80",
		"\xf8\x88\x80\x80", "\xff", "ok\xc3(" };
	struct pctl_buf b;

	(void)state;
	pctl_buf_init(&b, 1000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pctl_buf_cut(&b, 0);
		assert_true(wsman_escape(&b, rows[i].in));
		assert_string_equal(b.data, rows[i].out);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		pctl_buf_cut(&b, 0);
		assert_false(wsman_escape(&b, bad[i]));
		assert_int_equal(b.len, 0);
	}
	pctl_buf_done(&b);
}

static void test_what_cannot_be_sent(void **state)
{
	struct pctl_error err = { 0 };
	struct wsman w;

	(void)state;
	wsman_begin(&w, &(struct wsman_head){ .verb = WSMAN_PUT, .class = &general });
	wsman_text(&w, "HostName", "bell\a");
	wsman_text(&w, "Other", "fine");
	assert_int_equal(wsman_end(&w, &err), PCTL_E_CONFIG);
	assert_non_null(strstr(err.text, "AMT_GeneralSettings"));
	wsman_done(&w);

	char *s = malloc(WSMAN_MAX_REQUEST + 1);
	assert_non_null(s);
	memset(s, 'x', WSMAN_MAX_REQUEST);
	s[WSMAN_MAX_REQUEST] = '\0';
	wsman_begin(&w, &(struct wsman_head){ .verb = WSMAN_PUT, .class = &general });
	wsman_text(&w, "HostName", s);
	assert_int_equal(wsman_end(&w, &err), PCTL_E_INTERNAL);
	wsman_done(&w);
	free(s);
}

/* --- Answers. --------------------------------------------------------------------------------- */

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

static char *vector(const char *name)
{
	PCTL_AUTO(free)
	char *path = pctl_xasprintf("%s/tests/vectors/amt/%s", TEST_SOURCE_DIR, name);
	FILE *file = fopen(path, "rb");
	char *s = pctl_xcalloc(1, 1 << 16);

	if (!file)
		fail_msg("%s is missing", path);
	assert_true(fread(s, 1, (1 << 16) - 1, file) > 0);
	(void)fclose(file);
	return s;
}

static const struct xml_node *read_as(void **state, int status, const char *type, const char *body,
	const struct answer_want *want, struct pctl_error *err)
{
	const struct pctl_http_answer http = { .status = status,
		.body = body,
		.len = strlen(body),
		.server = "",
		.content_type = type };

	*err = (struct pctl_error){ 0 };
	return answer_read(*state, &http, want, err);
}

/* Files of tests/vectors/amt, each answering a request with MessageID 4. */
static const struct {
	const char *file;
	int status, code;
	const char *method; /* NULL: a Get */
	const char *device_code, *text;
	bool verdict;
} answers[] = {
	{ "fault-destination-unreachable.xml", 400, PCTL_E_UNSUPPORTED, NULL,
		"DestinationUnreachable", "does not have it", true },
	{ "fault-access-denied.xml", 400, PCTL_E_FORBIDDEN, "ChangeBootOrder", "AccessDenied",
		"access denied", true },
	{ "fault-internal-error.xml", 400, PCTL_E_FORBIDDEN, NULL, "AMT-STATUS 1024",
		"disabled by policy", true },
	{ "fault-internal-error-unknown.xml", 400, PCTL_E_REFUSED, NULL, "AMT-STATUS 9999",
		"internal error", true },
	{ "fault-missing-values.xml", 400, PCTL_E_REFUSED, NULL, "InvalidRepresentation",
		"(MissingValues)", true },
	{ "fault-quota-limit.xml", 400, PCTL_E_REFUSED, NULL, "QuotaLimit", "limit", true },
	{ "fault-already-exists.xml", 400, PCTL_E_REFUSED, NULL, "AlreadyExists", "exists already",
		true },
	{ "fault-timed-out.xml", 500, PCTL_E_TIMEOUT, NULL, "TimedOut", "timed out", false },
	{ "fault-unknown-subcode.xml", 400, PCTL_E_REFUSED, NULL, "SolarFlare",
		"the sun is too loud", true },
	{ "fault-without-subcode.xml", 400, PCTL_E_REFUSED, NULL, "Sender", "gave no reason",
		true },
	{ "fault-with-200.xml", 200, PCTL_E_UNSUPPORTED, NULL, "NotSupported", "not supported",
		true },
	{ "power-return-2.xml", 200, PCTL_E_REFUSED, "RequestPowerStateChange", "ReturnValue 2",
		"not ready", true },
	{ "power-return-32770.xml", 200, PCTL_E_REFUSED, "RequestPowerStateChange",
		"ReturnValue 32770", "not ready", true },
	{ "power-return-none.xml", 200, PCTL_E_PROTOCOL, "RequestPowerStateChange", "",
		"without a valid ReturnValue", false },
	{ "other-message.xml", 200, PCTL_E_PROTOCOL, NULL, "message 3, not 4", "another request",
		false },
	{ "not-soap.xml", 200, PCTL_E_PROTOCOL, NULL, "", "not a SOAP envelope", false },
	{ "no-body.xml", 200, PCTL_E_PROTOCOL, NULL, "", "not a SOAP envelope", false },
	{ "soap-with-400.xml", 400, PCTL_E_REFUSED, NULL, "HTTP 400", "without a reason", false },
	{ "billion-laughs.xml", 200, PCTL_E_PROTOCOL, NULL, "", "document type", false },
	{ "external-entity.xml", 400, PCTL_E_PROTOCOL, NULL, "HTTP 400", "document type", false },
	{ "truncated.xml", 200, PCTL_E_PROTOCOL, NULL, "", "not XML", false },
	{ "login-page.html", 200, PCTL_E_PROTOCOL, NULL, "HTTP 200", "web page", false },
	{ "bad-request.html", 400, PCTL_E_REFUSED, NULL, "HTTP 400", "HTTP 400", false },
};
/* A job was started: accepted, whatever the method of a CIM class is. */
static void test_started_jobs(void **state)
{
	struct pctl_error err = { 0 };

	(void)state;
	assert_int_equal(status_return(STATUS_OTHER, 4096, "Any", &err), 0);
	assert_int_equal(status_return(STATUS_STATE, 4096, "RequestStateChange", &err), 0);
	assert_int_equal(status_return(STATUS_OTHER, 4097, "Any", &err), PCTL_E_REFUSED);
	assert_int_equal(status_return(STATUS_OTHER, 32770, "Any", &err), PCTL_E_REFUSED);
	assert_string_equal(err.device_code, "ReturnValue 32770");
}

static void test_hand_written_answers(void **state)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		const struct answer_want want = { .verb = answers[i].method ? WSMAN_INVOKE
									    : WSMAN_GET,
			.method = answers[i].method,
			.message_id = 4 };
		PCTL_AUTO(free) char *body = vector(answers[i].file);
		struct pctl_error err;

		print_message("# %s\n", answers[i].file);
		assert_null(read_as(state, answers[i].status, "", body, &want, &err));
		assert_int_equal(err.code, answers[i].code);
		assert_string_equal(err.device_code, answers[i].device_code);
		assert_non_null(strstr(err.text, answers[i].text));
		assert_int_equal(answer_is_verdict(&err), answers[i].verdict);
	}
}

static void test_good_answers(void **state)
{
	const struct answer_want get = { .verb = WSMAN_GET, .message_id = 4 };
	const struct answer_want other = { .verb = WSMAN_GET, .message_id = 5, .any_id = true };
	const struct answer_want act = {
		.verb = WSMAN_INVOKE, .method = "RequestPowerStateChange", .message_id = 4
	};
	PCTL_AUTO(free) char *state_answer = vector("power-state.xml");
	PCTL_AUTO(free) char *accepted = vector("power-return-0.xml");
	PCTL_AUTO(free) char *empty = vector("empty-body.xml");
	struct pctl_error err;

	const struct xml_node *n = read_as(state, 200, "", state_answer, &get, &err);
	assert_non_null(n);
	assert_string_equal(xml_text(n, "PowerState"), "2");
	assert_non_null(read_as(state, 200, "", state_answer, &other, &err));
	n = read_as(state, 200, "application/soap+xml", accepted, &act, &err);
	assert_non_null(n);
	assert_string_equal(n->name, "RequestPowerStateChange_OUTPUT");
	n = read_as(state, 200, "", empty, &get, &err);
	assert_non_null(n);
	assert_string_equal(n->name, "Body");
}

static void test_http_without_soap(void **state)
{
	static const struct {
		const char *type, *body;
		int status, code;
	} rows[] = {
		{ "text/html", "<x/>", 200, PCTL_E_PROTOCOL },
		{ "TEXT/HTML; charset=x", "", 200, PCTL_E_PROTOCOL },
		{ "", " \n<HTML><body>", 200, PCTL_E_PROTOCOL },
		{ "", "<!doctype HTML><p>", 200, PCTL_E_PROTOCOL },
		{ "", "", 200, PCTL_E_PROTOCOL },
		{ "", "", 403, PCTL_E_FORBIDDEN },
		{ "text/html", "<html>", 404, PCTL_E_UNSUPPORTED },
		{ "", "", 503, PCTL_E_BUSY },
		{ "", "", 302, PCTL_E_PROTOCOL },
		{ "", "oops", 500, PCTL_E_PROTOCOL },
		{ "", "", 0, PCTL_E_PROTOCOL },
	};
	const struct answer_want want = { .verb = WSMAN_GET };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pctl_error err;
		assert_null(
			read_as(state, rows[i].status, rows[i].type, rows[i].body, &want, &err));
		assert_int_equal(err.code, rows[i].code);
		assert_false(answer_is_verdict(&err));
	}
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_get_of_one_instance),
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_enumerate_and_pull),
		cmocka_unit_test(test_invoke),
		cmocka_unit_test(test_escaping),
		cmocka_unit_test(test_what_cannot_be_sent),
		cmocka_unit_test(test_started_jobs),
		TEST(test_hand_written_answers),
		TEST(test_good_answers),
		TEST(test_http_without_soap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
