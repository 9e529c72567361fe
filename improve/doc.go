// Package improve says what the rows mean: how a period went, whether things get
// better, and which few findings deserve the next hour.
//
// [Build] reads the facts of a period through a [Source] and hands them to
// [Compose], which is pure: the same [Facts] and [Params] give the same [Report],
// and [github.com/evenkeel/evenkeel/improve/report] renders it as HTML, Markdown
// and JSON. There is no clock here: "now" is Params.AsOf.
//
// The statistics are written here because no library of ours has them; each is
// checked against published reference values. No trend is called better or worse
// without a test, an effect, an interval and n (see [Trend]), and a number that
// cannot be given is absent with its reason, never 0.
package improve
