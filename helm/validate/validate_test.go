package main

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// Each check finds what it is for, and nothing in what is right.

func parse(t *testing.T, text string) object {
	t.Helper()
	var content map[string]any
	if err := yaml.UnmarshalStrict([]byte(text), &content); err != nil {
		t.Fatal(err)
	}
	return object{"test.yaml", text, content}
}

func expect(t *testing.T, faults []string, part string) {
	t.Helper()
	told := strings.Join(faults, "\n")
	if part == "" && told != "" || !strings.Contains(told, part) {
		t.Errorf("expected %q, found %q", part, told)
	}
}

const pod = `
kind: Pod
metadata: {name: p, labels: {app: a}}
spec:
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: c
      ports: [{name: grpc, containerPort: 7100}]
      env: [{name: TRADEWIND_DATABASE_URL_FILE, value: /f}]
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      resources: {requests: {cpu: 1m}, limits: {memory: 1Mi}}
`

func TestPodsAreRestricted(t *testing.T) {
	for _, c := range []struct{ old, new, fault string }{
		{"", "", ""},
		{"runAsNonRoot: true, ", "", "runAsNonRoot != true"},
		{"allowPrivilegeEscalation: false, ", "", "allowPrivilegeEscalation != false"},
		{"readOnlyRootFilesystem: true, ", "", "may write to its root file system"},
		{"limits: {memory: 1Mi}", "", "no memory limit"},
		{"automountServiceAccountToken: false", "", "gets a token"},
	} {
		expect(t, restricted(parse(t, strings.Replace(pod, c.old, c.new, 1))), c.fault)
	}
}

func TestSecretsAreFound(t *testing.T) {
	for _, c := range []struct{ text, fault string }{
		{pod, ""},
		{"kind: Secret\nmetadata: {name: s}", "must hold no secret"},
		{"kind: ConfigMap\nmetadata: {name: m}\ndata: {TRADEWIND_PASSWORD: x}", "shows a secret: TRADEWIND_PASSWORD"},
		{"kind: ConfigMap\nmetadata: {name: m}\ndata: {URL: 'postgres://u:p@h/d'}", "shows a secret: URL"},
		{"kind: ConfigMap\nmetadata: {name: m}\ndata: {URL: 'tls://n-0:4222,tls://n-1:4222'}", ""},
		{strings.Replace(pod, "value: /f", "valueFrom: {secretKeyRef: {name: s, key: k}}", 1), "secret in its environment"},
		{strings.Replace(pod, "env:", "envFrom: [{secretRef: {name: s}}]\n      env:", 1), "environment from a Secret"},
	} {
		expect(t, secrets(parse(t, c.text)), c.fault)
	}
}

func TestReferencesAreWhole(t *testing.T) {
	service := "kind: Service\nmetadata: {name: s}\nspec: {selector: {app: a}, ports: [{port: 1, targetPort: grpc}]}"
	for _, c := range []struct{ text, fault string }{
		{service, ""},
		{strings.Replace(service, "app: a", "app: b", 1), "selects no pod"},
		{strings.Replace(service, "targetPort: grpc", "targetPort: http", 1), `has no port "http"`},
		{"kind: StatefulSet\nmetadata: {name: x}\nspec: {serviceName: web}", "names Service web, which is not there"},
		{pod, "is there twice"},
		{"kind: HTTPRoute\nmetadata: {name: r}\nspec: {rules: [{backendRefs: [{name: web, port: 80}]}]}", "names Service web, which is not there"},
		{"kind: GRPCRoute\nmetadata: {name: r}\nspec: {rules: [{matches: []}]}", "names Service none"},
		{"kind: Ingress\nmetadata: {name: i}\nspec: {rules: [{http: {paths: [{backend: {service: {name: web}}}]}}]}", "names Service web"},
	} {
		expect(t, references([]object{parse(t, pod), parse(t, c.text)}), c.fault)
	}
}

func TestUpgradesChangeNothing(t *testing.T) {
	a, b := parse(t, "kind: Service\nmetadata: {name: a}"), parse(t, "kind: Service\nmetadata: {name: b}")
	expect(t, permanent([]object{a}, []object{a}), "")
	expect(t, permanent([]object{a}, []object{b}), "changes with an upgrade")
	expect(t, permanent([]object{a}, []object{a, b}), "has other objects")
}

const policies = `
kind: NetworkPolicy
metadata: {name: n}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  ingress: [{from: [{podSelector: {matchExpressions: [{key: app.kubernetes.io/component, operator: In, values: [operator]}]}}], ports: [{port: grpc}]}]
  egress: [{to: [{podSelector: {matchLabels: {app.kubernetes.io/component: catalog}}}], ports: [{port: grpc}]}]
`

