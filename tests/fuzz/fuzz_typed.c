/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever somebody types as fields of a WS-Management request: what is taken becomes one element
 * each of a document that can be read, or has characters that XML cannot carry.
 */
#include "classes/typed.h"
#include "fuzz.h"
#include "wsman/xml.h"

static void read_back(const struct wsman *w, const struct typed_fields *fields)
{
	struct xml_reader *reader = xml_reader_new();
	struct pctl_error err = { 0 };
	const struct xml_node *root = xml_read(reader, w->out.data, w->out.len, &err);
	const struct xml_node *n = root ? xml_child(root, "Body") : NULL;
	size_t i = 0;

	require(n && n->first);
	for (n = n->first->first; n; n = n->next)
		require(i < fields->n && strcmp(n->name, fields->v[i++].name) == 0);
	require(i == fields->n);
	xml_reader_free(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct wsman_class class = WSMAN_CLASS(WSMAN_AMT, "AMT_X");
	struct typed_fields fields = { .n = 0 };
	struct pctl_error err = { 0 };
	struct wsman w;

	if (size > 4096)
		return 0;
	wsman_begin(
		&w, &(struct wsman_head){ .verb = WSMAN_INVOKE, .class = &class, .method = "M" });
	(void)typed_add_lines(&fields, "file", (const char *)data, size, &err);
	for (size_t i = 0; i < fields.n; i++)
		typed_write(&w, fields.v[i].name, fields.v[i].value);
	if (wsman_end(&w, &err) == 0)
		read_back(&w, &fields);
	wsman_done(&w);
	typed_done(&fields);
	return 0;
}
