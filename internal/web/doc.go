// Package web is Evenkeel's pages: incidents, services and reports, rendered on
// the server.
//
// They are whole without script. One small ES module of ours asks again for the page that
// is open and takes over what has changed. Style and script come from this server
// only, and the headers allow nothing else: what an alert carries in its labels is
// text here and never markup.
//
// The pages read through [api.Reads], as the API does: the same question has the
// same answer, and every number says its window, zone, n and coverage and opens
// to the intervals that it was made of.
package web
