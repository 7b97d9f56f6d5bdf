/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What fits no interface: `powerctl ipmi METHOD ...`. */
#include <string.h>

#include "chassis.h"
#include "records.h"

#define RESET_LIMIT_MS 600000u

/* --- policy: what the machine does when mains power comes back. ------------------------------- */

/* In the order of enum chassis_policy, without what changes nothing. */
static const char *const policies[] = { "always-off", "previous", "always-on", NULL };

static const struct pctl_property policy_parameters[] = {
	PCTL_PROPERTY(.name = "set", .type = PCTL_TYPE_CHOICE, .choices = policies,
		.help = "the policy to be set; without it the present one is told"),
	{ .name = NULL },
};

static void on_policy(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	const char *name = chassis_policy_name(data[0] >> 5 & 3);

	(void)len;
	pctl_value_set_text(records_of(dev)->ret, "policy", name ? name : "unknown");
	ipmi_end(dev, NULL);
}

static void read_policy(struct ipmi_dev *dev)
{
	ipmi_send(dev, &command_get_chassis_status, NULL, 0, on_policy, NULL);
}

static void on_policy_set(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	(void)data, (void)len;
	/* Set it is, whatever becomes of reading it. */
	pctl_op_taken(dev->call.op);
	read_policy(dev);
}

static void run_policy(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct ipmi_dev *dev = data;

	(void)records_begin(dev, op, sizeof(struct records), ret);
	if (pctl_argument_given(args, "set")) {
		uint8_t policy = (uint8_t)pctl_argument_choice(args, "set");
		ipmi_send(dev, &command_set_power_restore_policy, &policy, 1, on_policy_set, NULL);
	} else {
		read_policy(dev);
	}
}

/* --- restart-cause ---------------------------------------------------------------------------- */

static void on_cause(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	struct pctl_value *ret = records_of(dev)->ret;
	const char *name = chassis_restart_cause(data[0] & 0xf);

	(void)len;
	pctl_value_set_text(ret, "restart_cause", name ? name : "unknown");
	pctl_value_set_int(ret, "channel", data[1]);
	ipmi_end(dev, NULL);
}

static void run_cause(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct ipmi_dev *dev = data;

	(void)args;
	(void)records_begin(dev, op, sizeof(struct records), ret);
	ipmi_send(dev, &command_get_restart_cause, NULL, 0, on_cause, NULL);
}

/* --- raw: a command of the caller's. ---------------------------------------------------------- */

static const char *const privileges[] = { "user", "operator", "admin", NULL };

static const struct pctl_property raw_parameters[] = {
	PCTL_PROPERTY(.name = "netfn", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_REQUIRED,
		.help = "network function, in hex: 06"),
	PCTL_PROPERTY(.name = "command", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_REQUIRED,
		.help = "command, in hex: 01"),
	PCTL_PROPERTY(.name = "data", .type = PCTL_TYPE_TEXT, .default_text = "",
		.help = "bytes of the request, in hex: '00 1f' or 001f"),
	PCTL_PROPERTY(.name = "privilege", .type = PCTL_TYPE_CHOICE, .choices = privileges,
		.default_text = "admin", .help = "rights to log in with"),
	{ .name = NULL },
};

struct raw {
	struct records records;
	struct command command;
};

static void on_raw(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	char hex[3 * 256];

	text_hex(data, len, " ", hex, sizeof(hex));
	pctl_value_set_text(records_of(dev)->ret, "data", hex);
	ipmi_end(dev, NULL);
}

/* One run of digits, two a byte; "6" alone is a byte as well. Returns where it ends, or NULL. */
static const char *parse_run(const char *s, uint8_t *out, size_t *n, size_t size)
{
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		s += 2;
	size_t len = strcspn(s, " ,");
	if (len == 0 || (len % 2 && len != 1) || (len + 1) / 2 > size - *n)
		return NULL;
	for (size_t i = 0; i < len; i += len == 1 ? 1 : 2) {
		int high = len == 1 ? 0 : text_hex_digit(s[i]);
		int low = text_hex_digit(len == 1 ? s[i] : s[i + 1]);

		if (high < 0 || low < 0)
			return NULL;
		out[(*n)++] = (uint8_t)(high << 4 | low);
	}
	return s + len;
}

