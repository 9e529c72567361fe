// Package simulate makes up the days of a company that Evenkeel watches: what
// breaks, which alerts that raises, and what a pair of Alertmanagers then posts.
// It knows the truth, because it wrote it.
//
//   - [Storm] is a span of hours on an estate of unknown names, full of faults
//     and noise: for benchmarks and for scoring the correlator.
//   - [History] is months in the life of a small shop, with owners, promises,
//     habits and a team that gets better: for the demo.
//   - [Live] is one bad half minute of the same shop, to be posted as it happens.
//
// A simulation is made in three steps, each in files of its own. A story (storm,
// history, live) decides what goes wrong and when; a spread turns that into
// firings of alerts on services, pods and nodes; the pair of Alertmanagers turns
// firings into deliveries, with waiting, batching, repeats, copies and late copies.
//
// Everything is a function of the options: the same seed gives the same bytes,
// on every machine. Nothing here reads a clock.
package simulate
