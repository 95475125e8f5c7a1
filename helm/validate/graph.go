package main

import (
	"fmt"
	"slices"
)

// edges are the workloads that whoever is outside calls.
var edges = []string{"gateway", "console"}

// graph holds who may connect to whom, as the rendered NetworkPolicies together say, against the contracts.
func graph(objects []object, contracts contracts) []string {
	var faults []string
	policies := slices.DeleteFunc(slices.Clone(objects), func(o object) bool { return o.kind() != "NetworkPolicy" })
	pods := func(edge string) bool {
		return slices.ContainsFunc(objects, func(o object) bool { return o.kind() == "Deployment" && o.name() == release+"-tradewind-"+edge })
	}
	workloads := append([]string{"operator"}, edges...)
	for name := range contracts.Services {
		workloads = append(workloads, name)
	}
	for name, contract := range contracts.Services {
		for _, caller := range workloads {
			declared := slices.Contains(contract.Callers, caller)
			in := allows(policies, "ingress", "from", labels(name), labels(caller), "grpc")
			if in != declared {
				faults = append(faults, fmt.Sprintf("%s may connect to %s: the contracts say %v, its NetworkPolicy says %v", caller, name, declared, in))
			}
			out := allows(policies, "egress", "to", labels(caller), labels(name), "grpc")
			// Where one at the edge is not enabled, there are no pods of it.
			if (!slices.Contains(edges, caller) || pods(caller)) && out != declared {
				faults = append(faults, fmt.Sprintf("%s may connect to %s: the contracts say %v, its own NetworkPolicy says %v", caller, name, declared, out))
			}
		}
		if !denied(policies, name) {
			faults = append(faults, fmt.Sprintf("%s: no NetworkPolicy refuses everything else", name))
		}
	}
	for _, edge := range edges {
		if pods(edge) {
			faults = append(faults, atTheEdge(policies, edge)...)
		}
	}
	return faults
}

// atTheEdge tells where one at the edge may reach what is for services alone.
func atTheEdge(policies []object, edge string) []string {
	var faults []string
	for component, port := range map[string]string{"postgres": "postgres", "outside": "http", "clickhouse": "http"} {
		if allows(policies, "egress", "to", labels(edge), labels(component), port) {
			faults = append(faults, fmt.Sprintf("%s may connect to %s, which is for services", edge, component))
		}
	}
	// The gateway is everybody's.
	if edge == "console" && open(policies, edge, "web") {
		faults = append(faults, fmt.Sprintf("%s: anybody may connect to it", edge))
	}
	if !denied(policies, edge) {
		faults = append(faults, fmt.Sprintf("%s: no NetworkPolicy refuses everything else", edge))
	}
	return faults
}

func labels(component string) map[string]any {
	return map[string]any{
		"app.kubernetes.io/name": "tradewind", "app.kubernetes.io/instance": release, "app.kubernetes.io/component": component,
	}
}

// allows tells whether a policy of the pods `of` lets the pods `peer` through on the port.
func allows(policies []object, direction, side string, of, peer map[string]any, port string) bool {
	for _, policy := range policies {
		if !matches(at[map[string]any](policy.content, "spec", "podSelector"), of) {
			continue
		}
		for _, entry := range at[[]any](policy.content, "spec", direction) {
			rule := entry.(map[string]any)
			if onPort(rule, port) && slices.ContainsFunc(at[[]any](rule, side), func(allowed any) bool {
				selector, own := allowed.(map[string]any)["podSelector"].(map[string]any)
				_, elsewhere := allowed.(map[string]any)["namespaceSelector"]
				return own && !elsewhere && matches(selector, peer)
			}) {
				return true
			}
		}
	}
	return false
}

// open tells whether a policy lets everybody through on the port.
func open(policies []object, component, port string) bool {
	return slices.ContainsFunc(policies, func(policy object) bool {
		return matches(at[map[string]any](policy.content, "spec", "podSelector"), labels(component)) &&
			slices.ContainsFunc(at[[]any](policy.content, "spec", "ingress"), func(entry any) bool {
				rule := entry.(map[string]any)
				return len(at[[]any](rule, "from")) == 0 && (len(at[[]any](rule, "ports")) == 0 || onPort(rule, port))
			})
	})
}

func onPort(rule map[string]any, name string) bool {
	return slices.ContainsFunc(at[[]any](rule, "ports"), func(port any) bool { return port.(map[string]any)["port"] == name })
}

// denied tells whether a policy isolates the pods of a component in both directions.
func denied(policies []object, component string) bool {
	return slices.ContainsFunc(policies, func(policy object) bool {
		types := at[[]any](policy.content, "spec", "policyTypes")
		return matches(at[map[string]any](policy.content, "spec", "podSelector"), labels(component)) &&
			slices.Contains(types, any("Ingress")) && slices.Contains(types, any("Egress"))
	})
}

// matches evaluates a label selector.
func matches(selector, labels map[string]any) bool {
	if !hasLabels(labels, at[map[string]any](selector, "matchLabels")) {
		return false
	}
	for _, entry := range at[[]any](selector, "matchExpressions") {
		expression := entry.(map[string]any)
		if !slices.Contains(at[[]any](expression, "values"), labels[at[string](expression, "key")]) {
			return false
		}
	}
	return true
}
