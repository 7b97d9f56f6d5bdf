/* SPDX-License-Identifier: Apache-2.0 */
#include "classes/refer.h"

#include <stdio.h>
#include <string.h>

#include "classes/pki.h"

#define LIST   "certificates"
#define ID_MAX 40 /* characters, of the few digits that an id has */

static void also_handle(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	const char *id = xml_text(item, "InstanceID");

	(void)dev;
	pctl_value_set_text(map, "handle", pki_handle(id ? id : ""));
}

static const struct chain_step steps[] = {
	{ &class_certificate, LIST, STEP_LIST, also_handle },
	{ .class = NULL },
};

void refer_read(struct amt_dev *dev, chain_fn *then)
{
	chain_read(dev, steps, then);
}

int refer_check(struct amt_dev *dev, const char *parameter, bool trusted, struct pctl_error *err)
{
	const char *id = chain_text(dev, parameter);
	const struct pctl_value *map =
		id && strlen(id) <= ID_MAX ? chain_find(dev, LIST, "handle", id) : NULL;
	bool is = map && pctl_value_bool(pctl_value_get(map, "trusted_root"));

	if (!id || (map && is == trusted))
		return 0;
	return pctl_error_set(err, PCTL_E_REFUSED,
		"%s: %s is %s; `amt certs` lists them, and adds one%s", parameter, id,
		!map      ? "not there"
		: trusted ? "none that it trusts"
			  : "one that it trusts, not its own",
		trusted ? "" : " with its key");
}

void refer_done(struct amt_dev *dev)
{
	(void)pctl_value_unset(chain_work(dev)->ret, LIST);
}

void refer_id(const char *id, char out[REFER_SIZE])
{
	(void)snprintf(out, REFER_SIZE, PKI_CERTIFICATE "%.*s", ID_MAX, id ? id : "");
}

void refer_add(struct amt_dev *dev, struct wsman *w, const char *name, const char *parameter)
{
	char handle[REFER_SIZE];
	const struct wsman_selector s[] = { { "InstanceID", handle }, { NULL, NULL } };

	if (!chain_given(dev, parameter))
		return;
	refer_id(chain_text(dev, parameter), handle);
	wsman_reference(w, name, &class_certificate.class, s);
}
