package engine

import (
	"testing"
)

func TestMain(m *testing.M) {
	RunIfChild()
	m.Run()
}
