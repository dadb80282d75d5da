package scenarios

// Diagnosis names a requirement of Entra that a target breaks, with the exchange that shows it.
type Diagnosis struct {
	ID, Mistake, Requirement string
	Exchange                 uint64
}

func diagnose(r *Result) []Diagnosis { return nil }
