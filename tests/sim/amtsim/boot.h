/* SPDX-License-Identifier: Apache-2.0 */
/* Boot override: AMT_BootSettingData, the chosen source, the role, and what a start makes of it. */
#ifndef POWERCTL_AMTSIM_BOOT_H
#define POWERCTL_AMTSIM_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util.h"

struct device;

enum boot_flag {
	BOOT_BIOS_PAUSE,
	BOOT_BIOS_SETUP,
	BOOT_CONFIGURATION_RESET,
	BOOT_ENFORCE_SECURE_BOOT,
	BOOT_FORCED_PROGRESS,
	BOOT_LOCK_KEYBOARD,
	BOOT_LOCK_POWER,
	BOOT_LOCK_RESET,
	BOOT_LOCK_SLEEP,
	BOOT_PLATFORM_ERASE,
	BOOT_REFLASH,
	BOOT_SECURE_ERASE,
	BOOT_USE_IDER,
	BOOT_USE_SOL,
	BOOT_SAFE_MODE,
	BOOT_PASSWORD_BYPASS,
	BOOT_OPTIONS_CLEARED,
};

struct boot_source;

/* last_url: taken out of the parameters of the last HTTPS boot. Both texts are its own. */
struct boot {
	uint32_t flags;
	uint32_t media_index;
	uint32_t verbosity;
	uint32_t ider_device;
	uint32_t params;
	char *params_text;
	const struct boot_source *source;
	bool armed;
	uint32_t service_state;
	const char *last;
	char *last_url;
	const char *last_image; /* what became of its image: see recovery.c */
	bool last_sol;
	uint32_t boots;
};

/* Of AMT_BootSettingData; in the recorded order. */
enum boot_kind {
	BOOT_KIND_FLAG,
	BOOT_KIND_NUMBER,
	BOOT_KIND_TEXT,
	BOOT_KIND_STATUS,
};

struct boot_field {
	const char *name;
	/* A flag's bit, a number's offset in struct boot. */
	size_t where;
	/* A text's value, a read-only flag's or number's too. */
	const char *fixed;
	enum boot_kind kind;
	uint32_t max;
	unsigned min_major;
	bool read_only;
};

struct boot_source {
	const char *id;
	const char *structured;
	const char *boot_string;
	const char *bios_string;
	/* What last_boot says after it. */
	const char *word;
	unsigned min_major;
	/* Only with the knob diag_source: firmware lost it in 7.0. */
	bool diag;
};

void boot_init(struct boot *b);
void boot_done(struct boot *b);

/* NULL behind the last one. */
const struct boot_field *boot_field_at(size_t i);
bool boot_has_field(const struct device *dev, const struct boot_field *f);
/* Its value as Get shows it; scratch has room for 11 characters. NULL: shown not at all. */
const char *boot_field_value(const struct device *dev, const struct boot_field *f, char *scratch);
/* Checks and sets one value of a Put; false: not acceptable. */
bool boot_field_set(struct boot *b, const struct boot_field *f, struct str value);

/* The i-th source of this device; NULL behind the last one. */
const struct boot_source *boot_source_at(const struct device *dev, size_t i);
/* EnforceSecureBoot, ForcedProgressEvents. */
bool boot_secure(const struct boot *b);
bool boot_progress(const struct boot *b);
/* The parameters of One-Click Recovery are whole, and as many as their number says. */
bool boot_parameters_fit(const struct boot *b);
/* What CIM_BootService says of One-Click Recovery and remote erase. */
uint32_t boot_service_state(const struct device *dev);
/* UseSOL, UseIDER, ReflashBIOS, BIOSPause or BIOSSetup: no source beside them. */
bool boot_clashes(const struct boot *b);
/* One that sets anything but the defaults. */
bool boot_wants(const struct boot *b);
/* After a Put: OptionsCleared says whether anything is asked for. */
void boot_note_change(struct boot *b);
/* What the next start would do: pxe, disk, cd, diag, http, pba, winre, ider, bios, pause, default.
 */
const char *boot_armed_word(const struct boot *b);
/* Nothing of what was set for the next start is left. */
void boot_forget(struct device *dev);
/* The host starts: the armed override is used up, the settings are cleared. */
void boot_start(struct device *dev);

#endif
