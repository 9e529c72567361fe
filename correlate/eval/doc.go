// Package eval scores groupings of episodes against a truth, and reads and writes
// the files of assignments, incidents and truth.
//
// B-cubed F1 alone rewards lumping, so its precision and recall are always beside
// it, and so are the same scores over the episodes of faults alone: noise and flaps are
// nearly free.
package eval
