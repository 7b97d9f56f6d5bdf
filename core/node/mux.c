/* SPDX-License-Identifier: Apache-2.0 */
#include "node/mux.h"

#include <inttypes.h>
#include <string.h>

#define VERSION  4u
#define HELLO    0x00000001u
#define FORWARD  0x10000008u
#define DENIED   0x80000002u
#define FAILURE  0x80000003u
#define OPENED   0x80000006u
#define REQUEST  1u
#define HOST_MAX 255u
#define WORD     ((size_t)4)

static size_t put_word(uint8_t *at, uint32_t word)
{
	for (unsigned i = 0; i < WORD; i++)
		at[i] = (uint8_t)(word >> (24 - 8 * i));
	return WORD;
}

/* Behind their length. */
static size_t put_bytes(uint8_t *at, const uint8_t *bytes, size_t len)
{
	(void)put_word(at, (uint32_t)len);
	memcpy(at + WORD, bytes, len);
	return WORD + len;
}

static size_t put_text(uint8_t *at, const char *text)
{
	return put_bytes(at, (const uint8_t *)text, strlen(text));
}

static uint32_t get_word(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

int pctl_mux_ask(
	uint8_t bytes[PCTL_MUX_SEND_MAX], const char *host, uint16_t port, struct pctl_error *err)
{
	size_t n = WORD;

	if (strlen(host) > HOST_MAX)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "its name is longer than %u bytes", HOST_MAX);
	n += put_word(bytes + n, HELLO);
	n += put_word(bytes + n, VERSION);
	(void)put_word(bytes, (uint32_t)(n - WORD));

	size_t begin = n;
	n += WORD;
	n += put_word(bytes + n, FORWARD);
	n += put_word(bytes + n, REQUEST);
	n += put_text(bytes + n, "");
	n += put_text(bytes + n, host);
	n += put_word(bytes + n, port); /* a number, although the document says a text */
	(void)put_word(bytes + begin, (uint32_t)(n - begin - WORD));
	return (int)n;
}

static int nonsense(struct pctl_error *err)
{
	return pctl_error_set(
		err, PCTL_E_PROTOCOL, "what ssh says on its control socket makes no sense");
}

static int take_hello(const uint8_t *body, size_t len, struct pctl_error *err)
{
	if (len < WORD)
		return nonsense(err);
	if (get_word(body) != VERSION)
		return pctl_error_set(err, PCTL_E_UNSUPPORTED,
			"this ssh shares its connections by version %" PRIu32
			" of its protocol, and %u is known here",
			get_word(body), VERSION);
	return 0;
}

/* Which request it was, and the reason as a text. */
static int take_refusal(int code, const uint8_t *body, size_t len, struct pctl_error *err)
{
	if (len < 2 * WORD || get_word(body + WORD) > len - 2 * WORD)
		return nonsense(err);
	return pctl_error_set(
		err, code, "%.*s", (int)get_word(body + WORD), (const char *)body + 2 * WORD);
}

static int take_message(const uint8_t *message, size_t len, struct pctl_error *err)
{
	switch (get_word(message)) {
	case HELLO:
		return take_hello(message + WORD, len - WORD, err);
	case OPENED:
		return 1;
	case DENIED:
		return take_refusal(PCTL_E_FORBIDDEN, message + WORD, len - WORD, err);
	case FAILURE:
		return take_refusal(PCTL_E_REFUSED, message + WORD, len - WORD, err);
	default:
		return nonsense(err);
	}
}

int pctl_mux_take(struct pctl_mux *mux, const uint8_t *data, size_t len, struct pctl_error *err)
{
	int r = 0;

	for (size_t i = 0; i < len && r == 0; i++) {
		mux->taken[mux->taken_n++] = data[i];
		if (mux->taken_n < WORD)
			continue;
		size_t whole = get_word(mux->taken);
		if (whole < WORD || whole > sizeof(mux->taken) - WORD)
			return nonsense(err);
		if (mux->taken_n < WORD + whole)
			continue;
		mux->taken_n = 0;
		r = take_message(mux->taken + WORD, whole, err);
	}
	return r;
}
