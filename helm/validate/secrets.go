package main

import (
	"fmt"
	"regexp"
)

var (
	// A variable or key with such a name holds a secret, unless it names a file.
	secretName = regexp.MustCompile(`(?i)(password|secret|token|private|credential|DATABASE_URL$|SMTP_URL$)`)
	fileName   = regexp.MustCompile(`_FILE$`)
	// A value that is a secret whatever its name: a key, or a URL with a password.
	secretValue = regexp.MustCompile(`-----BEGIN|://[^/\s:@]+:[^/\s@]+@`)
)

// secrets finds secrets where they could be read by those who may not: in objects that are no Secrets, and in the environment.
func secrets(o object) []string {
	var faults []string
	if o.kind() == "Secret" {
		faults = append(faults, fmt.Sprintf("%s: the chart must hold no secret", o))
	}
	if o.kind() == "ConfigMap" {
		for key, value := range at[map[string]any](o.content, "data") {
			faults = append(faults, secret(o, key, value)...)
		}
	}
	for _, container := range containers(o) {
		for _, from := range at[[]any](container, "envFrom") {
			if at[map[string]any](from.(map[string]any), "secretRef") != nil {
				faults = append(faults, fmt.Sprintf("%s takes its environment from a Secret", o))
			}
		}
		for _, entry := range at[[]any](container, "env") {
			variable := entry.(map[string]any)
			if at[map[string]any](variable, "valueFrom", "secretKeyRef") != nil {
				faults = append(faults, fmt.Sprintf("%s has a secret in its environment: %s", o, variable["name"]))
			}
			faults = append(faults, secret(o, at[string](variable, "name"), variable["value"])...)
		}
	}
	return faults
}

func secret(o object, name string, value any) []string {
	text, _ := value.(string)
	if secretName.MatchString(name) && !fileName.MatchString(name) || secretValue.MatchString(text) {
		return []string{fmt.Sprintf("%s shows a secret: %s", o, name)}
	}
	return nil
}

func containers(o object) []map[string]any {
	var all []map[string]any
	for _, field := range []string{"initContainers", "containers"} {
		for _, container := range at[[]any](podOf(o), "spec", field) {
			all = append(all, container.(map[string]any))
		}
	}
	return all
}
