/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a Redfish service is at an address: its root, which needs no login (DSP0266, 6.3). */
#include <stdio.h>
#include <string.h>

#include <powerctl/mem.h>

#include "redfish.h"

#define LIMIT_MS   2500u
#define RANK       20u
#define ANSWER_MAX ((size_t)256 << 10)

struct find {
	struct pctl_http_session *http;
	struct pctl_http_request request;
	struct pctl_op *op;
	struct pctl_value *ret;
	bool tls;
};

static void let_go(struct find *f)
{
	pctl_http_session_free(f->http);
	free(f);
}

static void on_abort(struct pctl_op *op, void *work)
{
	(void)op;
	let_go(work);
}

static void copy_text(
	struct pctl_value *ret, const char *key, const json_t *root, const char *place)
{
	pctl_value_set_text(ret, key, doc_text(root, place));
}

/* False: some other web server. */
static bool read_root(struct find *f, const json_t *root)
{
	const char *version = doc_text(root, "RedfishVersion");
	const char *uuid = doc_text(root, "UUID");
	char lower[37];

	if (!version && !doc_link(root, "Systems"))
		return false;
	copy_text(f->ret, "vendor", root, "Vendor");
	copy_text(f->ret, "product", root, "Product");
	pctl_value_set_text(f->ret, "redfish_version", version);
	if (uuid && doc_uuid(uuid, lower))
		pctl_value_set_text(f->ret, "uuid", lower);
	pctl_value_set(f->ret, "security", pctl_value_new_map());
	pctl_value_set_bool(pctl_value_get(f->ret, "security"), "tls", f->tls);
	return true;
}

static void on_http(void *data, const struct pctl_http_answer *answer, const struct pctl_error *err)
{
	struct find *f = data;
	struct pctl_op *op = f->op;
	struct pctl_error why = { 0 };
	json_t *root =
		answer && answer->status == 200 ? doc_read(answer->body, answer->len, &why) : NULL;
	bool found = root && read_root(f, root);

	json_decref(root);
	if (found)
		pctl_op_done(op);
	else if (err && (err->code == PCTL_E_UNREACHABLE || err->code == PCTL_E_INTERNAL))
		pctl_op_fail_error(op, err);
	else
		pctl_op_fail(op, PCTL_E_PROTOCOL, "something answers, which is no Redfish service");
	let_go(f);
}

static void find(void *ctx, struct pctl_device *device, struct pctl_op *op, struct pctl_value *ret)
{
	const struct redfish *redfish = ctx;
	struct find *f = pctl_xcalloc(1, sizeof(*f));
	struct pctl_error err = { 0 };

	f->op = op;
	f->ret = ret;
	f->tls = pctl_setting_choice(device, "tls");
	const struct pctl_http_settings s = {
		.size = sizeof(s),
		.device = device,
		.port = (uint16_t)pctl_setting_uint(device, "port"),
		.tls = f->tls,
		.legacy_tls = f->tls, /* nothing secret is said */
		.auth = PCTL_HTTP_AUTH_NONE,
		.max_answer = ANSWER_MAX,
	};
	if (pctl_http_session_new(redfish->http, &s, &f->http, &err) < 0) {
		let_go(f);
		pctl_op_fail_error(op, &err);
		return;
	}
	f->request = (struct pctl_http_request){ .size = sizeof(f->request),
		.method = "GET",
		.path = "/redfish/v1/",
		.no_login = true,
		.any_status = true };
	pctl_op_pending(op, on_abort, f);
	pctl_http_send(f->http, op, &f->request, on_http, f);
}

const struct pctl_discover_if redfish_discover = {
	.size = sizeof(redfish_discover),
	.limit_ms = LIMIT_MS,
	.rank = RANK,
	.find = find,
};
