/* SPDX-License-Identifier: Apache-2.0 */
#include "records/event.h"

#include <string.h>

#define WORDS_MAX 400u

/* Of a device on its own board the instance counts from here (IPMI 2.0 section 39.1). */
#define INSTANCE_RELATIVE 0x60u
/* The first byte of data that the firmware itself made. */
#define MADE_BY_ENGINE 0xaau
#define NO_DATA        0xebu

enum {
	SENSOR_INTRUSION = 5,
	SENSOR_PASSWORD = 6,
	SENSOR_FIRMWARE = 15,
	SENSOR_WATCHDOG = 18,
	SENSOR_BOOT = 30,
	SENSOR_OS_STOP = 32,
	SENSOR_BOOT_FAILURE = 35,
	SENSOR_FILTER = 36,
	SENSOR_ENGINE = 37,
	SENSOR_POLICY = 192,
	SENSOR_REMOTE = 193,
};

/* IPMI 2.0 table 43-13, as far as a machine with AMT has it. */
static const struct bytes_word entities[] = {
	{ 3, "processor" },
	{ 4, "disk" },
	{ 5, "peripheral bay" },
	{ 6, "management module" },
	{ 7, "system board" },
	{ 8, "memory module" },
	{ 9, "processor module" },
	{ 10, "power supply" },
	{ 11, "add-in card" },
	{ 12, "front panel board" },
	{ 13, "back panel board" },
	{ 14, "power system board" },
	{ 15, "drive backplane" },
	{ 16, "expansion board" },
	{ 17, "other system board" },
	{ 18, "processor board" },
	{ 19, "power unit" },
	{ 20, "power module" },
	{ 21, "power distribution board" },
	{ 22, "chassis back panel" },
	{ 23, "chassis" },
	{ 24, "sub-chassis" },
	{ 25, "other chassis board" },
	{ 26, "disk bay" },
	{ 27, "peripheral bay" },
	{ 28, "device bay" },
	{ 29, "fan" },
	{ 30, "cooling unit" },
	{ 31, "cable" },
	{ 32, "memory" },
	{ 33, "software" },
	{ 34, "BIOS" },
	{ 35, "operating system" },
	{ 36, "system bus" },
	{ 37, "group" },
	{ 38, "Intel ME" },
	{ 39, "external environment" },
	{ 40, "battery" },
	{ 0, NULL },
};

/* IPMI 2.0 table 42-3, in the words that the other drivers use for a sensor's type. */
static const struct bytes_word sensor_types[] = {
	{ 1, "temperature" },
	{ 2, "voltage" },
	{ 3, "current" },
	{ 4, "fan" },
	{ SENSOR_INTRUSION, "physical_security" },
	{ SENSOR_PASSWORD, "platform_security_violation_attempt" },
	{ 7, "processor" },
	{ 8, "power_supply" },
	{ 9, "power_unit" },
	{ 10, "cooling_device" },
	{ 12, "memory" },
	{ 13, "drive_slot" },
	{ SENSOR_FIRMWARE, "system_firmware_progress" },
	{ 16, "event_logging_disabled" },
	{ 17, "watchdog_1" },
	{ SENSOR_WATCHDOG, "system_event" },
	{ 19, "critical_interrupt" },
	{ 20, "button_switch" },
	{ 23, "add_in_card" },
	{ 24, "chassis" },
	{ SENSOR_BOOT, "boot_error" },
	{ 31, "os_boot" },
	{ SENSOR_OS_STOP, "os_critical_stop" },
	{ 34, "system_acpi_power_state" },
	{ SENSOR_BOOT_FAILURE, "watchdog_2" },
	{ SENSOR_FILTER, "platform_alert" },
	{ SENSOR_ENGINE, "entity_presence" },
	{ 40, "management_subsystem_health" },
	{ 41, "battery" },
	{ SENSOR_POLICY, "oem" },
	{ SENSOR_REMOTE, "oem" },
	{ 0, NULL },
};

