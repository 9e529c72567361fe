package ingest

import "strconv"

// Fingerprint names a set of labels as Prometheus and Alertmanager do: FNV-1a of 64 bits
// over each name and value, sorted by name, each followed by the byte 255, as 16 digits of
// lower-case hex. Source: prometheus/common, model.LabelSet.Fingerprint.
func (ls Labels) Fingerprint() string {
	const offset, prime = 14695981039346656037, 1099511628211
	sum := uint64(offset)
	add := func(s string) {
		for i := range len(s) {
			sum = (sum ^ uint64(s[i])) * prime
		}
		sum = (sum ^ 255) * prime
	}
	for _, l := range ls {
		add(l.Name)
		add(l.Value)
	}
	return FormatFingerprint(sum)
}

// FormatFingerprint writes a fingerprint that came as a number, as Alertmanager's webhook does: 16 digits of
// lower-case hex.
func FormatFingerprint(n uint64) string {
	digits := strconv.FormatUint(n, 16)
	return "0000000000000000"[len(digits):] + digits
}
