/* SPDX-License-Identifier: Apache-2.0 */
#include "amtctrl/hosts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <powerctl/buf.h>
#include <powerctl/file.h>
#include <powerctl/mem.h>

#include "amtctrl/lines.h"

#define FILE_MAX_ ((size_t)16 << 20)

/* --- What is in it. --------------------------------------------------------------------------- */

struct amtctrl_host *amtctrl_host_find(const struct amtctrl_hosts *hosts, const char *name)
{
	for (size_t i = 0; i < hosts->n; i++)
		if (strcmp(hosts->hosts[i].name, name) == 0)
			return &hosts->hosts[i];
	return NULL;
}

struct amtctrl_host *amtctrl_host_add(struct amtctrl_hosts *hosts, const char *name)
{
	struct amtctrl_host *host = amtctrl_host_find(hosts, name);

	if (host)
		return host;
	hosts->hosts = pctl_xgrow(hosts->hosts, &hosts->cap, hosts->n + 1, sizeof(*hosts->hosts));
	host = &hosts->hosts[hosts->n++];
	*host = (struct amtctrl_host){ .name = pctl_xstrdup(name) };
	return host;
}

static void wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static void host_done(struct amtctrl_host *host)
{
	for (size_t i = 0; i < host->n; i++) {
		free(host->pairs[i].key);
		wipe(host->pairs[i].value);
	}
	free(host->pairs);
	free(host->name);
}

void amtctrl_host_remove(struct amtctrl_hosts *hosts, const char *name)
{
	struct amtctrl_host *host = amtctrl_host_find(hosts, name);

	if (!host)
		return;
	host_done(host);
	hosts->n--;
	memmove(host, host + 1, (size_t)(hosts->hosts + hosts->n - host) * sizeof(*host));
}

const char *amtctrl_host_get(const struct amtctrl_host *host, const char *key)
{
	for (size_t i = 0; i < host->n; i++)
		if (strcasecmp(host->pairs[i].key, key) == 0)
			return host->pairs[i].value;
	return NULL;
}

void amtctrl_host_set(struct amtctrl_host *host, const char *key, const char *value)
{
	for (size_t i = 0; i < host->n; i++) {
		if (strcasecmp(host->pairs[i].key, key) != 0)
			continue;
		wipe(host->pairs[i].value);
		host->pairs[i].value = pctl_xstrdup(value);
		return;
	}
	host->pairs = pctl_xgrow(host->pairs, &host->cap, host->n + 1, sizeof(*host->pairs));
	host->pairs[host->n++] = (struct amtctrl_pair){ pctl_xstrdup(key), pctl_xstrdup(value) };
}

void amtctrl_hosts_done(struct amtctrl_hosts *hosts)
{
	for (size_t i = 0; i < hosts->n; i++)
		host_done(&hosts->hosts[i]);
	free(hosts->hosts);
	free(hosts->path);
	if (hosts->lock >= 0)
		(void)close(hosts->lock);
}

/* --- Text. ------------------------------------------------------------------------------------ */

struct reading {
	struct amtctrl_hosts *hosts;
	struct amtctrl_host *host;
};

static void take_line(void *data, const struct amtctrl_line *line)
{
	struct reading *r = data;

	if (line->what == AMTCTRL_SECTION)
		r->host = amtctrl_host_add(r->hosts, line->name);
	else if (line->what == AMTCTRL_PAIR)
		amtctrl_host_set(r->host, line->name, line->value);
	else if (!r->hosts->odd) /* what it says would get lost */
		r->hosts->odd = line->number;
}

void amtctrl_hosts_parse(struct amtctrl_hosts *hosts, const char *text, size_t len)
{
	struct reading r = { .hosts = hosts };
	char *copy = pctl_xcalloc(len + 1, 1);

	if (len)
		memcpy(copy, text, len);
	amtctrl_lines_read(copy, len, take_line, &r);
	explicit_bzero(copy, len);
	free(copy);
}

static void add_value(struct pctl_buf *buf, const char *value)
{
	for (; *value; value++) {
		if (*value == '%')
			pctl_buf_adds(buf, "%");
		pctl_buf_add(buf, value, 1);
	}
}

