/* SPDX-License-Identifier: Apache-2.0 */
/* Standard output: lines as they come, sorted, folded; readers that take their time or leave. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <powerctl/mem.h>

#include "output.h"

/* --- Lines. ----------------------------------------------------------------------------------- */

struct page {
	struct cli cli;
	FILE *file;
};

static void page_open(struct page *p)
{
	*p = (struct page){ .file = tmpfile() };
	assert_non_null(p->file);
	assert_int_equal(uv_loop_init(&p->cli.loop), 0);
}

static struct output *output_of(struct page *p, enum output_mode mode, bool bare)
{
	return output_new(&p->cli, fileno(p->file), mode, bare);
}

static void assert_written(const struct page *p, const char *expected)
{
	char text[512] = "";

	assert_true(pread(fileno(p->file), text, sizeof(text) - 1, 0) >= 0);
	assert_string_equal(text, expected);
}

static void assert_page(struct page *p, struct output *o, const char *expected)
{
	assert_int_equal(output_end(o, NULL, CLI_OK), CLI_OK);
	assert_written(p, expected);
	assert_int_equal(uv_loop_close(&p->cli.loop), 0);
	(void)fclose(p->file);
}

static void turn(struct page *p)
{
	(void)uv_run(&p->cli.loop, UV_RUN_NOWAIT);
}

static void add(struct output *o, size_t order, const char *name, const char *text)
{
	output_add(o, order, strncmp(text, "error", 5) == 0, name, pctl_xstrdup(text));
}

static void test_stream_writes_at_once(void **state)
{
	struct page p;

	(void)state;
	page_open(&p);
	struct output *o = output_of(&p, OUTPUT_STREAM, false);
	add(o, 1, "n2", "on");
	turn(&p);
	assert_written(&p, "n2: on\n"); /* already */
	add(o, 0, "n1", "a: 1\nb: 2");
	add(o, 2, "n3", "\n  a: 1");
	assert_page(&p, o, "n2: on\nn1: a: 1\nn1: b: 2\nn3:\n  a: 1\n");
}

static void test_sort_is_the_order_of_the_inventory(void **state)
{
	struct page p;

	(void)state;
	page_open(&p);
	struct output *o = output_of(&p, OUTPUT_SORT, false);
	add(o, 2, "n3", "on");
	add(o, 0, "z", "on");
	add(o, 1, "n2", "off");
	assert_page(&p, o, "z: on\nn2: off\nn3: on\n");
}

static void test_fold_joins_equal_texts(void **state)
{
	struct page p;

	(void)state;
	page_open(&p);
	struct output *o = output_of(&p, OUTPUT_FOLD, false);
	add(o, 9, "n9", "error: auth: refused");
	add(o, 2, "n2", "on");
	add(o, 1, "n1", "off");
	add(o, 3, "n3", "on");
	add(o, 10, "n10", "on");
	assert_page(&p, o, "n1: off\nn[2-3,10]: on\nn9: error: auth: refused\n");
}

static void test_folded_lines_stand_where_their_first_node_does(void **state)
{
	struct page p;

	(void)state;
	page_open(&p);
	struct output *o = output_of(&p, OUTPUT_FOLD, false);
	add(o, 5, "a5", "on");
	add(o, 3, "b3", "off");
	add(o, 1, "a1", "on");
	assert_page(&p, o, "a[1,5]: on\nb3: off\n");
}

static void test_errors_come_last(void **state)
{
	struct page p;

	(void)state;
	page_open(&p);
	struct output *o = output_of(&p, OUTPUT_FOLD, false);
	add(o, 0, "n0", "error: auth: refused");
	add(o, 1, "n1", "on");
	add(o, 2, "n2", "error: auth: refused");
	add(o, 3, "n3", "off");
	assert_page(&p, o, "n1: on\nn3: off\nn[0,2]: error: auth: refused\n");
}

static void test_fold_of_nothing(void **state)
{
	struct page p;

	(void)state;
	page_open(&p);
	assert_page(&p, output_of(&p, OUTPUT_FOLD, false), "");
}

static void test_bare_lines_have_no_name(void **state)
{
	struct page p;

	(void)state;
	page_open(&p);
	struct output *o = output_of(&p, OUTPUT_STREAM, true);
	add(o, 0, "n1", "{}");
	assert_page(&p, o, "{}\n");
}

static void test_write_fault_is_kept(void **state)
{
	struct page p;

	(void)state;
	page_open(&p);
	(void)fclose(p.file);
	p.file = fopen("/dev/full", "we");
	if (!p.file)
		skip();
	struct output *o = output_of(&p, OUTPUT_STREAM, false);
	add(o, 0, "n1", "on");
	turn(&p);
	add(o, 1, "n2", "on");
	assert_int_equal(output_end(o, NULL, CLI_OK), CLI_FAILED);
	assert_int_equal(p.cli.output_fault, ENOSPC);
	assert_int_equal(uv_loop_close(&p.cli.loop), 0);
	(void)fclose(p.file);
}

