package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/evenkeel/evenkeel/improve"
	"github.com/evenkeel/evenkeel/improve/report"
	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/simulate"
	"github.com/evenkeel/evenkeel/sla"
)

// DemoOptions say what a demo shows.
type DemoOptions struct {
	Seed    uint64
	Now     ingest.Millis // when the history ends
	Once    bool          // end after the report instead of staying up
	Output  string        // folder of the report
	Storage string        // folder of the data; of a demo with the same seed and Now it is used again
	Web     *web.FlagConfig
	Talk    io.Writer // progress
	Logger  *slog.Logger
}

// Files of a demo in its storage folder.
const (
	demoConfig    = "evenkeel.yml"
	demoCatalogue = "catalogue.yml"
	demoDone      = "history.done" // the history is there whole; holds the version that told it
)

// historyChunk is how many records of the history are appended at once.
const historyChunk = 512

// demo is one run of the demo.
type demo struct {
	DemoOptions
	app     *App
	history *simulate.Story
	resumed bool
}

// Demo tells 90 days of a shop through the real pipeline, writes the report of its last
// whole month, and sends a storm as it happens. It returns when ctx ends, or after
// that with Once.
func Demo(ctx context.Context, opts DemoOptions) error {
	d := &demo{DemoOptions: opts}
	if err := d.prepare(ctx); err != nil {
		return err
	}
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ended := make(chan error, 1)
	go func() {
		err := d.app.Run(running)
		stop(errors.Join(errors.New("the service ended"), err))
		ended <- err
	}()
	err := d.show(running)
	if err == nil && !d.Once {
		<-running.Done()
	}
	if err != nil && ctx.Err() == nil && running.Err() != nil {
		err = context.Cause(running)
	}
	stop(nil)
	if ctx.Err() != nil {
		err = nil
	}
	return errors.Join(err, <-ended)
}

// prepare makes the storage folder and opens the service in it. A folder in which an
// earlier demo was stopped before its history was whole, or that another version told, is begun anew.
func (d *demo) prepare(ctx context.Context) error {
	made, err := os.ReadFile(filepath.Join(d.Storage, demoDone))
	d.resumed = err == nil && string(made) == version.Info()
	if !d.resumed {
		if err := d.clear(); err != nil {
			return err
		}
	}
	d.history = simulate.History(simulate.HistoryOptions{Seed: d.Seed, End: d.Now})
	config := fmt.Sprintf("zone: %s\ncatalogue: [%s]\n", simulate.ShopZone, demoCatalogue)
	if err := errors.Join(os.MkdirAll(d.Storage, 0o700),
		os.WriteFile(filepath.Join(d.Storage, demoCatalogue), d.history.Catalogue, 0o600),
		os.WriteFile(filepath.Join(d.Storage, demoConfig), []byte(config), 0o600)); err != nil {
		return err
	}
	d.app, err = New(ctx, Options{
		ConfigFile: filepath.Join(d.Storage, demoConfig), Storage: d.Storage, Web: d.Web, Logger: d.Logger,
	})
	if err != nil {
		return err
	}
	if !d.resumed {
		d.local().Ticking(false)
		d.app.telling.Store(true)
		d.app.configureAt = d.start()
	}
	return nil
}

// local is the fold of the demo, which has a journal of its own.
func (d *demo) local() *single { return d.app.folds.(*single) }

// clear removes what an unfinished demo left. Only a folder that a demo made is touched.
func (d *demo) clear() error {
	entries, err := os.ReadDir(d.Storage)
	if errors.Is(err, fs.ErrNotExist) || len(entries) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(d.Storage, demoConfig)); err != nil {
		return fmt.Errorf("the storage folder %s holds something else than a demo", d.Storage)
	}
	return os.RemoveAll(d.Storage)
}

// start is when the history's first record was received.
func (d *demo) start() ingest.Millis {
	for rec := range d.history.Records() {
		return rec.ReceivedAt
	}
	return d.Now
}

// show tells the history, writes the report and sends the storm.
func (d *demo) show(ctx context.Context) error {
	if err := d.tell(ctx); err != nil {
		return err
	}
	d.app.telling.Store(false)
	d.local().Ticking(true)
	files, err := d.writeReports(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.Talk, "pages    %s/\n", d.app.URL())
	fmt.Fprintf(d.Talk, "report   %s (and .md, .json)\n", files)
	if err := d.storm(ctx); err != nil {
		return err
	}
	if !d.Once {
		fmt.Fprintln(d.Talk, "stop it with Ctrl-C; the next start takes seconds")
	}
	return nil
}

