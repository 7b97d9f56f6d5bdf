/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classes of Intel AMT as tables: what of an instance is told, and what goes back into a Put. The
 * tables themselves against answers of real firmware, where they are: see test_amt_vectors.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <powerctl/mem.h>

#include "classes/pki.h"
#include "classes/tables.h"
#include "classes/typed.h"

static struct xml_reader *reader;

static int set_up(void **state)
{
	(void)state;
	reader = xml_reader_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	xml_reader_free(reader);
	return 0;
}

static const struct xml_node *parse(const char *text)
{
	struct pctl_error err = { 0 };
	const struct xml_node *n = xml_read(reader, text, strlen(text), &err);

	if (!n)
		fail_msg("%s: %s", text, err.text);
	return n;
}

/* "key=value key=[one two]" of a map, in its order. */
static void add_value(struct pctl_buf *out, const struct pctl_value *v)
{
	switch (pctl_value_kind(v)) {
	case PCTL_VALUE_TEXT:
		pctl_buf_addf(out, "'%s'", pctl_value_text(v));
		break;
	case PCTL_VALUE_INT:
		pctl_buf_addf(out, "%lld", (long long)pctl_value_int(v));
		break;
	case PCTL_VALUE_BOOL:
		pctl_buf_adds(out, pctl_value_bool(v) ? "yes" : "no");
		break;
	default:
		pctl_buf_adds(out, "[");
		for (size_t i = 0; i < pctl_value_count(v); i++) {
			pctl_buf_adds(out, i ? " " : "");
			if (pctl_value_kind(v) == PCTL_VALUE_MAP)
				pctl_buf_addf(out, "%s=", pctl_value_key_at(v, i));
			add_value(out, pctl_value_at(v, i));
		}
		pctl_buf_adds(out, "]");
		break;
	}
}

static void tells(const struct pctl_value *map, const char *wanted)
{
	struct pctl_buf out;

	pctl_buf_init(&out, 65536);
	add_value(&out, map);
	assert_string_equal(out.data, wanted);
	pctl_buf_done(&out);
}

static void reads(const struct class *class, const char *xml, const char *wanted)
{
	struct pctl_value *map = pctl_value_new_map();

	class_read(class, parse(xml), map);
	tells(map, wanted);
	pctl_value_free(map);
}

/* --- Reading. --------------------------------------------------------------------------------- */

static const struct class_word colours[] = { { 1, "red" }, { 2, "green" }, { 0, NULL } };
static const struct class_field every_field[] = {
	{ .name = "Hidden" },
	{ .name = "Text", .key = "text" },
	{ .name = "Bool", .key = "bool", .type = FIELD_BOOL },
	{ .name = "Uint", .key = "uint", .type = FIELD_UINT },
	{ .name = "Word", .key = "word", .type = FIELD_WORD, .words = colours },
	{ .name = "Words",
		.key = "words",
		.type = FIELD_WORD,
		.flags = FIELD_LIST | FIELD_OPTIONAL,
		.words = colours },
	{ .name = "Time", .key = "time", .type = FIELD_TIME },
	{ .name = "Interval", .key = "interval", .type = FIELD_INTERVAL, .flags = FIELD_OPTIONAL },
	{ .name = "Mac", .key = "mac", .type = FIELD_MAC, .flags = FIELD_READ_ONLY },
	{ .name = "Ref", .key = "ref", .type = FIELD_REFERENCE },
	{ .name = "Secret", .key = "secret", .flags = FIELD_WRITE_ONLY },
	{ .name = NULL },
};
static const struct class every = CLASS(WSMAN_AMT, "AMT_Every", every_field);

#define REFERENCE                                                                      \
	"<Ref><b:Address xmlns:b='b'>x</b:Address><b:ReferenceParameters xmlns:b='b'>" \
	"<ResourceURI>http://x/CIM_A</ResourceURI><SelectorSet>"                       \
	"<Selector Name='One'>1</Selector><Selector Name='Two'>2</Selector>"           \
	"</SelectorSet></b:ReferenceParameters></Ref>"

