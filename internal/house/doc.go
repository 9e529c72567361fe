// Package house checks the rules of the repository that the compiler does not know:
// which package may import which, where a third-party library may be used, what a
// pure package may not do, that every package has a doc and every SQL file a user,
// and which words no file may hold. Its tests run the rules over the repository,
// and each rule over a small tree that breaks it.
package house
