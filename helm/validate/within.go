package main

import (
	"fmt"

	helm "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
)

// within renders the chart as a part of another, twice under two aliases that conditions switch on, and tells where the two share an
// object, name what is not there, or stay although they are switched off.
func (c *chart) within() []string {
	var faults []string
	for _, enabled := range []map[string]bool{{"east": true, "west": true}, {"east": true, "west": false}, {}} {
		parent := &helm.Chart{Metadata: &helm.Metadata{APIVersion: "v2", Name: "stores", Version: "1.0.0"}}
		values := map[string]any{"global": map[string]any{"region": "north"}}
		for _, alias := range []string{"east", "west"} {
			parent.Metadata.Dependencies = append(parent.Metadata.Dependencies, &helm.Dependency{
				Name: c.helm.Name(), Version: c.helm.Metadata.Version, Alias: alias, Condition: alias + ".enabled",
			})
			values[alias] = map[string]any{"enabled": enabled[alias]}
		}
		// A chart is processed in place, so it is read anew.
		part, err := load(c.folder)
		if err != nil {
			return []string{err.Error()}
		}
		parent.SetDependencies(part.helm)
		if err := chartutil.ProcessDependenciesWithMerge(parent, values); err != nil {
			return []string{err.Error()}
		}
		objects, err := renderChart(parent, values, release, false)
		if err != nil {
			return []string{fmt.Sprintf("as a part of another chart: %v", err)}
		}
		found := map[string]int{}
		for _, o := range objects {
			found[at[string](o.content, "metadata", "labels", "app.kubernetes.io/name")]++
		}
		for _, alias := range []string{"east", "west"} {
			if (found[alias] > 0) != enabled[alias] {
				faults = append(faults, fmt.Sprintf("as a part of another chart, %s is enabled: %v, and has %d objects", alias, enabled[alias], found[alias]))
			}
		}
		// An object that is there twice is told there.
		faults = append(faults, references(objects)...)
	}
	return faults
}
