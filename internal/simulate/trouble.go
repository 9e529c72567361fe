package simulate

import "github.com/evenkeel/evenkeel/ingest"

const (
	second = ingest.Second
	minute = ingest.Minute
	hour   = ingest.Hour
	day    = ingest.Day
)

// serviceTroubles are the ways in which a service that keeps no data breaks.
func serviceTroubles() []trouble {
	burn := []symptom{
		{"ErrorBudgetBurn", "page", 0, 0.7, 20 * second, 60 * second},
		{"RequestErrors", "critical", 0.5, 0.4, 10 * second, 80 * second},
	}
	slow := []symptom{
		{"SlowResponses", "warning", 0.6, 0.8, 20 * second, 90 * second},
		{"ErrorBudgetBurn", "page", 0, 0.3, 60 * second, 90 * second},
	}
	return []trouble{
		{
			name: "a release that cannot start",
			symptoms: []symptom{
				{"ContainerRestarting", "warning", 0.9, 1, 5 * second, 70 * second},
				{"ReplicasUnavailable", "warning", 0, 0.8, 60 * second, 120 * second},
				{"RequestErrors", "critical", 0.5, 0.6, 20 * second, 90 * second},
			},
			callers: burn, reach: 0.55, starved: 0.25,
		},
		{
			name: "a bug on a busy path",
			symptoms: []symptom{
				{"RequestErrors", "critical", 0.8, 1, 5 * second, 60 * second},
				{"ErrorBudgetBurn", "page", 0, 0.8, 30 * second, 60 * second},
			},
			callers: burn, reach: 0.6, starved: 0.15,
		},
		{
			name: "memory that leaks",
			symptoms: []symptom{
				{"MemoryPressure", "warning", 0.6, 1, 0, 60 * second},
				{"ContainerRestarting", "warning", 0.5, 0.6, 60 * second, 3 * minute},
				{"SlowResponses", "warning", 0.6, 0.6, 60 * second, 2 * minute},
			},
			callers: slow, reach: 0.4,
		},
		{
			name: "threads that wait",
			symptoms: []symptom{
				{"WorkersExhausted", "critical", 0.7, 0.9, 5 * second, 60 * second},
				{"SlowResponses", "warning", 0.8, 0.9, 10 * second, 90 * second},
			},
			callers: slow, reach: 0.6, starved: 0.1,
		},
	}
}

// storeTroubles are the ways in which a store breaks. Its callers often notice first.
func storeTroubles() []trouble {
	callers := []symptom{
		{"SlowResponses", "warning", 0.6, 0.7, 0, 70 * second},
		{"RequestErrors", "critical", 0.5, 0.5, 5 * second, 90 * second},
		{"ErrorBudgetBurn", "page", 0, 0.4, 30 * second, 90 * second},
	}
	return []trouble{
		{
			name: "connections that run out",
			symptoms: []symptom{
				{"ConnectionSlotsFull", "critical", 0.7, 1, 20 * second, 60 * second},
				{"SlowResponses", "warning", 0.7, 0.6, 10 * second, 80 * second},
			},
			callers: callers, reach: 0.7,
		},
		{
			name: "locks that pile up",
			symptoms: []symptom{
				{"LockWaits", "warning", 0.5, 1, 10 * second, 60 * second},
				{"ReplicaLagging", "warning", 0.4, 0.5, 40 * second, 2 * minute},
			},
			callers: callers, reach: 0.6,
		},
		{
			name: "a disk that is full",
			symptoms: []symptom{
				{"VolumeFull", "critical", 0.4, 1, 0, 40 * second},
				{"WritesRejected", "critical", 0, 0.8, 15 * second, 60 * second},
			},
			callers: callers, reach: 0.7,
		},
	}
}

// bystanders are alerts that mean something small, or nothing, and have no company.
func bystanders() []symptom {
	return []symptom{
		{alert: "CertificateRenewalDue", severity: "warning"},
		{alert: "BatchJobLate", severity: "warning"},
		{alert: "MemoryPressure", severity: "warning", share: 0.1},
		{alert: "VolumeFillingUp", severity: "warning", share: 0.1},
		{alert: "SlowResponses", severity: "warning", share: 0.1},
		{alert: "ConsumerBehind", severity: "warning"},
		{alert: "ContainerRestarting", severity: "warning", share: 0.1},
		{alert: "ThrottledCPU", severity: "info", share: 0.1},
	}
}
