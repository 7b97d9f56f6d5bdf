/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents of a hostile Redfish service, through all that reads them: nothing crashes, an error
 * always says something, and what is said of a path holds.
 */
#include "fuzz.h"

#include "doc.h"
#include "quirks.h"
#include "tree.h"

static void check_error(int status, const json_t *doc)
{
	struct pctl_error err = { 0 };

	require(doc_error(status, doc, "it", &err) == err.code && err.code < 0);
	require(err.text[0] && err.device_code[0]);

	const char *where = doc_argument(doc, "PasswordChangeRequired");
	require(!where || doc_holds(doc, where));
}

static void check_links(const json_t *doc)
{
	static const char *const places[] = { "", "Systems", "Links/Sessions", "Links/Chassis/0",
		"@Redfish.Settings/SettingsObject", "Members/0" };
	size_t len;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *path = doc_link(doc, places[i]);

		require(!path || (*path == '/' && doc_is_path(path)));
		if (path)
			require(doc_last_part(path, &len) >= path);
	}
}

static void check_texts(const json_t *doc)
{
	const char *text = doc_text(doc, "@odata.id");
	char path[64], time[DOC_TIME_SIZE], uuid[37], words[16];

	if (!text)
		return;
	if (doc_same_origin(text, "bmc", 443, true, path, sizeof(path)))
		require(doc_is_path(path) && strlen(path) < sizeof(path));
	if (doc_time(text, time))
		require(strlen(time) == 20 && time[19] == 'Z');
	if (doc_uuid(text, uuid))
		require(strlen(uuid) == 36);
	doc_words(text, words, sizeof(words));
	require(strlen(words) < sizeof(words));
}

static void read_trees(const json_t *doc)
{
	struct pctl_value *map = pctl_value_new_map(), *list = pctl_value_new_list();
	struct pctl_value *events = pctl_value_new_list();

	tree_info(doc, doc, true, map);
	tree_manager(doc, map);
	tree_product(doc, map);
	tree_chassis(doc, map);
	tree_thermal(doc, list);
	tree_power(doc, list);
	pctl_value_free(tree_part(doc, "part"));
	pctl_value_free(tree_firmware(doc));
	pctl_value_free(tree_sensor(doc));
	for (size_t i = 0; i < 8; i++)
		pctl_value_add(events, tree_event(json_array_get(doc_at(doc, "Members"), i)));
	events = tree_in_order(events);
	require(pctl_value_count(events) == 8);
	tree_new_events(events, "1 ", map);
	require(strlen(pctl_value_text(pctl_value_get(map, "cursor"))) < TREE_CURSOR_SIZE);
	require(quirks_find(doc, doc) != NULL);
	require(tree_log_rank(doc) < 10);
	pctl_value_free(map);
	pctl_value_free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = { 200, 302, 400, 401, 404, 409, 500, 503 };
	struct pctl_error err = { 0 };
	json_t *doc = doc_read((const char *)data, size, &err);

	require(doc ? err.code == 0 : err.code == PCTL_E_PROTOCOL && err.text[0]);
	if (!doc)
		return 0;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		check_error(statuses[i], doc);
	check_links(doc);
	check_texts(doc);
	read_trees(doc);
	json_decref(doc);
	return 0;
}
