// Validate renders the chart in every combination of its switches and holds the objects against Kubernetes' own schemas, the
// restricted Pod Security profile, the contracts, and each other. `scripts/chart` runs it.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	chart := flag.String("chart", "helm/tradewind", "folder of the chart")
	schemas := flag.String("schemas", "", "folder to keep the schemas in")
	render := flag.Bool("render", false, "print the objects for the value files that are named, as JSON, and check nothing")
	flag.Parse()
	var err error
	if *render {
		err = print(*chart, flag.Args())
	} else {
		err = validate(*chart, *schemas)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

func print(folder string, files []string) error {
	chart, err := load(folder)
	if err != nil {
		return err
	}
	objects, err := chart.render(combination{files: files}, false)
	if err != nil {
		return err
	}
	all := make([]map[string]any, len(objects))
	for i, object := range objects {
		all[i] = object.content
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", " ")
	return encoder.Encode(all)
}

func validate(folder, schemas string) error {
	began := time.Now()
	chart, err := load(folder)
	if err != nil {
		return err
	}
	kubernetes, err := loadSchemas(schemas)
	if err != nil {
		return err
	}
	report := newReport()
	combinations := matrix()
	for _, refused := range refusals {
		report.add(refused.combination, chart.refuses(refused))
	}
	each(combinations, func(c combination) {
		objects, err := chart.render(c, false)
		if err != nil {
			report.add(c, []string{err.Error()})
			return
		}
		var faults []string
		for _, object := range report.unseen(objects) {
			faults = append(faults, kubernetes.validate(object)...)
			faults = append(faults, restricted(object)...)
			faults = append(faults, secrets(object)...)
		}
		faults = append(faults, references(objects)...)
		if len(c.sets) <= 1 {
			faults = append(faults, chart.upgrades(c, objects)...)
		}
		if c.networkPolicies() {
			faults = append(faults, graph(objects, chart.contracts)...)
		}
		report.add(c, faults)
	})
	report.add(combination{sets: []string{"large numbers"}}, chart.numbers())
	report.add(combination{sets: []string{"in another chart"}}, chart.within())
	if err := report.err(); err != nil {
		return err
	}
	fmt.Printf("chart: %d combinations of values, %d different objects, %d refusals: schemas of %s, restricted pods, no secrets, "+
		"whole references, the contracts' graph, large numbers, as a part of another chart (%.0f s)\n",
		len(combinations), report.objects(), len(refusals), kubernetes.versions(), time.Since(began).Seconds())
	return nil
}
