package wire

import (
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner walks over JSON text once. It takes exactly what RFC 8259 allows (as
// encoding/json does), knows at every moment where it is, and copies only what is
// asked for. Its errors are about syntax; what a value means is for the caller,
// who can leave any value with skip.
type scanner struct {
	in      []byte
	at      int
	depth   int
	badName bool // the name that was read last is not UTF-8
	recent  recent
}

// maxDepth bounds recursion: no sender nests deeper than five.
const maxDepth = 500

// syntaxError is a place where the text is not JSON.
type syntaxError struct {
	offset int
	reason string
}

func (e *syntaxError) Error() string { return e.reason }

func (s *scanner) fail(format string, args ...any) error {
	return &syntaxError{min(s.at, len(s.in)), fmt.Sprintf(format, args...)}
}

// unexpected says what stands where something else should.
func (s *scanner) unexpected(want string) error {
	if s.at >= len(s.in) {
		return s.fail("the text ends where %s should be", want)
	}
	r, _ := utf8.DecodeRune(s.in[s.at:])
	return s.fail("%q where %s should be", r, want)
}

func (s *scanner) space() {
	for s.at < len(s.in) {
		switch s.in[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// next returns the first byte of the next token without taking it, 0 at the end.
func (s *scanner) next() byte {
	s.space()
	if s.at < len(s.in) {
		return s.in[s.at]
	}
	return 0
}

// kind names the type of the next value.
func (s *scanner) kind() string {
	switch c := s.next(); {
	case c == '{':
		return "object"
	case c == '[':
		return "array"
	case c == '"':
		return "string"
	case c == 't' || c == 'f':
		return "boolean"
	case c == 'n':
		return "null"
	case c == '-' || c >= '0' && c <= '9':
		return "number"
	}
	return "nothing"
}

// end checks that nothing but space is left.
func (s *scanner) end() error {
	if s.next(); s.at < len(s.in) {
		return s.unexpected("the end")
	}
	return nil
}

func (s *scanner) enter() error {
	s.at++
	if s.depth++; s.depth > maxDepth {
		return s.fail("nested deeper than %d", maxDepth)
	}
	return nil
}

func (s *scanner) leave() {
	s.at++
	s.depth--
}

// object calls field for each name; field must take the value. Where a name becomes part of an event, badName is to be
// looked at: another name may be decoded to the same.
func (s *scanner) object(field func(name string) error) error {
	if s.next() != '{' {
		return s.unexpected("an object")
	}
	if err := s.enter(); err != nil {
		return err
	}
	if s.next() == '}' {
		s.leave()
		return nil
	}
	for {
		if err := s.field(field); err != nil {
			return err
		}
		switch s.next() {
		case ',':
			s.at++
		case '}':
			s.leave()
			return nil
		default:
			return s.unexpected("',' or '}'")
		}
	}
}

func (s *scanner) field(field func(name string) error) error {
	if s.next() != '"' {
		return s.unexpected("a name in quotes")
	}
	name, valid, err := s.text()
	if err != nil {
		return err
	}
	s.badName = !valid
	if s.next() != ':' {
		return s.unexpected("':'")
	}
	s.at++
	return field(name)
}

// array calls element for each index; element must take the value.
func (s *scanner) array(element func(i int) error) error {
	if s.next() != '[' {
		return s.unexpected("an array")
	}
	if err := s.enter(); err != nil {
		return err
	}
	if s.next() == ']' {
		s.leave()
		return nil
	}
	for i := 0; ; i++ {
		if err := element(i); err != nil {
			return err
		}
		switch s.next() {
		case ',':
			s.at++
		case ']':
			s.leave()
			return nil
		default:
			return s.unexpected("',' or ']'")
		}
	}
}

// skip takes any value.
func (s *scanner) skip() error {
	switch c := s.next(); {
	case c == '{':
		return s.object(func(string) error { return s.skip() })
	case c == '[':
		return s.array(func(int) error { return s.skip() })
	case c == '"':
		_, err := s.quoted()
		return err
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	case c == '-' || c >= '0' && c <= '9':
		_, err := s.number()
		return err
	}
	return s.unexpected("a value")
}

// raw takes any value and returns its bytes.
func (s *scanner) raw() ([]byte, error) {
	s.space()
	start := s.at
	err := s.skip()
	return s.in[start:s.at:s.at], err
}

func (s *scanner) word(w string) error {
	for i := range len(w) {
		if s.at >= len(s.in) || s.in[s.at] != w[i] {
			return s.unexpected(w)
		}
		s.at++
	}
	return nil
}

// number takes a number and returns its text.
func (s *scanner) number() (string, error) {
	s.space()
	start := s.at
	s.accept("-")
	if !s.accept("0") && s.digits() == 0 {
		return "", s.unexpected("a digit")
	}
	if s.accept(".") && s.digits() == 0 {
		return "", s.unexpected("a digit")
	}
	if s.accept("eE") {
		s.accept("+-")
		if s.digits() == 0 {
			return "", s.unexpected("a digit")
		}
	}
	return string(s.in[start:s.at]), nil
}

// accept takes the next byte if it is one of set.
func (s *scanner) accept(set string) bool {
	if s.at >= len(s.in) {
		return false
	}
	for i := range len(set) {
		if s.in[s.at] == set[i] {
			s.at++
			return true
		}
	}
	return false
}

func (s *scanner) digits() int {
	start := s.at
	for s.at < len(s.in) && s.in[s.at] >= '0' && s.in[s.at] <= '9' {
		s.at++
	}
	return s.at - start
}

// quoted takes a string without decoding it, and says whether it is plain: ASCII without
// escapes.
func (s *scanner) quoted() (plain bool, err error) {
	s.at++ // the quote
	plain = true
	for {
		for s.at < len(s.in) && ordinary[s.in[s.at]] {
			s.at++
		}
		if s.at == len(s.in) {
			return false, s.unexpected(`'"'`)
		}
		switch c := s.in[s.at]; {
		case c == '"':
			s.at++
			return plain, nil
		case c == '\\':
			plain = false
			if err := s.escape(); err != nil {
				return false, err
			}
		case c < 0x20:
			return false, s.fail("control character %#02x in a string", c)
		default:
			plain = false
			s.at++
		}
	}
}

// ordinary are the bytes that mean nothing in a string but themselves: ASCII without controls, quote and
// backslash.
var ordinary = func() (table [256]bool) {
	for c := byte(0x20); c < utf8.RuneSelf; c++ {
		table[c] = c != '"' && c != '\\'
	}
	return table
}()

// escape takes one escape sequence and checks it.
func (s *scanner) escape() error {
	s.at++ // the backslash
	if s.at >= len(s.in) {
		return s.unexpected("an escape")
	}
	c := s.in[s.at]
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.at++
		return nil
	case 'u':
		s.at++
		for range 4 {
			if !s.accept("0123456789abcdefABCDEF") {
				return s.unexpected("a hexadecimal digit")
			}
		}
		return nil
	}
	return s.unexpected("an escape")
}

// text takes a string and returns it decoded; valid is false where its bytes are not
// UTF-8. The string is a copy: events live longer than deliveries.
func (s *scanner) text() (text string, valid bool, err error) {
	s.space()
	start := s.at
	plain, err := s.quoted()
	if err != nil {
		return "", false, err
	}
	inner := s.in[start+1 : s.at-1]
	if plain {
		return s.recent.text(inner), true, nil
	}
	text, valid = unquote(inner)
	return text, valid, nil
}

// unquote decodes the inside of a string whose escapes were checked. Halves of
// surrogate pairs and bytes that are not UTF-8 become U+FFFD.
func unquote(in []byte) (text string, valid bool) {
	out := make([]byte, 0, len(in))
	valid = true
	for i := 0; i < len(in); {
		switch {
		case in[i] == '\\' && in[i+1] == 'u':
			r, n := unescape(in[i:])
			out = utf8.AppendRune(out, r)
			i += n
		case in[i] == '\\':
			out = append(out, plainEscape(in[i+1]))
			i += 2
		default:
			r, n := utf8.DecodeRune(in[i:])
			valid = valid && (r != utf8.RuneError || n > 1)
			out = utf8.AppendRune(out, r)
			i += n
		}
	}
	return string(out), valid
}

func plainEscape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

// unescape decodes \uXXXX, or two of them that are a surrogate pair, and says how many bytes it took.
func unescape(in []byte) (rune, int) {
	r := hex4(in[2:])
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(in) >= 12 && in[6] == '\\' && in[7] == 'u' {
		if pair := utf16.DecodeRune(r, hex4(in[8:])); pair != utf8.RuneError {
			return pair, 12
		}
	}
	return utf8.RuneError, 6
}

func hex4(in []byte) rune {
	n, _ := strconv.ParseUint(string(in[:4]), 16, 16) // checked by escape
	return rune(n)
}
