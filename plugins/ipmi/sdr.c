/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sdr.h"

#include <stdio.h>
#include <string.h>

/* Where the types have what all of them have (43.1, 43.2, 43.3, 43.8, 43.9); 0: it lacks it. */
static const struct layout {
	enum sdr_type type;
	uint8_t entity;
	uint8_t sensor_type; /* and the reading type behind it */
	uint8_t units;
	uint8_t share;
	uint8_t name; /* its type/length byte */
} layouts[] = {
	{ SDR_FULL, .entity = 8, .sensor_type = 12, .units = 20, .name = 47 },
	{ SDR_COMPACT, .entity = 8, .sensor_type = 12, .units = 20, .share = 23, .name = 31 },
	{ SDR_EVENT_ONLY, .entity = 8, .sensor_type = 10, .share = 12, .name = 16 },
	{ SDR_FRU_LOCATOR, .entity = 12, .name = 15 },
	{ SDR_MC_LOCATOR, .entity = 12, .name = 15 },
};

size_t sdr_length(const uint8_t *data, size_t len)
{
	return len < SDR_HEADER ? 0 : SDR_HEADER + (size_t)data[4];
}

static const struct layout *find_layout(uint8_t type)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		if (layouts[i].type == (enum sdr_type)type)
			return &layouts[i];
	}
	return NULL;
}

/* A number of so many bits in two's complement. */
static int16_t extend(unsigned n, unsigned bits)
{
	unsigned sign = 1u << (bits - 1);

	return (int16_t)((int)(n & (sign - 1)) - (int)(n & sign));
}

void sdr_factors_decode(const uint8_t data[SDR_FACTORS_BYTES], struct sdr_factors *ret)
{
	ret->m = extend(data[0] | (data[1] & 0xc0u) << 2, 10);
	ret->b = extend(data[2] | (data[3] & 0xc0u) << 2, 10);
	ret->r_exp = (int8_t)extend(data[5] >> 4, 4);
	ret->b_exp = (int8_t)extend(data[5] & 0xfu, 4);
}

static void decode_full(const uint8_t *data, struct sdr *ret)
{
	/* In the record the highest comes first. */
	for (size_t i = 0; i < 3; i++) {
		ret->thresholds[SDR_UPPER_FATAL - i] = data[36 + i];
		ret->thresholds[SDR_LOWER_FATAL - i] = data[39 + i];
	}
	ret->format = (enum sdr_format)(data[20] >> 6);
	ret->factors.linearization = data[23] & 0x7f;
	sdr_factors_decode(data + 24, &ret->factors);
	ret->threshold_access = data[11] >> 2 & 3;
	ret->readable =
		ret->threshold_access == 1 || ret->threshold_access == 2 ? data[18] & 0x3f : 0;
}

static void decode_share(const uint8_t *data, struct sdr *ret)
{
	if (data[0] & 0xf)
		ret->share = data[0] & 0xf;
	ret->share_letters = (data[0] >> 4 & 3) == 1;
	ret->share_offset = data[1] & 0x7f;
}

static void decode_locator(const uint8_t *data, struct sdr *ret)
{
	ret->access_address = data[5] & 0xfe;
	ret->fru_id = data[6];
	ret->logical = data[7] >> 7;
	ret->device_type = data[10];
	ret->device_modifier = data[11];
}

static void decode_sensor(const uint8_t *data, const struct layout *at, struct sdr *ret)
{
	ret->owner = data[5];
	ret->lun = data[6] & 3;
	ret->number = data[7];
	ret->sensor_type = data[at->sensor_type];
	ret->reading_type = data[at->sensor_type + 1] & 0x7f;
	if (at->share)
		decode_share(data + at->share, ret);
	if (at->units) {
		ret->unit_flags = data[at->units];
		ret->unit_base = data[at->units + 1];
		ret->unit_modifier = data[at->units + 2];
	}
	if (ret->type == SDR_FULL)
		decode_full(data, ret);
}

