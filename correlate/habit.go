package correlate

import "maps"

import "math"

// habits are what was seen of alert names: how often their episodes were in company,
// explained together with others of another kind, and how often they stood alone. Some
// alerts belong to every fault, some to none; which is which is learned, never known by name.
type habits map[string]habit

type habit struct {
	Together int
	Alone    int
}

const (
	company   = 3   // so many episodes are company
	ownEffect = 4.0 // episodes after which a name counts as much as all together
	mostHabit = 2.5 // bound of what a name can tell
	mostNamed = 10_000
	// inCompany is how much a name counts that is mostly in company: names that come
	// together are alike, and what they tell is not told anew by each of them.
	inCompany = 0.5
)

// learn counts an episode. Names beyond a bound are not learned.
func (h habits) learn(name string, together bool) {
	known, ok := h[name]
	if !ok && len(h) >= mostNamed {
		return
	}
	all := h[""]
	if together {
		known.Together++
		all.Together++
	} else {
		known.Alone++
		all.Alone++
	}
	h[""] = all
	if name != "" {
		h[name] = known
	}
}

// of is what a name tells: how much greater the odds of company are for it than for
// all, as a logarithm.
func (h habits) of(name string) float64 {
	all, own := h[""], h[name]
	usual := (float64(all.Together) + 1) / (float64(all.Together+all.Alone) + 2)
	share := (float64(own.Together) + ownEffect*usual) / (float64(own.Together+own.Alone) + ownEffect)
	odds := math.Log(share/(1-share)) - math.Log(usual/(1-usual))
	if odds > 0 {
		odds *= inCompany
	}
	return math.Max(-mostHabit, math.Min(mostHabit, odds))
}

func (h habits) copy() habits {
	c := make(habits, len(h)+1)
	maps.Copy(c, h)
	return c
}
