/* SPDX-License-Identifier: Apache-2.0 */
#include "ipmipower/options.h"

#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "cli.h"
#include "face.h"
#include "ipmipower/rows.h"

#define USER_MAX    16u /* of IPMI */
#define PASSWORD_20 20u
#define KG_MAX      42u /* 0x and 40 hex digits */
#define FANOUT_MAX  1024u
#define MOST_MS     86400000u

const struct ipmipower_action ipmipower_actions[] = {
	{ .name = "on",
		.letter = 'n',
		.help = "turn on",
		.verb = PCTL_VERB_ON,
		.privileged = "on" },
	{ .name = "off",
		.letter = 'f',
		.help = "turn off",
		.verb = PCTL_VERB_OFF,
		.privileged = "off" },
	{ .name = "cycle",
		.letter = 'c',
		.help = "power cycle",
		.verb = PCTL_VERB_CYCLE,
		.privileged = "cycle" },
	{ .name = "reset",
		.letter = 'r',
		.help = "reset",
		.verb = PCTL_VERB_RESET,
		.privileged = "reset" },
	{ .name = "stat", .letter = 's', .help = "query power status", .verb = PCTL_VERB_STATUS },
	{ .name = "pulse",
		.letter = IPMIPOWER_LONG_ONLY,
		.help = "send a diagnostic interrupt",
		.verb = PCTL_VERB_NMI,
		.privileged = "diagnostic interrupt" },
	{ .name = "soft",
		.letter = IPMIPOWER_LONG_ONLY,
		.help = "ask the operating system to shut down",
		.verb = PCTL_VERB_OFF,
		.soft = true,
		.privileged = "soft shutdown os" },
	{ .name = "identify-on", .verb = PCTL_VERB_IDENTIFY, .privileged = "identify on" },
	{ .name = "identify-off",
		.verb = PCTL_VERB_IDENTIFY,
		.off = true,
		.privileged = "identify off" },
	{ .name = "identify-status", .verb = PCTL_VERB_STATUS, .unanswerable = true },
	{ .name = NULL },
};

const struct ipmipower_action *ipmipower_action_named(const char *name)
{
	for (const struct ipmipower_action *a = ipmipower_actions; a->name; a++)
		if (strcmp(a->name, name) == 0)
			return a;
	return NULL;
}

/* --- Values. Each returns NULL, or what is wrong. --------------------------------------------- */

/* Pairs of FreeIPMI's word and ours, NULL at the end. */
static const char *translate(const char *value, const char *const *pairs)
{
	for (; *pairs; pairs += 2)
		if (strcasecmp(pairs[0], value) == 0)
			return pairs[1];
	return NULL;
}

static const char *take_protocol(struct ipmipower_options *o, const char *value)
{
	static const char *const pairs[] = { "lan", "1.5", "lan_2_0", "2.0", "lan20", "2.0",
		"lan_20", "2.0", "lan2_0", "2.0", "lanplus", "2.0", NULL };

	o->protocol = translate(value, pairs);
	return o->protocol ? NULL : "invalid driver type";
}

static const char *take_auth_type(struct ipmipower_options *o, const char *value)
{
	static const char *const pairs[] = { "none", "none", "straight_password_key", "password",
		"md2", "md2", "md5", "md5", NULL };

	o->auth_type = translate(value, pairs);
	return o->auth_type ? NULL : "invalid authentication type";
}

static const char *take_privilege(struct ipmipower_options *o, const char *value)
{
	static const char *const pairs[] = { "user", "user", "operator", "operator", "admin",
		"admin", "administrator", "admin", NULL };

	o->privilege = translate(value, pairs);
	return o->privilege ? NULL : "invalid privilege level";
}

static const char *take_cipher_suite(struct ipmipower_options *o, const char *value)
{
	static const uint8_t known[] = { 0, 1, 2, 3, 6, 7, 8, 11, 12, 15, 16, 17 };
	uint64_t n;

	if (pctl_parse_uint(value, 19, &n) < 0)
		return "invalid cipher suite id";
	if (!memchr(known, (int)n, sizeof(known)))
		return "unsupported cipher suite id";
	o->cipher_suite = (int)n;
	return NULL;
}

static const char *take_hosts(struct ipmipower_options *o, const char *value)
{
	free(o->hosts);
	o->hosts = pctl_xstrdup(value);
	return NULL;
}

