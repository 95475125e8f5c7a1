package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chartutil"
)

// million is a number that Go prints with an exponent once it is a float.
const million = 1_500_000

var exponent = regexp.MustCompile(`\b[0-9]+(\.[0-9]+)?e\+[0-9]+`)

// numbers sets every number among the values to a large one, in each of the ways by which a number gets there, and finds what is
// rendered with an exponent. What the schema does not let be so large is left as it is.
func (c *chart) numbers() []string {
	var faults []string
	for _, path := range append(numeric(c.helm.Values, nil), settings...) {
		large := []any{json.Number(fmt.Sprint(million)), float64(million), int64(million)}
		// What is a text when it arrives; elsewhere an exponent is as good a number.
		if slices.Contains(path, "settings") {
			large = append(large, million+0.5)
		}
		for _, number := range large {
			values := map[string]any{}
			place(values, path, number)
			all, err := chartutil.CoalesceValues(c.helm, values)
			if err != nil {
				return []string{err.Error()}
			}
			if chartutil.ValidateAgainstSchema(c.helm, all) != nil {
				continue
			}
			objects, err := c.renderValues(values, release, false)
			if err != nil {
				faults = append(faults, fmt.Sprintf("%s=%v: %v", strings.Join(path, "."), number, err))
				continue
			}
			for _, o := range objects {
				if found := exponent.FindString(o.text); found != "" {
					faults = append(faults, fmt.Sprintf("%s=%T: %s holds %s", strings.Join(path, "."), number, o, found))
				}
			}
		}
	}
	return faults
}

// settings are values that may be numbers and have no default.
var settings = [][]string{
	{"defaults", "settings", "BERTHS"},
	{"services", "catalog", "settings", "BERTHS"},
	{"services", "catalog", "resources", "limits", "memory"},
	{"services", "catalog", "resources", "limits", "ephemeral-storage"},
	{"defaults", "resources", "requests", "cpu"},
	{"postgres", "internal", "storage", "size"},
	{"clickhouse", "internal", "storage", "size"},
	{"outside", "storage", "size"},
	{"nats", "internal", "resources", "limits", "memory"},
}

// numeric is the path of every number among the values.
func numeric(values map[string]any, above []string) [][]string {
	var paths [][]string
	for key, value := range values {
		path := append(slices.Clone(above), key)
		switch value := value.(type) {
		case map[string]any:
			paths = append(paths, numeric(value, path)...)
		case float64, int64, json.Number:
			paths = append(paths, path)
		}
	}
	return paths
}

func place(values map[string]any, path []string, value any) {
	for _, key := range path[:len(path)-1] {
		inner, _ := values[key].(map[string]any)
		if inner == nil {
			inner = map[string]any{}
			values[key] = inner
		}
		values = inner
	}
	values[path[len(path)-1]] = value
}
