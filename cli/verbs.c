/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs that the engine does: each row says what it takes, all go through the runner. */
#include <string.h>

#include <powerctl/parse.h>

#include "choice.h"
#include "command.h"
#include "log_follow.h"
#include "run.h"
#include "say.h"
#include "since.h"

/* --- Arguments. ------------------------------------------------------------------------------- */

static const char *const boot_choices[] = { "pxe", "disk", "cd", "usb", "bios", "diag", "http",
	"recovery", "none", NULL };
static const char *const start_choices[] = { "pxe", "disk", "cd", "usb", "bios", "diag", "http",
	"recovery", NULL };

static int parse_device(const struct cli *cli, struct pctl_boot *boot)
{
	bool start = cli->command == &command_boot;
	const char *const *choices = start ? start_choices : boot_choices;

	if (choose(cli, "boot device", choices) < 0)
		return CLI_USAGE;
	boot->device = (enum pctl_boot_device)pctl_boot_device_from_name(cli->args[0]);
	return CLI_OK;
}

static int parse_boot(const struct cli *cli, struct pctl_boot *boot)
{
	const struct options *o = &cli->options;

	boot->size = sizeof(*boot);
	boot->persistent = o->persistent;
	boot->url = o->url;
	if (o->legacy || o->uefi)
		boot->mode = o->legacy ? PCTL_BOOT_MODE_LEGACY : PCTL_BOOT_MODE_UEFI;
	boot->device = PCTL_BOOT_PXE;
	if (cli->command != &command_pxeboot && parse_device(cli, boot) != CLI_OK)
		return CLI_USAGE;
	if (boot->device == PCTL_BOOT_HTTP && !boot->url) {
		say("http needs to know what to load: add --url URL");
		return CLI_USAGE;
	}
	if (boot->device != PCTL_BOOT_HTTP && boot->url) {
		say("--url goes with http only: leave it out, or choose http");
		return CLI_USAGE;
	}
	if (o->no_url_check && !boot->url) {
		say("--no-url-check goes with http and --url only: leave it out, or choose http");
		return CLI_USAGE;
	}
	boot->flags |= o->no_url_check ? PCTL_BOOT_UNCHECKED : 0;
	return CLI_OK;
}

static int parse_state(const struct cli *cli, struct pctl_request *request)
{
	static const char *const choices[] = { "on", "off", "sleep", "hibernate", "ready", NULL };
	static const enum pctl_power_state states[] = { PCTL_POWER_ON, PCTL_POWER_OFF,
		PCTL_POWER_SLEEP, PCTL_POWER_HIBERNATE };
	int i = choose(cli, "state to wait for", choices);

	if (i < 0)
		return CLI_USAGE;
	if (strcmp(cli->args[0], "ready") == 0)
		request->verb = PCTL_VERB_WAIT_READY;
	else
		request->wait_state = states[i];
	return CLI_OK;
}

static int parse_until(const struct cli *cli, struct pctl_request *request)
{
	const char *word = cli->options.until;

	request->until_ready = word && strcmp(word, "ready") == 0;
	if (!word || request->until_ready)
		return CLI_OK;
	say("--until: '%s' is nothing to wait for; it is one of: ready", word);
	return CLI_USAGE;
}

/* --- Execution. ------------------------------------------------------------------------------- */

/* since: SINCE_CHARS + 1, which live as long as request. */
static int fill_filters(const struct cli *cli, struct pctl_request *request, char *since)
{
	const struct options *o = &cli->options;

	if ((o->since || o->lines) && o->clear) {
		say("--clear empties all of a log: leave --since and -n out");
		return CLI_USAGE;
	}
	if ((o->since || o->lines || o->kind) && o->follow) {
		say("--follow shows all that comes: leave --since, -n and --kind out");
		return CLI_USAGE;
	}
	request->log_source = o->kind;
	request->log_newest = o->lines;
	int status = since_read(o->since, since);
	request->log_since = o->since ? since : NULL;
	return status;
}

static int fill_log(const struct cli *cli, struct pctl_request *request, char *since)
{
	int status = fill_filters(cli, request, since);

	if (status != CLI_OK)
		return status;
	request->log_new = cli->options.log_new;
	if (cli->options.every_ms && !cli->options.follow) {
		say("--every goes with --follow: powerctl log --follow --every 30s NODES");
		return CLI_USAGE;
	}
	if (!cli->options.clear)
		return CLI_OK;
	request->verb = PCTL_VERB_LOG_CLEAR;
	if (cli->nargs > 0 || cli->options.all)
		return CLI_OK;
	say("no NODES are given: powerctl log --clear NODES (-a for all)");
	return CLI_USAGE;
}

