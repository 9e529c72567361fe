package clickhouse

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
)

// plain returns a column's value as the driver takes it: a value of a named type as its
// underlying one, and a map with its keys in order, so that equal rows are equal bytes.
func plain(v any) any {
	switch v := v.(type) {
	case string, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float64, bool,
		time.Time, []string, []byte, nil:
		return v
	case map[string]string:
		return orderedMap(v)
	}
	r := reflect.ValueOf(v)
	if base, ok := basicTypes[r.Kind()]; ok {
		return r.Convert(base).Interface()
	}
	if r.Kind() == reflect.Slice && r.Type().Elem().PkgPath() != "" {
		if base, ok := basicTypes[r.Type().Elem().Kind()]; ok {
			return plainSlice(r, base)
		}
	}
	return v
}

// basicTypes are the types that named ones are reduced to.
var basicTypes = map[reflect.Kind]reflect.Type{
	reflect.String:  reflect.TypeFor[string](),
	reflect.Bool:    reflect.TypeFor[bool](),
	reflect.Int8:    reflect.TypeFor[int8](),
	reflect.Int16:   reflect.TypeFor[int16](),
	reflect.Int32:   reflect.TypeFor[int32](),
	reflect.Int64:   reflect.TypeFor[int64](),
	reflect.Uint8:   reflect.TypeFor[uint8](),
	reflect.Uint16:  reflect.TypeFor[uint16](),
	reflect.Uint32:  reflect.TypeFor[uint32](),
	reflect.Uint64:  reflect.TypeFor[uint64](),
	reflect.Float64: reflect.TypeFor[float64](),
}

func plainSlice(r reflect.Value, base reflect.Type) any {
	out := reflect.MakeSlice(reflect.SliceOf(base), r.Len(), r.Len())
	for i := range r.Len() {
		out.Index(i).Set(r.Index(i).Convert(base))
	}
	return out.Interface()
}

// orderedMap is a map whose keys are written in their order.
type orderedMap map[string]string

// Put is for reading, which is done into plain maps.
func (m orderedMap) Put(key, value any) {
	m[key.(string)] = value.(string) //nolint:forcetypeassert // a Map(String, String)
}

// Iterator returns the pairs, sorted by key.
func (m orderedMap) Iterator() column.MapIterator {
	return &pairs{m: m, keys: slices.Sorted(maps.Keys(m)), at: -1}
}

type pairs struct {
	m    orderedMap
	keys []string
	at   int
}

func (p *pairs) Next() bool { p.at++; return p.at < len(p.keys) }
func (p *pairs) Key() any   { return p.keys[p.at] }
func (p *pairs) Value() any { return p.m[p.keys[p.at]] }