static void test_all_types(void **state)
{
	(void)state;
	reads(&every,
		"<I><Hidden>h</Hidden><Text>a &amp; b</Text><Bool>true</Bool><Uint>4294967296"
		"</Uint><Word>2</Word><Words>1</Words><Words>2</Words><Time><D:Datetime "
		"xmlns:D='d'>2030-01-01T00:00:00Z</D:Datetime></Time><Interval><D:Interval "
		"xmlns:D='d'>P1DT2H30M</D:Interval></Interval><Mac>A4-AE-11-1e-46-53</"
		"Mac>" REFERENCE "<Secret>s</Secret><Unknown>u</Unknown></I>",
		"[text='a & b' bool=yes uint=4294967296 word='green' words=['red' 'green'] "
		"time='2030-01-01T00:00:00Z' interval='26h30m' mac='a4:ae:11:1e:46:53' ref='2']");
}

/* What is odd is told as it is; what is empty or not there is left out. */
static void test_odd_values(void **state)
{
	(void)state;
	reads(&every,
		"<I><Bool>maybe</Bool><Uint>-1</Uint><Word>7</Word><Words>x</Words><Time>soon</"
		"Time>"
		"<Interval>often</Interval><Mac>none</Mac><Ref>plain</Ref></I>",
		"[bool='maybe' uint='-1' word='7' words=['x'] time='soon' interval='often' "
		"mac='none' ref='plain']");
	reads(&every,
		"<I><Text/><Bool></Bool><Uint/><Word/><Words/><Time/><Interval>0</Interval>"
		"<Mac/><Ref/></I>",
		"[]");
	reads(&every, "<I><Bool>1</Bool><Uint>99999999999999999999</Uint></I>",
		"[bool=yes uint='99999999999999999999']");
}

static void test_intervals(void **state)
{
	static const struct {
		const char *iso, *words;
	} rows[] = { { "P1DT0H0M", "24h" }, { "P0DT0H45M", "45m" }, { "PT90S", "90s" },
		{ "P0DT0H0M", "" }, { "", "" }, { "P", "" }, { "PT1X", "" }, { "1D", "" },
		{ "P99999999999D", "" }, { "P1DT1H1M1S", "25h1m1s" }, { "PT1H junk", "" } };
	char out[CLASS_INTERVAL_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		class_interval(rows[i].iso, out);
		assert_string_equal(out, rows[i].words);
	}
}

static void test_trees_of_unknown_classes(void **state)
{
	struct pctl_value *map = pctl_value_new_map();

	(void)state;
	class_tree(parse("<I><A>1</A><L>x</L><L>y</L><B/><L>z</L><T><Datetime>now</Datetime></T>"
			 "<N><M>deep</M></N>" REFERENCE "</I>"),
		NULL, map);
	tells(map, "[A='1' L=['x' 'y' 'z'] B='' T='now' N=[M='deep'] "
		   "Ref=[class='CIM_A' selectors=[One='1' Two='2']]]");
	pctl_value_free(map);
}

/* --- Writing. --------------------------------------------------------------------------------- */

/* What is between the instance's tags of a Put; or the error. */
static void puts_as(const struct class *class, const char *xml, const struct class_change *changes,
	int code, const char *wanted)
{
	struct pctl_error err = { 0 };
	struct wsman w;

	wsman_begin(&w, &(struct wsman_head){ .verb = WSMAN_PUT, .class = &class->class });
	size_t head = w.out.len;
	int r = class_put(&w, class, parse(xml), changes, &err);
	assert_int_equal(r, code);
	assert_string_equal(r < 0 ? err.text : w.out.data + head, wanted);
	if (r == 0)
		assert_int_equal(wsman_end(&w, &err), 0);
	wsman_done(&w);
}
#define CHANGES(...) ((const struct class_change[]){ __VA_ARGS__, { NULL, NULL } })
#define NONE         ((const struct class_change[]){ { NULL, NULL } })