// tell appends the history with its own received_at and waits until it is stored.
func (d *demo) tell(ctx context.Context) error {
	began := time.Now()
	if d.resumed {
		fmt.Fprintf(d.Talk, "history  is there already, in %s\n", d.Storage)
		return d.app.awaitStore(ctx)
	}
	fmt.Fprintf(d.Talk, "history  90 days of a shop up to %s, seed %d: %d deliveries\n", d.Now, d.Seed, d.history.Len())
	last, err := d.append(ctx)
	if err != nil {
		return err
	}
	if err := d.watch(ctx, last); err != nil {
		return err
	}
	fmt.Fprintf(d.Talk, "history  stored in %s\n", time.Since(began).Round(100*time.Millisecond))
	return os.WriteFile(filepath.Join(d.Storage, demoDone), []byte(version.Info()), 0o600)
}

// append puts the history into the journal, and at its end a tick that carries Now.
func (d *demo) append(ctx context.Context) (last uint64, err error) {
	if err := d.app.awaitConfiguration(ctx); err != nil {
		return 0, err
	}
	var chunk []ingest.Record
	flush := func() error {
		first, err := d.app.folds.Append(ctx, chunk)
		last = first + uint64(len(chunk)) - 1
		chunk = chunk[:0]
		return err
	}
	for rec := range d.history.Records() {
		chunk = append(chunk, rec)
		if len(chunk) == historyChunk {
			if err := flush(); err != nil {
				return 0, err
			}
		}
	}
	chunk = append(chunk, ingest.Record{Kind: ingest.KindTick, ReceivedAt: d.Now, Tenant: ingest.DefaultTenant, Source: "evenkeel"})
	return last, flush()
}

// watch shows how far the history is stored until it is all.
func (d *demo) watch(ctx context.Context, last uint64) error {
	for {
		waiting, cancel := context.WithTimeout(ctx, 2*time.Second)
		err := d.local().Runner.WaitStored(waiting, last)
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
		position, at := d.local().Runner.Stored()
		if at != 0 {
			fmt.Fprintf(d.Talk, "history  %3d %%, stored up to %s\n", 100*position/last, at.Time().Format(time.DateOnly))
		}
	}
}

// writeReports writes the report of the last whole month before Now in every
// format, as of Now, and returns the path of the HTML.
func (d *demo) writeReports(ctx context.Context) (string, error) {
	zone, err := sla.LoadZone(simulate.ShopZone)
	if err != nil {
		return "", err
	}
	month, _, err := sla.WindowAt(sla.WindowMonth, d.Now, zone)
	if err != nil {
		return "", err
	}
	_, name, err := sla.WindowAt(sla.WindowMonth, month.From-1, zone)
	if err != nil {
		return "", err
	}
	period, err := improve.ParsePeriod(name, simulate.ShopZone)
	if err != nil {
		return "", err
	}
	made, err := NewReports(d.app.database, "").Report(ctx, ingest.DefaultTenant, period, d.Now)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(d.Output, 0o755); err != nil {
		return "", err
	}
	for _, format := range report.Formats() {
		var text bytes.Buffer
		if err := report.Render(&text, made, format); err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(d.Output, "report."+string(format)), text.Bytes(), 0o644); err != nil {
			return "", err
		}
	}
	return filepath.Join(d.Output, "report.html"), nil
}

// storm posts half a minute of trouble as it happens, as Alertmanager would.
func (d *demo) storm(ctx context.Context) error {
	steps := simulate.Live(simulate.LiveOptions{Seed: d.Seed})
	fmt.Fprintf(d.Talk, "storm    %d deliveries arrive now; watch the incidents\n", len(steps))
	base := time.Now()
	for _, step := range steps {
		select {
		case <-time.After(time.Until(base.Add(step.Offset))):
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := d.post(ctx, step.Path, step.Body(ingest.MillisOf(base))); err != nil {
			return err
		}
	}
	fmt.Fprintln(d.Talk, "storm    has been received")
	return d.app.folds.WaitStored(ctx)
}

func (d *demo) post(ctx context.Context, path string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.app.URL()+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("POST %s: %s: %s", path, resp.Status, text)
	}
	return errors.Join(err, resp.Body.Close())
}
