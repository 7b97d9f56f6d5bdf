/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "reading.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <freeipmi/freeipmi.h>
#include <powerctl/buf.h>
#include <powerctl/mem.h>

#define STATES 15u /* bits that a discrete sensor has */

struct reading_words {
	struct maker maker;
	ipmi_interpret_ctx_t interpret; /* NULL: it could not be made */
};

struct reading_words *reading_words_new(const struct maker *maker)
{
	struct reading_words *words = pctl_xcalloc(1, sizeof(*words));

	words->maker = *maker;
	words->interpret = ipmi_interpret_ctx_create();
	if (words->interpret) {
		(void)ipmi_interpret_ctx_set_flags(
			words->interpret, IPMI_INTERPRET_FLAGS_INTERPRET_OEM_DATA);
		(void)ipmi_interpret_ctx_set_manufacturer_id(words->interpret, maker->manufacturer);
		(void)ipmi_interpret_ctx_set_product_id(words->interpret, maker->product);
	}
	return words;
}

void reading_words_free(struct reading_words *words)
{
	if (!words)
		return;
	if (words->interpret)
		ipmi_interpret_ctx_destroy(words->interpret);
	free(words);
}

const struct maker *reading_words_maker(const struct reading_words *words)
{
	return &words->maker;
}

bool reading_decode(const uint8_t *data, size_t len, struct reading *ret)
{
	/* Bit 6: it is being scanned. Bit 5: what was read last holds no more. */
	if (len < 2)
		return false;
	*ret = (struct reading){
		.available = (data[1] & 0x60) == 0x40,
		.raw = data[0],
		.bits = (uint16_t)((len > 2 ? data[2] : 0) | (len > 3 ? data[3] & 0x7f : 0) << 8),
	};
	return true;
}

/* --- Numbers. --------------------------------------------------------------------------------- */

/* How many places the factors can tell apart: B and M x are integers times a power of ten. */
static int places(const struct sdr_factors *f)
{
	int n = -f->r_exp;

	if (f->linearization != SDR_LINEAR && f->linearization < SDR_NON_LINEAR)
		return 3;
	if (f->b && -(f->r_exp + f->b_exp) > n)
		n = -(f->r_exp + f->b_exp);
	return n < 0 ? 0 : n;
}

static void drop_zeros(char *s)
{
	size_t n = strlen(s);

	if (!strchr(s, '.'))
		return;
	while (s[n - 1] == '0')
		n--;
	if (s[n - 1] == '.')
		n--;
	s[n] = '\0';
	if (strcmp(s, "-0") == 0)
		memmove(s, "0", sizeof("0"));
}

bool reading_number(const struct sdr *sdr, const struct sdr_factors *f, uint8_t raw, char *out)
{
	/* The factors of a non-linear sensor hold for this reading as they stand (36.3). */
	uint8_t function = f->linearization >= SDR_NON_LINEAR ? SDR_LINEAR : f->linearization;
	double value;

	if (sdr->format == SDR_NO_NUMBER ||
		ipmi_sensor_decode_value(f->r_exp, f->b_exp, f->m, f->b, function,
			(uint8_t)sdr->format, raw, &value) < 0 ||
		!isfinite(value) || fabs(value) >= 1e15)
		return false;
	(void)snprintf(out, READING_NUMBER_SIZE, "%.*f", places(f), value);
	drop_zeros(out);
	return true;
}

bool reading_unit(const struct sdr *sdr, char *out)
{
	bool percent = sdr->unit_flags & 1;

	if (!percent && !sdr->unit_base)
		return false;
	memset(out, 0, READING_UNIT_SIZE);
	if (ipmi_sensor_units_string(percent, sdr->unit_flags >> 1 & 3, sdr->unit_flags >> 3 & 7,
		    sdr->unit_base, sdr->unit_modifier, out, READING_UNIT_SIZE - 1, 1) <= 0)
		return false;
	if (strcmp(out, "RPM") == 0)
		memcpy(out, "rpm", sizeof("rpm"));
	return true;
}

/* --- Words. ----------------------------------------------------------------------------------- */

static const char *const threshold_names[SDR_THRESHOLDS] = {
	[SDR_LOWER_WARNING] = "lower_warning",
	[SDR_LOWER_CRITICAL] = "lower_critical",
	[SDR_LOWER_FATAL] = "lower_fatal",
	[SDR_UPPER_WARNING] = "upper_warning",
	[SDR_UPPER_CRITICAL] = "upper_critical",
	[SDR_UPPER_FATAL] = "upper_fatal",
};

