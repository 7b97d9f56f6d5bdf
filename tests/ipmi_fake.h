/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For tests of what the IPMI driver does with a session: in the session's place a BMC of bytes. A
 * test sets what it has and what goes wrong, runs an op and looks at what was asked. Time runs a
 * hundred times as fast (uv_timer_start and uv_now are wrapped).
 */
#ifndef POWERCTL_TESTS_IPMI_FAKE_H
#define POWERCTL_TESTS_IPMI_FAKE_H

#include "test.h"

#include <powerctl/driver.h>

#include "driver/op.h"
#include "records.h"

/* A command that fails: from the first-th on (counted from 0), so many times. */
struct fault {
	const struct command *command;
	int code; /* completion code; or a class of error: no answer comes */
	unsigned first, times;
};
#define FAULTS_MAX 8u
#define FRUS_MAX   4u
#define EVENTS_MAX 64u

/* What the fake answers to a command, if not one of those below. */
struct canned {
	const struct command *command;
	uint8_t data[32];
	size_t len;
};
#define CANNED_MAX 12u

struct bmc {
	struct canned canned[CANNED_MAX];
	struct fault faults[FAULTS_MAX];

	uint8_t sdr[4096]; /* records, one behind the other */
	size_t sdr_len;
	uint8_t sdr_info[14];
	size_t most;        /* bytes of a record or a FRU that go into one answer */
	uint8_t too_many;   /* the completion code for more */
	bool cuts;          /* answers with fewer instead */
	bool endless;       /* the last record is followed by the first */
	unsigned lose_each; /* reservations are lost with every so-manieth read */
	unsigned change_at; /* with this read they are, and the first record becomes another */
	const uint8_t *changed;

	uint8_t events[EVENTS_MAX][16];
	size_t events_n;
	unsigned erasing; /* looks until the log is erased */

	const uint8_t *frus[FRUS_MAX];
	size_t frus_len[FRUS_MAX];
	bool words;

	uint8_t readings[256][4]; /* of sensors; length: */
	uint8_t readings_len[256];
	uint8_t thresholds[7];

	unsigned asked[0x40][0x100]; /* by network function and command */
	unsigned total;
	uint16_t reservation, reserved;
	uint8_t last[COMMAND_DATA_MAX]; /* the last request */
	size_t last_len;
	const struct command *last_command;
};

struct fake {
	struct bmc bmc;
	struct ipmi_dev dev;
	uv_loop_t loop;
	uv_timer_t timer; /* of the answer */
	struct pctl_op op;
	struct pctl_error result;
	int done;
	bool busy, committed;
	uint64_t deadline_ms;
	struct pctl_value *ret;
};

struct fake *fake_new(void);
void fake_free(struct fake *f);

/* How often a command was asked for since fake_new() or fake_forget(). */
unsigned fake_asked(const struct fake *f, const struct command *command);
void fake_forget(struct fake *f);
void fake_answer(struct fake *f, const struct command *command, const void *data, size_t len);
void fake_fail(
	struct fake *f, const struct command *command, int code, unsigned first, unsigned times);
void fake_add_sdr(struct fake *f, const uint8_t *record, size_t len);
void fake_add_event(struct fake *f, const uint8_t record[16]);

/* Run an op to its end; f->ret is its answer, f->result how it ended. */
void fake_sensors(struct fake *f);
void fake_log(struct fake *f, const char *after);
void fake_clear(struct fake *f);
void fake_info(struct fake *f);
void fake_hardware(struct fake *f);
/* arguments is a map of texts, taken. */
void fake_method(struct fake *f, const char *name, struct pctl_value *take_arguments);

void fake_assert_done(const struct fake *f);
void fake_assert_failed(const struct fake *f, int code, const char *text);
/* A text in the answer, "(none)" where there is none. path: "firmware.version", "events.0.id". */
const char *fake_text(const struct fake *f, const char *path);
const struct pctl_value *fake_value(const struct fake *f, const char *path);

/* What was put into the cache, over all fakes, until it is forgotten. */
unsigned fake_cache_puts(void);
void fake_cache_forget(void);
void fake_cache_damage(void);
const char *fake_fact(const char *key);

#endif
