package api

import (
	"encoding/base64"
	"encoding/json"
	"hash/crc32"
	"maps"
	"strconv"

	"github.com/evenkeel/evenkeel/ingest"
)

// cursor is where a page ended. It carries the as_of of the first page: the pages
// of one walk are one snapshot, whatever arrives meanwhile.
type cursor struct {
	AsOf int64  `json:"a"`
	Next string `json:"n"` // the store's own cursor
	Sum  uint32 `json:"s"` // tells one that was cut or changed on its way; it is no secret
}

// sum is of the tenant, too: in another's list the place is another.
func (c cursor) sum(tenant string) uint32 {
	return crc32.ChecksumIEEE([]byte(tenant + " " + strconv.FormatInt(c.AsOf, 10) + " " + c.Next))
}

// encodeCursor returns the cursor of the next page of a tenant's list, or "" where next is.
func encodeCursor(tenant string, asOf ingest.Millis, next string) (string, error) {
	if next == "" {
		return "", nil
	}
	c := cursor{AsOf: int64(asOf), Next: next}
	c.Sum = c.sum(tenant)
	b, err := json.Marshal(c)
	return base64.RawURLEncoding.EncodeToString(b), err
}

// resume returns the store's cursor out of the parameter cursor, and makes as_of what
// it was on the first page.
func resume(tenant string, p *Params) string {
	text := p.Text("cursor")
	if text == "" {
		return ""
	}
	var c cursor
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	switch asOf := ingest.Millis(c.AsOf).String(); {
	case err != nil || c.Sum != c.sum(tenant) || c.AsOf <= 0 || c.AsOf > latestTime*1000 || c.Next == "":
		p.reject("cursor", "is not a cursor that this server gave for this tenant")
	case p.Text("as_of") != "" && p.Time("as_of", 0) != ingest.Millis(c.AsOf):
		p.reject("as_of", "differs from the "+asOf+" that the cursor was made at; leave it out")
	default:
		p.values = maps.Clone(p.values)
		p.values.Set("as_of", asOf)
	}
	return c.Next
}