const char *reading_threshold_name(enum sdr_threshold threshold)
{
	return threshold_names[threshold];
}

/* Table 42-3 and table 43-15. */
#define TYPE_OTHER_UNITS 0x0b
#define TYPE_OEM         0xc0
#define UNIT_WATTS       6
#define UNIT_JOULES      7

static void join_words(const char *s, char *out)
{
	static const char gaps[] = " /-,.()&";
	struct pctl_buf buf;

	pctl_buf_init(&buf, READING_UNIT_SIZE - 1);
	for (s += strspn(s, gaps); *s; s += strspn(s, gaps)) {
		size_t len = strcspn(s, gaps);

		pctl_buf_addf(&buf, "%s%.*s", buf.len ? "_" : "", (int)len, s);
		s += len;
	}
	for (size_t i = 0; i <= buf.len; i++)
		out[i] = (char)tolower((unsigned char)buf.data[i]);
	pctl_buf_done(&buf);
}

void reading_type(
	const struct maker *maker, uint8_t sensor_type, uint8_t type, uint8_t unit_base, char *out)
{
	const char *word = NULL;

	if (sensor_type == TYPE_OTHER_UNITS)
		word = unit_base == UNIT_WATTS    ? "power"
		       : unit_base == UNIT_JOULES ? "energy"
						  : NULL;
	else if (sensor_type >= TYPE_OEM)
		word = ipmi_get_oem_sensor_type_string(
			sensor_type, type, maker->manufacturer, maker->product);
	else if (sensor_type)
		word = ipmi_get_sensor_type_string(sensor_type);
	/* What libfreeipmi calls what it does not know. */
	if (!word || strncmp(word, "OEM", 3) == 0)
		word = "other";
	join_words(word, out);
}

void reading_entity(uint8_t entity, char *out)
{
	const char *word = ipmi_get_entity_id_string(entity);

	join_words(word ? word : "other", out);
}

static int find_event(const struct maker *m, uint8_t sensor_type, uint8_t type, uint8_t number,
	unsigned offset, char *out, unsigned size)
{
	int n = ipmi_get_oem_specific_message(
		m->manufacturer, m->product, type, sensor_type, offset, out, size);

	if (n > 0)
		return n;
	if (type != READING_TYPE_SPECIFIC && type >= 0x70)
		return ipmi_get_oem_generic_event_message(
			m->manufacturer, m->product, type, offset, out, size);
	if (type != READING_TYPE_SPECIFIC)
		return ipmi_get_generic_event_message(type, offset, out, size);
	if (sensor_type >= 0xc0)
		return ipmi_get_oem_sensor_type_message(
			m->manufacturer, m->product, sensor_type, number, offset, out, size);
	return ipmi_get_sensor_type_message(sensor_type, offset, out, size);
}

void reading_event(const struct maker *maker, uint8_t sensor_type, uint8_t type, uint8_t number,
	unsigned offset, char *out)
{
	memset(out, 0, READING_EVENT_SIZE);
	if (find_event(maker, sensor_type, type, number, offset, out, READING_EVENT_SIZE - 1) <= 0)
		(void)snprintf(out, READING_EVENT_SIZE, "state %u of type %02xh", offset, type);
}

/* --- States. ---------------------------------------------------------------------------------- */

static const char *threshold_state(uint16_t bits)
{
	const unsigned warning = 1u << SDR_LOWER_WARNING | 1u << SDR_UPPER_WARNING;
	const unsigned worse = ((1u << SDR_THRESHOLDS) - 1) & ~warning;

	return bits & worse ? "critical" : bits & warning ? "warning" : "ok";
}

/*
 * Table 42-2 grades what of itself tells how bad it is; libfreeipmi has opinions on these only
 * together with some types of sensors. By the offset: o ok, i info, w warning, c critical.
 */
static const char *generic_grades(uint8_t type)
{
	switch (type) {
	case 0x04: /* predictive failure */
	case 0x05: /* limit exceeded */
	case 0x06: /* performance lags */
		return "ow";
	case 0x07: /* severity */
		return "owccwccii";
	case 0x0b: /* redundancy */
		return "owwwwcww";
	default:
		return "";
	}
}

