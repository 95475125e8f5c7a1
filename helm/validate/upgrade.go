package main

import (
	"fmt"
	"reflect"
)

// upgrades renders an upgrade to the same values and holds it against the installation.
func (c *chart) upgrades(with combination, installed []object) []string {
	upgraded, err := c.render(with, true)
	if err != nil {
		return []string{"upgrade: " + err.Error()}
	}
	return permanent(installed, upgraded)
}

// permanent tells where an upgrade of the same values would change anything: nothing may be random, or what an installation made
// would be lost.
func permanent(installed, upgraded []object) []string {
	if len(installed) != len(upgraded) {
		return []string{"an upgrade has other objects than the installation"}
	}
	var faults []string
	for i, o := range installed {
		if !reflect.DeepEqual(o.content, upgraded[i].content) {
			faults = append(faults, fmt.Sprintf("%s changes with an upgrade of the same values", o))
		}
	}
	return faults
}
