/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the machine is made of, as its BIOS told the firmware when it was last started: a class
 * after the other, of which each is a table of fields. What the firmware lacks is left out.
 */
#include <string.h>

#include <powerctl/mem.h>

#include "amt.h"
#include "smbios.h"

/* Of one kind: more than any machine has. */
#define PARTS_MAX 256u
#define MIB       1048576u

/* One kind of parts. */
enum kind {
	KIND_PROCESSOR,
	KIND_MEMORY,
	KIND_DISK,
	KIND_BATTERY,
	KIND_OTHER,
	KIND_COUNT,
};

struct hardware {
	struct pctl_value *parts[KIND_COUNT]; /* maps by the firmware's own key, or NULL */
	struct pctl_value *packages;          /* maps by their tags */
	struct pctl_value *firmware;          /* list */
	struct pctl_value *left_out;          /* list of maps */
};

/* --- Fields. ---------------------------------------------------------------------------------- */

/* Where two fields have one key, the later one counts. */
static const struct class_field thing_fields[] = {
	{ "Manufacturer", "manufacturer", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "Model", "name", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "PartNumber", "part_number", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "SerialNumber", "serial", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "SKU", "asset_tag", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "Version", "version", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "ChassisPackageType", "type", FIELD_WORD, FIELD_READ_ONLY, smbios_chassis_types },
	{ NULL, NULL, FIELD_TEXT, 0, NULL },
};

static const struct class_field bios_fields[] = {
	{ "Version", "version", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "Manufacturer", "manufacturer", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "ReleaseDate", "released", FIELD_TIME, FIELD_READ_ONLY, NULL },
	{ NULL, NULL, FIELD_TEXT, 0, NULL },
};

static const struct class_field chip_fields[] = {
	{ "Tag", "name", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "Model", "product", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "Version", "product", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "Manufacturer", "manufacturer", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "PartNumber", "part_number", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "SerialNumber", "serial", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ NULL, NULL, FIELD_TEXT, 0, NULL },
};

static const struct class_field processor_fields[] = {
	{ "DeviceID", "name", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "Family", "family", FIELD_WORD, FIELD_READ_ONLY, smbios_processor_families },
	{ "OtherFamilyDescription", "family", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "CurrentClockSpeed", "speed_mhz", FIELD_UINT, FIELD_READ_ONLY, NULL },
	{ "MaxClockSpeed", "max_speed_mhz", FIELD_UINT, FIELD_READ_ONLY, NULL },
	{ "Stepping", "stepping", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ NULL, NULL, FIELD_TEXT, 0, NULL },
};

static const struct class_field memory_fields[] = {
	{ "Tag", "name", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "BankLabel", "name", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "Manufacturer", "manufacturer", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "PartNumber", "part_number", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "SerialNumber", "serial", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "Capacity", "size_mib", FIELD_UINT, FIELD_READ_ONLY, NULL },
	{ "MemoryType", "memory_type", FIELD_WORD, FIELD_READ_ONLY, smbios_memory_types },
	{ "FormFactor", "form_factor", FIELD_WORD, FIELD_READ_ONLY, smbios_memory_forms },
	{ "ConfiguredMemoryClockSpeed", "speed_mhz", FIELD_UINT, FIELD_READ_ONLY, NULL },
	{ "MaxMemorySpeed", "max_speed_mhz", FIELD_UINT, FIELD_READ_ONLY, NULL },
	{ NULL, NULL, FIELD_TEXT, 0, NULL },
};

static const struct class_field disk_fields[] = {
	{ "DeviceID", "name", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "MaxMediaSize", "size_mib", FIELD_UINT, FIELD_READ_ONLY, NULL },
	{ NULL, NULL, FIELD_TEXT, 0, NULL },
};

static const struct class_field package_fields[] = {
	{ "Model", "product", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "Manufacturer", "manufacturer", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "PartNumber", "part_number", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "SerialNumber", "serial", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "Version", "version", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ NULL, NULL, FIELD_TEXT, 0, NULL },
};

