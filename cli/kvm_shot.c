/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pictures of screens, of many nodes at once: each is opened, asked for one whole picture, closed,
 * packed on a worker and written in one step. A device that hangs up on RGB565 is asked once more,
 * for RGB332.
 */
#include "kvm.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "command.h"
#include "consent.h"
#include "display/png.h"
#include "failed.h"
#include "json.h"
#include "output.h"
#include "progress.h"
#include "render.h"
#include "run.h"
#include "say.h"
#include "signals.h"
#include "text.h"

/* So many have a picture in memory at a time, and its PNG; each some tens of MB at most. */
#define AT_ONCE ((size_t)16)
#define PNG_MAX (RFB_PIXELS_MAX * 4)
/* How long a picture may take once the screen is open, unless --timeout says more. */
#define PICTURE_MS ((uint64_t)15000)
/* A device that hung up needs a moment until it takes the next session. */
#define AGAIN_MS ((uint64_t)300)
#define PART     ((size_t)64 << 10)

struct shots;

/* One node. */
struct shot {
	struct shots *all;
	size_t node;
	char *path;
	enum rfb_format format;
	bool again; /* it is to be tried once more when it is closed */
	bool ended;
	struct pctl_stream *stream;
	struct rfb rfb;
	uv_poll_t poll;
	uv_timer_t timer;
	uv_work_t work;
	unsigned handles;
	struct pctl_buf png;
	/* Of the result. */
	char *driver, *address, *credential, *user;
	unsigned attempts, width, height;
	uint64_t started;
	struct pctl_error err;
};

struct shots {
	struct cli *cli;
	struct pctl_request request;
	struct pctl_run *run; /* the one of all nodes, while it runs */
	struct shot *shots;
	size_t count, left, open;
	bool paused, folder;
	mode_t mode;
	struct output *output;
	struct render_style style;
	struct tally tally;
	struct progress progress;
	struct signals signals;
	struct consent_prompt consent;
	struct pctl_names *failed;
	bool gave_up;
};

/* --- What became of it. ----------------------------------------------------------------------- */

static struct pctl_value *tree_of(const struct shot *s)
{
	struct pctl_value *map = pctl_value_new_map();

	pctl_value_set_text(map, "file", s->path);
	pctl_value_set_int(map, "width", s->width);
	pctl_value_set_int(map, "height", s->height);
	return map;
}

static void tell(struct shot *s, const struct pctl_result *result)
{
	struct shots *all = s->all;
	const char *mark = s->node < all->cli->inventory_count ? "" : "url:";
	PCTL_AUTO(free) char *name = pctl_xasprintf("%s%s", mark, result->name);

	tally_add(&all->tally, result);
	if (!result->ok)
		(void)pctl_names_add(all->failed, name);
	progress_clear(&all->progress);
	output_add(all->output, s->node, result->ok ? 0 : (unsigned)-result->error.code,
		result->name,
		all->cli->options.json ? json_result(result, all->cli->command->name)
				       : render_result(result, &all->style));
	all->left--;
}

static void finish(struct shot *s)
{
	bool ok = !s->err.code;
	struct pctl_value *tree = ok && s->all->cli->options.json ? tree_of(s) : NULL;
	const struct pctl_result result = {
		.node = s->node,
		.name = pctl_inventory_name(s->all->cli->inventory, s->node),
		.driver = s->driver,
		.address = s->address,
		.credential = s->credential,
		.user = s->user,
		.verb = PCTL_VERB_KVM,
		.ok = ok,
		.attempts = s->attempts,
		.elapsed_ms = uv_now(&s->all->cli->loop) - s->started,
		.word = ok ? "ok" : "error",
		.note = ok ? s->path : NULL,
		.tree = tree,
		.error = s->err,
	};

	tell(s, &result);
	pctl_value_free(tree);
	pctl_buf_done(&s->png);
	s->all->open--;
	if (s->all->paused && s->all->run) {
		s->all->paused = false;
		pctl_run_pause(s->all->run, false);
	}
}

