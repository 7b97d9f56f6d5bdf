/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "driver/plugin.h"
#include "driver/settings.h"
#include "node/core.h"

#define ODD_DIR TEST_BINARY_DIR "/tests/plugins"

static void refused(const char *dir, const char *name, const char *why)
{
	struct pctl_plugin *plugin = NULL;
	struct pctl_error err = { 0 };

	assert_int_equal(pctl_plugin_load(dir, name, &plugin, &err), PCTL_E_CONFIG);
	assert_null(plugin);
	if (!strstr(err.text, why))
		fail_msg("'%s' does not say '%s'", err.text, why);
}

static void test_a_good_one(void **state)
{
	struct pctl_plugin *plugin = NULL;

	(void)state;
	assert_int_equal(pctl_plugin_load(TEST_PLUGIN_DIR, "null", &plugin, NULL), 0);
	assert_string_equal(plugin->driver.name, "null");
	assert_non_null(plugin->driver.power->get);
	assert_ptr_equal(plugin->driver.power, &plugin->power);
	assert_string_equal(plugin->properties[0].name, "state");
	pctl_plugin_free(plugin);
	assert_int_equal(pctl_plugin_load(ODD_DIR, "oneunit", &plugin, NULL), 0);
	pctl_plugin_free(plugin);
	assert_int_equal(pctl_plugin_load(ODD_DIR, "selector", &plugin, NULL), 0);
	pctl_plugin_free(plugin);
}

static void test_refusals_say_what_was_wanted(void **state)
{
	(void)state;
	refused(TEST_PLUGIN_DIR, "nosuch", "there is no driver 'nosuch'");
	refused(TEST_PLUGIN_DIR, "../null", "is not a driver's name");
	refused(TEST_PLUGIN_DIR, "", "is not a driver's name");
	refused("/nonexistent", "null", "does not exist");
	refused(ODD_DIR, "otherabi", "driver ABI 2, this program has 1");
	refused(ODD_DIR, "noact", "power interface lacks get or act");
	refused(ODD_DIR, "nosymbol", "no symbol pctl_driver");
	refused(ODD_DIR, "tiny", "size of 8 bytes");
	refused(ODD_DIR, "nologread", "its log interface lacks read");
	refused(ODD_DIR, "nosensors", "its sensors interface lacks read");
	refused(ODD_DIR, "noconsent", "its consent interface lacks get, request");
	refused(ODD_DIR, "manydigits", "no digit, or more than 16");
	refused(ODD_DIR, "nodigits", "no digit, or more than 16");
	refused(ODD_DIR, "notries", "takes no code");
	refused(ODD_DIR, "manysources", "more than 32 sources");
	refused(ODD_DIR, "noclearsource", "lacks clear_source");
	refused(ODD_DIR, "badmethod", "the name of a method is not of the form");
	refused(ODD_DIR, "twomethods", "two methods have the same name");
	refused(ODD_DIR, "norun", "a method lacks help or run");
	refused(ODD_DIR, "nohelp", "a method lacks help or run");
	refused(ODD_DIR, "badparam", "the name of a property is not of the form");
	refused(ODD_DIR, "secretparam", "its name does not say what it is");
	refused(ODD_DIR, "listsecret", "secret parameter is no text");
	refused(ODD_DIR, "optionalword", "that is a bare word is not required");
	refused(ODD_DIR, "lateword", "that is a bare word does not come first");
	refused(ODD_DIR, "nochoices", "is a choice without choices");
	refused(ODD_DIR, "badsetting", "the name of a property is not of the form");
	refused(ODD_DIR, "othertype", "of a type that this program does not know");
	refused(ODD_DIR, "nosettingchoices", "is a choice without choices");
	refused(ODD_DIR, "manyflags", "more than 64 flags");
	refused(ODD_DIR, "listdefault", "a list of texts with a default");
	refused(ODD_DIR, "listunit", "which machine is meant is no single word");
	refused(ODD_DIR, "secretunit", "which machine is meant is a secret");
	refused(ODD_DIR, "twounits", "two properties say which machine is meant");
	refused(ODD_DIR, "noundescribe", "describe and undescribe belong together");
	refused(ODD_DIR, "nodescribe", "a selector and describe belong together");
	refused(ODD_DIR, "noselector", "a selector and describe belong together");
	refused(ODD_DIR, "twoselectors", "two properties are selectors");
	refused(ODD_DIR, "listselector", "its selector is no text, file or choice");
	refused(ODD_DIR, "secretselector", "its selector is a secret");
	refused(ODD_DIR, "smallmethod", "the size of a method makes no sense");
}