static const struct class_field battery_fields[] = {
	{ "DeviceID", "name", FIELD_TEXT, FIELD_READ_ONLY, NULL },
	{ "Chemistry", "chemistry", FIELD_WORD, FIELD_READ_ONLY, smbios_battery_chemistries },
	{ "DesignCapacity", "capacity_mwh", FIELD_UINT, FIELD_READ_ONLY, NULL },
	{ "DesignVoltage", "voltage_mv", FIELD_UINT, FIELD_READ_ONLY, NULL },
	{ NULL, NULL, FIELD_TEXT, 0, NULL },
};

/* What an instance says that somebody filled in. */
static struct pctl_value *read_fields(const struct xml_node *n, const struct class_field *fields)
{
	const struct class class = { .fields = fields };
	struct pctl_value *map = pctl_value_new_map();

	class_read(&class, n, map);
	smbios_clean(map);
	return map;
}

/* Units of so many bytes as MiB. */
static void set_mib(struct pctl_value *part, uint64_t unit)
{
	int64_t size = pctl_value_int(pctl_value_get(part, "size_mib"));
	uint64_t n = size > 0 ? (uint64_t)size : 0;

	if (n)
		pctl_value_set_int(
			part, "size_mib", (int64_t)(n / MIB * unit + n % MIB * unit / MIB));
}

/* --- Classes. --------------------------------------------------------------------------------- */

/* The part that goes by what the key field says: two classes may describe the same one. */
static struct pctl_value *part_of(struct hardware *h, enum kind kind, const char *type,
	const struct xml_node *n, const char *key)
{
	const char *id = xml_text(n, key);

	if (!h->parts[kind])
		h->parts[kind] = pctl_value_new_map();
	struct pctl_value *part = pctl_value_get(h->parts[kind], id && *id ? id : "?");
	if (part || pctl_value_count(h->parts[kind]) >= PARTS_MAX)
		return part;
	part = pctl_value_new_map();
	pctl_value_set_text(part, "type", type);
	pctl_value_set(h->parts[kind], id && *id ? id : "?", part);
	return part;
}

static struct pctl_value *read_part(struct hardware *h, enum kind kind, const char *type,
	const char *key, const struct xml_node *n, const struct class_field *fields)
{
	struct pctl_value *part = part_of(h, kind, type, n, key);
	struct pctl_value *map = read_fields(n, fields);

	if (part)
		pctl_value_merge(part, map);
	pctl_value_free(map);
	return part;
}

static void read_thing(struct pctl_value *ret, const char *key, const struct xml_node *n)
{
	struct pctl_value *map = read_fields(n, thing_fields);

	if (pctl_value_count(map) && !pctl_value_get(ret, key))
		pctl_value_set(ret, key, map);
	else
		pctl_value_free(map);
}

static void read_chassis(struct hardware_work *w, const struct xml_node *n)
{
	read_thing(w->ret, "chassis", n);
}

static void read_card(struct hardware_work *w, const struct xml_node *n)
{
	read_thing(w->ret, "board", n);
}

static void read_bios(struct hardware_work *w, const struct xml_node *n)
{
	struct pctl_value *map = pctl_value_new_map(), *fields = read_fields(n, bios_fields);

	pctl_value_set_text(map, "name", "BIOS");
	pctl_value_merge(map, fields);
	pctl_value_free(fields);
	if (pctl_value_get(map, "version"))
		pctl_value_add(w->parts->firmware, map);
	else
		pctl_value_free(map);
}

static void read_chip(struct hardware_work *w, const struct xml_node *n)
{
	const char *what = xml_text(n, "ElementName"), *tag = xml_text(n, "Tag");

	if ((what && strstr(what, "Processor")) || (tag && strncmp(tag, "CPU", 3) == 0))
		(void)read_part(w->parts, KIND_PROCESSOR, "processor", "Tag", n, chip_fields);
	else if ((what && strstr(what, "TPM")) || (tag && strstr(tag, "TPM")))
		(void)read_part(w->parts, KIND_OTHER, "tpm", "Tag", n, chip_fields);
	else
		(void)read_part(w->parts, KIND_OTHER, "chip", "Tag", n, chip_fields);
}

