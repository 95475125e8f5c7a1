# What a node is made of: Debian's packages, and programs built from Go modules. Sourced by scripts/cluster.

KUBERNETES_VERSION=1.34.4   # The last minor version that takes both cgroup v1 and Debian 12's containerd 1.6.
ETCD_VERSION=3.6.13         # Debian's 3.4 reports no progress of a watch, for which the API server's cache then waits in vain.
COREDNS_VERSION=1.13.1      # Has the same client-go.
METRICS_VERSION=0.8.0       # metrics-server: what autoscalers go by.
ROUTER_VERSION=2.1.0        # kube-router, which makes NetworkPolicies more than text: the newest whose module goes by its path.
CERT_MANAGER_VERSION=1.11.5 # The last whose controller is in the module that is published.
OPERATOR_VERSION=0.85.0     # prometheus-operator: only the kinds of objects that it defines.

packages() {
    local wanted=(containerd runc containernetworking-plugins iptables ipset conntrack iproute2 buildah debootstrap openssl)
    dpkg -s "${wanted[@]}" >/dev/null 2>&1 && return
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null
}

# sources MODULE VERSION: the folder that holds them.
sources() { go -C "$build" mod download -json "$1@v$2" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p'; }

# borrow FOLDER MODULE VERSION: a module in FOLDER that builds the programs of another one. `go install` refuses a module that
# replaces others, so its requirements are copied; what it replaces by its own folders is taken as published.
borrow() {
    local from
    from=$(sources "$2" "$3")
    mkdir -p "$1"
    sed -e "s#^module .*#module borrowed#" \
        -e "s#^\(\s*\)\(k8s.io/[a-z-]*\) => \./staging/.*#\1\2 => \2 v0.${KUBERNETES_VERSION#1.}#" \
        -e "s#^\(\s*\)\(go.etcd.io/etcd/[a-z/0-9]*\) => \.\./.*#\1\2 => \2 v$ETCD_VERSION#" \
        -e "0,/^require (/s##require $2 v$3\n\nrequire (#" "$from/go.mod" >"$1/go.mod"
    install -m 644 "$from/go.sum" "$1/go.sum"
}

# go_program NAME FOLDER PACKAGE [FLAGS-OF-THE-LINKER]
go_program() {
    [[ ! -x $bin/$1 ]] || return 0
    step "go build $1" env -C "$2" CGO_ENABLED=0 GOFLAGS=-mod=mod nice go build -trimpath -ldflags "-s -w ${4:-}" -o "$bin/$1" "$3"
}

# borrowed NAME MODULE VERSION PACKAGE [FLAGS-OF-THE-LINKER]: one program of a module.
borrowed() {
    [[ ! -x $bin/$1 ]] || return 0
    [[ -f $build/$1/go.mod ]] || borrow "$build/$1" "$2" "$3"
    go_program "$1" "$build/$1" "$4" "${5:-}"
}

kubernetes() {
    local program package flags= minor=${KUBERNETES_VERSION#1.}
    for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
        flags+=" -X $package.gitVersion=v$KUBERNETES_VERSION -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*}"
        flags+=" -X $package.gitTreeState=clean"
    done
    [[ -f $build/kubernetes/go.mod ]] || borrow "$build/kubernetes" k8s.io/kubernetes "$KUBERNETES_VERSION"
    for program in kube-apiserver kube-controller-manager kube-scheduler kubectl kubelet kube-proxy; do
        go_program "$program" "$build/kubernetes" "k8s.io/kubernetes/cmd/$program" "$flags"
    done
}

# With the plugins that a cluster needs: all of them bring the SDKs of three clouds.
coredns() {
    [[ ! -x $bin/coredns ]] || return 0
    local folder=$build/coredns plugins=(health ready errors log cache loadbalance kubernetes)
    borrow "$folder" github.com/coredns/coredns "$COREDNS_VERSION"
    {
        printf 'package main\n\nimport (\n\t"github.com/coredns/coredns/core/dnsserver"\n\t"github.com/coredns/coredns/coremain"\n'
        printf '\t_ "github.com/coredns/coredns/plugin/%s"\n' "${plugins[@]}"
        printf ')\n\nfunc main() {\n\tdnsserver.Directives = []string{'
        printf '"%s", ' "${plugins[@]}"
        printf '}\n\tcoremain.Run()\n}\n'
    } >"$folder/main.go"
    go_program coredns "$folder" .
}

# kinds MODULE VERSION FILE…: what defines kinds of objects, without what its own chart would fill in.
kinds() {
    local file from=
    for file in "${@:3}"; do
        [[ ! -s $home/kinds/${file##*/} ]] || continue
        from=${from:-$(sources "$1" "$2")}
        mkdir -p "$home/kinds"
        sed '/{{/d' "$from/$file" >"$home/kinds/${file##*/}"
    done
}

# The process that holds a pod's namespaces, and reaps what dies in them.
pause_program() {
    [[ ! -x $bin/pause ]] || return 0
    cc -static -Os -s -x c -o "$bin/pause" - <<'C'
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
static void end(int signal) { (void)signal; _exit(0); }
static void reap(int signal) { (void)signal; while (waitpid(-1, NULL, WNOHANG) > 0) {} }
int main(void) {
    signal(SIGTERM, end);
    signal(SIGINT, end);
    signal(SIGCHLD, reap);
    for (;;) pause();
}
C
}

programs() {
    mkdir -p "$bin" "$build"
    step "packages" packages
    kubernetes
    borrowed etcd go.etcd.io/etcd/server/v3 "$ETCD_VERSION" go.etcd.io/etcd/server/v3
    coredns
    borrowed metrics-server sigs.k8s.io/metrics-server "$METRICS_VERSION" sigs.k8s.io/metrics-server/cmd/metrics-server
    borrowed kube-router github.com/cloudnativelabs/kube-router/v2 "$ROUTER_VERSION" \
        github.com/cloudnativelabs/kube-router/v2/cmd/kube-router
    borrowed cert-manager github.com/cert-manager/cert-manager "$CERT_MANAGER_VERSION" \
        github.com/cert-manager/cert-manager/cmd/controller
    kinds github.com/cert-manager/cert-manager "$CERT_MANAGER_VERSION" \
        deploy/crds/crd-{certificates,certificaterequests,challenges,clusterissuers,issuers,orders}.yaml
    kinds github.com/prometheus-operator/prometheus-operator "$OPERATOR_VERSION" \
        example/prometheus-operator-crd/monitoring.coreos.com_{servicemonitors,prometheusrules}.yaml
    pause_program
}
