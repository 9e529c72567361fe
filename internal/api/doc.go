// Package api is Evenkeel's HTTP API, version 1: reads of incidents, alerts,
// services, availability, changes, reports and of the server itself.
//
// Every answer is an envelope, {"status":"success","data":…,"warnings":[…]} or
// {"status":"error","errorType":…,"error":…}. What it promises:
//
//   - An answer names the as_of that it was read at, by default the stored fold
//     time. The same request with the same as_of gives the same answer, whatever
//     arrived since; cursors carry it from page to page.
//   - A parameter that is unknown, given twice or malformed is a 400 that names
//     it and its value: a misspelt filter never answers with everything.
//   - A store that is away is a 503 with Retry-After, never an empty list.
//   - Nothing here writes.
//
// [Classify] is the one place that decides what an error means to a client; the
// pages of internal/web use it too.
package api