/* --- Packing and writing, on a worker. -------------------------------------------------------- */

static void work(uv_work_t *work)
{
	struct shot *s = work->data;

	if (display_png(&s->rfb.screen, &s->png, &s->err) == 0)
		(void)display_save(s->path, &s->png, s->all->mode, &s->err);
}

static void on_worked(uv_work_t *work, int status)
{
	struct shot *s = work->data;

	if (status < 0)
		(void)pctl_error_set(&s->err, PCTL_E_CANCELED, "interrupted");
	s->width = s->rfb.screen.width;
	s->height = s->rfb.screen.height;
	rfb_done(&s->rfb);
	finish(s);
}

/* --- Closing. --------------------------------------------------------------------------------- */

static void open_again(struct shot *s);

static void on_gone(struct shot *s)
{
	if (s->again) {
		rfb_done(&s->rfb);
		open_again(s);
	} else if (s->err.code) {
		rfb_done(&s->rfb);
		finish(s);
	} else {
		s->work.data = s;
		pctl_buf_init(&s->png, PNG_MAX);
		(void)uv_queue_work(&s->all->cli->loop, &s->work, work, on_worked);
	}
}

static void on_stream_closed(void *data, const struct pctl_error *err)
{
	struct shot *s = data;

	/* The device may know better why it hung up. */
	if (s->err.code == PCTL_E_UNREACHABLE && err->code && err->code != PCTL_E_UNREACHABLE)
		s->err = *err;
	s->stream = NULL;
	if (--s->handles == 0)
		on_gone(s);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct shot *s = handle->data;

	if (--s->handles == 0)
		on_gone(s);
}

/* Once; s->err says how it went. */
static void end(struct shot *s)
{
	if (s->ended)
		return;
	s->ended = true;
	uv_close((uv_handle_t *)&s->poll, on_handle_closed);
	uv_close((uv_handle_t *)&s->timer, on_handle_closed);
	pctl_stream_close(s->stream, on_stream_closed, s);
}

static void lost(struct shot *s)
{
	bool wide = s->rfb.screen.format == RFB_RGB565;

	if (s->ended)
		return;
	s->again = s->rfb.asked && !s->rfb.answered && wide && s->format == RFB_RGB565;
	(void)pctl_error_set(&s->err, PCTL_E_UNREACHABLE, "%s",
		s->rfb.asked ? "it hung up before its picture was there"
			     : "it hung up before it showed a screen: is a monitor connected, or a "
			       "plug that looks like one?");
	end(s);
}

/* --- While it is open. ------------------------------------------------------------------------ */

static void on_poll(uv_poll_t *poll, int status, int events);

