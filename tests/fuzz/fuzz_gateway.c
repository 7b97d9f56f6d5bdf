/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a gateway may say, in pieces of any size: the SOCKS 5 handshake and ssh's control socket
 * stay within their bounds and end the same way however it is cut; a way that is understood reads
 * back as itself.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>

#include "node/gateway.h"
#include "node/mux.h"
#include "node/socks5.h"
#include "node/via.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int shake(const uint8_t *data, size_t size, size_t piece, const struct pctl_secret *secret)
{
	struct pctl_socks5 s;
	struct pctl_error err;
	size_t at = 0;
	int r = pctl_socks5_begin(&s, "bmc7", 623, "me", secret, &err);

	while (r == 0 && at < size) {
		size_t used = 0, n = size - at < piece ? size - at : piece;

		r = pctl_socks5_take(&s, data + at, n, &used, &err);
		assert(used <= n && (used || r));
		assert(s.send_n <= sizeof(s.send) && s.taken_n < sizeof(s.taken));
		at += used;
	}
	return r;
}

static int control(const uint8_t *data, size_t size, size_t piece)
{
	struct pctl_mux mux = { .taken_n = 0 };
	struct pctl_error err;
	int r = 0;

	for (size_t at = 0; r == 0 && at < size; at += piece)
		r = pctl_mux_take(&mux, data + at, size - at < piece ? size - at : piece, &err);
	return r;
}

static void way(const char *text)
{
	struct pctl_via *via = NULL, *again = NULL;

	if (pctl_via_parse(text, &via, NULL) < 0)
		return;
	assert(pctl_via_parse(via->text, &again, NULL) == 0);
	assert(strcmp(via->text, again->text) == 0 && via->port == again->port);
	assert(!via->host || *via->host != '-');
	pctl_via_free(via);
	pctl_via_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pctl_secret *secret = pctl_secret_new("password", 8);
	char *text = pctl_xstrndup((const char *)data, size);
	struct pctl_error err;

	assert(shake(data, size, 1, secret) == shake(data, size, size + 1, secret));
	assert(control(data, size, 1) == control(data, size, size + 1));
	(void)pctl_gateway_explain(text, "ssh://gw", &err);
	(void)pctl_gateway_explain_open(text, &err);
	way(text);
	free(text);
	pctl_secret_free(secret);
	return 0;
}
