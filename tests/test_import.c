/* SPDX-License-Identifier: Apache-2.0 */
/* What import makes of other programs' files: text in, the inventory's text and complaints out. */
#include "test.h"

#include <powerctl/mem.h>

#include "import/command_line.h"
#include "import/fold.h"
#include "import/import.h"
#include "import/write.h"

/* Files that powerman.conf includes: pairs of path and text. */
static int read_pairs(void *data, const char *path, struct pctl_buf *out, struct pctl_error *err)
{
	for (const char *const *pair = data; pair && pair[0]; pair += 2) {
		if (strcmp(pair[0], path) != 0)
			continue;
		pctl_buf_adds(out, pair[1]);
		return 0;
	}
	return pctl_error_set(err, PCTL_E_CONFIG, "%s: not there", path);
}

static void parse(const char *format, struct import *im, char *text)
{
	size_t i = 0;

	while (import_formats[i].name && strcmp(import_formats[i].name, format) != 0)
		i++;
	assert_non_null(import_formats[i].name);
	import_formats[i].parse(im, text);
}

/* The text behind its comment, then what is left out; free() it. */
static char *taken(const char *format, const char *text, const char *const *files)
{
	PCTL_AUTO(free) char *copy = pctl_xstrdup(text);
	struct pctl_names *credentials = pctl_names_new();
	struct import_plan plan = { .format = format, .classes = pctl_names_new() };
	struct pctl_buf out, shown;
	struct import im;

	import_init(&im, "f");
	im.read = read_pairs;
	im.read_data = (void *)(uintptr_t)files;
	parse(format, &im, copy);
	plan.im = &im;
	import_name_logins(&im, format, credentials);
	pctl_buf_init(&out, 1 << 20);
	pctl_buf_init(&shown, 1 << 20);
	import_write(&plan, &out);
	assert_false(out.full);
	pctl_buf_adds(&shown, strchr(out.data, '\n') + 1);
	import_report(&im);
	for (size_t i = 0; pctl_problems_at(im.problems, i); i++)
		pctl_buf_addf(&shown, "%s\n", pctl_problems_at(im.problems, i));
	pctl_buf_done(&out);
	pctl_names_free(plan.classes);
	pctl_names_free(credentials);
	import_done(&im);
	return pctl_buf_steal(&shown);
}

static void check_files(
	const char *format, const char *text, const char *const *files, const char *wanted)
{
	PCTL_AUTO(free) char *found = taken(format, text, files);

	assert_string_equal(found, wanted);
}

static void check(const char *format, const char *text, const char *wanted)
{
	check_files(format, text, NULL, wanted);
}

/* What stands beside a name in csv, without a login. */
static void check_rows(const char *rows, const char *wanted)
{
	PCTL_AUTO(free) char *text = pctl_xasprintf("name,driver,address\n%s", rows);

	check("csv", text, wanted);
}

/* --- Ranges. ---------------------------------------------------------------------------------- */

