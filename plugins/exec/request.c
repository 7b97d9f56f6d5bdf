/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <inttypes.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/program.h>

/* --- Texts. ----------------------------------------------------------------------------------- */

/* How long the character at s is (RFC 3629); 0: it is none. */
static size_t char_len(const unsigned char *s, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = *s < 0x80                 ? 1
		   : *s >= 0xc2 && *s < 0xe0 ? 2
		   : *s >= 0xe0 && *s < 0xf0 ? 3
		   : *s >= 0xf0 && *s < 0xf5 ? 4
					     : 0;
	uint32_t c = n > 1 ? *s & (0x7fu >> n) : *s;

	if (n > left)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	return n && (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) ? 0 : n;
}

static bool is_utf8(const char *text, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		n = char_len((const unsigned char *)text + i, len - i);
		if (!n)
			return false;
	}
	return true;
}

bool request_add_text(struct pctl_buf *buf, const char *text, size_t len)
{
	if (!is_utf8(text, len))
		return false;
	pctl_buf_adds(buf, "\"");
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c == 0x7f)
			pctl_buf_addf(buf, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			pctl_buf_add(buf, (const char[]){ '\\', (char)c }, 2);
		else
			pctl_buf_add(buf, &text[i], 1);
	}
	pctl_buf_adds(buf, "\"");
	return true;
}

/* --- Settings. -------------------------------------------------------------------------------- */

static bool add_string(struct pctl_buf *buf, const char *text)
{
	return request_add_text(buf, text, strlen(text));
}

static bool add_texts(struct pctl_buf *buf, const struct pctl_device *device, const char *name)
{
	bool well = true;

	pctl_buf_adds(buf, "[");
	for (size_t i = 0; i < pctl_setting_texts(device, name); i++) {
		pctl_buf_adds(buf, i ? "," : "");
		well = add_string(buf, pctl_setting_texts_at(device, name, i)) && well;
	}
	pctl_buf_adds(buf, "]");
	return well;
}

static bool add_flags(
	struct pctl_buf *buf, const struct pctl_device *device, const struct pctl_property *p)
{
	uint64_t bits = pctl_setting_flags(device, p->name);
	const char *comma = "";
	bool well = true;

	pctl_buf_adds(buf, "[");
	for (size_t i = 0; p->choices && p->choices[i] && i < 64; i++) {
		if (!(bits >> i & 1))
			continue;
		pctl_buf_adds(buf, comma);
		well = add_string(buf, p->choices[i]) && well;
		comma = ",";
	}
	pctl_buf_adds(buf, "]");
	return well;
}

static bool add_value(
	struct pctl_buf *buf, const struct pctl_device *device, const struct pctl_property *p)
{
	switch (p->type) {
	case PCTL_TYPE_BOOL:
		pctl_buf_adds(buf, pctl_setting_bool(device, p->name) ? "true" : "false");
		return true;
	case PCTL_TYPE_UINT:
		pctl_buf_addf(buf, "%" PRIu64, pctl_setting_uint(device, p->name));
		return true;
	case PCTL_TYPE_DURATION:
		pctl_buf_addf(buf, "%" PRIu64, pctl_setting_duration(device, p->name));
		return true;
	case PCTL_TYPE_CHOICE:
		return add_string(buf, p->choices[pctl_setting_choice(device, p->name)]);
	case PCTL_TYPE_TEXTS:
		return add_texts(buf, device, p->name);
	case PCTL_TYPE_FLAGS:
		return add_flags(buf, device, p);
	case PCTL_TYPE_TEXT:
	case PCTL_TYPE_FILE:
		break;
	}
	return add_string(buf, pctl_setting_text(device, p->name));
}

static const struct pctl_secret *secret_of(
	const struct pctl_device *device, const struct pctl_property *p)
{
	return p->flags & PCTL_PROPERTY_SECRET ? pctl_setting_secret(device, p->name) : NULL;
}

static bool has_value(const struct pctl_device *device, const struct pctl_property *p)
{
	return !(p->flags & PCTL_PROPERTY_SECRET) &&
	       (p->default_text || pctl_setting_given(device, p->name));
}

/* One of the two maps. NULL: well; else what cannot be said. */
static const char *add_map(struct pctl_buf *buf, const struct pctl_device *device,
	const struct pctl_property *properties, bool secrets)
{
	const char *comma = "", *unsaid = NULL;

	pctl_buf_adds(buf, secrets ? ",\"secrets\":{" : ",\"settings\":{");
	for (const struct pctl_property *p = properties; p && p->name; p++) {
		const struct pctl_secret *secret = secret_of(device, p);

		if (secrets ? !secret : !has_value(device, p))
			continue;
		pctl_buf_addf(buf, "%s\"%s\":", comma, p->name);
		comma = ",";
		bool well = secrets ? request_add_text(buf, pctl_secret_data(secret),
					      pctl_secret_len(secret))
				    : add_value(buf, device, p);
		if (!well)
			unsaid = p->name;
	}
	pctl_buf_adds(buf, "}");
	return unsaid;
}

static bool add_boot(struct pctl_buf *buf, const struct pctl_boot *boot)
{
	pctl_buf_addf(buf, ",\"device\":\"%s\",\"mode\":\"%s\",\"persistent\":%s",
		pctl_boot_device_name(boot->device),
		boot->mode == PCTL_BOOT_MODE_ANY ? "any" : pctl_boot_mode_name(boot->mode),
		boot->persistent ? "true" : "false");
	if (!boot->url)
		return true;
	pctl_buf_adds(buf, ",\"url\":");
	return add_string(buf, boot->url);
}

int request_write(struct pctl_buf *buf, const struct pctl_device *device,
	const struct pctl_property *properties, const struct request *request,
	struct pctl_error *err)
{
	const char *host = pctl_device_host(device), *unsaid = NULL;

	pctl_buf_addf(buf, "{\"v\":%d,\"op\":\"%s\",\"node\":", EXEC_VERSION, request->op);
	if (!add_string(buf, pctl_device_name(device)))
		unsaid = "the node's name";
	if (host && *host) {
		pctl_buf_adds(buf, ",\"address\":");
		if (!add_string(buf, host))
			unsaid = "address";
	}
	if (request->action)
		pctl_buf_addf(buf, ",\"action\":\"%s\"", request->action);
	if (request->boot && !add_boot(buf, request->boot))
		unsaid = "the URL";
	const char *setting = add_map(buf, device, properties, false);
	const char *secret = add_map(buf, device, properties, true);
	unsaid = unsaid ? unsaid : setting ? setting : secret;
	pctl_buf_addf(buf, ",\"timeout_ms\":%" PRIu64 "}\n", request->timeout_ms);
	if (unsaid)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s is not UTF-8, and cannot be given to a program in JSON", unsaid);
	if (buf->full)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"the settings are more than %zu bytes, which a program may be given",
			buf->max);
	return 0;
}
