package stream

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/ingest/wire"
)

// How often the brokers are asked how far a stream is read, and the journal is told.
const (
	asksEvery  = 10 // as often within the time that a heartbeat allows
	tellsEvery = 4
	leastPause = 100 * time.Millisecond
	mostPause  = 10 * time.Second
)

// pulse tells the journal of one heartbeat up to when the stream was read. It asks for the ends of the
// topics' partitions, and notes when. As soon as the group has committed them, the journal holds all that was in
// the topics then: an offset is committed behind what is durable. The group's offsets are those of all its members,
// so one of them can speak for all.
type pulse struct {
	*Stream
	of     Heartbeat
	topics []string
	marks  []mark    // ends that were not seen committed yet, oldest first
	told   time.Time // up to when the last record said that the stream was read
}

// mark is where the topics ended at an instant.
type mark struct {
	at   time.Time // before the brokers were asked
	ends offsets
}

// offsets are those of partitions, by topic and number.
type offsets map[string][]int64

// keepAlive starts, until the generation ends, what tells of the heartbeats. Of the members it is the one that has
// the first partition of the first topic.
func (s *Stream) keepAlive(g *kafka.Generation) {
	for _, h := range s.config.Heartbeats {
		topics := s.config.Carry(h.Tenant, h.Source)
		if len(topics) == 0 || !slices.ContainsFunc(g.Assignments[topics[0]], func(a kafka.PartitionAssignment) bool { return a.ID == 0 }) {
			continue
		}
		p := &pulse{Stream: s, of: h, topics: topics}
		g.Start(p.run)
	}
}

func (p *pulse) run(ctx context.Context) {
	pause := min(max(p.of.Every/asksEvery, leastPause), mostPause)
	for {
		at, err := p.readTo(ctx)
		if err != nil {
			p.failed(ctx, opAsk, err)
		}
		if at.Sub(p.told) >= p.of.Every/tellsEvery {
			p.tell(ctx, at)
		}
		if !p.sleep(ctx, pause) {
			return
		}
	}
}

// readTo returns the last instant up to which everything is known to have been read; zero where none is newly known.
func (p *pulse) readTo(ctx context.Context) (time.Time, error) {
	now := time.Now()
	p.marks = slices.DeleteFunc(p.marks, func(m mark) bool { return now.Sub(m.at) > p.of.Every }) // of no use any more
	ends, err := p.ends(ctx)
	if err != nil {
		return time.Time{}, err
	}
	p.marks = append(p.marks, mark{now, ends})
	committed, err := p.committed(ctx, ends)
	if err != nil {
		return time.Time{}, err
	}
	for i, m := range slices.Backward(p.marks) {
		if committed.reach(m.ends) {
			p.marks = slices.Delete(p.marks, 0, i+1)
			return m.at, nil
		}
	}
	return time.Time{}, nil
}

// tell writes to the journal that the stream was read up to an instant.
func (p *pulse) tell(ctx context.Context, at time.Time) {
	ctx, cancel := context.WithTimeout(ctx, appendWithin)
	defer cancel()
	rec, err := wire.ProgressOf(p.of.Tenant, p.of.Source, ingest.Progress{Stream: p.config.Name, ReadTo: ingest.MillisOf(at)})
	if err == nil {
		_, err = p.opts.Journal.Append(ctx, []ingest.Record{rec})
	}
	if err != nil {
		p.failed(ctx, opAppend, err) // a later one says more
		return
	}
	p.told = at
}

// ends asks for the ends of all partitions. A topic that is not there is an error: nobody knows what is not in it.
func (p *pulse) ends(ctx context.Context) (offsets, error) {
	found, err := p.findTopics(ctx)
	if err != nil {
		return nil, err
	}
	all := offsets{}
	for _, topic := range p.topics {
		n := found[topic]
		if n == 0 {
			return nil, fmt.Errorf("topic %s does not exist: source %s counts as silent", topic, p.of.Source)
		}
		which := make([]kafka.OffsetRequest, n)
		for id := range n {
			which[id] = kafka.LastOffsetOf(id)
		}
		answer, err := p.ask(ctx, topic, which...)
		if err != nil {
			return nil, err
		}
		for id := range n {
			end, answered := answer[id]
			if !answered {
				return nil, fmt.Errorf("offsets of %s: no answer for partition %d", topic, id)
			}
			all[topic] = append(all[topic], end.LastOffset)
		}
	}
	return all, nil
}

// committed asks what the group has committed of partitions; -1 is nothing.
func (p *pulse) committed(ctx context.Context, of offsets) (offsets, error) {
	req := &kafka.OffsetFetchRequest{GroupID: p.config.Group, Topics: map[string][]int{}}
	all := offsets{}
	for topic, ends := range of {
		all[topic] = slices.Repeat([]int64{-1}, len(ends))
		for id := range ends {
			req.Topics[topic] = append(req.Topics[topic], id)
		}
	}
	answer, err := p.client.OffsetFetch(ctx, req)
	if err == nil {
		err = answer.Error
	}
	if err != nil {
		return nil, fmt.Errorf("offsets of group %s: %w", p.config.Group, err)
	}
	for topic, partitions := range answer.Topics {
		for _, one := range partitions {
			if one.Error == nil && one.Partition < len(all[topic]) {
				all[topic][one.Partition] = one.CommittedOffset
			}
		}
	}
	return all, nil
}

// reach tells whether everything before ends is committed. A partition of which nothing is was not begun yet.
func (o offsets) reach(ends offsets) bool {
	for topic, of := range ends {
		for id, end := range of {
			if id >= len(o[topic]) || o[topic][id] < end {
				return false
			}
		}
	}
	return true
}
