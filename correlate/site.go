package correlate

import "github.com/evenkeel/evenkeel/ingest"

// felt is a site where a fault is felt.
type felt struct {
	from  ingest.Millis // place of the first episode there
	last  ingest.Millis
	n     int // episodes
	fixed int // of them decided for good
	onset float64
	kinds []kind
}

// kind is an alert of one name at a site, and the place of its first episode.
type kind struct {
	alert *root
	from  ingest.Millis
}

// first returns the place of the first episode of an alert at the site.
func (f *felt) first(alert *root) (ingest.Millis, bool) {
	for _, k := range f.kinds {
		if k.alert == alert {
			return k.from, true
		}
	}
	return 0, false
}

// mostTabled bounds the sites that a search numbers. With more of them (alerts without a service
// are sites of their own) the tables would be large and mostly empty.
const mostTabled = 4096

// tabled are the sites of an explanation by the numbers that a search gave them: most of a
// search is asking for them, and a map is slow at that.
type tabled struct {
	run  uint64 // of the search
	felt []*felt
}

// at returns where x is felt at a site, nil where it is not.
func (x *explanation) at(site *root) *felt {
	if x.table.run == site.numbered && x.table.felt != nil {
		return x.table.felt[site.number]
	}
	return x.sites[site]
}

// feel notes that x is felt at a site.
func (x *explanation) feel(site *root, f *felt) {
	x.sites[site] = f
	x.onset += f.onset
	if x.table.run == site.numbered && x.table.felt != nil {
		x.table.felt[site.number] = f
	}
}

// unfeel takes a site out.
func (x *explanation) unfeel(site *root) {
	x.onset -= x.at(site).onset
	delete(x.sites, site)
	if x.table.run == site.numbered && x.table.felt != nil {
		x.table.felt[site.number] = nil
	}
}

// tabulate lays the sites of x out by the numbers of this search.
func (s *search) tabulate(x *explanation) {
	x.table = tabled{}
	if s.sitesNumbered > mostTabled {
		return
	}
	x.table = tabled{s.line.run, make([]*felt, s.sitesNumbered)}
	for site, f := range x.sites {
		if site.numbered == s.line.run {
			x.table.felt[site.number] = f
		}
	}
}

// numberSites numbers what a point could be felt at, or follow.
func (s *search) numberSites(p *point) {
	s.numberSite(p.site)
	if p.far != nil {
		s.numberSite(p.far)
	}
	for _, c := range p.covers {
		if c.root.kind != rootService {
			break // services come first
		}
		s.numberSite(c.root)
	}
}

func (s *search) numberSite(r *root) {
	if r.numbered != s.line.run {
		r.numbered, r.number = s.line.run, int32(s.sitesNumbered)
		s.sitesNumbered++
	}
}

// oneMore is what the size of x grows by with one more site than n. It is asked for the same few n
// time and again.
func (x *explanation) oneMore(n int) float64 {
	m := &x.grows[n&1]
	if m.n != n+1 { // so that the zero value is of none
		m.n, m.by = n+1, x.expects.oneMore(n)
	}
	return m.by
}

// growth is what one more site than n-1 is worth.
type growth struct {
	n  int
	by float64
}
