# SPDX-License-Identifier: Apache-2.0
# xCAT's rpower and rsetboot for nodes with mgt=powerctl. Put it to /opt/xcat/lib/perl/xCAT_plugin/ and restart xcatd.
package xCAT_plugin::powerctl;

use strict;
use warnings;

use File::Temp;
use IPC::Open3;
use JSON::PP;

# What follows rpower: powerctl's words, and what is said of a node where all went well; undef: its state.
my %power = (
	on      => [ ['on'], undef ],
	off     => [ [ 'off', '--yes' ], undef ],
	softoff => [ [ 'off', '--soft', '--no-wait', '--yes' ], 'softoff' ],
	reset   => [ [ 'reset', '--yes' ], 'reset' ],
	boot    => [ [ 'reset', '--on-if-off', '--yes' ], 'boot' ],
	cycle   => [ [ 'cycle', '--yes' ], 'cycle' ],
	nmi     => [ [ 'nmi', '--yes' ], 'nmi' ],
	stat    => [ ['status'], undef ],
	state   => [ ['status'], undef ],
	status  => [ ['status'], undef ],
);

# What follows rsetboot: powerctl's device.
my %device = (
	net     => 'pxe',
	hd      => 'disk',
	cd      => 'cd',
	setup   => 'bios',
	default => 'none',
	def     => 'none',
);

# powerctl's devices as rsetboot calls them.
my %said = (
	pxe  => 'Network',
	disk => 'Hard Drive',
	cd   => 'CD/DVD',
	bios => 'BIOS Setup',
	none => 'boot override inactive',
);

sub handled_commands {
	return {
		rpower   => 'nodehm:mgt=powerctl',
		rsetboot => 'nodehm:mgt=powerctl',
	};
}

# powerctl and its inventory are on the management node: nothing is handed to service nodes.
sub preprocess_request {
	my ($request, $callback) = @_;
	my @words = words_of($request);

	if (!@words) {
		$callback->({ errorcode => [1], error => [ usage($request) ] });
		return;
	}
	$request->{_xcatpreprocessed}->[0] = 1;
	return [$request];
}

sub process_request {
	my ($request, $callback) = @_;
	my @nodes = @{ $request->{node} || [] };
	my ($words, $text) = words_of($request);

	return if !$words || !@nodes;
	my %left = map { $_ => 1 } @nodes;
	my ($status, $error) = run(
		[ @$words, @nodes ],
		sub {
			my ($result) = @_;
			delete $left{ $result->{node} };
			put_result($callback, $result, $text);
		}
	);
	# A mistake in the inventory, or a name that it does not have, stops powerctl before anything is sent.
	for my $node (grep { $left{$_} } @nodes) {
		fail($callback, $node, $error || "powerctl ended with $status and did not speak of it");
	}
	return;
}

# powerctl's words but for the nodes, and what is said of one that went well. Nothing: they are not understood.
sub words_of {
	my ($request) = @_;
	my $arg     = $request->{arg};
	my @args    = !defined $arg ? () : ref $arg ? @$arg : ($arg);
	my @fixed   = ('--json', '--quiet', '--caller=xcat', '--names');
	my $command = $request->{command}->[0];

	if ($command eq 'rpower') {
		return if @args != 1 || !$power{ $args[0] };
		my ($verb, $text) = @{ $power{ $args[0] } };
		return ([ @$verb, @fixed ], $text);
	}
	my @options = map { $_ eq '-p' ? '--persistent' : '--uefi' } grep { /^-[pu]$/ } @args;
	@args = grep { !/^-[pu]$/ } @args;
	return ([ 'bootdev', '--show', @fixed ], undef) if !@options && (!@args || $args[0] eq 'stat');
	return if @args != 1 || !$device{ $args[0] };
	my $name = $device{ $args[0] };
	return ([ 'bootdev', @options, @fixed, $name ], $said{$name});
}

sub usage {
	my ($request) = @_;

	return 'Usage: rpower <noderange> ' . join('|', sort keys %power) if $request->{command}->[0] eq 'rpower';
	return 'Usage: rsetboot <noderange> ' . join('|', sort keys %device) . '|stat [-p] [-u]';
}

# No shell: every word is one. Returns the status and what was said on standard error.
sub run {
	my ($words, $each) = @_;
	my $program = $ENV{POWERCTL} || 'powerctl';
	my $said    = File::Temp->new();
	my $out;

	open(my $null, '<', '/dev/null') or return (2, "/dev/null: $!");
	my $pid = eval { open3('<&' . fileno($null), $out, '>&' . fileno($said), $program, @$words) };
	return (2, "$program: $@") if !$pid;
	while (my $line = <$out>) {
		my $result = eval { decode_json($line) };
		$each->($result) if ref $result eq 'HASH' && defined $result->{node};
	}
	waitpid($pid, 0);
	my $status = $? >> 8;
	seek($said, 0, 0);
	local $/ = undef;
	my $error = <$said> // '';
	$error =~ s/\s+$//;
	return ($status, $error);
}

sub put_result {
	my ($callback, $result, $text) = @_;
	my $error = $result->{error};

	if ($error) {
		fail($callback, $result->{node}, "$error->{class}: $error->{message}");
		return;
	}
	if (!defined $text) {
		my $device = ref $result->{result} eq 'HASH' ? $result->{result}->{device} : undef;
		$text = $result->{verb} eq 'bootdev' ? $said{ $device // 'none' } // $device : $result->{state};
	}
	$callback->({ node => [ { name => [ $result->{node} ], data => [ { contents => [$text] } ] } ] });
	return;
}

sub fail {
	my ($callback, $node, $text) = @_;

	$callback->({ node => [ { name => [$node], error => ["Error: $text"], errorcode => [1] } ] });
	return;
}

1;