static int fill(const struct cli *cli, struct pctl_request *request, char *since)
{
	switch (request->verb) {
	case PCTL_VERB_BOOTDEV:
		if (cli->options.show) {
			request->verb = PCTL_VERB_BOOTDEV_SHOW;
			return CLI_OK;
		}
		return parse_boot(cli, &request->boot);
	case PCTL_VERB_BOOT:
		return parse_boot(cli, &request->boot);
	case PCTL_VERB_WAIT:
		return parse_state(cli, request);
	case PCTL_VERB_IDENTIFY:
		request->identify_off = cli->options.off;
		return CLI_OK;
	case PCTL_VERB_LOG:
		return fill_log(cli, request, since);
	default:
		return CLI_OK;
	}
}

/* What was shown counts as looked at, and what could not be shown does not. */
static void remember_looks(struct cli *cli)
{
	if (cli->output_fault)
		pctl_core_forget_looks(cli_core(cli));
}

/* `bootdev --show pxe n1`, `log clear n1`: the words before NODES are read as nodes. */
static void hint_at_words(const struct cli *cli)
{
	static const char *const log_options[] = { "new", "clear", "follow", NULL };

	if (cli->command == &command_log && cli->nargs > 0 &&
		pctl_parse_choice(cli->args[0], log_options) >= 0)
		say("'%s' is an option here: powerctl log --%s NODES", cli->args[0], cli->args[0]);
	if (cli->options.show && cli->nargs > 0 &&
		pctl_parse_choice(cli->args[0], boot_choices) >= 0)
		say("with --show no DEVICE is given: powerctl %s --show NODES", cli->command->name);
}

static int exec_verb(struct cli *cli)
{
	struct pctl_request request = run_request_from(cli, cli->command->verb);
	size_t arguments = cli->options.show ? 0 : cli->command->arguments;
	struct selection selection;
	char since[SINCE_CHARS + 1];

	int status = parse_until(cli, &request);
	if (status == CLI_OK)
		status = fill(cli, &request, since);
	if (status == CLI_OK)
		status = select_nodes(cli, cli->args + arguments, &selection);
	if (status != CLI_OK) {
		hint_at_words(cli);
		return status;
	}
	if (cli->options.follow)
		status = log_follow(cli, &selection);
	else
		status = run_request(cli, &selection, &request, NULL);
	selection_done(&selection);
	if (cli->command == &command_log)
		remember_looks(cli);
	return status;
}

/* --- Rows. ------------------------------------------------------------------------------------ */

#define STARTS   OPTION_NO_WAIT, OPTION_UNTIL, OPTION_MAX_AT_ONCE, OPTION_STAGGER, OPTION_CONSENT_CODE
#define BOOT_HOW OPTION_PERSISTENT, OPTION_LEGACY, OPTION_UEFI
#define BOOT     BOOT_HOW, OPTION_URL, OPTION_NO_URL_CHECK
#define DEVICES  "DEVICE is pxe, disk, cd, usb, bios, diag, recovery or http (with --url)."

const struct command command_status = {
	.name = "status",
	.usage = "[NODES]",
	.summary = "read the power state from the hardware",
	.help = "Reads the state of NODES, without NODES of all, from the hardware now: on, off, "
		"sleep,\nhibernate or unknown. A machine that cannot be reached is unknown, never "
		"off.\nWith --metrics they are written as Prometheus reads them, with -o into a "
		"file for the\ntextfile collector of its node_exporter.",
	.flags = COMMAND_NODES | COMMAND_ALL,
	.options = OPTIONS(OPTIONS_RUN, OPTION_METRICS, OPTION_OUTPUT),
	.exec = exec_verb,
	.verb = PCTL_VERB_STATUS,
};

const struct command command_on = {
	.name = "on",
	.usage = "NODES",
	.summary = "turn on, and wait until it reads on",
	.help = "What is on already is left alone and counts as success.",
	.flags = COMMAND_NODES,
	.options = OPTIONS(OPTIONS_CHANGE, STARTS, OPTION_WITH_CHILDREN),
	.exec = exec_verb,
	.verb = PCTL_VERB_ON,
};

