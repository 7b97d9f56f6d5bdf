/* SPDX-License-Identifier: Apache-2.0 */
/* Fence agents: what they say of themselves, and what they are told. */
#include "world.h"

#include <powerctl/buf.h>

#include "agent.h"
#include "inventory/inventory.h"
#include "words.h"

#define HEAD "<?xml version=\"1.0\" ?>\n<resource-agent name=\"fence_x\" shortdesc=\"An  x\n\" >\n"
#define TAIL                                                                           \
	"<actions><action name=\"on\" automatic=\"0\"/><action name=\"off\" />"        \
	"<action name=\"reboot\" /><action name=\"status\" /><action name=\"list\" />" \
	"</actions></resource-agent>"
#define PARAMETERS(x) HEAD "<parameters>" x "</parameters>" TAIL
#define PARAMETER(attributes, content)                                            \
	"<parameter " attributes "><getopt mixed=\"-x\" />" content "<shortdesc " \
	"lang=\"en\">Helps</shortdesc></parameter>\n"

static const char sample[] = PARAMETERS(PARAMETER("name=\"action\" required=\"1\"",
	"<content type=\"string\" default=\"reboot\"/>") PARAMETER("name=\"ip\" required=\"1\" "
								   "obsoletes=\"ipaddr\"",
	"<content type=\"string\" />") PARAMETER("name=\"ipaddr\" required=\"1\" deprecated=\"1\"",
	"<content type=\"string\" />") PARAMETER("name=\"username\" required=\"1\"",
	"<content type=\"string\" />") PARAMETER("name=\"password\" obsoletes=\"passwd\"",
	"<content type=\"string\" />") PARAMETER("name=\"password_script\"",
	"<content type=\"string\" />") PARAMETER("name=\"snmp_priv_passwd\"",
	"<content type=\"string\" />") PARAMETER("name=\"plug\" required=\"1\" obsoletes=\"port\"",
	"<content type=\"string\" />") PARAMETER("name=\"port\" required=\"1\" deprecated=\"1\"",
	"<content type=\"string\" />") PARAMETER("name=\"ipport\"",
	"<content type=\"integer\" default=\"23\" />") PARAMETER("name=\"odd_number\"",
	"<content type=\"integer\" default=\"-1\" />") PARAMETER("name=\"ssh\"",
	"<content type=\"boolean\" />") PARAMETER("name=\"lanplus\"",
	"<content type=\"boolean\" default=\"1\" />") PARAMETER("name=\"power_timeout\"",
	"<content type=\"second\" default=\"20\" />") PARAMETER("name=\"shell_timeout\"",
	"<content type=\"second\" default=\"3\" />") PARAMETER("name=\"auth\"",
	"<content type=\"select\" default=\"md5\"><option value=\"md5\"/>"
	"<option value=\"none\"/></content>") PARAMETER("name=\"bad-choice\"",
	"<content type=\"select\" default=\"other\">"
	"<option value=\"md5\"/></content>") PARAMETER("name=\"command_prompt\"",
	"<content type=\"string\" default=\"&#10;&gt;\" />") PARAMETER("name=\"identity_file\"",
	"<content type=\"string\" />") PARAMETER("name=\"tls1.0\"",
	"<content type=\"boolean\" />") PARAMETER("name=\"resourceGroup\"",
	"<content type=\"string\" />") PARAMETER("name=\"token\"",
	"<content type=\"string\" />") PARAMETER("name=\"token_file\"",
	"<content type=\"string\" />") PARAMETER("name=\"console\"", "<content type=\"string\" />")
		PARAMETER("name=\"missing_as_off\"", "<content type=\"boolean\" />")
			PARAMETER("name=\"verbose\"", "<content type=\"boolean\" />")
				PARAMETER("name=\"debug_file\"", "<content type=\"string\" />"));

static struct fence_metadata *parse(const char *text)
{
	struct fence_metadata *m = NULL;
	struct pctl_error err = { 0 };

	if (fence_metadata_parse(text, strlen(text), &m, &err) < 0)
		fail_msg("%s", err.text);
	return m;
}

