/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All sensors of the BMC: their records say which there are, a request each what they read. */
#include <string.h>

#include "records.h"

#define CODE_ABSENT 0xcb
/* Thresholds may have been changed since the records were made: asked for while there is time. */
#define ACCESS_SETTABLE 2

struct sensors {
	struct records records;
	struct reading_words *words;
	struct pctl_value *list;
	struct pctl_value *item; /* list's: the sensor at hand */
	size_t at;               /* in the records */
	struct sdr sdr;          /* the record at hand, and which of those that share it */
	unsigned index;
	struct reading reading;
	struct sdr_factors factors;
	uint64_t hurry_ms; /* with less left of the op only what it takes is asked for */
	bool silent;       /* the last one was */
};

static struct sensors *job_of(const struct ipmi_dev *dev)
{
	return ipmi_kept(dev);
}

static void done(void *job)
{
	struct sensors *s = job;

	reading_words_free(s->words);
	pctl_value_free(s->list);
	records_done(job);
}

static void next_sensor(struct ipmi_dev *dev);

static uint8_t number(const struct sensors *s)
{
	return (uint8_t)(s->sdr.number + s->index);
}

static void go_on(struct ipmi_dev *dev)
{
	job_of(dev)->index++;
	next_sensor(dev);
}

/* --- Thresholds. ------------------------------------------------------------------------------ */

static void on_thresholds(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	struct sensors *s = job_of(dev);

	(void)len;
	reading_fill_thresholds(&s->sdr, &s->factors, data[0] & s->sdr.readable, data + 1, s->item);
	go_on(dev);
}

static void fill_own_thresholds(struct sensors *s)
{
	reading_fill_thresholds(&s->sdr, &s->factors, s->sdr.readable, s->sdr.thresholds, s->item);
}

static void on_no_thresholds(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	if (!records_lacks(err, code)) {
		ipmi_end(dev, err);
		return;
	}
	fill_own_thresholds(job_of(dev));
	go_on(dev);
}

static void get_thresholds(struct ipmi_dev *dev)
{
	struct sensors *s = job_of(dev);
	uint8_t data = number(s);

	/* Factors that hold for one reading say nothing about others. */
	if (s->sdr.reading_type != READING_TYPE_THRESHOLD || !s->sdr.readable ||
		s->sdr.factors.linearization >= SDR_NON_LINEAR) {
		go_on(dev);
	} else if (s->sdr.threshold_access == ACCESS_SETTABLE &&
		   pctl_op_time_left(dev->call.op) > s->hurry_ms) {
		ipmi_send(dev, &command_get_sensor_thresholds, &data, 1, on_thresholds,
			on_no_thresholds);
	} else {
		fill_own_thresholds(s);
		go_on(dev);
	}
}

/* --- Readings. -------------------------------------------------------------------------------- */

static void fill(struct ipmi_dev *dev, const struct sdr_factors *factors)
{
	struct sensors *s = job_of(dev);

	reading_fill(s->words, &s->sdr, s->index, factors, &s->reading, s->item);
	get_thresholds(dev);
}

static void on_factors(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	struct sensors *s = job_of(dev);

	(void)len;
	sdr_factors_decode(data + 1, &s->factors); /* behind the next reading that has others */
	fill(dev, &s->factors);
}

/* Then the state is what there is. */
static void on_no_factors(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	if (records_lacks(err, code))
		fill(dev, NULL);
	else
		ipmi_end(dev, err);
}

static void on_reading(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	struct sensors *s = job_of(dev);

	s->silent = false;
	s->factors = s->sdr.factors;
	(void)reading_decode(data, len, &s->reading);
	if (s->sdr.format == SDR_NO_NUMBER || !s->reading.available ||
		s->factors.linearization < SDR_NON_LINEAR) {
		fill(dev, &s->factors);
		return;
	}
	const uint8_t request[] = { number(s), s->reading.raw };
	ipmi_send(dev, &command_get_sensor_reading_factors, request, sizeof(request), on_factors,
		on_no_factors);
}

/* One sensor behind a part that hangs must not cost the others; two are the BMC. */
static void on_no_reading(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	struct sensors *s = job_of(dev);
	bool silent = err->code == PCTL_E_TIMEOUT && code < 0;

	if (!records_lacks(err, code) && !(silent && !s->silent)) {
		ipmi_end(dev, err);
		return;
	}
	s->silent = silent;
	pctl_value_set_text(s->item, "state", code == CODE_ABSENT ? "absent" : "unknown");
	go_on(dev);
}

static void begin_sensor(struct ipmi_dev *dev)
{
	struct sensors *s = job_of(dev);
	char text[TEXT_SIZE];
	uint8_t data = number(s);

	s->item = pctl_value_new_map();
	pctl_value_add(s->list, s->item);
	sdr_sensor_name(&s->sdr, s->index, text);
	pctl_value_set_text(s->item, "name", text);
	reading_type(reading_words_maker(s->words), s->sdr.sensor_type, s->sdr.reading_type,
		s->sdr.unit_base, text);
	pctl_value_set_text(s->item, "type", text);
	if (s->sdr.format != SDR_NO_NUMBER && reading_unit(&s->sdr, text))
		pctl_value_set_text(s->item, "unit", text);
	ipmi_send(dev, &command_get_sensor_reading, &data, 1, on_reading, on_no_reading);
}

/* --- All of them. ----------------------------------------------------------------------------- */

static bool next_record(struct sensors *s)
{
	const struct pctl_buf *records = &s->records.sdr.records;
	const uint8_t *record;
	size_t len;

	s->index = 0;
	while (sdr_next((const uint8_t *)records->data, records->len, &s->at, &record, &len)) {
		if (sdr_decode(record, len, &s->sdr) && sdr_is_readable(&s->sdr))
			return true;
	}
	return false;
}

static void next_sensor(struct ipmi_dev *dev)
{
	struct sensors *s = job_of(dev);

	if (s->index < s->sdr.share || next_record(s)) {
		begin_sensor(dev);
		return;
	}
	pctl_value_set(s->records.ret, "sensors", s->list);
	s->list = NULL;
	ipmi_end(dev, NULL);
}

static void on_sdr(struct ipmi_dev *dev)
{
	struct sensors *s = job_of(dev);

	s->words = reading_words_new(&s->records.sdr.id.maker);
	s->list = pctl_value_new_list();
	next_sensor(dev);
}

static void read_sensors(void *data, struct pctl_op *op, struct pctl_value *ret)
{
	struct ipmi_dev *dev = data;
	struct sensors *s = records_begin_with(dev, op, sizeof(*s), ret, done);

	s->hurry_ms = pctl_op_time_left(op) / 3;
	sdr_read(dev, 0, on_sdr, NULL);
}

const struct pctl_sensors_if ipmi_sensors = {
	.size = sizeof(ipmi_sensors),
	.read = read_sensors,
};