const struct command command_off = {
	.name = "off",
	.usage = "NODES",
	.summary = "turn off, and wait until it reads off",
	.help = "Takes the power away (hard). With --soft the operating system is asked to shut "
		"down;\nwith --force-after as well, power is taken away when it has not done so "
		"in that time.\nSuccess means that the hardware said off.",
	.flags = COMMAND_NODES,
	.options = OPTIONS(OPTIONS_DISRUPT, OPTION_NO_WAIT, OPTION_SOFT, OPTION_FORCE_AFTER,
		OPTION_WITH_CHILDREN, OPTION_END_SESSIONS),
	.exec = exec_verb,
	.verb = PCTL_VERB_OFF,
};

const struct command command_reboot = {
	.name = "reboot",
	.usage = "NODES",
	.summary = "power cycle; turn on what is off",
	.help = "What is on is power cycled and read on again; what is off is turned on. With "
		"--soft the\noperating system is asked to restart.",
	.flags = COMMAND_NODES,
	.options = OPTIONS(OPTIONS_DISRUPT, STARTS, OPTION_SOFT, OPTION_END_SESSIONS),
	.exec = exec_verb,
	.verb = PCTL_VERB_REBOOT,
};

const struct command command_cycle = {
	.name = "cycle",
	.usage = "NODES",
	.summary = "power cycle; an error for what is off",
	.help = "As reboot, but a machine that is off is an error; --on-if-off turns it on.",
	.flags = COMMAND_NODES,
	.options = OPTIONS(
		OPTIONS_DISRUPT, STARTS, OPTION_ON_IF_OFF, OPTION_SOFT, OPTION_END_SESSIONS),
	.exec = exec_verb,
	.verb = PCTL_VERB_CYCLE,
};

const struct command command_ac_cycle = {
	.name = "ac-cycle",
	.usage = "NODES",
	.summary = "take mains power away and give it back",
	.help = "Turns all outlets of a node off, waits until they read off and for the time of "
		"`outage`,\nturns them on, waits for the management processor and turns the "
		"machine "
		"on again if it\nwas on. Without outlets: where the driver can do it.",
	.flags = COMMAND_NODES,
	.options = OPTIONS(OPTIONS_DISRUPT, STARTS),
	.exec = exec_verb,
	.verb = PCTL_VERB_AC_CYCLE,
};

const struct command command_reset = {
	.name = "reset",
	.usage = "NODES",
	.summary = "reset without taking the power away",
	.help = "A machine that is off is an error; --on-if-off turns it on.",
	.flags = COMMAND_NODES,
	.options = OPTIONS(OPTIONS_DISRUPT, STARTS, OPTION_ON_IF_OFF),
	.exec = exec_verb,
	.verb = PCTL_VERB_RESET,
};

const struct command command_bootdev = {
	.name = "bootdev",
	.usage = "DEVICE NODES",
	.summary = "set what the next start boots from",
	.help = DEVICES " `none` takes back what was set.\nPower is not touched. Where a device "
			"takes the setting only together with a power action, it is\nheld until "
			"the next one and the answer says so. --show reads what is set:\n"
			"powerctl bootdev --show NODES.",
	.flags = COMMAND_NODES | COMMAND_NO_ARGUMENT,
	.arguments = 1,
	.options = OPTIONS(OPTIONS_CHANGE, BOOT, OPTION_SHOW, OPTION_CONSENT_CODE),
	.exec = exec_verb,
	.verb = PCTL_VERB_BOOTDEV,
};

const struct command command_boot = {
	.name = "boot",
	.usage = "DEVICE NODES",
	.summary = "boot from a device now: reboot, or turn on",
	.help = DEVICES
	"\nSets what the next start boots from, then resets what is on and turns on "
	"what is off.",
	.flags = COMMAND_NODES,
	.arguments = 1,
	.options = OPTIONS(OPTIONS_DISRUPT, STARTS, BOOT),
	.exec = exec_verb,
	.verb = PCTL_VERB_BOOT,
};

const struct command command_pxeboot = {
	.name = "pxeboot",
	.usage = "NODES",
	.summary = "boot from the network now",
	.help = "The same as `boot pxe`.",
	.flags = COMMAND_NODES,
	.options = OPTIONS(OPTIONS_DISRUPT, STARTS, BOOT_HOW),
	.exec = exec_verb,
	.verb = PCTL_VERB_BOOT,
};

