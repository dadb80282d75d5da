package expr

import (
	"fmt"
	"strings"
)

// ParamKind is what a parameter takes or a function returns.
type ParamKind uint8

// The kinds of parameters.
const (
	ParamAny       ParamKind = iota // any value
	ParamText                       // text; anything else by its text form, of several values the first
	ParamInteger                    // a whole number, or text that is one
	ParamBoolean                    // True or False
	ParamCondition                  // a comparison, or anything that CBool takes
	ParamDate                       // a date, or text that CDate takes
	ParamList                       // several values; a single one counts as one
	ParamRoles                      // [appRoleAssignments]
	ParamPattern                    // a regular expression of .NET
)

var paramKinds = [...]struct{ words, graph string }{
	ParamAny: {"any value", "String"}, ParamText: {"text", "String"}, ParamInteger: {"whole number", "Integer"}, ParamBoolean: {"True or False", "Boolean"},
	ParamCondition: {"condition", "Boolean"}, ParamDate: {"date", "DateTime"}, ParamList: {"one or several values", "String"},
	ParamRoles: {"role assignments", "String"}, ParamPattern: {"regular expression (.NET)", "String"},
}

// String says in words what the kind is.
func (k ParamKind) String() string { return paramKinds[k].words }

// GraphType is the attribute type that Graph names for the kind (resources/synchronization-attributemappingparameterschema.md).
func (k ParamKind) GraphType() string { return paramKinds[k].graph }

// Param is one parameter of a function.
type Param struct {
	Name     string // in the reference
	Key      string // in the tree that Graph shows; "": Name
	Kind     ParamKind
	Optional bool   // the slot may be empty
	Default  string // in words, what an empty slot of an optional parameter means
	Repeat   bool   // the last parameter: it may occur again
	Least    int    // how often a repeating one has to occur; 0 counts as 1
	Keywords []string
}

// TreeKey is the key under which Graph shows an argument.
func (p Param) TreeKey() string {
	if p.Key != "" {
		return p.Key
	}
	return p.Name
}

// Function is one row of the table of functions, which parser, evaluator, help and the list in Graph read.
type Function struct {
	Name    string // canonical spelling
	Params  []Param
	Returns ParamKind
	Doc     string // one or two sentences
	Page    string // where Microsoft describes it

	// Exactly one of the two is set. call gets the values of the arguments, a slot left empty being absent; build gets
	// their closures, for functions that evaluate only the branch that is chosen or prepare something once.
	call  func(c call) (Value, *Error)
	build func(b building) (code, *Error)
	// source is the parameter, from 1, whose null gives null (unless nulls) and whose several values are each put through
	// the function when each is set; 0: none.
	source int
	each   bool
	nulls  bool // call sees a null source
	// without is the parameter, from 1, that an older form of the function has not; 0: there is no older form.
	without int
}

// Functions is the table of functions, by name.
func Functions() []Function { return table }

// Lookup finds a function by name, without regard to case.
func Lookup(name string) (Function, bool) {
	f, ok := find(name)
	if !ok {
		return Function{}, false
	}
	return *f, true
}

// Signature writes the function with its parameters: optional ones with a question mark, repeating ones with dots.
func (f Function) Signature() string {
	names := make([]string, len(f.Params))
	for i, p := range f.Params {
		names[i] = p.Name
		if p.Optional {
			names[i] += "?"
		}
		if p.Repeat {
			names[i] += "…"
		}
	}
	return f.Name + "(" + strings.Join(names, ", ") + ")"
}

// param is the parameter that an argument, counted from 0, belongs to; nil when there is none.
func (f *Function) param(i int) *Param {
	if n := len(f.Params); n > 0 && i >= n && f.Params[n-1].Repeat {
		i = n - 1
	}
	if i >= len(f.Params) {
		return nil
	}
	return &f.Params[i]
}

// nameOf is the name of the parameter that a slot, counted from 0, belongs to; a repeating one may have several by turns.
func (f *Function) nameOf(slot int) string {
	p := f.param(slot)
	if p == nil {
		return fmt.Sprintf("argument %d", slot+1)
	}
	names := strings.Split(p.Name, ", ")
	return names[max(slot-len(f.Params)+1, 0)%len(names)]
}

// isOlder reports whether so many arguments are the older form of the function.
func (f *Function) isOlder(arguments int) bool {
	return f.without > 0 && arguments == len(f.Params)-1
}

// slot is the parameter, from 0, that an argument of a call belongs to.
func (f *Function) slot(n *Node, argument int) int {
	if f.isOlder(len(n.Args)) && argument >= f.without-1 {
		return argument + 1
	}
	return argument
}

// least is how many arguments have to be given.
func (f *Function) least() int {
	least := 0
	for i, p := range f.Params {
		if !p.Optional {
			least = i + max(p.Least, 1)
		}
	}
	return least
}

var functions = map[string]*Function{}

// keywords are the words without brackets or quotes, in canonical spelling. What stands in a row's Keywords may only occur
// there.
var keywords = []string{keywordIgnoreAttribute, keywordIgnoreObject, textCompare, binaryCompare, encodingUnicode, encodingASCII, encodingUTF8}

const (
	keywordIgnoreAttribute = "IgnoreAttributeFlow"
	keywordIgnoreObject    = "IgnoreObjectFlow"
	textCompare            = "vbTextCompare"
	binaryCompare          = "vbBinaryCompare"
	encodingUnicode        = "Unicode"
	encodingASCII          = "ASCII"
	encodingUTF8           = "UTF8"
)

func init() {
	for i := range table {
		functions[strings.ToLower(table[i].Name)] = &table[i]
	}
}

func find(name string) (*Function, bool) {
	if f, ok := functions[strings.ToLower(name)]; ok {
		return f, true
	}
	return nil, false
}

func findKeyword(name string) (string, bool) {
	for _, k := range keywords {
		if strings.EqualFold(k, name) {
			return k, true
		}
	}
	return "", false
}