static bool flush(struct shot *s)
{
	struct pctl_buf *out = &s->rfb.out;

	while (out->len) {
		ssize_t n = send(pctl_stream_fd(s->stream), out->data, out->len,
			MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			return false;
		memmove(out->data, out->data + n, out->len - (size_t)n);
		pctl_buf_cut(out, out->len - (size_t)n);
	}
	(void)uv_poll_start(&s->poll, UV_READABLE | (out->len ? UV_WRITABLE : 0), on_poll);
	return true;
}

static void read_part(struct shot *s)
{
	static char part[PART]; /* one thread reads */
	ssize_t n = recv(pctl_stream_fd(s->stream), part, sizeof(part), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		lost(s);
		return;
	}
	int r = rfb_feed(&s->rfb, part, (size_t)n, &s->err);
	if (r == 1 || r < 0)
		end(s);
	else if (!flush(s))
		lost(s);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct shot *s = poll->data;

	if (status < 0 || (events & UV_WRITABLE && !flush(s)))
		lost(s);
	else if (events & UV_READABLE)
		read_part(s);
}

static void on_time_over(uv_timer_t *timer)
{
	struct shot *s = timer->data;

	(void)pctl_error_set(&s->err, PCTL_E_TIMEOUT, "no whole picture in %u s",
		(unsigned)(uv_timer_get_repeat(timer) / 1000));
	end(s);
}

/* The device has ended it; what it sent before may still be read. */
static void on_ended(void *data, const struct pctl_error *err)
{
	(void)data, (void)err;
}

static size_t picture_max(const struct pctl_stream *stream)
{
	const struct pctl_value *v = pctl_value_get(pctl_stream_facts(stream), "picture_max");
	int64_t n = v ? pctl_value_int(v) : 0;

	return n > 0 ? (size_t)n : 0;
}

static void begin(struct shot *s, struct pctl_stream *stream)
{
	uv_loop_t *loop = &s->all->cli->loop;
	uint64_t ms = s->all->cli->options.timeout_ms;

	if (!ms)
		ms = PICTURE_MS;
	pctl_stream_take(stream, on_ended, s);
	s->stream = stream;
	s->ended = s->again = false;
	s->err = (struct pctl_error){ 0 };
	s->handles = 3;
	rfb_init(&s->rfb, s->format, picture_max(stream));
	(void)uv_poll_init(loop, &s->poll, pctl_stream_fd(stream));
	(void)uv_timer_init(loop, &s->timer);
	s->poll.data = s->timer.data = s;
	(void)uv_poll_start(&s->poll, UV_READABLE, on_poll);
	(void)uv_timer_start(&s->timer, on_time_over, ms, ms);
}

/* --- Opening. --------------------------------------------------------------------------------- */

static void keep(struct shot *s, const struct pctl_result *r)
{
	if (!s->driver) {
		s->driver = pctl_xstrdup(r->driver ? r->driver : "");
		s->address = r->address ? pctl_xstrdup(r->address) : NULL;
		s->credential = r->credential ? pctl_xstrdup(r->credential) : NULL;
		s->user = r->user ? pctl_xstrdup(r->user) : NULL;
		s->started = uv_now(&s->all->cli->loop) - r->elapsed_ms;
	}
	s->attempts += r->attempts;
}

static struct shot *find(struct shots *all, size_t node)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->shots[i].node == node)
			return &all->shots[i];
	return NULL;
}

static void on_result(void *data, const struct pctl_result *r)
{
	struct shots *all = data;
	struct shot *s = find(all, r->node);

	if (!s)
		return;
	if (!r->stream) {
		tell(s, r);
		return;
	}
	keep(s, r);
	begin(s, r->stream);
	if (++all->open >= AT_ONCE && all->run && !all->paused) {
		all->paused = true;
		pctl_run_pause(all->run, true);
	}
}

static void on_run_done(void *data)
{
	((struct shots *)data)->run = NULL;
}

static void on_consent(void *data, const struct pctl_consent_question *question)
{
	struct shots *all = data;

	consent_ask(&all->consent, question);
}

/* --- Once more. ------------------------------------------------------------------------------- */

static void on_second_result(void *data, const struct pctl_result *r)
{
	struct shot *s = data;

	if (r->stream) {
		keep(s, r);
		begin(s, r->stream);
		return;
	}
	s->err = r->error;
	finish(s);
}

static void on_second_done(void *data)
{
	(void)data;
}

static void on_wait_closed(uv_handle_t *handle)
{
	struct shot *s = handle->data;
	const struct pctl_run_callbacks callbacks = {
		.result = on_second_result, .done = on_second_done, .data = s
	};
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_run *run = NULL;

	int r = pctl_run_new(cli_core(s->all->cli), s->all->cli->inventory, &s->node, 1,
		&s->all->request, &run, problems);
	pctl_problems_free(problems);
	if (r < 0 || s->all->signals.came)
		finish(s);
	if (r == 0 && s->all->signals.came)
		pctl_run_free(run);
	else if (r == 0)
		pctl_run_start(run, &callbacks);
}

