// Package report renders an [improve.Report] as self-contained HTML, as Markdown
// and as JSON.
//
// The same report gives the same bytes: nothing here reads a clock, a zone
// database beyond the report's own zone, or a map in its own order. The HTML needs
// no script and nothing from elsewhere; its charts are inline SVG.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/evenkeel/evenkeel/improve"
)

// Format names a rendering.
type Format string

// The renderings.
const (
	FormatHTML     Format = "html"
	FormatMarkdown Format = "md"
	FormatJSON     Format = "json"
)

// Formats lists the renderings.
func Formats() []Format { return []Format{FormatHTML, FormatMarkdown, FormatJSON} }

// ParseFormat reads a format's name.
func ParseFormat(name string) (Format, error) {
	if f := Format(name); slices.Contains(Formats(), f) {
		return f, nil
	}
	return "", fmt.Errorf("report format %q is none of html, md, json", name)
}

// ContentType returns the media type of a format, for HTTP.
func (f Format) ContentType() string {
	switch f {
	case FormatHTML:
		return "text/html; charset=utf-8"
	case FormatMarkdown:
		return "text/markdown; charset=utf-8"
	}
	return "application/json"
}

// Render writes r to w in a format.
func Render(w io.Writer, r *improve.Report, f Format) error {
	switch f {
	case FormatHTML:
		return HTML(w, r)
	case FormatMarkdown:
		return Markdown(w, r)
	case FormatJSON:
		return JSON(w, r)
	}
	return fmt.Errorf("report format %q is none of html, md, json", f)
}

// JSON writes r as indented JSON, its keys in the order of the model.
func JSON(w io.Writer, r *improve.Report) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("render the report as JSON: %w", err)
	}
	return nil
}