static const char *take_username(struct ipmipower_options *o, const char *value)
{
	if (strlen(value) > USER_MAX)
		return "username too long";
	free(o->username);
	o->username = pctl_xstrdup(value);
	return NULL;
}

static void replace_secret(struct pctl_secret **secret, const char *value)
{
	pctl_secret_free(*secret);
	*secret = *value ? pctl_secret_new(value, strlen(value)) : NULL;
}

static const char *take_password(struct ipmipower_options *o, const char *value)
{
	if (strlen(value) > PASSWORD_20)
		return "password too long";
	replace_secret(&o->password, value);
	return NULL;
}

static const char *take_kg(struct ipmipower_options *o, const char *value)
{
	bool hex = strncasecmp(value, "0x", 2) == 0;
	size_t len = strlen(value);

	if (len > (hex ? KG_MAX : PASSWORD_20))
		return "k_g too long";
	if (hex && (len % 2 || strspn(value + 2, "0123456789abcdefABCDEF") != len - 2))
		return "k_g input formatted incorrectly";
	replace_secret(&o->kg, value);
	return NULL;
}

static const char *ask(const char *question, ipmipower_take_fn *take, struct ipmipower_options *o)
{
	static struct pctl_error err; /* what is returned points into it */
	struct pctl_secret *secret = NULL;
	const char *wrong = err.text;

	if (face_password(question, false, &secret, &err) == 0)
		wrong = take(o, pctl_secret_data(secret));
	pctl_secret_free(secret);
	return wrong;
}

static const char *ask_password(struct ipmipower_options *o, const char *value)
{
	(void)value;
	return ask("Password: ", take_password, o);
}

static const char *ask_kg(struct ipmipower_options *o, const char *value)
{
	(void)value;
	return ask("K_g: ", take_kg, o);
}

/* Those that a power command over the network has to do with; the driver has them all. */
static const char *const workarounds[] = { "authcap", "idzero", "forcepermsg", "unexpectedauth",
	"endianseq", "noauthcodecheck", "nochecksumcheck", "intel20", "supermicro20", "sun20",
	"opensesspriv", "integritycheckvalue", "ipmiping", NULL };
/* Those that FreeIPMI has for other things: they change nothing here, and there neither. */
static const char *const elsewhere[] = { "none", "assumeio", "spinpoll", "assumemaxsdrrecordcount",
	"solpayloadsize", "solport", "solstatus", "solchannelsupport", "serialalertsdeferred",
	"solpacketseq", "skipchecks", "assumesystemevent", "discretereading",
	"ignorescanningdisabled", "assumebmcowner", "altbridging", "ignoreauthcode", "slowcommit",
	"veryslowcommit", "solchannelassumelanchannel", "ignorestateflag", "malformedack",
	"guidformat", NULL };

static const char *find_word(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (strcasecmp(*words, word) == 0)
			return *words;
	return NULL;
}

static const char *take_workarounds(struct ipmipower_options *o, const char *value)
{
	static char wrong[128];
	PCTL_AUTO(free) char *copy = pctl_xstrdup(value);
	char *rest = copy;
	struct pctl_value *list = pctl_value_new_list();

	for (char *word; (word = strsep(&rest, ", \t"));) {
		const char *known = find_word(word, workarounds);

		if (known)
			pctl_value_add(list, pctl_value_new_text(known));
		else if (*word && !find_word(word, elsewhere)) {
			(void)snprintf(
				wrong, sizeof(wrong), "invalid workaround flags: '%.60s'", word);
			pctl_value_free(list);
			return wrong;
		}
	}
	pctl_value_free(o->workarounds);
	o->workarounds = list;
	return NULL;
}

static const char *take_number(
	const char *value, uint64_t least, uint64_t most, uint64_t *ret, const char *wrong)
{
	uint64_t n;

	if (pctl_parse_uint(value, most, &n) < 0 || n < least)
		return wrong;
	*ret = n;
	return NULL;
}

static const char *take_session_ms(struct ipmipower_options *o, const char *value)
{
	return take_number(value, 1, MOST_MS, &o->session_ms, "invalid session timeout");
}

static const char *take_retransmission_ms(struct ipmipower_options *o, const char *value)
{
	return take_number(
		value, 1, MOST_MS, &o->retransmission_ms, "invalid retransmission timeout");
}