static void on_waited(uv_timer_t *timer)
{
	uv_close((uv_handle_t *)timer, on_wait_closed);
}

static void open_again(struct shot *s)
{
	s->format = RFB_RGB332;
	s->again = false;
	(void)uv_timer_init(&s->all->cli->loop, &s->timer);
	s->timer.data = s;
	(void)uv_timer_start(&s->timer, on_waited, AGAIN_MS, 0);
}

/* --- All of them. ----------------------------------------------------------------------------- */

static void on_signal(void *data)
{
	struct shots *all = data;

	if (!all->left) {
		all->gave_up = true;
		return;
	}
	consent_ask(&all->consent, NULL);
	progress_clear(&all->progress);
	say("interrupted: what is in flight is reported; once more ends at once");
	if (all->run)
		pctl_run_cancel(all->run);
	for (size_t i = 0; i < all->count; i++) {
		struct shot *s = &all->shots[i];

		if (!s->stream || s->ended)
			continue;
		(void)pctl_error_set(&s->err, PCTL_E_CANCELED, "interrupted");
		end(s);
	}
}

static void on_second_signal(void *data)
{
	struct shots *all = data;

	progress_clear(&all->progress);
	output_abandon(all->output);
}

/* What stands for a node in a file's name: of a URL not all. */
static char *file_name(const struct cli *cli, size_t node)
{
	char *name = pctl_xasprintf("%s.png", pctl_inventory_name(cli->inventory, node));

	for (char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
			*p = '_';
	return name;
}

static int make_folder(const char *path)
{
	struct stat st;

	if (mkdir(path, 0777) == 0)
		return CLI_OK;
	if (errno == EEXIST && (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)))
		errno = ENOTDIR;
	say("--screenshot: no folder %s can be made: %s", path, strerror(errno));
	return CLI_USAGE;
}

/* The one that a file is to be made in. */
static int check_folder(const char *path, bool is_folder)
{
	PCTL_AUTO(free) char *folder = pctl_xstrdup(path);
	char *slash = strrchr(folder, '/');
	const char *where = is_folder ? folder : slash == folder ? "/" : slash ? folder : ".";

	if (!is_folder && slash && slash != folder)
		*slash = '\0';
	if (access(where, W_OK | X_OK) == 0)
		return CLI_OK;
	say("--screenshot: no file can be made in %s: %s", where, strerror(errno));
	return CLI_USAGE;
}

/* Whether path is a folder, or to be one; what is wrong with it is said before anything is sent. */
static int check_path(struct shots *all, const char *path)
{
	size_t len = strlen(path);
	struct stat st;
	bool there = stat(path, &st) == 0;

	if (!len) {
		say("--screenshot: names no file; write --screenshot FILE.png, or a folder");
		return CLI_USAGE;
	}
	all->folder = path[len - 1] == '/' || (there && S_ISDIR(st.st_mode));
	if (all->folder && !there)
		return make_folder(path);
	if (!all->folder && all->count > 1) {
		say("--screenshot: pictures of several nodes go to a folder: --screenshot %s/",
			path);
		return CLI_USAGE;
	}
	if (there && !S_ISDIR(st.st_mode) && (all->folder || !S_ISREG(st.st_mode))) {
		say("--screenshot: %s is neither a file nor a folder", path);
		return CLI_USAGE;
	}
	return check_folder(path, all->folder);
}

static void start(struct shots *all, const struct selection *selection, const char *path)
{
	const char *slash = path[strlen(path) - 1] == '/' ? "" : "/";

	all->shots = pctl_xcalloc(all->count, sizeof(*all->shots));
	for (size_t i = 0; i < all->count; i++) {
		struct shot *s = &all->shots[i];
		PCTL_AUTO(free) char *name = file_name(all->cli, selection->nodes[i]);

		s->all = all;
		s->node = selection->nodes[i];
		s->path = all->folder ? pctl_xasprintf("%s%s%s", path, slash, name)
				      : pctl_xstrdup(path);
	}
}