/* --- A reader that takes his time. ------------------------------------------------------------ */

#define LINES 20000u

struct reader {
	struct page page;
	int fd;     /* his end */
	size_t got; /* bytes */
	bool stop;
	uv_timer_t timer; /* reads a bit with each turn of the loop */
};

static void read_some(struct reader *r)
{
	char part[8192];
	ssize_t n = read(r->fd, part, sizeof(part));

	assert_true(n >= 0);
	r->got += (size_t)n;
}

static void on_reader(uv_timer_t *timer)
{
	read_some(timer->data);
}

static int flags_of(const struct reader *r)
{
	return fcntl(fileno(r->page.file), F_GETFL);
}

/* Adds more than any pipe takes; nothing waits, and the descriptor's mode stays everybody's. */
static struct output *fill(struct reader *r, const int fds[2])
{
	*r = (struct reader){ .fd = fds[0] };
	assert_int_equal(uv_loop_init(&r->page.cli.loop), 0);
	r->page.file = fdopen(fds[1], "w");
	int flags = flags_of(r);
	struct output *o = output_of(&r->page, OUTPUT_STREAM, true);
	for (unsigned i = 0; i < LINES; i++) {
		add(o, i, "n1", "a line of results, forty bytes of it all");
		if (i % 100 == 0)
			turn(&r->page);
	}
	turn(&r->page);
	assert_true(output_kept(o) > 0);
	assert_int_equal(flags_of(r), flags);
	return o;
}

static void reader_done(struct reader *r)
{
	assert_int_equal(uv_loop_close(&r->page.cli.loop), 0);
	(void)fclose(r->page.file);
	(void)close(r->fd);
}

static void check_slow(const int fds[2])
{
	struct reader r;
	struct output *o = fill(&r, fds);

	(void)uv_timer_init(&r.page.cli.loop, &r.timer);
	r.timer.data = &r;
	(void)uv_timer_start(&r.timer, on_reader, 0, 1);
	assert_int_equal(output_end(o, NULL, CLI_OK), CLI_OK);
	uv_close((uv_handle_t *)&r.timer, NULL);
	turn(&r.page);
	(void)fflush(r.page.file);
	assert_false(flags_of(&r) & O_NONBLOCK);
	while (r.got < LINES * 41)
		read_some(&r);
	assert_int_equal(r.got, LINES * 41);
	reader_done(&r);
}

static void test_slow_reader_gets_all(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	check_slow(fds);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	check_slow(fds);
}

/* What comes in one turn of the loop is one write: here every write is a packet. */
static void test_lines_of_one_turn_leave_together(void **state)
{
	struct page p = { .file = NULL };
	char packet[64] = "";
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(uv_loop_init(&p.cli.loop), 0);
	struct output *o = output_new(&p.cli, fds[1], OUTPUT_STREAM, false);
	add(o, 0, "n1", "on");
	add(o, 1, "n2", "off");
	turn(&p);
	assert_int_equal(recv(fds[0], packet, sizeof(packet), MSG_DONTWAIT), 15);
	assert_string_equal(packet, "n1: on\nn2: off\n");
	add(o, 2, "n3", "on");
	turn(&p);
	assert_int_equal(recv(fds[0], packet, sizeof(packet), MSG_DONTWAIT), 7);
	assert_int_equal(output_end(o, NULL, CLI_OK), CLI_OK);
	assert_int_equal(uv_loop_close(&p.cli.loop), 0);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void test_nobody_waits_for_ever(void **state)
{
	struct reader r;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	struct output *o = fill(&r, fds);
	r.stop = true;
	assert_int_equal(output_end(o, &r.stop, CLI_OK), CLI_OK);
	reader_done(&r);
}

static void test_reader_leaves(void **state)
{
	struct reader r;
	int fds[2];

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fds), 0);
	struct output *o = fill(&r, fds);
	(void)close(r.fd);
	r.fd = -1;
	assert_int_equal(output_end(o, NULL, CLI_OK), CLI_FAILED);
	assert_int_equal(r.page.cli.output_fault, EPIPE);
	reader_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stream_writes_at_once),
		cmocka_unit_test(test_sort_is_the_order_of_the_inventory),
		cmocka_unit_test(test_fold_joins_equal_texts),
		cmocka_unit_test(test_folded_lines_stand_where_their_first_node_does),
		cmocka_unit_test(test_errors_come_last),
		cmocka_unit_test(test_fold_of_nothing),
		cmocka_unit_test(test_bare_lines_have_no_name),
		cmocka_unit_test(test_write_fault_is_kept),
		cmocka_unit_test(test_slow_reader_gets_all),
		cmocka_unit_test(test_lines_of_one_turn_leave_together),
		cmocka_unit_test(test_nobody_waits_for_ever),
		cmocka_unit_test(test_reader_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
