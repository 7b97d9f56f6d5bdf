/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <string.h>

#include "knobs.h"

enum { PASSWORD_MAX = 20 };

static const struct option options[] = {
	{ "devices", "N", OPTION_NUMBER, OPTION_AT(fleet.devices), 1, 100000, "how many BMCs (8)" },
	OPTION_ROW_ADDRESS,
	OPTION_ROW_BY_PORT,
	{ "port", "P", OPTION_NUMBER, OPTION_AT(fleet.port), 0, 65535,
		"UDP port (623); 0: the kernel gives one; by port: P, P+1, P+2, ..." },
	OPTION_ROW_CONTROL,
	{ "password", "WORD", OPTION_PASSWORD_WORD, OPTION_AT(fleet.password), 0, 0,
		"of admin, operator and user (secret)" },
	OPTION_ROW_PASSWORD_FILE,
	{ "state", "WORD", OPTION_TEXT, OPTION_AT(fleet.state), 0, 0,
		"initial power: off or on (off)" },
	OPTION_ROW_SET,
	OPTION_ROW_READY_FD,
	OPTION_ROW_QUIET,
	{ "seed", "N", OPTION_NUMBER, OPTION_AT(fleet.seed), 0, UINT32_MAX,
		"other GUIDs and serial numbers than those of seed 1" },
	OPTION_ROW_KNOBS,
	OPTION_ROW_HELP,
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
	if (strcmp(o->fleet.state, "on") != 0 && strcmp(o->fleet.state, "off") != 0)
		return option_complain(&table, "--state is on or off, not ", o->fleet.state);
	if (strlen(o->fleet.password) > PASSWORD_MAX)
		return option_complain(&table, "a password has 1 to 20 characters", "");
	return option_check_ports(&table, &o->fleet, "--port", o->fleet.port, 1);
}

enum option_result options_parse(struct options *o, int argc, char **argv)
{
	*o = (struct options){
		.fleet = {
			.devices = 8,
			.address = "127.0.0.1",
			.port = 623,
			.password = "secret",
			.state = "off",
			.ready_fd = 1,
			.seed = 1,
		},
	};

	enum option_result r = option_parse(&table, o, argc, argv);

	return r == OPTION_RUN ? check(o) : r;
}
