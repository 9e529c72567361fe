package webhook

import "net/http"

// outcome is how a request ended: a label of metrics, and what status and error type come from.
type outcome string

const (
	outcomeAccepted    outcome = "accepted"
	outcomeUndecodable outcome = "undecodable" // kept among the dead letters
	outcomeInvalid     outcome = "invalid"     // a header or parameter
	outcomeEncoding    outcome = "encoding"    // a Content-Encoding that is not known
	outcomeTooLarge    outcome = "too_large"
	outcomeMethod      outcome = "method"
	outcomeNotFound    outcome = "not_found"
	outcomeUnread      outcome = "unread" // the body did not arrive
	outcomeBusy        outcome = "busy"   // no memory for the body
	outcomeTimeout     outcome = "timeout"
	outcomeUnavailable outcome = "unavailable"
)

var outcomes = []outcome{
	outcomeAccepted, outcomeUndecodable, outcomeInvalid, outcomeEncoding, outcomeTooLarge,
	outcomeMethod, outcomeUnread, outcomeBusy, outcomeTimeout, outcomeUnavailable,
}

// status is the only place that says which outcome is whose fault.
func (o outcome) status() int {
	switch o {
	case outcomeAccepted:
		return http.StatusOK
	case outcomeUndecodable, outcomeInvalid:
		return http.StatusBadRequest
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
	case outcomeTimeout:
		return "timeout"
	case outcomeUnread, outcomeBusy, outcomeUnavailable:
		return "unavailable"
	}
	return "bad_data"
}
