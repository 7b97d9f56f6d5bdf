/* SPDX-License-Identifier: Apache-2.0 */
/* The classes of hardware: a NUC9 as it was recorded, with serial numbers of its own. */
#include <stdio.h>

#include "classes.h"
#include "sim.h"

#define TAG_KEYS    "CreationClassName Tag"
#define DEVICE_KEYS "CreationClassName DeviceID SystemCreationClassName SystemName"

static bool has_hardware(const struct device *dev)
{
	return !dev->knobs.no_hardware;
}

static bool has_processor(const struct device *dev)
{
	return !dev->knobs.no_hardware && !dev->knobs.no_processor;
}

static size_t count_two(const struct device *dev)
{
	(void)dev;
	return 2;
}

static void emit_serial(struct call *c, const char *prefix, size_t i)
{
	char serial[32];

	if (c->dev->knobs.unfilled) {
		emit_field(c, "SerialNumber", i ? "00000000" : "To Be Filled By O.E.M.");
		return;
	}
	snprintf(serial, sizeof(serial), "%s%06u%c", prefix, c->dev->n, (char)('A' + i));
	emit_field(c, "SerialNumber", serial);
}

static void emit_chip(struct call *c, size_t i)
{
	static const char *const members[] = { "CanBeFRUed", "true", "CreationClassName",
		"CIM_Chip", "ElementName", "Managed System Processor Chip", "Manufacturer",
		"Intel(R) Corporation", "OperationalStatus", "0", "Tag", "CPU 0", "Version",
		"Intel(R) Core(TM) i7-9850H CPU @ 2.60GHz", NULL };

	(void)i;
	emit_constants(c, members);
}

static void emit_processor(struct call *c, size_t i)
{
	static const char *const members[] = { "CPUStatus", "1", "CreationClassName",
		"CIM_Processor", "CurrentClockSpeed", "2400", "DeviceID", "CPU 0", "ElementName",
		"Managed System CPU", "EnabledState", "2", "ExternalBusClockSpeed", "100", "Family",
		"198", "HealthState", "0", "MaxClockSpeed", "8300", "OperationalStatus", "0",
		"OtherFamilyDescription", "", "RequestedState", "12", "Role", "Central", "Stepping",
		"13", "SystemCreationClassName", "CIM_ComputerSystem", "SystemName",
		"ManagedSystem", "UpgradeMethod", "52", NULL };

	(void)i;
	emit_constants(c, members);
}

static const char *memory_tag(const struct device *dev, size_t i)
{
	(void)dev;
	return i ? "9876543210 (#1)" : "9876543210";
}

static void emit_memory(struct call *c, size_t i)
{
	static const char *const head[] = { "Capacity", "17179869184", "ConfiguredMemoryClockSpeed",
		"2400", "CreationClassName", "CIM_PhysicalMemory", "ElementName",
		"Managed System Memory Chip", "FormFactor", "13", "IsSpeedInMhz", "true",
		"Manufacturer", "859B", "MaxMemorySpeed", "2400", "MemoryType", "26", "PartNumber",
		"CT16G4SFD824A.M16FE ", NULL };

	emit_field(c, "BankLabel", i ? "BANK 2" : "BANK 0");
	emit_constants(c, head);
	emit_serial(c, "SIMM", i);
	emit_field(c, "Speed", "0");
	emit_field(c, "Tag", memory_tag(c->dev, i));
}

static const char *disk_id(const struct device *dev, size_t i)
{
	(void)dev;
	return i ? "MEDIA DEV 1" : "MEDIA DEV 0";
}

static void emit_disk(struct call *c, size_t i)
{
	static const char *const tail[] = { "OperationalStatus", "0", "RequestedState", "12",
		"Security", "2", "SystemCreationClassName", "CIM_ComputerSystem", "SystemName",
		"ManagedSystem", NULL };

	emit_field(c, "Capabilities", "4");
	emit_field(c, "Capabilities", "10");
	emit_field(c, "CreationClassName", "CIM_MediaAccessDevice");
	emit_field(c, "DeviceID", disk_id(c->dev, i));
	emit_field(c, "ElementName", "Managed System Media Access Device");
	emit_field(c, "EnabledDefault", "2");
	emit_field(c, "EnabledState", "0");
	emit_field(c, "MaxMediaSize", i ? "500107862" : "1000204886");
	emit_constants(c, tail);
}

