package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/alecthomas/kingpin/v2"

	"github.com/evenkeel/evenkeel/correlate/eval"
)

func addEval(k *kingpin.Application, actions map[string]action) {
	cmd := k.Command("eval", "Score assignments against a truth: B-cubed, ARI and V-measure.")
	truth := cmd.Flag("truth", "The truth, one JSON object a line.").PlaceHolder("FILE").Required().ExistingFile()
	assignments := cmd.Flag("assignments", "What `evenkeel replay` wrote.").PlaceHolder("FILE").Required().ExistingFile()
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
		return printScores(std.out, eval.Score(t, a), *output)
	}
}

func printScores(w io.Writer, scores eval.Scores, output string) error {
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
	return table.Flush()
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
	if err != nil {
		return none, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}