static void test_fold(void **state)
{
	(void)state;
	check_rows("n1,ipmi,b1\nn2,ipmi,b2\nn3,ipmi,b3\n",
		"nodes:\n  n[1-3]: {driver: ipmi, address: \"b[1-3]\"}\n");
	/* In any order of the file; 9 is before 10. */
	check_rows(
		"n10,x,b10\nn9,x,b9\n", "nodes:\n  n[9-10]: {driver: x, address: \"b[9-10]\"}\n");
	/* Zeros stay. */
	check_rows("n09,x,10.0.0.9\nn10,x,10.0.0.10\nn11,x,10.0.0.11\n",
		"nodes:\n  n[09-11]: {driver: x, address: \"10.0.0.[9-11]\"}\n");
	check_rows("n099,x,b\nn100,x,b\n", "nodes:\n  n[099-100]: {driver: x, address: b}\n");
	check_rows("n99,x,b\nn100,x,b\n", "nodes:\n  n[99-100]: {driver: x, address: b}\n");
	check_rows("n9,x,b\nn010,x,b\n",
		"nodes:\n  n9: {driver: x, address: b}\n  n010: {driver: x, address: b}\n");
	/* Where one is missing, both sides miss it. */
	check_rows("n1,x,b11\nn2,x,b12\nn7,x,b17\n",
		"nodes:\n  \"n[1-2,7]\": {driver: x, address: \"b[11-12,17]\"}\n");
	check_rows("n1,x,b11\nn2,x,b12\nn7,x,b14\n",
		"nodes:\n  n[1-2]: {driver: x, address: \"b[11-12]\"}\n"
		"  n7: {driver: x, address: b14}\n");
	/* The last bracket counts fastest, on both sides. */
	check_rows("r1n1,x,1.1\nr1n2,x,1.2\nr2n1,x,2.1\nr2n2,x,2.2\n",
		"nodes:\n  r[1-2]n[1-2]: {driver: x, address: \"[1-2].[1-2]\"}\n");
	/* An address that has fewer names than the nodes is none of a range. */
	check_rows("r1n1,x,p1\nr1n2,x,p1\nr2n1,x,p2\nr2n2,x,p2\n",
		"nodes:\n  r1n[1-2]: {driver: x, address: p1}\n"
		"  r2n[1-2]: {driver: x, address: p2}\n");
	check_rows("r1n1,x,b1\nr1n2,x,b2\nr2n1,x,b1\nr2n2,x,b2\n",
		"nodes:\n  r1n[1-2]: {driver: x, address: \"b[1-2]\"}\n"
		"  r2n[1-2]: {driver: x, address: \"b[1-2]\"}\n");
	/* A bracket of somebody's own is no range. */
	check("csv", "name,driver,note\nn1,x,a [1-2]\nn2,x,a [1-2]\n",
		"nodes:\n  n1: {driver: x, note: \"a [1-2]\"}\n"
		"  n2: {driver: x, note: \"a [1-2]\"}\n");
	check_rows("n1r1,x,1.1\nn2r1,x,2.1\nn1r2,x,1.2\n",
		"nodes:\n  n1r[1-2]: {driver: x, address: \"1.[1-2]\"}\n"
		"  n2r1: {driver: x, address: 2.1}\n");
	/* Nothing counts: backwards, in two numbers, in letters, too large. */
	check_rows("n1,x,b2\nn2,x,b1\n", "nodes:\n  n1: {driver: x, address: b2}\n"
					 "  n2: {driver: x, address: b1}\n");
	check_rows("n1,x,b1c1\nn2,x,b2c2\n", "nodes:\n  n1: {driver: x, address: b1c1}\n"
					     "  n2: {driver: x, address: b2c2}\n");
	check_rows("n1,x,ba\nn2,x,bb\n", "nodes:\n  n1: {driver: x, address: ba}\n"
					 "  n2: {driver: x, address: bb}\n");
	check_rows("n1111111111111111111,x,\nn1111111111111111112,x,\n",
		"nodes:\n  n1111111111111111111: {driver: x}\n"
		"  n1111111111111111112: {driver: x}\n");
}

static void test_fold_long(void **state)
{
	struct pctl_buf rows;

	(void)state;
	/* Brackets that nobody could read are several entries. */
	pctl_buf_init(&rows, 1 << 16);
	for (unsigned i = 0; i < 30; i++)
		pctl_buf_addf(&rows, "n%u,x,\n", 2 * i);
	check_rows(rows.data, "nodes:\n  \"n[0,2,4,6,8,10,12,14,16,18,20,22]\": {driver: x}\n"
			      "  \"n[24,26,28,30,32,34,36,38,40,42,44,46]\": {driver: x}\n"
			      "  \"n[48,50,52,54,56,58]\": {driver: x}\n");
	pctl_buf_done(&rows);
}

/* What several entries have in common is said once. */
static void test_class(void **state)
{
	(void)state;
	check("csv",
		"name,driver,address,user,password\na,ipmi,x1,u,p\nb,ipmi,y7,u,p\nc,amt,z,u,p\n",
		"credentials:\n  csv-u: {username: u, password_file: \"../secrets/csv-u\"}\n"
		"classes:\n  ipmi: {driver: ipmi, credential: csv-u}\n"
		"nodes:\n  a: {class: ipmi, address: x1}\n  b: {class: ipmi, address: y7}\n"
		"  c: {driver: amt, address: z, credential: csv-u}\n");
}

