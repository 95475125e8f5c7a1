package main

import (
	"errors"
	"fmt"
	"runtime"
	"sort"
	"strings"
	"sync"
)

// report collects faults, each with the shortest combination that showed it.
type report struct {
	mutex  sync.Mutex
	seen   map[string]bool
	faults map[string]string
}

func newReport() *report {
	return &report{seen: map[string]bool{}, faults: map[string]string{}}
}

func (r *report) add(c combination, faults []string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, fault := range faults {
		if known, is := r.faults[fault]; !is || len(c.String()) < len(known) {
			r.faults[fault] = c.String()
		}
	}
}

// unseen keeps the objects that no combination before had.
func (r *report) unseen(objects []object) []object {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	var fresh []object
	for _, object := range objects {
		if !r.seen[object.text] {
			r.seen[object.text] = true
			fresh = append(fresh, object)
		}
	}
	return fresh
}

func (r *report) objects() int { return len(r.seen) }

func (r *report) err() error {
	if len(r.faults) == 0 {
		return nil
	}
	lines := make([]string, 0, len(r.faults))
	for fault, where := range r.faults {
		lines = append(lines, fmt.Sprintf("%s\n    with %s", fault, where))
	}
	sort.Strings(lines)
	return errors.New(fmt.Sprintf("%d faults\n", len(lines)) + strings.Join(lines, "\n"))
}

// each calls do for every combination, on every processor.
func each(combinations []combination, do func(combination)) {
	work := make(chan combination)
	var workers sync.WaitGroup
	for range runtime.NumCPU() {
		workers.Go(func() {
			for c := range work {
				do(c)
			}
		})
	}
	for _, c := range combinations {
		work <- c
	}
	close(work)
	workers.Wait()
}