/* At most size bytes; returns how many, or -1 for what is not hex. */
static int parse_bytes(const char *text, uint8_t *out, size_t size)
{
	size_t n = 0;

	for (text += strspn(text, " ,"); *text; text += strspn(text, " ,")) {
		text = parse_run(text, out, &n, size);
		if (!text)
			return -1;
	}
	return (int)n;
}

static int parse_byte(const char *text)
{
	uint8_t byte;

	return parse_bytes(text, &byte, 1) == 1 ? byte : -1;
}

static void run_raw(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct ipmi_dev *dev = data;
	struct raw *r = records_begin(dev, op, sizeof(*r), ret);
	int netfn = parse_byte(pctl_argument_text(args, "netfn"));
	int cmd = parse_byte(pctl_argument_text(args, "command"));
	uint8_t bytes[COMMAND_DATA_MAX];
	int n = parse_bytes(pctl_argument_text(args, "data"), bytes, sizeof(bytes));

	if (netfn < 0 || netfn > 0x3e || netfn % 2) {
		ipmi_fail(dev, PCTL_E_CONFIG,
			"netfn: is an even number from 00 to 3e in hex: odd ones are answers");
	} else if (cmd < 0) {
		ipmi_fail(dev, PCTL_E_CONFIG, "command: is a number from 00 to ff in hex");
	} else if (n < 0) {
		ipmi_fail(dev, PCTL_E_CONFIG,
			"data: is at most %u bytes of two hex digits: '00 1f'", COMMAND_DATA_MAX);
	} else {
		/* What it does is not known here: it counts as a change that acts each time. */
		r->command = (struct command){
			.name = "raw command",
			.netfn = (uint8_t)netfn,
			.cmd = (uint8_t)cmd,
			.privilege =
				(uint8_t)(PRIVILEGE_USER + pctl_argument_choice(args, "privilege")),
			.flags = COMMAND_CHANGES | COMMAND_ONCE | COMMAND_PRIVATE,
		};
		ipmi_send(dev, &r->command, bytes, (size_t)n, on_raw, NULL);
	}
}

/* --- The table. ------------------------------------------------------------------------------- */

static const char *const reset_kinds[] = { "cold", "warm", NULL };

static const struct pctl_property reset_parameters[] = {
	PCTL_PROPERTY(.name = "kind", .type = PCTL_TYPE_CHOICE, .choices = reset_kinds,
		.default_text = "cold",
		.help = "cold: begins from nothing; warm: keeps what it can, where there is that"),
	{ .name = NULL },
};

const struct pctl_method ipmi_methods[] = {
	{
		.size = sizeof(struct pctl_method),
		.flags = PCTL_METHOD_CHANGES | PCTL_METHOD_REPEATABLE | PCTL_METHOD_READS_BARE,
		.name = "policy",
		.help = "what the machine does when mains power comes back",
		.parameters = policy_parameters,
		.run = run_policy,
	},
	{
		.size = sizeof(struct pctl_method),
		.name = "restart-cause",
		.help = "why the machine last started",
		.run = run_cause,
	},
	{
		.size = sizeof(struct pctl_method),
		.flags = PCTL_METHOD_CHANGES,
		.name = "bmc-reset",
		.help = "start the BMC anew and wait for it; the machine itself goes on",
		.parameters = reset_parameters,
		.limit_ms = RESET_LIMIT_MS,
		.run = reset_run,
	},
	{
		.size = sizeof(struct pctl_method),
		.flags = PCTL_METHOD_CHANGES | PCTL_METHOD_DISRUPTS | PCTL_METHOD_CONFIRM,
		.name = "raw",
		.help = "send one IPMI command and show its answer",
		.parameters = raw_parameters,
		.run = run_raw,
	},
	{ .name = NULL },
};
