package correlate_test

import (
	"bytes"
	"encoding/json"
	"reflect"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// unlike says how two outcomes differ, "" where they do not. To find out that nothing differs, which is what properties
// mostly ask, cmp takes many times as long as what they test; what is the same as JSON, with all fields, is the same.
func unlike(want, got any) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	a, errA := json.Marshal(want)
	b, errB := json.Marshal(got)
	if errA == nil && errB == nil && bytes.Equal(a, b) {
		return ""
	}
	return cmp.Diff(want, got, cmpopts.EquateEmpty())
}