/* In the order in which it came, without what is only read or only written, unknown fields too. */
static void test_put_is_what_came(void **state)
{
	(void)state;
	puts_as(&every,
		"<I><Word>2</Word><New>n</New><Text>t &lt;</Text><Mac>m</Mac><Secret></Secret>"
		"<Words>1</Words><Words>2</Words><Hidden/></I>",
		NONE, 0,
		"<h:Word>2</h:Word><h:New>n</h:New><h:Text>t &lt;</h:Text><h:Words>1</h:Words>"
		"<h:Words>2</h:Words><h:Hidden></h:Hidden>");
	/* An empty list is one empty element; that is not taken back. */
	puts_as(&every, "<I><Text>t</Text><Words></Words></I>", NONE, 0, "<h:Text>t</h:Text>");
}

static void test_put_keeps_shapes(void **state)
{
	(void)state;
	puts_as(&every,
		"<I><Time><Datetime>now</Datetime></Time><Ref><Address>a</Address>"
		"<ReferenceParameters><ResourceURI>u</ResourceURI><SelectorSet><Selector Name='k'>v"
		"</Selector></SelectorSet></ReferenceParameters></Ref></I>",
		NONE, 0,
		"<h:Time><p:Datetime xmlns:p=\"http://schemas.dmtf.org/wbem/wscim/1/common\">now"
		"</p:Datetime></h:Time><h:Ref><Address "
		"xmlns=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\">"
		"http://schemas.xmlsoap.org/ws/2004/08/addressing</Address><ReferenceParameters "
		"xmlns=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\"><ResourceURI "
		"xmlns=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\">u</ResourceURI>"
		"<SelectorSet xmlns=\"http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd\"><Selector "
		"Name=\"k\">v</Selector></SelectorSet></ReferenceParameters></h:Ref>");
	puts_as(&every, "<I><Odd><X>1</X><Y>2</Y></Odd></I>", NONE, PCTL_E_UNSUPPORTED,
		"Odd is of a shape that cannot be sent back");
}

static void test_put_changes(void **state)
{
	static const char came[] = "<I><Text>t</Text><Bool>true</Bool><Uint>1</Uint>"
				   "<Time><Datetime>now</Datetime></Time><Secret></Secret></I>";

	(void)state;
	puts_as(&every, came,
		CHANGES({ "Uint", "2" }, { "Words", "1" }, { "Words", "2" }, { "Text", NULL }), 0,
		"<h:Bool>true</h:Bool><h:Uint>2</h:Uint><h:Words>1</h:Words><h:Words>2</h:Words>"
		"<h:Time><p:Datetime xmlns:p=\"http://schemas.dmtf.org/wbem/wscim/1/common\">now"
		"</p:Datetime></h:Time>");
	puts_as(&every, came, CHANGES({ "Interval", "PT1H" }, { "Secret", "<s>" }), 0,
		"<h:Text>t</h:Text><h:Bool>true</h:Bool><h:Uint>1</h:Uint>"
		"<h:Time><p:Datetime xmlns:p=\"http://schemas.dmtf.org/wbem/wscim/1/common\">now"
		"</p:Datetime></h:Time><h:Interval><p:Interval "
		"xmlns:p=\"http://schemas.dmtf.org/wbem/wscim/1/common\">PT1H</p:Interval>"
		"</h:Interval><h:Secret>&lt;s&gt;</h:Secret>");
	puts_as(&every, came, CHANGES({ "Mac", "x" }), PCTL_E_CONFIG, "Mac can only be read");
	puts_as(&every, came, CHANGES({ "Word", "1" }), PCTL_E_UNSUPPORTED,
		"this firmware has no AMT_Every.Word");
}

static void test_put_without_a_table(void **state)
{
	static const struct class unknown = { .class = WSMAN_CLASS(WSMAN_IPS, "IPS_X") };

	(void)state;
	puts_as(&unknown, "<I><A>1</A><B>2</B></I>", CHANGES({ "B", "3" }, { "C", "4" }), 0,
		"<h:A>1</h:A><h:B>3</h:B><h:C>4</h:C>");
}

