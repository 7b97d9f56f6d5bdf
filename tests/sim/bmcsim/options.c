/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <string.h>

#include "knobs.h"

enum { PASSWORD_MAX = 20 };

#define AT(member) offsetof(struct options, member)

static const struct option options[] = {
	{ "devices", "N", OPTION_NUMBER, AT(devices), 1, 100000, "how many BMCs (8)" },
	{ "address", "A", OPTION_TEXT, AT(address), 0, 0,
		"address of the first one; the others count up from it (127.0.0.1)" },
	{ "by-port", NULL, OPTION_FLAG, AT(by_port), 0, 0,
		"all on one address, told apart by their ports" },
	{ "port", "P", OPTION_NUMBER, AT(port), 0, 65535,
		"UDP port (623); 0: the kernel gives one; by port: P, P+1, P+2, ..." },
	{ "control", "PORT", OPTION_NUMBER, AT(control), 0, 65535,
		"control port on 127.0.0.1 (0: the kernel gives one)" },
	{ "password", "WORD", OPTION_PASSWORD_WORD, AT(password), 0, 0,
		"of admin, operator and user (secret)" },
	{ "password-file", "FILE", OPTION_PASSWORD_FILE, AT(password), 0, 0,
		"the same, first line of a file" },
	{ "state", "WORD", OPTION_TEXT, AT(state), 0, 0, "initial power: off or on (off)" },
	{ "set", "DEV:KNOB=VALUE", OPTION_SET, AT(sets), 0, 0,
		"set a knob of device DEV (5, 3-5 or all); again for more" },
	{ "ready-fd", "N", OPTION_NUMBER, AT(ready_fd), 0, 1023,
		"write the ready line to descriptor N instead of stdout" },
	{ "quiet", NULL, OPTION_FLAG, AT(quiet), 0, 0, "no ready line" },
	{ "seed", "N", OPTION_NUMBER, AT(seed), 0, UINT32_MAX,
		"other GUIDs and serial numbers than those of seed 1" },
	{ "knobs", NULL, OPTION_KNOBS, 0, 0, 0, "list the knobs and leave" },
	{ "help", NULL, OPTION_HELP, 0, 0, 0, "this text" },
};

static const char about[] =
	"A fleet of stand-ins for BMCs: IPMI 1.5 and 2.0 over LAN, power and boot control, event\n"
	"log, sensors, inventory, serial console, and knobs for everything that goes wrong.\n"
	"When all ports are open, one line of JSON on stdout says where. SIGTERM ends it.\n";

static const char examples[] =
	"  powerctl-bmcsim --devices 3 --address 127.0.0.11 --port 6230 --state on\n"
	"  powerctl-bmcsim --by-port --port 0 --set 2:control_delay_ms=1500\n"
	"  powerctl-bmcsim --port 0 --set all:suites=17 --set 3-5:drop_percent=10\n"
	"  curl -s http://127.0.0.1:CONTROL/devices/1\n"
	"  curl -s -X PUT -d busy_next=2 http://127.0.0.1:CONTROL/devices/3-5\n";

static const struct option_table table = { "powerctl-bmcsim", options, COUNT(options), about,
	examples, &knobs_table };

static enum option_result check(const struct options *o)
{
	if (strcmp(o->state, "on") != 0 && strcmp(o->state, "off") != 0)
		return option_complain(&table, "--state is on or off, not ", o->state);
	if (strlen(o->password) > PASSWORD_MAX)
		return option_complain(&table, "a password has 1 to 20 characters", "");
	if (o->by_port && o->port && o->port + o->devices - 1 > 65535)
		return option_complain(&table, "not that many ports behind --port", "");
	return OPTION_RUN;
}

enum option_result options_parse(struct options *o, int argc, char **argv)
{
	*o = (struct options){
		.devices = 8,
		.address = "127.0.0.1",
		.port = 623,
		.password = "secret",
		.state = "off",
		.ready_fd = 1,
		.seed = 1,
	};

	enum option_result r = option_parse(&table, o, argc, argv);

	return r == OPTION_RUN ? check(o) : r;
}
