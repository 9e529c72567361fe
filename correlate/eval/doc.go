// Package eval scores groupings of episodes against a truth, and reads and writes
// the files of assignments, incidents and truth.
package eval
