# A node in namespaces of its own: its certificates and configuration, and the processes in it. Sourced by scripts/cluster.

node=node-1
node_ip=10.88.0.1
pods=10.244.0.0/24
services=10.96.0.0/16
api_ip=10.96.0.1
dns_ip=10.96.0.10
# One that is neither a pod's nor private, for what is to be outside the cluster.
outside_ip=203.0.113.1
# Folders that the kubelet and the CNI library know no other names for: within the node they are folders of its own.
insisted_on=(/var/lib/kubelet /var/lib/cni)

# --- certificates and configuration ---------------------------------------------------------------------------------------------

# certificate NAME SUBJECT USAGE [SUBJECT-ALTERNATIVE-NAMES]
certificate() {
    local file=$state/pki/$1
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$2" -keyout "$file.key" -out "$file.csr" 2>/dev/null
    openssl x509 -req -in "$file.csr" -CA "$state/pki/ca.crt" -CAkey "$state/pki/ca.key" -CAcreateserial -days 30 -out "$file.crt" \
        -extfile <(printf 'extendedKeyUsage=%s\nkeyUsage=digitalSignature\n%s\n' "$3" "${4:+subjectAltName=$4}") 2>/dev/null
    rm "$file.csr"
}

# user NAME SUBJECT: a client of the API.
user() {
    certificate "$1" "$2" clientAuth
    cat >"$state/pki/$1.conf" <<CONF
apiVersion: v1
kind: Config
clusters: [{name: here, cluster: {server: "https://127.0.0.1:6443", certificate-authority: $state/pki/ca.crt}}]
users: [{name: me, user: {client-certificate: $state/pki/$1.crt, client-key: $state/pki/$1.key}}]
contexts: [{name: here, context: {cluster: here, user: me}}]
current-context: here
CONF
}

