package ingest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Label is one name with its value.
type Label struct{ Name, Value string }

// Labels are an alert's labels or annotations, sorted by name, each name once.
type Labels []Label

// LabelsOf returns m as sorted labels. Empty values are left out: to Prometheus an
// empty label and a missing one are the same.
func LabelsOf(m map[string]string) Labels {
	ls := make(Labels, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if m[name] != "" {
			ls = append(ls, Label{name, m[name]})
		}
	}
	return ls
}

// Get returns the value of the label name, or "".
func (ls Labels) Get(name string) string {
	i, ok := slices.BinarySearchFunc(ls, name, func(l Label, n string) int { return strings.Compare(l.Name, n) })
	if !ok {
		return ""
	}
	return ls[i].Value
}

// Len returns how many there are.
func (ls Labels) Len() int { return len(ls) }

// At returns the name and value at i.
func (ls Labels) At(i int) (name, value string) { return ls[i].Name, ls[i].Value }

// Bytes is how long names and values are together.
func (ls Labels) Bytes() int {
	n := 0
	for i := range ls {
		n += len(ls[i].Name) + len(ls[i].Value)
	}
	return n
}

// Map returns the labels as a map.
func (ls Labels) Map() map[string]string {
	m := make(map[string]string, len(ls))
	for _, l := range ls {
		m[l.Name] = l.Value
	}
	return m
}

// MarshalJSON writes one object, its names sorted.
func (ls Labels) MarshalJSON() ([]byte, error) { return json.Marshal(ls.Map()) }

// UnmarshalJSON reads one object of strings.
func (ls *Labels) UnmarshalJSON(b []byte) error {
	var m map[string]string
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	*ls = LabelsOf(m)
	return nil
}