/* The name may be cut short: some firmware counts it wrong, and what is there will do. */
static void decode_name(const uint8_t *data, size_t len, size_t at, char *out)
{
	enum text_kind kind = (enum text_kind)(data[at] >> 6);
	size_t n = data[at] & 0x1f;

	if (n > len - at - 1)
		n = len - at - 1;
	(void)text_decode(kind == TEXT_BINARY ? TEXT_UNICODE : kind, data + at + 1, n, out);
}

bool sdr_decode(const uint8_t *data, size_t len, struct sdr *ret)
{
	size_t whole = sdr_length(data, len);
	const struct layout *at = whole ? find_layout(data[3]) : NULL;

	if (!at || whole > len || whole <= at->name)
		return false;
	*ret = (struct sdr){
		.id = get_le16(data),
		.type = at->type,
		.entity = data[at->entity],
		.instance = data[at->entity + 1] & 0x7f,
		.share = 1,
		.format = SDR_NO_NUMBER,
	};
	if (at->sensor_type)
		decode_sensor(data, at, ret);
	if (at->type == SDR_FRU_LOCATOR)
		decode_locator(data, ret);
	decode_name(data, whole, at->name, ret->name);
	return true;
}

bool sdr_is_sensor(const struct sdr *sdr)
{
	return sdr->type == SDR_FULL || sdr->type == SDR_COMPACT || sdr->type == SDR_EVENT_ONLY;
}

bool sdr_is_readable(const struct sdr *sdr)
{
	return (sdr->type == SDR_FULL || sdr->type == SDR_COMPACT) && sdr->owner == SDR_OWNER_BMC &&
	       sdr->lun == 0;
}

void sdr_sensor_name(const struct sdr *sdr, unsigned i, char *out)
{
	unsigned n = sdr->share_offset + i;

	if (!sdr->name[0])
		(void)snprintf(
			out, TEXT_SIZE, "sensor %02xh", (unsigned)(uint8_t)(sdr->number + i));
	else if (sdr->share < 2)
		(void)snprintf(out, TEXT_SIZE, "%s", sdr->name);
	else if (!sdr->share_letters)
		(void)snprintf(out, TEXT_SIZE, "%.*s%u", (int)TEXT_SIZE - 8, sdr->name, n);
	else if (n < 26)
		(void)snprintf(
			out, TEXT_SIZE, "%.*s%c", (int)TEXT_SIZE - 8, sdr->name, (char)('A' + n));
	else
		(void)snprintf(out, TEXT_SIZE, "%.*s%c%c", (int)TEXT_SIZE - 8, sdr->name,
			(char)('A' + n / 26 - 1), (char)('A' + n % 26));
}

/* --- A repository. ---------------------------------------------------------------------------- */

bool sdr_next(const uint8_t *data, size_t len, size_t *at, const uint8_t **ret, size_t *ret_len)
{
	size_t n = *at <= len ? sdr_length(data + *at, len - *at) : 0;

	if (!n || n > len - *at)
		return false;
	*ret = data + *at;
	*ret_len = n;
	*at += n;
	return true;
}

bool sdr_find_sensor(const uint8_t *data, size_t len, uint8_t owner, uint8_t lun, uint8_t number,
	struct sdr *ret, unsigned *ret_index)
{
	const uint8_t *record;
	size_t n;

	for (size_t at = 0; sdr_next(data, len, &at, &record, &n);) {
		/* Before any decoding: this is asked for every event. */
		if (n <= 7 || record[5] != owner || (record[6] & 3) != lun || record[7] > number)
			continue;
		if (!sdr_decode(record, n, ret) || !sdr_is_sensor(ret) ||
			(unsigned)number - ret->number >= ret->share)
			continue;
		*ret_index = (unsigned)number - ret->number;
		return true;
	}
	return false;
}
