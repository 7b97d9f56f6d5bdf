/* SPDX-License-Identifier: Apache-2.0 */
#include "ipmipower/options.h"

#include <getopt.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "cli.h"
#include "command.h"
#include "face.h"

#define USER_MAX     16u /* of IPMI */
#define PASSWORD_15  16u
#define PASSWORD_20  20u
#define KG_MAX       42u /* 0x and 40 hex digits */
#define FANOUT_MAX   1024u
#define SESSION_MS   20000u
#define MOST_MS      86400000u
#define LONG_ONLY    0x1000 /* what stands for options without a letter */
#define BY_PLACE     0x1001 /* and their place from here on, for getopt_long() */
#define HELP_COLUMNS 38

static const struct ipmipower_action actions[] = {
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
		.letter = LONG_ONLY,
		.help = "send a diagnostic interrupt",
		.verb = PCTL_VERB_NMI,
		.privileged = "diagnostic interrupt" },
	{ .name = "soft",
		.letter = LONG_ONLY,
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
};
#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

const struct ipmipower_action *ipmipower_action_named(const char *name)
{
	for (size_t i = 0; i < ACTIONS; i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	return NULL;
}

/* --- Values. Each returns NULL, or what is wrong. --------------------------------------------- */

typedef const char *take_fn(struct ipmipower_options *o, const char *value);

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

static const char *ask(const char *question, take_fn *take, struct ipmipower_options *o)
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

#define SECRET 1u /* its value is wiped where it came from */
#define FILE_  2u /* the file may have it */
#define HELP   4u /* ends the program */

static const struct row {
	const char *name;
	const char *argument; /* what help calls it; NULL: a switch */
	take_fn *take;
	size_t flag; /* of a switch without take: where it is, and 1 */
	int letter;
	unsigned flags;
	const char *help; /* NULL: of the file only */
} rows[] = {
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
	VALUE("driver-type", 'D', "IPMIDRIVER", take_protocol, FILE_,
		"LAN or LAN_2_0; else what the BMC has, 2.0 first"),
	VALUE("hostname", 'h', "IPMIHOST", take_hosts, 0, "hosts: h[1-3],h7:6230"),
	VALUE("username", 'u', "USERNAME", take_username, FILE_, "user to log in as"),
	VALUE("password", 'p', "PASSWORD", take_password, SECRET | FILE_,
		"password; better are -P and the configuration file"),
	VALUE("password-prompt", 'P', NULL, ask_password, 0, "ask for the password"),
	VALUE("k-g", 'k', "K_G", take_kg, SECRET, "K_g key, as text or as 0x and hex digits"),
	VALUE("k_g", LONG_ONLY, "K_G", take_kg, FILE_, NULL),
	VALUE("k-g-prompt", 'K', NULL, ask_kg, 0, "ask for the K_g key"),
	VALUE("session-timeout", LONG_ONLY, "MS", take_session_ms, FILE_,
		"how long one host may take in all"),
	VALUE("retransmission-timeout", LONG_ONLY, "MS", take_retransmission_ms, FILE_, "not used"),
	VALUE("authentication-type", 'a', "TYPE", take_auth_type, FILE_,
		"of IPMI 1.5: NONE, STRAIGHT_PASSWORD_KEY, MD2, MD5"),
	VALUE("cipher-suite-id", 'I', "ID", take_cipher_suite, FILE_,
		"of IPMI 2.0; else 17, then 3"),
	VALUE("privilege-level", 'l', "LEVEL", take_privilege, FILE_,
		"USER, OPERATOR (else this), ADMIN"),
	VALUE("config-file", LONG_ONLY, "FILE", NULL, 0, "instead of /etc/freeipmi/freeipmi.conf"),
	VALUE("workaround-flags", 'W', "FLAGS", take_workarounds, FILE_,
		"for faults of BMCs, joined by commas"),
	SWITCH("debug", LONG_ONLY, debug, 0, "tell on standard error what is sent"),
	VALUE("buffer-output", 'B', NULL, NULL, FILE_, "no effect, as with ipmipower"),
	SWITCH("consolidate-output", 'C', consolidate, FILE_, "fold hosts that answered alike"),
	VALUE("fanout", 'F', "NUM", take_fanout, FILE_, "hosts at a time"),
	SWITCH("eliminate", 'E', eliminate, FILE_, "no effect: every host is asked"),
	VALUE("always-prefix", LONG_ONLY, NULL, NULL, FILE_, "no effect, as with ipmipower"),
	SWITCH("on-if-off", LONG_ONLY, on_if_off, FILE_, "--cycle and --reset turn on what is off"),
	SWITCH("wait-until-on", LONG_ONLY, wait_on, FILE_, "--on ends when the host is on"),
	SWITCH("wait-until-off", LONG_ONLY, wait_off, FILE_, "--off ends when the host is off"),
	SWITCH("try-anyway", LONG_ONLY, try_anyway, 0,
		"log in where this password was refused a moment ago (powerctl's)"),
	VALUE("oem-power-type", LONG_ONLY, "TYPE", take_oem, FILE_, "NONE"),
	VALUE("retransmission-wait-timeout", LONG_ONLY, "MS", take_unused, FILE_, "not used"),
	VALUE("retransmission-backoff-count", LONG_ONLY, "COUNT", take_unused, FILE_, "not used"),
	VALUE("ping-interval", LONG_ONLY, "MS", take_unused, FILE_, "not used: nothing is pinged"),
	VALUE("ping-timeout", LONG_ONLY, "MS", take_unused, FILE_, "not used"),
	VALUE("ping-packet-count", LONG_ONLY, "COUNT", take_unused, FILE_, "not used"),
	VALUE("ping-percent", LONG_ONLY, "PERCENT", take_unused, FILE_, "not used"),
	VALUE("ping-consec-count", LONG_ONLY, "COUNT", take_unused, FILE_, "not used"),
	VALUE("help", '?', NULL, NULL, HELP, "give this help list"),
	VALUE("usage", LONG_ONLY, NULL, NULL, HELP, "the same"),
	VALUE("version", 'V', NULL, NULL, HELP, "print the program's version"),
#undef VALUE
#undef SWITCH
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct row *find_row(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

bool ipmipower_option_in_file(const char *name, bool *ret_switch)
{
	const struct row *row = find_row(name);

	*ret_switch = row && !row->argument;
	return row && row->flags & FILE_;
}

static const char *take(struct ipmipower_options *o, const struct row *row, const char *value)
{
	if (row->take)
		return row->take(o, value);
	if (row->flag)
		*((bool *)((char *)o + row->flag - 1)) = true;
	return NULL;
}

const char *ipmipower_option_take(struct ipmipower_options *o, const char *name, const char *value)
{
	const struct row *row = find_row(name);

	return row ? take(o, row, value) : "unknown option";
}

/* --- The command line. ------------------------------------------------------------------------ */

static void show_line(int letter, const char *name, const char *argument, const char *help)
{
	char words[64], first[8] = "    ";

	if (letter != LONG_ONLY)
		(void)snprintf(first, sizeof(first), "-%c, ", letter);
	(void)snprintf(words, sizeof(words), "  %s--%s%s%s", first, name, argument ? "=" : "",
		argument ? argument : "");
	(void)printf("%-*s %s\n", HELP_COLUMNS, words, help);
}

static void show_help(void)
{
	(void)printf(
		"Usage: ipmipower [OPTION...]\n"
		"powerctl in the shape of ipmipower: powerctl-ipmipower(1) has what differs.\n\n");
	for (size_t i = 0; i < ACTIONS; i++)
		if (actions[i].letter)
			show_line(actions[i].letter, actions[i].name, NULL, actions[i].help);
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].help)
			show_line(rows[i].letter, rows[i].name, rows[i].argument, rows[i].help);
	(void)printf("Without one of the first seven it asks for commands: `help` lists them.\n");
}

/* For getopt_long(): val is the place in rows, then in actions. */
static void make_tables(struct option *longs, char *shorts)
{
	size_t n = 0;

	for (size_t i = 0; i < ROWS; i++) {
		if (!rows[i].help)
			continue;
		longs[n++] = (struct option){ rows[i].name,
			rows[i].argument ? required_argument : no_argument, NULL,
			BY_PLACE + (int)i };
		if (rows[i].letter == LONG_ONLY || rows[i].letter == '?')
			continue;
		*shorts++ = (char)rows[i].letter;
		if (rows[i].argument)
			*shorts++ = ':';
	}
	for (size_t i = 0; i < ACTIONS; i++) {
		if (!actions[i].letter)
			continue;
		longs[n++] = (struct option){ actions[i].name, no_argument, NULL,
			BY_PLACE + (int)(ROWS + i) };
		if (actions[i].letter != LONG_ONLY)
			*shorts++ = (char)actions[i].letter;
	}
	*shorts = '\0';
}

/* What was met in argv. */
struct entry {
	const struct row *row;
	const struct ipmipower_action *action;
	const char *value;
	struct pctl_secret *secret;
};

struct line {
	struct entry *entries;
	size_t n, cap;
	const char *config;
};

static void meet(struct line *line, int found, char *value)
{
	line->entries = pctl_xgrow(line->entries, &line->cap, line->n + 1, sizeof(*line->entries));
	struct entry *e = &line->entries[line->n++];

	*e = (struct entry){ .value = value };
	for (size_t i = 0; i < ROWS; i++)
		if (found == rows[i].letter || found == BY_PLACE + (int)i)
			e->row = &rows[i];
	for (size_t i = 0; i < ACTIONS; i++)
		if (found == actions[i].letter || found == BY_PLACE + (int)(ROWS + i))
			e->action = &actions[i];
	if (e->row && e->row->flags & SECRET) {
		size_t len = strlen(value);

		e->secret = pctl_secret_new(value, len < PCTL_SECRET_MAX ? len : PCTL_SECRET_MAX);
		e->value = NULL;
		explicit_bzero(value, len);
	}
	if (e->row && strcmp(e->row->name, "config-file") == 0)
		line->config = value;
}

static int refuse(const char *what)
{
	(void)fprintf(stderr, "ipmipower: %s\nTry `ipmipower --help'.\n", what);
	return IPMIPOWER_WRONG;
}

/* What getopt_long() could not take; never the value of anything. */
static int refuse_option(int argc, char **argv, int found)
{
	const char *word = optind > 0 && optind <= argc ? argv[optind - 1] : "";
	bool is_long = strncmp(word, "--", 2) == 0 && !(optopt > ' ' && optopt < 0x7f);
	PCTL_AUTO(free)
	char *option =
		is_long ? pctl_xstrndup(word, strcspn(word, "="))
			: pctl_xasprintf("-%c", optopt > ' ' && optopt < 0x7f ? optopt : '?');
	PCTL_AUTO(free)
	char *text = pctl_xasprintf(found == ':' ? "option '%.60s' requires an argument"
						 : "unrecognized option '%.60s'",
		option);

	return refuse(text);
}

/* Secrets are wiped in all of argv, also where something in it is wrong. */
static int read_line(struct line *line, int argc, char **argv)
{
	struct option longs[ROWS + ACTIONS + 1] = { { 0 } };
	char shorts[3 * (ROWS + ACTIONS) + 2] = ":";
	int found, status = IPMIPOWER_DONE;

	make_tables(longs, shorts + 1);
	opterr = 0;
	while ((found = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		bool help = found == '?' && optopt == '?';

		if (!help && (found == '?' || found == ':')) {
			status = status ? status : refuse_option(argc, argv, found);
			continue;
		}
		meet(line, found, optarg);
	}
	if (!status && optind < argc)
		status = refuse("Too many arguments");
	return status;
}

static bool is_for_help(struct ipmipower_options *o, const struct line *line)
{
	for (size_t i = 0; i < line->n && !o->ends; i++) {
		const struct row *row = line->entries[i].row;

		if (!row || !(row->flags & HELP))
			continue;
		if (strcmp(row->name, "version") == 0)
			help_version(stdout);
		else
			show_help();
		o->ends = true;
	}
	return o->ends;
}

static int complain(const char *what)
{
	(void)fprintf(stderr, "ipmipower: %s\n", what);
	return IPMIPOWER_FAILED;
}

static int take_line(struct ipmipower_options *o, const struct line *line)
{
	for (size_t i = 0; i < line->n; i++) {
		const struct entry *e = &line->entries[i];
		const char *wrong = NULL;

		if (e->action)
			o->action = e->action;
		else
			wrong = take(o, e->row, e->secret ? pctl_secret_data(e->secret) : e->value);
		if (wrong)
			return complain(wrong);
	}
	return IPMIPOWER_DONE;
}

/* What fits together. */
static int check(const struct ipmipower_options *o)
{
	uint64_t session = o->session_ms ? o->session_ms : SESSION_MS;
	bool lan15 = o->protocol && strcmp(o->protocol, "1.5") == 0;

	if (o->retransmission_ms > session)
		return complain("retransmission timeout larger than session timeout");
	if (lan15 && o->password && pctl_secret_len(o->password) > PASSWORD_15)
		return complain("password too long");
	if (o->action && !o->hosts)
		return complain("must specify target hostname(s) in non-interactive mode");
	if (o->action && o->action->privileged && o->privilege &&
		strcmp(o->privilege, "user") == 0) {
		PCTL_AUTO(free)
		char *text = pctl_xasprintf(
			"'%s' requires atleast operator privilege", o->action->privileged);
		return complain(text);
	}
	return IPMIPOWER_DONE;
}

int ipmipower_options_read(struct ipmipower_options *o, int argc, char **argv)
{
	struct line line = { .n = 0 };

	*o = (struct ipmipower_options){ .cipher_suite = -1 };
	int status = read_line(&line, argc, argv);
	bool help = status == IPMIPOWER_DONE && is_for_help(o, &line);
	if (!help && status == IPMIPOWER_DONE)
		status = ipmipower_config_read(o, line.config);
	if (!help && status == IPMIPOWER_DONE)
		status = take_line(o, &line);
	if (!help && status == IPMIPOWER_DONE)
		status = check(o);
	for (size_t i = 0; i < line.n; i++)
		pctl_secret_free(line.entries[i].secret);
	free(line.entries);
	return status;
}

void ipmipower_options_done(struct ipmipower_options *o)
{
	free(o->hosts);
	free(o->username);
	pctl_secret_free(o->password);
	pctl_secret_free(o->kg);
	pctl_value_free(o->workarounds);
}
