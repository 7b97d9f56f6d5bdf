/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A driver for a device that speaks in lines (tests/e2e/linedev.py): LOGIN, GET, ON, OFF. It keeps
 * the contract, unless a LINE_... says at compile time which part of it is broken: what the
 * conformance tool has to find, each for its reason.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/driver.h>
#include <powerctl/mem.h>

#define LINE_MAX_ 64u

#if defined(LINE_UNFLAGGED)
#define PASSWORD_FLAGS 0
#else
#define PASSWORD_FLAGS PCTL_PROPERTY_SECRET
#endif
#if defined(LINE_NOHELP)
#define PORT_HELP NULL
#else
#define PORT_HELP "its TCP port"
#endif
#if defined(LINE_BADDEFAULT)
#define PORT_DEFAULT "70000"
#else
#define PORT_DEFAULT "7070"
#endif

static const struct pctl_property own[] = {
	PCTL_PROPERTY(.name = "port", .type = PCTL_TYPE_UINT, .min = 1, .max = 65535,
		.default_text = PORT_DEFAULT, .help = PORT_HELP),
	PCTL_PROPERTY(.name = "password", .type = PCTL_TYPE_TEXT, .flags = PASSWORD_FLAGS,
		.help = "what it is logged in with"),
	{ 0 },
};

#if defined(LINE_SELECTOR)
/* The same, but what it can be told is known only when its kind is. */
static const struct pctl_property kinds[] = {
	PCTL_PROPERTY(.name = "kind", .type = PCTL_TYPE_TEXT,
		.flags = PCTL_PROPERTY_SELECTOR | PCTL_PROPERTY_REQUIRED,
		.help = "which kind of device: anything"),
	{ 0 },
};

static int line_describe(
	const struct pctl_selector *selector, struct pctl_description **ret, struct pctl_error *err)
{
	(void)selector, (void)err;
	*ret = pctl_xcalloc(1, sizeof(**ret));
	(*ret)->size = sizeof(**ret);
	(*ret)->actions = PCTL_ACTION_BIT(PCTL_ACTION_ON) | PCTL_ACTION_BIT(PCTL_ACTION_OFF);
	(*ret)->properties = own;
	return 0;
}

static void line_undescribe(struct pctl_description *description)
{
	free(description);
}
#else
#define kinds own
#endif

#if defined(LINE_GLOBALS)
static char remembered[4096];
#endif
#if defined(LINE_EXPORTS)
PCTL_API int line_helper(void);
int line_helper(void)
{
	return 1;
}
#endif
#if defined(LINE_CONSTRUCTOR)
static void __attribute__((constructor)) begin_early(void)
{
	(void)setenv("LINE", "was here", 1);
}
#endif

struct line_dev;

/* One op's connection. It lives until libuv has closed it, however the op ended. */
struct link {
	struct line_dev *dev; /* NULL: the op was aborted, or has ended */
	struct pctl_op *op;
	uv_tcp_t tcp;
	uv_connect_t connect;
	uv_write_t write;
	const char *command;
	struct pctl_power *power; /* NULL: command changes something */
	bool logged_in, tried_again;
	char request[4200], line[LINE_MAX_];
	size_t n;
};

struct line_dev {
	struct pctl_device *device;
	size_t links;     /* that libuv has not closed yet */
	bool other_words; /* it is logged in a second time, with those */
	enum pctl_power_state last;
	pctl_closed_fn *closed;
	void *closed_data;
};

static void closed_if_idle(struct line_dev *dev)
{
	if (!dev->closed || dev->links)
		return;
	pctl_closed_fn *closed = dev->closed;
	void *data = dev->closed_data;

	free(dev);
	closed(data);
}

static void on_link_closed(uv_handle_t *handle)
{
	struct link *link = handle->data;
	struct line_dev *dev = link->dev;

	explicit_bzero(link->request, sizeof(link->request));
	free(link);
	dev->links--;
	closed_if_idle(dev);
}