static void refused(const char *text, const char *why)
{
	struct fence_metadata *m = NULL;
	struct pctl_error err = { 0 };

	assert_int_equal(fence_metadata_parse(text, strlen(text), &m, &err), PCTL_E_PROTOCOL);
	assert_null(m);
	if (!strstr(err.text, why))
		fail_msg("'%s' does not say '%s'", err.text, why);
}

/* --- Metadata. -------------------------------------------------------------------------------- */

static void test_metadata(void **state)
{
	struct fence_metadata *m = parse(sample);

	(void)state;
	assert_string_equal(m->name, "fence_x");
	assert_string_equal(m->summary, "An x");
	assert_int_equal(m->n, 27);
	assert_int_equal(
		m->can, FENCE_CAN_ON | FENCE_CAN_OFF | FENCE_CAN_REBOOT | FENCE_CAN_STATUS);
	assert_false(m->on_target);
	assert_string_equal(m->parameters[1].name, "ip");
	assert_true(m->parameters[1].required);
	assert_true(m->parameters[2].deprecated);
	assert_string_equal(m->parameters[2].help, "Helps");
	assert_int_equal(m->parameters[15].kind, FENCE_SELECT);
	assert_int_equal(m->parameters[15].choices_n, 2);
	assert_string_equal(m->parameters[15].choices[1], "none");
	assert_null(m->parameters[17].fallback); /* a line break: not for our eyes */
	fence_metadata_free(m);
}

static void test_on_the_machine_itself(void **state)
{
	struct fence_metadata *m = parse("<resource-agent name=\"fence_scsi\"><actions>"
					 "<action name=\"on\" on_target=\"1\" automatic=\"1\"/>"
					 "<action name=\"status\"/></actions></resource-agent>");

	(void)state;
	assert_true(m->on_target);
	assert_int_equal(m->can, FENCE_CAN_ON | FENCE_CAN_STATUS);
	fence_metadata_free(m);
}

static void test_what_is_no_metadata(void **state)
{
	struct pctl_buf many;

	(void)state;
	refused("", "metadata:1:1: no element found");
	refused("Usage: fence_x\n", "metadata:1:1: syntax error");
	refused("<html></html>", "does not begin with <resource-agent>");
	refused("<resource-agent/>", "names no action");
	refused(HEAD, "no element found");
	refused("<!DOCTYPE x [<!ENTITY a \"aaa\">]><resource-agent>&a;</resource-agent>",
		"it has a document type");
	refused(PARAMETERS("<parameter><content/></parameter>"), "has no name");
	refused(PARAMETERS("<parameter name=\"a=b\"/>"), "cannot stand before '='");
	refused(PARAMETERS("<parameter name=\"a&#10;action\"/>"), "cannot stand before '='");
	refused(PARAMETERS("<parameter name=\"a\"><parameter name=\"b\"/></parameter>"),
		"stands in another");
	pctl_buf_init(&many, FENCE_METADATA_BYTES * 2);
	pctl_buf_adds(&many, HEAD);
	for (int i = 0; i < 201; i++)
		pctl_buf_addf(&many, "<parameter name=\"p%d\"/>", i);
	pctl_buf_adds(&many, TAIL);
	refused(many.data, "more than 200 parameters");
	pctl_buf_cut(&many, 0);
	pctl_buf_adds(&many, HEAD "<parameter name=\"a\"><content type=\"select\">");
	for (int i = 0; i < 65; i++)
		pctl_buf_adds(&many, "<option value=\"x\"/>");
	pctl_buf_adds(&many, "</content></parameter>" TAIL);
	refused(many.data, "more than 64 options");
	pctl_buf_cut(&many, 0);
	pctl_buf_adds(&many, HEAD);
	for (int i = 0; i < 16; i++)
		pctl_buf_adds(&many, "<a>");
	refused(many.data, "nested too deeply");
	pctl_buf_cut(&many, 0);
	pctl_buf_adds(&many, "<resource-agent name=\"");
	for (unsigned i = 0; i <= FENCE_TEXT_MAX; i++)
		pctl_buf_adds(&many, "x");
	pctl_buf_adds(&many, "\"/>");
	refused(many.data, "a text is too long");
	while (many.len <= FENCE_METADATA_BYTES)
		pctl_buf_adds(&many, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
	refused(many.data, "of more than 524288 bytes");
	pctl_buf_done(&many);
}

/* --- Words. ----------------------------------------------------------------------------------- */

static void test_complaints(void **state)
{
	static const struct {
		const char *said, *complaint;
	} rows[] = {
		{ "", "" },
		{ "\n \n", "" },
		{ "one\ntwo\n\n", "two" },
		{ "2026-11-21 05:00:00,123 ERROR: Failed: You have to enter plug\n\n"
		  "2026-11-21 05:00:00,124 ERROR: Please use '-h' for usage\n\n",
			"Failed: You have to enter plug" },
		{ "Traceback (most recent call last):\n  File \"x\"\nModuleNotFoundError: No "
		  "module named 'boto3'\n",
			"ModuleNotFoundError: No module named 'boto3' (Debian has it in the "
			"package python3-boto3)" },
		{ "ERROR:root:Please use '-h' for usage\n", "" },
		{ "2026-11-21 05:00:00,123 ERROR: one\nERROR:root:Please use '-h' for usage\n",
			"one" },
		{ "my own ERROR: stays", "my own ERROR: stays" },
		{ "bell\x07 and \x1b[31m", "bell  and  [31m" },
	};
	struct fence_verdict v;
	char much[400];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fence_words_judge(rows[i].said, strlen(rows[i].said), &v);
		assert_string_equal(v.text, rows[i].complaint);
	}
	memset(much, 'x', sizeof(much));
	fence_words_judge(much, sizeof(much), &v);
	assert_int_equal(strlen(v.text), FENCE_REASON_SIZE - 1);
}

