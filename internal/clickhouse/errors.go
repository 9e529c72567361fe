package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"slices"

	native "github.com/ClickHouse/ch-go"
	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
)

// ErrAway says that the store cannot do it now and may do so later: it is not running, not
// reachable, overloaded, or took longer than there was time. What was sent may or may not have
// been done. Any other error says that the query or the data are wrong: it will not get better
// by waiting.
var ErrAway = errors.New("the store is away")

// Error is what went wrong with the store.
type Error struct {
	Op   string // what was tried
	Code int32  // ClickHouse's own error code, 0 if it did not get that far
	Away bool   // see [ErrAway]
	Err  error
}

// Error says what was tried and what came of it.
func (e *Error) Error() string {
	if e.Away {
		return fmt.Sprintf("%s: ClickHouse is away: %v", e.Op, e.Err)
	}
	return fmt.Sprintf("%s: %v", e.Op, e.Err)
}

// Unwrap returns the driver's error.
func (e *Error) Unwrap() error { return e.Err }

// Is says whether the error is [ErrAway].
func (e *Error) Is(target error) bool { return target == ErrAway && e.Away }

// Error codes of ClickHouse that are of its state and not of the query. See
// https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp.
var awayCodes = []int32{
	3,   // UNEXPECTED_END_OF_FILE
	32,  // ATTEMPT_TO_READ_AFTER_EOF
	76,  // CANNOT_OPEN_FILE
	159, // TIMEOUT_EXCEEDED
	160, // TOO_SLOW
	198, // DNS_ERROR
	201, // QUOTA_EXCEEDED
	202, // TOO_MANY_SIMULTANEOUS_QUERIES
	203, // NO_FREE_CONNECTION
	209, // SOCKET_TIMEOUT
	210, // NETWORK_ERROR
	216, // QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING
	225, // NO_ZOOKEEPER
	236, // ABORTED
	241, // MEMORY_LIMIT_EXCEEDED
	242, // TABLE_IS_READ_ONLY
	243, // NOT_ENOUGH_SPACE
	252, // TOO_MANY_PARTS
	254, // NO_ACTIVE_REPLICAS
	279, // ALL_CONNECTION_TRIES_FAILED
	285, // TOO_FEW_LIVE_REPLICAS
	286, // UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
	290, // LIMIT_EXCEEDED
	319, // UNKNOWN_STATUS_OF_INSERT
	394, // QUERY_WAS_CANCELLED
	439, // CANNOT_SCHEDULE_TASK
	473, // DEADLOCK_AVOIDED
	692, // TOO_MANY_MUTATIONS
	700, // USER_SESSION_LIMIT_EXCEEDED
	734, // QUERY_WAS_CANCELLED_BY_CLIENT
	745, // SERVER_OVERLOADED
	999, // KEEPER_EXCEPTION
}

// wrap returns err as an [Error]. A context that the caller cancelled is passed as it is: it says
// nothing about the store.
func wrap(op string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	e := &Error{Op: op, Err: err, Away: true}
	if code, said := serverCode(err); said {
		e.Code, e.Away = code, slices.Contains(awayCodes, code)
	} else if ofOurMaking(err) {
		e.Away = false
	}
	return e
}

// serverCode returns the code of the error if it is one that the server answered.
func serverCode(err error) (code int32, said bool) {
	var answered *ch.Exception
	var toInsert *native.Exception
	switch {
	case errors.As(err, &answered):
		return answered.Code, true
	case errors.As(err, &toInsert):
		return int32(toInsert.Code), true
	}
	return 0, false
}

// ofOurMaking says whether the driver refused what it was given, before anything was sent, or what it read.
func ofOurMaking(err error) bool {
	var op *ch.OpError
	var col *column.Error
	var conversion *column.ColumnConverterError
	return errors.As(err, &op) || errors.As(err, &col) || errors.As(err, &conversion)
}