/* --- Tables. ---------------------------------------------------------------------------------- */

static void test_csv(void **state)
{
	(void)state;
	check("csv",
		"\xef\xbb\xbfNode;BMC Address;Type;Tag\r\n\r\n# no\r\n\"n1\" ; b1:6230 ;ipmi;a "
		"b\r\n",
		"nodes:\n  n1: {driver: ipmi, address: b1, port: 6230, tags: [a, b]}\n");
	check("csv", "name\tdriver\taddress\nn1\tipmi\t[fe80::1]:99\nn2\tipmi\tfe80::2\n",
		"nodes:\n  n1: {driver: ipmi, address: fe80::1, port: 99}\n"
		"  n2: {driver: ipmi, address: fe80::2}\n");
	check("csv",
		"name,driver,username,password,kg\na,d,u,\"p,\"\"q\nr\",k\nb,d,u,x,\nc,d,u,x,\n",
		"credentials:\n"
		"  a: {username: u, password_file: \"../secrets/a\", kg_file: "
		"\"../secrets/a-kg\"}\n"
		"  csv-u: {username: u, password_file: \"../secrets/csv-u\"}\n"
		"classes:\n  d: {driver: d, credential: csv-u}\n"
		"nodes:\n  a: {driver: d, credential: a}\n  b: {class: d}\n  c: {class: d}\n");
}

static void test_csv_mistakes(void **state)
{
	(void)state;
	check("csv", "", "");
	check("csv", "n1,ipmi,b1\n",
		"f:1: the first line has to name the columns, and one of them has to be 'name': "
		"name,driver,address,username,password\n");
	check("csv", "name,node\nx,y\n", "f:1: two columns say the same; leave one of them out\n");
	check("csv", "name,\nx,y\n", "f:1: column 2 has no name\n");
	check("csv", "name,bmc_password\nx,y\n",
		"f:1: the column 'bmc_password' is a secret that is not known here; take it out\n");
	check_rows("n1,x,b\nn1,x,c\n,x,d\nn&2,x,e\nn[1-2],x,b[1-3]\nn[,x,b\nn5,x,b,c\nn6,x,b:"
		   "0\n\"n7,x",
		"nodes:\n  n1: {driver: x, address: b}\n"
		"f:3: 'n1' is at f:2 already; this one is left out\n"
		"f:4: an empty name; write one, as in n[1-3]\n"
		"f:5: '&' after a name; only one can be here\n"
		"f:6: 'n[1-2]' names 2, 'b[1-3]' 3; they have to be equally many\n"
		"f:7: this bracket is never closed; a range is written n[1-3]\n"
		"f:8: this line has more values than the first one has names\n"
		"f:9: 'n6': its address is none; write HOST, HOST:PORT or [IPV6]:PORT\n"
		"f:10: a quote is never closed; nothing below is read\n");
}

/* --- powerman. -------------------------------------------------------------------------------- */

#define BMCS "device \"b\" \"ipmipower\" \"/usr/sbin/ipmipower -h x[1-2] -u u -p p |&\"\n"
#define P_LOGIN \
	"credentials:\n  powerman-u: {username: u, password_file: \"../secrets/powerman-u\"}\n"

static void test_powerman(void **state)
{
	(void)state;
	check("powerman", BMCS "node \"n[1-2]\" \"b\" \"x[1-2]\"\nalias \"both\" \"n1,n2\"\n",
		P_LOGIN "nodes:\n  n[1-2]: {driver: ipmi, address: \"x[1-2]\", credential: "
			"powerman-u}\ngroups:\n  both: n[1-2]\n");
	/* Without plugs they are called as the nodes are; statements need no lines. */
	check("powerman", BMCS "node \"x1\"\n\"b\" node\t\"x2\" \"b\" # behind\n",
		P_LOGIN
		"nodes:\n  x[1-2]: {driver: ipmi, address: \"x[1-2]\", credential: powerman-u}\n");
	check("powerman",
		"tcpwrappers yes\nport 10102\nlisten \"x\"\nplug_log_level \"info\"\n"
		"device \"b\" \"t\" \"sudo ipmipower -D LAN --hostname=x -Wauthcap,idzero "
		"-BCl OPERATOR -a MD5 --username u --password='p q' -F 3 --fanout=3|&\"\n"
		"node \"n\" \"b\" \"x:6230\"\n",
		P_LOGIN
		"nodes:\n  n: {driver: ipmi, address: x, port: 6230, credential: powerman-u, "
		"protocol: 1.5, privilege: operator, auth_type: md5, "
		"workarounds: [authcap, idzero]}\n");
}

