package ingest

// Decoded is what a record holds, decoded.
type Decoded struct {
	Events []Event
	Dead   []DeadLetter // what in it was not understood
	// Truncated is how many alerts the sender says that it left out.
	Truncated int
	// Warnings tell the sender what was ignored, each with its path: the first 100.
	Warnings []string
	// Unsaid is how many more warnings there would be.
	Unsaid int
}

// Reading is what a record was decoded to by whoever appends it, who has to look into it anyway. It is a
// memory and no part of the record: a journal may drop it, and who finds it takes it only where decoding
// the record anew would give the same.
type Reading struct {
	Decoded
	By          string // names the decoder's configuration
	From, Until Millis // a record that is received within [From, Until) is decoded to this
}
