/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of a hostile Intel AMT device, and the round trip of what we send: nothing crashes, an
 * error is always told, and a text that was escaped into a request comes out of it unchanged.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "classes/pki.h"
#include "classes/tables.h"
#include "wsman/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct xml_reader *reader;

static void must(bool true_of_it)
{
	if (!true_of_it)
		abort();
}

/* A tree that was accepted is whole: every node is reached, and every one hangs on its parent. */
static void check_tree(const struct xml_node *top)
{
	unsigned n = 0;

	for (const struct xml_node *x = top; x; x = xml_walk(x, top)) {
		must(x->name && *x->name && x->text && ++n <= XML_MAX_NODES);
		for (const struct xml_node *c = x->first; c; c = c->next)
			must(c->parent == x && (c->next || c == x->last));
	}
}

static void read_answer(const char *text, size_t len)
{
	static const int statuses[] = { 200, 400, 500, 404 };

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		const struct pctl_http_answer http = { .status = statuses[i],
			.body = text,
			.len = len,
			.server = "",
			.content_type = "" };
		const struct answer_want want = { .verb = i % 2 ? WSMAN_GET : WSMAN_INVOKE,
			.method = "RequestPowerStateChange",
			.message_id = 4 };
		struct pctl_error err = { 0 };
		const struct xml_node *n = answer_read(reader, &http, &want, &err);

		must(n ? err.code == 0 : err.code < 0 && err.text[0]);
		if (n)
			check_tree(n);
	}
}

static bool blank_at_an_end(const char *text)
{
	static const char blanks[] = " \t\r\n";
	size_t len = strlen(text);

	return len && (strchr(blanks, text[0]) || strchr(blanks, text[len - 1]));
}

static void round_trip(const char *text)
{
	static const struct wsman_class class = WSMAN_CLASS(WSMAN_AMT, "AMT_GeneralSettings");
	const struct wsman_selector selectors[] = { { "Name", text }, { NULL, NULL } };
	struct pctl_error err = { 0 };
	struct wsman w;

	wsman_begin(&w,
		&(struct wsman_head){ .verb = WSMAN_PUT, .class = &class, .selectors = selectors });
	wsman_text(&w, "HostName", text);
	wsman_reference(&w, text[0] == 'a' ? "A" : "B", &class, selectors);
	if (wsman_end(&w, &err) == 0) {
		const struct xml_node *root = xml_read(reader, w.out.data, w.out.len, &err);
		must(root != NULL);
		const struct xml_node *put = xml_find(root, "AMT_GeneralSettings");
		must(put && xml_find(root, "Selector"));
		if (!blank_at_an_end(text)) {
			must(strcmp(xml_text(put, "HostName"), text) == 0);
			must(strcmp(xml_find(root, "Selector")->text, text) == 0);
		}
	} else {
		must(err.code == PCTL_E_CONFIG || err.code == PCTL_E_INTERNAL);
	}
	wsman_done(&w);
}

/* Told by any table, and without one; and what goes back into a Put is XML again. */
static void as_instance(const char *text, size_t len)
{
	static const struct class *const classes[] = { &class_redirection, &class_consent,
		&class_clock, &class_alarm, &class_ethernet, &class_wifi_profile, &class_tls,
		&class_tls_credential, &class_certificate, &class_cira_policy, &class_environment };
	static const struct class unknown = { .class = WSMAN_CLASS(WSMAN_CIM, "CIM_Unknown") };
	static const struct class_change changes[] = { { "EnabledState", "1" }, { NULL, NULL } };
	const struct class *class = len % 12 ? classes[len % 12 - 1] : &unknown;
	struct pctl_value *map = pctl_value_new_map();
	struct pctl_error err = { 0 };
	const struct xml_node *n = xml_read(reader, text, len, &err);
	struct wsman w;

	wsman_begin(&w, &(struct wsman_head){ .verb = WSMAN_PUT, .class = &class->class });
	if (n) {
		class_read(class, n, map);
		class_tree(n, map);
		pki_describe(n->text, map);
		if (class_put(&w, class, n, changes, &err) == 0 && wsman_end(&w, &err) == 0)
			must(xml_read(reader, w.out.data, w.out.len, &err) ||
				strstr(err.text, "too"));
		else
			must(err.text[0]);
	}
	wsman_done(&w);
	pctl_value_free(map);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (!reader)
		reader = xml_reader_new();
	read_answer(text, size);
	round_trip(text);
	as_instance(text, size);
	free(text);
	return 0;
}
