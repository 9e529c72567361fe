package main

import (
	"strings"
	"text/template"

	"github.com/alecthomas/kingpin/v2"
)

const about = "Monitoring signals to incidents, kept promises and improvements."

// usageTemplate is the help: one line a command where nothing is chosen, and of a
// command its flags, with examples where it has some.
const usageTemplate = `{{define "call"}}{{if .FlagSummary}} {{.FlagSummary}}{{end}}
{{- range .Args}} {{if .PlaceHolder}}{{.PlaceHolder}}{{else}}<{{.Name}}>{{end}}{{if .Value|IsCumulative}}...{{end}}{{end}}
{{- if .Commands}} <command>{{end}}{{end -}}
{{with .Context.SelectedCommand -}}
usage: evenkeel {{.FullCommand}}{{template "call" .}}

{{.Help|Wrap 0}}
{{- if .HelpLong}}
{{.HelpLong}}
{{end -}}
{{if .Commands}}
Commands:
{{.|CommandRows|FormatTwoColumns}}
{{- end}}
{{- else -}}
usage: evenkeel <command> [<flags>]

{{.App.Help|Wrap 0}}
Commands:
{{.App|CommandRows|FormatTwoColumns}}
{{- end}}
Flags:
{{.Context.Flags|FlagRows|FormatTwoColumns}}
{{- if .Context.Args}}
Arguments:
{{.Context.Args|ArgsToTwoColumns|FormatTwoColumns}}
{{- end}}
{{- if not .Context.SelectedCommand}}
evenkeel COMMAND --help shows the flags of a command. Results go to stdout,
talk to stderr. Exit codes: 0 done, 1 problems found or failed, 2 wrong usage.
{{end -}}
`

// usageFuncs are what usageTemplate needs beside kingpin's own.
var usageFuncs = template.FuncMap{
	"CommandRows": func(of commandTree) (rows [][2]string) {
		for _, c := range of.FlattenedCommands() {
			if !c.Hidden && c.Name != "help" {
				rows = append(rows, [2]string{c.FullCommand, c.Help})
			}
		}
		return rows
	},
	"FlagRows": func(flags []*kingpin.FlagModel) (rows [][2]string) {
		for _, f := range flags {
			if !f.Hidden {
				rows = append(rows, [2]string{flagName(f), f.Help})
			}
		}
		return rows
	},
}

// commandTree is the program or a command with others below it.
type commandTree interface{ FlattenedCommands() []*kingpin.CmdModel }

// flagName writes a flag as it is given: -h, --help or --seed=1.
func flagName(f *kingpin.FlagModel) string {
	var b strings.Builder
	if f.Short != 0 {
		b.WriteString("-" + string(f.Short) + ", ")
	}
	b.WriteString("--" + f.Name)
	if !f.IsBoolFlag() {
		b.WriteString("=" + strings.Trim(f.FormatPlaceHolder(), `"`))
	}
	if many, ok := f.Value.(interface{ IsCumulative() bool }); ok && many.IsCumulative() {
		b.WriteString(" ...")
	}
	return b.String()
}
