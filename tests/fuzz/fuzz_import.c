/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first byte chooses a format, the rest is a file of it, which may include itself. Whatever is
 * taken over is an inventory that has these nodes and these only, and what is left out is said with
 * a line of the text.
 */
#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "fuzz.h"
#include "import/import.h"
#include "import/write.h"
#include "inventory/inventory.h"

#define TEXT_MAX 8192u
#define FORMATS  6u

static int read_same(void *data, const char *path, struct pctl_buf *out, struct pctl_error *err)
{
	if (strcmp(path, "f") != 0)
		return pctl_error_set(err, PCTL_E_CONFIG, "not there");
	pctl_buf_adds(out, data);
	return 0;
}

static void check_problems(const struct import *im, size_t size)
{
	for (size_t i = 0; pctl_problems_at(im->problems, i); i++) {
		const char *said = pctl_problems_at(im->problems, i);
		PCTL_AUTO(free) char *line = NULL;
		uint64_t n = 0;

		require(strncmp(said, "f:", 2) == 0);
		line = pctl_xstrndup(said + 2, strspn(said + 2, "0123456789"));
		require(pctl_parse_uint(line, size + 1, &n) == 0 && n >= 1);
	}
}

/* Problems are those of names that only a whole inventory knows: credentials are there, drivers not
 * asked for. */
static void check_inventory(struct import *im, const struct pctl_buf *out)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_inventory *inventory = NULL;
	size_t count = 0;

	(void)pctl_inventory_parse("f", out->data, out->len, &inventory, problems);
	require(inventory != NULL);
	for (size_t i = 0; i < im->node_count; i++) {
		const struct import_node *node = &im->nodes[i];
		int64_t at = pctl_inventory_index(inventory, node->name);

		require(node->dropped ? at < 0 : at >= 0);
		count += !node->dropped;
		if (node->dropped || !pctl_value_get(node->settings, "address"))
			continue;
		const char *address = pctl_inventory_text(inventory, (size_t)at, "address");
		require(address && strcmp(address, pctl_value_text(pctl_value_get(
							   node->settings, "address"))) == 0);
	}
	require(pctl_inventory_count(inventory) == count);
	pctl_inventory_free(inventory);
	pctl_problems_free(problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > TEXT_MAX)
		return 0;
	PCTL_AUTO(free) char *text = pctl_xcalloc(size, 1);
	memcpy(text, data + 1, size - 1);
	if (import_wrong_line(text, size - 1))
		return 0;
	PCTL_AUTO(free) char *copy = pctl_xstrdup(text);
	struct pctl_names *credentials = pctl_names_new();
	struct import_plan plan = { .format = "x", .classes = pctl_names_new() };
	struct pctl_buf out;
	struct import im;

	if (!has_many_digits(text)) {
		import_init(&im, "f");
		im.read = read_same;
		im.read_data = copy;
		import_formats[data[0] % FORMATS].parse(&im, text);
		import_report(&im);
		check_problems(&im, size);
		plan.im = &im;
		import_name_logins(&im, "x", credentials);
		pctl_buf_init(&out, IMPORT_FILE_MAX);
		import_write(&plan, &out);
		require(!out.full);
		check_inventory(&im, &out);
		pctl_buf_done(&out);
		import_done(&im);
	}
	pctl_names_free(plan.classes);
	pctl_names_free(credentials);
	return 0;
}
