package rig

import (
	"os/exec"
	"runtime"
	"syscall"
)

// dieWithParent makes cmd end when this process does, even where that is killed or
// runs into go test's timeout. The kernel ties this to the thread that starts cmd, so
// the calling goroutine keeps its thread until the returned function is called.
func dieWithParent(cmd *exec.Cmd) (unlock func()) {
	runtime.LockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return runtime.UnlockOSThread
}