static void emit_package(struct call *c, size_t i)
{
	emit_field(c, "CanBeFRUed", "true");
	emit_field(c, "CreationClassName", "CIM_PhysicalPackage");
	emit_field(c, "ElementName", "Managed System Storage Media Package");
	emit_field(c, "Model", i ? "INTEL SSDPEKKW512G8" : "Default string");
	emit_field(c, "OperationalStatus", "0");
	emit_field(c, "PackageType", "15");
	emit_serial(c, "SIMD", i);
	emit_field(c, "Tag", disk_id(c->dev, i));
}

static void emit_battery(struct call *c, size_t i)
{
	static const char *const members[] = { "BatteryStatus", "2", "ChargingStatus", "0",
		"Chemistry", "2", "CreationClassName", "CIM_Battery", "DesignCapacity", "5601",
		"DesignVoltage", "11550", "DeviceID", "CC03056XL", "ElementName", "",
		"EnabledState", "2", "EstimatedChargeRemaining", "0", "FullChargeCapacity", "0",
		"HealthState", "0", "RequestedState", "2", "SystemCreationClassName",
		"CIM_ComputerSystem", "SystemName", "ManagedSystem", NULL };

	(void)i;
	emit_constants(c, members);
}

static void emit_fan(struct call *c, size_t i)
{
	static const char *const members[] = { "ActiveCooling", "true", "CreationClassName",
		"CIM_Fan", "DesiredSpeed", "0", "DeviceID", "Fan 0", "ElementName", "Fan",
		"EnabledState", "5", "HealthState", "5", "OperationalStatus", "2", "RequestedState",
		"12", "SystemCreationClassName", "CIM_ComputerSystem", "SystemName",
		"ManagedSystem", "VariableSpeed", "false", NULL };

	(void)i;
	emit_constants(c, members);
}

static void emit_sensor(struct call *c, size_t i)
{
	static const char *const members[] = { "CreationClassName", "CIM_Sensor", "CurrentState",
		"Unknown", "DeviceID", "Sensor 1", "ElementName", "Sensor", "EnabledState", "5",
		"HealthState", "5", "OperationalStatus", "2", "PossibleStates", "Bad",
		"PossibleStates", "Good", "PossibleStates", "Unknown", "RequestedState", "12",
		"SensorType", "0", "SystemCreationClassName", "CIM_ComputerSystem", "SystemName",
		"ManagedSystem", NULL };

	(void)i;
	emit_constants(c, members);
}

#define PART(class, keys, there, writes)                                           \
	.name = #class, .uri = NS_CIM #class, .selectors = (keys), .common = true, \
	.present = (there), .emit = (writes)

const struct wclass hardware_classes[] = {
	{ PART(CIM_Chip, TAG_KEYS, has_hardware, emit_chip) },
	{ PART(CIM_Processor, DEVICE_KEYS, has_processor, emit_processor) },
	{ PART(CIM_PhysicalMemory, TAG_KEYS, has_hardware, emit_memory), .key = "Tag",
		.count = count_two, .key_of = memory_tag },
	{ PART(CIM_MediaAccessDevice, DEVICE_KEYS, has_hardware, emit_disk), .key = "DeviceID",
		.count = count_two, .key_of = disk_id },
	{ PART(CIM_PhysicalPackage, TAG_KEYS, has_hardware, emit_package), .key = "Tag",
		.count = count_two, .key_of = disk_id },
	{ PART(CIM_Battery, DEVICE_KEYS, has_hardware, emit_battery) },
	{ PART(CIM_Fan, DEVICE_KEYS, has_hardware, emit_fan) },
	{ PART(CIM_Sensor, DEVICE_KEYS, has_hardware, emit_sensor) },
};

const size_t hardware_classes_count = COUNT(hardware_classes);
