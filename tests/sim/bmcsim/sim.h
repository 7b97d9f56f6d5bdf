/* SPDX-License-Identifier: Apache-2.0 */
/* The fleet: what one process and one BMC are made of. */
#ifndef POWERCTL_BMCSIM_SIM_H
#define POWERCTL_BMCSIM_SIM_H

#include <netinet/in.h>
#include <uv.h>

#include "boot.h"
#include "control.h"
#include "crypt.h"
#include "options.h"
#include "packet.h"
#include "power.h"
#include "sdr.h"
#include "sel.h"
#include "session.h"
#include "sol.h"

enum {
	SIM_LOG = 64,
	SIM_USERS = 8,
	SIM_NAME = 16,
	SIM_SECRET = 20,
	SIM_FORCED = 4,
	SIM_QUEUE = 64, /* datagrams that wait for a busy BMC */
};

/* The order is that of the words in knobs.c, here and below. */
enum dedup { DEDUP_AGAIN, DEDUP_CF, DEDUP_OFF };
enum mute { MUTE_NO, MUTE_OPEN, MUTE_RAKP1, MUTE_RAKP3, MUTE_CHALLENGE, MUTE_ACTIVATE };
enum lockout { LOCKOUT_SILENT, LOCKOUT_STATUS };
enum unsupported { SUPPORT_YES, SUPPORT_NO, SUPPORT_REFUSE };
enum off_reset { OFF_RESET_REFUSE, OFF_RESET_IGNORE, OFF_RESET_ON };

enum new_password { PASSWD_DO, PASSWD_REFUSE, PASSWD_IGNORE, PASSWD_LIE, PASSWD_LOSE, PASSWD_HANG };

/* Every member is explained in the table of knobs.c. */
struct knobs {
	uint32_t dead;
	uint32_t delay_ms;
	uint32_t control_delay_ms;
	uint32_t drop_percent;
	uint32_t drop_requests;
	uint32_t drop_replies;
	uint32_t late_ms;
	uint32_t late_next;
	uint32_t duplicate;
	uint32_t dedup;
	uint32_t busy_next;
	uint32_t busy_caps;
	uint32_t open_status;
	uint32_t rakp2_status;
	uint32_t rakp4_status;
	uint32_t rakp2_bad;
	uint32_t rakp4_bad;
	uint32_t mute;
	uint32_t session_limit;
	uint32_t session_timeout_ms;
	uint32_t lockout_after;
	uint32_t lockout_ms;
	uint32_t lockout_answer;
	uint32_t passwd;
	uint32_t lockout_unfinished;
	uint32_t seq_check;
	uint32_t enforce_privilege;
	uint32_t no_ipmi20;
	uint32_t no_ipmi15;
	uint32_t auth_types;
	uint32_t per_message;
	uint32_t suites;
	uint32_t cipher_suites_answer;
	uint32_t echo_privilege_zero;
	uint32_t ping;
	uint32_t bad_checksum;
	uint32_t bad_auth_code;
	uint32_t bad_session_id;
	uint32_t truncate;
	uint32_t garbage;
	uint32_t transition_ms;
	uint32_t lag_ms;
	uint32_t power_lie;
	uint32_t off_reset;
	uint32_t soft_ms;
	uint32_t soft_ignored;
	uint32_t reset_ms;
	uint32_t boot_timeout_ms;
	uint32_t refuse_params;
	uint32_t readback_invalid;
	uint32_t no_persistent;
	uint32_t default_uefi;
	uint32_t manufacturer;
	uint32_t product;
	uint32_t sel_capacity;
	uint32_t utc_offset_known;
	uint32_t suite_level;
	uint32_t sel_events;
	uint32_t sdr_max_read;
	uint32_t sdr_cancel;
	uint32_t fru_max_read;
	uint32_t fru_bad_checksum;
	uint32_t sol_max_in;
	uint32_t sol_max_out;
	uint32_t sol_sizes;
	uint32_t sol_port;
	uint32_t sol_instances;
	uint32_t sol_encryption;
	uint32_t sol_taken;
	uint32_t sol_drop;
	uint32_t sol_drop_in;
	uint32_t sol_repeat;
	uint32_t sol_nack;
	uint32_t sol_accept;
	uint32_t sol_piggyback;
	uint32_t sol_retries;
	uint32_t sol_retry_ms;
};

