// Package correlate folds events into episodes and episodes into incidents.
//
// It is a pure, deterministic fold: the same records give the same ids and the
// same rows. Time arrives in records.
//
// An incident is a set of episodes that one fault explains better than chance does. A fault
// lies in a service, in something that services share (what a label names: a host, a
// zone), or in an alert that comes and goes by itself. It is felt at its own service, at
// services that depend on it, or at those that share the thing; it makes several alerts
// at each, soon after one another. How well a fault explains episodes is a likelihood ratio
// against their coming for reasons of their own ([Grouping] holds its settings), and which
// faults there were is found by opening, time and again, the one that gains most
// (greedy facility location). What labels and alert names tell is learned from the episodes before;
// none is known by its name.
//
// Episodes are decided in the order of event time, not of arrival: what comes late is put
// in its place and what followed is decided anew, until nothing can come late any more.
// So copies, retries and reordering within [Lateness] end in the same incidents. An
// incident is named after its first episode; when that one turns out to belong to another incident,
// its id lives on as merged into that.
//
// Not done: ends of episodes are no evidence of belonging together. They come long after people have
// begun to work on an incident, and it should not be taken apart under their hands.
package correlate