const struct command command_nmi = {
	.name = "nmi",
	.usage = "NODES",
	.summary = "send a non-maskable interrupt (crash dump)",
	.help = "What the operating system makes of it is its own matter: often a crash dump.",
	.flags = COMMAND_NODES,
	.options = OPTIONS(OPTIONS_DISRUPT),
	.exec = exec_verb,
	.verb = PCTL_VERB_NMI,
};

const struct command command_sleep = {
	.name = "sleep",
	.usage = "NODES",
	.summary = "put to sleep",
	.help = "Ends when the device has accepted; `powerctl wait sleep NODES` waits for it.",
	.flags = COMMAND_NODES,
	.options = OPTIONS(OPTIONS_DISRUPT),
	.exec = exec_verb,
	.verb = PCTL_VERB_SLEEP,
};

const struct command command_identify = {
	.name = "identify",
	.usage = "NODES",
	.summary = "turn the identify light on (--off: off)",
	.help = "For finding a machine in its rack.",
	.flags = COMMAND_NODES,
	.options = OPTIONS(OPTIONS_RUN, OPTION_OFF),
	.exec = exec_verb,
	.verb = PCTL_VERB_IDENTIFY,
};

const struct command command_wait = {
	.name = "wait",
	.usage = "STATE NODES",
	.summary = "wait until a state is reached, or the machine is ready",
	.help = "STATE is on, off, sleep, hibernate or ready. Nothing is sent but questions. "
		"`ready` asks "
		"the\nmachine itself, not its management processor: the test that stands under "
		"`ready:` in the\ninventory passes, a TCP port or a command (powerctl.yaml(5)).",
	.flags = COMMAND_NODES,
	.arguments = 1,
	.options = OPTIONS(OPTIONS_RUN),
	.exec = exec_verb,
	.verb = PCTL_VERB_WAIT,
};

const struct command command_info = {
	.name = "info",
	.usage = "[NODES]",
	.summary = "identity and firmware",
	.help = "What the management processor says of the machine and of itself.",
	.flags = COMMAND_NODES | COMMAND_ALL,
	.options = OPTIONS(OPTIONS_RUN),
	.exec = exec_verb,
	.verb = PCTL_VERB_INFO,
};

const struct command command_hardware = {
	.name = "hardware",
	.usage = "[NODES]",
	.summary = "what the machine is made of",
	.help = "Processors, memory, disks and boards, as far as the management processor knows "
		"them.",
	.flags = COMMAND_NODES | COMMAND_ALL,
	.options = OPTIONS(OPTIONS_RUN),
	.exec = exec_verb,
	.verb = PCTL_VERB_HARDWARE,
};

const struct command command_caps = {
	.name = "caps",
	.usage = "[NODES]",
	.summary = "what can be done with the machine",
	.help = "What its driver, those of its interfaces and its feeds can do; nothing is asked "
		"over the network.\nWhat a device has shown before that it does not have is left "
		"out.",
	.flags = COMMAND_NODES | COMMAND_ALL,
	.options = OPTIONS(OPTIONS_RUN),
	.exec = exec_verb,
	.verb = PCTL_VERB_CAPS,
};

const struct command command_log = {
	.name = "log",
	.usage = "[NODES]",
	.summary = "what the device has noted (--new: since you last looked)",
	.help = "The events of the device's own log, oldest first, times in UTC. --new leaves out "
		"what "
		"was there\nwhen you last looked, with or without --new. --follow begins as --new "
		"does and goes on with\nwhat comes, until ^C; a node that cannot be read is named "
		"once and tried again.\n--since and -n choose among them, --kind of a device with "
		"several logs one: what is shown so\n"
		"does not count as looked at. --clear empties the log, of several all, and asks "
		"first: what\n"
		"was in it is gone.",
	.flags = COMMAND_NODES | COMMAND_ALL,
	.options = OPTIONS(OPTIONS_CHANGE, OPTION_YES, OPTION_FOLLOW, OPTION_EVERY, OPTION_NEW,
		OPTION_SINCE, OPTION_LINES, OPTION_KIND, OPTION_CLEAR),
	.exec = exec_verb,
	.verb = PCTL_VERB_LOG,
};

const struct command command_sensors = {
	.name = "sensors",
	.usage = "[NODES]",
	.summary = "temperatures, fans, voltages and the like",
	.help = "What the management processor measures: name, value, state, and what is wrong. "
		"Limits are in\n--json.",
	.flags = COMMAND_NODES | COMMAND_ALL,
	.options = OPTIONS(OPTIONS_RUN),
	.exec = exec_verb,
	.verb = PCTL_VERB_SENSORS,
};
