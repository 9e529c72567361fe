package app

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/config"
)

// maxReadyLag is how old the stored fold time may be. Ticks keep it under half a minute where
// rows are stored.
const maxReadyLag = 2 * time.Minute

// readiness is what stands between the service and its users, in words.
type readiness struct {
	refused []string // why deliveries are not taken
	unread  []string // why what is read is missing or old
	odd     []string // what somebody should look at; nobody is served worse for it
}

// serveReady answers 200 when deliveries are taken and rows can be read that are
// not old; asked ?for=deliveries, when deliveries are taken. Otherwise it says what is missing.
//
// What is odd with the configuration is only said: the one in force still is, and one wrong
// file must not take every replica out of service.
func (a *App) serveReady(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	state := a.readiness(ctx)
	reasons := state.refused
	switch what := r.URL.Query().Get("for"); what {
	case "deliveries":
	case "":
		reasons = append(reasons, state.unread...)
	default:
		http.Error(w, fmt.Sprintf("?for=%s: there is ?for=deliveries, and nothing for all.", what), http.StatusBadRequest)
		return
	}
	var text strings.Builder
	if len(reasons) == 0 {
		text.WriteString("Evenkeel is ready.\n")
	} else {
		text.WriteString("Evenkeel is not ready:\n")
	}
	for _, reason := range reasons {
		fmt.Fprintf(&text, "- %s\n", reason)
	}
	for _, odd := range state.odd {
		fmt.Fprintf(&text, "warning: %s\n", odd)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if len(reasons) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	fmt.Fprint(w, text.String())
}

func (a *App) readiness(ctx context.Context) readiness {
	var s readiness
	if err := a.folds.Health(); err != nil {
		s.refused = append(s.refused, fmt.Sprintf("deliveries are refused: %v", err))
	}
	if a.telling.Load() {
		s.refused = append(s.refused, "deliveries are refused: the demo tells its history")
	}
	for _, f := range a.folds.Folding() {
		if f.Halted != "" {
			s.unread = append(s.unread, fmt.Sprintf("nothing is folded any more: %s", f.Halted))
		}
	}
	if err := a.database.ready(ctx); err != nil {
		s.unread = append(s.unread, fmt.Sprintf("nothing can be read: %v", err))
	}
	if why := a.old(); why != "" {
		s.unread = append(s.unread, why)
	}
	s.odd = a.oddConfiguration()
	return s
}

// old says that what is stored is old, or not there yet; "" where it is new.
func (a *App) old() string {
	at, behind := a.folds.Stored(), waiting(a.folds.Folding())
	if at == 0 {
		return fmt.Sprintf("nothing is stored yet, %d records wait", behind)
	}
	if age := a.opts.Clock().Sub(at.Time()); age > maxReadyLag {
		return fmt.Sprintf("what can be read is %s old, %d records wait", age.Round(time.Second), behind)
	}
	return ""
}

// oddConfiguration compares the files with what was loaded, and that with what the fold uses.
func (a *App) oddConfiguration() []string {
	var odd []string
	if why := a.reloadFailure.Load(); why != nil {
		odd = append(odd, "the last reload failed, the configuration of before is in force: "+*why)
	}
	if loaded := a.files.Load(); loaded != nil && *loaded != contents(a.config.Load()) {
		odd = append(odd, "the configuration's files have changed since they were loaded: reload them")
	}
	for _, f := range a.folds.Folding() {
		if wanted := a.wanted.Load(); f.Halted == "" && wanted != nil && *wanted != f.Configuration {
			odd = append(odd, fmt.Sprintf("the fold of partition %d does not use the configuration that was loaded here: "+
				"it is on its way, or another replica has loaded another", f.Partition))
		}
	}
	return odd
}

// contents is a hash of the files of a configuration as they are now.
func contents(c *config.Config) string {
	sum := sha256.New()
	for _, name := range c.Files() {
		text, err := os.ReadFile(name)
		fmt.Fprintf(sum, "%s %d %v\n", name, len(text), err)
		sum.Write(text)
	}
	return string(sum.Sum(nil))
}