static void test_inputs_in_order(void **state)
{
	static const struct class_method method = {
		.class = &every.class, .name = "Do", .inputs = { "First", "Second", "List", "Ref" }
	};
	static const struct wsman_selector s[] = { { "K", "v" }, { NULL, NULL } };
	struct pctl_error err = { 0 };
	struct wsman w;

	(void)state;
	wsman_begin(
		&w, &(struct wsman_head){
			    .verb = WSMAN_INVOKE, .class = method.class, .method = method.name });
	class_call(&w, &method,
		(const struct class_input[]){
			{ .name = "Ref", .class = &every.class, .selectors = s },
			{ .name = "List", .text = "a" }, { .name = "Second", .text = "2" },
			{ .name = "First" }, { .name = "List", .text = "b" },
			{ .name = "Other", .text = "x" }, { .name = NULL } });
	assert_int_equal(wsman_end(&w, &err), 0);
	assert_non_null(strstr(w.out.data, "\"><h:Second>2</h:Second><h:List>a</h:List><h:List>b"
					   "</h:List><h:Ref><Address"));
	assert_null(strstr(w.out.data, "First"));
	assert_null(strstr(w.out.data, "Other"));
	wsman_done(&w);
}

/* A name that somebody typed never gets out of its tag. */
static void test_names_are_names(void **state)
{
	static const char *const bad[] = { "", "A B", "A>", "A/", "1A", "A:B", "\xc3\xa4" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pctl_error err = { 0 };
		struct wsman w;

		wsman_begin(&w, &(struct wsman_head){ .verb = WSMAN_PUT, .class = &every.class });
		wsman_text(&w, bad[i], "x");
		assert_int_equal(wsman_end(&w, &err), PCTL_E_CONFIG);
		wsman_done(&w);
	}
}

/* --- Verbs that only classes need. ------------------------------------------------------------ */

static void test_create_and_delete(void **state)
{
	static const struct wsman_selector s[] = { { "InstanceID", "a<b" }, { NULL, NULL } };
	static const struct wsman_link links[] = { { "Ref", &every.class, s }, { .name = NULL } };
	struct pctl_error err = { 0 };
	struct wsman w;

	(void)state;
	wsman_begin(&w, &(struct wsman_head){
				.verb = WSMAN_DELETE, .class = &every.class, .links = links });
	assert_int_equal(wsman_end(&w, &err), 0);
	assert_non_null(strstr(w.out.data, "2004/09/transfer/Delete</a:Action>"));
	assert_non_null(strstr(w.out.data,
		"<w:SelectorSet><w:Selector Name=\"Ref\"><a:EndpointReference><Address"));
	assert_non_null(strstr(w.out.data,
		"<Selector Name=\"InstanceID\">a&lt;b</Selector></SelectorSet>"
		"</ReferenceParameters></a:EndpointReference></w:Selector></w:SelectorSet>"));
	assert_non_null(strstr(w.out.data, "<Body></Body>"));
	(void)parse(w.out.data);
	wsman_done(&w);
	wsman_begin(&w, &(struct wsman_head){ .verb = WSMAN_CREATE, .class = &every.class });
	wsman_open(&w, "Inner", &class_alarm.class);
	wsman_text(&w, "A", "1");
	wsman_common(&w, "T", "Datetime", "now");
	wsman_close(&w, "Inner");
	wsman_text(&w, "B", "2");
	assert_int_equal(wsman_end(&w, &err), 0);
	assert_non_null(strstr(w.out.data, "2004/09/transfer/Create</a:Action>"));
	assert_non_null(strstr(w.out.data,
		"<h:Inner xmlns:s=\"http://intel.com/wbem/wscim/1/ips-schema/1/"
		"IPS_AlarmClockOccurrence\"><s:A>1</s:A><s:T><p:Datetime "
		"xmlns:p=\"http://schemas.dmtf.org/wbem/wscim/1/common\">now</p:Datetime></s:T>"
		"</h:Inner><h:B>2</h:B></h:AMT_Every>"));
	(void)parse(w.out.data);
	wsman_done(&w);
}

