package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// stoppable returns a context that the first interrupt ends, so that the work stops
// after the batch. The second one ends the process as it would without this. The
// caller calls release.
func (a *app) stoppable(ctx context.Context) (stopped context.Context, release func()) {
	stopped, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	said := make(chan struct{})
	unhook := context.AfterFunc(stopped, func() {
		defer close(said)
		stop()
		if a.ErrWidth > 0 {
			a.message("") // behind the bar
		}
		a.message("stopping after this batch; interrupt again to stop at once (nothing is lost either way)")
	})
	return stopped, func() {
		if !unhook() {
			<-said
		}
		stop()
	}
}
