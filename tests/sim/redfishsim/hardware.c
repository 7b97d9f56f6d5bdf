/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a system: processors, memory, network interfaces. */
#include <stdio.h>
#include <string.h>

#include "resources.h"
#include "sim.h"

enum { PROCESSORS = 2, DIMMS = 4, NICS = 2 };

static void processor_id(const struct call *c, uint32_t i, char *out, size_t size)
{
	(void)c;
	snprintf(out, size, "CPU%u", i + 1);
}

static void memory_id(const struct call *c, uint32_t i, char *out, size_t size)
{
	(void)c;
	snprintf(out, size, "DIMM%u", i + 1);
}

static void nic_id(const struct call *c, uint32_t i, char *out, size_t size)
{
	(void)c;
	snprintf(out, size, "NIC%u", i + 1);
}

/* The index of c->item; count: there is none, and 404 is the answer. */
static uint32_t member_of(struct call *c, uint32_t count, member_name *id)
{
	char name[CALL_ITEM];
	uint32_t i;

	for (i = 0; i < count; i++) {
		id(c, i, name, sizeof(name));
		if (strcmp(name, c->item) == 0)
			return i;
	}
	call_fail(c, 404, "ResourceMissingAtURI", "There is no %s.", c->item);
	return count;
}

static json_t *status(void)
{
	return json_pack("{s:s, s:s}", "State", "Enabled", "Health", "OK");
}

void get_processors(struct call *c)
{
	collection(
		c, "ProcessorCollection", "Processors Collection", PROCESSORS, processor_id, NULL);
}

void get_processor(struct call *c)
{
	if (member_of(c, PROCESSORS, processor_id) == PROCESSORS)
		return;
	c->out = resource(c, "#Processor.v1_11_0.Processor", c->item, "Processor");
	json_object_update_new(
		c->out, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:o}", "Socket",
				c->item, "ProcessorType", "CPU", "ProcessorArchitecture", "x86",
				"InstructionSet", "x86-64", "Manufacturer", "Intel(R) Corporation",
				"Model", "Multi-Core Stand-in Processor", "MaxSpeedMHz", 3700,
				"TotalCores", 16, "TotalThreads", 32, "Status", status()));
}

void get_memories(struct call *c)
{
	collection(c, "MemoryCollection", "Memory Module Collection", DIMMS, memory_id, NULL);
}

void get_memory(struct call *c)
{
	uint32_t i = member_of(c, DIMMS, memory_id);
	bool last = i == DIMMS - 1;

	if (i == DIMMS)
		return;
	c->out = resource(c, "#Memory.v1_11_0.Memory", c->item, "Memory");
	if (last) { /* an empty slot */
		json_object_set_new(c->out, "Status", json_pack("{s:s}", "State", "Absent"));
		json_object_set_new(c->out, "CapacityMiB", json_null());
		return;
	}
	json_object_update_new(c->out,
		json_pack("{s:s, s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:o}", "MemoryType", "DRAM",
			"MemoryDeviceType", "DDR4", "CapacityMiB", 16384, "OperatingSpeedMhz", 3200,
			"Manufacturer", "Contoso", "PartNumber", "M393A2K40DB3", "SerialNumber",
			"40C3A1B2", "DeviceLocator", c->item, "Status", status()));
}

void get_nics(struct call *c)
{
	collection(c, "EthernetInterfaceCollection", "Ethernet Interface Collection", NICS, nic_id,
		NULL);
}

void get_nic(struct call *c)
{
	uint32_t i = member_of(c, NICS, nic_id);
	const uint8_t *u = c->sys->uuid;
	char mac[24];

	if (i == NICS)
		return;
	snprintf(mac, sizeof(mac), "02:%02X:%02X:%02X:%02X:%02X", u[1], u[2], u[3], u[4],
		(u[5] + i) & 255);
	c->out = resource(
		c, "#EthernetInterface.v1_6_0.EthernetInterface", c->item, "Ethernet Interface");
	json_object_update_new(
		c->out, json_pack("{s:s, s:s, s:i, s:s, s:o}", "MACAddress", mac,
				"PermanentMACAddress", mac, "SpeedMbps", i ? 0 : 10000,
				"LinkStatus", i ? "NoLink" : "LinkUp", "Status", status()));
}
