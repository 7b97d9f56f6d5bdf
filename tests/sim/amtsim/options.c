/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include "knobs.h"
#include "util.h"

enum kind {
	KIND_FLAG,
	KIND_NUMBER,
	KIND_TEXT,
	KIND_PASSWORD,
	KIND_PASSWORD_FILE,
	KIND_SET,
	KIND_HELP,
	KIND_KNOBS,
};

struct option {
	const char *name;
	const char *arg;
	enum kind kind;
	size_t at;
	uint64_t min;
	uint64_t max;
	const char *help;
};

#define AT(member) offsetof(struct options, member)

static const struct option table[] = {
	{ "devices", "N", KIND_NUMBER, AT(devices), 1, 100000, "how many machines (8)" },
	{ "address", "A", KIND_TEXT, AT(address), 0, 0,
		"address of the first one; the others count up from it (127.0.0.1)" },
	{ "by-port", NULL, KIND_FLAG, AT(by_port), 0, 0,
		"all on one address, told apart by their ports" },
	{ "port", "P", KIND_NUMBER, AT(port), 0, 65535,
		"plain port (16992); 0: the kernel gives one; by port: P, P+2, P+4, ..." },
	{ "tls-port", "P", KIND_NUMBER, AT(tls_port), 0, 65535, "TLS port (16993), likewise" },
	{ "no-tls", NULL, KIND_FLAG, AT(no_tls), 0, 0, "no TLS ports" },
	{ "no-plain", NULL, KIND_FLAG, AT(no_plain), 0, 0, "no plain ports" },
	{ "control", "PORT", KIND_NUMBER, AT(control), 0, 65535,
		"control port on 127.0.0.1 (0: the kernel gives one)" },
	{ "user", "NAME", KIND_TEXT, AT(user), 0, 0, "who may log in (admin)" },
	{ "password", "WORD", KIND_PASSWORD, 0, 0, 0, "with which password (P@ssw0rd)" },
	{ "password-file", "FILE", KIND_PASSWORD_FILE, 0, 0, 0, "the same, first line of a file" },
	{ "profile", "P", KIND_TEXT, AT(profile), 0, 0,
		"firmware: 8, 11, 12, 15 or 16.1 (12); 16.1 has no plain port" },
	{ "state", "WORD", KIND_TEXT, AT(state), 0, 0,
		"initial power: off, on, sleep, hibernate or a number (off)" },
	{ "set", "DEV:KNOB=VALUE", KIND_SET, 0, 0, 0,
		"set a knob of device DEV (5, 3-5 or all); again for more" },
	{ "ready-fd", "N", KIND_NUMBER, AT(ready_fd), 0, 1023,
		"write the ready line to descriptor N instead of stdout" },
	{ "quiet", NULL, KIND_FLAG, AT(quiet), 0, 0, "no ready line" },
	{ "tls-max", "V", KIND_TEXT, AT(tls_max), 0, 0, "newest TLS: 1.0, 1.1, 1.2 or 1.3" },
	{ "old-tls", NULL, KIND_FLAG, AT(old_tls), 0, 0,
		"as old firmware: TLS 1.0 and 1.1 with RSA and CBC only" },
	{ "client-ca", "FILE", KIND_TEXT, AT(client_ca), 0, 0,
		"demand client certificates of this authority" },
	{ "cert", "FILE", KIND_TEXT, AT(cert), 0, 0, "PEM certificate for every device" },
	{ "key", "FILE", KIND_TEXT, AT(key), 0, 0, "its private key" },
	{ "seed", "N", KIND_NUMBER, AT(seed), 0, UINT32_MAX,
		"other realms, UUIDs and serial numbers than those of seed 1" },
	{ "knobs", NULL, KIND_KNOBS, 0, 0, 0, "list the knobs and leave" },
	{ "help", NULL, KIND_HELP, 0, 0, 0, "this text" },
};

static void print_help(void)
{
	printf("usage: powerctl-amtsim [options]\n"
	       "\n"
	       "A fleet of stand-ins for Intel AMT machines: WS-Management over HTTP and HTTPS "
	       "with\n"
	       "Digest login, power and boot control, and knobs for everything that goes wrong.\n"
	       "When all ports listen, one line of JSON on stdout says where. SIGTERM ends it.\n"
	       "\n"
	       "options (defaults in brackets):\n");
	for (size_t i = 0; i < COUNT(table); i++)
		printf("  --%-13s %-15s %s\n", table[i].name, table[i].arg ? table[i].arg : "",
			table[i].help);
	printf("\n"
	       "examples:\n"
	       "  powerctl-amtsim --devices 3 --address 127.0.0.11 --state on\n"
	       "  powerctl-amtsim --by-port --port 0 --tls-port 0 --set 2:latency_ms=300\n"
	       "  powerctl-amtsim --set all:transition_ms=4000 --set 3-5:stale_every=3\n"
	       "  curl -s http://127.0.0.1:CONTROL/devices/1\n"
	       "  curl -s -X PUT -d e503_every=2 http://127.0.0.1:CONTROL/devices/3-5\n"
	       "\n"
	       "`--knobs` lists the knobs; powerctl-amtsim(1) tells more.\n");
}

