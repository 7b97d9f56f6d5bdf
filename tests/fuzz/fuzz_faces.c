/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first byte chooses: FreeIPMI's configuration file, whose values keep to what IPMI has room
 * for, or amtctrl's file of hosts: what is wholly understood is the same after it was written and
 * read.
 */
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/secret.h>

#include "amtctrl/hosts.h"
#include "fuzz.h"
#include "ipmipower/options.h"

static void try_config(const char *text, size_t len)
{
	struct ipmipower_options o = { .cipher_suite = -1 };
	struct pctl_error err = { 0 };
	bool secret = false;

	if (ipmipower_config_parse(&o, text, len, &secret, &err) < 0)
		require(strncmp(err.text, "line ", 5) == 0);
	else
		require(secret || (!o.password && !o.kg));
	require(!o.username || strlen(o.username) <= 16);
	require(!o.password || pctl_secret_len(o.password) <= 20);
	require(!o.action && !o.hosts && o.fanout <= 1024);
	ipmipower_options_done(&o);
}

static void require_same(const struct amtctrl_hosts *a, const struct amtctrl_hosts *b)
{
	require(a->n == b->n && !b->odd);
	for (size_t i = 0; i < a->n; i++) {
		require(strcmp(a->hosts[i].name, b->hosts[i].name) == 0);
		require(a->hosts[i].n == b->hosts[i].n);
		for (size_t k = 0; k < a->hosts[i].n; k++)
			require(strcmp(a->hosts[i].pairs[k].value, b->hosts[i].pairs[k].value) ==
				0);
	}
}

static void try_hosts(const char *text, size_t len)
{
	struct amtctrl_hosts first = { .lock = -1 }, second = { .lock = -1 };
	struct pctl_buf buf;

	pctl_buf_init(&buf, 1u << 20);
	amtctrl_hosts_parse(&first, text, len);
	if (!first.odd) {
		amtctrl_hosts_format(&first, &buf);
		amtctrl_hosts_parse(&second, buf.data, buf.len);
		require_same(&first, &second);
	}
	pctl_buf_done(&buf);
	amtctrl_hosts_done(&first);
	amtctrl_hosts_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > 8192)
		return 0;
	PCTL_AUTO(free) char *text = pctl_xcalloc(size, 1);
	memcpy(text, data + 1, size - 1);
	(*data == 'c' ? try_config : try_hosts)(text, size - 1);
	return 0;
}
