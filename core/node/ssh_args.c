/* SPDX-License-Identifier: Apache-2.0 */
#include "node/ssh_args.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>

/* What a shell takes as it is. */
#define PLAIN \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@+:%-" /* - not first */

/*
 * What of ssh_config(5) is overridden. Host keys of gateways are the user's own matter, as at a
 * terminal: no password of ours goes there. What a login says of host keys is this: the key has to
 * be in one of the user's or the system's files (or be what their KnownHostsCommand prints), for
 * whatever name the configuration gives the host.
 */
static const char *const always[] = {
	"LogLevel=INFO",           /* pctl_gateway_explain() reads it */
	"ClearAllForwardings=yes", /* nothing is forwarded, here and below */
	"Tunnel=no",
	"PermitLocalCommand=no",      /* nothing is run here */
	"RemoteCommand=none",         /* nor there but what is there anyway */
	"ForkAfterAuthentication=no", /* it stays our child */
	"ConnectTimeout=10",
	"ServerAliveInterval=5", /* a dead peer is noticed */
	"ServerAliveCountMax=3",
	NULL,
};

static const char *const login[] = {
	"StrictHostKeyChecking=yes",           /* else unknown keys are taken as known */
	"NoHostAuthenticationForLocalhost=no", /* else loopback shows none */
	"VerifyHostKeyDNS=no",                 /* else a name server's word makes it known */
	"NumberOfPasswordPrompts=1",           /* accounts get locked */
	"SessionType=default",                 /* else there is no shell */
	"StdinNull=no",                        /* else nothing can be typed */
	"ControlPath=none",                    /* no other login is used or kept */
	NULL,
};

void pctl_ssh_args_add(struct pctl_ssh_args *args, const char *text)
{
	args->v = pctl_xgrow(args->v, &args->cap, args->n + 2, sizeof(*args->v));
	args->v[args->n++] = (char *)(uintptr_t)text;
	args->v[args->n] = NULL;
}

void pctl_ssh_args_set(struct pctl_ssh_args *args, const char *setting)
{
	pctl_ssh_args_add(args, "-o");
	pctl_ssh_args_add(args, setting);
}

static void set_all(struct pctl_ssh_args *args, const char *const *settings)
{
	for (; *settings; settings++)
		pctl_ssh_args_set(args, *settings);
}

void pctl_ssh_args_init(struct pctl_ssh_args *ret, const char *flags)
{
	*ret = (struct pctl_ssh_args){ .n = 0 };
	pctl_ssh_args_add(ret, "ssh");
	pctl_ssh_args_add(ret, flags);
	set_all(ret, always);
}

void pctl_ssh_args_done(struct pctl_ssh_args *args)
{
	free(args->v);
	*args = (struct pctl_ssh_args){ .n = 0 };
}

void pctl_ssh_args_finish(
	struct pctl_ssh_args *args, const char *user, unsigned port, const char *host)
{
	if (user) {
		pctl_ssh_args_add(args, "-l");
		pctl_ssh_args_add(args, user);
	}
	if (port) {
		(void)snprintf(args->port, sizeof(args->port), "%u", port);
		pctl_ssh_args_add(args, "-p");
		pctl_ssh_args_add(args, args->port);
	}
	pctl_ssh_args_add(args, "--");
	pctl_ssh_args_add(args, host);
}

void pctl_ssh_args_init_login(struct pctl_ssh_args *ret, const struct pctl_ssh_options *options,
	const char *host, bool answers)
{
	pctl_ssh_args_init(ret, "-ttaxk");
	pctl_ssh_args_add(ret, "-e");
	pctl_ssh_args_add(ret, "none");
	pctl_ssh_args_set(ret, answers ? "BatchMode=no" : "BatchMode=yes");
	set_all(ret, login);
	pctl_ssh_args_finish(ret, options->username, options->port, host);
}

/* --- To be read. ------------------------------------------------------------------------------ */

char *pctl_ssh_args_text(const struct pctl_ssh_args *args)
{
	struct pctl_buf text;

	pctl_buf_init(&text, 4096);
	for (size_t i = 0; i < args->n; i++)
		pctl_buf_addf(&text, "%s%s", i ? " " : "", args->v[i]);
	return pctl_buf_steal(&text);
}

/* As a shell takes it. What has no place in one is left out, with what stands before it. */
static void add_word(struct pctl_buf *text, const char *before, const char *word)
{
	const char *c = word;

	while (*c >= ' ' && *c <= '~' && *c != '\'')
		c++;
	if (*c)
		return;
	const char *quote = word[strspn(word, PLAIN)] || !*word || *word == '-' ? "'" : "";
	pctl_buf_addf(text, "%s%s%s%s", before, quote, word, quote);
}

char *pctl_ssh_host(const struct pctl_device *device)
{
	const char *host = pctl_device_host(device);
	size_t len = strlen(host);

	if (*host == '[' && len > 2 && host[len - 1] == ']')
		return pctl_xstrndup(host + 1, len - 2);
	return pctl_xstrdup(host);
}

char *pctl_ssh_typed(const struct pctl_device *device, const struct pctl_ssh_options *options)
{
	PCTL_AUTO(free) char *host = pctl_ssh_host(device);
	struct pctl_buf text;

	pctl_buf_init(&text, 1000);
	pctl_buf_adds(&text, "ssh");
	if (options->port && options->port != 22)
		pctl_buf_addf(&text, " -p %u", options->port);
	if (options->username)
		add_word(&text, " -l ", options->username);
	add_word(&text, " ", host);
	return pctl_buf_steal(&text);
}
