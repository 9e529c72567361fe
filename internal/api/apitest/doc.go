// Package apitest holds small sites in memory for tests of what reads: an empty
// one, one in the middle of an incident, and one whose alerts try to break the page.
package apitest
