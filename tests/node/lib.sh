# Settings and helpers for up.sh, init.sh and down.sh. Sourced, never run; the caller sets dir (its state and logs) and pids (its pid files).
# shellcheck shell=bash disable=SC2034,SC2154
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export NODE_BIN=${PREVIEWBOT_TEST_CACHE:-$HOME/.cache/previewbot}/bin
export NODE_ID=${NODE_ID:-0} # 0 to 255: whatever runs at the same time needs another one
API_PORT=$((26443 + 10 * NODE_ID))
ETCD_PORT=$((API_PORT + 1)) ETCD_PEER_PORT=$((API_PORT + 2)) CONTROLLER_PORT=$((API_PORT + 3)) SCHEDULER_PORT=$((API_PORT + 4))
export NODE_NET=${NODE_NET:-10.200} POD_NET=${POD_NET:-10.244} SERVICE_NET=${SERVICE_NET:-10.96} # first halves
NAME=pbn$NODE_ID # of the host's link, the cgroups and the node
HOST_IP=$NODE_NET.$NODE_ID.1 NODE_IP=$NODE_NET.$NODE_ID.2
PODS=$POD_NET.$NODE_ID.0/24 SERVICES=$SERVICE_NET.$NODE_ID.0/24 API_SERVICE_IP=$SERVICE_NET.$NODE_ID.1
REGISTRY=$NODE_IP:5000
export PATH=$NODE_BIN:${KUBEBUILDER_ASSETS:-$NODE_BIN}:$PATH

die() { echo "${0##*/}: $*" >&2; exit 1; }

need() { # PROGRAM...: all of them in PATH ($NODE_BIN included)
  local program
  for program; do command -v "$program" >/dev/null || die "$program is missing: run `make node-test`"; done
}

# A pid and its start time name one process for ever. A zombie counts as ended: in a container nobody may reap it.
started() { awk '$3 != "Z" { print $22 }' "/proc/$1/stat" 2>/dev/null; }

remember() { echo "$2 $(started "$2")" >"$pids/$1.pid"; } # NAME PID

alive() { # NAME
  local pid at
  read -r pid at 2>/dev/null <"$pids/$1.pid" && [ -n "$at" ] && [ "$(started "$pid")" = "$at" ]
}

start() { # NAME COMMAND...: in the background with a log, unless it runs already
  local name=$1; shift
  if alive "$name"; then return; fi
  setsid "$@" >>"$dir/logs/$name.log" 2>&1 </dev/null &
  remember "$name" $!
}

stop() { # NAME: only ever the very process that was remembered
  local pid _
  if alive "$1"; then
    read -r pid _ <"$pids/$1.pid"
    kill "$pid" || true
    for _ in $(seq 50); do alive "$1" || break; sleep 0.1; done
    if alive "$1"; then kill -9 "$pid" || true; fi
    while alive "$1"; do sleep 0.1; done
  fi
  rm -f "$pids/$1.pid"
}

wait_for() { # SECONDS WHAT COMMAND...: until COMMAND succeeds; else say what failed, with the ends of the logs
  local limit=$1 what=$2 end=$((SECONDS + $1)) why='' file name; shift 2
  until "$@" >/dev/null 2>&1; do
    for file in "$pids"/*.pid; do
      name=$(basename "$file" .pid)
      alive "$name" || why="$name has died"
    done
    [ "$SECONDS" -lt "$end" ] || why="not within $limit s"
    if [ -n "$why" ]; then
      for file in "$dir"/logs/*.log; do echo "--- ${file##*/}"; tail -n 8 "$file" | cut -c1-300; done >&2
      die "$what: $why (logs: $dir/logs)"
    fi
    sleep 0.2
  done
}

render() { # TEMPLATE FILE: fills in each @SETTING@
  local setting script=''
  for setting in NODE_BIN NAME NODE_IP PODS REGISTRY API_PORT dir CA TOKEN; do script+="s|@$setting@|${!setting:-}|g;"; done
  sed "$script" "$here/templates/$1" >"$2"
}

kubeconfig() { # FILE USER [GROUP]: with a token of its own
  TOKEN=$(openssl rand -hex 16) CA=$(base64 -w0 "$dir/pki/ca.crt") render kubeconfig.yaml "$1"
  echo "$(token "$1"),$2,$2${3:+,$3}" >>"$dir/pki/tokens.csv"
}

