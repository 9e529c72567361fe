package engine

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	_ "embed" // the two configuration files
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// user is the service's user; the password is made anew at every start.
const user = "evenkeel"

//go:embed config.xml.tmpl
var configText string

//go:embed users.xml.tmpl
var usersText string

// settings are what the engine's two configuration files are made of.
type settings struct {
	Folder         string
	TCPPort        int
	HTTPPort       int
	MaxMemoryBytes int64
	CacheBytes     int64
	User           string
	Password       string
}

// PasswordSHA256 is the form in which the password is written to disk.
func (s settings) PasswordSHA256() string {
	sum := sha256.Sum256([]byte(s.Password))
	return hex.EncodeToString(sum[:])
}

func (s settings) configPath() string { return filepath.Join(s.Folder, "config.xml") }

// write puts both files into the folder, readable by the owner alone.
func (s settings) write() error {
	if err := os.MkdirAll(filepath.Join(s.Folder, "data"), 0o700); err != nil {
		return err
	}
	for name, text := range map[string]string{"config.xml": configText, "users.xml": usersText} {
		content, err := s.render(text)
		if err != nil {
			return fmt.Errorf("make %s: %w", name, err)
		}
		if err := replaceFile(filepath.Join(s.Folder, name), content); err != nil {
			return err
		}
	}
	return nil
}

func (s settings) render(text string) ([]byte, error) {
	t, err := template.New("").Funcs(template.FuncMap{"xml": escapeXML}).Parse(text)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, s)
	return out.Bytes(), err
}

// replaceFile swaps the file's content whole: a child that restarts meanwhile reads the old or
// the new one.
func replaceFile(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // gone already when all went well
	_, err = file.Write(content)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

func escapeXML(s string) (string, error) {
	var out strings.Builder
	err := xml.EscapeText(&out, []byte(s))
	return out.String(), err
}

// newPassword returns 192 random bits as text.
func newPassword() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // never fails, says its documentation
	return hex.EncodeToString(b)
}