#define SPEC                                                                                      \
	"specification \"rf\" { timeout 60\n plug name { \"a1\" \"a2\" }\nscript login { "        \
	"expect \"> \" send \"auth u:p:q\\n\" send \"setstatpath redfish/v1/Systems/Self\\n\" } " \
	"script on { ifoff { send \"x{\" } } }\n"

static void test_powerman_redfish(void **state)
{
	static const char *const files[] = { "/p/rf.dev", SPEC, "/p/more.conf",
		"node \"n3\" \"d\" \"a3\"\n", NULL };

	(void)state;
	check_files("powerman",
		"include \"/p/rf.dev\"\ndevice \"d\" \"rf\" \"redfishpower -h a[1-3] |&\"\n"
		"node \"n[1-2]\" \"d\"\ninclude \"/p/more.conf\"\n",
		files,
		P_LOGIN "nodes:\n  n[1-3]: {driver: redfish, address: \"a[1-3]\", credential: "
			"powerman-u, system: Self}\n");
	check("powerman",
		SPEC "device \"d\" \"rf\" \"redfishpower -h a[1-3] |&\"\nnode \"n[1-3]\" \"d\"\n",
		P_LOGIN "nodes:\n  n[1-2]: {driver: redfish, address: \"a[1-2]\", credential: "
			"powerman-u, system: Self}\n"
			"f:5: 'n3': the device 'd' has no plug left\n");
	check("powerman",
		"specification \"rf\" { script login { send \"auth USER:PASS\\n\" } }\n"
		"device \"d\" \"rf\" \"redfishpower -A x:y -h a |&\" device \"e\" \"rf\" "
		"\"redfishpower |&\"\nnode \"a\" \"d\"\nnode \"b\" \"e\"\n",
		"credentials:\n  powerman-x: {username: x, password_file: "
		"\"../secrets/powerman-x\"}\nnodes:\n"
		"  a: {driver: redfish, address: a, credential: powerman-x}\n"
		"  b: {driver: redfish, address: b}\n");
}

static void test_powerman_left(void **state)
{
	(void)state;
	check("powerman", "device \"p\" \"apc7900\" \"h:23\"\nnode \"a\" \"p\" \"1\"\n",
		"f:2: 'a' is at 'p', of type 'apc7900': use the driver fence with agent: fence_apc "
		"and plug: (`powerctl drivers fence fence_apc` lists its settings)\n");
	check("powerman", "device \"p\" \"ilom\" \"h:23\" \"9600\"\nnode \"a\" \"p\"\n",
		"f:2: 'a' is at 'p', of type 'ilom', an ILOM: use the driver ipmi at its "
		"address\n");
	check("powerman",
		"device \"p\" \"zap\" \"/bin/zap |&\"\nnode \"a\" \"p\"\nnode \"b\" \"q\"\n",
		"f:2: 'a' is at 'p', of type 'zap', which no driver here speaks to; the driver "
		"exec can run a program of yours\nf:3: 'b': there is no device 'q' above\n");
	check("powerman",
		BMCS "node \"n[1-2]\" \"b\" \"x[1-3]\"\nnode \"n[\" \"b\"\nalias \"a b\" \"n\"\n",
		"f:2: 2 nodes and 3 plugs: they have to be equally many\n"
		"f:3: 'n[': this bracket is never closed; a range is written n[1-3]\n"
		"f:4: 'a b' cannot be the name of a group here; rename it\n");
	check("powerman",
		"device \"b\" \"i\" \"ipmipower -u u -p p --oem-power-type C410X |&\"\nnode \"n\" "
		"\"b\"\n",
		"f:2: 'n' is at 'b': its option --oem-power-type is for a chassis that no driver "
		"here knows\n");
	check("powerman",
		"device \"b\" \"i\" \"ipmipower -u u -p p --frobnicate -l king |&\"\nnode \"n\" "
		"\"b\"\n",
		P_LOGIN "nodes:\n  n: {driver: ipmi, address: n, credential: powerman-u}\n"
			"f:1: the device 'b': privilege 'king' is not known here\n"
			"f:1: the device 'b': its option '--frobnicate' is not known here\n");
	check("powerman", "device \"b\" \"i\" \"ipmipower -p 'x |&\"\nnode \"n\" \"b\"\n",
		"f:2: 'n' is at 'b': a quote in its command is never closed\n");
	check("powerman", "\nwhatever\nnode\n",
		"f:2: this is no statement of powerman.conf\n"
		"f:3: a node is \"names\" \"device\" \"plugs\"\n");
	check("powerman",
		"specification \"s\" { timeout 5 plug name { \"a\" }\nalias \"x\" \"n\"\n",
		"f:1: the specification 's' has no brace that closes it; what is behind it may be "
		"taken for a part of it\n");
	check("powerman", "specification s { }\n",
		"f:1: a specification is \"name\" { ... }\n"
		"f:1: this is no statement of powerman.conf\n");
	check("powerman", "alias \"x\n\"",
		"f:1: a quoted text does not end on its line; what it belongs to is left out\n"
		"f:2: a quoted text does not end on its line; what it belongs to is left "
		"out\n");
	check("powerman", "include \"a.conf\"\n", "f:1: a.conf is not read: a.conf: not there\n");
}

