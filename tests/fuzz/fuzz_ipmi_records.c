/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records of a hostile BMC: sensor data records, readings, events, FRUs, device ids. Nothing
 * crashes; texts are UTF-8 without control characters and fit; times and numbers are none or sound;
 * a repository is walked to where it stops being one.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "device_id.h"
#include "fru.h"
#include "sel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool true_of_it)
{
	if (!true_of_it)
		abort();
}

/* How long the character at s is; 0: it is none. */
static size_t character(const unsigned char *s)
{
	if (s[0] < 0x80)
		return s[0] >= ' ' && s[0] != 0x7f;
	size_t n = s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	return n;
}

static void check_text(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	must(*s);
	while (*s) {
		size_t n = character(s);

		must(n > 0);
		s += n;
	}
}

static void check_value(const struct pctl_value *v)
{
	switch (pctl_value_kind(v)) {
	case PCTL_VALUE_TEXT:
		check_text(pctl_value_text(v));
		break;
	case PCTL_VALUE_LIST:
	case PCTL_VALUE_MAP:
		for (size_t i = 0; i < pctl_value_count(v); i++)
			check_value(pctl_value_at(v, i));
		break;
	default:
		break;
	}
}

static void check_number(const char *s)
{
	s += *s == '-';
	must(*s >= '0' && *s <= '9');
	s += strspn(s, "0123456789");
	if (*s == '.') {
		must(strspn(s + 1, "0123456789") == strlen(s + 1));
		must(s[strlen(s) - 1] != '0' && s[1]);
	} else {
		must(!*s);
	}
}

static void read_sensor(
	const struct reading_words *words, const struct sdr *sdr, const uint8_t *answer, size_t len)
{
	struct pctl_value *ret = pctl_value_new_map();
	struct reading reading;
	char text[TEXT_SIZE];

	for (unsigned i = 0; i < sdr->share; i++) {
		sdr_sensor_name(sdr, i, text);
		check_text(text);
	}
	if (reading_unit(sdr, text))
		check_text(text);
	reading_type(reading_words_maker(words), sdr->sensor_type, sdr->reading_type,
		sdr->unit_base, text);
	check_text(text);
	if (reading_decode(answer, len, &reading)) {
		reading_fill(words, sdr, 0, &sdr->factors, &reading, ret);
		if (reading_number(sdr, &sdr->factors, reading.raw, text))
			check_number(text);
	}
	reading_fill_thresholds(sdr, &sdr->factors, 0x3f, sdr->thresholds, ret);
	check_value(ret);
	pctl_value_free(ret);
}

static void read_repository(const struct reading_words *words, const uint8_t *data, size_t size)
{
	const uint8_t *record;
	size_t at = 0, len, before = 0;
	struct sdr sdr;

	while (sdr_next(data, size, &at, &record, &len)) {
		must(record == data + before && at == before + len && len >= SDR_HEADER);
		before = at;
		if (!sdr_decode(record, len, &sdr))
			continue;
		must(sdr.share >= 1 && sdr.share <= 15);
		if (sdr.name[0])
			check_text(sdr.name);
		if (sdr_is_sensor(&sdr))
			read_sensor(words, &sdr, data, size < 4 ? size : 4);
	}
	must(at <= size);
}

static void read_event(const struct reading_words *words, const uint8_t *data, size_t size)
{
	struct pctl_value *event;
	char cursor[SEL_CURSOR_SIZE];
	uint16_t id = 0;

	if (size < SEL_RECORD)
		return;
	event = sel_decode(words, data + SEL_RECORD, size - SEL_RECORD, data);
	check_value(event);
	must(pctl_value_text(pctl_value_get(event, "id")) != NULL);
	must(strlen(pctl_value_text(pctl_value_get(event, "raw"))) == (size_t)2 * SEL_RECORD);
	pctl_value_free(event);
	sel_cursor(data, cursor);
	must(sel_cursor_parse(cursor, &id) && id == get_le16(data));
}

static void read_fru(const uint8_t *data, size_t size)
{
	struct pctl_value *ret = pctl_value_new_map();
	size_t have = 0, need, steps = 0;

	(void)fru_decode(data, size, ret);
	check_value(ret);
	pctl_value_free(ret);
	while ((need = fru_need(data, have, size)) > have) {
		must(need <= size && need <= FRU_BYTES_MAX && ++steps <= 8);
		have = need;
	}
}

static void read_device_id(const uint8_t *data, size_t size)
{
	char key[SDR_KEY_SIZE], uuid[GUID_TEXT_SIZE];
	struct device_id id;

	if (size >= GUID_BYTES && guid_format(data, uuid))
		must(strlen(uuid) == GUID_TEXT_SIZE - 1);
	if (!device_id_decode(data, size, &id))
		return;
	struct pctl_value *ret = pctl_value_new_map();
	device_id_fill(&id, ret);
	check_value(ret);
	pctl_value_free(ret);
	if (size >= SDR_INFO_BYTES) {
		(void)device_id_sdr_key(&id, data, key);
		must(strlen(key) < sizeof(key));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Makers whose events libfreeipmi knows. */
	static const struct maker makers[] = { { 0, 0 }, { 10876, 0x0624 }, { 674, 0x0100 },
		{ 343, 0x003e }, { 10368, 0x0200 }, { 11, 0x2000 }, { 5593, 1 }, { 7244, 0x5354 } };
	struct reading_words *words = reading_words_new(&makers[size ? data[0] % 8 : 0]);
	uint8_t *exact = malloc(size ? size : 1);

	if (exact) {
		memcpy(exact, data, size);
		read_repository(words, exact, size);
		read_event(words, exact, size);
		read_fru(exact, size);
		read_device_id(exact, size);
	}
	free(exact);
	reading_words_free(words);
	return 0;
}
