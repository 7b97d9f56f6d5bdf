/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading a FRU device's inventory (IPMI 2.0 section 34), as far as there is something in it. */
#include <string.h>

#include "records.h"

#define CHUNK_FRU     64u
#define CODE_FRU_BUSY 0x81
#define BUSY_MS       200u
#define BUSY_TRIES    10u

static void read_more(struct ipmi_dev *dev);

static void on_failure(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	struct fru_read *r = &records_of(dev)->fru;

	if (r->except)
		r->except(dev, err, code);
	else
		ipmi_end(dev, err);
}

static void on_data(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	struct fru_read *r = &records_of(dev)->fru;
	size_t n = r->words ? (size_t)data[0] * 2 : data[0];

	if (n > len - 1)
		n = len - 1;
	if (n > sizeof(r->data) - r->have)
		n = sizeof(r->data) - r->have;
	if (!n)
		r->size = r->have; /* it ends here, whatever it said */
	memcpy(r->data + r->have, data + 1, n);
	r->have += n;
	r->busy = 0;
	read_more(dev);
}

static void on_no_data(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	struct fru_read *r = &records_of(dev)->fru;

	if (code == CODE_FRU_BUSY && r->busy++ < BUSY_TRIES) {
		records_pause(dev, BUSY_MS, read_more);
	} else if (chunk_shrink(&r->chunk, code)) {
		read_more(dev);
	} else if (code >= 0 && r->have) {
		r->size = r->have;
		read_more(dev);
	} else {
		on_failure(dev, err, code);
	}
}

static void read_more(struct ipmi_dev *dev)
{
	struct fru_read *r = &records_of(dev)->fru;
	size_t need = fru_need(r->data, r->have, r->size);
	uint8_t data[4] = { r->device };

	if (need <= r->have) {
		r->then(dev);
		return;
	}
	need -= r->have;
	if (need > r->chunk.size)
		need = r->chunk.size;
	/* Chunks are even, so what was read so far is, but for an end where nothing follows. */
	put_le16(data + 1, (uint16_t)(r->words ? r->have / 2 : r->have));
	data[3] = (uint8_t)(r->words ? (need + 1) / 2 : need);
	ipmi_send(dev, &command_read_fru, data, sizeof(data), on_data, on_no_data);
}

static void on_area_info(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	struct fru_read *r = &records_of(dev)->fru;

	(void)len;
	r->size = get_le16(data);
	r->words = data[2] & 1;
	read_more(dev);
}

void fru_read(struct ipmi_dev *dev, uint8_t device, records_then_fn *then, ipmi_except_fn *except)
{
	struct fru_read *r = &records_of(dev)->fru;

	r->then = then;
	r->except = except;
	r->device = device;
	r->have = 0;
	r->busy = 0;
	r->chunk.size = CHUNK_FRU;
	ipmi_send(dev, &command_get_fru_area_info, &device, 1, on_area_info, on_failure);
}
