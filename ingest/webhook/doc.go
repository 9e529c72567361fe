// Package webhook receives deliveries over HTTP.
//
// A request is answered 200 only when its delivery is durable. It is refused
// with 400 only when its bytes cannot be decoded, and then the refusal is kept in the
// journal before it is sent. Everything that is our own trouble (the journal is full,
// slow or away) is a 503 with Retry-After: Alertmanager tries again on 5xx and throws away on 4xx.
// A 503 after the wait does not say that the delivery is lost: it may still land, and the sender's
// next try is then a copy, which changes nothing.
package webhook
