/* SPDX-License-Identifier: Apache-2.0 */
#include "records/audit.h"

#include "records/audit_words.h"

#define WORDS_MAX 1000u

/* What is left of a record. */
struct rest {
	const uint8_t *p;
	size_t len;
};

static const uint8_t *take(struct rest *rest, size_t n)
{
	const uint8_t *p = rest->p;

	if (n > rest->len)
		return NULL;
	rest->p += n;
	rest->len -= n;
	return p;
}

/* Bytes behind one that says how many. */
static bool take_counted(struct rest *rest, const uint8_t **ret, size_t *ret_len)
{
	const uint8_t *n = take(rest, 1);

	if (!n)
		return false;
	*ret_len = *n;
	*ret = take(rest, *n);
	return *ret != NULL;
}

static bool take_initiator(struct rest *rest, struct audit *a)
{
	const uint8_t *domain;

	switch (a->initiator) {
	case AUDIT_DIGEST:
		return take_counted(rest, &a->user, &a->user_len);
	case AUDIT_KERBEROS:
		domain = take(rest, 4);
		if (!domain)
			return false;
		a->domain = bytes_be32(domain);
		return take_counted(rest, &a->user, &a->user_len);
	default:
		return a->initiator <= AUDIT_KVM_PORT;
	}
}

bool audit_parse(const uint8_t *record, size_t len, struct audit *ret)
{
	struct rest rest = { record, len };
	const uint8_t *head = take(&rest, 5);
	struct audit a = { 0 };

	if (!head)
		return false;
	a.app = bytes_be16(head);
	a.event = bytes_be16(head + 2);
	a.initiator = head[4];
	if (!take_initiator(&rest, &a))
		return false;
	const uint8_t *time = take(&rest, 5); /* and the kind of address, which its text shows */
	if (!time || !take_counted(&rest, &a.from, &a.from_len) ||
		!take_counted(&rest, &a.more, &a.more_len) || rest.len)
		return false;
	a.time = bytes_be32(time);
	*ret = a;
	return true;
}

/* --- Extended data. --------------------------------------------------------------------------- */

static void add_word(struct pctl_buf *out, const struct bytes_word *words, uint32_t number)
{
	const char *word = bytes_find_word(words, number);

	if (word)
		pctl_buf_adds(out, word);
	else
		pctl_buf_addf(out, "%u", number);
}

/* One byte that is a number of a table. */
static bool say_choice(const struct audit *a, const struct bytes_word *words, struct pctl_buf *out)
{
	if (a->more_len < 1)
		return false;
	add_word(out, words, a->more[0]);
	return true;
}

static bool say_tls(const struct audit *a, struct pctl_buf *out)
{
	if (a->more_len < 2)
		return false;
	pctl_buf_adds(out, "remote ");
	add_word(out, audit_tls_modes, a->more[0]);
	pctl_buf_adds(out, ", local ");
	add_word(out, audit_tls_modes, a->more[1]);
	return true;
}

static void add_version(struct pctl_buf *out, const uint8_t *p)
{
	for (size_t i = 0; i < 4; i++)
		pctl_buf_addf(out, "%s%u", i ? "." : "", bytes_be16(p + 2 * i));
}

static bool say_versions(const struct audit *a, struct pctl_buf *out)
{
	if (a->more_len < 16)
		return false;
	pctl_buf_adds(out, "from ");
	add_version(out, a->more);
	pctl_buf_adds(out, " to ");
	add_version(out, a->more + 8);
	return true;
}

/* The special command, and what goes with it. */
static bool say_boot(const struct audit *a, struct pctl_buf *out)
{
	unsigned bits;

	if (a->more_len < 3)
		return false;
	add_word(out, audit_boot_commands, a->more[0]);
	bits = a->more[1] | (unsigned)a->more[2] << 8;
	for (const struct bytes_word *w = audit_boot_bits; a->more[0] == 193 && w->word; w++)
		if (bits & w->number)
			pctl_buf_addf(out, ", %s", w->word);
	return true;
}

