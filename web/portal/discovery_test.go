package portal_test

import "testing"

// TestDiscoverIdentities: the page sorts what the target holds, and tells of a target that fails.
func TestDiscoverIdentities(t *testing.T) {
	s := newSite(t, 60, "")
	path := "/applications/" + s.app + "/provisioning/discovery"
	p := s.get(path)
	s.sound(p)
	s.see(p, "No report yet")
	s.cycle()
	p = s.post(path)
	s.sound(p)
	s.see(p, "found at the target", "Local accounts", "Unassigned users", "Assigned users", "userPrincipalName")
	assigned := s.get(path + "?category=assigned")
	s.sound(assigned)
	s.see(assigned, "A user matches, and is assigned.", "linked")
	s.fault(`{"faults":[{"status":401}]}`)
	s.see(s.post(path), "invalid credentials")
}
