#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A relay behind a file that reads 1 or 0, as /sys/class/gpio/gpio17/value: {driver: exec, program: .../relay.sh, line: FILE}
read -r request && line=$(printf '%s' "$request" | sed -n 's/.*"line":"\([^"]*\)".*/\1/p')
case $request in
*'"op":"describe"'*) echo '{"v":1,"ok":true,"name":"relay","summary":"a relay behind a file that reads 1 or 0","actions":["on","off"],"properties":[{"name":"line","type":"file","required":true,"help":"the file"}]}' ;;
*'"op":"get"'*) state=$(sed 's/^1$/on/;s/^0$/off/' "$line") && echo "{\"ok\":true,\"state\":\"$state\"}" ;;
*'"action":"on"'*) echo 1 1<>"$line" && echo '{"ok":true}' ;;
*'"action":"off"'*) echo 0 1<>"$line" && echo '{"ok":true}' ;;
esac
