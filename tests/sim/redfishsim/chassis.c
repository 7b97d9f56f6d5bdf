/* SPDX-License-Identifier: Apache-2.0 */
/* Chassis and its sensors, as of the schemas Thermal and Power and as of Sensor. */
#include <stdio.h>
#include <string.h>

#include "resources.h"
#include "sim.h"
#include "system.h"

/* on, off: what it reads then. high: its upper critical threshold; 0: it has a lower one. */
static const struct sensor {
	const char *id;
	const char *name;
	const char *type;
	const char *units;
	const char *context;
	double on;
	double off;
	double high;
	double low;
} sensors[] = {
	{ "CPU1Temp", "CPU1 Temp", "Temperature", "Cel", "CPU", 42.0, 21.0, 95.0, 0 },
	{ "InletTemp", "Inlet Temp", "Temperature", "Cel", "Intake", 23.0, 20.5, 47.0, 0 },
	{ "Fan1", "Fan 1", "Rotational", "RPM", "SystemBoard", 5400, 0, 0, 600 },
	{ "Fan2", "Fan 2", "Rotational", "RPM", "SystemBoard", 5520, 0, 0, 600 },
	{ "P12V", "12V rail", "Voltage", "V", "SystemBoard", 12.06, 0, 13.2, 0 },
	{ "TotalPower", "Total power", "Power", "W", "Chassis", 212, 11, 0, 0 },
};

static double reading(const struct call *c, const struct sensor *s)
{
	return power_now(c->sys) == POWER_OFF ? s->off : s->on;
}

static json_t *status(bool enabled)
{
	return json_pack("{s:s, s:s}", "State", enabled ? "Enabled" : "Disabled", "Health", "OK");
}

static void chassis_id(const struct call *c, uint32_t i, char *out, size_t size)
{
	profile_id(c->p->chassis, i, out, size);
}

void get_all_chassis(struct call *c)
{
	collection(
		c, "ChassisCollection", "Chassis Collection", c->dev->nsystems, chassis_id, NULL);
}

static void add_parts(const struct call *c, const char *id, json_t *doc)
{
	static const char *const old[] = { "Thermal", "Power" };
	static const char *const modern[] = { "Sensors", "ThermalSubsystem", "PowerSubsystem" };

	for (size_t i = 0; i < COUNT(old) && (c->p->quirks & QUIRK_OLD_THERMAL); i++)
		json_object_set_new(doc, old[i], call_ref(c, "Chassis/%s/%s", id, old[i]));
	for (size_t i = 0; i < COUNT(modern) && (c->p->quirks & QUIRK_SENSORS); i++)
		json_object_set_new(doc, modern[i], call_ref(c, "Chassis/%s/%s", id, modern[i]));
}

static json_t *document(struct call *c)
{
	char id[CALL_ITEM], of[CALL_ITEM];
	json_t *doc;

	chassis_id(c, c->sys->n, id, sizeof(id));
	profile_id(c->p->system_name, c->sys->n, of, sizeof(of));
	doc = resource(c, "#Chassis.v1_14_0.Chassis", id, "Chassis");
	json_object_update_new(doc,
		json_pack("{s:s, s:s, s:s, s:s, s:o}", "ChassisType", "RackMount", "Manufacturer",
			c->p->manufacturer, "Model", c->p->model, "PowerState",
			power_now(c->sys) == POWER_OFF ? "Off" : "On", "Status", status(true)));
	system_lights(c, doc);
	add_parts(c, id, doc);
	json_object_set_new(doc, "Links",
		json_pack("{s:[o], s:[o]}", "ComputerSystems", call_ref(c, "Systems/%s", of),
			"ManagedBy", call_ref(c, "Managers/%s", c->p->manager)));
	return doc;
}

void get_chassis(struct call *c)
{
	c->out = document(c);
	system_etag(c, c->out);
}

void patch_chassis(struct call *c)
{
	if (!system_match(c, document(c)) || !system_take(c, true))
		return;
	call_done(c, c->p->patch_status);
	if (c->status == 200 && !c->out)
		get_chassis(c);
}

static json_t *base(struct call *c, const struct sensor *s, size_t n, const char *what)
{
	char uri[CALL_PATH + 32], id[8];

	snprintf(uri, sizeof(uri), "%s#/%s/%zu", c->path, what, n);
	snprintf(id, sizeof(id), "%zu", n);

	json_t *doc = json_pack("{s:s, s:s, s:s, s:s, s:o}", "@odata.id", uri, "MemberId", id,
		"Name", s->name, "PhysicalContext", s->context, "Status", status(true));

	if (s->high > 0)
		json_object_set_new(doc, "UpperThresholdCritical", json_real(s->high));
	if (s->low > 0)
		json_object_set_new(doc, "LowerThresholdCritical", json_real(s->low));
	return doc;
}

