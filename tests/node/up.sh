#!/usr/bin/env bash
# up.sh DIR: a whole single-node Kubernetes in pid, mount, network, uts and ipc namespaces of its own; needs root.
# State, logs, the registry's images and the administrator's kubeconfig lie in DIR; down.sh DIR ends it.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
[ $# = 1 ] || die "usage: up.sh DIR"
mkdir -p "$1"
dir=$(cd "$1" && pwd -P)
pids=$dir/pids
if [ -n "$(ls -A "$dir")" ] && [ ! -e "$dir/registry" ]; then die "$dir is neither empty nor a node's"; fi
[ "$(id -u)" = 0 ] || die "a node needs root"
need etcd kube-apiserver kube-controller-manager kubelet kube-proxy kube-scheduler kubectl containerd runc nft registry coredns \
  pause ip unshare openssl curl pgrep
if alive node; then die "already up in $dir"; fi
if ip link show "$NAME" >/dev/null 2>&1; then die "another node has NODE_ID=$NODE_ID: down.sh it, or choose another id"; fi
for path in "$dir" "$here" "$NODE_BIN"; do
  case $path/ in /run/* | /var/run/* | /var/lib/* | /var/log/*) die "$path: the node has its own /run, /var/lib and /var/log" ;; esac
done
rm -rf "${dir:?}"/{config,containerd,etcd,logs,pids,pki,var,audit*.log,kubeconfig,up} # all but the registry's images
mkdir -p "$dir"/{config/cni,config/certs.d/_default,logs,pids,registry}
make_pki
render containerd.toml "$dir/config/containerd.toml"
render hosts.toml "$dir/config/certs.d/_default/hosts.toml"
render cni.conflist "$dir/config/cni/pods.conflist"
for file in kubelet.yaml kube-proxy.yaml registry.yaml Corefile resolv.conf; do render $file "$dir/config/$file"; done
for group in $(cgroups); do
  mkdir -p "$group"
  # cgroup v1: a new cpuset is empty, and nothing can join it
  for file in cpuset.cpus cpuset.mems; do
    if [ -e "$group/cgroup.clone_children" ] && [ -e "$group/$file" ]; then cat "$group/../$file" >"$group/$file"; fi
  done
done

setsid unshare --net --mount --uts --ipc --pid --fork --kill-child --mount-proc \
  "$here/init.sh" "$dir" >"$dir/logs/init.log" 2>&1 </dev/null &
remember unshare $!
own_network() { # the init process is there, with its own network namespace
  init=$(pgrep -P "$1") && [ "$(readlink "/proc/$init/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}
wait_for 10 "namespaces" own_network $!
remember node "$init"
ip link add "$NAME" type veth peer name uplink netns "$init"
ip address add "$HOST_IP/24" dev "$NAME"
ip link set "$NAME" up
ip route add "$SERVICES" via "$NODE_IP"
ip route add "$PODS" via "$NODE_IP"
wait_for 90 "control plane" test -e "$dir/up"
export KUBECONFIG=$dir/kubeconfig
wait_for 30 "registry" curl -sf --max-time 5 "http://$REGISTRY/v2/"
wait_for 90 "node Ready" kubectl wait --for condition=Ready --timeout 1s "node/$NAME"
