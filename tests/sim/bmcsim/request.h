/* SPDX-License-Identifier: Apache-2.0 */
/* One command and its answer, and the tables of all commands. */
#ifndef POWERCTL_BMCSIM_REQUEST_H
#define POWERCTL_BMCSIM_REQUEST_H

#include "packet.h"
#include "session.h"
#include "sim.h"

/* Completion codes, table 5-2; what is special to a command is beside it. */
enum {
	CC_OK = 0x00,
	CC_BUSY = 0xC0,
	CC_INVALID_COMMAND = 0xC1,
	CC_RESERVATION = 0xC5,
	CC_LENGTH = 0xC7,
	CC_NOT_RETURNED = 0xCA,
	CC_NOT_PRESENT = 0xCB,
	CC_INVALID_DATA = 0xCC,
	CC_DUPLICATE = 0xCF,
	CC_PRIVILEGE = 0xD4,
	CC_STATE = 0xD5,
	CC_UNSPECIFIED = 0xFF,
};

enum netfn {
	NETFN_CHASSIS = 0x00,
	NETFN_SENSOR = 0x04,
	NETFN_APP = 0x06,
	NETFN_STORAGE = 0x0A,
	NETFN_TRANSPORT = 0x0C,
};

struct request {
	struct device *dev;
	const struct sockaddr_storage *peer;
	const struct frame *frame;
	struct session *session; /* NULL: outside of one */
	const struct message *message;
	/* Its data. */
	const uint8_t *in;
	size_t in_n;
	/* The answer's. */
	uint8_t out[MESSAGE_MAX];
	size_t n;
	bool silent;
	/* The answer goes out before that happens. */
	struct session *closes;
	bool resets;
};

struct command {
	uint8_t netfn;
	uint8_t command;
	/* PRIV_NONE: also outside of a session. */
	uint8_t privilege;
	uint8_t min;
	uint8_t max;
	uint8_t (*run)(struct request *rq);
};

struct commands {
	const struct command *table;
	size_t count;
};

extern const struct commands commands_app, commands_chassis, commands_sol, commands_sel,
	commands_sdr, commands_fru, commands_lan, commands_user;

void put8(struct request *rq, unsigned value);
void put16(struct request *rq, unsigned value);
void put24(struct request *rq, uint32_t value);
void put32(struct request *rq, uint32_t value);
void put_bytes(struct request *rq, const void *p, size_t n);

/* Runs it and everything that may come in between; the completion code. */
uint8_t request_run(struct request *rq);

#endif
