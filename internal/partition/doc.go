// Package partition takes one partition of the journal from records to rows.
//
// [Fold] is the pure half: records in, rows out, the same rows for the same
// records. [Runner] is the other half: it reads the journal by position, folds,
// and stores the rows in batches whose bounds are durable before they are
// sent, so that after any crash the same batch is sent again and only what is
// missing is added.
//
//	journal ──read──> Fold ──rows──> batch ──> Store (ClickHouse)
//	                   │                          │
//	                   └── checkpoint <── stored ─┘
//
// Nothing here queues deliveries: when the store is away the fold stops reading
// and the journal keeps what comes.
package partition