static enum options_result complain(const char *what, const char *name)
{
	fprintf(stderr, "powerctl-amtsim: %s%s (see --help)\n", what, name);
	return OPTIONS_BAD;
}

static enum options_result set_password(struct options *o, const char *password)
{
	if (!*password || !str_copy(str_of(password), o->password, sizeof(o->password)))
		return complain("a password has 1 to 64 characters", "");
	return OPTIONS_RUN;
}

static enum options_result read_password(struct options *o, const char *path)
{
	char line[128] = "";
	FILE *file = fopen(path, "re");

	if (!file)
		return complain("cannot read ", path);
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	line[strcspn(line, "\r\n")] = '\0';
	return set_password(o, line);
}

static enum options_result number(void *at, const struct option *opt, const char *value)
{
	uint64_t n;

	if (!parse_uint(str_of(value), opt->max, &n) || n < opt->min) {
		fprintf(stderr,
			"powerctl-amtsim: --%s wants a number from %llu to %llu, not '%s'\n",
			opt->name, (unsigned long long)opt->min, (unsigned long long)opt->max,
			value);
		return OPTIONS_BAD;
	}
	*(uint32_t *)at = (uint32_t)n;
	return OPTIONS_RUN;
}

static enum options_result apply(struct options *o, const struct option *opt, const char *value)
{
	void *at = (char *)o + opt->at;

	switch (opt->kind) {
	case KIND_FLAG:
		*(bool *)at = true;
		return OPTIONS_RUN;
	case KIND_NUMBER:
		return number(at, opt, value);
	case KIND_TEXT:
		*(const char **)at = value;
		return OPTIONS_RUN;
	case KIND_PASSWORD:
		return set_password(o, value);
	case KIND_PASSWORD_FILE:
		return read_password(o, value);
	case KIND_SET:
		if (o->nsets == OPTIONS_SETS)
			return complain("too many of --set", "");
		o->sets[o->nsets++] = value;
		return OPTIONS_RUN;
	case KIND_KNOBS:
		knobs_print();
		return OPTIONS_HELP;
	case KIND_HELP:
		print_help();
		return OPTIONS_HELP;
	}
	return OPTIONS_BAD;
}

static const struct option *find(struct str name)
{
	for (size_t i = 0; i < COUNT(table); i++)
		if (str_is(name, table[i].name))
			return &table[i];
	return NULL;
}

/* One option; *i moves on when its value is an argument of its own. */
static enum options_result parse_one(struct options *o, int argc, char **argv, int *i)
{
	struct str text = str_of(argv[*i]), name;
	const char *value = NULL;

	if (str_is(text, "-h"))
		text = STR("--help");
	if (!str_starts(text, "--"))
		return complain("unexpected argument ", argv[*i]);
	text.p += 2;
	text.n -= 2;
	str_split(&text, '=', &name);
	value = text.p;

	const struct option *opt = find(name);

	if (!opt)
		return complain("no such option: ", argv[*i]);
	if (!opt->arg && value)
		return complain("takes no value: ", argv[*i]);
	if (opt->arg && !value && ++*i < argc)
		value = argv[*i];
	if (opt->arg && !value)
		return complain("needs a value: --", opt->name);
	return apply(o, opt, value ? value : "");
}

static enum options_result check(const struct options *o)
{
	if (o->no_tls && o->no_plain)
		return complain("--no-tls and --no-plain leave nothing to listen on", "");
	if (!o->cert != !o->key)
		return complain("--cert and --key go together", "");
	if (o->by_port && o->port && o->port + 2 * (o->devices - 1) > 65535)
		return complain("not that many ports behind --port", "");
	if (o->by_port && o->tls_port && o->tls_port + 2 * (o->devices - 1) > 65535)
		return complain("not that many ports behind --tls-port", "");
	return OPTIONS_RUN;
}

enum options_result options_parse(struct options *o, int argc, char **argv)
{
	*o = (struct options){
		.devices = 8,
		.address = "127.0.0.1",
		.port = 16992,
		.tls_port = 16993,
		.user = "admin",
		.password = "P@ssw0rd",
		.profile = "12",
		.state = "off",
		.ready_fd = 1,
		.seed = 1,
	};
	for (int i = 1; i < argc; i++) {
		enum options_result r = parse_one(o, argc, argv, &i);

		if (r != OPTIONS_RUN)
			return r;
	}
	return check(o);
}
