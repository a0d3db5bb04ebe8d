#!/usr/bin/env bash
# down.sh DIR: ends what up.sh DIR started and removes its link and cgroups; DIR stays, with logs and images.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
[ -d "${1:-}" ] || die "usage: down.sh DIR"
dir=$(cd "$1" && pwd -P)
pids=$dir/pids
[ -e "$pids/node.pid" ] || [ -e "$pids/unshare.pid" ] || exit 0
stop node # the first process of the pid namespace: the kernel kills the rest
stop unshare
NAME=$(sed -n 's|^cgroupRoot: /\([a-z0-9]*\).*|\1|p' "$dir/config/kubelet.yaml")
left() {
  if ip link show "$NAME" >/dev/null 2>&1; then echo "link $NAME"; fi
  for group in $(cgroups); do if [ -d "$group" ]; then echo "$group"; fi; done
}
# The kernel removes the link too, at its leisure, once the namespace at its other end is gone: it may vanish
# between a look and the removal. So what counts is not what a removal says, but what is left after it. A
# cgroup can be removed once its last process is gone.
remove() {
  ip link delete "$NAME" || true
  cgroups | while read -r group; do
    if [ -d "$group" ]; then find "$group" -depth -type d -exec rmdir {} + || true; fi
  done
}
for _ in $(seq 50); do
  remove >/dev/null 2>&1
  [ -n "$(left)" ] || exit 0
  sleep 0.1
done
die "left behind: $(left): $(remove 2>&1)"
