/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever comes from a redirection port, in pieces of any size: frames are the same as byte by
 * byte, lie within what was read, and no login answers with the password in clear.
 */
#include <powerctl/secret.h>

#include "fuzz.h"
#include "redirection/login.h"

#define PASSWORD "correct horse"

struct run {
	struct frame_reader reader;
	uint32_t sum; /* of all frames */
	size_t frames;
	bool refused;
};

static void note(struct run *run, const struct frame *f)
{
	run->frames++;
	require(f->len && f->data[0] == f->command && f->len <= 34u + UINT16_MAX);
	for (size_t i = 0; i < f->len; i++)
		run->sum = run->sum * 31 + f->data[i];
}

static void feed(
	struct run *run, const uint8_t *data, size_t size, size_t piece, enum frame_speech speech)
{
	struct pctl_error err;
	struct frame frame;

	frame_reader_init(&run->reader, FRAME_FROM_DEVICE);
	run->reader.speech = speech;
	while (size && !run->refused) {
		size_t used = 0, wants = frame_reader_wants(&run->reader);
		int r = frame_reader_feed(
			&run->reader, data, size < piece ? size : piece, &used, &frame, &err);
		run->refused = r < 0;
		require(r >= 0 || err.code == PCTL_E_PROTOCOL);
		require(r < 0 || (used && wants));
		if (r == 1)
			note(run, &frame);
		data += used;
		size -= r < 0 ? size : used;
	}
	frame_reader_done(&run->reader);
}

static void log_in(const uint8_t *data, size_t size)
{
	struct pctl_secret *password = pctl_secret_new(PASSWORD, strlen(PASSWORD));
	struct login login = { .username = "admin", .password = password };
	struct frame_reader reader;
	struct pctl_error err;
	struct frame frame;
	struct pctl_buf out;
	int r = 0;

	pctl_buf_init_secret(&out, 4096);
	login_begin(&login, &out);
	frame_reader_init(&reader, FRAME_FROM_DEVICE);
	while (size && r == 0) {
		size_t used = 0;
		r = frame_reader_feed(&reader, data, size, &used, &frame, &err);
		data += used;
		size -= r < 0 ? 0 : used;
		if (r == 1)
			r = login_take(&login, &frame, &out, &err);
	}
	require(!memmem(out.data, out.len, PASSWORD, strlen(PASSWORD)) && !out.full);
	frame_reader_done(&reader);
	pctl_buf_done(&out);
	pctl_secret_free(password);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run whole = { .frames = 0 }, dripped = { .frames = 0 };

	if (!size)
		return 0;
	enum frame_speech speech = (enum frame_speech)(data[0] & 3);
	feed(&whole, data + 1, size - 1, 1 + (data[0] >> 2) * 37u, speech);
	feed(&dripped, data + 1, size - 1, 1, speech);
	require(whole.frames == dripped.frames && whole.sum == dripped.sum &&
		whole.refused == dripped.refused);
	log_in(data + 1, size - 1);
	return 0;
}
