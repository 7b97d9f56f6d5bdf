/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of a hostile program, and the round trip of what we send: nothing crashes, an error is
 * always told, and a text that was escaped into a request comes out of it unchanged.
 */
#include "fuzz.h"

#include <jansson.h>

#include "answer.h"
#include "request.h"

/* Each reader takes it, or says why not. */
static void read_all(const json_t *answer)
{
	struct pctl_power power = { .size = sizeof(power) };
	struct pctl_boot boot = { .size = sizeof(boot) };
	struct pctl_error err = { 0 };
	bool unsent = false;
	int r = answer_verdict(answer, "fuzz", &unsent, &err);

	require(r == 0 ? json_is_true(json_object_get(answer, "ok"))
		       : r == err.code && err.text[0]);
	err = (struct pctl_error){ 0 };
	require(answer_power(answer, "fuzz", &power, &err) == err.code);
	require(err.code ? power.state == 0 : (unsigned)power.state <= PCTL_POWER_HIBERNATE);
	err = (struct pctl_error){ 0 };
	require(answer_boot(answer, "fuzz", &boot, &err) == err.code);
	err = (struct pctl_error){ 0 };
	struct exec_description *d = answer_description(answer, "fuzz", &err);
	require((d == NULL) == (err.code < 0));
	for (size_t i = 0; d && d->properties[i].name; i++)
		require(d->properties[i].help && d->properties[i].size);
	exec_free_description(d);
}

static void round_trip(const char *text, size_t size)
{
	struct pctl_buf buf;

	pctl_buf_init_secret(&buf, 8 * size + 2);
	if (request_add_text(&buf, text, size)) {
		json_t *back =
			json_loadb(buf.data, buf.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

		require(back && json_string_length(back) == size &&
			memcmp(json_string_value(back), text, size) == 0);
		require(!memchr(buf.data, '\n', buf.len));
		json_decref(back);
	} else {
		json_t *same = json_stringn(text, size);

		require(!same && buf.len == 0);
	}
	pctl_buf_done(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct pctl_error err = { 0 };
	json_t *answer = answer_read(text, size, "fuzz", &err);

	require((answer == NULL) == (err.code < 0));
	if (answer)
		read_all(answer);
	json_decref(answer);
	round_trip(text, size);
	return 0;
}