/* --- The others. ------------------------------------------------------------------------------ */

#define P_BROKEN(line) \
	"f:" line ": a quoted text does not end on its line; what it belongs to is left out\n"

/* What is no statement is passed over, with its line and braces; the next one counts. */
static void test_powerman_strange(void **state)
{
	(void)state;
	check("powerman",
		"shiny = on node \"x\" \"b\" # not this one\n" BMCS
		"client_limit \"5\" {\n a \"b {\" {\n}\n} more\nnode \"n1\" \"b\"\n}\n"
		"node \"n2\" \"b\" \"x\nnode \"n3\" \"b\" \"a\\n\\\nnode \"n4\" \"b\"\n"
		"device \"c\" \"d\"\nnode \"n5\" \"b\"\n",
		P_LOGIN "nodes:\n  \"n[1,4-5]\": {driver: ipmi, address: \"n[1,4-5]\", credential: "
			"powerman-u}\n"
			"f:1: this is no statement of powerman.conf\n"
			"f:3: this is no statement of powerman.conf\n"
			"f:8: this is no statement of powerman.conf\n" P_BROKEN("9")
				P_BROKEN("10") "f:12: a device is \"name\" \"type\" \"where\"\n");
	check("powerman",
		"specification \"s\" {\n send \"auth u\n plug name { \"x }\n}\n}\n" BMCS
		"node \"n\" \"b\"\nfoo {\nnode \"m\" \"b\"\n",
		P_LOGIN
		"nodes:\n  n: {driver: ipmi, address: n, credential: powerman-u}\n" P_BROKEN("2")
			P_BROKEN("3") "f:5: this is no statement of powerman.conf\n"
				      "f:8: this is no statement of powerman.conf, and no brace "
				      "closes "
				      "it: nothing below is read\n");
}

#define XCAT_ROOT "credentials:\n  xcat-u: {username: u, password_file: \"../secrets/xcat-u\"}\n"

