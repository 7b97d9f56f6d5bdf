/* SPDX-License-Identifier: Apache-2.0 */
/* The fleet: what one process, one service and one system are made of. */
#ifndef POWERCTL_REDFISHSIM_SIM_H
#define POWERCTL_REDFISHSIM_SIM_H

#include <time.h>
#include <uv.h>

#include "boot.h"
#include "control.h"
#include "events.h"
#include "login.h"
#include "media.h"
#include "options.h"
#include "power.h"
#include "profile.h"
#include "task.h"
#include "util.h"
#include "web.h"

enum {
	SIM_CALLS = 32,
	SIM_CALL_TEXT = 80,
	SIM_PASSWORD = 64,
};

enum hang {
	HANG_NO,
	HANG_ALL,
	HANG_AUTH,
	HANG_RESET,
};

enum shows {
	SHOWS_PROFILE,
	SHOWS_OLD,
	SHOWS_TRANSITION,
	SHOWS_NULL,
};

enum lie {
	LIE_NO,
	LIE_OFF,
	LIE_ON,
	LIE_PAUSED,
	LIE_NULL,
};

enum auth {
	AUTH_BOTH,
	AUTH_SESSION,
	AUTH_BASIC,
};

enum passwd_does {
	PASSWD_DO,
	PASSWD_REFUSE,
	PASSWD_IGNORE,
	PASSWD_LOSE,
	PASSWD_MUTE,
	PASSWD_HANG,
};

enum second {
	SECOND_ENABLED,
	SECOND_DISABLED,
	SECOND_LOCKED,
};

enum tasks {
	TASKS_NO,
	TASKS_RESET,
	TASKS_ALL,
};

/* Every member is explained in the table of knobs.c. */
struct knobs {
	struct web_knobs web;
	uint32_t e503_every;
	uint32_t retry_after;
	uint32_t cut_every;
	uint32_t stagger;
	uint32_t hang;
	uint32_t html;
	uint32_t garbage;
	uint32_t huge;
	uint32_t deep;
	uint32_t truncate;
	uint32_t wrong_type;
	uint32_t chunked;
	uint32_t auth;
	uint32_t session_limit;
	uint32_t session_s;
	uint32_t session_every;
	uint32_t lock_after;
	uint32_t lock_s;
	uint32_t lock_stays;
	uint32_t lock_tells;
	uint32_t second;
	uint32_t transition_ms;
	uint32_t soft_ms;
	uint32_t post_ms;
	uint32_t off_busy_ms;
	uint32_t shows;
	uint32_t lie_state;
	uint32_t os_agent;
	uint32_t refuse_reset;
	uint32_t ignore_reset;
	uint32_t lose_reset_answer;
	uint32_t tasks;
	uint32_t task_ms;
	uint32_t task_fails;
	uint32_t etag;
	uint32_t etag_every;
	uint32_t ignore_boot;
	uint32_t keep_override;
	uint32_t log_entries;
	uint32_t page;
	uint32_t bmc_ms;
	uint32_t ssh_port;
	uint32_t clock_behind;
	uint32_t health;
	uint32_t manager_health;
	uint32_t console;
	uint32_t other_machine;
	uint32_t passwd;
	uint32_t passwd_ends;
	uint32_t password_min;
	uint32_t password_max;
	uint32_t password_action;
	uint32_t must_change;
	uint32_t no_accounts;
};

struct counters {
	struct web_counters web;
	uint64_t cut;
	uint64_t requests;
	uint64_t reads;
	uint64_t patches;
	uint64_t posts;
	uint64_t deletes;
	uint64_t r2xx;
	uint64_t r202;
	uint64_t r3xx;
	uint64_t r400;
	uint64_t r401;
	uint64_t r404;
	uint64_t r405;
	uint64_t r409;
	uint64_t r412;
	uint64_t r428;
	uint64_t r503;
	uint64_t logins;
	uint64_t logins_bad;
	uint64_t logouts;
	uint64_t sessions_peak;
	uint64_t basic;
	uint64_t basic_bad;
	uint64_t token_bad;
	uint64_t resets;
	uint64_t resets_refused;
	uint64_t resets_unsaid;
	uint64_t reset_on;
	uint64_t reset_off;
	uint64_t reset_soft_off;
	uint64_t reset_restart;
	uint64_t reset_soft_restart;
	uint64_t reset_cycle;
	uint64_t reset_nmi;
	uint64_t reset_button;
	uint64_t boot_patches;
	uint64_t led_patches;
	uint64_t policy_patches;
	uint64_t media_inserts;
	uint64_t media_ejects;
	uint64_t log_clears;
	uint64_t bmc_resets;
	uint64_t task_polls;
	uint64_t asked_password;
	uint64_t set_password;
};

/* A host behind a service, with its chassis. */
struct host {
	struct device *dev;
	uint32_t n;
	uint8_t uuid[16];
	struct power power;
	struct boot boot;
	struct events events;
	struct media media[MEDIA_SLOTS];
	uint8_t led;
	uint8_t policy;
	char asset_tag[32];
	char last_reset[24];
};

struct device {
	struct sim *sim;
	uint32_t n;
	struct web_device web;
	const struct profile *profile;
	uint8_t uuid[16];
	char password[SIM_PASSWORD + 1];
	char *redirect;
	int64_t second_ends;
	struct knobs knobs;
	struct counters counters;
	struct host *systems;
	uint32_t nsystems;
	struct sessions sessions;
	struct tasks_list tasks;
	char calls[SIM_CALLS][SIM_CALL_TEXT];
	uint32_t called;
	uint32_t e503_seq;
	uint32_t cut_seq;
	uint32_t session_seq;
	uint32_t etag_seq;
	uint64_t gone_until;
	bool leaving;
	bool gone;
};

/* One process. */
struct sim {
	uv_loop_t loop;
	struct options options;
	struct web web;
	struct fleet fleet;
	struct control control;
};

/* Loop time in milliseconds. */
static inline uint64_t sim_now(const struct sim *sim)
{
	return uv_now(&sim->loop);
}

/* "2026-01-31T12:00:00+00:00" of so many seconds ago; out has room for 32. */
void sim_time(uint64_t ago, char *out);

#endif
