/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory/rules.h"

#include <stddef.h>

#include <powerctl/inventory.h>

#define END                 \
	{                   \
		.key = NULL \
	}

static const char *const trust_words[] = { "first-use", "strict", NULL };

static const struct pctl_rule timeouts[] = {
	{ .key = "connect",
		.help = "for a connection (3 s, or the driver's own)",
		.shape = PCTL_SHAPE_DURATION },
	{ .key = "answer", .help = "for one answer (10 s)", .shape = PCTL_SHAPE_DURATION },
	{ .key = "read", .help = "for verbs that only read (15 s)", .shape = PCTL_SHAPE_DURATION },
	{ .key = "confirm",
		.help = "until on, off, reset or boot is confirmed (120 s)",
		.shape = PCTL_SHAPE_DURATION },
	{ .key = "reboot",
		.help = "until reboot or cycle is confirmed (240 s)",
		.shape = PCTL_SHAPE_DURATION },
	{ .key = "soft",
		.help = "with --soft, and for wait (300 s)",
		.shape = PCTL_SHAPE_DURATION },
	{ .key = "verify",
		.help = "how long an action whose answer was lost is looked for (10 s)",
		.shape = PCTL_SHAPE_DURATION },
	{ .key = "poll",
		.help = "the first look for a state; they grow to ten times that (500 ms)",
		.shape = PCTL_SHAPE_DURATION },
	{ .key = "ready",
		.help = "for wait ready, and what --until ready adds (300 s)",
		.shape = PCTL_SHAPE_DURATION },
	{ .key = "outage",
		.help = "how long outlets stay off when power is taken away (5 s)",
		.shape = PCTL_SHAPE_DURATION },
	{ .key = "return",
		.help = "until the management processor answers with its power back (180 s)",
		.shape = PCTL_SHAPE_DURATION },
	END,
};

static const struct pctl_rule defaults[] = {
	{ .key = "fanout",
		.help = "nodes at a time (512)",
		.shape = PCTL_SHAPE_UINT,
		.max = PCTL_FANOUT_MAX },
	{ .key = "confirm_above",
		.help = "verbs that disrupt more nodes than this ask first (50)",
		.shape = PCTL_SHAPE_UINT,
		.max = UINT32_MAX },
	{ .key = "timeout", .help = "for one node's whole verb", .shape = PCTL_SHAPE_DURATION },
	{ .key = "deadline", .help = "for a whole command", .shape = PCTL_SHAPE_DURATION },
	{ .key = "timeouts",
		.help = "durations of single steps",
		.shape = PCTL_SHAPE_MAP,
		.members = timeouts },
	END,
};

/* As via.c reads it; what a user or host may be made of only that checks. */
#define PORT \
	"0*([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
#define VIA "^(direct|(socks5|ssh)://(.*@)?([^:@/]+|\\[[^\\]]+\\])(:" PORT ")?)$"

static const struct pctl_rule ready[] = {
	{ .key = "tcp",
		.help = "a port that is open when the machine is of use",
		.shape = PCTL_SHAPE_UINT,
		.max = 65535 },
	{ .key = "command",
		.help = "a program and its arguments that ends with status 0 then",
		.shape = PCTL_SHAPE_TEXTS },
	{ .key = "host",
		.help = "where the port is, if not at the node's name",
		.shape = PCTL_SHAPE_TEXT },
	{ .key = "timeout", .help = "what one try may take", .shape = PCTL_SHAPE_DURATION },
	END,
};

/* A single interface from another driver. */
static const struct pctl_rule interface[] = {
	{ .key = "driver", .help = "the driver that this comes from", .shape = PCTL_SHAPE_TEXT },
	{ .key = "credential", .help = "one of credentials", .shape = PCTL_SHAPE_TEXT },
	{ .key = "address", .help = "if it is not the node's", .shape = PCTL_SHAPE_TEXT },
	{ .key = "timeouts",
		.help = "durations of single steps",
		.shape = PCTL_SHAPE_MAP,
		.members = timeouts },
	END,
};

static const struct pctl_rule any_feed = {
	.key = "", .shape = PCTL_SHAPE_MAP, .members = interface, .unknown = PCTL_UNKNOWN_DRIVERS
};

