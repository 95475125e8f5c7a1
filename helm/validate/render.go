package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	helm "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/strvals"
	"sigs.k8s.io/yaml"
)

const (
	release   = "shop"
	namespace = "sales"
)

// chart is the chart with what its checks need of it.
type chart struct {
	folder    string
	helm      *helm.Chart
	contracts contracts
}

// contracts is files/contracts.json.
type contracts struct {
	Services map[string]service `json:"services"`
}

type service struct {
	// Workloads that may connect to it.
	Callers []string `json:"callers"`
}

// object is one rendered object.
type object struct {
	source  string
	text    string
	content map[string]any
}

func (o object) String() string {
	return fmt.Sprintf("%s %s (%s)", o.kind(), o.name(), o.source)
}

func (o object) kind() string { return at[string](o.content, "kind") }
func (o object) name() string { return at[string](o.content, "metadata", "name") }

// at follows keys into nested maps; the zero value where one is missing.
func at[T any](content map[string]any, keys ...string) T {
	var value any = content
	for _, key := range keys {
		inner, _ := value.(map[string]any)
		value = inner[key]
	}
	found, _ := value.(T)
	return found
}

func load(folder string) (*chart, error) {
	loaded, err := loader.LoadDir(folder)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(folder, "files/contracts.json"))
	if err != nil {
		return nil, err
	}
	c := &chart{folder: folder, helm: loaded}
	return c, json.Unmarshal(text, &c.contracts)
}

// render returns every object of an installation or an upgrade, hooks and tests included.
func (c *chart) render(with combination, upgrade bool) ([]object, error) {
	values, err := c.values(with)
	if err != nil {
		return nil, err
	}
	name := with.release
	if name == "" {
		name = release
	}
	return c.renderValues(values, name, upgrade)
}

func (c *chart) renderValues(values map[string]any, name string, upgrade bool) ([]object, error) {
	return renderChart(c.helm, values, name, upgrade)
}

func renderChart(chart *helm.Chart, values map[string]any, name string, upgrade bool) ([]object, error) {
	top, err := inputs(chart, values, name, upgrade)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(chart, top)
	if err != nil {
		return nil, err
	}
	var objects []object
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if !strings.HasSuffix(path, ".yaml") {
			continue
		}
		for _, text := range strings.Split("\n"+files[path], "\n---\n") {
			var content map[string]any
			if err := yaml.UnmarshalStrict([]byte(text), &content); err != nil {
				return nil, fmt.Errorf("%s: %w\n%s", path, err, text)
			}
			if content != nil {
				objects = append(objects, object{strings.TrimPrefix(path, chart.Name()+"/templates/"), text, content})
			}
		}
	}
	return objects, nil
}

// inputs is what templates see of an installation or an upgrade.
func inputs(chart *helm.Chart, values map[string]any, name string, upgrade bool) (chartutil.Values, error) {
	capabilities := chartutil.DefaultCapabilities.Copy()
	capabilities.KubeVersion = chartutil.KubeVersion{Version: "v" + oldest, Major: "1", Minor: "30"}
	options := chartutil.ReleaseOptions{
		Name: name, Namespace: namespace, Revision: 1, IsInstall: !upgrade, IsUpgrade: upgrade,
	}
	if upgrade {
		options.Revision = 2
	}
	return chartutil.ToRenderValues(chart, values, options, capabilities)
}

func (c *chart) values(with combination) (map[string]any, error) {
	values := map[string]any{}
	for _, file := range with.files {
		layer, err := chartutil.ReadValuesFile(filepath.Join(c.folder, file))
		if err != nil {
			return nil, err
		}
		// What comes later wins, and Helm's function lets the first win.
		values = chartutil.CoalesceTables(layer, values)
	}
	for _, set := range with.sets {
		if err := strvals.ParseInto(set, values); err != nil {
			return nil, fmt.Errorf("%s: %w", set, err)
		}
	}
	return values, nil
}

// refuses tells where values were taken that should not be, or refused for another reason.
func (c *chart) refuses(refused refusal) []string {
	_, err := c.render(refused.combination, false)
	switch {
	case err == nil:
		return []string{"values were taken that should be refused: " + refused.because}
	case !strings.Contains(err.Error(), refused.because):
		return []string{fmt.Sprintf("values were refused, but not with %q: %v", refused.because, err)}
	}
	return nil
}