static const struct bytes_word severities[] = {
	{ 1, "info" },
	{ 2, "info" },
	{ 4, "ok" },
	{ 8, "warning" },
	{ 16, "critical" },
	{ 32, "critical" },
	{ 0, NULL },
};

static const struct bytes_word firmware_errors[] = {
	{ 0, "firmware error: not said which" },
	{ 1, "firmware error: no memory is installed" },
	{ 2, "firmware error: no usable memory" },
	{ 3, "firmware error: the hard disk cannot be used" },
	{ 4, "firmware error: the system board cannot be used" },
	{ 5, "firmware error: the floppy drive cannot be used" },
	{ 6, "firmware error: the disk controller cannot be used" },
	{ 7, "firmware error: the keyboard cannot be used" },
	{ 8, "firmware error: the removable boot medium is missing" },
	{ 9, "firmware error: the video controller cannot be used" },
	{ 10, "firmware error: no video device was found" },
	{ 11, "firmware error: its own image is damaged" },
	{ 12, "firmware error: the processors' voltages do not match" },
	{ 13, "firmware error: the processors' speeds do not match" },
	{ 0, NULL },
};

static const struct bytes_word firmware_progress[] = {
	{ 0, "starting: not said where" },
	{ 1, "starting: memory" },
	{ 2, "starting: hard disks" },
	{ 3, "starting: secondary processors" },
	{ 4, "starting: user authentication" },
	{ 5, "starting: set-up was entered by the user" },
	{ 6, "starting: USB" },
	{ 7, "starting: PCI resources" },
	{ 8, "starting: option ROMs" },
	{ 9, "starting: video" },
	{ 10, "starting: caches" },
	{ 11, "starting: SMBus" },
	{ 12, "starting: keyboard controller" },
	{ 13, "starting: management controller" },
	{ 14, "docking station: attached" },
	{ 15, "docking station: enabled" },
	{ 16, "docking station: ejected" },
	{ 17, "docking station: disabled" },
	{ 18, "waking: the operating system's vector was called" },
	{ 19, "starting: the operating system's loader was called" },
	{ 20, "starting: system board" },
	{ 22, "starting: floppy drive" },
	{ 23, "starting: keyboard test" },
	{ 24, "starting: pointing device test" },
	{ 25, "starting: primary processor" },
	{ 0, NULL },
};

static const struct bytes_word recovery_errors[] = {
	{ 1, "One-Click Recovery: no network" },
	{ 2, "One-Click Recovery: the server's name could not be resolved" },
	{ 3, "One-Click Recovery: the server could not be connected to" },
	{ 4, "One-Click Recovery: the local application is missing" },
	{ 5, "One-Click Recovery: the server's certificate was not accepted" },
	{ 6, "One-Click Recovery: the server refused the login" },
	{ 7, "One-Click Recovery: the image is not valid" },
	{ 8, "One-Click Recovery: the file was not found" },
	{ 0, NULL },
};

static const struct bytes_word recovery_progress[] = {
	{ 0, "One-Click Recovery: parameters received" },
	{ 1, "One-Click Recovery: boot option added" },
	{ 2, "One-Click Recovery: the server's name was resolved" },
	{ 3, "One-Click Recovery: connected to the server" },
	{ 4, "One-Click Recovery: the image was loaded" },
	{ 5, "One-Click Recovery: the image is started" },
	{ 6, "One-Click Recovery: the image left the firmware's services" },
	{ 0, NULL },
};

static const struct bytes_word recovery_options[] = {
	{ 2, " for HTTPS" },
	{ 4, " for a local application (PBA)" },
	{ 8, " for Windows recovery (WinRE)" },
	{ 0, NULL },
};

static const struct bytes_word watchdog_states[] = {
	{ 1, "not started" },
	{ 2, "stopped" },
	{ 4, "running" },
	{ 8, "expired" },
	{ 16, "suspended" },
	{ 0, NULL },
};

