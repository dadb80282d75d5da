package portal_test

import (
	"net/url"
	"strings"
	"testing"

	"entrasim/directory"
	"entrasim/sim"
)

// TestProvisionOnDemandPage walks from the search to the result of a user, before provisioning is started.
func TestProvisionOnDemandPage(t *testing.T) {
	s := newSite(t, 60, "")
	page := "/applications/" + s.app + "/provisioning/on-demand"
	s.see(s.get("/applications/"+s.app+"/provisioning"), "Provision on demand")
	members, who := s.assignedGroup()
	adele := members[0]
	s.see(s.get(page+"?q="+url.QueryEscape(adele.UserPrincipalName)), adele.DisplayName)
	s.see(s.get(page+"?object="+adele.ID), "Selected user", adele.UserPrincipalName, "Provision")
	run := s.post(page, "object", adele.ID)
	s.see(run, "Success", "1. Import user", "2. Determine if user is in scope", "3. Match user between source and target", "4. Perform action", adele.DisplayName+" created in customappsso", "S-310")
	if strings.Contains(run.text(), "Test connection") {
		t.Error("the test of the connection is shown though it passed")
	}
	s.see(s.get(run.path+"&step=import"), "userPrincipalName", adele.UserPrincipalName)
	s.see(s.get(run.path+"&step=scope"), "Active in source system", "Assigned to application", "Scope sync all", "User has required role")
	s.see(s.get(run.path+"&step=match"), "No matching user was found", "No object was found.")
	s.see(s.get(run.path+"&step=action"), "Modified attributes", "Original value", "userName", adele.UserPrincipalName)
	s.see(s.get("/logs"), adele.DisplayName)
	again := s.post(page, "object", adele.ID)
	s.see(again, "Skipped", "The state of the user in both the source and target systems already match.")
	s.see(s.get(page+"?run=nothing"), "no longer kept")

	// A group with members, and one member too many.
	group := s.post(page, "object", who.ID, "member", adele.ID)
	s.see(group, "1. Import group", "Success")
	s.see(s.get(group.path+"&step=action"), "members")
	s.see(s.get(page+"?object="+who.ID), "Selected group", "Select members", adele.DisplayName)
	s.see(s.get(page+"?object="+who.ID+"&m=nobody"), "No member begins with")
	form := url.Values{"object": {who.ID}}
	for i := range 6 {
		form.Add("member", members[i%len(members)].ID)
	}
	s.see(s.do("POST", page, form), "provision on demand takes 5 at a time")
	s.see(s.post(page), "Nobody was chosen.")
	s.see(s.post(page, "object", "nobody"), "there is no user")
}

// TestProvisionOnDemandRefused shows the first step when it fails, and finds nobody who is blocked.
func TestProvisionOnDemandRefused(t *testing.T) {
	s := newSite(t, 60, "")
	page := "/applications/" + s.app + "/provisioning/on-demand"
	members, _ := s.assignedGroup()
	token := "wrong"
	no(t, s.svc.UpdateSettings(s.app, sim.SettingsEdit{SecretToken: &token}))
	run := s.post(page, "object", members[0].ID)
	s.see(run, "Failure", "1. Test connection", "Not reached.")
	s.see(s.get(run.path+"&step=connection"), "Unauthorized")
	if got := s.get("/logs").text(); strings.Contains(got, members[0].ID) {
		t.Error("a run that did not come to its user is in the log")
	}
	_, err := s.dir.UpdateUser(begin, members[1].ID, directory.Props{"accountEnabled": false})
	no(t, err)
	s.see(s.get(page+"?q="+url.QueryEscape(members[1].UserPrincipalName)), "Who is blocked or deleted is not found")
}

// assignedGroup returns a group that is assigned to the starter's application, with those of its members who are enabled.
func (s *site) assignedGroup() (members []directory.User, g directory.Object) {
	s.Helper()
	list, err := s.dir.Assignments(s.app, "", 10)
	no(s, err)
	for _, a := range list.Items {
		if a.PrincipalKind != directory.KindGroup {
			continue
		}
		if g, err = s.dir.Object(a.PrincipalID); err != nil {
			s.Fatal(err)
		}
		page, err := s.dir.Members(g.ID, "", 999)
		no(s, err)
		members = nil
		for _, m := range page.Items {
			if u, err := s.dir.User(m.ID); err == nil && u.AccountEnabled {
				members = append(members, u)
			}
		}
		if len(members) >= 6 {
			return members, g
		}
	}
	s.Fatalf("no assigned group of %d has six members", len(list.Items))
	return
}
