/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fru.h"

#include <string.h>

#include <freeipmi/freeipmi.h>

#define HEADER         8u
#define FORMAT_VERSION 1
#define END_OF_FIELDS  0xc1
#define CUSTOM_MAX     16u

/* Minutes are counted from 1996-01-01 00:00 UTC. */
#define EPOCH_1996 820454400

struct area {
	const char *key;
	uint8_t offset;      /* its place in the header */
	uint8_t first;       /* where its fields begin */
	bool language;       /* byte 2 says in which language they are */
	const char *keys[8]; /* of its fields in turn; those behind are custom */
};

static const struct area areas[] = {
	{ "chassis", 2, 3, false, { "part_number", "serial" } },
	{ "board", 3, 6, true, { "manufacturer", "name", "serial", "part_number", "fru_file" } },
	{ "product", 4, 3, true,
		{ "manufacturer", "name", "part_number", "version", "serial", "asset_tag",
			"fru_file" } },
};
#define AREAS (sizeof(areas) / sizeof(areas[0]))

static bool sums_up(const uint8_t *data, size_t len)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + data[i]);
	return sum == 0;
}

static bool is_header(const uint8_t *data, size_t len)
{
	return len >= HEADER && (data[0] & 0xf) == FORMAT_VERSION && sums_up(data, HEADER);
}

size_t fru_need(const uint8_t *data, size_t have, size_t size)
{
	size_t need = HEADER;

	if (have >= HEADER && !is_header(data, have))
		return 0;
	for (size_t i = 0; have >= HEADER && i < AREAS; i++) {
		size_t at = (size_t)data[areas[i].offset] * 8;
		size_t end = at + 2;

		if (!at)
			continue;
		if (end <= have)
			end = at + (size_t)data[at + 1] * 8;
		if (end > need)
			need = end;
	}
	return need < size ? need : size;
}

/* --- Fields. ---------------------------------------------------------------------------------- */

/* English is 0 or 25; in other languages 11b means two bytes for each character. */
static enum text_kind kind_of(uint8_t type_length, uint8_t language)
{
	enum text_kind kind = (enum text_kind)(type_length >> 6);

	if (kind == TEXT_8BIT && language != 0 && language != 25)
		return TEXT_UNICODE;
	return kind;
}

/* Some firmware says another language and writes ASCII. */
static enum text_kind mend_kind(enum text_kind kind, const uint8_t *data, size_t len)
{
	if (kind == TEXT_UNICODE && (len % 2 || (len && !memchr(data, 0, len) && data[0] < 0x80)))
		return TEXT_8BIT;
	return kind;
}

static void add_field(const struct area *area, size_t i, const char *text, struct pctl_value *map)
{
	const char *key = i < sizeof(area->keys) / sizeof(area->keys[0]) ? area->keys[i] : NULL;
	struct pctl_value *custom = pctl_value_get(map, "custom");

	if (key) {
		pctl_value_set_text(map, key, text);
		return;
	}
	if (!custom) {
		custom = pctl_value_new_list();
		pctl_value_set(map, "custom", custom);
	}
	if (pctl_value_count(custom) < CUSTOM_MAX)
		pctl_value_add(custom, pctl_value_new_text(text));
}

static void decode_fields(
	const struct area *area, const uint8_t *data, size_t len, struct pctl_value *map)
{
	uint8_t language = area->language ? data[2] : 0;
	size_t at = area->first, n;
	char text[TEXT_SIZE];

	for (size_t i = 0; at < len && data[at] != END_OF_FIELDS; i++, at += 1 + n) {
		n = data[at] & 0x3f;
		if (n > len - at - 1)
			return;
		enum text_kind kind = mend_kind(kind_of(data[at], language), data + at + 1, n);
		if (text_decode(kind, data + at + 1, n, text))
			add_field(area, i, text, map);
	}
}

static void decode_area(
	const struct area *area, const uint8_t *data, size_t len, struct pctl_value *ret)
{
	size_t whole = len >= 2 ? (size_t)data[1] * 8 : 0;
	struct pctl_value *map;
	char made[TEXT_TIME_SIZE];

	if (len <= area->first || whole <= area->first || (data[0] & 0xf) != FORMAT_VERSION)
		return;
	map = pctl_value_new_map();
	if (strcmp(area->key, "chassis") == 0 && IPMI_FRU_CHASSIS_TYPE_VALID(data[2]))
		pctl_value_set_text(map, "type", ipmi_fru_chassis_types[data[2]]);
	/* Past its end nothing is the area's; before it, what was read is. */
	decode_fields(area, data, whole < len ? whole : len, map);
	if (strcmp(area->key, "board") == 0 && get_le24(data + 3)) {
		text_time(EPOCH_1996 + (int64_t)get_le24(data + 3) * 60, made);
		pctl_value_set_text(map, "made", made);
	}
	if (whole > len || !sums_up(data, whole))
		pctl_value_set_text(map, "checksum", "wrong");
	pctl_value_set(ret, area->key, map);
}

bool fru_decode(const uint8_t *data, size_t len, struct pctl_value *ret)
{
	if (!is_header(data, len))
		return false;
	for (size_t i = 0; i < AREAS; i++) {
		size_t at = (size_t)data[areas[i].offset] * 8;

		if (at && at < len)
			decode_area(&areas[i], data + at, len - at, ret);
	}
	return true;
}
