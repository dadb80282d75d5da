package sim

import (
	"context"

	"entrasim/sim/scim"
)

// The reference check: older pages say that the present value of a reference is asked for before it is written
// (use-scim-to-provision-users-and-groups.md, "Example 4"). No recording of the last years shows it, so that it is off.

// checks reports whether the references of a resource type are asked for first.
func (c *cycle) checks(rt scim.ResourceType) bool {
	only := "users"
	if rt == scim.Group {
		only = "groups"
	}
	return c.opt.ReferenceCheck == only || c.opt.ReferenceCheck == "both"
}

const (
	checkReason = "Whether the target holds the reference is asked before it is written."
	checkRule   = "W-064"
)

// managerStands reports whether the target says that the manager is as it should be: the wanted one is set, or the old one
// is not set any more.
func (t *step) managerStands(ctx context.Context, op scim.Op, wanted, have string) (bool, error) {
	if !t.checks(scim.User) {
		return false, nil
	}
	asked := wanted
	if op == scim.Remove {
		asked = have
	}
	holds, err := t.client.Holds(ctx, t.tag(t.src.ID, checkReason, checkRule), scim.User, t.link.Target, "manager", asked)
	return holds != (op == scim.Remove), err
}

// unset returns the memberships that have to be sent: those to add that the target does not hold, and those to remove that
// it does. What is as it should be is settled. A failure keeps the rest of the part waiting.
func (t *memberWriter) unset(ctx context.Context, part []membership, adds bool) ([]membership, *failure) {
	if !t.checks(scim.Group) {
		return part, nil
	}
	var send []membership
	for i, x := range part {
		holds, err := t.client.Holds(ctx, t.tag(t.src.ID, checkReason, checkRule), scim.Group, t.link.Target, "members", x.target)
		switch {
		case err != nil:
			f := failureOf(err)
			t.out.fail, t.out.asked = f, t.out.asked || !f.unhealthy()
			r := t.record()
			r.fail(f)
			r.Rules = []string{checkRule}
			t.noteExchanges(&r)
			t.out.records = append(t.out.records, r)
			for _, x := range append(send, part[i:]...) {
				t.out.edges = append(t.out.edges, edgeResult{edge: edge{t.w.num, x.num}, fail: f})
			}
			return nil, f
		case holds != adds:
			send = append(send, x)
		default:
			res := edgeResult{edge: edge{t.w.num, x.num}, known: edgeUntold}
			if adds {
				res.known = edgeTold
			}
			t.out.edges = append(t.out.edges, res)
		}
	}
	return send, nil
}