configure() {
    umask 022
    install -d -m 700 "$state/etcd"
    mkdir -p "$state"/{pki,networks,containerd,kubelet,cni,volumes} "$log/pods"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=here -keyout "$state/pki/ca.key" \
        -out "$state/pki/ca.crt" 2>/dev/null
    local names=DNS:localhost,IP:127.0.0.1,IP:$api_ip,IP:$node_ip name=kubernetes label
    for label in '' .default .svc .cluster.local; do names+=",DNS:$name$label" name+=$label; done
    certificate apiserver /CN=kube-apiserver serverAuth "$names"
    certificate aggregator /CN=aggregator clientAuth
    certificate apiserver-to-kubelet /O=system:masters/CN=kube-apiserver clientAuth
    certificate kubelet-server "/CN=$node" serverAuth "DNS:$node,IP:$node_ip"
    user admin /O=system:masters/CN=admin
    user controller-manager /CN=system:kube-controller-manager
    user scheduler /CN=system:kube-scheduler
    user proxy /CN=system:kube-proxy
    user kubelet "/O=system:nodes/CN=system:node:$node"
    openssl genrsa -out "$state/pki/accounts.key" 2048 2>/dev/null
    openssl rsa -in "$state/pki/accounts.key" -pubout -out "$state/pki/accounts.pub" 2>/dev/null

    cat >"$state/networks/10-pods.conflist" <<CNI
{"cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "bridge", "bridge": "pods0", "isGateway": true, "hairpinMode": true,
  "ipam": {"type": "host-local", "dataDir": "$state/ipam", "ranges": [[{"subnet": "$pods"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
CNI
    cat >"$state/containerd.toml" <<TOML
version = 2
root = "$state/containerd"
state = "/run/containerd"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  # Without CAP_SYS_RESOURCE no process may be made a lesser victim of the memory killer than containerd is.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$state/networks"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
TOML
    cat >"$state/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $state/pki/ca.crt}}
authorization: {mode: Webhook}
address: $node_ip
healthzBindAddress: 127.0.0.1
tlsCertFile: $state/pki/kubelet-server.crt
tlsPrivateKeyFile: $state/pki/kubelet-server.key
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
cgroupDriver: cgroupfs
failSwapOn: false
protectKernelDefaults: true
clusterDNS: [$dns_ip]
clusterDomain: cluster.local
resolvConf: ""
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 200Mi, nodefs.available: 1%, imagefs.available: 1%, nodefs.inodesFree: 1%}
YAML
    cat >"$state/proxy.yaml" <<YAML
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $state/pki/proxy.conf}
hostnameOverride: $node
bindAddress: $node_ip
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
mode: iptables
clusterCIDR: $pods
# The machine's, which a network namespace may not change.
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
YAML
}

# --- the processes --------------------------------------------------------------------------------------------------------------

# daemon NAME COMMAND…: runs it, and writes down when it ends.
daemon() {
    local name=$1
    shift
    (
        code=0
        "$@" >"$log/$name.log" 2>&1 </dev/null || code=$?
        echo "$(date +%T) $name ended with $code" >>"$log/ended"
    ) &
}

# The first process of the node's namespaces; all that it starts ends with it.
first() {
    mount --make-rshared /
    # What containerd, runc and CNI keep in /run, pods' network namespaces among them.
    mount -t tmpfs -o mode=755 tmpfs /run
    mkdir -p /run/netns /run/lock
    local folder
    for folder in "${insisted_on[@]}"; do mount --bind "$state/${folder##*/}" "$folder"; done
    mount --bind "$log" /var/log
    # The kubelet insists on settings of the machine's kernel. It reads what it wants to see; the kernel keeps what it has.
    local setting
    for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 kernel/keys/root_maxkeys=1000000 \
        kernel/keys/root_maxbytes=25000000; do
        mkdir -p "$state/sysctl/$(dirname "${setting%=*}")"
        echo "${setting#*=}" >"$state/sysctl/${setting%=*}"
        mount --bind "$state/sysctl/${setting%=*}" "/proc/sys/${setting%=*}"
    done

    # No interface but loopback and two bridges: nothing of the node reaches the machine's network.
    ip link set lo up
    ip link add node0 type bridge
    ip address add "$node_ip/24" dev node0
    ip address add "$outside_ip/32" dev node0
    ip link set node0 up
    # Addresses of Services are rewritten before they leave, but need a way out.
    ip route add "$services" dev node0
    echo 1 >/proc/sys/net/ipv4/ip_forward
    echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables

    daemon etcd "$bin/etcd" --data-dir "$state/etcd" --log-level warn --unsafe-no-fsync
    daemon kube-apiserver "$bin/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 --advertise-address="$node_ip" --secure-port=6443 \
        --service-cluster-ip-range="$services" --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
        --client-ca-file="$state/pki/ca.crt" --tls-cert-file="$state/pki/apiserver.crt" --tls-private-key-file="$state/pki/apiserver.key" \
        --kubelet-client-certificate="$state/pki/apiserver-to-kubelet.crt" --kubelet-client-key="$state/pki/apiserver-to-kubelet.key" \
        --kubelet-certificate-authority="$state/pki/ca.crt" --kubelet-preferred-address-types=InternalIP \
        --requestheader-client-ca-file="$state/pki/ca.crt" --requestheader-allowed-names=aggregator \
        --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
        --requestheader-extra-headers-prefix=X-Remote-Extra- \
        --proxy-client-cert-file="$state/pki/aggregator.crt" --proxy-client-key-file="$state/pki/aggregator.key" \
        --service-account-issuer=https://kubernetes.default.svc.cluster.local --service-account-key-file="$state/pki/accounts.pub" \
        --service-account-signing-key-file="$state/pki/accounts.key" --allow-privileged=true
    daemon containerd containerd --config "$state/containerd.toml"
    local alone=(--leader-elect=false --bind-address=127.0.0.1)
    daemon kube-controller-manager "$bin/kube-controller-manager" "${alone[@]}" --kubeconfig="$state/pki/controller-manager.conf" \
        --service-account-private-key-file="$state/pki/accounts.key" --root-ca-file="$state/pki/ca.crt" \
        --use-service-account-credentials=true --cluster-signing-cert-file="$state/pki/ca.crt" --cluster-signing-key-file="$state/pki/ca.key"
    daemon kube-scheduler "$bin/kube-scheduler" "${alone[@]}" --kubeconfig="$state/pki/scheduler.conf"
    until_true 60 containerd ctr version
    daemon kubelet "$bin/kubelet" --config="$state/kubelet.yaml" --kubeconfig="$state/pki/kubelet.conf" \
        --hostname-override="$node" --node-ip="$node_ip"
    daemon kube-proxy "$bin/kube-proxy" --config="$state/proxy.yaml"
    # It gives up where it does not find its node.
    until_true 90 "the node's registration" "$bin/kubectl" get node "$node"
    NODE_NAME=$node daemon kube-router "$bin/kube-router" --kubeconfig="$state/pki/admin.conf" --hostname-override="$node" \
        --run-firewall=true --run-router=false --run-service-proxy=false --run-loadbalancer=false \
        --service-cluster-ip-range="$services" --enable-ipv6=false
    daemon volumes keep_volumes
    until_true 60 "the kinds of cert-manager and prometheus-operator" "$bin/kubectl" apply --server-side --filename "$home/kinds"
    daemon cert-manager "$bin/cert-manager" --kubeconfig="$state/pki/admin.conf" --leader-elect=false \
        --metrics-listen-address=127.0.0.1:9402 --cluster-resource-namespace=cert-manager
    # Whatever loses its parent in these namespaces becomes this process's to reap.
    while :; do wait || true; sleep 5; done
}

# Keeps some volumes free: folders of this machine, each bound to a claim when its pod is placed; and removes released ones.
keep_volumes() {
    local number=0 name free
    while :; do
        for name in $("$bin/kubectl" get pv -o 'jsonpath={range .items[?(@.status.phase=="Released")]}{.metadata.name} {end}'); do
            "$bin/kubectl" delete pv "$name" && rm -rf "${state:?}/volumes/$name"
        done
        free=$("$bin/kubectl" get pv -o 'jsonpath={range .items[?(@.status.phase!="Bound")]}{.metadata.name} {end}' | wc -w)
        while ((free < 8)); do
            name=volume-$((++number))
            mkdir -p "$state/volumes/$name"
            NAME=$name FOLDER=$state/volumes/$name NODE=$node fill "$objects/volume.yaml" | "$bin/kubectl" create -f - || break
            free=$((free + 1))
        done
        sleep 2
    done
}

# --- from outside ---------------------------------------------------------------------------------------------------------------

# The process id of the node's first process, as the machine sees it.
first_process() {
    local pid
    pid=$(cat "$state/pid" 2>/dev/null) && [[ -d /proc/$pid ]] && pid=$(cat "/proc/$pid/task/$pid/children") && [[ -n $pid ]] \
        && echo "${pid%% *}"
}

running() { first_process || die "no node runs here: '$self up' starts one"; }
# In all of the node's namespaces.
enter() { local pid; pid=$(running) && nsenter --target "$pid" --net --pid --mount -- "$@"; }
# In its network alone: files are read and written as anywhere else.
within() { local pid; pid=$(running) && nsenter --target "$pid" --net -- "$@"; }
kubectl() { within "$bin/kubectl" "$@"; }

start() {
    setsid unshare --fork --pid --net --mount --uts --mount-proc --kill-child "$root/$self" first >"$log/node.log" 2>&1 </dev/null &
    echo $! >"$state/pid"
    disown
    until_true 10 "the node's first process" first_process
}

api_answers() { kubectl get --raw /readyz; }
node_is_ready() { [[ $(kubectl get node "$node" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}') == True ]]; }

# Names of Services and pods, and what they use.
base() {
    one_program localhost/coredns:1 "$bin/coredns" /coredns
    one_program localhost/metrics-server:1 "$bin/metrics-server" /metrics-server
    one_program localhost/idle:1 "$bin/pause" /idle
    local object
    for object in storage coredns metrics-server; do
        DNS=$dns_ip fill "$objects/$object.yaml" | kubectl apply -f - >/dev/null
    done
    kubectl -n kube-system rollout status deployment coredns --timeout 90s >/dev/null
}

node() {
    kernel
    programs
    ! first_process >/dev/null || { say "the node runs already"; return; }
    [[ ! -e $state ]] || die "$state is left from a node that was not taken down: run '$self down'"
    mkdir -p "${insisted_on[@]}"
    step "certificates and configuration" configure
    step "the node's first process" start
    step "the API answers" until_true 90 "the API" api_answers
    step "the image of pods themselves" one_program localhost/pause:1 "$bin/pause" /pause
    step "the node is ready" until_true 90 "the node" node_is_ready
    step "names, metrics and volumes" base
}

# Says what the kernel lacks, before anything is built.
kernel() {
    [[ $(id -u) == 0 ]] || die "a node needs root"
    local lacks
    lacks=$(unshare --net --mount --pid --fork bash -c '
        ip link add b0 type bridge 2>/dev/null || echo bridges
        ip link add v0 type veth peer name v1 2>/dev/null || echo "pairs of virtual interfaces"
        folder=$(mktemp -d) && mount -t tmpfs tmpfs "$folder" && mkdir "$folder"/{a,b,c,d} &&
            mount -t overlay overlay -o "lowerdir=$folder/a,upperdir=$folder/b,workdir=$folder/c" "$folder/d" 2>/dev/null || echo overlayfs
        umount -R "$folder" && rmdir "$folder"' 2>&1) || lacks+=" namespaces"
    [[ -z $lacks ]] || die "this kernel lacks: ${lacks//$'\n'/, }"
    local hierarchy
    for hierarchy in cpu memory pids; do
        [[ -d /sys/fs/cgroup/$hierarchy ]] || grep -qw "$hierarchy" /sys/fs/cgroup/cgroup.controllers 2>/dev/null \
            || die "this machine's control groups lack $hierarchy"
    done
}

down() {
    local pid hierarchy folder
    if pid=$(first_process); then
        # The kernel ends everything in a process namespace with its first process.
        kill -KILL "$pid"
        while [[ -d /proc/$pid ]]; do sleep 0.1; done
    fi
    for hierarchy in /sys/fs/cgroup/ /sys/fs/cgroup/*/; do
        for folder in kubepods k8s.io; do
            [[ ! -d $hierarchy$folder ]] || find "$hierarchy$folder" -depth -type d -exec rmdir {} + 2>/dev/null || true
        done
    done
    rm -rf "$state"
    # Only where nobody else has anything in them.
    rmdir "${insisted_on[@]}" "$containers" 2>/dev/null || true
}