/* The op is over, or not ours any more. */
static struct pctl_op *let_go(struct link *link)
{
	struct pctl_op *op = link->op;

	link->op = NULL;
	uv_close((uv_handle_t *)&link->tcp, on_link_closed);
	return op;
}

#if defined(LINE_HANG) || defined(LINE_HANG_ABORT)
static void hang(void)
{
	(void)!write(STDERR_FILENO, "line: hangs\n", 12);
	for (;;)
		(void)usleep(100000);
}
#endif

static void on_abort(struct pctl_op *op, void *work)
{
	(void)op;
#if defined(LINE_HANG_ABORT)
	hang();
#endif
#if defined(LINE_AFTER_ABORT)
	(void)work;
#else
	(void)let_go(work);
#endif
}

#if defined(LINE_THREAD)
static void end_there(void *op)
{
	pctl_op_done(op);
}
#endif

static void end_well(struct link *link)
{
	struct pctl_op *op = let_go(link);

#if defined(LINE_THREAD)
	uv_thread_t thread;

	(void)uv_thread_create(&thread, end_there, op);
	(void)uv_thread_join(&thread);
	return;
#endif
#if defined(LINE_LATE_COMMIT)
	if (!link->power)
		pctl_op_committed(op);
#endif
	pctl_op_done(op);
#if defined(LINE_TWICE)
	pctl_op_done(op);
#endif
}

static void end_badly(struct link *link, int code, const char *text)
{
	struct pctl_op *op = let_go(link);

#if defined(LINE_SAYS_OFF)
	if (code == PCTL_E_UNREACHABLE && link->power) {
		link->power->state = PCTL_POWER_OFF;
		pctl_op_done(op);
		return;
	}
#endif
	pctl_op_fail(op, code, "%s", text);
}

static void on_written(uv_write_t *write, int status)
{
	(void)write, (void)status;
}

static void say(struct link *link)
{
	uv_buf_t buf = uv_buf_init(link->request, (unsigned)strlen(link->request));

	(void)uv_write(&link->write, (uv_stream_t *)&link->tcp, &buf, 1, on_written);
}

static const char *password_of(const struct line_dev *dev)
{
#if defined(LINE_UNFLAGGED)
	const char *password = pctl_setting_text(dev->device, "password");

	return password ? password : "";
#else
	const struct pctl_secret *password = pctl_setting_secret(dev->device, "password");

	return password ? pctl_secret_data(password) : "";
#endif
}

static void log_in(struct link *link)
{
	(void)snprintf(link->request, sizeof(link->request), "LOGIN %s%s\n",
		link->dev->other_words ? "x" : "", password_of(link->dev));
#if defined(LINE_TRIES_ALIKE)
	link->request[6] ^= link->tried_again;
#endif
	say(link);
}

#if defined(LINE_TRIES_ANEW)
static void begin(
	struct line_dev *dev, struct pctl_op *op, const char *command, struct pctl_power *power);
#endif

static void refused(struct link *link)
{
#if defined(LINE_TRIES_ANEW)
	if (!link->dev->other_words) {
		link->dev->other_words = true;
		begin(link->dev, let_go(link), link->command, link->power);
		return;
	}
#endif
#if defined(LINE_TRIES_AGAIN) || defined(LINE_TRIES_ALIKE)
	if (!link->tried_again) {
		link->tried_again = true;
		log_in(link);
		return;
	}
#endif
#if defined(LINE_SECRET)
	char text[320];

	(void)snprintf(text, sizeof(text), "it refused %.200s", password_of(link->dev));
	end_badly(link, PCTL_E_AUTH, text);
#else
	end_badly(link, PCTL_E_AUTH, "it refused the password");
#endif
}

static void on_login(struct link *link)
{
	if (strcmp(link->line, "OK") != 0) {
		if (strcmp(link->line, "NO") == 0)
			refused(link);
		else
			end_badly(link, PCTL_E_PROTOCOL, "it did not answer the login");
		return;
	}
	link->logged_in = true;
#if !defined(LINE_NO_COMMIT) && !defined(LINE_LATE_COMMIT)
	if (!link->power)
		pctl_op_committed(link->op);
#endif
#if defined(LINE_READ_COMMITS)
	pctl_op_committed(link->op);
#endif
	(void)snprintf(link->request, sizeof(link->request), "%s\n", link->command);
	say(link);
}

