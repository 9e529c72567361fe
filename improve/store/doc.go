// Package store reads from ClickHouse what reports are made of.
//
// [Reader] is an [improve.Source]. What the stages can tell by themselves is asked of
// their readers; the queries here are those that only reports need. Every answer is
// a function of the query: rows recorded after AsOf are not in it, order is full, and
// sums are whole numbers.
package store
