package stream

import (
	"context"
	"errors"
	"reflect"
	"sync"
)

// Set runs the streams of a configuration, and goes over to another one: streams that
// are the same in both go on undisturbed.
type Set struct {
	opts Options

	mu      sync.Mutex
	ctx     context.Context // of all streams; nil before Run
	configs []Config        // in force
	running map[string]*running
}

type running struct {
	config Config
	stop   context.CancelFunc
	done   chan struct{}
}

// NewSet returns a set without streams.
func NewSet(o Options) (*Set, error) {
	o, err := o.withDefaults()
	return &Set{opts: o, running: map[string]*running{}}, err
}

func (s *Set) make(configs []Config) (map[string]*Stream, error) {
	streams := map[string]*Stream{}
	var errs []error
	for _, c := range configs {
		if streams[c.Name] != nil {
			errs = append(errs, errors.New("stream "+c.Name+": two streams have this name"))
			continue
		}
		st, err := New(c, s.opts)
		errs = append(errs, err)
		streams[c.Name] = st
	}
	return streams, errors.Join(errs...)
}

// Prepare checks the configurations and reads the files that they name, without a broker. What it returns makes
// them the ones in force: nothing can go wrong then. It returns when what is no longer configured has left its group.
func (s *Set) Prepare(configs []Config) (apply func(), err error) {
	streams, err := s.make(configs)
	if err != nil {
		return nil, err
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.configs = configs
		if s.ctx != nil && s.ctx.Err() == nil { // else Run begins with them
			s.change(streams)
		}
	}, nil
}

// Apply makes the configurations the ones in force. Where one is wrong, nothing changes.
func (s *Set) Apply(configs []Config) error {
	apply, err := s.Prepare(configs)
	if err == nil {
		apply()
	}
	return err
}

// change stops what is other or gone, then starts what is new: two members of one stream would share
// its partitions for a moment.
func (s *Set) change(streams map[string]*Stream) {
	var stopped []*running
	for name, r := range s.running {
		if st := streams[name]; st != nil && reflect.DeepEqual(st.config, r.config) {
			continue
		}
		r.stop()
		stopped = append(stopped, r)
		delete(s.running, name)
	}
	for _, r := range stopped {
		<-r.done
	}
	for name, st := range streams {
		if s.running[name] == nil {
			s.running[name] = st.start(s.ctx)
		}
	}
}

func (s *Stream) start(ctx context.Context) *running {
	ctx, stop := context.WithCancel(ctx)
	r := &running{config: s.config, stop: stop, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		s.Run(ctx)
	}()
	return r
}

// Run runs the streams that are in force until ctx ends and all have left their groups.
func (s *Set) Run(ctx context.Context) error {
	s.mu.Lock()
	streams, err := s.make(s.configs)
	if err == nil {
		s.ctx = ctx
		s.change(streams)
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	<-ctx.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.running {
		<-r.done
	}
	return nil
}