static void on_state(struct link *link)
{
#if defined(LINE_CRASH_LATER)
	/* In a library that it calls, called by the loop. */
	const char *volatile nothing = NULL;

	link->n = strlen(nothing);
#endif
	bool on = strcmp(link->line, "on") == 0;

	if (!on && strcmp(link->line, "off") != 0) {
		end_badly(link, PCTL_E_PROTOCOL, "what it says is no state");
		return;
	}
	link->dev->last = link->power->state = on ? PCTL_POWER_ON : PCTL_POWER_OFF;
	end_well(link);
}

static void on_line(struct link *link)
{
#if defined(LINE_HANG_ABORT)
	(void)!write(STDERR_FILENO, "line: waits\n", 12);
	return;
#endif
	if (!link->logged_in) {
		on_login(link);
		return;
	}
#if defined(LINE_NEVER)
	return;
#endif
	if (link->power)
		on_state(link);
	else if (strcmp(link->line, "OK") == 0)
		end_well(link);
	else
		end_badly(link, PCTL_E_REFUSED, "it said no");
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct link *link = handle->data;

	(void)size;
	*buf = uv_buf_init(link->line + link->n, (unsigned)(LINE_MAX_ - link->n));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct link *link = stream->data;

	(void)buf;
	if (n == 0 || !link->op)
		return;
	if (n < 0) {
		end_badly(link, n == UV_ENOBUFS ? PCTL_E_PROTOCOL : PCTL_E_UNREACHABLE,
			n == UV_ENOBUFS ? "a line of it has no end" : "it hung up");
		return;
	}
	link->n += (size_t)n;
	char *end = memchr(link->line, '\n', link->n);
	if (!end)
		return;
	*end = '\0';
	link->n = 0;
	on_line(link);
}

static void on_connect(uv_connect_t *connect, int status)
{
	struct link *link = connect->data;

	if (!link->op)
		return;
	if (status < 0) {
		end_badly(link, PCTL_E_UNREACHABLE, uv_strerror(status));
		return;
	}
	(void)uv_read_start((uv_stream_t *)&link->tcp, on_alloc, on_read);
	log_in(link);
}

/* What is wrong before anything is sent. */
static bool misbehaves(struct pctl_op *op)
{
#if defined(LINE_CRASH)
	volatile int *volatile nowhere = NULL;

	*nowhere = 1;
#endif
#if defined(LINE_HANG)
	hang();
#endif
#if defined(LINE_BLOCKS)
	(void)sleep(5);
#endif
#if defined(LINE_EXITS)
	exit(0);
#endif
#if defined(LINE_PRINTS)
	(void)printf("line: hello\n");
#endif
#if defined(LINE_LEAKS_FD)
	(void)!dup(STDERR_FILENO);
#endif
#if defined(LINE_LEAKS_MEMORY)
	static void *volatile leaked;
	leaked = malloc(100);
	(void)leaked;
#endif
#if defined(LINE_FILLS)
	/* As a cache does: it is full some day. */
	static unsigned short kept;
	static void *volatile place;
	if (kept < 800) {
		place = malloc(100);
		kept++;
	}
	(void)place;
#endif
#if defined(LINE_GLOBALS)
	remembered[0]++;
#endif
	(void)op;
#if defined(LINE_FORGETS)
	return true;
#else
	return false;
#endif
}

static void begin(
	struct line_dev *dev, struct pctl_op *op, const char *command, struct pctl_power *power)
{
	uint16_t port = (uint16_t)pctl_setting_uint(dev->device, "port");
	struct pctl_error err = { 0 };
	struct pctl_dial dial;

