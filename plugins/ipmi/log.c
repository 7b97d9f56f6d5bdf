/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The system event log (IPMI 2.0 section 31): reading what is new in it, and emptying it. */
#include <string.h>

#include <powerctl/mem.h>

#include "records.h"
#include "sel.h"

#define FIRST_ENTRY 0x0000u
#define LAST_ENTRY  0xffffu

#define CODE_LOST    0xc5
#define CODE_ABSENT  0xcb
#define RENEWALS_MAX 32u

struct log {
	struct records records;
	struct reading_words *words;
	struct pctl_value *events;
	char *after; /* the cursor that was asked for; NULL: none, or its event is gone */
	char cursor[SEL_CURSOR_SIZE];
	uint16_t next, reservation;
	uint8_t count; /* bytes to ask for: all (FFh), or as many as there are */
	unsigned renewed;
};

static struct log *job_of(const struct ipmi_dev *dev)
{
	return ipmi_kept(dev);
}

static void done(void *job)
{
	struct log *l = job;

	reading_words_free(l->words);
	pctl_value_free(l->events);
	free(l->after);
	records_done(job);
}

static void finish(struct ipmi_dev *dev)
{
	struct log *l = job_of(dev);

	pctl_value_set(l->records.ret, "events", l->events);
	l->events = NULL;
	if (*l->cursor)
		pctl_value_set_text(l->records.ret, "cursor", l->cursor);
	ipmi_end(dev, NULL);
}

/* --- Entries. --------------------------------------------------------------------------------- */

static void get_entry(struct ipmi_dev *dev);
static void reserve_and_read(struct ipmi_dev *dev);
static void read_names(struct ipmi_dev *dev);

/* The event that the cursor stands for: what comes behind it is new. */
static void check_cursor(struct ipmi_dev *dev, const uint8_t *record, uint16_t next)
{
	struct log *l = job_of(dev);
	char cursor[SEL_CURSOR_SIZE];

	sel_cursor(record, cursor);
	if (strcmp(cursor, l->after) != 0)
		next = FIRST_ENTRY;
	else
		(void)snprintf(l->cursor, sizeof(l->cursor), "%s", cursor);
	free(l->after);
	l->after = NULL;
	l->next = next;
	if (next == LAST_ENTRY)
		finish(dev);
	else
		read_names(dev);
}

static void add_event(struct ipmi_dev *dev, const uint8_t *record, uint16_t next)
{
	struct log *l = job_of(dev);
	const struct sdr_read *sdr = &l->records.sdr;

	if (pctl_value_count(l->events) == 0)
		(void)ids_add(&l->records.ids, get_le16(record)); /* asked for as 0 */
	sel_cursor(record, l->cursor);
	pctl_value_add(l->events,
		sel_decode(l->words, (const uint8_t *)sdr->records.data, sdr->records.len, record));
	l->next = next;
	if (next == LAST_ENTRY || !ids_add(&l->records.ids, next))
		finish(dev);
	else
		get_entry(dev);
}

static void on_entry(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	struct log *l = job_of(dev);

	if (len < 2 + SEL_RECORD && l->count == 0xff) {
		l->count = SEL_RECORD;
		get_entry(dev);
	} else if (len < 2 + SEL_RECORD) {
		ipmi_fail(dev, PCTL_E_PROTOCOL, "an entry of the event log has %zu bytes, not %u",
			len - 2, SEL_RECORD);
	} else if (l->after) {
		check_cursor(dev, data + 2, get_le16(data));
	} else {
		add_event(dev, data + 2, get_le16(data));
	}
}

static void on_no_entry(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	struct log *l = job_of(dev);
	struct chunk chunk = { l->count };

	if (code == CODE_LOST && l->renewed < RENEWALS_MAX) {
		reserve_and_read(dev);
	} else if (code == CODE_ABSENT && l->after) {
		free(l->after);
		l->after = NULL;
		l->next = FIRST_ENTRY;
		read_names(dev);
	} else if (code == CODE_ABSENT) {
		finish(dev); /* empty, or emptied meanwhile */
	} else if (l->count == 0xff && chunk_shrink(&chunk, code)) {
		l->count = SEL_RECORD;
		get_entry(dev);
	} else {
		ipmi_end(dev, err);
	}
}

