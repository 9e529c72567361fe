package wire

import (
	"fmt"
	"strconv"
	"strings"
)

// pointer is a JSON Pointer (RFC 6901), as the names on the way to a value.
type pointer []string

// parsePointer reads a pointer. The empty one points to the whole.
func parsePointer(text string) (pointer, error) {
	if text == "" {
		return nil, nil
	}
	if text[0] != '/' {
		return nil, fmt.Errorf("%q is no JSON Pointer: it does not begin with /", text)
	}
	names := strings.Split(text[1:], "/")
	for i, name := range names {
		for j := 0; j < len(name); j++ {
			if name[j] == '~' && (j+1 == len(name) || name[j+1] != '0' && name[j+1] != '1') {
				return nil, fmt.Errorf("%q is no JSON Pointer: ~ is written ~0, and a / in a name ~1", text)
			}
		}
		names[i] = strings.ReplaceAll(strings.ReplaceAll(name, "~1", "/"), "~0", "~")
	}
	return names, nil
}

// String writes the pointer as it is written in RFC 6901.
func (p pointer) String() string {
	var text strings.Builder
	for _, name := range p {
		text.WriteString("/" + strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1"))
	}
	return text.String()
}

// span is where a value stands.
type span struct{ at, end int }

// find returns where the value stands that a pointer points to in a text that is JSON. Of two
// fields of one name it is the last, as everywhere in JSON.
func (p pointer) find(in []byte) (span, bool) {
	s := &scanner{in: in}
	s.space()
	if len(p) == 0 {
		start := s.at
		err := s.skip()
		return span{start, s.at}, err == nil
	}
	found, ok := span{}, false
	step := func(matches bool) error {
		s.space()
		start := s.at
		if err := s.skip(); err != nil {
			return err
		}
		if matches {
			found, ok = p[1:].find(in[:s.at][start:])
			found.at, found.end = found.at+start, found.end+start
		}
		return nil
	}
	var err error
	switch s.kind() {
	case "object":
		err = s.object(func(name string) error { return step(name == p[0]) })
	case "array":
		err = s.array(func(i int) error { return step(strconv.Itoa(i) == p[0]) })
	}
	return found, ok && err == nil
}
