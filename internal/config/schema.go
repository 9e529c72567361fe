package config

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// spec documents one key of a file. The decoder and docs/ are made of the same keys.
type spec struct {
	Name     string
	Type     string // what its value is, in words
	Default  string // as it would be written; "" where there is none
	Required bool
	Text     string // what it means
	Keys     []spec // of the mapping, or of each mapping of the list, below it
}

// reader reads a node into a value of type V. what names the value in messages.
type reader[V any] struct {
	kind string // the type's name in docs
	keys []spec // below it
	read func(d *decoder, n *yaml.Node, what string, into *V)
}

// field is one key of a mapping that is read into a T.
type field[T any] struct {
	spec
	read func(d *decoder, n *yaml.Node, into *T)
}

// key makes a field from its documentation, a reader, and the place where the value goes.
func key[T, V any](k spec, r reader[V], place func(*T) *V) field[T] {
	k.Type, k.Keys = r.kind, r.keys
	return field[T]{k, func(d *decoder, n *yaml.Node, into *T) { r.read(d, n, k.Name, place(into)) }}
}

// object reads a mapping. Every key that stands there is known, and stands once.
func object[T any](fields ...field[T]) reader[T] {
	keys := make([]spec, len(fields))
	names := make([]string, len(fields))
	for i, f := range fields {
		keys[i], names[i] = f.spec, f.Name
	}
	return reader[T]{"mapping", keys, func(d *decoder, n *yaml.Node, what string, into *T) {
		n, ok := d.enter(n)
		if !ok {
			return
		}
		if n.Kind != yaml.MappingNode && !isNull(n) { // nothing at all is an empty mapping
			d.errorf(n, "%s: want a mapping of keys, not %s", what, kindOf(n))
			return
		}
		seen := make(map[string]*yaml.Node, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			name, value := n.Content[i], n.Content[i+1]
			if d.known(name, names, seen) {
				fields[slices.Index(names, name.Value)].read(d, value, into)
			}
		}
		for _, f := range fields {
			if f.Required && seen[f.Name] == nil {
				d.errorf(n, "%s: has no %s (%s)", what, f.Name, f.Text)
			}
		}
	}}
}

// known says whether a key is to be read, and notes what is wrong with it if not.
func (d *decoder) known(name *yaml.Node, names []string, seen map[string]*yaml.Node) bool {
	switch first := seen[name.Value]; {
	case name.Kind != yaml.ScalarNode:
		d.errorf(name, "a key is a word, not %s", kindOf(name))
		return false
	case name.Tag == "!!merge":
		d.errorf(name, "merging with << is not supported; write the keys out")
		return false
	case !slices.Contains(names, name.Value):
		d.errorf(name, "unknown key %q; %s", name.Value, suggest(name.Value, names))
		return false
	case first != nil:
		d.errorf(name, "%s stands here twice; the first is in line %d", name.Value, first.Line)
		return false
	}
	seen[name.Value] = name
	return true
}

// list reads a sequence. Nothing at all is an empty list.
func list[V any](item reader[V]) reader[[]V] {
	return reader[[]V]{"list of " + item.kind, item.keys, func(d *decoder, n *yaml.Node, what string, into *[]V) {
		n, ok := d.enter(n)
		if !ok || isNull(n) {
			return
		}
		if n.Kind != yaml.SequenceNode {
			d.errorf(n, "%s: want a list, not %s", what, kindOf(n))
			return
		}
		*into = make([]V, len(n.Content))
		for i, child := range n.Content {
			item.read(d, child, what, &(*into)[i])
		}
	}}
}

// scalar reads one word, number or text with parse, whose error says what is wrong
// with it and what would be right.
func scalar[V any](kind string, parse func(string) (V, error)) reader[V] {
	return reader[V]{kind, nil, func(d *decoder, n *yaml.Node, what string, into *V) {
		n, ok := d.enter(n)
		switch {
		case !ok:
		case isNull(n):
			d.errorf(n, "%s: is empty; give it a value or leave the key out", what)
		case n.Kind != yaml.ScalarNode:
			d.errorf(n, "%s: want one value (%s), not %s", what, kind, kindOf(n))
		default:
			v, err := parse(n.Value)
			if err != nil {
				d.errorf(n, "%s: %v", what, err)
				return
			}
			*into = v
		}
	}}
}

// placed is a value with where it stands, for what can only be checked later.
type placed[V any] struct {
	Value V
	At    Position
}

// at reads a value and remembers where it stands.
func at[V any](r reader[V]) reader[placed[V]] {
	return reader[placed[V]]{r.kind, r.keys, func(d *decoder, n *yaml.Node, what string, into *placed[V]) {
		into.At = d.at(n)
		r.read(d, n, what, &into.Value)
	}}
}

// starting sets what is not said before it reads what is.
func (r reader[V]) starting(set func(*V)) reader[V] {
	return reader[V]{r.kind, r.keys, func(d *decoder, n *yaml.Node, what string, into *V) {
		set(into)
		r.read(d, n, what, into)
	}}
}

// checked looks at what was read without a mistake.
func (r reader[V]) checked(check func(*V) error) reader[V] {
	return reader[V]{r.kind, r.keys, func(d *decoder, n *yaml.Node, what string, into *V) {
		before := len(d.errors)
		r.read(d, n, what, into)
		if len(d.errors) > before {
			return
		}
		if err := check(into); err != nil {
			d.errorf(n, "%s: %v", what, err)
		}
	}}
}

// convert reads an A and keeps what f makes of it.
func convert[A, B any](r reader[A], f func(A) B) reader[B] {
	return reader[B]{r.kind, r.keys, func(d *decoder, n *yaml.Node, what string, into *B) {
		var a A
		r.read(d, n, what, &a)
		*into = f(a)
	}}
}