/* --- Certificates and passwords. -------------------------------------------------------------- */

static void test_digest_password(void **state)
{
	struct pctl_buf out;

	(void)state;
	pctl_buf_init(&out, 64);
	/* MD5("user:realm:pass") is 8493fbc53ba582fb4c044c456bdc40eb. */
	assert_true(pki_digest_password("user", "realm", "pass", &out));
	assert_string_equal(out.data, "hJP7xTulgvtMBExFa9xA6w==");
	pctl_buf_done(&out);
}

static void test_what_is_no_certificate(void **state)
{
	static const char *const texts[] = { "", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n",
		"AAAA" };
	struct pctl_error err = { 0 };
	struct pctl_buf out, public;
	bool root;

	(void)state;
	pctl_buf_init(&public, 1024);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct pctl_value *map = pctl_value_new_map();

		pctl_buf_init(&out, 1024);
		assert_int_equal(pki_certificate(texts[i], strlen(texts[i]), &out, &root, &err),
			PCTL_E_CONFIG);
		assert_int_equal(pki_private_key(texts[i], strlen(texts[i]), &out, &public, &err),
			PCTL_E_CONFIG);
		assert_false(pki_public_key(texts[i], &public));
		assert_int_equal(out.len + public.len, 0);
		pki_describe(texts[i], map);
		assert_int_equal(pctl_value_count(map), 0);
		pctl_value_free(map);
		pctl_buf_done(&out);
	}
	pctl_buf_done(&public);
	assert_string_equal(pki_handle("Intel(r) AMT Certificate: Handle: 12"), "12");
	assert_string_equal(pki_handle("odd"), "odd");
}

/* --- The tables on answers of real firmware. -------------------------------------------------- */

static char *folder;

static const struct {
	const char *file;
	const struct class *class;
	const char *wanted;
} recorded[] = {
	{ "amt/ethernetport/put.xml", &class_ethernet,
		"[dhcp=yes gateway='192.168.0.1' address='192.168.0.24' follows_host=yes link=yes "
		"mac='a4:ae:11:1e:46:53' dns='68.105.28.11' dns2='68.105.29.11' "
		"mask='255.255.255.0']" },
	{ "amt/environmentdetection/get.xml", &class_environment,
		"[detection=['b332bb28-ef3a-43b0-b998-342285ac1e26.com' 'test.com']]" },
	{ "amt/managementpresence/get.xml", &class_cira_server,
		"[address='192.168.0.208' certificate_name='192.168.0.208' name='Intel(r) "
		"AMT:Management Presence Server 0' port=4433]" },
	{ "amt/remoteaccess/policyrule/get.xml", &class_cira_policy,
		"[name='Periodic' trigger='periodic' lifetime=0]" },
	{ "amt/remoteaccess/service/get.xml", &class_cira, "[connected=no]" },
	{ "amt/userinitiatedconnection/get.xml", &class_cira_by_user, "[by_user='both']" },
	{ "amt/timesynchronization/get.xml", &class_clock,
		"[set_by_host='yes' time_source='bios']" },
	{ "amt/tls/settingdata/get.xml", &class_tls, "[plain=no enabled=no mutual=no]" },
	{ "amt/tls/credentialcontext/pull.xml", &class_tls_credential,
		"[certificate='Intel(r) AMT Certificate: Handle: 3']" },
	{ "cim/wifi/port/get.xml", &class_wifi_port, "[state='off']" },
	{ "cim/wifi/endpointsettings/pull.xml", &class_wifi_profile,
		"[name='Test' authentication='2' encryption='wep' ssid='testSSID' priority=1]" },
	{ "amt/wifiportconfiguration/get.xml", &class_wifi_service,
		"[profile_sync='off' uefi_sharing=no]" },
	{ "cim/ieee8021x/settings/pull.xml", &class_8021x_wifi,
		"[name='Wifi8021xTLS' id='Intel(r) AMT:IEEE 802.1x Settings Wifi8021xTLS' "
		"eap='eap-tls' identity='iME$amt16$']" },
	{ "ips/ieee8021x/settings/get.xml", &class_8021x_wired,
		"[element='Intel(r) AMT: 8021X Settings' id='Intel(r) AMT: 8021X Settings' "
		"enabled='off' pxe_timeout=120 in_s0='false']" },
	{ "amt/ieee8021x/profile/get.xml", &class_8021x_old,
		"[element='Intel(r) AMT 802.1x Profile' id='Intel(r) AMT 802.1x Profile 0' "
		"enabled='false' in_s0='true' pxe_timeout=0]" },
	{ "amt/remoteaccess/policyappliestomps/pull.xml", &class_cira_applies,
		"[networks='outside' order=0]" },
	{ "ips/optin/get.xml", &class_consent, "[consent_changeable=yes consent='none']" },
	{ "ips/alarmclock/pull.xml", &class_alarm,
		"[name='testalarm' at='testdatetime' once=yes]" },
	{ "amt/systempowerscheme/pull.xml", &class_power_scheme,
		"[id='SCHEME 0' description='Mobile: ON in S0']" },
	{ "amt/setupandconfiguration/get.xml", &class_setup, "[control_mode='acm']" },
};

