/* SPDX-License-Identifier: Apache-2.0 */
/* The inventory of FRU 0: section 34, and the areas of the FRU Information Storage Definition 1.0.
 */
#include <stdio.h>
#include <string.h>

#include "request.h"

enum {
	FRU_SIZE = 512,
	AREA_VERSION = 1,
	HEADER = 8,
	RACK_MOUNT = 0x17,
	ENGLISH = 25,
	TEXT_8BIT = 0xC0,
	END_OF_FIELDS = 0xC1,
	CC_RANGE = 0xC9,
};

struct area {
	uint8_t *p;
	size_t n;
};

static void put_field(struct area *a, const char *text)
{
	size_t n = strlen(text);

	a->p[a->n++] = (uint8_t)(TEXT_8BIT | n);
	memcpy(a->p + a->n, text, n);
	a->n += n;
}

/* Ends it: a multiple of 8 bytes whose sum is 0. */
static size_t finish(struct area *a)
{
	a->p[a->n++] = END_OF_FIELDS;
	a->n = (a->n + 1 + 7) / 8 * 8;
	a->p[1] = (uint8_t)(a->n / 8);
	a->p[a->n - 1] = checksum(a->p, a->n - 1);
	return a->n;
}

static size_t chassis(uint8_t *p, const char *serial)
{
	struct area a = { p, 2 };

	p[0] = AREA_VERSION;
	p[a.n++] = RACK_MOUNT;
	put_field(&a, "BMCSIM-CH-1");
	put_field(&a, serial);
	return finish(&a);
}

static size_t board(uint8_t *p, const char *serial)
{
	struct area a = { p, 2 };
	const uint32_t minutes = 13147200; /* since 1996: 31 Dec 2020 */

	p[0] = AREA_VERSION;
	p[a.n++] = ENGLISH;
	p[a.n++] = (uint8_t)minutes;
	p[a.n++] = (uint8_t)(minutes >> 8);
	p[a.n++] = (uint8_t)(minutes >> 16);
	put_field(&a, "powerctl");
	put_field(&a, "BMC stand-in board");
	put_field(&a, serial);
	put_field(&a, "BMCSIM-BD-1");
	put_field(&a, "");
	return finish(&a);
}

static size_t product(uint8_t *p, const char *serial)
{
	struct area a = { p, 2 };

	p[0] = AREA_VERSION;
	p[a.n++] = ENGLISH;
	put_field(&a, "powerctl");
	put_field(&a, "BMC stand-in");
	put_field(&a, "BMCSIM-1");
	put_field(&a, "1.0");
	put_field(&a, serial);
	put_field(&a, "");
	put_field(&a, "");
	return finish(&a);
}

static void make_fru(const struct device *dev, uint8_t *out)
{
	static size_t (*const areas[])(
		uint8_t * p, const char *serial) = { chassis, board, product };
	static const char letters[] = "CBP";
	char serial[24];
	size_t at = HEADER;

	memset(out, 0, FRU_SIZE);
	out[0] = AREA_VERSION;
	for (size_t i = 0; i < COUNT(areas); i++) {
		snprintf(serial, sizeof(serial), "%c%02X%02X%02X-%u", letters[i], dev->guid[0],
			dev->guid[1], dev->guid[2], dev->n);
		out[2 + i] = (uint8_t)(at / 8);
		at += areas[i](out + at, serial);
	}
	out[HEADER - 1] = checksum(out, HEADER - 1);
}

static uint8_t get_area_info(struct request *rq)
{
	if (rq->in[0])
		return CC_NOT_PRESENT;
	put16(rq, FRU_SIZE);
	put8(rq, 0); /* by bytes */
	return CC_OK;
}

static uint8_t read_fru(struct request *rq)
{
	uint8_t fru[FRU_SIZE];
	size_t from = get_u16(rq->in + 1), n = rq->in[3];
	uint32_t most = rq->dev->knobs.fru_max_read;

	if (rq->in[0])
		return CC_NOT_PRESENT;
	if (from >= FRU_SIZE)
		return CC_RANGE;
	if (most && n > most)
		return CC_NOT_RETURNED;
	if (n > FRU_SIZE - from)
		n = FRU_SIZE - from;
	make_fru(rq->dev, fru);
	if (rq->dev->knobs.fru_bad_checksum)
		fru[HEADER - 1] ^= 0xFF;
	put8(rq, (unsigned)n);
	put_bytes(rq, fru + from, n);
	return CC_OK;
}

static const struct command table[] = {
	{ NETFN_STORAGE, 0x10, PRIV_USER, 1, 1, get_area_info },
	{ NETFN_STORAGE, 0x11, PRIV_USER, 4, 4, read_fru },
};

const struct commands commands_fru = { table, COUNT(table) };