static void get_entry(struct ipmi_dev *dev)
{
	const struct log *l = job_of(dev);
	uint8_t data[6] = { 0 };

	put_le16(data, l->reservation);
	put_le16(data + 2, l->next);
	data[5] = l->count;
	ipmi_send(dev, &command_get_sel_entry, data, sizeof(data), on_entry, on_no_entry);
}

static void on_reserved(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	(void)len;
	job_of(dev)->reservation = get_le16(data);
	get_entry(dev);
}

/* Whole entries need no reservation (31.5), say most BMCs. */
static void reserve_and_read(struct ipmi_dev *dev)
{
	job_of(dev)->renewed++;
	ipmi_send(dev, &command_reserve_sel, NULL, 0, on_reserved, NULL);
}

/* --- What it takes to name them. -------------------------------------------------------------- */

static void on_names(struct ipmi_dev *dev)
{
	struct log *l = job_of(dev);

	/* These ids were the sensor data records'. */
	memset(&l->records.ids, 0, sizeof(l->records.ids));
	l->words = reading_words_new(&l->records.sdr.id.maker);
	get_entry(dev);
}

/* Events without the names of their sensors are events still. */
static void on_no_names(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	if (records_lacks(err, code))
		on_names(dev);
	else
		ipmi_end(dev, err);
}

static void read_names(struct ipmi_dev *dev)
{
	sdr_read(dev, pctl_op_time_left(dev->call.op) / 2, on_names, on_no_names);
}

static void on_info(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	struct log *l = job_of(dev);

	(void)len;
	if (get_le16(data + 1) == 0)
		finish(dev);
	else if (l->after)
		get_entry(dev);
	else
		read_names(dev);
}

static void read_log(void *data, struct pctl_op *op, const char *after, struct pctl_value *ret)
{
	struct ipmi_dev *dev = data;
	struct log *l = records_begin_with(dev, op, sizeof(*l), ret, done);

	l->events = pctl_value_new_list();
	l->count = 0xff;
	if (sel_cursor_parse(after, &l->next))
		l->after = pctl_xstrdup(after);
	ipmi_send(dev, &command_get_sel_info, NULL, 0, on_info, NULL);
}

/* --- Emptying it. ----------------------------------------------------------------------------- */

#define ERASE_BEGIN  0xaa
#define ERASE_STATUS 0x00
#define ERASED       0x01
#define ERASE_MS     250u
#define TRIES        3u

static void send_clear(struct ipmi_dev *dev, uint8_t what, ipmi_except_fn *except);

static void ask_for_status(struct ipmi_dev *dev)
{
	send_clear(dev, ERASE_STATUS, NULL);
}

static void on_erasing(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	(void)len;
	if ((data[0] & 0xf) == ERASED)
		ipmi_end(dev, NULL);
	else
		records_pause(dev, ERASE_MS, ask_for_status);
}

static void reserve_and_clear(struct ipmi_dev *dev);

/* An event came in between: nothing was erased yet. */
static void on_not_erased(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	if (code == CODE_LOST && job_of(dev)->renewed < TRIES)
		reserve_and_clear(dev);
	else
		ipmi_end(dev, err);
}

static void send_clear(struct ipmi_dev *dev, uint8_t what, ipmi_except_fn *except)
{
	uint8_t data[6] = { 0, 0, 'C', 'L', 'R', what };

	put_le16(data, job_of(dev)->reservation);
	ipmi_send(dev, &command_clear_sel, data, sizeof(data), on_erasing, except);
}

static void on_reserved_to_clear(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	(void)len;
	job_of(dev)->reservation = get_le16(data);
	send_clear(dev, ERASE_BEGIN, on_not_erased);
}

static void on_no_reservation(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	(void)code;
	if (err->code == PCTL_E_UNSUPPORTED)
		send_clear(dev, ERASE_BEGIN, NULL);
	else
		ipmi_end(dev, err);
}

static void reserve_and_clear(struct ipmi_dev *dev)
{
	job_of(dev)->renewed++;
	ipmi_send(dev, &command_reserve_sel, NULL, 0, on_reserved_to_clear, on_no_reservation);
}

static void clear_log(void *data, struct pctl_op *op)
{
	struct ipmi_dev *dev = data;

	(void)records_begin_with(dev, op, sizeof(struct log), NULL, done);
	reserve_and_clear(dev);
}

const struct pctl_log_if ipmi_log = {
	.size = sizeof(ipmi_log),
	.read = read_log,
	.clear = clear_log,
};
