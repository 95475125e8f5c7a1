package main

import (
	"encoding/json"
	"fmt"

	core "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

var evaluator = func() policy.Evaluator {
	made, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		panic(err)
	}
	return made
}()

// podOf is the pod that an object is or makes, as its metadata and spec.
func podOf(o object) map[string]any {
	switch o.kind() {
	case "Pod":
		return o.content
	case "Deployment", "StatefulSet", "Job", "DaemonSet":
		return at[map[string]any](o.content, "spec", "template")
	case "CronJob":
		return at[map[string]any](o.content, "spec", "jobTemplate", "spec", "template")
	}
	return nil
}

// restricted holds a pod against the restricted profile of the Pod Security Standards, as the API server does.
func restricted(o object) []string {
	template := podOf(o)
	if template == nil {
		return nil
	}
	text, err := json.Marshal(template)
	if err != nil {
		return []string{err.Error()}
	}
	var pod core.Pod
	if err := json.Unmarshal(text, &pod); err != nil {
		return []string{fmt.Sprintf("%s: %v", o, err)}
	}
	var faults []string
	for _, version := range []api.Version{api.MajorMinorVersion(1, 30), api.LatestVersion()} {
		level := api.LevelVersion{Level: api.LevelRestricted, Version: version}
		result := policy.AggregateCheckResults(evaluator.EvaluatePod(level, &pod.ObjectMeta, &pod.Spec))
		if !result.Allowed {
			faults = append(faults, fmt.Sprintf("%s is not restricted: %s", o, result.ForbiddenDetail()))
		}
	}
	for _, container := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
		context := container.SecurityContext
		if context == nil || context.ReadOnlyRootFilesystem == nil || !*context.ReadOnlyRootFilesystem {
			faults = append(faults, fmt.Sprintf("%s: %s may write to its root file system", o, container.Name))
		}
		if container.Resources.Limits.Memory().IsZero() || container.Resources.Requests.Cpu().IsZero() {
			faults = append(faults, fmt.Sprintf("%s: %s has no memory limit or asks for no CPU", o, container.Name))
		}
	}
	token := pod.Spec.AutomountServiceAccountToken
	if (token == nil || *token) && at[string](template, "metadata", "labels", "app.kubernetes.io/component") != "init" {
		faults = append(faults, fmt.Sprintf("%s gets a token of the Kubernetes API", o))
	}
	return faults
}