static const struct xml_node *read_recorded(const char *file, const char *class)
{
	PCTL_AUTO(free) char *path = pctl_xasprintf("%s/%s", folder, file);
	PCTL_AUTO(free) char *text = pctl_xcalloc(1, 1 << 18);
	FILE *f = fopen(path, "rb");

	if (!f)
		fail_msg("%s is missing", path);
	size_t n = fread(text, 1, (1 << 18) - 1, f);
	(void)fclose(f);
	text[n] = '\0';
	const struct xml_node *found = xml_find(parse(text), class);
	if (!found)
		fail_msg("%s has no %s", file, class);
	return found;
}

static bool have_recorded(void)
{
	if (access(folder, R_OK | X_OK) == 0)
		return true;
	print_message("# SKIP recorded AMT answers: no folder %s\n", folder);
	return false;
}

static void test_recorded(void **state)
{
	(void)state;
	if (!have_recorded())
		skip();
	for (size_t i = 0; i < sizeof(recorded) / sizeof(recorded[0]); i++) {
		struct pctl_value *map = pctl_value_new_map();

		class_read(recorded[i].class,
			read_recorded(recorded[i].file, recorded[i].class->class.name), map);
		tells(map, recorded[i].wanted);
		pctl_value_free(map);
	}
}

static void test_recorded_certificate(void **state)
{
	struct pctl_value *map = pctl_value_new_map();
	const struct xml_node *n;

	(void)state;
	if (!have_recorded()) {
		pctl_value_free(map);
		skip();
	}
	n = read_recorded("amt/publickey/certificate/pull.xml", class_certificate.class.name);
	class_read(&class_certificate, n, map);
	pki_describe(xml_text(n, "X509Certificate"), map);
	assert_non_null(pctl_value_get(map, "trusted_root")); /* in the firmware's own spelling */
	assert_int_equal(strlen(pctl_value_text(pctl_value_get(map, "fingerprint"))), 64);
	assert_int_equal(strlen(pctl_value_text(pctl_value_get(map, "expires"))),
		strlen("2030-01-01T00:00:00Z"));
	pctl_value_free(map);
}

