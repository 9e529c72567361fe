package ingest

// Origin is where in a stream a record came from. The same record may be delivered again, by
// another reader too, when who read it ended before it could say so: the origin is then the same,
// and the second is known as a copy.
type Origin struct {
	Stream    string `json:"stream"` // name of the stream's configuration
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
	// At is the record's own time. A topic that was removed and made again counts its offsets from
	// 0 again, but not its time.
	At Millis `json:"at"`
}
