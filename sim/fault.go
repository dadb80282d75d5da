package sim

import (
	"fmt"
	"runtime/debug"
)

// fault is a panic that was caught: an error of this program.
type fault struct {
	doing string
	value any
}

func (f *fault) Error() string {
	return fmt.Sprintf("entrasim ran into an error of its own while %s: %v. Its log has the details.", f.doing, f.value)
}

// contained runs f and turns a panic in it into an error, so that one bad object or cycle does not take the program with it.
// It is logged with its stack and counted; what follows of it is the caller's to say.
func (s *Service) contained(doing string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			s.log.Error("entrasim ran into an error of its own", "doing", doing, "error", v, "stack", string(debug.Stack()))
			s.metrics.faults.Inc()
			err = &fault{doing, v}
		}
	}()
	return f()
}
