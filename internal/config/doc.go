// Package config reads the configuration of Evenkeel: the root file
// evenkeel.yml and the catalogue of services.
//
// Reading is strict and complete. An unknown key, a key that stands twice or a
// value that cannot be understood is an error with file, line and column, and
// all errors of all files come at once. What is odd but workable (a dependency
// on a service that nobody describes) is a warning. Nothing is expanded from
// the environment; secrets stand in files of their own, named by *_file keys.
//
// The package composes: what a stage needs to know is the stage's own Config,
// and the same files always give the same values in the same order, so that
// their canonical JSON can be hashed.
package config
