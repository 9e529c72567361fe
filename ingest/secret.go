package ingest

import (
	"bytes"
	"strings"
)

// byteOrderMark is what some editors write before the text of a file. Nobody sees it, and no secret begins with it.
const byteOrderMark = "\ufeff"

// Unmarked returns the text of a file without the byte-order mark before it.
func Unmarked(text []byte) []byte { return bytes.TrimPrefix(text, []byte(byteOrderMark)) }

// Password returns the one that a file of this text holds: all of it, but a byte-order mark before it and the
// ends of lines behind it.
func Password(text []byte) string { return strings.TrimRight(string(Unmarked(text)), "\r\n") }
