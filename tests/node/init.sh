#!/usr/bin/env bash
# The node's first process, started by up.sh in new pid, mount, network, uts and ipc namespaces.
# When it ends, everything in the node ends with it.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
dir=$1 pids=/run/pids
hostname "$NAME"
mount --make-rshared / # kubelet's volume mounts must reach containerd's
mount -t tmpfs tmpfs /run
mkdir -p "$pids" "$dir/var/lib" "$dir/var/log"
mount --bind "$dir/var/lib" /var/lib
mount --bind "$dir/var/log" /var/log
# kubelet writes these sysctls, which belong to the whole machine: it gets files instead
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1; do
  file=/run/sysctl/${setting%%=*}
  mkdir -p "${file%/*}"
  echo "${setting#*=}" >"$file"
  mount --bind "$file" "/proc/sys/${setting%%=*}"
done
ip link set lo up
for _ in $(seq 100); do if ip link show uplink >/dev/null 2>&1; then break; fi; sleep 0.05; done
ip address add "$NODE_IP/24" dev uplink
ip link set uplink up
ip route add "$SERVICES" via "$HOST_IP" # without any route nftables never sees the packet; no other way leads out
echo 1 >/proc/sys/net/ipv4/ip_forward

start registry env OTEL_TRACES_EXPORTER=none registry serve "$dir/config/registry.yaml"
start containerd containerd --config "$dir/config/containerd.toml"
start_control_plane
start kube-scheduler kube-scheduler --kubeconfig "$dir/pki/scheduler" --leader-elect=false --bind-address 127.0.0.1 --secure-port "$SCHEDULER_PORT" --cert-dir "$dir/pki"
start kube-proxy kube-proxy --config "$dir/config/kube-proxy.yaml"
start kubelet kubelet --config "$dir/config/kubelet.yaml" --kubeconfig "$dir/pki/kubelet" --hostname-override "$NAME" --node-ip "$NODE_IP"
start coredns coredns -conf "$dir/config/Corefile"
touch "$dir/up"
trap 'exit 0' TERM
while :; do sleep 3600 & wait $! || true; done