static const struct pctl_rule node[] = {
	{ .key = "driver",
		.help = "how its management processor is talked to; `powerctl drivers` lists them",
		.shape = PCTL_SHAPE_TEXT },
	{ .key = "class",
		.help = "one of classes: settings that several nodes share",
		.shape = PCTL_SHAPE_TEXT },
	{ .key = "credential", .help = "one of credentials", .shape = PCTL_SHAPE_TEXT },
	{ .key = "address",
		.help = "name or number of its management processor; ranges are quoted",
		.shape = PCTL_SHAPE_TEXT },
	{ .key = "tags",
		.help = "a list; %TAG selects the nodes with one",
		.shape = PCTL_SHAPE_TEXTS },
	{ .key = "ready",
		.help = "how to see that the machine itself is of use",
		.shape = PCTL_SHAPE_MAP,
		.members = ready },
	{ .key = "maintenance",
		.help = "a reason: the node is skipped",
		.shape = PCTL_SHAPE_REASON },
	{ .key = "protected",
		.help = "a reason: verbs that disrupt refuse it",
		.shape = PCTL_SHAPE_REASON },
	{ .key = "trust",
		.help = "first-use, or only what an authority vouches for or is known",
		.shape = PCTL_SHAPE_CHOICE,
		.choices = trust_words },
	{ .key = "via",
		.help = "how its TCP ports are reached: direct, socks5://GATEWAY, ssh://GATEWAY",
		.pattern = VIA,
		.shape = PCTL_SHAPE_TEXT },
	{ .key = "via_credential",
		.help = "one of credentials: the login at a socks5:// gateway",
		.shape = PCTL_SHAPE_TEXT },
	{ .key = "parent",
		.help = "the node that this one stands in and gets its power from",
		.shape = PCTL_SHAPE_TEXT },
	{ .key = "power",
		.help = "what powers it: [bmc, {driver: NAME, ...}, ...]",
		.shape = PCTL_SHAPE_FEEDS,
		.each = &any_feed },
	/* Refused, with its reason. */
	{ .key = "boot", .help = "always from the node's own driver", .shape = PCTL_SHAPE_ANY },
	{ .key = "console",
		.help = "the console from another driver",
		.shape = PCTL_SHAPE_MAP,
		.members = interface,
		.unknown = PCTL_UNKNOWN_DRIVERS },
	{ .key = "display",
		.help = "the screen from another driver",
		.shape = PCTL_SHAPE_MAP,
		.members = interface,
		.unknown = PCTL_UNKNOWN_DRIVERS },
	{ .key = "identify",
		.help = "the light from another driver",
		.shape = PCTL_SHAPE_MAP,
		.members = interface,
		.unknown = PCTL_UNKNOWN_DRIVERS },
	{ .key = "inspect",
		.help = "info and hardware from another driver",
		.shape = PCTL_SHAPE_MAP,
		.members = interface,
		.unknown = PCTL_UNKNOWN_DRIVERS },
	{ .key = "log",
		.help = "the event log from another driver",
		.shape = PCTL_SHAPE_MAP,
		.members = interface,
		.unknown = PCTL_UNKNOWN_DRIVERS },
	{ .key = "sensors",
		.help = "the sensors from another driver",
		.shape = PCTL_SHAPE_MAP,
		.members = interface,
		.unknown = PCTL_UNKNOWN_DRIVERS },
	{ .key = "timeouts",
		.help = "durations of single steps",
		.shape = PCTL_SHAPE_MAP,
		.members = timeouts },
	END,
};

static const struct pctl_rule credential[] = {
	{ .key = "username", .help = "the user", .shape = PCTL_SHAPE_TEXT },
	{ .key = "password",
		.help = "the password itself: then nobody else may read this file",
		.shape = PCTL_SHAPE_TEXT },
	{ .key = "password_file",
		.help = "a file that holds the password, which others cannot read",
		.shape = PCTL_SHAPE_TEXT },
	{ .key = "password_env",
		.help = "a variable of the environment that holds it",
		.shape = PCTL_SHAPE_TEXT },
	{ .key = "password_command",
		.help = "a program and its arguments that prints it; no shell",
		.shape = PCTL_SHAPE_TEXTS },
	END,
};

static const struct pctl_rule limit[] = {
	{ .key = "max_at_once",
		.help = "so many start at once; 0: any number",
		.shape = PCTL_SHAPE_UINT,
		.max = UINT32_MAX },
	{ .key = "stagger",
		.help = "the least time between two starts",
		.shape = PCTL_SHAPE_DURATION },
	END,
};

static const struct pctl_rule hook[] = {
	{ .key = "before",
		.help = "verbs that it runs before: [off, reboot]; any, start: several; if it "
			"fails, "
			"nothing is sent to the node",
		.shape = PCTL_SHAPE_TEXT_OR_TEXTS },
	{ .key = "after",
		.help = "verbs that it runs after; if it fails, that is a warning",
		.shape = PCTL_SHAPE_TEXT_OR_TEXTS },
	{ .key = "run",
		.help = "the program, or it and its arguments; no shell",
		.shape = PCTL_SHAPE_TEXT_OR_TEXTS },
	{ .key = "timeout",
		.help = "how long it may take for one node (60 s)",
		.shape = PCTL_SHAPE_DURATION },
	{ .key = "nodes",
		.help = "for which nodes, groups, tags; without nodes and classes for all",
		.shape = PCTL_SHAPE_TEXT_OR_TEXTS },
	{ .key = "classes",
		.help = "for the nodes of which classes, beside those of nodes",
		.shape = PCTL_SHAPE_TEXT_OR_TEXTS },
	END,
};
static const struct pctl_rule any_hook = { .key = "", .shape = PCTL_SHAPE_MAP, .members = hook };

