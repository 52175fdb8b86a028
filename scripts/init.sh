#!/bin/sh
# Process 1 of the image: runs the program as its child, passes stop signals on, and reaps what others leave behind.
#
# To process 1 the kernel gives no signal that it has not asked for: a SIGTERM while Node itself still starts would be lost, and the
# runtime would kill after its grace. Nor does Node wait for processes that are not its own children.
child=
asked=
pass() {
  asked=$1
  if [ -n "$child" ]; then kill -s "$1" "$child" 2>/dev/null; fi
}
# A child in the background of a shell ignores SIGINT until it listens; it asks for the same as SIGTERM.
trap 'pass TERM' TERM INT
trap 'pass HUP' HUP

"$@" <&0 &
child=$!
# What came before there was a child to pass it on to.
if [ -n "$asked" ]; then kill -s "$asked" "$child" 2>/dev/null; fi

# A wait ends at each signal that came; it has the child's status once the child is gone.
while :; do
  wait "$child"
  status=$?
  if kill -0 "$child" 2>/dev/null; then continue; fi
  # The last wait may have ended at a signal in the moment in which the child did: its status is then still to be had.
  wait "$child" 2>/dev/null
  last=$?
  if [ "$last" -ne 127 ]; then status=$last; fi
  exit "$status"
done