struct counters {
	uint64_t datagrams;
	uint64_t replies;
	uint64_t malformed;
	uint64_t dropped;
	uint64_t queued;
	uint64_t pings;
	uint64_t caps;
	uint64_t opens;
	uint64_t open_refused;
	uint64_t rakp1;
	uint64_t rakp3;
	uint64_t logins;
	uint64_t bad_logins;
	uint64_t locked_out;
	uint64_t sessions_closed;
	uint64_t sessions_expired;
	uint64_t peak_sessions;
	uint64_t bad_auth_code;
	uint64_t not_encrypted;
	uint64_t bad_session;
	uint64_t replayed;
	uint64_t commands;
	uint64_t duplicates;
	uint64_t refused_privilege;
	uint64_t refused;
	uint64_t chassis_control;
	uint64_t power_off;
	uint64_t power_on;
	uint64_t power_cycle;
	uint64_t power_reset;
	uint64_t diag;
	uint64_t soft;
	uint64_t identify;
	uint64_t passwords_asked;
	uint64_t passwords_set;
	uint64_t boot_flags_set;
	uint64_t cold_resets;
	uint64_t warm_resets;
	uint64_t sol_activations;
	uint64_t sol_packets_in;
	uint64_t sol_packets_out;
	uint64_t sol_bytes_in;
	uint64_t sol_bytes_out;
	uint64_t sol_repeats;
	uint64_t sol_retries;
	uint64_t sol_lost;
	uint64_t sol_too_long;
	uint64_t sol_breaks;
};

struct user {
	char name[SIM_NAME + 1];
	uint8_t password[SIM_SECRET];
	uint8_t password_n;
	uint8_t privilege;
};

struct users {
	struct user user[SIM_USERS];
	uint32_t count;
};

/* A completion code that stands for what a command does; left 0: for ever. */
struct forced {
	uint8_t netfn;
	uint8_t command;
	uint8_t cc;
	bool counted;
	uint32_t left;
};

struct log_entry {
	uint8_t netfn;
	uint8_t command;
	uint8_t cc;
	uint8_t first; /* byte of its data */
};

struct device {
	struct sim *sim;
	uint32_t n;
	struct sockaddr_storage address;
	uv_poll_t poll;
	int fd;
	uint16_t port;
	bool closing;
	bool identify_forever;
	uint8_t guid[16];
	uint8_t firmware[2];
	uint8_t kg[SIM_SECRET];
	bool has_kg;
	struct users *users; /* the fleet's, or its own */
	struct knobs knobs;
	struct counters counters;
	struct forced forced[SIM_FORCED];
	uint8_t refuse_control[POWER_ACTIONS];
	struct log_entry log[SIM_LOG];
	uint32_t logged;
	uint32_t bad_logins;
	struct session *sessions[SESSION_SLOTS];
	uint64_t locked_until;
	struct power power;
	struct boot boot;
	uint64_t identify_until; /* unless forever: see above */
	/* It does one thing after the other: what comes before then waits. */
	uint64_t busy_until;
	struct waiting *waiting;
	uint32_t nwaiting;
	uint64_t gone_until;
	struct sel sel;
	uint16_t sdr_reservation;
	uint8_t readings[SENSOR_MAX];
	struct sol *sols[SOL_INSTANCES];
	struct sol_settings sol_settings;
	char *sol_backend; /* NULL: the terminal */
};

/* One process. in and out are scratch. */
struct sim {
	uv_loop_t loop;
	struct options options;
	struct device *devices;
	uint32_t count;
	struct users users;
	struct crypt crypt;
	struct fleet fleet;
	struct control control;
	struct delayed *delayed;
	uint8_t in[PACKET_MAX];
	uint8_t out[PACKET_MAX];
	bool running;
};

/* Loop time in milliseconds. */
static inline uint64_t sim_now(const struct sim *sim)
{
	return uv_now(&sim->loop);
}

/* One off a knob that counts down; false when it was at 0. */
static inline bool sim_take(uint32_t *knob)
{
	if (!*knob)
		return false;
	--*knob;
	return true;
}

#endif
