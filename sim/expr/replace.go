package expr

import "strings"

// The parameters of Replace.
const (
	replaceSource = iota
	replaceOld
	replacePattern
	replaceGroup
	replaceWith
	replaceAttribute
	replaceTemplate
)

// buildReplace chooses the form by the slots that are filled, in the order in which
// functions-for-customizing-application-data.md tells them apart. A pattern that is a constant is compiled here, so that a
// wrong one is found when the expression is saved.
func buildReplace(b building) (code, *Error) {
	do := func(f func(call) (Value, *Error)) (code, *Error) { return eager(b.fn, b.node, b.args, f), nil }
	pattern := b.given(replacePattern)
	group := pattern && b.given(replaceGroup)
	switch {
	case len(b.node.Args) == 3 && b.given(replaceOld) && pattern:
		return nil, b.fail(ErrArgumentCount, b.node, "these slots fit together in no form: text is replaced by text with two empty slots between, Replace(…, %s, , , %s, , )",
			short(b.node.Args[1].String()), short(b.node.Args[2].String()))
	case b.given(replaceOld) && b.given(replaceTemplate):
		return do(replaceInTemplate)
	case b.given(replaceOld) && b.given(replaceWith):
		return do(replaceText)
	case !pattern, !group && !b.given(replaceWith), group && !b.given(replaceWith) && !b.given(replaceAttribute):
		return nil, b.fail(ErrArgumentCount, b.node, "these slots fit together in no form; expected oldValue with replacementValue or template, or regexPattern with replacementValue, or regexPattern and regexGroupName with replacementValue or replacementAttributeName")
	}
	ready, bad := b.pattern(replacePattern)
	if bad != nil {
		return nil, bad
	}
	if ready != nil && group {
		if name, ok := b.constant(replaceGroup); ok && ready.group(name) < 0 {
			return nil, b.fail(ErrRegex, b.node.Args[replaceGroup], "%s", noGroup(name, ready))
		}
	}
	recent := &recentPattern{fixed: ready}
	switch {
	case group && b.given(replaceAttribute):
		fn := *b.fn
		fn.nulls, fn.each = true, false // what matters is whether there is a source at all
		return eager(&fn, b.node, b.args, func(c call) (Value, *Error) { return c.replaceFromAttribute(recent) }), nil
	case group:
		return do(func(c call) (Value, *Error) { return c.replaceGroupSpan(recent) })
	}
	return do(func(c call) (Value, *Error) { return c.replaceMatches(recent) })
}

// replaceText is form 1: every occurrence of oldValue becomes replacementValue.
func replaceText(c call) (Value, *Error) {
	return c.substitute(c.text(replaceSource), c.text(replaceWith))
}

// replaceInTemplate is form 2: every occurrence of oldValue in the template becomes the source.
func replaceInTemplate(c call) (Value, *Error) {
	if c.args[replaceTemplate].IsNull() {
		return Null, nil
	}
	return c.substitute(c.text(replaceTemplate), c.text(replaceSource))
}

func (c call) substitute(in, with string) (Value, *Error) {
	old := c.text(replaceOld)
	if old == "" {
		return Null, c.failAt(replaceOld, ErrRange, "oldValue is empty; expected the text to replace")
	}
	if len(with) > len(old) {
		if bad := c.fits(len(in) + strings.Count(in, old)*(len(with)-len(old))); bad != nil {
			return Null, bad
		}
	}
	return String(strings.ReplaceAll(in, old, with)), nil
}

// replaceMatches is form 3: every match of the pattern becomes replacementValue, into which ${name} and $1 insert groups.
func (c call) replaceMatches(recent *recentPattern) (Value, *Error) {
	p, bad := c.compiled(recent)
	if bad != nil {
		return Null, bad
	}
	with := p.replacement(c.text(replaceWith))
	return c.rewrite(p, func(m match, out *strings.Builder) *Error {
		for _, part := range with {
			piece := m.part(part)
			if bad := c.fits(out.Len() + len(piece)); bad != nil {
				return bad
			}
			out.WriteString(piece)
		}
		return nil
	})
}

// replaceGroupSpan is form 4: in every match the span of the named group becomes replacementValue, as it is; the rest of
// the match stays.
func (c call) replaceGroupSpan(recent *recentPattern) (Value, *Error) {
	p, bad := c.compiled(recent)
	if bad != nil {
		return Null, bad
	}
	group := p.group(c.text(replaceGroup))
	if group < 0 {
		return Null, c.failAt(replaceGroup, ErrRegex, "%s", noGroup(c.text(replaceGroup), p))
	}
	with := c.text(replaceWith)
	return c.rewrite(p, func(m match, out *strings.Builder) *Error {
		before, after, ok := m.around(group)
		if !ok {
			before, after = m.text(0), ""
		}
		if bad := c.fits(out.Len() + len(before) + len(with) + len(after)); bad != nil {
			return bad
		}
		out.WriteString(before)
		if ok {
			out.WriteString(with)
		}
		out.WriteString(after)
		return nil
	})
}

// replaceFromAttribute is form 5: a source that has a value stays; else the named group of the first match in the
// replacement attribute.
func (c call) replaceFromAttribute(recent *recentPattern) (Value, *Error) {
	if !c.args[replaceSource].IsEmpty() {
		return c.args[replaceSource], nil
	}
	if c.args[replaceAttribute].IsNull() {
		return Null, nil
	}
	p, bad := c.compiled(recent)
	if bad != nil {
		return Null, bad
	}
	group := p.group(c.text(replaceGroup))
	if group < 0 {
		return Null, c.failAt(replaceGroup, ErrRegex, "%s", noGroup(c.text(replaceGroup), p))
	}
	m, bad := c.first(p, c.text(replaceAttribute))
	if bad != nil || m.m == nil || !m.has(group) {
		return Null, bad
	}
	return String(m.text(group)), nil
}