static void test_xcat(void **state)
{
	(void)state;
	check("xcat",
		"# c\ndefault-node:\n bmcusername=u\n bmcpassword=p\n mgt=ipmi\n\nn1:\n "
		"objtype=node\n "
		"bmc=b1\n groups=all,g\nn2:\n\tobjtype = node\n bmc=b2\nt:\n objtype=site\n "
		"bmc=x\n",
		XCAT_ROOT "nodes:\n  n[1-2]: {driver: ipmi, address: \"b[1-2]\", credential: "
			  "xcat-u}\ngroups:\n  g: n1\n");
	check("xcat",
		"x=y\nn1:\n mgt=ipmi\nn2:\n bmc=b\nn3:\n mgt=hmc\nn4:\n mgt=zap\nn1:\n what\n",
		"f:1: this is neither 'NAME:' nor 'ATTRIBUTE=VALUE' below one\n"
		"f:2: 'n1' has no bmc\nf:4: 'n2': nothing says how it is managed (mgt)\n"
		"f:6: 'n3' is managed by 'hmc': use the driver fence with agent fence_lpar\n"
		"f:8: 'n4' is managed by 'zap', which is not known\n"
		"f:10: 'n1' is at line 2 already; this one is left out\n"
		"f:11: this is neither 'NAME:' nor 'ATTRIBUTE=VALUE' below one\n");
	check("xcat", "Object name: m1\n    mgt=ipmi\n    bmc=b1\n",
		"f:1: this is lsdef's other form; take what `lsdef -z` prints\n");
	/* The table of BMCs alone; a row of a group; one that is switched off. */
	check("xcat",
		"#node,bmc,bmcport,username,password,disable\n\"n1\",\"b1\",,\"u\",\"p\",\n"
		"\"n2\",\"b2\",,\"u\",\"p\",\"yes\"\n",
		XCAT_ROOT "nodes:\n  n1: {driver: ipmi, address: b1, credential: xcat-u}\n");
	check("xcat",
		"#node,bmc,consport,username,password\nn1,|\\z|-b|,,u,p\nn2,/n(.*)/b($1)/,,u,p\n",
		XCAT_ROOT "nodes:\n  n1: {driver: redfish, address: n1-b, credential: xcat-u}\n"
			  "f:3: 'n2': its bmc is a pattern of xCAT; `lsdef -t node -o n2 -z` "
			  "writes it out\n");
}

static void test_conman(void **state)
{
	(void)state;
	check("conman",
		"CONSOLE NAME = \"a\" dev='ipmi:x' IpmiOpts=\"U:u,P:p,c:3,l:admin\" log=y # c\n",
		"credentials:\n  conman-u: {username: u, password_file: \"../secrets/conman-u\"}\n"
		"nodes:\n  a: {driver: ipmi, address: x, credential: conman-u, cipher_suite: 3, "
		"privilege: admin}\n");
	/* Those of a console take the place of all others, and hold from there on. */
	check("conman",
		"console name=a dev=ipmi:x\nglobal ipmiopts=\"U:u,P:p\"\nconsole name=b "
		"dev=ipmi:y \\\r\n ipmiopts=\"C:3\"\n",
		"nodes:\n  a: {driver: ipmi, address: x}\n"
		"  b: {driver: ipmi, address: y, cipher_suite: 3}\n");
	check("conman",
		"foo\nconsole name=a\nconsole name=b dev=/dev/x\nconsole name\nconsole name=\"c\n"
		"console name=d dev=ipmi:x ipmiopts=\"Z:1,P:0x00,L:king\"\n",
		"f:1: this begins with none of 'server', 'global', 'console'\n"
		"f:2: a console needs a name and a dev\n"
		"f:3: 'b' is at '/dev/x', which is no management processor: it is a console only; "
		"keep it in conman\n"
		"f:4: after 'console' comes KEY=\"VALUE\"\nf:5: after 'console' comes "
		"KEY=\"VALUE\"\n"
		"f:6: 'd': the IPMI option 'Z' is not known here\n"
		"f:6: 'd': the privilege 'king' is not known here\n"
		"f:6: 'd': its password has bytes that are no text\n");
}

