package alertmanager

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/evenkeel/evenkeel/ingest"
)

// IncidentLabel is the label of a group: the id of the incident that its alerts are in.
const IncidentLabel = "incident"

// Group is an alertGroup: the alerts of one incident.
type Group struct {
	Alerts      []Alert           `json:"alerts"`
	Labels      ingest.Labels     `json:"labels"` // without the label incident: not decided yet
	Receiver    ReceiverReference `json:"receiver"`
	RouteLabels ingest.Labels     `json:"routeLabels"`
}

// groups answers GET /api/v2/alerts/groups, by incident.
func (a *API) groups(ctx context.Context, r *http.Request) (any, error) {
	at := map[string]int{}
	list := []Group{}
	err := a.each(ctx, r, func(alert Alert, incident string) {
		i, ok := at[incident]
		if !ok {
			i = len(list)
			at[incident] = i
			list = append(list, Group{
				Labels: ingest.LabelsOf(map[string]string{IncidentLabel: incident}), Receiver: ReceiverReference{Receiver}, RouteLabels: ingest.Labels{},
			})
		}
		list[i].Alerts = append(list[i].Alerts, alert)
	})
	slices.SortFunc(list, func(a, b Group) int {
		return cmp.Compare(a.Labels.Get(IncidentLabel), b.Labels.Get(IncidentLabel))
	})
	return list, err
}
