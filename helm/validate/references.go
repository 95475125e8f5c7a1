package main

import "fmt"

// references finds objects that name others which are not there.
func references(objects []object) []string {
	var faults []string
	exists := func(kind, name string) bool {
		for _, o := range objects {
			if o.kind() == kind && o.name() == name {
				return true
			}
		}
		return false
	}
	for _, o := range objects {
		needs := func(kind, name string) {
			if name != "" && !exists(kind, name) {
				faults = append(faults, fmt.Sprintf("%s names %s %s, which is not there", o, kind, name))
			}
		}
		pod := podOf(o)
		needs("ServiceAccount", at[string](pod, "spec", "serviceAccountName"))
		for _, volume := range at[[]any](pod, "spec", "volumes") {
			needs("ConfigMap", at[string](volume.(map[string]any), "configMap", "name"))
		}
		for _, container := range containers(o) {
			for _, from := range at[[]any](container, "envFrom") {
				needs("ConfigMap", at[string](from.(map[string]any), "configMapRef", "name"))
			}
		}
		switch o.kind() {
		case "HorizontalPodAutoscaler":
			needs(at[string](o.content, "spec", "scaleTargetRef", "kind"), at[string](o.content, "spec", "scaleTargetRef", "name"))
		case "StatefulSet":
			needs("Service", at[string](o.content, "spec", "serviceName"))
		case "Service":
			faults = append(faults, served(o, objects)...)
		case "Ingress", "HTTPRoute", "GRPCRoute":
			for _, name := range backends(o) {
				needs("Service", name)
			}
		case "Deployment", "PodDisruptionBudget":
			selector := at[map[string]any](o.content, "spec", "selector", "matchLabels")
			if len(selected(selector, objects)) == 0 {
				faults = append(faults, fmt.Sprintf("%s selects no pod", o))
			}
		}
	}
	return append(faults, twice(objects)...)
}

// backends is the Services that an Ingress or a route leads to, each as often as it is named; "none" for a rule without one.
func backends(o object) []string {
	var names []string
	for _, entry := range at[[]any](o.content, "spec", "rules") {
		rule := entry.(map[string]any)
		references := at[[]any](rule, "backendRefs")
		for _, path := range at[[]any](rule, "http", "paths") {
			references = append(references, at[any](path.(map[string]any), "backend", "service"))
		}
		if len(references) == 0 {
			names = append(names, "none")
		}
		for _, reference := range references {
			service, _ := reference.(map[string]any)
			names = append(names, at[string](service, "name"))
		}
	}
	return names
}

// served tells where a Service selects no pod, or one without the port.
func served(o object, objects []object) []string {
	pods := selected(at[map[string]any](o.content, "spec", "selector"), objects)
	if len(pods) == 0 {
		return []string{fmt.Sprintf("%s selects no pod", o)}
	}
	var faults []string
	for _, entry := range at[[]any](o.content, "spec", "ports") {
		target := at[string](entry.(map[string]any), "targetPort")
		for _, pod := range pods {
			if !hasPort(pod, target) {
				faults = append(faults, fmt.Sprintf("%s: %s has no port %q", o, pod, target))
			}
		}
	}
	return faults
}

func hasPort(o object, name string) bool {
	for _, container := range containers(o) {
		for _, port := range at[[]any](container, "ports") {
			if at[string](port.(map[string]any), "name") == name {
				return true
			}
		}
	}
	return false
}

// selected is every object whose pods have the labels.
func selected(labels map[string]any, objects []object) []object {
	var found []object
	for _, o := range objects {
		if pod := podOf(o); pod != nil && hasLabels(at[map[string]any](pod, "metadata", "labels"), labels) {
			found = append(found, o)
		}
	}
	return found
}

func hasLabels(labels, wanted map[string]any) bool {
	for key, value := range wanted {
		if labels[key] != value {
			return false
		}
	}
	return true
}

func twice(objects []object) []string {
	var faults []string
	seen := map[string]bool{}
	for _, o := range objects {
		key := o.kind() + "/" + o.name()
		if seen[key] {
			faults = append(faults, fmt.Sprintf("%s is there twice", o))
		}
		seen[key] = true
	}
	return faults
}