	if (misbehaves(op))
		return;
#if defined(LINE_STALE)
	if (power && dev->last) {
		power->state = dev->last;
		pctl_op_done(op);
		return;
	}
#endif
	if (pctl_dial(dev->device, port, &dial, &err) < 0) {
		pctl_op_fail_error(op, &err);
		return;
	}
	struct link *link = pctl_xcalloc(1, sizeof(*link));
	link->dev = dev;
	link->op = op;
	link->command = command;
	link->power = power;
	link->tcp.data = link->connect.data = link;
	dev->links++;
	(void)uv_tcp_init(pctl_device_loop(dev->device), &link->tcp);
	pctl_op_pending(op, on_abort, link);
	int r = dial.fd >= 0 ? uv_tcp_open(&link->tcp, dial.fd)
			     : uv_tcp_connect(&link->connect, &link->tcp,
				       (const struct sockaddr *)&dial.addr, on_connect);
	if (r < 0)
		end_badly(link, PCTL_E_UNREACHABLE, uv_strerror(r));
	else if (dial.fd >= 0)
		on_connect(&link->connect, 0);
}

static void line_get(void *dev, struct pctl_op *op, unsigned flags, struct pctl_power *ret)
{
	(void)flags;
	begin(dev, op, "GET", ret);
}

static void line_act(void *dev, struct pctl_op *op, enum pctl_action action)
{
	begin(dev, op, action == PCTL_ACTION_ON ? "ON" : "OFF", NULL);
}

#if defined(LINE_OPEN_CONNECTS)
#include <netinet/in.h>
#include <sys/socket.h>

static void greet(void)
{
	const struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)sendto(fd, "hello", 5, 0, (const struct sockaddr *)&at, sizeof(at));
	(void)close(fd);
}
#endif

static int line_open(void *ctx, struct pctl_device *device, void **ret_dev, struct pctl_error *err)
{
	struct line_dev *dev = pctl_xcalloc(1, sizeof(*dev));

	(void)ctx, (void)err;
#if defined(LINE_LEAKS_DEVICE)
	static void *volatile leaked;
	leaked = malloc(100);
	(void)leaked;
#endif
#if defined(LINE_OPEN_CONNECTS)
	greet();
#endif
	dev->device = device;
	*ret_dev = dev;
	return 0;
}

static void line_close(void *data, pctl_closed_fn *closed, void *closed_data)
{
	struct line_dev *dev = data;

#if defined(LINE_NO_CLOSED)
	return;
#endif
	dev->closed = closed;
	dev->closed_data = closed_data;
	closed_if_idle(dev);
#if defined(LINE_CLOSED_TWICE)
	closed(closed_data);
#endif
}

static const struct pctl_power_if power = {
	.size = sizeof(power),
	.actions = PCTL_ACTION_BIT(PCTL_ACTION_ON) | PCTL_ACTION_BIT(PCTL_ACTION_OFF),
	.get = line_get,
	.act = line_act,
};

#if defined(LINE_NO_DISPLAY)
static void no_display(void *dev, struct pctl_op *op, const struct pctl_display_wish *wish,
	struct pctl_session **ret_session)
{
	(void)dev, (void)wish, (void)ret_session;
	pctl_op_fail(op, PCTL_E_UNSUPPORTED, "this one has no screen");
}

static const struct pctl_display_if display = { .size = sizeof(display), .open = no_display };
#endif

PCTL_API const struct pctl_driver pctl_driver = {
	.size = sizeof(pctl_driver),
	.abi = PCTL_DRIVER_ABI,
	.name = LINE_NAME,
	.summary = "a device that speaks in lines, for tests of the conformance tool",
	.properties = kinds,
	.open = line_open,
	.close = line_close,
	.power = &power,
#if defined(LINE_NO_DISPLAY)
	.display = &display,
#endif
#if defined(LINE_SELECTOR)
	.describe = line_describe,
	.undescribe = line_undescribe,
#endif
	.default_port = 7070,
#if defined(LINE_IN_FLIGHT)
	.max_in_flight = 9,
#endif
};