static const char *take_fanout(struct ipmipower_options *o, const char *value)
{
	uint64_t n = o->fanout;
	const char *wrong = take_number(value, 1, FANOUT_MAX, &n, "invalid fanout");

	o->fanout = (unsigned)n;
	return wrong;
}

/* Of things that are not there: pings, and when a packet is sent again. */
static const char *take_unused(struct ipmipower_options *o, const char *value)
{
	uint64_t n;

	(void)o;
	return take_number(value, 0, MOST_MS, &n, "not a number");
}

static const char *take_oem(struct ipmipower_options *o, const char *value)
{
	(void)o;
	return strcasecmp(value, "NONE") == 0 ? NULL
					      : "invalid oem power type: only NONE is known here; "
						"see powerctl-ipmipower(1)";
}

/* --- The options. ----------------------------------------------------------------------------- */

const struct ipmipower_row ipmipower_rows[] = {
#define VALUE(the_name, the_letter, the_argument, the_take, the_flags, the_help)        \
	{                                                                               \
		.name = (the_name), .letter = (the_letter), .argument = (the_argument), \
		.take = (the_take), .flags = (the_flags), .help = (the_help),           \
	}
#define SWITCH(the_name, the_letter, member, the_flags, the_help)                             \
	{                                                                                     \
		.name = (the_name), .letter = (the_letter),                                   \
		.flag = offsetof(struct ipmipower_options, member) + 1, .flags = (the_flags), \
		.help = (the_help),                                                           \
	}
	VALUE("driver-type", 'D', "IPMIDRIVER", take_protocol, IPMIPOWER_FILE,
		"LAN or LAN_2_0; else what the BMC has, 2.0 first"),
	VALUE("hostname", 'h', "IPMIHOST", take_hosts, 0, "hosts: h[1-3],h7:6230"),
	VALUE("username", 'u', "USERNAME", take_username, IPMIPOWER_FILE, "user to log in as"),
	VALUE("password", 'p', "PASSWORD", take_password, IPMIPOWER_SECRET | IPMIPOWER_FILE,
		"password; better are -P and the configuration file"),
	VALUE("password-prompt", 'P', NULL, ask_password, 0, "ask for the password"),
	VALUE("k-g", 'k', "K_G", take_kg, IPMIPOWER_SECRET,
		"K_g key, as text or as 0x and hex digits"),
	VALUE("k_g", IPMIPOWER_LONG_ONLY, "K_G", take_kg, IPMIPOWER_FILE, NULL),
	VALUE("k-g-prompt", 'K', NULL, ask_kg, 0, "ask for the K_g key"),
	VALUE("session-timeout", IPMIPOWER_LONG_ONLY, "MS", take_session_ms, IPMIPOWER_FILE,
		"how long one host may take in all"),
	VALUE("retransmission-timeout", IPMIPOWER_LONG_ONLY, "MS", take_retransmission_ms,
		IPMIPOWER_FILE, "not used"),
	VALUE("authentication-type", 'a', "TYPE", take_auth_type, IPMIPOWER_FILE,
		"of IPMI 1.5: NONE, STRAIGHT_PASSWORD_KEY, MD2, MD5"),
	VALUE("cipher-suite-id", 'I', "ID", take_cipher_suite, IPMIPOWER_FILE,
		"of IPMI 2.0; else 17, then 3"),
	VALUE("privilege-level", 'l', "LEVEL", take_privilege, IPMIPOWER_FILE,
		"USER, OPERATOR (else this), ADMIN"),
	VALUE("config-file", IPMIPOWER_LONG_ONLY, "FILE", NULL, 0,
		"instead of /etc/freeipmi/freeipmi.conf"),
	VALUE("workaround-flags", 'W', "FLAGS", take_workarounds, IPMIPOWER_FILE,
		"for faults of BMCs, joined by commas"),
	SWITCH("debug", IPMIPOWER_LONG_ONLY, debug, 0, "tell on standard error what is sent"),
	VALUE("buffer-output", 'B', NULL, NULL, IPMIPOWER_FILE, "no effect, as with ipmipower"),
	SWITCH("consolidate-output", 'C', consolidate, IPMIPOWER_FILE,
		"fold hosts that answered alike"),
	VALUE("fanout", 'F', "NUM", take_fanout, IPMIPOWER_FILE, "hosts at a time"),
	SWITCH("eliminate", 'E', eliminate, IPMIPOWER_FILE, "no effect: every host is asked"),
	VALUE("always-prefix", IPMIPOWER_LONG_ONLY, NULL, NULL, IPMIPOWER_FILE,
		"no effect, as with ipmipower"),
	SWITCH("on-if-off", IPMIPOWER_LONG_ONLY, on_if_off, IPMIPOWER_FILE,
		"--cycle and --reset turn on what is off"),
	SWITCH("wait-until-on", IPMIPOWER_LONG_ONLY, wait_on, IPMIPOWER_FILE,
		"--on ends when the host is on"),
	SWITCH("wait-until-off", IPMIPOWER_LONG_ONLY, wait_off, IPMIPOWER_FILE,
		"--off ends when the host is off"),
	SWITCH("try-anyway", IPMIPOWER_LONG_ONLY, try_anyway, 0,
		"log in where this password was refused a moment ago (powerctl's)"),
	VALUE("oem-power-type", IPMIPOWER_LONG_ONLY, "TYPE", take_oem, IPMIPOWER_FILE, "NONE"),
	VALUE("retransmission-wait-timeout", IPMIPOWER_LONG_ONLY, "MS", take_unused, IPMIPOWER_FILE,
		"not used"),
	VALUE("retransmission-backoff-count", IPMIPOWER_LONG_ONLY, "COUNT", take_unused,
		IPMIPOWER_FILE, "not used"),
	VALUE("ping-interval", IPMIPOWER_LONG_ONLY, "MS", take_unused, IPMIPOWER_FILE,
		"not used: nothing is pinged"),
	VALUE("ping-timeout", IPMIPOWER_LONG_ONLY, "MS", take_unused, IPMIPOWER_FILE, "not used"),
	VALUE("ping-packet-count", IPMIPOWER_LONG_ONLY, "COUNT", take_unused, IPMIPOWER_FILE,
		"not used"),
	VALUE("ping-percent", IPMIPOWER_LONG_ONLY, "PERCENT", take_unused, IPMIPOWER_FILE,
		"not used"),
	VALUE("ping-consec-count", IPMIPOWER_LONG_ONLY, "COUNT", take_unused, IPMIPOWER_FILE,
		"not used"),
	VALUE("help", '?', NULL, NULL, IPMIPOWER_HELP, "give this help list"),
	VALUE("usage", IPMIPOWER_LONG_ONLY, NULL, NULL, IPMIPOWER_HELP, "the same"),
	VALUE("version", 'V', NULL, NULL, IPMIPOWER_HELP, "print the program's version"),
	{ .name = NULL },
#undef VALUE
#undef SWITCH
};
_Static_assert(sizeof(ipmipower_rows) / sizeof(ipmipower_rows[0]) +
			       sizeof(ipmipower_actions) / sizeof(ipmipower_actions[0]) <=
		       IPMIPOWER_ROWS_MAX + 2,
	"the command line has room for them");

static const struct ipmipower_row *find_row(const char *name)
{
	for (const struct ipmipower_row *row = ipmipower_rows; row->name; row++)
		if (strcmp(row->name, name) == 0)
			return row;
	return NULL;
}

bool ipmipower_option_in_file(const char *name, bool *ret_switch)
{
	const struct ipmipower_row *row = find_row(name);

	*ret_switch = row && !row->argument;
	return row && row->flags & IPMIPOWER_FILE;
}

const char *ipmipower_row_take(
	struct ipmipower_options *o, const struct ipmipower_row *row, const char *value)
{
	if (row->take)
		return row->take(o, value);
	if (row->flag)
		*((bool *)((char *)o + row->flag - 1)) = true;
	return NULL;
}

const char *ipmipower_option_take(struct ipmipower_options *o, const char *name, const char *value)
{
	const struct ipmipower_row *row = find_row(name);

	return row ? ipmipower_row_take(o, row, value) : "unknown option";
}

void ipmipower_options_done(struct ipmipower_options *o)
{
	free(o->hosts);
	free(o->username);
	pctl_secret_free(o->password);
	pctl_secret_free(o->kg);
	pctl_value_free(o->workarounds);
}
