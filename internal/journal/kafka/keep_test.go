package kafka_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	kafkago "github.com/segmentio/kafka-go"
	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/ingest"
	"github.com/evenkeel/evenkeel/internal/journal/kafka"
	"github.com/evenkeel/evenkeel/internal/partition"
)

var _ partition.Keep = (*kafka.Keep)(nil)

func claim(t testing.TB, c *kafka.Cluster) *kafka.Keep {
	t.Helper()
	k, err := c.Claim(context.Background(), kafka.Assignment{Member: "m"})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func loaded(t testing.TB, k *kafka.Keep) (state, checkpoint string) {
	t.Helper()
	s, err := k.LoadState(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	c, err := k.LoadCheckpoint(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return string(s), string(c)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestANewOwnerReadsWhatTheOneBeforeSaved(t *testing.T) {
	c := open(t, options(fake(t, 1).ListenAddrs()))
	ctx := context.Background()
	k := claim(t, c)
	if s, p := loaded(t, k); s != "" || p != "" {
		t.Errorf("a new keep holds %q and %q", s, p)
	}
	must(t, k.SaveState(ctx, []byte("one")))
	long := noise(3<<20, 1) // several chunks
	must(t, k.SaveCheckpoint(ctx, []byte(long)))
	must(t, k.SaveState(ctx, []byte("two")))

	next := claim(t, c)
	if s, p := loaded(t, next); s != "two" || p != long {
		t.Errorf("state %q and %d bytes of a checkpoint of %d", s, len(p), len(long))
	}
	must(t, next.SaveCheckpoint(ctx, nil))
	if s, p := loaded(t, claim(t, c)); s != "two" || p != "" {
		t.Errorf("state %q and %d bytes of an empty checkpoint", s, len(p))
	}
}

func TestAnOwnerWhosePartitionWasClaimedCanSaveNothingMore(t *testing.T) {
	o := options(fake(t, 1).ListenAddrs())
	a, b := open(t, o), open(t, o)
	ctx := context.Background()
	old := claim(t, a)
	must(t, old.SaveState(ctx, []byte("old")))
	must(t, old.SaveCheckpoint(ctx, []byte("old checkpoint")))
	fresh := claim(t, b)
	for range 2 {
		if err := old.SaveState(ctx, []byte("from the grave")); !errors.Is(err, kafka.ErrFenced) {
			t.Errorf("state: %v", err)
		}
		if err := old.SaveCheckpoint(ctx, []byte("from the grave")); !errors.Is(err, kafka.ErrFenced) {
			t.Errorf("checkpoint: %v", err)
		}
	}
	must(t, fresh.SaveState(ctx, []byte("new")))
	if s, p := loaded(t, claim(t, a)); s != "new" || p != "old checkpoint" {
		t.Errorf("state %q, checkpoint %q", s, p)
	}
}

// Who folds a partition compares what was kept of it with where it ends: it must not take an
// old end for a journal that lost something.
func TestAnOwnerKnowsWhereItsPartitionEnds(t *testing.T) {
	o := options(fake(t, 1).ListenAddrs())
	a, b := open(t, o), open(t, o)
	for range 20 {
		if _, err := a.Partition(0).Append(context.Background(), []ingest.Record{delivery("x")}); err != nil {
			t.Fatal(err)
		}
	}
	claim(t, b)
	if last := b.Partition(0).Last(); last != 20 {
		t.Errorf("the last is %d", last)
	}
}

// An owner that dies between its claim and its first save leaves what was there.
func TestAClaimAloneChangesNothing(t *testing.T) {
	c := open(t, options(fake(t, 1).ListenAddrs()))
	ctx := context.Background()
	k := claim(t, c)
	must(t, k.SaveState(ctx, []byte("s")))
	must(t, k.SaveCheckpoint(ctx, []byte("c")))
	claim(t, c)
	claim(t, c)
	if s, p := loaded(t, claim(t, c)); s != "s" || p != "c" {
		t.Errorf("state %q, checkpoint %q", s, p)
	}
}

func TestSavingManyTimesKeepsTheTopicShort(t *testing.T) {
	o := options(fake(t, 1).ListenAddrs())
	c := open(t, o)
	ctx := context.Background()
	k := claim(t, c)
	must(t, k.SaveState(ctx, []byte("s")))
	for i := range 20 {
		must(t, k.SaveCheckpoint(ctx, []byte(noise(1<<20, byte(i)))))
	}
	client := &kafkago.Client{Addr: kafkago.TCP(o.Brokers...), Transport: &kafkago.Transport{}}
	defer client.Transport.(*kafkago.Transport).CloseIdleConnections()
	res, err := client.ListOffsets(ctx, &kafkago.ListOffsetsRequest{Topics: map[string][]kafkago.OffsetRequest{
		o.Topic + "-checkpoints": {kafkago.FirstOffsetOf(0), kafkago.LastOffsetOf(0)},
	}})
	must(t, err)
	p := res.Topics[o.Topic+"-checkpoints"][0]
	if n := p.LastOffset - p.FirstOffset; n > 5 {
		t.Errorf("%d messages are kept", n)
	}
	if s, _ := loaded(t, claim(t, c)); s != "s" {
		t.Errorf("state %q", s)
	}
}

// owners is a keep with several owners, of which the last is right, and what must be read.
type owners struct {
	t          *testing.T
	c          *kafka.Cluster
	all        []*kafka.Keep
	state      string
	checkpoint string
	saves      int
}

func (o *owners) save(rt *rapid.T) {
	i := rapid.IntRange(0, len(o.all)-1).Draw(rt, "owner")
	o.saves++
	what := fmt.Sprintf("%d of owner %d", o.saves, i)
	var err error
	if rapid.Bool().Draw(rt, "checkpoint") {
		what += noise(rapid.SampledFrom([]int{0, 10, 10, 600_000}).Draw(rt, "size"), byte(o.saves))
		if err = o.all[i].SaveCheckpoint(context.Background(), []byte(what)); err == nil {
			o.checkpoint = what
		}
	} else if err = o.all[i].SaveState(context.Background(), []byte(what)); err == nil {
		o.state = what
	}
	if last := i == len(o.all)-1; last && err != nil || !last && !errors.Is(err, kafka.ErrFenced) {
		rt.Fatalf("owner %d of %d: %v", i, len(o.all), err)
	}
}

func TestWhateverOwnersDoTheNextOneReadsTheLastThingThatWasSaved(t *testing.T) {
	c := open(t, options(fake(t, 1).ListenAddrs()))
	rapid.Check(t, func(rt *rapid.T) { // each goes on where the one before it ended
		o := owners{t: t, c: c, all: []*kafka.Keep{claim(t, c)}}
		o.state, o.checkpoint = loaded(t, o.all[0])
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.IntRange(0, 4).Draw(rt, "step") {
			case 0:
				o.all = append(o.all, claim(t, c))
			default:
				o.save(rt)
			}
		}
		if s, p := loaded(t, claim(t, c)); s != o.state || p != o.checkpoint {
			rt.Fatalf("state %q, want %q; checkpoint %.20q, want %.20q", s, o.state, p, o.checkpoint)
		}
	})
}

// A checkpoint counts with its last message: before it, with a part missing or with one damaged, the
// checkpoint before it is read.
func TestATornCheckpointIsNotRead(t *testing.T) {
	brokers := fake(t, 1).ListenAddrs()
	for name, tear := range map[string]func([]kafkago.Record) []kafkago.Record{
		"without its manifest": func(r []kafkago.Record) []kafkago.Record { return r[:3] },
		"without a chunk":      func(r []kafkago.Record) []kafkago.Record { return append(r[:1:1], r[2:]...) },
		"with a damaged chunk": func(r []kafkago.Record) []kafkago.Record {
			r[1].Value = kafkago.NewBytes([]byte("other"))
			return r
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(brokers)
			c := open(t, o)
			ctx := context.Background()
			k := claim(t, c)
			must(t, k.SaveState(ctx, []byte("s")))
			must(t, k.SaveCheckpoint(ctx, []byte("first")))
			whole := recordsOf(t, o, func() { must(t, k.SaveCheckpoint(ctx, []byte(noise(1_200_000, 9)))) })

			other := options(brokers)
			torn := open(t, other)
			k = claim(t, torn)
			must(t, k.SaveState(ctx, []byte("s")))
			must(t, k.SaveCheckpoint(ctx, []byte("first")))
			produce(t, other, tear(whole))
			if s, p := loaded(t, claim(t, torn)); s != "s" || p != "first" {
				t.Errorf("state %q, checkpoint of %d bytes", s, len(p))
			}
		})
	}
}

// recordsOf returns what a checkpoint writes: three chunks, the manifest and the state.
func recordsOf(t *testing.T, o kafka.Options, save func()) []kafkago.Record {
	t.Helper()
	before := messages(t, o)
	save()
	after := messages(t, o)
	if len(after) != 5 {
		t.Fatalf("a checkpoint has %d messages, after %d", len(after), len(before))
	}
	return after
}

func messages(t *testing.T, o kafka.Options) []kafkago.Record {
	t.Helper()
	transport := new(kafkago.Transport)
	defer transport.CloseIdleConnections()
	client := &kafkago.Client{Addr: kafkago.TCP(o.Brokers...), Transport: transport}
	res, err := client.Fetch(context.Background(), &kafkago.FetchRequest{Topic: o.Topic + "-checkpoints", Offset: kafkago.FirstOffset, MinBytes: 1, MaxBytes: 10 << 20})
	must(t, err)
	must(t, res.Error)
	var all []kafkago.Record
	for {
		rec, err := res.Records.ReadRecord()
		if err != nil {
			return all
		}
		key, _ := kafkago.ReadAll(rec.Key)
		value, _ := kafkago.ReadAll(rec.Value)
		all = append(all, kafkago.Record{Key: kafkago.NewBytes(bytes.Clone(key)), Value: kafkago.NewBytes(bytes.Clone(value))})
	}
}

func produce(t *testing.T, o kafka.Options, records []kafkago.Record) {
	t.Helper()
	transport := new(kafkago.Transport)
	defer transport.CloseIdleConnections()
	client := &kafkago.Client{Addr: kafkago.TCP(o.Brokers...), Transport: transport}
	for _, rec := range records {
		res, err := client.Produce(context.Background(), &kafkago.ProduceRequest{
			Topic: o.Topic + "-checkpoints", RequiredAcks: kafkago.RequireAll, Records: kafkago.NewRecordReader(rec),
		})
		must(t, err)
		must(t, res.Error)
	}
}