static const struct bytes_word redirection[] = {
	{ 0, "serial over LAN: session opened" },
	{ 1, "serial over LAN: session closed" },
	{ 2, "storage redirection: session opened" },
	{ 3, "storage redirection: session closed" },
	{ 0, NULL },
};

bool event_parse(const uint8_t *r, size_t len, struct event *ret)
{
	if (len != EVENT_RECORD)
		return false;
	*ret = (struct event){
		.time = (uint32_t)r[0] | (uint32_t)r[1] << 8 | (uint32_t)r[2] << 16 |
			(uint32_t)r[3] << 24,
		.device_address = r[4],
		.sensor_type = r[5],
		.event_type = r[6],
		.offset = r[7],
		.source = r[8],
		.severity = r[9],
		.sensor = r[10],
		.entity = r[11],
		.instance = r[12],
	};
	memcpy(ret->data, r + 13, EVENT_DATA);
	return true;
}

static void say_unknown(const struct event *e, struct pctl_buf *out)
{
	pctl_buf_addf(out, "event %u of type %02xh", e->offset, e->event_type);
	pctl_buf_addf(out, ", sensor type %u, data ", e->sensor_type);
	bytes_add_hex(out, e->data, EVENT_DATA);
}

static void say_word(
	const struct bytes_word *words, uint32_t number, const char *what, struct pctl_buf *out)
{
	const char *word = bytes_find_word(words, number);

	if (word)
		pctl_buf_adds(out, word);
	else
		pctl_buf_addf(out, "%s %u", what, number);
}

static bool is_recovery(const struct event *e)
{
	return e->data[0] == MADE_BY_ENGINE && e->data[1] == 0x30;
}

static bool is_erase(const struct event *e)
{
	return e->data[0] == MADE_BY_ENGINE && e->data[1] == 0x40;
}

static void say_recovery(const struct event *e, struct pctl_buf *out)
{
	const char *option = bytes_find_word(recovery_options, e->data[3]);

	say_word(recovery_progress, e->data[2], "One-Click Recovery: step", out);
	if (e->data[2] == 1 && option)
		pctl_buf_adds(out, option);
}

static void say_firmware(const struct event *e, struct pctl_buf *out)
{
	bool oem_error = e->offset == 3, oem_progress = e->offset == 5;

	if (oem_error && is_recovery(e))
		say_word(recovery_errors, e->data[2], "One-Click Recovery: error", out);
	else if (oem_error && is_erase(e))
		pctl_buf_addf(out, "remote platform erase: error %u", e->data[2]);
	else if (oem_progress && is_recovery(e))
		say_recovery(e, out);
	else if (oem_progress && is_erase(e))
		pctl_buf_addf(out, "remote platform erase: step %u", e->data[2]);
	else if (oem_error || oem_progress)
		say_unknown(e, out);
	else if (e->data[0] == NO_DATA)
		pctl_buf_addf(
			out, "firmware %s: its data are invalid", e->offset ? "progress" : "error");
	else if (e->offset == 0)
		say_word(firmware_errors, e->data[1], "firmware error: number", out);
	else
		say_word(firmware_progress, e->data[1], "starting: step", out);
}

static void say_watchdog(const struct event *e, struct pctl_buf *out)
{
	if (e->data[0] != MADE_BY_ENGINE) {
		say_unknown(e, out);
		return;
	}
	pctl_buf_adds(out, "watchdog of agent ");
	bytes_add_hex(out, e->data + 1, 6);
	pctl_buf_adds(out, "...: ");
	say_word(watchdog_states, e->data[7], "state", out);
}

static void say_policy(const struct event *e, struct pctl_buf *out)
{
	const char *word = is_recovery(e) ? bytes_find_word(redirection, e->data[2]) : NULL;

	pctl_buf_adds(out, word ? word : "a security policy was invoked");
}