void amtctrl_hosts_format(const struct amtctrl_hosts *hosts, struct pctl_buf *buf)
{
	for (size_t i = 0; i < hosts->n; i++) {
		const struct amtctrl_host *host = &hosts->hosts[i];

		pctl_buf_addf(buf, "[%s]\n", host->name);
		for (size_t k = 0; k < host->n; k++) {
			pctl_buf_addf(buf, "%s = ", host->pairs[k].key);
			add_value(buf, host->pairs[k].value);
			pctl_buf_adds(buf, "\n");
		}
		pctl_buf_adds(buf, "\n");
	}
}

/* --- The file. -------------------------------------------------------------------------------- */

static int find_path(char **ret, struct pctl_error *err)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (config && *config == '/')
		*ret = pctl_xasprintf("%s/amtctrl/hosts.cfg", config);
	else if (home && *home == '/')
		*ret = pctl_xasprintf("%s/.config/amtctrl/hosts.cfg", home);
	else
		return pctl_error_set(err, PCTL_E_CONFIG, "$HOME is not set");
	PCTL_AUTO(free) char *real = realpath(*ret, NULL);
	if (real) { /* a link stays one */
		free(*ret);
		*ret = real;
		real = NULL;
	}
	return 0;
}

static char *folder_of(const char *path)
{
	return pctl_xstrndup(path, (size_t)(strrchr(path, '/') - path));
}

static int take_lock(struct amtctrl_hosts *hosts, struct pctl_error *err)
{
	PCTL_AUTO(free) char *folder = folder_of(hosts->path);
	PCTL_AUTO(free) char *above = folder_of(folder);

	(void)mkdir(above, 0700);
	(void)mkdir(folder, 0700);
	hosts->lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (hosts->lock < 0 || flock(hosts->lock, LOCK_EX) < 0)
		return pctl_error_set(err, PCTL_E_CONFIG, "%s: %s", folder, strerror(errno));
	return 0;
}

/* amtctrl itself leaves the file, with its passwords, as readable as the umask happens to be. */
static int make_private(const struct amtctrl_hosts *hosts, int fd, struct pctl_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return pctl_error_set(err, PCTL_E_CONFIG, "%s is no file", hosts->path);
	if (!(st.st_mode & S_IRWXO))
		return 0;
	if (fchmod(fd, st.st_mode & 0770) < 0)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s holds passwords and others can read it: chmod o= %s", hosts->path,
			hosts->path);
	(void)fprintf(
		stderr, "amtctrl: others could read %s; from now on they cannot\n", hosts->path);
	return 0;
}

static int read_open(struct amtctrl_hosts *hosts, int fd, struct pctl_error *err)
{
	struct pctl_buf buf;
	int r = make_private(hosts, fd, err);

	if (r < 0)
		return r;
	pctl_buf_init_secret(&buf, FILE_MAX_);
	r = pctl_file_read_fd(fd, hosts->path, &buf, err);
	if (r == 0)
		amtctrl_hosts_parse(hosts, buf.data, buf.len);
	pctl_buf_done(&buf);
	return r;
}

int amtctrl_hosts_read(struct amtctrl_hosts *hosts, bool to_change, struct pctl_error *err)
{
	*hosts = (struct amtctrl_hosts){ .lock = -1 };
	int r = find_path(&hosts->path, err);

	if (r == 0 && to_change)
		r = take_lock(hosts, err);
	if (r < 0)
		return r;
	int fd = open(hosts->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return pctl_error_set(err, PCTL_E_CONFIG, "%s: %s", hosts->path, strerror(errno));
	r = read_open(hosts, fd, err);
	(void)close(fd);
	return r;
}

int amtctrl_hosts_write(const struct amtctrl_hosts *hosts, struct pctl_error *err)
{
	struct pctl_buf buf;
	int r;

	if (hosts->odd)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s:%u would get lost, so nothing is changed; edit the file by hand",
			hosts->path, hosts->odd);
	pctl_buf_init_secret(&buf, FILE_MAX_);
	amtctrl_hosts_format(hosts, &buf);
	if (buf.full)
		r = pctl_error_set(err, PCTL_E_INTERNAL, "%s would be too long; nothing is changed",
			hosts->path);
	else
		r = pctl_file_replace(hosts->path, buf.data, buf.len, 0600, NULL, err);
	pctl_buf_done(&buf);
	return r;
}