/* The sensors of one type, with their reading called value. */
static json_t *list_of(struct call *c, const char *type, const char *what, const char *value)
{
	json_t *list = json_array(), *doc;

	for (size_t i = 0; i < COUNT(sensors); i++) {
		if (strcmp(sensors[i].type, type) != 0)
			continue;
		doc = base(c, &sensors[i], json_array_size(list), what);
		json_object_set_new(doc, value, json_real(reading(c, &sensors[i])));
		if (strcmp(type, "Rotational") == 0)
			json_object_set_new(doc, "ReadingUnits", json_string("RPM"));
		json_array_append_new(list, doc);
	}
	return list;
}

void get_thermal(struct call *c)
{
	c->out = resource(c, "#Thermal.v1_7_0.Thermal", "Thermal", "Thermal");
	json_object_set_new(c->out, "Temperatures",
		list_of(c, "Temperature", "Temperatures", "ReadingCelsius"));
	json_object_set_new(c->out, "Fans", list_of(c, "Rotational", "Fans", "Reading"));
}

static json_t *supply(const struct call *c, int n, bool lost)
{
	char name[16], id[8], uri[CALL_PATH + 32];

	snprintf(name, sizeof(name), "PSU%d", n + 1);
	snprintf(id, sizeof(id), "%d", n);
	snprintf(uri, sizeof(uri), "%s#/PowerSupplies/%d", c->path, n);
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:f, s:{s:s, s:s}}", "@odata.id", uri,
		"MemberId", id, "Name", name, "PowerSupplyType", "AC", "PowerCapacityWatts", 800,
		"LineInputVoltage", lost ? 0.0 : 230.0, "Status", "State",
		lost ? "UnavailableOffline" : "Enabled", "Health", lost ? "Critical" : "OK");
}

void get_power(struct call *c)
{
	char uri[CALL_PATH + 32];

	snprintf(uri, sizeof(uri), "%s#/PowerControl/0", c->path);
	c->out = resource(c, "#Power.v1_7_0.Power", "Power", "Power");
	json_object_set_new(c->out, "PowerControl",
		json_pack("[{s:s, s:s, s:s, s:f, s:f}]", "@odata.id", uri, "MemberId", "0", "Name",
			"System Power Control", "PowerConsumedWatts",
			reading(c, &sensors[COUNT(sensors) - 1]), "PowerCapacityWatts", 800.0));
	json_object_set_new(c->out, "Voltages", list_of(c, "Voltage", "Voltages", "ReadingVolts"));
	json_object_set_new(c->out, "PowerSupplies",
		json_pack("[o, o]", supply(c, 0, false), supply(c, 1, true)));
}

static void sensor_id(const struct call *c, uint32_t i, char *out, size_t size)
{
	(void)c;
	snprintf(out, size, "%s", sensors[i].id);
}

void get_sensors(struct call *c)
{
	collection(c, "SensorCollection", "Sensors", COUNT(sensors), sensor_id, NULL);
}

static void show_sensor(struct call *c, const struct sensor *s)
{
	json_t *limits = json_object();

	c->out = resource(c, "#Sensor.v1_2_0.Sensor", s->id, s->name);
	if (s->high > 0)
		json_object_set_new(
			limits, "UpperCritical", json_pack("{s:f}", "Reading", s->high));
	if (s->low > 0)
		json_object_set_new(limits, "LowerCritical", json_pack("{s:f}", "Reading", s->low));
	json_object_update_new(
		c->out, json_pack("{s:s, s:s, s:s, s:f, s:o, s:o}", "ReadingType", s->type,
				"ReadingUnits", s->units, "PhysicalContext", s->context, "Reading",
				reading(c, s), "Thresholds", limits, "Status", status(true)));
}

void get_sensor(struct call *c)
{
	for (size_t i = 0; i < COUNT(sensors); i++)
		if (strcmp(sensors[i].id, c->item) == 0) {
			show_sensor(c, &sensors[i]);
			return;
		}
	call_fail(c, 404, "ResourceMissingAtURI", "There is no sensor %s.", c->item);
}

void get_thermal_subsystem(struct call *c)
{
	c->out = resource(c, "#ThermalSubsystem.v1_0_0.ThermalSubsystem", "ThermalSubsystem",
		"Thermal Subsystem");
	json_object_set_new(c->out, "Status", status(true));
}

void get_power_subsystem(struct call *c)
{
	c->out = resource(
		c, "#PowerSubsystem.v1_1_0.PowerSubsystem", "PowerSubsystem", "Power Subsystem");
	json_object_set_new(c->out, "CapacityWatts", json_real(1600.0));
	json_object_set_new(c->out, "Status", status(true));
}