/* What a Put was recorded to look like is what we would send without a change. */
static void test_recorded_put(void **state)
{
	(void)state;
	if (!have_recorded())
		skip();
	struct pctl_error err = { 0 };
	struct wsman w;

	wsman_begin(
		&w, &(struct wsman_head){ .verb = WSMAN_PUT, .class = &class_redirection.class });
	size_t head = w.out.len;
	assert_int_equal(class_put(&w, &class_redirection,
				 read_recorded("amt/redirectionservice/get.xml",
					 class_redirection.class.name),
				 CHANGES({ "ListenerEnabled", "false" }), &err),
		0);
	assert_string_equal(w.out.data + head,
		"<h:CreationClassName>AMT_RedirectionService</h:CreationClassName>"
		"<h:ElementName>Intel(r) AMT Redirection Service</h:ElementName>"
		"<h:EnabledState>32771</h:EnabledState><h:ListenerEnabled>false"
		"</h:ListenerEnabled><h:Name>Intel(r) AMT Redirection Service</h:Name>"
		"<h:SystemCreationClassName>CIM_ComputerSystem</h:SystemCreationClassName>"
		"<h:SystemName>Intel(r) AMT</h:SystemName>");
	wsman_done(&w);
}

/* --- Values as they are typed. ---------------------------------------------------------------- */

/* What one field becomes in a request; or the error, of which wanted is a part. */
static void typed_as(const char *text, int code, const char *wanted)
{
	static const struct wsman_class class = WSMAN_CLASS(WSMAN_AMT, "AMT_X");
	struct typed_fields fields = { .n = 0 };
	struct pctl_error err = { 0 };
	struct wsman w;

	wsman_begin(
		&w, &(struct wsman_head){ .verb = WSMAN_INVOKE, .class = &class, .method = "M" });
	size_t head = w.out.len;
	assert_int_equal(typed_add(&fields, "set", text, &err), code);
	for (size_t i = 0; i < fields.n; i++)
		typed_write(&w, fields.v[i].name, fields.v[i].value);
	if (!strstr(code ? err.text : w.out.data + head, wanted))
		fail_msg("no '%s' in '%s'", wanted, code ? err.text : w.out.data + head);
	wsman_done(&w);
	typed_done(&fields);
}

static void test_typed_values(void **state)
{
	(void)state;
	typed_as("A=b c, d(e", 0, "<h:A>b c, d(e</h:A>");
	typed_as("A=", 0, "<h:A></h:A>");
	typed_as("A=\"CIM_X(K=\\\"v\\\")\"", 0, "<h:A>CIM_X(K=&quot;v&quot;)</h:A>");
	typed_as("A=CIM_X(K=v)", 0, "<Selector Name=\"K\">v</Selector></SelectorSet>");
	typed_as("A=CIM_X(K=Intel(r) AMT: x,L=\"a, b)\")", 0,
		"<Selector Name=\"K\">Intel(r) AMT: x</Selector>"
		"<Selector Name=\"L\">a, b)</Selector></SelectorSet>");
	typed_as("A=Datetime(2037-01-01T07:00:00Z)", 0,
		"common\">2037-01-01T07:00:00Z</p:Datetime></h:A>");
	typed_as("A=IPS_Y{N=1,T=Interval(P1D),R=CIM_X(K=v)}", 0,
		"<h:A xmlns:s=\"" WSMAN_IPS "/IPS_Y\"><s:N>1</s:N><s:T><p:Interval ");
	typed_as("A=IPS_Y{N=1,T=Interval(P1D),R=CIM_X(K=v)}", 0,
		"<Selector "
		"Name=\"K\">v</Selector></SelectorSet></ReferenceParameters></s:R></h:A>");
}

static void test_typed_mistakes(void **state)
{
	static const char *const unfinished[] = { "A=CIM_X(K=v", "A=CIM_X(K=v)x", "A=CIM_X()",
		"A=CIM_X(v)", "A=CIM_X(K=v,)", "A=CIM_X(K=\"v)", "A=\"x", "A=\"x\"y",
		"A=CIM_X(K=CIM_Y(L=v))", "A=IPS_Y{N=IPS_Z{M=1}}", "A=Datetime(x", "A=IPS_Y{N=1)",
		"A=IPS_Y{R=CIM_X(K)}" };

	(void)state;
	typed_as("foo", PCTL_E_CONFIG, "set: 'foo' is not NAME=VALUE");
	typed_as("=x", PCTL_E_CONFIG, "is not NAME=VALUE");
	for (size_t i = 0; i < sizeof(unfinished) / sizeof(unfinished[0]); i++)
		typed_as(unfinished[i], PCTL_E_CONFIG, "does not go on like that");
}

