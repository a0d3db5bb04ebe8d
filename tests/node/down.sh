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
if ip link show "$NAME" >/dev/null 2>&1; then ip link delete "$NAME"; fi
left() { for group in $(cgroups); do if [ -d "$group" ]; then echo "$group"; fi; done; }
for _ in $(seq 50); do # a cgroup can be removed once its last process is gone
  left | while read -r group; do find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true; done
  [ -n "$(left)" ] || exit 0
  sleep 0.1
done
die "left behind: $(left)"
