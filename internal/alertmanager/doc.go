// Package alertmanager answers reads of Alertmanager's API, version 2, out of what
// Evenkeel has stored: amtool, karma and whatever else looks at an Alertmanager can look here.
//
// It shows the episodes that are open at the stored fold time, as alerts:
//
//   - one that fires is active;
//   - one that nobody knows of any more, because its sender fell silent, is unprocessed:
//     Alertmanager would have resolved it, and Evenkeel does not know that;
//   - none is suppressed: silences and inhibition stay Alertmanager's, which then sends nothing.
//
// The groups are the incidents. There is one receiver, evenkeel. Answers and errors have
// the shapes of Alertmanager's openapi.yaml; parameters that it does not know are ignored, as
// there. What posts alerts is not here: see ingest/webhook.
package alertmanager
