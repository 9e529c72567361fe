package stream

import (
	"context"
	"fmt"

	"github.com/segmentio/kafka-go"
)

// reportLag asks the brokers, until the generation ends, how many records lie behind what the group has
// committed: what a reader believes itself is wrong as soon as it hangs.
func (s *Stream) reportLag(ctx context.Context, g *kafka.Generation) {
	for {
		if err := s.measureLag(ctx, g); err != nil {
			s.m.noLag()
			s.failed(ctx, opAsk, err)
		}
		if !s.sleep(ctx, lagInterval) {
			return
		}
	}
}

func (s *Stream) measureLag(ctx context.Context, g *kafka.Generation) error {
	for topic, assigned := range g.Assignments {
		if len(assigned) == 0 {
			continue
		}
		ids, ends := make([]int, len(assigned)), make([]kafka.OffsetRequest, len(assigned))
		for i, a := range assigned {
			ids[i], ends[i] = a.ID, kafka.LastOffsetOf(a.ID)
		}
		end, err := s.ask(ctx, topic, ends...)
		if err != nil {
			return err
		}
		committed, err := s.client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: s.config.Group, Topics: map[string][]int{topic: ids}})
		if err == nil {
			err = committed.Error
		}
		if err != nil {
			return fmt.Errorf("offsets of group %s: %w", s.config.Group, err)
		}
		for _, p := range committed.Topics[topic] {
			if p.CommittedOffset >= 0 {
				s.m.setLag(topic, p.Partition, max(0, end[p.Partition].LastOffset-p.CommittedOffset))
			}
		}
	}
	return nil
}