token() { sed -n 's/.*token: \([0-9a-f]*\).*/\1/p' "$1"; } # KUBECONFIG

make_pki() ( # a CA, the API server's certificate, the key of the service account tokens, identities
  local pki=$dir/pki key
  umask 077
  mkdir -p "$pki"
  for key in ca api sa; do openssl genrsa -out "$pki/$key.key" 2048 2>/dev/null; done
  openssl rsa -in "$pki/sa.key" -pubout -out "$pki/sa.pub" 2>/dev/null
  # Python 3.13's strict check wants the key usage and both key identifiers.
  openssl req -x509 -new -key "$pki/ca.key" -subj /CN=test-ca -days 30 -addext keyUsage=critical,keyCertSign,cRLSign -out "$pki/ca.crt"
  openssl req -new -key "$pki/api.key" -subj /CN=kube-apiserver -out "$pki/api.csr"
  openssl x509 -req -in "$pki/api.csr" -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -CAcreateserial -days 30 -out "$pki/api.crt" 2>/dev/null \
    -extfile <(printf '%s\n' "subjectAltName=IP:$NODE_IP,IP:127.0.0.1,IP:$API_SERVICE_IP,DNS:localhost,DNS:kubernetes.default.svc" \
      subjectKeyIdentifier=hash authorityKeyIdentifier=keyid)
  kubeconfig "$dir/kubeconfig" admin system:masters
  kubeconfig "$pki/controller-manager" system:kube-controller-manager
  kubeconfig "$pki/scheduler" system:kube-scheduler
  kubeconfig "$pki/proxy" system:kube-proxy
  kubeconfig "$pki/kubelet" "system:node:$NAME" system:nodes
)

api() { # PATH
  curl -sf --max-time 5 --cacert "$dir/pki/ca.crt" -H "Authorization: Bearer $(token "$dir/kubeconfig")" "https://$NODE_IP:$API_PORT$1"
}

start_control_plane() { # each unless it runs
  # no fsync: what the machine loses in a power cut, a test can lose too
  start etcd etcd --data-dir "$dir/etcd" --unsafe-no-fsync \
    --listen-client-urls "http://127.0.0.1:$ETCD_PORT" --advertise-client-urls "http://127.0.0.1:$ETCD_PORT" \
    --listen-peer-urls "http://127.0.0.1:$ETCD_PEER_PORT" --initial-advertise-peer-urls "http://127.0.0.1:$ETCD_PEER_PORT" \
    --initial-cluster "default=http://127.0.0.1:$ETCD_PEER_PORT"
  start kube-apiserver kube-apiserver --etcd-servers "http://127.0.0.1:$ETCD_PORT" \
    --bind-address "$NODE_IP" --advertise-address "$NODE_IP" --secure-port "$API_PORT" \
    --tls-cert-file "$dir/pki/api.crt" --tls-private-key-file "$dir/pki/api.key" --cert-dir "$dir/pki" \
    --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction --token-auth-file "$dir/pki/tokens.csv" \
    --service-account-issuer https://kubernetes.default.svc --service-account-key-file "$dir/pki/sa.pub" \
    --service-account-signing-key-file "$dir/pki/sa.key" --service-cluster-ip-range "$SERVICES" --allow-privileged \
    --kubelet-preferred-address-types InternalIP --audit-policy-file "$here/templates/audit.yaml" --audit-log-path "$dir/audit.log"
  wait_for 60 "API server ready" api /readyz
  start kube-controller-manager kube-controller-manager --kubeconfig "$dir/pki/controller-manager" \
    --service-account-private-key-file "$dir/pki/sa.key" --root-ca-file "$dir/pki/ca.crt" --use-service-account-credentials \
    --leader-elect=false --bind-address 127.0.0.1 --secure-port "$CONTROLLER_PORT" --cert-dir "$dir/pki" \
    --resource-quota-sync-period 15s # five minutes elsewhere; docs/operations.md says what people see until then
  wait_for 60 "first service account" api /api/v1/namespaces/default/serviceaccounts/default
}

cgroups() { # the node's directory in every cgroup v1 hierarchy, or in the one of v2
  local hierarchy
  for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*/; do
    if [ -e "$hierarchy/cgroup.procs" ] && mountpoint -q "$hierarchy"; then echo "${hierarchy%/}/$NAME"; fi
  done
}