static void test_typed_lines(void **state)
{
	static const char text[] = "# remark\n\n  A=1\r\nB=2 \n";
	struct typed_fields fields = { .n = 0 };
	struct pctl_error err = { 0 };

	(void)state;
	assert_int_equal(typed_add_lines(&fields, "file", text, sizeof(text) - 1, &err), 0);
	assert_int_equal(fields.n, 2);
	assert_string_equal(fields.v[1].value, "2");
	for (unsigned i = 2; i < TYPED_FIELDS_MAX; i++)
		assert_int_equal(typed_add(&fields, "set", "C=3", &err), 0);
	assert_int_equal(typed_add(&fields, "set", "C=3", &err), PCTL_E_CONFIG);
	assert_string_equal(err.text, "set: more than 64 fields");
	typed_done(&fields);
	assert_int_equal(
		typed_add_lines(&fields, "file", "A=1\nP s3cret\n", 13, &err), PCTL_E_CONFIG);
	assert_string_equal(err.text, "file: line 2 is not NAME=VALUE");
	typed_done(&fields);
}

static void test_trees_have_types(void **state)
{
	static const struct class_field fields[] = { { .name = "N", .type = FIELD_UINT },
		{ .name = "L", .flags = FIELD_LIST }, { .name = "E", .flags = FIELD_LIST },
		{ .name = "B", .type = FIELD_BOOL }, { .name = NULL } };
	struct pctl_value *map = pctl_value_new_map();

	(void)state;
	class_tree(parse("<I><N>7</N><L>x</L><E/><B>1</B><U>true</U><V>007</V>"
			 "<OperationalStatus>2</OperationalStatus></I>"),
		fields, map);
	assert_int_equal(pctl_value_int(pctl_value_get(map, "N")), 7);
	assert_int_equal(pctl_value_kind(pctl_value_get(map, "L")), PCTL_VALUE_LIST);
	assert_int_equal(pctl_value_count(pctl_value_get(map, "L")), 1);
	assert_int_equal(pctl_value_kind(pctl_value_get(map, "E")), PCTL_VALUE_LIST);
	assert_int_equal(pctl_value_count(pctl_value_get(map, "E")), 0);
	assert_true(pctl_value_bool(pctl_value_get(map, "B")));
	assert_int_equal(pctl_value_kind(pctl_value_get(map, "U")), PCTL_VALUE_BOOL);
	assert_string_equal(pctl_value_text(pctl_value_get(map, "V")), "007");
	assert_int_equal(
		pctl_value_int(pctl_value_at(pctl_value_get(map, "OperationalStatus"), 0)), 2);
	pctl_value_free(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_types),
		cmocka_unit_test(test_odd_values),
		cmocka_unit_test(test_intervals),
		cmocka_unit_test(test_trees_of_unknown_classes),
		cmocka_unit_test(test_trees_have_types),
		cmocka_unit_test(test_typed_values),
		cmocka_unit_test(test_typed_mistakes),
		cmocka_unit_test(test_typed_lines),
		cmocka_unit_test(test_put_is_what_came),
		cmocka_unit_test(test_put_keeps_shapes),
		cmocka_unit_test(test_put_changes),
		cmocka_unit_test(test_put_without_a_table),
		cmocka_unit_test(test_inputs_in_order),
		cmocka_unit_test(test_names_are_names),
		cmocka_unit_test(test_create_and_delete),
		cmocka_unit_test(test_digest_password),
		cmocka_unit_test(test_what_is_no_certificate),
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_recorded_certificate),
		cmocka_unit_test(test_recorded_put),
	};

	const char *vectors = getenv("POWERCTL_VECTORS");
	folder = vectors ? pctl_xasprintf("%s/amt", vectors)
			 : pctl_xasprintf("%s/../shared/vectors/amt", TEST_SOURCE_DIR);
	int r = cmocka_run_group_tests(tests, set_up, tear_down);
	free(folder);
	return r;
}
