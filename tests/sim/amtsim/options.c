/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "knobs.h"
#include "rmcp.h"
#include "util.h"

static const struct option options[] = {
	{ "devices", "N", OPTION_NUMBER, OPTION_AT(fleet.devices), 1, 100000,
		"how many machines (8)" },
	OPTION_ROW_ADDRESS,
	OPTION_ROW_BY_PORT,
	{ "port", "P", OPTION_NUMBER, OPTION_AT(fleet.port), 0, 65535,
		"plain port (16992); 0: the kernel gives one; by port: P, P+2, P+4, ..." },
	{ "tls-port", "P", OPTION_NUMBER, OPTION_AT(web.tls_port), 0, 65535,
		"TLS port (16993), likewise" },
	{ "rmcp", "P", OPTION_NUMBER, OPTION_AT(rmcp), 0, 65535,
		"answer presence pings on this UDP port; 0: the kernel gives one" },
	OPTION_ROW_CONTROL,
	{ "user", "NAME", OPTION_TEXT, OPTION_AT(user), 0, 0, "who may log in (admin)" },
	{ "password", "WORD", OPTION_PASSWORD_WORD, OPTION_AT(fleet.password), 0, 0,
		"with which password (P@ssw0rd)" },
	OPTION_ROW_PASSWORD_FILE,
	{ "profile", "P", OPTION_TEXT, OPTION_AT(profile), 0, 0,
		"firmware: 8, 11, 12, 15 or 16.1 (12); 16.1 has no plain port" },
	{ "state", "WORD", OPTION_TEXT, OPTION_AT(fleet.state), 0, 0,
		"initial power: off, on, sleep, hibernate or a number (off)" },
	OPTION_ROW_SET,
	OPTION_ROW_READY_FD,
	OPTION_ROW_QUIET,
	WEB_OPTION_ROWS,
	{ "no-redirection", NULL, OPTION_FLAG, OPTION_AT(no_redirection), 0, 0,
		"no redirection ports, as in fleets of more than 1000" },
	{ "seed", "N", OPTION_NUMBER, OPTION_AT(fleet.seed), 0, UINT32_MAX,
		"other realms, UUIDs and serial numbers than those of seed 1" },
	OPTION_ROW_KNOBS,
	OPTION_ROW_HELP,
};

static const char about[] =
	"A fleet of stand-ins for Intel AMT machines: WS-Management over HTTP and HTTPS with\n"
	"Digest login, power and boot control, and knobs for everything that goes wrong.\n"
	"When all ports listen, one line of JSON on stdout says where. SIGTERM ends it.\n";

static const char examples[] =
	"  powerctl-amtsim --devices 3 --address 127.0.0.11 --state on\n"
	"  powerctl-amtsim --by-port --port 0 --tls-port 0 --set 2:latency_ms=300\n"
	"  powerctl-amtsim --set all:transition_ms=4000 --set 3-5:stale_every=3\n"
	"  curl -s http://127.0.0.1:CONTROL/devices/1\n"
	"  curl -s -X PUT -d e503_every=2 http://127.0.0.1:CONTROL/devices/3-5\n";

static const struct option_table table = { "powerctl-amtsim", options, COUNT(options), about,
	examples, &knobs_table };

enum option_result options_parse(struct options *o, int argc, char **argv)
{
	*o = (struct options){
		.fleet = {
			.devices = 8,
			.address = "127.0.0.1",
			.port = 16992,
			.password = "P@ssw0rd",
			.state = "off",
			.ready_fd = 1,
			.seed = 1,
		},
		.web.tls_port = 16993,
		.user = "admin",
		.profile = "12",
		.rmcp = RMCP_OFF,
	};

	enum option_result r = option_parse(&table, o, argc, argv);

	return r == OPTION_RUN ? web_check_options(&table, &o->fleet, &o->web) : r;
}
