package improve

import (
	"fmt"
	"maps"
	"slices"
)

// composeNoise says what the alerts of the period were like.
func (c *composer) composeNoise() Noise {
	t := c.f.Alerts
	all := t.sum()
	n := Noise{
		Episodes: all.episodes, Alerts: t.alerts, Incidents: len(t.incidents), Ended: all.ended,
		Short: all.short, Flaps: all.flaps, FlappingAlerts: t.flapping, ByName: []AlertLine{},
		ShortShare: shareOf(all.short, all.ended, "no episode has ended"),
		FlapShare:  shareOf(all.flaps, all.episodes, "no episode began in the period"),
		NotKnown: []string{
			"Whether anybody acted on an alert: acknowledgements and notifications are not recorded, so alerts that nobody ever acts on cannot be told from useful ones.",
		},
	}
	n.Basis = c.basis(all.episodes, "episodes", fmt.Sprintf(
		"episodes that began in the window; short: resolved within %s; flap: began within %s of the same alert's last end", ShortEpisode, FlapGap))
	if n.Incidents > 0 {
		v := float64(all.episodes-t.alone) / float64(n.Incidents)
		n.PerIncident = &v
	}
	names := t.byEpisodes()
	n.Names = len(names)
	for _, name := range capped(names, maxAlerts) {
		n.ByName = append(n.ByName, c.alertLine(name, all.episodes))
	}
	return n
}

func (c *composer) alertLine(name string, all int) AlertLine {
	n := c.f.Alerts.names[name]
	return AlertLine{
		Name: name, Episodes: n.episodes, Share: shareOf(n.episodes, all, "no episodes"), Alerts: n.alerts, Incidents: len(n.incidents),
		Ended: n.ended, Short: n.short, Flaps: n.flaps, Firing: n.firing,
		Services: append([]string{}, slices.Sorted(maps.Keys(n.services))...),
		Trend:    TrendOf(c.weekly(n.weekly), "episodes per week", LessIsBetter),
	}
}