func TestPoliciesAreTheContracts(t *testing.T) {
	contract := contracts{Services: map[string]service{"catalog": {Callers: []string{"operator"}}}}
	for _, c := range []struct{ old, new, fault string }{
		{"values: [operator]", "values: [operator, gateway]", "gateway may connect to catalog: the contracts say false"},
		{"values: [operator]", "values: [gateway]", "operator may connect to catalog: the contracts say true"},
		{"component: catalog", "component: ordering", "operator may connect to catalog: the contracts say true, its own"},
		{"[Ingress, Egress]", "[Ingress]", "no NetworkPolicy refuses everything else"},
	} {
		expect(t, graph([]object{parse(t, strings.Replace(policies, c.old, c.new, 1))}, contract), c.fault)
	}
}

func TestTheGatewayReachesServicesAlone(t *testing.T) {
	policy := strings.Replace(policies, "component: catalog", "component: postgres", 1)
	policy = strings.ReplaceAll(policy, "port: grpc", "port: postgres")
	expect(t, atTheEdge([]object{parse(t, policy)}, "gateway"), "gateway may connect to postgres")
	expect(t, atTheEdge([]object{parse(t, policies)}, "gateway"), "")
}

func TestTheConsoleIsNotEverybodys(t *testing.T) {
	const from = "from: [{podSelector: {matchExpressions: [{key: app.kubernetes.io/component, operator: In, values: [operator]}]}}], "
	web := strings.Replace(policies, "ports: [{port: grpc}]}]\n  egress", "ports: [{port: web}]}]\n  egress", 1)
	for _, c := range []struct{ old, new, edge, fault string }{
		{"", "", "console", ""},
		{from, "", "console", "console: anybody may connect to it"},
		{from, "from: [], ", "console", "console: anybody may connect to it"},
		{from + "ports: [{port: web}]", "", "console", "console: anybody may connect to it"},
		{from + "ports: [{port: web}]", "ports: [{port: admin}]", "console", ""},
		{from, "", "gateway", ""},
	} {
		expect(t, atTheEdge([]object{parse(t, strings.Replace(web, c.old, c.new, 1))}, c.edge), c.fault)
	}
}

func TestTheGatewayBelievesWhoeverIdentitySaysItIs(t *testing.T) {
	for _, o := range render(t, combination{files: []string{"values-production.yaml"}}) {
		if told := at[string](o.content, "data", "TRADEWIND_ISSUER"); o.kind() == "ConfigMap" && told != "" && told != "https://shop.example.org" {
			t.Errorf("%s has %s", o, told)
		}
		if o.name() == "shop-tradewind-gateway" && o.kind() == "ConfigMap" && at[string](o.content, "data", "TRADEWIND_ISSUER") == "" {
			t.Errorf("%s is not told who issues tokens", o)
		}
	}
}

func render(t *testing.T, with combination) []object {
	t.Helper()
	chart, err := load("../tradewind")
	if err != nil {
		t.Fatal(err)
	}
	objects, err := chart.render(with, false)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func TestNamesAreNobodyElses(t *testing.T) {
	taken := map[string]string{}
	for _, name := range []string{"shop", "tradewind", "shop-tradewind", "tradewind-shop", "tradewindshop", "shop-tradewind-2"} {
		for _, o := range render(t, combination{release: name}) {
			if other, there := taken[o.kind()+o.name()]; there && other != name {
				t.Errorf("releases %s and %s share %s", other, name, o)
			}
			taken[o.kind()+o.name()] = name
		}
	}
}

func TestEveryAddressIsListenedOn(t *testing.T) {
	for _, c := range []struct{ address, none string }{{"::", "0.0.0.0:"}, {"0.0.0.0", "[::]:"}} {
		for _, o := range render(t, combination{sets: []string{"listenAddress=" + c.address}}) {
			if strings.Contains(o.text, c.none) {
				t.Errorf("%s has %s", o, c.none)
			}
		}
	}
}

func TestAlertsFollowTheDurations(t *testing.T) {
	for _, c := range []struct{ set, seconds string }{
		{"tls.mode=certManager", "14400"},
		{"tls.mode=certManager,tls.certManager.renewBefore=1h30m", "2700"},
		{"tls.mode=selfSigned", "14400"},
	} {
		told := ""
		for _, o := range render(t, combination{sets: []string{c.set, "monitoring.prometheusRule.enabled=true"}}) {
			if o.kind() == "PrometheusRule" {
				told = strings.Join(strings.Fields(o.text), " ")
			}
		}
		if !strings.Contains(told, "< "+c.seconds) {
			t.Errorf("%s: no alert at %s s", c.set, c.seconds)
		}
	}
}
