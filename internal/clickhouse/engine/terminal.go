package engine

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/ebitengine/purego"
	"golang.org/x/sys/unix"
)

// moveStdin gives standard input, the parent's pipe, another number: a terminal takes its place.
func moveStdin() (*os.File, error) {
	fd, err := unix.FcntlInt(os.Stdin.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, fmt.Errorf("move standard input: %w", err)
	}
	return os.NewFile(uintptr(fd), "parent"), nil
}

// takeTerminal puts a pseudo-terminal on standard input. Unless it finds one there and is asked
// to be interactive, the library installs a handler that aborts the process at any error of any
// connection, such as that of a client which hangs up in the middle of an answer
// (https://github.com/ClickHouse/ClickHouse/issues/115666).
//
// While the script runs nothing is read from the terminal. When a statement fails, the library
// would wait there for another one: it is told, from the other side, that there is none.
func takeTerminal(lib uintptr) error {
	master, slave, err := openTerminal(lib)
	if err != nil {
		return fmt.Errorf("open a terminal: %w", err)
	}
	defer slave.Close()
	if err := unix.Dup2(int(slave.Fd()), syscall.Stdin); err != nil {
		return fmt.Errorf("put a terminal on standard input: %w", err)
	}
	go hangUp(master)
	return nil
}

// openTerminal returns the two sides of a new pseudo-terminal. The functions are those of the
// C library, which is among what lib is linked with.
func openTerminal(lib uintptr) (master, slave *os.File, err error) {
	var open func(flags int32) int32
	var grant, unlock func(fd int32) int32
	var name func(fd int32) string
	for symbol, fn := range map[string]any{"posix_openpt": &open, "grantpt": &grant, "unlockpt": &unlock, "ptsname": &name} {
		address, err := purego.Dlsym(lib, symbol)
		if err != nil {
			return nil, nil, err
		}
		purego.RegisterFunc(fn, address)
	}
	fd := open(unix.O_RDWR | unix.O_NOCTTY)
	if fd < 0 || grant(fd) != 0 || unlock(fd) != 0 {
		return nil, nil, errors.New("the system gives none (is /dev/pts there?)")
	}
	slave, err = os.OpenFile(name(fd), unix.O_RDWR|unix.O_NOCTTY, 0)
	return os.NewFile(uintptr(fd), "terminal"), slave, err
}

// hangUp says again and again that the input has ended, as Ctrl-D does: what was said before the
// library's prompt appears is lost.
func hangUp(master *os.File) {
	for {
		if _, err := master.WriteString("\x04"); err != nil {
			return
		}
		time.Sleep(time.Second / 2)
	}
}
