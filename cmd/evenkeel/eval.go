package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/alecthomas/kingpin/v2"

	"github.com/evenkeel/evenkeel/correlate/eval"
)

func addEval(k *kingpin.Application, actions map[string]action) {
	cmd := k.Command("eval", "Score assignments against a truth: B-cubed, ARI and V-measure, and how often the causes are right.")
	truth := cmd.Flag("truth", "The truth, one JSON object a line.").PlaceHolder("FILE").Required().ExistingFile()
	assignments := cmd.Flag("assignments", "What `evenkeel replay` wrote.").PlaceHolder("FILE").Required().ExistingFile()
	incidents := cmd.Flag("incidents", "The incidents that `evenkeel replay` wrote: their probable causes are scored, too.").PlaceHolder("FILE").ExistingFile()
	output := cmd.Flag("output", "table or json.").Default("table").Enum("table", "json")
	actions[cmd.FullCommand()] = func(_ context.Context, std streams) error {
		t, err := readLines(*truth, eval.ReadTruth)
		if err != nil {
			return err
		}
		a, err := readLines(*assignments, eval.ReadAssignments)
		if err != nil {
			return err
		}
		scores := evaluation{Scores: eval.Score(t, a)}
		if *incidents != "" {
			i, err := readLines(*incidents, eval.ReadIncidents)
			if err != nil {
				return err
			}
			r := eval.ScoreCauses(t, a, i, nil)
			scores.Causes = &causes{r.Faults, r.First, r.Three}
		}
		return printScores(std.out, scores, *output)
	}
}

// evaluation is what eval prints.
type evaluation struct {
	eval.Scores
	Causes *causes `json:"causes,omitempty"`
}

// causes says for how many faults of two episodes and more the best probable cause, or one of the
// best three, of the incident that holds most of the fault is a root of it.
type causes struct {
	Faults int `json:"faults"`
	Hit1   int `json:"hit@1"`
	Hit3   int `json:"hit@3"`
}

func printScores(w io.Writer, scores evaluation, output string) error {
	if output == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(scores)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "\tepisodes\tmissing\tgroups\tB3 F1\tprecision\trecall\tARI\tV\t")
	for _, line := range []struct {
		name string
		eval.Result
	}{{"all", scores.All}, {"faults", scores.Faults}} {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t\n", line.name,
			line.Episodes, line.Missing, line.Groups, line.F1, line.Precision, line.Recall, line.ARI, line.V)
	}
	if err := table.Flush(); err != nil || scores.Causes == nil {
		return err
	}
	c := scores.Causes
	_, err := fmt.Fprintf(w, "\ncauses of %d faults: hit@1 %d, hit@3 %d\n", c.Faults, c.Hit1, c.Hit3)
	return err
}

// readLines reads a file by its reader; an error names the file.
func readLines[T any](name string, read func(io.Reader) (T, error)) (T, error) {
	var none T
	f, err := os.Open(name)
	if err != nil {
		return none, err
	}
	defer f.Close()
	v, err := read(f)
	var line *eval.LineError
	switch {
	case errors.As(err, &line):
		return none, fmt.Errorf("%s:%w", name, err) // file:line:column
	case err != nil:
		return none, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}
