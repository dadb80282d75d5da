package scenarios

// Diagnosis names a requirement of Entra that a target breaks, with the exchange that shows it.
type Diagnosis struct {
	ID          string `json:"id"`
	Mistake     string `json:"mistake"`     // what the target does
	Requirement string `json:"requirement"` // what Entra needs
	Exchange    uint64 `json:"exchange"`    // the one that shows it
}

func diagnose(r *Result) []Diagnosis { return nil }