#define LOGGED "2026-11-21 05:00:00,123 "
#define NO_STATUS \
	LOGGED "ERROR: Failed: Unable to obtain correct plug status or plug is not available\n\n"
#define NO_LOGIN LOGGED "ERROR: Unable to connect/login to fencing device\n"
#define RAN(printed)                                                                            \
	LOGGED "INFO: Executing: /usr/bin/ipmitool -H 10.0.0.1 -U 'RAKP 2' -P [set]\n\n" LOGGED \
	       "DEBUG: 1  Loading IANA PEN Registry...\n" printed "\n\n\n"
#define NO_SESSION "Error: Unable to establish IPMI v2 / RMCP+ session"

/* A vague last line is explained by what stands before it, and only by what is certain. */
static void test_what_stands_before(void **state)
{
	static const struct {
		const char *said, *text;
		int code;
		bool before;
	} rows[] = {
		{ RAN("> RAKP 2 HMAC is invalid\n" NO_SESSION) NO_STATUS,
			"wrong password: > RAKP 2 HMAC is invalid", PCTL_E_AUTH, true },
		{ RAN("RAKP 2 message indicates an error : unauthorized name\n" NO_SESSION)
				NO_STATUS,
			"no such user: RAKP 2 message indicates an error : unauthorized name",
			PCTL_E_AUTH, true },
		{ RAN("Invalid user name\nError: Unable to establish LAN session") NO_STATUS,
			"no such user: Invalid user name", PCTL_E_AUTH, true },
		{ RAN(NO_SESSION) NO_STATUS,
			"Failed: Unable to obtain correct plug status or plug is not available "
			"(" NO_SESSION ")",
			PCTL_E_UNREACHABLE, false },
		{ LOGGED "DEBUG: 255  401 Unauthorized at /usr/bin/amttool line 129.\n\n" NO_STATUS,
			"wrong user or password: 255  401 Unauthorized at /usr/bin/amttool line "
			"129.",
			PCTL_E_AUTH, true },
		{ LOGGED "ERROR: (7, 'Failed to connect to h port 1')\n" LOGGED
			 "ERROR: Connection timed out\n",
			"Connection timed out ((7, 'Failed to connect to h port 1'))",
			PCTL_E_UNREACHABLE, false },
		{ LOGGED "ERROR: Server side certificate verification failed: Server raised fault: "
			 "'Cannot complete login due to an incorrect user name or "
			 "password.'\n" NO_LOGIN,
			"Unable to connect/login to fencing device (Server side certificate "
			"verification failed: Server raised fault: 'Cannot complete login due to "
			"an "
			"incorrect user name or password.')",
			PCTL_E_AUTH, true },
		/* What is not logged as an error may be about anything. */
		{ "InsecureRequestWarning: certificate verification is advised\n" NO_LOGIN,
			"Unable to connect/login to fencing device", PCTL_E_UNREACHABLE, true },
		{ LOGGED "INFO: permission denied is not what it said\n" NO_LOGIN,
			"Unable to connect/login to fencing device", PCTL_E_UNREACHABLE, true },
		/* What is plain needs no help. */
		{ RAN("> RAKP 2 HMAC is invalid") LOGGED "ERROR: the outlet is locked\n",
			"the outlet is locked", PCTL_E_REFUSED, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fence_verdict v;

		fence_words_judge(rows[i].said, strlen(rows[i].said), &v);
		assert_string_equal(v.text, rows[i].text);
		assert_string_equal(pctl_error_name(v.code), pctl_error_name(rows[i].code));
		assert_int_equal(v.before, rows[i].before);
	}
}

static void test_what_is_missing(void **state)
{
	static const struct {
		const char *said, *text;
	} rows[] = {
		{ "Traceback (most recent call last):\n"
		  "pexpect.exceptions.ExceptionPexpect: The command was not found or was not "
		  "executable: /usr/bin/telnet.\n",
			"The command was not found or was not executable: /usr/bin/telnet. (Debian "
			"has "
			"it in the package telnet)" },
		{ LOGGED "ERROR: The command was not found or was not executable: "
			 "/usr/bin/gnutls-cli.\n\n",
			"The command was not found or was not executable: /usr/bin/gnutls-cli. "
			"(Debian "
			"has it in the package gnutls-bin)" },
		{ LOGGED "ERROR: Cannot run command /usr/bin/snmpwalk -m '' -c '***' '10.0.0.1'\n",
			"Cannot run command /usr/bin/snmpwalk -m '' -c '***' '10.0.0.1' (Debian "
			"has it "
			"in the package snmp)" },
		{ "The command was not found or was not executable: /opt/bin/telnet.\n",
			"The command was not found or was not executable: /opt/bin/telnet." },
		{ LOGGED "ERROR: Ipmitool not found or not accessible\n",
			"Ipmitool not found or not accessible (Debian has it in the package "
			"ipmitool)" },
		{ "sh: 1: x: command not found\n", "sh: 1: x: command not found" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fence_verdict v;

		fence_words_judge(rows[i].said, strlen(rows[i].said), &v);
		assert_string_equal(v.text, rows[i].text);
		assert_int_equal(v.code, PCTL_E_CONFIG);
		assert_true(v.before);
	}
}

static void means(const char *complaint, int code, bool before)
{
	const struct fence_meaning *m = fence_words_meaning(complaint);

	assert_string_equal(pctl_error_name(m->code), pctl_error_name(code));
	assert_int_equal(m->kind & FENCE_BEFORE, before);
}

static void test_meanings(void **state)
{
	(void)state;
	means("Unable to connect/login to fencing device", PCTL_E_UNREACHABLE, true);
	assert_int_equal(fence_words_meaning("Unable to connect/login to fencing device")->flags,
		PCTL_ERROR_NOT_LISTENING);
	means("Failed: Login failed for 'x'", PCTL_E_AUTH, true);
	means("Failed: Incorrect Access Key or Secret Key.", PCTL_E_AUTH, true);
	means("Returned 1: Error in packet: authentication failure (incorrect password)",
		PCTL_E_AUTH, true);
	means("401 Client Error: Unauthorized", PCTL_E_AUTH, true);
	means("Failed: The user does not have the correct privileges to do the requested action.",
		PCTL_E_FORBIDDEN, true);
	means("Failed: Timed out waiting to power OFF", PCTL_E_TIMEOUT, false);
	means("Connection timed out", PCTL_E_TIMEOUT, false);
	means("Connection lost", PCTL_E_UNREACHABLE, false);
	means("Failed: Unable to obtain correct plug status or plug is not available",
		PCTL_E_REFUSED, false);
	means("ModuleNotFoundError: No module named 'boto3'", PCTL_E_CONFIG, true);
	means("curl: (7) Failed to connect to 10.0.0.1 port 443", PCTL_E_UNREACHABLE, true);
	means("something that nobody has ever said", PCTL_E_REFUSED, false);
	means("", PCTL_E_REFUSED, false);
}

static void last_is(const char *said, const char *wanted)
{
	char last[FENCE_REASON_SIZE];

	fence_words_last(said, strlen(said), last);
	assert_string_equal(last, wanted);
}

static void test_chatter(void **state)
{
	static const char info[] = "2026-11-21 09:17:48,711 INFO: Executing: x -H 127.0.0.1\n\n";
	static const char both[] = "2026-11-21 05:00:00,1 WARNING: slow\nDEBUG:root:1 "
				   "no\n2026-11-21 05:00:01,2 INFO:\n";
	static const char why[] =
		"2026-11-21 05:00:01,2 DEBUG: 1  Error: Unable to establish IPMI v2\n\n";
	struct fence_verdict v;

	(void)state;
	last_is(info, "");
	last_is(both, "slow");
	last_is("", "");
	last_is("Password for INFO: \n", "Password for INFO:");
	last_is("ERROR:root:no\n2026-11-21 05:00:00,1 INFO: x\n", "no");
	fence_words_judge(info, sizeof(info) - 1, &v);
	assert_string_equal(v.text, "");
	fence_words_judge(why, sizeof(why) - 1, &v);
	assert_int_equal(v.code, PCTL_E_UNREACHABLE);
	assert_string_equal(v.text, "1  Error: Unable to establish IPMI v2");
}

static enum fence_state state_of(const char *out)
{
	return fence_words_state(out, strlen(out));
}

static void test_states(void **state)
{
	(void)state;
	assert_int_equal(state_of("Status: ON\n"), FENCE_ON);
	assert_int_equal(state_of("noise\nStatus: OFF"), FENCE_OFF);
	assert_int_equal(state_of("status:  on\r\n"), FENCE_ON);
	assert_int_equal(state_of(""), FENCE_NO_STATE);
	assert_int_equal(state_of("Status: OFFLINE\n"), FENCE_NO_STATE);
	assert_int_equal(state_of("Status: \n"), FENCE_NO_STATE);
	assert_int_equal(state_of("The Status: OFF\n"), FENCE_NO_STATE);
	assert_int_equal(state_of("Status: ON\nStatus: OFF\n"), FENCE_NO_STATE);
}

static void test_secrets(void **state)
{
	static const char *const secrets[] = { "password", "snmp_priv_passwd", "secret_key",
		"apikey", "token", "community", "hexadecimal_kg" };
	static const char *const others[] = { "password_file", "identity_file", "key", "key_value",
		"access_key", "username", "tlskey" };

	(void)state;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		assert_true(fence_words_secret(secrets[i]));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(fence_words_secret(others[i]));
	assert_int_equal(fence_words_role("snmp_priv_passwd_script"), FENCE_OURS);
	assert_int_equal(fence_words_role("missing_as_off"), FENCE_OURS);
	assert_int_equal(fence_words_role("login"), FENCE_USER);
}

/* --- Settings. -------------------------------------------------------------------------------- */

static const struct pctl_property *find(const struct fence_agent *agent, const char *name)
{
	for (const struct pctl_property *p = agent->properties; p->name; p++)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

static void row_is(const struct fence_agent *agent, const char *name, enum pctl_type type,
	const char *fallback, uint32_t flags)
{
	const struct pctl_property *p = find(agent, name);

	if (!p) {
		fail_msg("there is no %s", name);
		return;
	}
	assert_int_equal(p->type, type);
	assert_int_equal(p->flags, flags);
	if (fallback)
		assert_string_equal(p->default_text, fallback);
	else
		assert_null(p->default_text);
}

static void test_settings(void **state)
{
	static const char *const not_there[] = { "action", "ip", "ipaddr", "password_script",
		"port", "missing_as_off", "verbose", "debug_file", "token_file", "console" };
	struct fence_agent *agent = fence_agent_new("/usr/sbin/fence_x", parse(sample));

	(void)state;
	row_is(agent, "username", PCTL_TYPE_TEXT, NULL, PCTL_PROPERTY_REQUIRED);
	row_is(agent, "password", PCTL_TYPE_TEXT, NULL, PCTL_PROPERTY_SECRET);
	row_is(agent, "snmp_priv_passwd", PCTL_TYPE_TEXT, NULL, PCTL_PROPERTY_SECRET);
	row_is(agent, "plug", PCTL_TYPE_TEXT, NULL, PCTL_PROPERTY_UNIT | PCTL_PROPERTY_REQUIRED);
	row_is(agent, "ipport", PCTL_TYPE_UINT, "23", 0);
	row_is(agent, "odd_number", PCTL_TYPE_TEXT, "-1", 0);
	row_is(agent, "ssh", PCTL_TYPE_BOOL, NULL, 0);
	row_is(agent, "lanplus", PCTL_TYPE_BOOL, "true", 0);
	row_is(agent, "power_timeout", PCTL_TYPE_DURATION, "20", 0);
	row_is(agent, "auth", PCTL_TYPE_CHOICE, "md5", 0);
	row_is(agent, "bad_choice", PCTL_TYPE_TEXT, "other", 0);
	row_is(agent, "identity_file", PCTL_TYPE_FILE, NULL, 0);
	row_is(agent, "tls1_0", PCTL_TYPE_BOOL, NULL, 0);
	row_is(agent, "resourcegroup", PCTL_TYPE_TEXT, NULL, 0);
	row_is(agent, "agent_console", PCTL_TYPE_TEXT, NULL, 0);
	row_is(agent, "agent_token_file", PCTL_TYPE_FILE, NULL, 0);
	for (size_t i = 0; i < sizeof(not_there) / sizeof(not_there[0]); i++)
		assert_null(find(agent, not_there[i]));
	assert_int_equal(agent->description.actions,
		PCTL_ACTION_BIT(PCTL_ACTION_ON) | PCTL_ACTION_BIT(PCTL_ACTION_OFF));
	fence_agent_free(agent);
}

static void useless(const char *path, const char *actions, const char *why)
{
	PCTL_AUTO(free)
	char *text = pctl_xasprintf(
		"<resource-agent name=\"x\"><actions>%s</actions></resource-agent>", actions);
	struct fence_agent *agent = fence_agent_new(path, parse(text));

	assert_int_equal(agent->description.actions, 0);
	assert_non_null(agent->useless);
	assert_non_null(strstr(agent->useless, why));
	fence_agent_free(agent);
}

static void test_agents_that_switch_no_power(void **state)
{
#define ON     "<action name=\"on\"/>"
#define OFF    "<action name=\"off\"/>"
#define STATUS "<action name=\"status\"/>"
#define REBOOT "<action name=\"reboot\"/>"
	(void)state;
	useless("/usr/sbin/fence_ifmib", ON OFF STATUS, "cuts a machine off from its network");
	useless("/usr/sbin/fence_scsi", "<action name=\"on\" on_target=\"1\"/>" OFF STATUS REBOOT,
		"cuts a machine off from its network");
	useless("/usr/sbin/fence_ovh", ON OFF REBOOT, "cannot do all of on, off and status");
	useless("/usr/sbin/fence_rcd_serial", REBOOT, "cannot do all of on, off and status");
	useless("/opt/fence_crosslink", ON OFF STATUS REBOOT, "whether a cable is alive");
}

/* --- What it reads. --------------------------------------------------------------------------- */

struct node {
	struct pctl_target target;
	struct pctl_device device;
	struct pctl_described described;
	struct fence_agent *agent;
	struct pctl_value *map;
	struct pctl_secrets *secrets;
	struct pctl_problems *problems;
	struct pctl_buf input;
};

/* pairs: settings and their values, up to NULL. */
static void node_init(struct node *n, const char *const *pairs)
{
	*n = (struct node){ .target = { .name = "n1", .address = "10.0.0.1" } };
	n->agent = fence_agent_new("/usr/sbin/fence_x", parse(sample));
	n->map = pctl_value_new_map();
	n->secrets = pctl_secrets_new();
	n->problems = pctl_problems_new();
	for (; *pairs; pairs += 2)
		pctl_value_set_text(n->map, pairs[0], pairs[1]);
	const struct pctl_settings_context context = {
		.node = "n1", .problems = n->problems, .secrets = n->secrets
	};
	if (pctl_settings_read(&n->target.settings, n->agent->properties, n->map, &context) < 0)
		fail_msg("%s", pctl_problems_at(n->problems, 0));
	n->described.own = &n->agent->description;
	n->target.described = &n->described;
	n->device.target = &n->target;
	pctl_buf_init_secret(&n->input, PCTL_PROGRAM_INPUT_MAX);
}

static void node_done(struct node *n)
{
	pctl_settings_done(&n->target.settings);
	fence_agent_free(n->agent);
	pctl_value_free(n->map);
	pctl_secrets_free(n->secrets);
	pctl_problems_free(n->problems);
	pctl_buf_done(&n->input);
}

static void test_input(void **state)
{
	static const char *const pairs[] = { "username", "apc", "password", "pa ss=#\"", "plug",
		"3", "ssh", "true", "lanplus", "false", "shell_timeout", "1500ms", "auth", "none",
		"identity_file", "/k", "bad_choice", " x", "resourcegroup", "\"q\"", NULL };
	struct node n;

	(void)state;
	node_init(&n, pairs);
	assert_int_equal(fence_agent_input(n.agent, &n.device, "off", 9, &n.input, NULL), 0);
	assert_string_equal(n.input.data, "action=off\n"
					  "ip=10.0.0.1\n"
					  "username=apc\n"
					  "password=pa ss=#\"\n"
					  "plug=3\n"
					  "ssh=1\n"
					  "lanplus=0\n"
					  "shell_timeout=2\n"
					  "auth=none\n"
					  "bad-choice=\" x\"\n"
					  "identity_file=/k\n"
					  "resourceGroup=\"\"q\"\"\n"
					  "power_timeout=9\n");
	node_done(&n);
}

/* What an agent does anyway is not said; what the inventory says holds over ours. */
static void test_input_says_little(void **state)
{
	static const char *const pairs[] = { "username", "u", "plug", "1", "ssh", "false",
		"power_timeout", "2m", NULL };
	struct node n;

	(void)state;
	node_init(&n, pairs);
	n.target.address = "";
	assert_int_equal(fence_agent_input(n.agent, &n.device, "on", 9, &n.input, NULL), 0);
	assert_string_equal(n.input.data, "action=on\nusername=u\nplug=1\npower_timeout=120\n");
	assert_int_equal(fence_agent_input(n.agent, &n.device, "status", 7, &n.input, NULL), 0);
	assert_string_equal(n.input.data, "action=status\nusername=u\nplug=1\npower_timeout=120\n");
	node_done(&n);
}

/* An agent's own port is the same endpoint, set or not. */
static void test_key_port(void **state)
{
	static const struct {
		const char *ipport;
		uint16_t port;
	} rows[] = { { "24", 24 }, { "23", 0 }, { "0", 0 }, { "70000", 0 } };
	static const char *const unset[] = { "username", "u", "plug", "1", NULL };
	struct node n;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *const pairs[] = { "username", "u", "plug", "1", "ipport",
			rows[i].ipport, NULL };

		node_init(&n, pairs);
		assert_int_equal(fence_key_port(&n.device), rows[i].port);
		node_done(&n);
	}
	node_init(&n, unset);
	assert_int_equal(fence_key_port(&n.device), 0);
	n.target.described = NULL;
	assert_int_equal(fence_key_port(&n.device), 0);
	node_done(&n);
}

static void gets_verbose(const char *more, const char *const *pairs, const char *line)
{
	PCTL_AUTO(free)
	char *text = pctl_xasprintf(HEAD "<parameters>%s" PARAMETER("name=\"hexadecimal_kg\"",
					    "<content type=\"string\" />") "</parameters>" TAIL,
		more);
	struct fence_agent *agent = fence_agent_new("/usr/sbin/fence_x", parse(text));
	struct node n;

	node_init(&n, pairs);
	pctl_settings_done(&n.target.settings);
	n.target.settings = (struct pctl_settings){ 0 };
	const struct pctl_settings_context context = {
		.node = "n1", .problems = n.problems, .secrets = n.secrets
	};
	assert_int_equal(
		pctl_settings_read(&n.target.settings, agent->properties, n.map, &context), 0);
	assert_int_equal(fence_agent_input(agent, &n.device, "status", 0, &n.input, NULL), 0);
	const char *found = strstr(n.input.data, "verbose_level=");
	assert_string_equal(found ? found : "", line);
	fence_agent_free(agent);
	node_done(&n);
}

/* Only who logs nothing that is secret is asked to say more. */
static void test_verbose(void **state)
{
#define LEVEL    PARAMETER("name=\"verbose_level\"", "<content type=\"integer\" />")
#define IPMITOOL PARAMETER("name=\"ipmitool_path\"", "<content type=\"string\" />")
#define AMTTOOL  PARAMETER("name=\"amttool_path\"", "<content type=\"string\" />")
	static const char *const none[] = { "username", "u", "plug", "1", NULL };
	static const char *const kg[] = { "username", "u", "plug", "1", "hexadecimal_kg", "6b",
		NULL };

	(void)state;
	gets_verbose(LEVEL IPMITOOL, none, "verbose_level=2\n");
	gets_verbose(LEVEL AMTTOOL, none, "verbose_level=1\n");
	gets_verbose(LEVEL, none, "");
	gets_verbose(IPMITOOL, none, ""); /* an older one, which logged passwords */
	gets_verbose(LEVEL IPMITOOL, kg, "");
}

/* A line break would be another parameter: action=off, say. */
static void test_no_line_breaks_in_values(void **state)
{
	static const char *const text[] = { "username", "u\naction=off", "plug", "1", NULL };
	static const char *const secret[] = { "username", "u", "plug", "1", "password", "p\nq",
		NULL };
	struct pctl_error err = { 0 };
	struct node n;

	(void)state;
	node_init(&n, text);
	assert_int_equal(
		fence_agent_input(n.agent, &n.device, "status", 0, &n.input, &err), PCTL_E_CONFIG);
	assert_non_null(strstr(err.text, "username has a line break"));
	node_done(&n);
	node_init(&n, secret);
	assert_int_equal(
		fence_agent_input(n.agent, &n.device, "status", 0, &n.input, &err), PCTL_E_CONFIG);
	assert_string_equal(
		err.text, "password has a line break or a control character, which no agent takes");
	node_done(&n);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_metadata),
		cmocka_unit_test(test_on_the_machine_itself),
		cmocka_unit_test(test_what_is_no_metadata),
		cmocka_unit_test(test_complaints),
		cmocka_unit_test(test_what_stands_before),
		cmocka_unit_test(test_what_is_missing),
		cmocka_unit_test(test_meanings),
		cmocka_unit_test(test_chatter),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_agents_that_switch_no_power),
		cmocka_unit_test(test_input),
		cmocka_unit_test(test_input_says_little),
		cmocka_unit_test(test_key_port),
		cmocka_unit_test(test_verbose),
		cmocka_unit_test(test_no_line_breaks_in_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