static void say_remote(const struct event *e, struct pctl_buf *out)
{
	if (is_recovery(e) && !e->data[2] && !e->data[3])
		pctl_buf_adds(out, "the user asked for a connection to the management server");
	else
		say_unknown(e, out);
}

static void say_passwords(const struct event *e, struct pctl_buf *out)
{
	unsigned n = e->data[1] + 256u * e->data[2];

	pctl_buf_addf(out, "authentication failed %u time%s", n, n == 1 ? "" : "s");
}

static void say_intrusion(const struct event *e, struct pctl_buf *out)
{
	if (e->offset == 0)
		pctl_buf_adds(out, "the case was opened");
	else
		say_unknown(e, out);
}

static void say_boot_failure(const struct event *e, struct pctl_buf *out)
{
	pctl_buf_adds(out, e->data[0] == 64
				   ? "the machine did not start: its watchdog expired during "
				     "the self-test"
				   : "the machine did not start");
}

static void say_no_medium(const struct event *e, struct pctl_buf *out)
{
	(void)e;
	pctl_buf_adds(out, "no bootable medium");
}

static void say_os_stop(const struct event *e, struct pctl_buf *out)
{
	(void)e;
	pctl_buf_adds(out, "the operating system hangs, or its power was interrupted");
}

static void say_filter(const struct event *e, struct pctl_buf *out)
{
	(void)e;
	pctl_buf_adds(out, "system defense: a filter matched");
}

static void say_engine(const struct event *e, struct pctl_buf *out)
{
	(void)e;
	pctl_buf_adds(out, "the firmware was started");
}

static const struct sentence {
	uint8_t sensor_type;
	void (*say)(const struct event *e, struct pctl_buf *out);
} sentences[] = {
	{ SENSOR_INTRUSION, say_intrusion },
	{ SENSOR_PASSWORD, say_passwords },
	{ SENSOR_FIRMWARE, say_firmware },
	{ SENSOR_WATCHDOG, say_watchdog },
	{ SENSOR_BOOT, say_no_medium },
	{ SENSOR_OS_STOP, say_os_stop },
	{ SENSOR_BOOT_FAILURE, say_boot_failure },
	{ SENSOR_FILTER, say_filter },
	{ SENSOR_ENGINE, say_engine },
	{ SENSOR_POLICY, say_policy },
	{ SENSOR_REMOTE, say_remote },
};

static void say(const struct event *e, struct pctl_buf *out)
{
	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
		if (sentences[i].sensor_type == e->sensor_type) {
			sentences[i].say(e, out);
			return;
		}
	}
	say_unknown(e, out);
}

/* "processor 2", "BIOS" */
static void set_sensor(const struct event *e, struct pctl_value *ret)
{
	const char *entity = bytes_find_word(entities, e->entity);
	struct pctl_buf name;

	if (!entity)
		return;
	pctl_buf_init(&name, WORDS_MAX);
	pctl_buf_adds(&name, entity);
	if (e->instance > 1 && e->instance < INSTANCE_RELATIVE)
		pctl_buf_addf(&name, " %u", e->instance);
	pctl_value_set_text(ret, "sensor", name.data);
	pctl_buf_done(&name);
}

struct pctl_value *event_tell(const struct event *e)
{
	struct pctl_value *ret = pctl_value_new_map();
	const char *severity = bytes_find_word(severities, e->severity);
	const char *type = bytes_find_word(sensor_types, e->sensor_type);
	struct pctl_buf words;

	bytes_set_time(ret, e->time);
	pctl_value_set_text(ret, "severity", severity ? severity : "unknown");
	pctl_value_set_text(ret, "source", "event");
	set_sensor(e, ret);
	pctl_value_set_text(ret, "sensor_type", type ? type : "other");
	pctl_buf_init(&words, WORDS_MAX);
	say(e, &words);
	pctl_value_set_text(ret, "event", words.data);
	pctl_buf_done(&words);
	return ret;
}
