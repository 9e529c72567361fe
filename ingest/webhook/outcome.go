package webhook

import "net/http"

// outcome is how a request ended: a label of metrics, and what status and error type come from.
type outcome string

const (
	outcomeAccepted     outcome = "accepted"
	outcomePartial      outcome = "partial"      // accepted, but for some alerts that are dead letters; API v2 only
	outcomeUndecodable  outcome = "undecodable"  // kept among the dead letters
	outcomeInvalid      outcome = "invalid"      // a header or parameter
	outcomeUnauthorized outcome = "unauthorized" // no token that is known
	outcomeForbidden    outcome = "forbidden"    // a source or tenant that is not the sender's, or one tenant too many
	outcomeEncoding     outcome = "encoding"     // a Content-Encoding that is not known
	outcomeTooLarge     outcome = "too_large"
	outcomeMethod       outcome = "method"
	outcomeNotFound     outcome = "not_found"
	outcomeUnread       outcome = "unread" // the body did not arrive
	outcomeBusy         outcome = "busy"   // no memory for the body
	outcomeTimeout      outcome = "timeout"
	outcomeUnavailable  outcome = "unavailable"
)

var outcomes = []outcome{
	outcomeAccepted, outcomePartial, outcomeUndecodable, outcomeInvalid, outcomeUnauthorized, outcomeForbidden, outcomeEncoding, outcomeTooLarge,
	outcomeMethod, outcomeUnread, outcomeBusy, outcomeTimeout, outcomeUnavailable,
}

// status is the only place that says which outcome is whose fault.
func (o outcome) status() int {
	switch o {
	case outcomeAccepted:
		return http.StatusOK
	case outcomePartial, outcomeUndecodable, outcomeInvalid:
		return http.StatusBadRequest
	case outcomeUnauthorized:
		return http.StatusUnauthorized
	case outcomeForbidden:
		return http.StatusForbidden
	case outcomeEncoding:
		return http.StatusUnsupportedMediaType
	case outcomeTooLarge:
		return http.StatusRequestEntityTooLarge
	case outcomeMethod:
		return http.StatusMethodNotAllowed
	case outcomeNotFound:
		return http.StatusNotFound
	}
	return http.StatusServiceUnavailable
}

func (o outcome) errorType() string {
	switch o {
	case outcomeNotFound:
		return "not_found"
	case outcomeUnauthorized, outcomeForbidden:
		return string(o)
	case outcomeTimeout:
		return "timeout"
	case outcomeUnread, outcomeBusy, outcomeUnavailable:
		return "unavailable"
	}
	return "bad_data"
}