static void test_flags_have_their_default(void **state)
{
	struct pctl_problems *problems = pctl_problems_new();
	const struct pctl_settings_context context = { .node = "n1", .problems = problems };
	struct pctl_value *map = pctl_value_new_map();
	struct pctl_plugin *plugin = NULL;
	struct pctl_settings settings = { 0 };

	(void)state;
	assert_int_equal(pctl_plugin_load(ODD_DIR, "flags", &plugin, NULL), 0);
	assert_int_equal(
		pctl_settings_read(&settings, plugin->driver.properties, map, &context), 0);
	assert_int_equal(pctl_settings_number(&settings, "a", PCTL_TYPE_FLAGS), 1 << 1 | 1 << 7);
	pctl_settings_done(&settings);
	pctl_value_set_text(map, "a", "1");
	assert_int_equal(
		pctl_settings_read(&settings, plugin->driver.properties, map, &context), 0);
	assert_int_equal(pctl_settings_number(&settings, "a", PCTL_TYPE_FLAGS), 1);
	pctl_settings_done(&settings);
	pctl_value_free(map);
	pctl_plugin_free(plugin);
	pctl_problems_free(problems);
}

static void test_numbers_and_lists(void **state)
{
	static const struct pctl_property table[] = {
		PCTL_PROPERTY(.name = "port", .type = PCTL_TYPE_UINT, .min = 1, .max = 9),
		PCTL_PROPERTY(.name = "program", .type = PCTL_TYPE_TEXTS),
		PCTL_PROPERTY(.name = "times", .type = PCTL_TYPE_UINT),
		PCTL_PROPERTY(.name = "rows", .type = PCTL_TYPE_UINT, .min = 2),
		{ 0 },
	};
	struct pctl_problems *problems = pctl_problems_new();
	const struct pctl_settings_context context = { .node = "n1", .problems = problems };
	struct pctl_value *map = pctl_value_new_map(), *list = pctl_value_new_list();
	struct pctl_target target = { .name = "n1" };
	const struct pctl_device device = { .target = &target };

	(void)state;
	pctl_value_set_text(map, "port", "0");
	pctl_value_set_text(map, "times", "-1");
	pctl_value_set_text(map, "rows", "1");
	assert_int_equal(pctl_settings_read(&target.settings, table, map, &context), PCTL_E_CONFIG);
	assert_string_equal(
		pctl_problems_at(problems, 0), "n1: port is not a number from 1 to 9: '0'");
	assert_string_equal(pctl_problems_at(problems, 1), "n1: times is no number: '-1'");
	assert_string_equal(
		pctl_problems_at(problems, 2), "n1: rows is not a number from 2 on: '1'");
	assert_int_equal(pctl_setting_texts(&device, "program"), 0);
	assert_null(pctl_setting_texts_at(&device, "program", 0));
	pctl_settings_done(&target.settings);
	pctl_value_set_text(map, "port", "1");
	pctl_value_set_text(map, "times", "1");
	pctl_value_set_text(map, "rows", "2");
	pctl_value_add(list, pctl_value_new_text("/bin/true"));
	pctl_value_add(list, pctl_value_new_text("-x"));
	pctl_value_set(map, "program", list);
	assert_int_equal(pctl_settings_read(&target.settings, table, map, &context), 0);
	assert_int_equal(pctl_setting_uint(&device, "port"), 1);
	assert_int_equal(pctl_setting_texts(&device, "program"), 2);
	assert_string_equal(pctl_setting_texts_at(&device, "program", 1), "-x");
	assert_null(pctl_setting_texts_at(&device, "program", 2));
	pctl_settings_done(&target.settings);
	pctl_value_free(map);
	pctl_problems_free(problems);
}