static const struct pctl_rule any_credential = { .key = "",
	.shape = PCTL_SHAPE_MAP,
	.members = credential,
	.unknown = PCTL_UNKNOWN_DRIVERS_BUT_TYPOS };
const struct pctl_rule pctl_node_rules = {
	.key = "", .shape = PCTL_SHAPE_MAP, .members = node, .unknown = PCTL_UNKNOWN_DRIVERS
};
static const struct pctl_rule any_group = { .key = "", .shape = PCTL_SHAPE_TEXT_OR_TEXTS };
static const struct pctl_rule source[] = {
	{ .key = "clustershell",
		.help = "true, or a place: ClusterShell's group sources",
		.shape = PCTL_SHAPE_TEXT },
	{ .key = "genders", .help = "a file as libgenders reads it", .shape = PCTL_SHAPE_TEXT },
	{ .key = "command",
		.help = "a program and its arguments that prints nodes and groups",
		.shape = PCTL_SHAPE_TEXTS },
	{ .key = "every",
		.help = "how old its last answer may get (5 m)",
		.shape = PCTL_SHAPE_DURATION },
	{ .key = "only_known",
		.help = "its groups lose what is no node",
		.shape = PCTL_SHAPE_BOOL },
	{ .key = "nodes",
		.help = "all nodes of the file are nodes here",
		.shape = PCTL_SHAPE_BOOL },
	{ .key = "address",
		.help = "the attribute that is a node's address",
		.shape = PCTL_SHAPE_TEXT },
	{ .key = "class",
		.help = "the attribute that is a node's class",
		.shape = PCTL_SHAPE_TEXT },
	{ .key = "driver",
		.help = "the attribute that is a node's driver",
		.shape = PCTL_SHAPE_TEXT },
	END,
};

const struct pctl_rule pctl_source_rules = {
	.key = "", .shape = PCTL_SHAPE_MAP, .members = source
};
static const struct pctl_rule any_limit = { .key = "", .shape = PCTL_SHAPE_MAP, .members = limit };

static const struct pctl_rule top[] = {
	{ .key = "defaults",
		.help = "what holds where nothing else is said",
		.shape = PCTL_SHAPE_MAP,
		.members = defaults },
	{ .key = "credentials",
		.help = "users and where their secrets are, by name",
		.shape = PCTL_SHAPE_MAP,
		.each = &any_credential },
	{ .key = "classes",
		.help = "settings that several nodes share, by name",
		.shape = PCTL_SHAPE_MAP,
		.each = &pctl_node_rules },
	{ .key = "nodes",
		.help = "the machines, by name or range",
		.shape = PCTL_SHAPE_MAP,
		.each = &pctl_node_rules },
	{ .key = "groups",
		.help = "names for sets of nodes: @NAME",
		.shape = PCTL_SHAPE_MAP,
		.each = &any_group },
	{ .key = "limits",
		.help = "how many machines of a group start at once",
		.shape = PCTL_SHAPE_MAP,
		.each = &any_limit },
	{ .key = "include",
		.help = "more files, or patterns for them",
		.shape = PCTL_SHAPE_TEXT_OR_TEXTS },
	{ .key = "sources",
		.help = "what else knows nodes and groups",
		.shape = PCTL_SHAPE_MAPS,
		.each = &pctl_source_rules },
	{ .key = "hooks",
		.help = "programs that run before and after verbs, by name",
		.shape = PCTL_SHAPE_MAP,
		.each = &any_hook },
	END,
};
const struct pctl_rule pctl_inventory_rules = {
	.key = "", .shape = PCTL_SHAPE_MAP, .members = top
};

static const struct pctl_rule answer_top[] = {
	{ .key = "nodes", .shape = PCTL_SHAPE_MAP, .each = &pctl_node_rules },
	{ .key = "classes", .shape = PCTL_SHAPE_MAP, .each = &pctl_node_rules },
	{ .key = "groups", .shape = PCTL_SHAPE_MAP, .each = &any_group },
	END,
};
const struct pctl_rule pctl_answer_rules = {
	.key = "", .shape = PCTL_SHAPE_MAP, .members = answer_top
};
