package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"entrasim/sim"
)

// TestEverySwitchCanBeSet: scenario files know each switch of the service under its name, with the values that it has.
func TestEverySwitchCanBeSet(t *testing.T) {
	fs := fieldsOf(&Settings{})
	for _, w := range sim.Switches() {
		f, ok := fs.by(w.Name)
		if !ok {
			t.Errorf("settings has no %s", w.Name)
			continue
		}
		if w.Kind != "boolean" && !slices.Equal(f.enum, w.Choices) {
			t.Errorf("%s: %v, the service has %v", w.Name, f.enum, w.Choices)
		}
		value := map[string]string{"boolean": "true", "number": "2", "text": "x", "duration": "2h", "durations": "1h 2h"}[w.Kind]
		if w.Kind == "choice" {
			value = w.Choices[1]
		}
		s, err := Parse("x.yaml", fmt.Appendf(nil, "name: x\ntenant: {users: {ann}}\napplication: {assigned: [ann], settings: {%s: %s}}\nsteps: [{cycle: , expect: {cycles: 1}}]\n", w.Name, value))
		if err != nil {
			t.Errorf("%s: %v", w.Name, err)
			continue
		}
		if got := s.App.Settings.switches(); len(got) != 1 || got[w.Name] != value {
			t.Errorf("%s: %v", w.Name, got)
		}
	}
	for text, want := range map[string]string{
		"preventDeletions: few": "expected a number of objects, or off", "memberBatch: 0": "no whole number from 1", "quarantineAttempts: soon": "no ascending list of durations",
	} {
		if _, err := Parse("x.yaml", fmt.Appendf(nil, "name: x\napplication: {settings: {%s}}\nsteps: [{settings: {%s}}]\n", text, text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
