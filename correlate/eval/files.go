package eval

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/evenkeel/evenkeel/correlate"
	"github.com/evenkeel/evenkeel/ingest"
)

// EpisodeID names an episode, or an alias of one, in the files.
type EpisodeID struct {
	Fingerprint string        `json:"fingerprint"`
	StartsAt    ingest.Millis `json:"starts_at"`
}

// Truth says which fault an episode belongs to.
type Truth struct {
	EpisodeID
	Fault string   `json:"fault"`
	Root  string   `json:"root"`
	Roots []string `json:"roots"` // any of which is right
}

// Assignment says which incident an episode, or an alias of one, was put in.
type Assignment struct {
	EpisodeID
	Incident      string   `json:"incident"`       // where it is at the end
	FirstIncident string   `json:"first_incident"` // where people first saw it
	Reasons       []string `json:"reasons"`
}

// Incident is one line of a file of incidents.
type Incident struct {
	ID         string                  `json:"id"`
	OpenedAt   ingest.Millis           `json:"opened_at"`
	ResolvedAt ingest.Millis           `json:"resolved_at"`
	State      correlate.IncidentState `json:"state"`
	Services   []string                `json:"services"`
	Episodes   int                     `json:"episodes"`
	Causes     []correlate.Cause       `json:"probable_causes"`
}

// ReadTruth reads a file of truth, one JSON object a line.
func ReadTruth(r io.Reader) ([]Truth, error) { return readLines[Truth](r) }

// ReadAssignments reads a file of assignments, one JSON object a line.
func ReadAssignments(r io.Reader) ([]Assignment, error) {
	return readLines[Assignment](r)
}

// ReadIncidents reads a file of incidents, one JSON object a line.
func ReadIncidents(r io.Reader) ([]Incident, error) { return readLines[Incident](r) }

// Assignments returns the lines of episodes: one for each, and one for each alias.
func Assignments(episodes []correlate.Episode) []Assignment {
	var lines []Assignment
	for _, e := range episodes {
		line := Assignment{EpisodeID{e.Fingerprint, e.StartsAt}, e.Incident, e.FirstIncident, e.Reasons}
		lines = append(lines, line)
		for _, alias := range e.Aliases {
			line.StartsAt = alias
			lines = append(lines, line)
		}
	}
	return lines
}

// WriteAssignments writes one line for each episode and each alias.
func WriteAssignments(w io.Writer, episodes []correlate.Episode) error {
	return writeLines(w, Assignments(episodes))
}

// WriteIncidents writes one line for each incident; merged ones are left out.
func WriteIncidents(w io.Writer, incidents []correlate.Incident) error {
	var lines []Incident
	for _, i := range incidents {
		if i.State != correlate.IncidentMerged {
			lines = append(lines, Incident{i.ID, i.OpenedAt, i.ResolvedAt, i.State, i.Services, i.Episodes, i.Causes})
		}
	}
	return writeLines(w, lines)
}

func writeLines[T any](w io.Writer, lines []T) error {
	buffered := bufio.NewWriter(w)
	encode := json.NewEncoder(buffered)
	encode.SetEscapeHTML(false)
	for _, line := range lines {
		if err := encode.Encode(line); err != nil {
			return err
		}
	}
	return buffered.Flush()
}

// LineError says where a file cannot be read.
type LineError struct {
	Line   int // from 1
	Column int // in bytes, from 1: where the reader stopped
	Err    error
}

// Error gives the reason with the place before it, as compilers do.
func (e *LineError) Error() string { return fmt.Sprintf("%d:%d: %v", e.Line, e.Column, e.Err) }

// Unwrap returns the reason.
func (e *LineError) Unwrap() error { return e.Err }

// readLines reads one JSON object from each line that is not blank. What is wrong with a line is a
// [LineError].
func readLines[T any](r io.Reader) ([]T, error) {
	var lines []T
	in := bufio.NewReader(r)
	for number, last := 1, false; !last; number++ {
		text, err := in.ReadBytes('\n')
		if last = errors.Is(err, io.EOF); err != nil && !last {
			return nil, err
		}
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		var line T
		if err := json.Unmarshal(text, &line); err != nil {
			return nil, &LineError{number, column(err), err}
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// column returns where in its line an error is; 1 where the decoder does not say.
func column(err error) int {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return max(1, int(syntax.Offset))
	case errors.As(err, &kind):
		return max(1, int(kind.Offset))
	}
	return 1
}
