#!/bin/sh
# Runs a program on a network of its own: 10.99.0.21 to .29 and fd99::21, and no way to anywhere else.
#
#   lan.sh PROGRAM [ARGUMENT...]
#
# IPv4 is on lo, which brings back what is sent to a group, even if the sender does not want that (Transmission).
# IPv6 is at one end of a cable of its own, since lo has no multicast of IPv6; it is one address, since libtorrent
# calls from whichever the system likes. Fails where the kernel does not let us: it takes root.
set -e
exec unshare --net -- sh -c '
  set -e
  ip link set lo up multicast on
  for last in 21 22 23 24 25 26 27 28 29; do ip address add "10.99.0.$last/24" dev lo; done
  # Who does not say by which interface it calls.
  ip route add 224.0.0.0/4 dev lo src 10.99.0.21
  ip link add lan0 type veth peer name lan1
  ip link set lan1 up
  ip link set lan0 up
  ip address add fd99::21/64 dev lan0 nodad
  exec "$@"' lan "$@"
