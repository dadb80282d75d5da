package portal

// LookAt lets pages of the log look at n records at a time, until what it returns is called.
func LookAt(n int) func() {
	was := logLooked
	logLooked = n
	return func() { logLooked = was }
}
