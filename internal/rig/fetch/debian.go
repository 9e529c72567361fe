//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// unpack downloads Debian packages with apt's own client, which checks their signatures,
// and unpacks them into folder/debian-NAME of the first, where adapt, which may be nil, makes
// it run. The further ones are libraries of it. Nothing is installed.
func unpack(folder string, adapt func(dir string) error, names ...string) error {
	if !onPath("apt-get") || !onPath("dpkg-deb") {
		return errors.New("it comes from a Debian package, and this is not Debian")
	}
	return inPlace(folder, "debian-"+names[0], func(dir string) error {
		for _, name := range names {
			if err := extract(name, dir); err != nil {
				return err
			}
		}
		if adapt == nil {
			return nil
		}
		return adapt(dir)
	})
}

func extract(name, dir string) error {
	say("downloading the Debian package %s (it is unpacked, not installed)", name)
	deb, err := download(name)
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(filepath.Dir(deb)) }()
	return command("", "dpkg-deb", "-x", deb, dir)
}

// relocateAlertmanager lets Debian's Alertmanager run where it was unpacked. It reads its
// templates below an absolute path, which is there only when it is installed; in the
// copy that path becomes a relative one of the same length, and package rig
// starts it in the folder of the package.
func relocateAlertmanager(dir string) error {
	const installed, relative = "/usr/share/prometheus/alertmanager", "usr//share/prometheus/alertmanager"
	file := filepath.Join(dir, "usr", "bin", "prometheus-alertmanager")
	program, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !bytes.Contains(program, []byte(installed)) {
		return nil // a release that embeds its templates
	}
	return os.WriteFile(file, bytes.ReplaceAll(program, []byte(installed), []byte(relative)), 0o755)
}

// download returns the path of the package's file, alone in a folder of its own.
func download(name string) (string, error) {
	dir, err := os.MkdirTemp("", "evenkeel-deb-*")
	if err != nil {
		return "", err
	}
	// As root, apt downloads as the user _apt, who must be able to write here.
	if err := os.Chmod(dir, 0o777); err != nil {
		return "", err
	}
	if err := withLists(func() error { return command(dir, "apt-get", "download", "-q", name) }); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil || len(found) != 1 {
		return "", errors.Join(fmt.Errorf("apt-get download %s left %d packages", name, len(found)), err, os.RemoveAll(dir))
	}
	return found[0], nil
}

// install installs packages: only what has no daemon, and only as root.
func install(names ...string) error {
	list := strings.Join(names, " ")
	switch {
	case !onPath("apt-get"):
		return fmt.Errorf("install it by hand (Debian's packages are called %s)", list)
	case os.Geteuid() != 0:
		return fmt.Errorf("not root; run: apt-get install %s", list)
	}
	say("installing %s with apt-get", list)
	args := append([]string{"install", "-q", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"}, names...)
	return withLists(func() error { return command("", "apt-get", args...) })
}

// withLists runs an apt command, and where it fails once more with fresh package
// lists: a new machine has none, and old ones name versions that are gone.
func withLists(apt func() error) error {
	first := apt()
	if first == nil || os.Geteuid() != 0 {
		return first
	}
	if err := command("", "apt-get", "update", "-q", "-o", "DPkg::Lock::Timeout=300"); err != nil {
		return errors.Join(first, err)
	}
	return apt()
}

func onPath(names ...string) bool {
	for _, name := range names {
		if _, err := exec.LookPath(name); err == nil {
			return true
		}
	}
	return false
}

// command runs a program in dir and keeps its talk to itself, unless it fails.
func command(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// inPlace fills a new folder by make and gives it its name only when it is whole.
func inPlace(folder, name string, fill func(dir string) error) error {
	dir, err := os.MkdirTemp(folder, "new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // gone by then where all went well
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	if err := fill(dir); err != nil {
		return err
	}
	final := filepath.Join(folder, name)
	if err := os.RemoveAll(final); err != nil {
		return err
	}
	return os.Rename(dir, final)
}