static void read_processor(struct hardware_work *w, const struct xml_node *n)
{
	(void)read_part(w->parts, KIND_PROCESSOR, "processor", "DeviceID", n, processor_fields);
}

static void read_memory(struct hardware_work *w, const struct xml_node *n)
{
	struct pctl_value *part =
		read_part(w->parts, KIND_MEMORY, "memory_module", "Tag", n, memory_fields);
	const char *mhz = xml_text(n, "IsSpeedInMhz");

	if (!part)
		return;
	pctl_value_set_text(part, "manufacturer", smbios_memory_maker(xml_text(n, "Manufacturer")));
	set_mib(part, 1);
	if (mhz && strcmp(mhz, "false") == 0) { /* nanoseconds */
		(void)pctl_value_unset(part, "speed_mhz");
		(void)pctl_value_unset(part, "max_speed_mhz");
	}
}

/* Their size comes in thousands of bytes. */
static void read_disk(struct hardware_work *w, const struct xml_node *n)
{
	struct pctl_value *part =
		read_part(w->parts, KIND_DISK, "disk", "DeviceID", n, disk_fields);

	if (part)
		set_mib(part, 1000);
}

static void read_battery(struct hardware_work *w, const struct xml_node *n)
{
	(void)read_part(w->parts, KIND_BATTERY, "battery", "DeviceID", n, battery_fields);
}

/* What disks are, for their own class only knows how big they are. */
static void read_package(struct hardware_work *w, const struct xml_node *n)
{
	const char *tag = xml_text(n, "Tag");
	struct pctl_value *map = read_fields(n, package_fields);

	if (tag && *tag && pctl_value_count(map) &&
		pctl_value_count(w->parts->packages) < PARTS_MAX)
		pctl_value_set(w->parts->packages, tag, map);
	else
		pctl_value_free(map);
}

/* A list may bring instances of classes that are derived from its own. */
static const struct reader {
	const char *class;
	void (*read)(struct hardware_work *w, const struct xml_node *n);
} readers[] = {
	{ "CIM_Chassis", read_chassis },
	{ "CIM_Card", read_card },
	{ "CIM_BIOSElement", read_bios },
	{ "CIM_Chip", read_chip },
	{ "CIM_Processor", read_processor },
	{ "CIM_PhysicalMemory", read_memory },
	{ "CIM_MediaAccessDevice", read_disk },
	{ "CIM_PhysicalPackage", read_package },
	{ "CIM_Battery", read_battery },
};

static void read_instance(struct amt_dev *dev, const struct xml_node *n)
{
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (strcmp(readers[i].class, n->name) == 0)
			readers[i].read(&dev->work.hardware, n);
}

/* --- One after the other. --------------------------------------------------------------------- */