static void test_amtctrl(void **state)
{
	(void)state;
	check("amtctrl", "# c\n[a]\nhost = x\npasswd: 1%%2\r\n\n[b]\nhost=y\npasswd=1%%2\n",
		"credentials:\n  amtctrl-admin: {username: admin, password_file: "
		"\"../secrets/amtctrl-admin\"}\n"
		"classes:\n  amt: {driver: amt, credential: amtctrl-admin}\n"
		"nodes:\n  a: {class: amt, address: x}\n  b: {class: amt, address: y}\n");
	check("amtctrl", "[a]\nhost=x\n[b] c\nhost=y\n; note\n",
		"credentials:\n  amtctrl-admin: {username: admin}\nnodes:\n"
		"  a: {driver: amt, address: x, credential: amtctrl-admin}\n"
		"f:3: this is neither '[name]' nor 'key = value' below one\n"
		"f:4: this is neither '[name]' nor 'key = value' below one\n");
	check("amtctrl", "host=x\n[a]\npasswd=%(b)s\n x\nfoo=1\n[a b]\nhost=z\n",
		"f:1: this is neither '[name]' nor 'key = value' below one\n"
		"f:2: 'a' has no host\n"
		"f:3: 'passwd' refers to another value; write it out\n"
		"f:4: this is neither '[name]' nor 'key = value' below one\n"
		"f:5: 'foo' is not known here\n"
		"f:6: 'a b': a node's name has no blanks, slashes, quotes or any of @%,!&^*?[]\n");
}

#define NODE(name, info) "{\"name\": \"" name "\", \"driver\": \"d\", \"driver_info\": {" info "}}"
#define I_LOGIN          "credentials:\n  ironic-u: {username: u, password_file: \"../secrets/ironic-u\"}\n"

static void test_ironic(void **state)
{
	(void)state;
	check("ironic",
		NODE("a", "\"ipmi_address\": \"x\", \"ipmi_username\": \"u\", "
			  "\"ipmi_password\": \"p\", \"ipmi_port\": \"99\""),
		I_LOGIN
		"nodes:\n  a: {driver: ipmi, address: x, port: 99, credential: ironic-u}\n");
	check("ironic",
		"{ \"nodes\" : [\n" NODE("a", "\"amt_address\": \"x\", \"amt_protocol\": "
					      "\"https\"") ",\n" NODE("b",
			"\"redfish_address\": \"http://[::1]/redfish\"") "]}",
		"nodes:\n  a: {driver: amt, address: x, tls: true}\n"
		"  b: {driver: redfish, address: \"::1\", port: 80, tls: false}\n");
	check("ironic",
		"[\n" NODE("a",
			"\"ipmi_address\": \"x\", \"ipmi_bridging\": \"single\"") ",\n" NODE("b",
			"\"foo\": 1") ",\n{\"name\": \"c\"}, 7,\n{\"x\": }",
		"f:2: 'a' is behind another BMC (ipmi_bridging), which no driver here does\n"
		"f:3: 'b' (driver d) has no address that is known here\n"
		"f:4: node c: there is no driver_info; export with `baremetal node list --detail "
		"-f json`\n"
		"f:4: this is no node: there is no driver_info; export with `baremetal node list "
		"--detail -f json`\n"
		"f:5: this is no JSON: unexpected token near '}'\n");
	check("ironic",
		"[" NODE("a", "\"ipmi_address\": \"x\", \"ipmi_hex_kg_key\": \"****\", "
			      "\"ipmi_password\": \"******\""),
		"nodes:\n  a: {driver: ipmi, address: x}\n"
		"f:1: 'a': Ironic hides ipmi_hex_kg_key; set kg_file\n"
		"f:1: the list does not end; was it cut?\n");
}

/* Every key is taken over or told, but those of Ironic's own deploying. */
static void test_ironic_keys(void **state)
{
	(void)state;
	check("ironic",
		"[" NODE("a",
			"\"redfish_address\": \"a\", \"redfish_verify_ca\": false") ",\n" NODE("b",
			"\"redfish_address\": \"b\", \"redfish_verify_ca\": \"/etc/ca\"") ","
											  "\n" NODE(
												  "c",
												  "\"ilo_address\": \"c\", \"ilo_verify_ca\": \"True\", \"client_port\": "
												  "8443") ",\n" NODE("d",
												  "\"irmc_address\": \"d\", \"irmc_verify_ca\": \"x\"") "]",
		"nodes:\n  a: {driver: redfish, address: a, trust: first-use}\n"
		"  b: {driver: redfish, address: b, ca_file: /etc/ca, trust: strict}\n"
		"  c: {driver: redfish, address: c, port: 8443, trust: strict}\n"
		"  d: {driver: redfish, address: d}\n"
		"f:4: 'd': irmc_verify_ca 'x' is not known here\n");
	check("ironic",
		"[\n" NODE("a1",
			"\"ipmi_address\": \"a1\", \"ipmi_terminal_port\": 1, \"x\": {}, "
			"\"deploy_kernel\": \"k\", \"ipmi_bridging\": \"no\"") ",\n" NODE("a2",
			"\"ipmi_address\": \"a2\", \"ipmi_terminal_port\": 2, \"y\": null, "
			"\"z\": \"\", \"ilo_deploy_iso\": \"k\"") ",\n" NODE("b",
			"\"redfish_address\": \"b\", \"ipmi_address\": \"b\", \"ipmi_port\": 9, "
			"\"cleaning_network\": \"n\", \"client_port\": 7") "]",
		"nodes:\n  a[1-2]: {driver: ipmi, address: \"a[1-2]\"}\n"
		"  b: {driver: redfish, address: b}\n"
		"f:2: a[1-2]: 'ipmi_terminal_port' has no setting here\n"
		"f:2: a1: 'x' has no setting here\n"
		"f:4: b: 'ipmi_address' has no setting here\n"
		"f:4: b: 'ipmi_port' has no setting here\n"
		"f:4: b: 'client_port' has no setting here\n");
}

