/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sel.h"

#include <stdio.h>
#include <string.h>

#include <freeipmi/freeipmi.h>
#include <powerctl/buf.h>
#include <powerctl/parse.h>

/* Table 32-1. */
#define TYPE_EVENT       0x02
#define TYPE_OEM_TIMED   0xc0
#define TYPE_OEM_UNTIMED 0xe0

/* Up to here a BMC counts from its own start, for it does not know the time (section 37). */
#define TIME_SINCE_START 0x20000000u
#define TIME_UNKNOWN     0xffffffffu

/* What a type of record has, one decoded at a time. */
struct event {
	const struct reading_words *words;
	const uint8_t *record;
	bool asserted;
	uint8_t sensor_type, reading_type, number;
	const uint8_t *data; /* event data 1 to 3 */
	bool known;          /* sdr and index are the sensor's */
	struct sdr sdr;
	unsigned index;
};

static void set_time(struct pctl_value *ret, uint32_t seconds)
{
	char text[TEXT_TIME_SIZE];

	if (seconds < TIME_SINCE_START || seconds == TIME_UNKNOWN)
		return;
	text_time(seconds, text);
	pctl_value_set_text(ret, "time", text);
}

static void set_raw(struct pctl_value *ret, const uint8_t record[SEL_RECORD])
{
	char text[2 * SEL_RECORD + 1];

	text_hex(record, SEL_RECORD, "", text, sizeof(text));
	pctl_value_set_text(ret, "raw", text);
}

/* --- Events. ---------------------------------------------------------------------------------- */

static unsigned offset_of(const struct event *e)
{
	return e->data[0] & 0xf;
}

static const char *severity(const struct event *e)
{
	if (e->reading_type == READING_TYPE_THRESHOLD) {
		/* Offsets in pairs, going low and high: lower and upper, each warning first. */
		unsigned threshold = offset_of(e) / 2;

		if (threshold >= SDR_THRESHOLDS)
			return "unknown";
		if (!e->asserted)
			return "ok";
		return threshold % 3 == 0 ? "warning" : "critical";
	}
	const char *word = reading_severity(e->words, e->record);
	if (word && !e->asserted && strcmp(word, "info") == 0)
		return "ok";
	return word ? word : "unknown";
}

/* Event data 2 and 3 may hold what was read and which threshold it went past (table 29-6). */
static void add_readings(const struct event *e, struct pctl_buf *text)
{
	char number[READING_NUMBER_SIZE], unit[READING_UNIT_SIZE];
	bool has_unit = reading_unit(&e->sdr, unit);

	/* With other linearizations it would take a request for each. */
	if (e->sdr.factors.linearization >= SDR_NON_LINEAR)
		return;
	if (e->data[0] >> 6 == 1 && reading_number(&e->sdr, &e->sdr.factors, e->data[1], number))
		pctl_buf_addf(
			text, ": read %s%s%s", number, has_unit ? " " : "", has_unit ? unit : "");
	if ((e->data[0] >> 4 & 3) == 1 &&
		reading_number(&e->sdr, &e->sdr.factors, e->data[2], number))
		pctl_buf_addf(text, ", threshold %s%s%s", number, has_unit ? " " : "",
			has_unit ? unit : "");
}

static void add_details(const struct event *e, struct pctl_buf *text)
{
	char detail[READING_EVENT_SIZE] = "";

	if (e->reading_type != READING_TYPE_SPECIFIC || e->sensor_type >= 0xc0)
		return;
	/* Unspecified is FFh. */
	if (e->data[0] >> 6 == 3 && e->data[1] != 0xff &&
		ipmi_get_event_data2_message(
			e->sensor_type, offset_of(e), e->data[1], detail, sizeof(detail) - 1) > 0)
		pctl_buf_addf(text, "; %s", detail);
	memset(detail, 0, sizeof(detail));
	if ((e->data[0] >> 4 & 3) == 3 && e->data[2] != 0xff &&
		ipmi_get_event_data3_message(e->sensor_type, offset_of(e), e->data[1], e->data[2],
			detail, sizeof(detail) - 1) > 0)
		pctl_buf_addf(text, "; %s", detail);
}

