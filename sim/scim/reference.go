package scim

const managerPath = enterpriseUser + ":manager"

// ManagerPatch is the body that sets or clears a manager. newID and oldID are ids at the target; oldID is what the target
// returned. send is false when nothing is sent. The oldest dialect writes the short path and a list with the manager's
// address (use-scim-to-provision-users-and-groups.md, "Example 5").
func ManagerPatch(ep Endpoint, opt Options, op Op, newID, oldID string) (body []byte, send bool) {
	b := append(appendString(append(beginPatch(), `{"op":`...), op.word(ep.Dialect)), `,"path":`...)
	if op == Remove {
		return managerRemoval(b, ep.Dialect, opt, oldID)
	}
	path, form := managerPath, opt.ManagerForm
	if ep.Dialect == CustomAppSSO {
		path, form = "manager", "array"
	}
	b = append(appendString(b, path), `,"value":`...)
	switch form {
	case "object":
		b = append(appendString(append(b, `{"value":`...), newID), '}')
	case "array":
		b = appendString(append(b, `[{"$ref":`...), ep.Base+"/"+User.Path()+"/"+escapeID(newID))
		b = append(appendString(append(b, `,"value":`...), newID), "}]"...)
	default:
		b = appendString(b, newID)
	}
	return endPatch(append(b, '}')), true
}

func managerRemoval(b []byte, d Dialect, opt Options, oldID string) ([]byte, bool) {
	if oldID == "" {
		return nil, false // a target that does not return its manager gets nothing
	}
	if d == Compliant {
		path := managerPath
		if opt.ManagerRemovalPath == "bare" {
			path = "manager"
		}
		return endPatch(append(appendString(b, path+`[value eq "`+oldID+`"]`), '}')), true
	}
	switch opt.ManagerRemoval {
	case "none":
		return nil, false
	case "emptyString":
		b := append(appendString(append(beginPatch(), `{"op":`...), Replace.word(d)), `,"path":`...)
		return endPatch(append(appendString(b, managerPath), `,"value":""}`...)), true
	}
	path := managerPath
	if d == CustomAppSSO {
		path = "manager"
	}
	b = append(appendString(b, path), `,"value":[{"value":`...)
	return endPatch(append(appendString(b, oldID), "}]}"...)), true
}

// MemberPatches are the bodies that add and remove members of a group, each for a PATCH of its own, additions first.
func MemberPatches(d Dialect, opt Options, add, remove []string) [][]byte {
	size := max(1, opt.MemberBatch)
	var bodies [][]byte
	for ; len(add) > 0; add = add[min(size, len(add)):] {
		bodies = append(bodies, memberPatch(d, opt, Add, add[:min(size, len(add))]))
	}
	for ; len(remove) > 0; remove = remove[min(size, len(remove)):] {
		bodies = append(bodies, memberPatch(d, opt, Remove, remove[:min(size, len(remove))]))
	}
	return bodies
}

func memberPatch(d Dialect, opt Options, op Op, ids []string) []byte {
	b := beginPatch()
	if op == Remove && d == Compliant {
		for i, id := range ids {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(append(b, `{"op":"remove","path":`...), `members[value eq "`+id+`"]`), '}')
		}
		return endPatch(b)
	}
	b = append(appendString(append(b, `{"op":`...), op.word(d)), `,"path":"members","value":[`...)
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		if opt.MemberRefNull || d == CustomAppSSO {
			b = append(b, `{"$ref":null,"value":`...)
		} else {
			b = append(b, `{"value":`...)
		}
		b = append(appendString(b, id), '}')
	}
	return endPatch(append(b, "]}"...))
}