static void test_characters(void **state)
{
	(void)state;
	assert_int_equal(import_wrong_line("", 0), 0);
	assert_int_equal(import_wrong_line("a\n\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 11), 0);
	assert_int_equal(import_wrong_line("a\nb\0", 4), 2);
	assert_int_equal(import_wrong_line("\n\n\xe4\n", 4), 3);
	assert_int_equal(import_wrong_line("\xc0\xaf", 2), 1);
	assert_int_equal(import_wrong_line("\xed\xa0\x80", 3), 1);
	assert_int_equal(import_wrong_line("\xf4\x90\x80\x80", 4), 1);
	assert_int_equal(import_wrong_line("\xc3", 1), 1);
	assert_int_equal(import_wrong_line("\xc3\n", 2), 1);
}

/* No secret gets into what is said or written. */
static void test_secrets(void **state)
{
	static const char *const cases[][2] = {
		{ "csv", "name,driver,password,x,y,z\nn1,d,S3CRET,\"a\n" },
		{ "csv", "name,driver,password\nn1,d,S3CRET\nn1,d,S3CRET\nn&,d,S3CRET\nx,d,S3CRET,"
			 "4\n" },
		{ "powerman",
			"device \"d\" \"t\" \"ipmipower -u u -p S3CRET -z |&\" node \"n\" \"d\"" },
		{ "powerman", "device \"d\" \"t\" \"ipmipower -pS3CRET -lS |&\" node \"n\" \"d\"" },
		{ "powerman", "device \"d\" \"t\" \"ipmipower -zS3CRET --y=S3CRET |&\" node \"n\" "
			      "\"d\"" },
		{ "conman", "console name=n dev=ipmi:x ipmiopts=\"P:S3CRET,S3\"\n" },
		{ "conman", "console name=n dev=\"/x/ipmitool.exp b u S3CRET\"\n" },
		{ "amtctrl", "[n]\npasswd=S3CRET\n[m]\nhost=x\npasswd=S3CRET\n S3\n" },
		{ "xcat", "n:\n bmcpassword=S3CRET\n mgt=ipmi\n" },
		{ "ironic",
			"[" NODE("a", "\"ipmi_address\": \"x\", \"ipmi_password\": \"S3CRET\"") },
	};

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(cases); i++) {
		PCTL_AUTO(free) char *found = taken(cases[i][0], cases[i][1], NULL);

		assert_null(strstr(found, "S3CRET"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fold),
		cmocka_unit_test(test_fold_long),
		cmocka_unit_test(test_class),
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_csv_mistakes),
		cmocka_unit_test(test_powerman),
		cmocka_unit_test(test_powerman_redfish),
		cmocka_unit_test(test_powerman_left),
		cmocka_unit_test(test_powerman_strange),
		cmocka_unit_test(test_xcat),
		cmocka_unit_test(test_conman),
		cmocka_unit_test(test_amtctrl),
		cmocka_unit_test(test_ironic),
		cmocka_unit_test(test_ironic_keys),
		cmocka_unit_test(test_characters),
		cmocka_unit_test(test_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