static void free_all(struct shots *all)
{
	for (size_t i = 0; i < all->count; i++) {
		struct shot *s = &all->shots[i];

		free(s->path);
		free(s->driver);
		free(s->address);
		free(s->credential);
		free(s->user);
	}
	free(all->shots);
}

static void forget_failed(void)
{
	struct pctl_error err = { 0 };

	(void)failed_forget(&err);
}

static void keep_failed(const struct shots *all)
{
	struct pctl_error err = { 0 };

	if (failed_save(all->failed, &err) < 0 && all->tally.failed && !all->cli->options.quiet)
		say("%s", err.text);
}

static void show_summary(const struct shots *all)
{
	struct pctl_buf line;

	if (all->cli->options.quiet || all->tally.total < 2 || !all->tally.failed)
		return;
	pctl_buf_init(&line, TEXT_ANSWER_MAX);
	tally_summary(&all->tally, &line);
	(void)fprintf(stderr, "%s\n", line.data);
	pctl_buf_done(&line);
}

static int run_to_end(struct shots *all)
{
	const struct pctl_run_callbacks callbacks = {
		.result = on_result,
		.done = on_run_done,
		.data = all,
		.consent = consent_can_ask(all->cli) ? on_consent : NULL,
	};
	struct cli *cli = all->cli;

	signals_start(&all->signals, &cli->loop, on_signal, on_second_signal, all);
	progress_start(
		&all->progress, &cli->loop, cli->options.quiet, cli->command->name, &all->tally);
	forget_failed();
	all->consent =
		(struct consent_prompt){ .cli = cli, .progress = &all->progress, .run = all->run };
	pctl_run_start(all->run, &callbacks);
	while (all->run || all->left)
		(void)uv_run(&cli->loop, UV_RUN_ONCE);
	keep_failed(all);
	progress_stop(&all->progress);
	int status = tally_status(&all->tally, cli->options.exit_class);
	status = output_end(all->output, &all->gave_up, status);
	signals_stop(&all->signals);
	show_summary(all);
	(void)uv_run(&cli->loop, UV_RUN_NOWAIT); /* our handles live on this stack */
	return all->signals.came ? CLI_INTERRUPTED : status;
}

static int prepare(struct shots *all, const struct selection *selection)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct cli *cli = all->cli;

	all->request = kvm_request(cli);
	if (!all->request.fanout || all->request.fanout > AT_ONCE)
		all->request.fanout = AT_ONCE;
	int r = pctl_run_new(cli_core(cli), cli->inventory, selection->nodes, selection->count,
		&all->request, &all->run, problems);
	say_problems(problems);
	pctl_problems_free(problems);
	return r < 0 ? CLI_USAGE : CLI_OK;
}

int kvm_shoot(struct cli *cli, const struct selection *selection, const char *path)
{
	enum output_mode mode = output_choose(cli);
	struct shots all = { .cli = cli,
		.count = selection->count,
		.left = selection->count,
		.tally.total = selection->count,
		.mode = umask(0),
		.style = { .verbose = cli->options.verbose > 0,
			.folded = mode == OUTPUT_FOLD && selection->count > 1 } };

	(void)umask(all.mode);
	all.mode = 0666 & ~all.mode;
	int status = prepare(&all, selection);
	if (status == CLI_OK)
		status = check_path(&all, path);
	if (status != CLI_OK) {
		pctl_run_free(all.run);
		return status;
	}
	start(&all, selection, path);
	all.output = output_new(cli, STDOUT_FILENO, mode, cli->options.json);
	all.failed = pctl_names_new();
	status = run_to_end(&all);
	pctl_names_free(all.failed);
	free_all(&all);
	return status;
}