static void set_event(const struct event *e, struct pctl_value *ret)
{
	char words[READING_EVENT_SIZE];
	struct pctl_buf text;

	pctl_buf_init(&text, 1024);
	reading_event(reading_words_maker(e->words), e->sensor_type, e->reading_type, e->number,
		offset_of(e), words);
	pctl_buf_adds(&text, words);
	if (e->reading_type == READING_TYPE_THRESHOLD && e->known)
		add_readings(e, &text);
	else
		add_details(e, &text);
	pctl_value_set_text(ret, "event", text.data);
	pctl_buf_done(&text);
}

static void set_sensor(const struct event *e, struct pctl_value *ret)
{
	char text[TEXT_SIZE];

	if (e->known)
		sdr_sensor_name(&e->sdr, e->index, text);
	else
		(void)snprintf(text, sizeof(text), "sensor %02xh", e->number);
	pctl_value_set_text(ret, "sensor", text);
	reading_type(reading_words_maker(e->words), e->sensor_type, e->reading_type,
		e->known ? e->sdr.unit_base : 0, text);
	pctl_value_set_text(ret, "sensor_type", text);
}

static void decode_event(const struct reading_words *words, const uint8_t *sdr, size_t sdr_len,
	const uint8_t *record, struct pctl_value *ret)
{
	struct event e = {
		.words = words,
		.record = record,
		.asserted = !(record[12] & 0x80),
		.sensor_type = record[10],
		.reading_type = record[12] & 0x7f,
		.number = record[11],
		.data = record + 13,
	};

	e.known = sdr && sdr_find_sensor(sdr, sdr_len, record[7], record[8] & 3, e.number, &e.sdr,
				 &e.index);
	set_time(ret, get_le32(record + 3));
	pctl_value_set_text(ret, "severity", severity(&e));
	set_sensor(&e, ret);
	set_event(&e, ret);
	pctl_value_set_bool(ret, "asserted", e.asserted);
}

/* --- Other records. --------------------------------------------------------------------------- */

static void decode_oem(const uint8_t *record, struct pctl_value *ret)
{
	char text[96], bytes[40], maker[12] = "";
	bool timed = record[2] < TYPE_OEM_UNTIMED;
	const uint8_t *data = record + (timed ? 10 : 3);

	if (timed) {
		set_time(ret, get_le32(record + 3));
		(void)snprintf(maker, sizeof(maker), "%u", (unsigned)get_le24(record + 7));
	}
	text_hex(data, (size_t)(record + SEL_RECORD - data), " ", bytes, sizeof(bytes));
	(void)snprintf(text, sizeof(text), "OEM record %02xh%s%s: %s", record[2],
		timed ? " of maker " : "", maker, bytes);
	pctl_value_set_text(ret, "severity", "unknown");
	pctl_value_set_text(ret, "event", text);
}

struct pctl_value *sel_decode(const struct reading_words *words, const uint8_t *sdr, size_t sdr_len,
	const uint8_t record[SEL_RECORD])
{
	struct pctl_value *ret = pctl_value_new_map();
	char id[8];

	(void)snprintf(id, sizeof(id), "%u", get_le16(record));
	pctl_value_set_text(ret, "id", id);
	if (record[2] >= TYPE_OEM_TIMED)
		decode_oem(record, ret);
	else if (record[2] == TYPE_EVENT)
		decode_event(words, sdr, sdr_len, record, ret);
	else
		pctl_value_set_text(ret, "severity", "unknown");
	set_raw(ret, record);
	return ret;
}

/* --- Cursors. --------------------------------------------------------------------------------- */

void sel_cursor(const uint8_t record[SEL_RECORD], char *out)
{
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a: told apart, not protected */

	for (size_t i = 0; i < SEL_RECORD; i++)
		hash = (hash ^ record[i]) * 0x100000001b3u;
	(void)snprintf(
		out, SEL_CURSOR_SIZE, "%u:%016llx", get_le16(record), (unsigned long long)hash);
}

bool sel_cursor_parse(const char *cursor, uint16_t *ret_id)
{
	char digits[6];
	size_t n = cursor ? strcspn(cursor, ":") : 0;
	uint64_t id;

	if (n == 0 || n >= sizeof(digits) || cursor[n] != ':')
		return false;
	memcpy(digits, cursor, n);
	digits[n] = '\0';
	if (pctl_parse_uint(digits, UINT16_MAX, &id) < 0)
		return false;
	*ret_id = (uint16_t)id;
	return true;
}
