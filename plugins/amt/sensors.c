/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The firmware has classes for sensors, but no machine seen so far has more in them than one
 * instance that stands for nothing: no reading, and a state of "Unknown". Only what tells something
 * is told; where nothing does, there are no sensors.
 */
#include <string.h>

#include <powerctl/parse.h>

#include "amt.h"

#define SENSORS_MAX  1000u
#define MODIFIER_MAX 9
#define NUMBER_MAX   40u

static const struct wsman_class numeric = WSMAN_CLASS(WSMAN_CIM, "CIM_NumericSensor");
static const struct wsman_class discrete = WSMAN_CLASS(WSMAN_CIM, "CIM_Sensor");

/* CIM_NumericSensor.BaseUnits, CIM_Sensor.SensorType: the words of docs/names.md. */
static const struct bytes_word units[] = {
	{ 2, "C" },
	{ 5, "V" },
	{ 6, "A" },
	{ 7, "W" },
	{ 8, "J" },
	{ 19, "rpm" },
	{ 20, "Hz" },
	{ 65, "%" },
	{ 0, NULL },
};
static const struct bytes_word types[] = {
	{ 2, "temperature" },
	{ 3, "voltage" },
	{ 4, "current" },
	{ 5, "fan" },
	{ 12, "power" },
	{ 0, NULL },
};

static const char *find(const struct bytes_word *words, const struct xml_node *n, const char *field)
{
	const char *text = xml_text(n, field);
	uint64_t number;

	return text && pctl_parse_uint(text, UINT32_MAX, &number) == 0
		       ? bytes_find_word(words, (uint32_t)number)
		       : NULL;
}

/* digits times ten to the power of modifier, as a decimal number. */
static bool scale(const char *digits, int modifier, struct pctl_buf *out)
{
	bool negative = *digits == '-';
	uint64_t n, one = 1;

	if (pctl_parse_uint(digits + negative, UINT32_MAX, &n) < 0)
		return false;
	for (int i = 0; i < (modifier < 0 ? -modifier : modifier); i++)
		one *= 10;
	pctl_buf_addf(out, "%s%llu", negative ? "-" : "",
		(unsigned long long)(modifier < 0 ? n / one : n * one));
	if (modifier < 0)
		pctl_buf_addf(out, ".%0*llu", -modifier, (unsigned long long)(n % one));
	return true;
}

static bool read_value(const struct xml_node *n, struct pctl_buf *out)
{
	const char *reading = xml_text(n, "CurrentReading");
	const char *power = xml_text(n, "UnitModifier");
	bool negative = power && *power == '-';
	uint64_t modifier = 0;

	if (power && pctl_parse_uint(power + negative, MODIFIER_MAX, &modifier) < 0)
		return false;
	return reading && scale(reading, negative ? -(int)modifier : (int)modifier, out);
}

/* CurrentState is a word out of PossibleStates, which are usually these. */
static const char *state_of(const char *word)
{
	static const struct {
		const char *word, *state;
	} states[] = { { "Good", "ok" }, { "Normal", "ok" }, { "OK", "ok" },
		{ "Non-Critical", "warning" }, { "Lower Non-Critical", "warning" },
		{ "Upper Non-Critical", "warning" }, { "Bad", "critical" },
		{ "Critical", "critical" }, { "Lower Critical", "critical" },
		{ "Upper Critical", "critical" } };

	for (size_t i = 0; word && i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(states[i].word, word) == 0)
			return states[i].state;
	return "unknown";
}

static bool is_told(const struct pctl_value *list, const char *name)
{
	for (size_t i = 0; i < pctl_value_count(list); i++) {
		const char *other = pctl_value_text(pctl_value_get(pctl_value_at(list, i), "name"));

		if (other && strcmp(other, name) == 0)
			return true;
	}
	return false;
}

static void read_sensor(struct amt_dev *dev, const struct xml_node *n)
{
	struct pctl_value *list = pctl_value_get(dev->work.sensors.ret, "sensors");
	const char *state = state_of(xml_text(n, "CurrentState"));
	const char *name = xml_text(n, "DeviceID"), *type = find(types, n, "SensorType");
	struct pctl_buf value;

	pctl_buf_init(&value, NUMBER_MAX);
	bool reads = read_value(n, &value);
	bool tells = reads || strcmp(state, "unknown") != 0;
	if (!tells || !name || !*name || is_told(list, name) ||
		pctl_value_count(list) >= SENSORS_MAX) {
		pctl_buf_done(&value);
		return;
	}
	struct pctl_value *map = pctl_value_new_map();
	pctl_value_set_text(map, "name", name);
	pctl_value_set_text(map, "type", type ? type : "other");
	pctl_value_set_text(map, "value", reads ? value.data : NULL);
	pctl_value_set_text(map, "unit", reads ? find(units, n, "BaseUnits") : NULL);
	pctl_value_set_text(map, "state", state);
	pctl_value_add(list, map);
	pctl_buf_done(&value);
}

static void finish(struct amt_dev *dev)
{
	if (pctl_value_count(pctl_value_get(dev->work.sensors.ret, "sensors")))
		amt_end(dev, NULL);
	else
		amt_fail(dev, PCTL_E_UNSUPPORTED,
			"the firmware has no sensors that measure anything");
}

static void all_read(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	finish(dev);
}

static void read_discrete(struct amt_dev *dev, const struct xml_node *answer);

static void none_read(struct amt_dev *dev, const struct pctl_error *err)
{
	bool last = dev->work.sensors.last;

	if (err->code != PCTL_E_UNSUPPORTED && err->code != PCTL_E_REFUSED)
		amt_end(dev, err);
	else if (last)
		finish(dev);
	else
		read_discrete(dev, NULL);
}

static void read_discrete(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	dev->work.sensors.last = true;
	amt_list(dev, &discrete, read_sensor, all_read, none_read);
}

static void read_sensors(void *data, struct pctl_op *op, struct pctl_value *ret)
{
	struct amt_dev *dev = data;

	amt_begin(dev, op);
	dev->work.sensors = (struct sensors_work){ .ret = ret };
	pctl_value_set(ret, "sensors", pctl_value_new_list());
	amt_list(dev, &numeric, read_sensor, read_discrete, none_read);
}

const struct pctl_sensors_if amt_sensors = {
	.size = sizeof(amt_sensors),
	.read = read_sensors,
};
