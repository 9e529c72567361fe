package wire

import (
	"fmt"
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
