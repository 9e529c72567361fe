package alertmanager

import (
	"context"
	"net/http"
)

// noSilences answers who lists silences, as amtool and karma do beside alerts.
func noSilences(context.Context, *http.Request) (any, error) { return []struct{}{}, nil }

func noSilence(context.Context, *http.Request) (any, error) {
	return nil, &refusal{http.StatusNotFound, "there is no such silence: Evenkeel keeps none"}
}

// refuseSilence keeps somebody from believing that an alert is silenced that is not.
func refuseSilence(context.Context, *http.Request) (any, error) {
	return nil, badRequest("Evenkeel keeps no silences: silence the alert in Alertmanager, which then sends nothing")
}
