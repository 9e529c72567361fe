package improve

// Objective writes the promise as a percentage, as exactly as it was made.
func (l *Level) Objective() string {
	return percentOf(l.Measured.Objective)
}

// Decimals returns how many decimals the availability needs beside the
// objective: one more than the objective has, and at least three.
func (l *Level) Decimals() int {
	text := percentOf(l.Measured.Objective)
	decimals := 0
	for i := range text {
		if text[i] == '.' {
			decimals = len(text) - len(" %") - i - 1
		}
	}
	return max(3, decimals+1)
}

// under names the agreement where there is one.
func (l *Level) under() string {
	if l.Agreement == "" {
		return ""
	}
	return " (agreement " + l.Agreement + ")"
}
