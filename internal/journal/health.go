package journal

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// stuckAfter is how long a write may take before the journal says that it hangs:
// what a delivery is made to wait at most.
const stuckAfter = 5 * time.Second

// health is what the last writes told of the next one.
//
//	well ──a write fails, a delivery does not fit──> ill ──a write succeeds, there is room again──> well
type health struct {
	mu      sync.Mutex
	err     error     // why the last write failed; nil after one that succeeded
	size    int64     // bytes that it wanted
	writing time.Time // since when one is under way; zero: none is
}

func (h *health) begin(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.writing = now
}

func (h *health) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.writing = time.Time{}
}

func (h *health) failed(err error, size int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err, h.size = err, size
}

// wrote notes a success. One without a delivery says nothing about room: what it
// takes is kept free for it.
func (h *health) wrote(deliveries bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if deliveries || !errors.Is(h.err, ErrFull) {
		h.err = nil
	}
}

func (h *health) state() (size int64, writing time.Time, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.size, h.writing, h.err
}

// Health implements [Journal].
func (j *Local) Health() error {
	if j.isClosed() {
		return ErrClosed
	}
	size, writing, err := j.health.state()
	if took := time.Since(writing); !writing.IsZero() && took > stuckAfter {
		return fmt.Errorf("%w: a write has not come back for %s", ErrUnavailable, took.Round(time.Second))
	}
	if err == nil {
		return j.fits(j.Usage().Bytes, blockHeaderBytes, false)
	}
	if errors.Is(err, ErrFull) && j.hasRoom(size) {
		return nil
	}
	return err
}

// hasRoom tells whether what did not fit would fit now.
func (j *Local) hasRoom(size int64) bool {
	if j.fits(j.Usage().Bytes, size, false) != nil {
		return false
	}
	free, err := j.disk.Free()
	return err == nil && free >= size+segmentHeaderBytes
}
