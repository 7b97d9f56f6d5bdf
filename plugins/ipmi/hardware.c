/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the machine is made of, as its FRU devices tell. */
#include "records.h"

#define PARTS_MAX 64u
/* Device type of a FRU that the BMC answers for by Read FRU Data (table 43-12). */
#define TYPE_FRU 0x10

struct hardware {
	struct records records;
	struct pctl_value *parts; /* NULL: none yet */
	size_t at;                /* in the records */
	struct sdr sdr;
	unsigned count;
	bool any;              /* there is something to tell */
	struct pctl_error why; /* or why it did not */
};

static struct hardware *job_of(const struct ipmi_dev *dev)
{
	return ipmi_kept(dev);
}

static void finish(struct ipmi_dev *dev)
{
	struct hardware *h = job_of(dev);

	if (h->parts) {
		pctl_value_set(h->records.ret, "parts", h->parts);
		h->parts = NULL;
		h->any = true;
	}
	if (h->any)
		ipmi_end(dev, NULL);
	else if (h->why.code)
		ipmi_end(dev, &h->why);
	else
		ipmi_fail(dev, PCTL_E_UNSUPPORTED, "the BMC has no FRU information");
}

/* --- Parts. ----------------------------------------------------------------------------------- */

static void copy(
	struct pctl_value *to, const char *key, const struct pctl_value *from, const char *from_key)
{
	pctl_value_set_text(to, key, pctl_value_text(pctl_value_get(from, from_key)));
}

/* A part has a product area or a board area, seldom both: the product is what can be bought. */
static void describe(const struct pctl_value *areas, struct pctl_value *part)
{
	static const char *const keys[] = { "manufacturer", "part_number", "version", "serial",
		"asset_tag" };
	const struct pctl_value *product = pctl_value_get(areas, "product");
	const struct pctl_value *board = pctl_value_get(areas, "board");

	copy(part, "product", board, "name");
	copy(part, "product", product, "name");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		copy(part, keys[i], board, keys[i]);
		copy(part, keys[i], product, keys[i]);
	}
}

static void next_part(struct ipmi_dev *dev);

static void on_part(struct ipmi_dev *dev)
{
	struct hardware *h = job_of(dev);
	struct pctl_value *areas = pctl_value_new_map();
	const struct fru_read *fru = &h->records.fru;
	char type[READING_UNIT_SIZE];

	if (fru_decode(fru->data, fru->have, areas)) {
		struct pctl_value *part = pctl_value_new_map();

		pctl_value_set_text(part, "name", h->sdr.name[0] ? h->sdr.name : NULL);
		reading_entity(h->sdr.entity, type);
		pctl_value_set_text(part, "type", type);
		describe(areas, part);
		if (!h->parts)
			h->parts = pctl_value_new_list();
		pctl_value_add(h->parts, part);
	}
	pctl_value_free(areas);
	next_part(dev);
}

/* An empty socket, or one whose part cannot be read now. */
static void on_no_part(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	if (records_lacks(err, code))
		next_part(dev);
	else
		ipmi_end(dev, err);
}

static bool next_locator(struct hardware *h)
{
	const struct pctl_buf *records = &h->records.sdr.records;
	const uint8_t *record;
	size_t len;

	while (sdr_next((const uint8_t *)records->data, records->len, &h->at, &record, &len)) {
		if (sdr_decode(record, len, &h->sdr) && h->sdr.type == SDR_FRU_LOCATOR &&
			h->sdr.logical && h->sdr.access_address == SDR_OWNER_BMC &&
			h->sdr.fru_id != 0 && h->sdr.device_type == TYPE_FRU)
			return true;
	}
	return false;
}

static void next_part(struct ipmi_dev *dev)
{
	struct hardware *h = job_of(dev);

	if (h->count++ < PARTS_MAX && next_locator(h))
		fru_read(dev, h->sdr.fru_id, on_part, on_no_part);
	else
		finish(dev);
}

static void on_no_sdr(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	if (records_lacks(err, code))
		finish(dev);
	else
		ipmi_end(dev, err);
}

/* --- The machine. ----------------------------------------------------------------------------- */

static void read_parts(struct ipmi_dev *dev)
{
	sdr_read(dev, pctl_op_time_left(dev->call.op) / 2, next_part, on_no_sdr);
}

static void on_machine(struct ipmi_dev *dev)
{
	struct hardware *h = job_of(dev);
	const struct fru_read *fru = &h->records.fru;

	h->any = fru_decode(fru->data, fru->have, h->records.ret) &&
		 pctl_value_count(h->records.ret) > 0;
	read_parts(dev);
}

static void on_no_machine(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	if (!records_lacks(err, code)) {
		ipmi_end(dev, err);
		return;
	}
	job_of(dev)->why = *err;
	read_parts(dev);
}

static void done(void *job)
{
	struct hardware *h = job;

	pctl_value_free(h->parts);
	records_done(job);
}

void hardware_run(void *data, struct pctl_op *op, struct pctl_value *ret)
{
	struct ipmi_dev *dev = data;

	(void)records_begin_with(dev, op, sizeof(struct hardware), ret, done);
	fru_read(dev, 0, on_machine, on_no_machine);
}
