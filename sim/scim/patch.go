package scim

import "strings"

// Op is an operation of a PATCH.
type Op int

// The operations.
const (
	Add Op = iota
	Replace
	Remove
)

// word writes the operation: capitalised, except in the compliant dialect.
func (o Op) word(d Dialect) string {
	w := [...]string{"Add", "Replace", "Remove"}[o]
	if d == Compliant {
		return strings.ToLower(w)
	}
	return w
}

// Change is one changed attribute, in mapping order.
type Change struct {
	Op Op
	Attribute
}

// PatchBody is the body of a PATCH that carries every changed attribute of an object.
func PatchBody(rt ResourceType, d Dialect, opt Options, changes []Change) []byte {
	b := beginPatch()
	if d == Compliant {
		return endPatch(compliantOperations(b, opt, changes))
	}
	for i, c := range changes {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendOperation(b, d, opt, c)
	}
	return endPatch(b)
}

func beginPatch() []byte {
	return append(appendString(append(make([]byte, 0, 512), `{"schemas":[`...), patchOp), `],"Operations":[`...)
}

func endPatch(b []byte) []byte { return append(b, "]}"...) }

// appendOperation writes one operation with its path. In the legacy dialect every single value is text, in the oldest one a
// list that holds it, Booleans excepted (recorded in 2018: https://github.com/wso2/product-is/issues/21738,
// https://stackoverflow.com/questions/48438665). A removal has no value.
func appendOperation(b []byte, d Dialect, opt Options, c Change) []byte {
	if b, ok := rolesOperation(b, d, opt, c); ok {
		return b
	}
	b = append(appendString(append(b, `{"op":`...), c.Op.word(d)), `,"path":`...)
	b = appendString(b, patchPath(c.Path, d))
	if c.Op == Remove {
		return append(b, '}')
	}
	b = append(b, `,"value":`...)
	if d == CustomAppSSO && c.Type != Boolean {
		return append(appendListed(b, c.Attribute), '}')
	}
	return append(appendValue(b, c.Attribute, d == Compliant), '}')
}

// patchPath is the target attribute's text; the oldest dialect writes a dot before an extension's attribute.
func patchPath(text string, d Dialect) string {
	if d != CustomAppSSO || parsePath(text).urn == "" {
		return text
	}
	head, filter := text, ""
	if i := strings.IndexByte(text, '['); i >= 0 {
		head, filter = text[:i], text[i:]
	}
	if i := strings.LastIndexByte(head, ':'); i >= 0 {
		return head[:i] + "." + head[i+1:] + filter
	}
	return text
}

// compliantOperations writes filtered paths and roles first, each with an operation of its own; then the plain attributes by
// operation, in the order of each operation's first attribute: a single one with its path, several in one operation
// without path, whose keys are dotted names and URNs.
func compliantOperations(b []byte, opt Options, changes []Change) []byte {
	first := true
	comma := func() {
		if !first {
			b = append(b, ',')
		}
		first = false
	}
	var order []Op
	plain := map[Op][]Change{}
	for _, c := range changes {
		if _, roles := c.Value.(Roles); roles || strings.Contains(c.Path, "[") {
			comma()
			b = appendOperation(b, Compliant, opt, c)
			continue
		}
		if plain[c.Op] == nil {
			order = append(order, c.Op)
		}
		plain[c.Op] = append(plain[c.Op], c)
	}
	for _, op := range order {
		group := plain[op]
		if op == Remove { // needs a path
			for _, c := range group {
				comma()
				b = appendOperation(b, Compliant, opt, c)
			}
			continue
		}
		comma()
		if len(group) == 1 && !opt.SinglePathless {
			b = appendOperation(b, Compliant, opt, group[0])
			continue
		}
		b = append(appendString(append(b, `{"op":`...), op.word(Compliant)), `,"value":{`...)
		for i, c := range group {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(append(appendString(b, c.Path), ':'), c.Attribute, true)
		}
		b = append(b, "}}"...)
	}
	return b
}

// OperationJSON is one operation of a PATCH, for display.
func OperationJSON(_ ResourceType, d Dialect, opt Options, c Change) []byte {
	return appendOperation(nil, d, opt, c)
}
