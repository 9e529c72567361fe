// Package webhook receives deliveries over HTTP.
//
// A request is answered 200 only when its delivery is durable. It is refused
// with 400 only when its bytes cannot be decoded, and then the refusal is kept in the
// journal before it is sent; on the path of Alertmanager's API v2 some bad alerts among good ones are a 400
// too, as Alertmanager answers, and the good ones are kept. Everything that is our own trouble (the journal
// is full, slow or away, too much arrives at once) is a 503 with Retry-After: Alertmanager tries again on 5xx
// and throws away on 4xx. A 503 after the wait does not say that the delivery is lost: it may still land, and
// the sender's next try is then a copy, which changes nothing.
//
// What is held in memory is bounded over all requests together, bodies that unpack to far more than
// they should and senders that drip are given up, and whose a request is comes from its token, its source
// and its tenant: see [Sources].
package webhook
