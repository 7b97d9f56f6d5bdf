#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# man.sh SCDOC SOURCE OUT [PROGRAM...]: makes a manual page. What PROGRAM prints takes the place of the line
# {{settings}}.
set -eu
scdoc=$1 source=$2 out=$3
shift 3
mkdir -p "$(dirname "$out")"
trap 'rm -f "$out.settings" "$out.scd"' EXIT
if [ $# -gt 0 ]; then
	grep -qx '{{settings}}' "$source" || { echo "$source: no line {{settings}}" >&2; exit 1; }
	"$@" >"$out.settings"
	sed -e "/^{{settings}}\$/r $out.settings" -e '/^{{settings}}$/d' "$source" >"$out.scd"
	source=$out.scd
fi
"$scdoc" <"$source" >"$out.new"
mv "$out.new" "$out"