static bool say_seconds(const struct audit *a, struct pctl_buf *out)
{
	struct pctl_value *map = pctl_value_new_map();

	if (a->more_len >= 4)
		bytes_set_time(map, bytes_be32(a->more));
	const char *time = pctl_value_text(pctl_value_get(map, "time"));
	if (time)
		pctl_buf_addf(out, "to %s", time);
	pctl_value_free(map);
	return out->len > 0;
}

static bool say_more(const struct audit *a, enum audit_more kind, struct pctl_buf *out)
{
	switch (kind) {
	case AUDIT_MORE_WHERE:
		return say_choice(a, audit_places, out);
	case AUDIT_MORE_TLS:
		return say_tls(a, out);
	case AUDIT_MORE_UNPROVISIONED:
		return say_choice(a, audit_unprovisioners, out);
	case AUDIT_MORE_BOOT:
		return say_boot(a, out);
	case AUDIT_MORE_VERSIONS:
		return say_versions(a, out);
	case AUDIT_MORE_CODE:
		return say_choice(a, audit_code_results, out);
	case AUDIT_MORE_TIME:
		return say_seconds(a, out);
	case AUDIT_MORE_NONE:
		break;
	}
	return false;
}

/* --- Sentences. ------------------------------------------------------------------------------- */

static void add_more(const struct audit *a, enum audit_more kind, struct pctl_buf *out)
{
	struct pctl_buf more;

	pctl_buf_init(&more, WORDS_MAX);
	if (say_more(a, kind, &more))
		pctl_buf_addf(out, " (%s)", more.data);
	else if (a->more_len) {
		pctl_buf_adds(out, ", data ");
		bytes_add_hex(out, a->more, a->more_len);
	}
	pctl_buf_done(&more);
}

static void add_who(const struct audit *a, struct pctl_buf *out)
{
	switch (a->initiator) {
	case AUDIT_DIGEST:
		bytes_add_text(out, a->user, a->user_len);
		break;
	case AUDIT_KERBEROS:
		pctl_buf_addf(out, "Kerberos %u:", a->domain);
		bytes_add_hex(out, a->user, a->user_len);
		break;
	case AUDIT_LOCAL:
		pctl_buf_adds(out, "the machine itself");
		break;
	default:
		pctl_buf_adds(out, "the KVM port");
		break;
	}
}

static void set_buf(struct pctl_value *map, const char *key, struct pctl_buf *buf)
{
	if (buf->len)
		pctl_value_set_text(map, key, buf->data);
	pctl_buf_done(buf);
}

struct pctl_value *audit_tell(const struct audit *a)
{
	const struct audit_event *known = audit_find(a->app, a->event);
	const char *app = bytes_find_word(audit_apps, a->app);
	struct pctl_value *ret = pctl_value_new_map();
	struct pctl_buf words, who, from;

	pctl_buf_init(&words, WORDS_MAX);
	pctl_buf_init(&who, WORDS_MAX);
	pctl_buf_init(&from, WORDS_MAX);
	add_who(a, &who);
	bytes_add_text(&from, a->from, a->from_len);
	if (known)
		pctl_buf_adds(&words, known->words);
	else
		pctl_buf_addf(
			&words, "event %u of %s%u", a->event, app ? "application " : "", a->app);
	add_more(a, known ? known->more : AUDIT_MORE_NONE, &words);
	pctl_buf_addf(&words, ", by %s", who.len ? who.data : "nobody named");
	if (from.len)
		pctl_buf_addf(&words, " from %s", from.data);

	bytes_set_time(ret, a->time);
	pctl_value_set_text(ret, "severity", known && known->warns ? "warning" : "info");
	pctl_value_set_text(ret, "source", "audit");
	pctl_value_set_text(ret, "sensor", app);
	set_buf(ret, "event", &words);
	set_buf(ret, "user", &who);
	set_buf(ret, "from", &from);
	return ret;
}