static const char *graded_state(uint8_t type, uint16_t bits)
{
	static const char order[] = "iowc";
	const char *grades = generic_grades(type);
	size_t worst = 0;

	if (!*grades)
		return "unknown";
	for (size_t i = 0; grades[i]; i++) {
		size_t grade = (size_t)(strchr(order, grades[i]) - order);

		if (bits >> i & 1 && grade > worst)
			worst = grade;
	}
	return worst == 3 ? "critical" : worst == 2 ? "warning" : "ok";
}

static bool is_absent(const struct sdr *sdr, uint16_t bits)
{
	/* 08h: removed. Entity presence: absent. Slot, processor and so on say what is there. */
	if (sdr->reading_type == READING_TYPE_PRESENCE)
		return (bits & 3) == 1;
	return sdr->reading_type == READING_TYPE_SPECIFIC && sdr->sensor_type == 0x25 &&
	       (bits & 3) == 2;
}

static const char *discrete_state(
	const struct reading_words *words, const struct sdr *sdr, uint16_t bits)
{
	unsigned state = IPMI_INTERPRET_STATE_UNKNOWN;

	if (is_absent(sdr, bits))
		return "absent";
	if (!bits || sdr->reading_type == READING_TYPE_PRESENCE)
		return "ok";
	if (words->interpret)
		(void)ipmi_interpret_sensor(
			words->interpret, sdr->reading_type, sdr->sensor_type, bits, &state);
	switch (state) {
	case IPMI_INTERPRET_STATE_NOMINAL:
		return "ok";
	case IPMI_INTERPRET_STATE_WARNING:
		return "warning";
	case IPMI_INTERPRET_STATE_CRITICAL:
		return "critical";
	default:
		return graded_state(sdr->reading_type, bits);
	}
}

static void fill_events(const struct reading_words *words, const struct sdr *sdr, unsigned index,
	uint16_t bits, struct pctl_value *ret)
{
	bool threshold = sdr->reading_type == READING_TYPE_THRESHOLD;
	struct pctl_value *list = NULL;
	char text[READING_EVENT_SIZE];

	for (unsigned i = 0; i < (threshold ? SDR_THRESHOLDS : STATES); i++) {
		if (!(bits >> i & 1))
			continue;
		if (threshold)
			(void)snprintf(text, sizeof(text), "%s", threshold_names[i]);
		else
			reading_event(&words->maker, sdr->sensor_type, sdr->reading_type,
				(uint8_t)(sdr->number + index), i, text);
		if (!list)
			list = pctl_value_new_list();
		pctl_value_add(list, pctl_value_new_text(text));
	}
	if (list)
		pctl_value_set(ret, "events", list);
}

void reading_fill(const struct reading_words *words, const struct sdr *sdr, unsigned index,
	const struct sdr_factors *factors, const struct reading *reading, struct pctl_value *ret)
{
	char number[READING_NUMBER_SIZE];
	bool threshold = sdr->reading_type == READING_TYPE_THRESHOLD;
	uint16_t bits = threshold ? reading->bits & 0x3f : reading->bits & 0x7fff;

	if (!reading->available) {
		pctl_value_set_text(ret, "state", "unknown");
		return;
	}
	if (factors && reading_number(sdr, factors, reading->raw, number))
		pctl_value_set_text(ret, "value", number);
	pctl_value_set_text(
		ret, "state", threshold ? threshold_state(bits) : discrete_state(words, sdr, bits));
	fill_events(words, sdr, index, bits, ret);
}

void reading_fill_thresholds(const struct sdr *sdr, const struct sdr_factors *factors, uint8_t mask,
	const uint8_t raw[SDR_THRESHOLDS], struct pctl_value *ret)
{
	struct pctl_value *map = NULL;
	char number[READING_NUMBER_SIZE];

	for (size_t i = 0; i < SDR_THRESHOLDS; i++) {
		if (!(mask >> i & 1) || !reading_number(sdr, factors, raw[i], number))
			continue;
		if (!map)
			map = pctl_value_new_map();
		pctl_value_set_text(map, threshold_names[i], number);
	}
	if (map)
		pctl_value_set(ret, "thresholds", map);
}

const char *reading_severity(const struct reading_words *words, const uint8_t record[16])
{
	unsigned state = IPMI_INTERPRET_STATE_UNKNOWN;

	if (words->interpret)
		(void)ipmi_interpret_sel(words->interpret, record, 16, &state);
	switch (state) {
	case IPMI_INTERPRET_STATE_NOMINAL:
		return "info";
	case IPMI_INTERPRET_STATE_WARNING:
		return "warning";
	case IPMI_INTERPRET_STATE_CRITICAL:
		return "critical";
	default:
		return NULL;
	}
}
