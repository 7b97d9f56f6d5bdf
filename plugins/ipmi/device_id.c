/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "device_id.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <freeipmi/freeipmi.h>

#define MAKER_BITS 0xfffffu
#define MAKER_NONE MAKER_BITS

bool device_id_decode(const uint8_t *data, size_t len, struct device_id *ret)
{
	if (len < 11)
		return false;
	*ret = (struct device_id){
		.device = data[0],
		.revision = data[1] & 0xf,
		.firmware = { data[2] & 0x7f, data[3] },
		.ipmi = data[4],
		.supports = data[5],
		.maker = { get_le24(data + 6) & MAKER_BITS, get_le16(data + 9) },
	};
	if (len >= 15)
		memcpy(ret->aux, data + 11, sizeof(ret->aux));
	return true;
}

/* --- Words. ----------------------------------------------------------------------------------- */

/* The makers of most BMCs by the names they go by; for all others the register's. */
static const struct {
	uint32_t number;
	const char *name;
} vendors[] = {
	{ 2, "IBM" },
	{ 11, "HP" },
	{ 42, "Sun" },
	{ 343, "Intel" },
	{ 674, "Dell" },
	{ 2623, "ASUS" },
	{ 6653, "Tyan" },
	{ 7244, "Quanta" },
	{ 10368, "Fujitsu" },
	{ 10876, "Supermicro" },
	{ 15370, "Gigabyte" },
	{ 19046, "Lenovo" },
	{ 20301, "IBM" },
	{ 20974, "American Megatrends" },
	{ 37945, "Inspur" },
	{ 47196, "HPE" },
	{ 47488, "Supermicro" },
	{ 49622, "ASRock Rack" },
	{ 49769, "Yadro" },
	{ 5771, "Cisco" },
	{ 7154, "IPMI forum" },
	{ 2011, "Huawei" },
	{ 5703, "NVIDIA" },
	{ 40092, "Wiwynn" },
};

static bool vendor_name(uint32_t number, char *out, size_t size)
{
	for (size_t i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++) {
		if (vendors[i].number == number) {
			(void)snprintf(out, size, "%s", vendors[i].name);
			return true;
		}
	}
	memset(out, 0, size);
	return number && ipmi_iana_enterprise_numbers_string(number, out, (unsigned)size - 1) > 0;
}

static const char *const abilities[] = { "sensors", "sdr", "sel", "fru", "ipmb_receiver",
	"ipmb_generator", "bridge", "chassis" };

static struct pctl_value *list_supports(uint8_t bits)
{
	struct pctl_value *list = pctl_value_new_list();

	for (size_t i = 0; i < sizeof(abilities) / sizeof(abilities[0]); i++) {
		if (bits >> i & 1)
			pctl_value_add(list, pctl_value_new_text(abilities[i]));
	}
	return list;
}

static void set_text(struct pctl_value *ret, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void set_text(struct pctl_value *ret, const char *key, const char *fmt, ...)
{
	char text[64];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pctl_value_set_text(ret, key, text);
}

static bool any(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i])
			return true;
	}
	return false;
}

void device_id_fill(const struct device_id *id, struct pctl_value *ret)
{
	struct pctl_value *firmware = pctl_value_new_map();
	char text[64];

	if (vendor_name(id->maker.manufacturer, text, sizeof(text)))
		pctl_value_set_text(ret, "vendor", text);
	/* 0 is "unspecified", and all ones are nobody's: then the product means nothing. */
	if (id->maker.manufacturer && id->maker.manufacturer != MAKER_NONE) {
		set_text(ret, "vendor_id", "%u", (unsigned)id->maker.manufacturer);
		set_text(ret, "product_id", "0x%04x", id->maker.product);
	}
	set_text(ret, "device_id", "%u", id->device);
	set_text(ret, "device_revision", "%u", id->revision);
	set_text(ret, "ipmi_version", "%u.%u", id->ipmi & 0xfu, id->ipmi >> 4);
	/* Minor is BCD by the specification; some count in hex. Both read the same in hex digits.
	 */
	set_text(firmware, "version", "%u.%02x", id->firmware[0], id->firmware[1]);
	if (any(id->aux, sizeof(id->aux))) {
		text_hex(id->aux, sizeof(id->aux), "", text, sizeof(text));
		pctl_value_set_text(firmware, "aux", text);
	}
	pctl_value_set(ret, "firmware", firmware);
	if (id->supports)
		pctl_value_set(ret, "supports", list_supports(id->supports));
}

/* --- The key of a repository. ----------------------------------------------------------------- */

bool device_id_sdr_key(
	const struct device_id *id, const uint8_t sdr_info[SDR_INFO_BYTES], char *out)
{
	const uint8_t kind[] = { (uint8_t)id->maker.manufacturer,
		(uint8_t)(id->maker.manufacturer >> 8), (uint8_t)(id->maker.manufacturer >> 16),
		(uint8_t)id->maker.product, (uint8_t)(id->maker.product >> 8), id->device,
		id->revision, id->firmware[0], id->firmware[1], id->aux[0], id->aux[1], id->aux[2],
		id->aux[3] };
	uint32_t added = get_le32(sdr_info + 5), erased = get_le32(sdr_info + 9);
	char *at = out;

	memcpy(at, "sdr-", 4);
	at += 4;
	text_hex(kind, sizeof(kind), "", at, 2 * sizeof(kind) + 1);
	at += 2 * sizeof(kind);
	*at++ = '-';
	text_hex(sdr_info, SDR_INFO_BYTES, "", at, (size_t)2 * SDR_INFO_BYTES + 1);
	/* Times as in the event log: below 20000000h they count from the BMC's start. */
	return (added >= 0x20000000u && added != UINT32_MAX) ||
	       (erased >= 0x20000000u && erased != UINT32_MAX);
}

/* --- GUIDs. ----------------------------------------------------------------------------------- */

/* Which byte of a GUID stands where in its text. */
static const uint8_t orders[][GUID_BYTES] = {
	{ 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 }, /* SMBIOS 2.6 and later */
	{ 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0 }, /* IPMI 2.0, table 20-10 */
	{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 }, /* RFC 4122 */
};

/* RFC 4122: a version from 1 to 5, and variant 10b. */
static bool makes_sense(const uint8_t *guid, const uint8_t *order)
{
	uint8_t version = guid[order[6]] >> 4, variant = guid[order[8]] >> 6;

	return version >= 1 && version <= 5 && variant == 2;
}

bool guid_format(const uint8_t guid[GUID_BYTES], char *out)
{
	uint8_t in_order[GUID_BYTES], same = 1;
	const uint8_t *order = orders[0];
	char hex[2 * GUID_BYTES + 1];

	while (same < GUID_BYTES && guid[same] == guid[0])
		same++;
	if (same == GUID_BYTES && (guid[0] == 0 || guid[0] == 0xff))
		return false;
	for (size_t i = sizeof(orders) / sizeof(orders[0]); i-- > 0;) {
		if (makes_sense(guid, orders[i]))
			order = orders[i];
	}
	for (size_t i = 0; i < GUID_BYTES; i++)
		in_order[i] = guid[order[i]];
	text_hex(in_order, sizeof(in_order), "", hex, sizeof(hex));
	(void)snprintf(out, GUID_TEXT_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
		hex + 16, hex + 20);
	return true;
}