static const struct step {
	struct wsman_class class;
	bool list;
	enum kind after; /* asked for only where there are such parts; KIND_COUNT: always */
} steps[] = {
	{ WSMAN_CLASS(WSMAN_CIM, "CIM_Chassis"), false, KIND_COUNT },
	{ WSMAN_CLASS(WSMAN_CIM, "CIM_Card"), false, KIND_COUNT },
	{ WSMAN_CLASS(WSMAN_CIM, "CIM_BIOSElement"), false, KIND_COUNT },
	{ WSMAN_CLASS(WSMAN_CIM, "CIM_Chip"), true, KIND_COUNT },
	{ WSMAN_CLASS(WSMAN_CIM, "CIM_Processor"), true, KIND_COUNT },
	{ WSMAN_CLASS(WSMAN_CIM, "CIM_PhysicalMemory"), true, KIND_COUNT },
	{ WSMAN_CLASS(WSMAN_CIM, "CIM_MediaAccessDevice"), true, KIND_COUNT },
	{ WSMAN_CLASS(WSMAN_CIM, "CIM_PhysicalPackage"), true, KIND_DISK },
	{ WSMAN_CLASS(WSMAN_CIM, "CIM_Battery"), true, KIND_COUNT },
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

static void done(void *kept)
{
	struct hardware *h = kept;

	for (size_t i = 0; i < KIND_COUNT; i++)
		pctl_value_free(h->parts[i]);
	pctl_value_free(h->packages);
	pctl_value_free(h->firmware);
	pctl_value_free(h->left_out);
	free(h);
}

/* The package of a disk has its name, or stands at the same place in the list of all. */
static void describe_disks(struct hardware *h)
{
	const struct pctl_value *disks = h->parts[KIND_DISK];
	size_t n = disks ? pctl_value_count(disks) : 0;
	bool in_order = pctl_value_count(h->packages) == n;

	for (size_t i = 0; i < n; i++) {
		struct pctl_value *package =
			pctl_value_get(h->packages, pctl_value_key_at(disks, i));

		if (!package && in_order)
			package = pctl_value_at(h->packages, i);
		if (package)
			pctl_value_merge(pctl_value_at(disks, i), package);
	}
}

static void give(struct pctl_value *ret, const char *key, struct pctl_value *take_list)
{
	if (pctl_value_count(take_list))
		pctl_value_set(ret, key, take_list);
	else
		pctl_value_free(take_list);
}

static void finish(struct amt_dev *dev)
{
	struct hardware_work *w = &dev->work.hardware;
	struct pctl_value *parts = pctl_value_new_list();

	describe_disks(w->parts);
	for (size_t kind = 0; kind < KIND_COUNT; kind++) {
		const struct pctl_value *of_kind = w->parts->parts[kind];

		for (size_t i = 0; of_kind && i < pctl_value_count(of_kind); i++)
			pctl_value_add(parts, pctl_value_copy(pctl_value_at(of_kind, i)));
	}
	give(w->ret, "parts", parts);
	give(w->ret, "firmware", w->parts->firmware);
	w->parts->firmware = NULL;
	give(w->ret, "left_out", w->parts->left_out);
	w->parts->left_out = NULL;
	if (pctl_value_count(w->ret))
		amt_end(dev, NULL);
	else
		amt_fail(dev, PCTL_E_UNSUPPORTED, "the firmware tells nothing of the hardware");
}

static void next_step(struct amt_dev *dev);

static void step_done(struct amt_dev *dev, const struct xml_node *answer)
{
	struct hardware_work *w = &dev->work.hardware;

	if (answer)
		read_instance(dev, answer);
	w->any = true;
	w->step++;
	next_step(dev);
}

static void step_failed(struct amt_dev *dev, const struct pctl_error *err)
{
	struct hardware_work *w = &dev->work.hardware;
	bool missing = answer_is_lacking(err);

	if (missing && err->code != PCTL_E_UNSUPPORTED) {
		PCTL_AUTO(free)
		char *text = pctl_xasprintf("%s: %s", steps[w->step].class.name, err->text);

		struct pctl_value *map = pctl_value_new_map();

		pctl_value_set_text(map, "class", pctl_error_name(err->code));
		pctl_value_set_text(map, "text", text);
		pctl_value_add(w->parts->left_out, map);
	}
	w->step++;
	if (!missing || (w->step >= STEPS && !w->any))
		amt_end(dev, err);
	else
		next_step(dev);
}

static void next_step(struct amt_dev *dev)
{
	struct hardware_work *w = &dev->work.hardware;
	const struct step *s = &steps[w->step];

	while (w->step < STEPS && s->after != KIND_COUNT && !w->parts->parts[s->after])
		s = &steps[++w->step];
	if (w->step == STEPS)
		finish(dev);
	else if (s->list)
		amt_list(dev, &s->class, read_instance, step_done, step_failed);
	else
		amt_get(dev, &s->class, step_done, step_failed);
}

void amt_hardware(void *data, struct pctl_op *op, struct pctl_value *ret)
{
	struct amt_dev *dev = data;

	amt_begin(dev, op);
	dev->work.hardware = (struct hardware_work){ .ret = ret,
		.parts = pctl_xcalloc(1, sizeof(struct hardware)) };
	amt_keep(dev, dev->work.hardware.parts, done);
	dev->work.hardware.parts->packages = pctl_value_new_map();
	dev->work.hardware.parts->firmware = pctl_value_new_list();
	dev->work.hardware.parts->left_out = pctl_value_new_list();
	next_step(dev);
}
