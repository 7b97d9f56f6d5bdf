/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_tool PLUGIN_DIR FILE: what is wrong with an inventory, its drivers' settings too, a line
 * each; ends with 1 then. Reads no secret, looks up no name and talks to nobody, which is why this
 * is no command of powerctl's.
 */
#include <stdio.h>

#include <powerctl/powerctl.h>

static void on_closed(void *data)
{
	*(bool *)data = true;
}

int main(int argc, char **argv)
{
	const struct pctl_core_options options = { .plugin_dir = argv[1], .caller = "check_tool" };
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_inventory *inventory = NULL;
	bool closed = false;
	uv_loop_t loop;

	if (argc != 3 || uv_loop_init(&loop) < 0)
		return 2;
	struct pctl_core *core = pctl_core_new(&loop, &options);
	if (pctl_inventory_load_fresh(argv[2], PCTL_SOURCES_NEVER, &inventory, problems) == 0)
		(void)pctl_core_check(core, inventory, NULL, 0, false, problems);
	size_t count = pctl_problems_count(problems);
	for (size_t i = 0; i < count; i++)
		(void)printf("%s\n", pctl_problems_at(problems, i));
	pctl_problems_free(problems);
	pctl_inventory_free(inventory);
	pctl_core_close(core, on_closed, &closed);
	while (!closed)
		(void)uv_run(&loop, UV_RUN_ONCE);
	(void)uv_loop_close(&loop);
	return count ? 1 : 0;
}
