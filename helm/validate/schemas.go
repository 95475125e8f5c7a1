package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/yannh/kubeconform/pkg/resource"
	"github.com/yannh/kubeconform/pkg/validator"
	"sigs.k8s.io/yaml"
)

// The oldest version of Kubernetes that the chart is for, and the newest.
const (
	oldest = "1.30.14"
	newest = "1.36.3"
)

// Modules that hold the schemas of objects that are not Kubernetes' own, with the files there.
var definitions = map[string]string{
	"github.com/prometheus-operator/prometheus-operator@v0.85.0": "example/prometheus-operator-crd/*.yaml",
	"github.com/cert-manager/cert-manager@v1.21.2":               "deploy/crds/*.yaml",
	"sigs.k8s.io/gateway-api@v1.4.0":                             "config/crd/standard/*.yaml",
}

// schemas validates objects against every version.
type schemas struct {
	names      []string
	validators []validator.Validator
}

// loadSchemas writes the schemas that are missing into the folder.
func loadSchemas(folder string) (*schemas, error) {
	own := filepath.Join(folder, "custom")
	for module, files := range definitions {
		err := once(filepath.Join(folder, strings.ReplaceAll(module, "/", "_")), func() error {
			return writeCustom(module, files, own)
		})
		if err != nil {
			return nil, err
		}
	}
	all := &schemas{names: []string{oldest, newest}}
	for _, version := range all.names {
		kubernetes := filepath.Join(folder, "v"+version)
		err := once(filepath.Join(folder, "kubernetes_"+version), func() error {
			return writeKubernetes("k8s.io/kubernetes@v"+version, kubernetes)
		})
		if err != nil {
			return nil, err
		}
		locations := []string{kubernetes + "/{{.ResourceKind}}{{.KindSuffix}}.json", own + "/{{.ResourceKind}}{{.KindSuffix}}.json"}
		made, err := validator.New(locations, validator.Opts{KubernetesVersion: version, Strict: true})
		if err != nil {
			return nil, err
		}
		all.validators = append(all.validators, made)
	}
	return all, nil
}

func (s *schemas) versions() string { return strings.Join(s.names, " and ") }

func (s *schemas) validate(o object) []string {
	var faults []string
	for i, kubernetes := range s.validators {
		result := kubernetes.ValidateResource(resource.Resource{Path: o.source, Bytes: []byte(o.text)})
		if result.Status != validator.Valid {
			faults = append(faults, fmt.Sprintf("%s is not valid for Kubernetes %s: %v", o, s.names[i], result.Err))
		}
	}
	return faults
}

// once does what is to be done unless the mark says that it was.
func once(mark string, do func() error) error {
	if _, err := os.Stat(mark); err == nil {
		return nil
	}
	if err := do(); err != nil {
		return err
	}
	return os.WriteFile(mark, nil, 0o644)
}

// download returns the folder of a module, which the Go proxy serves where nothing else is reached.
func download(module string) (string, error) {
	output, err := exec.Command("go", "mod", "download", "-json", module).Output()
	var answer struct{ Dir, Error string }
	if json.Unmarshal(output, &answer) != nil || answer.Dir == "" {
		return "", fmt.Errorf("cannot download %s: %v %s", module, err, answer.Error)
	}
	return answer.Dir, nil
}

func writeKubernetes(module, folder string) error {
	source, err := download(module)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(source, "api/openapi-spec/swagger.json"))
	if err != nil {
		return err
	}
	var swagger struct {
		Definitions map[string]map[string]any `json:"definitions"`
	}
	if err := json.Unmarshal(text, &swagger); err != nil {
		return err
	}
	for name, definition := range swagger.Definitions {
		strict(definition)
		switch {
		case strings.HasSuffix(name, ".IntOrString"):
			swagger.Definitions[name] = map[string]any{"type": []string{"integer", "string"}}
		case strings.HasSuffix(name, ".Quantity"):
			swagger.Definitions[name] = map[string]any{"type": []string{"number", "string"}}
		}
	}
	if err := write(folder, "definitions.json", map[string]any{"definitions": swagger.Definitions}); err != nil {
		return err
	}
	for name, definition := range swagger.Definitions {
		kinds, _ := definition["x-kubernetes-group-version-kind"].([]any)
		if len(kinds) != 1 {
			continue
		}
		kind := kinds[0].(map[string]any)
		schema := map[string]any{"$ref": "definitions.json#/definitions/" + name}
		if err := write(folder, schemaFile(kind["group"].(string), kind["version"].(string), kind["kind"].(string)), schema); err != nil {
			return err
		}
	}
	return nil
}

func writeCustom(module, pattern, folder string) error {
	source, err := download(module)
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(source, pattern))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("%s holds no %s", module, pattern)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		var definition struct {
			Spec struct {
				Group    string
				Names    struct{ Kind string }
				Versions []struct {
					Name   string
					Schema struct {
						OpenAPIV3Schema map[string]any `json:"openAPIV3Schema"`
					}
				}
			}
		}
		if err := yaml.Unmarshal(text, &definition); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		for _, version := range definition.Spec.Versions {
			schema := version.Schema.OpenAPIV3Schema
			strict(schema)
			// The API server's word on it is the same for every kind.
			at[map[string]any](schema, "properties")["metadata"] = map[string]any{"type": "object"}
			if err := write(folder, schemaFile(definition.Spec.Group, version.Name, definition.Spec.Names.Kind), schema); err != nil {
				return err
			}
		}
	}
	return nil
}

// schemaFile is the name under which a kind is looked for.
func schemaFile(group, version, kind string) string {
	group, _, _ = strings.Cut(group, ".")
	if group != "" {
		version = group + "-" + version
	}
	return strings.ToLower(kind + "-" + version + ".json")
}

func write(folder, file string, content any) error {
	text, err := json.Marshal(content)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, file), text, 0o644)
}

// strict lets objects have no properties but their own, and turns what only OpenAPI knows into JSON Schema.
func strict(schema any) {
	switch schema := schema.(type) {
	case []any:
		for _, inner := range schema {
			strict(inner)
		}
	case map[string]any:
		for _, inner := range schema {
			strict(inner)
		}
		if reference, is := schema["$ref"].(string); is {
			schema["$ref"] = "definitions.json" + reference
			// Defaults and descriptions beside a reference mean nothing.
			delete(schema, "default")
		}
		if schema["x-kubernetes-int-or-string"] == true || schema["format"] == "int-or-string" {
			delete(schema, "format")
			schema["type"] = []any{"integer", "string"}
		}
		_, has := schema["properties"].(map[string]any)
		_, open := schema["additionalProperties"]
		if has && !open && schema["type"] != nil && schema["x-kubernetes-preserve-unknown-fields"] != true {
			schema["additionalProperties"] = false
		}
	}
}