static void test_an_older_shorter_struct_counts_as_null(void **state)
{
	struct pctl_plugin *plugin = NULL;

	(void)state;
	assert_int_equal(pctl_plugin_load(ODD_DIR, "shorter", &plugin, NULL), 0);
	assert_non_null(plugin->driver.power);
	assert_int_equal(plugin->driver.default_port, 0); /* it stands behind the end */
	assert_null(plugin->driver.console);
	pctl_plugin_free(plugin);
	assert_int_equal(pctl_plugin_load(ODD_DIR, "fine", &plugin, NULL), 0);
	assert_int_equal(plugin->driver.default_port, 0xdead);
	assert_int_equal(plugin->driver.max_in_flight, 9);
	pctl_plugin_free(plugin);
}

static void test_methods_of_any_size_are_taken_over(void **state)
{
	struct pctl_plugin *plugin = NULL;

	(void)state;
	assert_int_equal(pctl_plugin_load(ODD_DIR, "wide", &plugin, NULL), 0);
	assert_int_equal(plugin->methods_n, 2);
	const struct pctl_method *m = plugin->driver.methods;
	assert_ptr_equal(m, plugin->methods);
	assert_string_equal(m[0].name, "one");
	assert_int_equal(m[0].flags, PCTL_METHOD_CONFIRM);
	assert_string_equal(m[0].parameters[0].name, "a_b");
	assert_null(m[0].parameters[1].name);
	assert_string_equal(m[1].name, "two");
	assert_null(m[2].name);
	assert_null(m[1].parameters[0].name); /* none is an empty table */
	assert_int_equal(plugin->driver.flags, PCTL_DRIVER_REPEATS);
	pctl_plugin_free(plugin);

	assert_int_equal(pctl_plugin_load(ODD_DIR, "shorter", &plugin, NULL), 0);
	assert_null(plugin->driver.methods);
	assert_null(plugin->driver.log);
	assert_null(plugin->driver.sensors);
	assert_null(plugin->driver.consent);
	assert_int_equal(plugin->driver.flags, 0);
	assert_int_equal(plugin->driver.max_in_flight, 0);
	pctl_plugin_free(plugin);
}

static void copy_file(const char *from, const char *to)
{
	char part[4096];
	size_t n;
	FILE *in = fopen(from, "re"), *out = fopen(to, "we");

	assert_non_null(in);
	assert_non_null(out);
	while ((n = fread(part, 1, sizeof(part), in)) > 0)
		assert_int_equal(fwrite(part, 1, n, out), n);
	(void)fclose(in);
	(void)fclose(out);
}

static void test_what_others_may_write_is_not_loaded(void **state)
{
	char dir[200], path[256];

	(void)state;
	test_folder(dir, sizeof(dir));
	(void)snprintf(path, sizeof(path), "%s/null.so", dir);
	copy_file(TEST_PLUGIN_DIR "/null.so", path);
	assert_int_equal(chmod(path, 0666), 0);
	refused(dir, "null", "writable by others");
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(chmod(dir, 0777), 0);
	refused(dir, "null", "chmod o-w");
	assert_int_equal(chmod(dir, 0755), 0);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	(void)fputs("not a library", f);
	(void)fclose(f);
	refused(dir, "null", "cannot be loaded");
	test_remove_folder(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_good_one),
		cmocka_unit_test(test_refusals_say_what_was_wanted),
		cmocka_unit_test(test_flags_have_their_default),
		cmocka_unit_test(test_numbers_and_lists),
		cmocka_unit_test(test_an_older_shorter_struct_counts_as_null),
		cmocka_unit_test(test_methods_of_any_size_are_taken_over),
		cmocka_unit_test(test_what_others_may_write_is_not_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
