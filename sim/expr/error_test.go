package expr

import (
	"errors"
	"strings"
	"testing"
)

// Each error with its kind, its function, its message and, under the expression, its place.
func TestErrors(t *testing.T) {
	attrs := Attributes{"n": Number(7), "list": List([]string{"a", "b"}), "day": String("16.03.2020"), "secret": String("hunter2")}
	for _, c := range []struct {
		src      string
		kind     ErrorKind
		function string
		message  string
		caret    string
	}{
		{``, ErrSyntax, "", `the expression is empty; expected a function call such as Join(" ", [givenName], [surname])`, "\n^"},
		{"  \n ", ErrSyntax, "", `the expression is empty; expected a function call such as Join(" ", [givenName], [surname])`, " \n ^"},
		{`"x"`, ErrSyntax, "", `expected a function name or an attribute in brackets, found "x"; a constant alone is a mapping of the type Constant`, "\"x\"\n^"},
		{`IgnoreObjectFlow`, ErrSyntax, "", `IgnoreObjectFlow can only be an argument`, "IgnoreObjectFlow\n^"},
		{`mail`, ErrSyntax, "", `mail stands without brackets or quotes: write [mail] for an attribute, "mail" for a constant`, "mail\n^"},
		{`Trim [a]`, ErrSyntax, "", `expected ( behind Trim, found [a]`, "Trim [a]\n     ^"},
		{`Append([a], 'x')`, ErrSyntax, "Append", `found '\''; constants stand in straight double quotes`, "Append([a], 'x')\n            ^"},
		{`Append([a], “x”)`, ErrSyntax, "Append", `found '“'; constants stand in straight double quotes`, "Append([a], “x”)\n            ^"},
		{`Append([a], "x`, ErrSyntax, "Append", `the constant is not closed; expected " (a quote inside is written \")`, "Append([a], \"x\n            ^"},
		{`Append([a, "x")`, ErrSyntax, "Append", `the bracket [ is not closed; expected ]`, "Append([a, \"x\")\n       ^"},
		{`Append([a], [ ])`, ErrSyntax, "Append", `there is no name between the brackets; expected an attribute such as [mail]`, "Append([a], [ ])\n            ^"},
		{`Append([a], "x"`, ErrSyntax, "Append", `the parenthesis at position 7 is not closed; expected , or )`, "Append([a], \"x\"\n               ^"},
		{`Append([a], "x"))`, ErrSyntax, "", `expected the end of the expression, found ")"; one ) is too many`, "Append([a], \"x\"))\n                ^"},
		{`Append([a] "x")`, ErrSyntax, "Append", `expected , or ) behind an argument, found "x"`, "Append([a] \"x\")\n           ^"},
		{`IIF([a]="x" AND [b]="y", 1, 2)`, ErrSyntax, "IIF", `expected , or ) behind an argument, found "AND"; there is no AND or OR: nest an IIF in the true branch for AND, in the false branch for OR`, "IIF([a]=\"x\" AND [b]=\"y\", 1, 2)\n            ^"},
		{`CBool([a] = [b] = [c])`, ErrSyntax, "CBool", `expected , or ) behind an argument, found "="; a comparison has two sides and stands as the condition of IIF or in CBool`, "CBool([a] = [b] = [c])\n                ^"},
		{`Left([a], InStr([a], "@") -1)`, ErrSyntax, "Left", `expected , or ) behind an argument, found "-1"; there is no arithmetic`, "Left([a], InStr([a], \"@\") -1)\n                          ^"},
		{`Append([a] & "x", "")`, ErrSyntax, "Append", `found '&'; text is joined with Join or Append, and a hexadecimal number is written &HF7`, "Append([a] & \"x\", \"\")\n           ^"},
		{`Append(%Domain%, "")`, ErrSyntax, "Append", `found '%'; there are no %variables%`, "Append(%Domain%, \"\")\n       ^"},
		{`Left([a], 1.5)`, ErrSyntax, "Left", `found '.'; numbers are whole`, "Left([a], 1.5)\n           ^"},
		{`BitAnd(&H, 1)`, ErrSyntax, "BitAnd", `there is no hexadecimal digit behind &H`, "BitAnd(&H, 1)\n       ^"},
		{`BitAnd(9223372036854775808, 1)`, ErrSyntax, "BitAnd", `9223372036854775808 does not fit into 64 bits`, "BitAnd(9223372036854775808, 1)\n       ^"},
		{`Append([a], vbTextCompare)`, ErrSyntax, "Append", `vbTextCompare has no meaning here; it is the compareType of InStr. Write [vbTextCompare] for an attribute, "vbTextCompare" for a constant`, "Append([a], vbTextCompare)\n            ^"},
		{`IIF([a]="x" && [b]="y", 1, 2)`, ErrSyntax, "IIF", `found '&'; there is no AND or OR: nest an IIF in the true branch for AND, in the false branch for OR`, "IIF([a]=\"x\" && [b]=\"y\", 1, 2)\n            ^"},
		{`IIF([a]="x" || [b]="y", 1, 2)`, ErrSyntax, "IIF", `found '|'; there is no AND or OR: nest an IIF in the true branch for AND, in the false branch for OR`, "IIF([a]=\"x\" || [b]=\"y\", 1, 2)\n            ^"},
		{`IIF([a]=="x", 1, 2)`, ErrSyntax, "IIF", `expected a function, an attribute in brackets, a constant in double quotes or a number, found "="; equal is written with one =`, "IIF([a]==\"x\", 1, 2)\n        ^"},
		{`=Trim([a])`, ErrSyntax, "", `expected a function name or an attribute in brackets, found "="; an expression begins with neither = nor an operator`, "=Trim([a])\n^"},
		{`Trim([a]) // why`, ErrSyntax, "", `found '/'; there are no comments`, "Trim([a]) // why\n          ^"},
		{`/* why */ Trim([a])`, ErrSyntax, "", `found '/'; there are no comments`, "/* why */ Trim([a])\n^"},
		{`Append([a], "say ""x""")`, ErrSyntax, "Append", `expected , or ) behind an argument, found "x"; a quote inside a constant is written \"`, "Append([a], \"say \"\"x\"\"\")\n                  ^"},
		{`Join("\", "CONTOSO", [a])`, ErrSyntax, "Join", `expected , or ) behind an argument, found "CONTOSO"; the constant before it holds a quote, written \": a backslash at the end of a constant is written \\`, "Join(\"\\\", \"CONTOSO\", [a])\n           ^"},
		{"Append([a],\u00a0\"x\")", ErrSyntax, "Append", `found '\u00a0'; it looks like a blank and is another character, as web pages have it: type a blank`, "Append([a],\u00a0\"x\")\n           ^"},
		{"Append([a], \"x\"\u200b)", ErrSyntax, "Append", `found '\u200b'; it cannot be seen and comes from a web page or a document: delete it`, "Append([a], \"x\"\u200b)\n               ^"},
		{`Trim(\[a\])`, ErrSyntax, "Trim", `found '\\'; nothing is escaped outside of constants`, "Trim(\\[a\\])\n     ^"},
		{`IIF(IsPresent([a]), [a], NULL)`, ErrSyntax, "IIF", `NULL stands without brackets or quotes: there is no word for null; IgnoreFlowIfNullOrEmpty leaves the attribute alone, and a Switch without a default gives null`, "IIF(IsPresent([a]), [a], NULL)\n                         ^"},
		{`IIF([IsPresent([a])], 1, 2)`, ErrSyntax, "IIF", `the call of IsPresent stands in brackets; only attributes do: write IsPresent([a])`, "IIF([IsPresent([a])], 1, 2)\n    ^"},
		{`IIF(IsPresent([a]), [a], IgnoreAttributeFlow())`, ErrSyntax, "IIF", `IgnoreAttributeFlow is a word and no function: write it without parentheses`, "IIF(IsPresent([a]), [a], IgnoreAttributeFlow())\n                         ^"},
		{"Append([a], \"\xff\")", ErrSyntax, "Append", `a byte of the constant is no UTF-8`, "Append([a], \"\ufffd\")\n            ^"},
		{"Append([a], \xff)", ErrSyntax, "Append", `a byte here is no UTF-8`, "Append([a], \ufffd)\n            ^"},

		{`Joni(" ", [a])`, ErrUnknownFunction, "Joni", `there is no function Joni; did you mean Join?`, "Joni(\" \", [a])\n^"},
		{`ToUper([a])`, ErrUnknownFunction, "ToUper", `there is no function ToUper; did you mean ToUpper?`, "ToUper([a])\n^"},
		{`Trim(UCase([a]))`, ErrUnknownFunction, "UCase", `there is no function UCase; what does its work is ToUpper`, "Trim(UCase([a]))\n     ^"},
		{`Length([a])`, ErrUnknownFunction, "Length", `there is no function Length; what does its work is Len`, "Length([a])\n^"},
		{`Or([a], [b])`, ErrUnknownFunction, "Or", `there is no function Or; what does its work: nest an IIF in the false branch`, "Or([a], [b])\n^"},
		{`DNComponent([a], 1)`, ErrUnknownFunction, "DNComponent", `there is no function DNComponent; it belongs to other Microsoft engines`, "DNComponent([a], 1)\n^"},
		{`Frobnicate([a])`, ErrUnknownFunction, "Frobnicate", `there is no function Frobnicate`, "Frobnicate([a])\n^"},

		{`Append([a])`, ErrArgumentCount, "Append", `1 argument is given; expected 2: Append(source, suffix)`, "Append([a])\n^"},
		{`Trim(Mid([a], 1))`, ErrArgumentCount, "Mid", `2 arguments are given; expected 3: Mid(source, start, length)`, "Trim(Mid([a], 1))\n     ^"},
		{`Join()`, ErrArgumentCount, "Join", `0 arguments are given; expected at least 2: Join(separator, source…)`, "Join()\n^"},
		{`ToLower([a], "en-US", "x")`, ErrArgumentCount, "ToLower", `3 arguments are given; expected at most 2: ToLower(source, culture?)`, "ToLower([a], \"en-US\", \"x\")\n                      ^"},
		{`Switch([a], "d", "k", "v", "l")`, ErrArgumentCount, "Switch", `5 arguments are given; expected a source, a default (whose slot may be empty) and pairs of key and value`, "Switch([a], \"d\", \"k\", \"v\", \"l\")\n^"},
		{`Replace([a], "b", , , , , )`, ErrArgumentCount, "Replace", `these slots fit together in no form; expected oldValue with replacementValue or template, or regexPattern with replacementValue, or regexPattern and regexGroupName with replacementValue or replacementAttributeName`, "Replace([a], \"b\", , , , , )\n^"},
		{`Replace([a], "@", "_")`, ErrArgumentCount, "Replace", `these slots fit together in no form: text is replaced by text with two empty slots between, Replace(…, "@", , , "_", , )`, "Replace([a], \"@\", \"_\")\n^"},
		{`Append([a], )`, ErrMissingArgument, "Append", `suffix is left empty; an empty text is written ""`, "Append([a], )\n            ^"},
		{`Append( , "x")`, ErrMissingArgument, "Append", `source is left empty; an empty text is written ""`, "Append( , \"x\")\n        ^"},
		{`Switch([a], , "k", "v", , "w")`, ErrMissingArgument, "Switch", `key is left empty; an empty text is written ""`, "Switch([a], , \"k\", \"v\", , \"w\")\n                        ^"},
		{`ToLower(SelectUniqueValue([a], [b]))`, ErrPlacement, "SelectUniqueValue", `SelectUniqueValue stands inside of another function; it has to be the outermost one`, "ToLower(SelectUniqueValue([a], [b]))\n        ^"},
		{`Replace([a], , "(x", , "", , )`, ErrRegex, "Replace", `the regular expression is not valid in .NET: missing closing )`, "Replace([a], , \"(x\", , \"\", , )\n               ^"},
		{`Replace([a], , "(?<n>x)", "m", "", , )`, ErrRegex, "Replace", `the pattern has no group "m"; it has 0, n`, "Replace([a], , \"(?<n>x)\", \"m\", \"\", , )\n                          ^"},
		{`Replace([a], , "\p{IsKlingon}", , "", , )`, ErrRegex, "Replace", `the regular expression is not valid in .NET: there is no block of characters IsKlingon`, "Replace([a], , \"\\p{IsKlingon}\", , \"\", , )\n               ^"},

		{`Trim(Mid([secret], "two", 1))`, ErrType, "Mid", `start is "two"; expected a whole number`, "Trim(Mid([secret], \"two\", 1))\n                   ^"},
		{`Left("x", [absent])`, ErrType, "Left", `numChars is null; expected a whole number`, "Left(\"x\", [absent])\n          ^"},
		{`BitAnd(Redact([secret]), 1)`, ErrType, "BitAnd", `value1 is [Redact]; expected a whole number`, "BitAnd(Redact([secret]), 1)\n       ^"},
		{`IIF([list], 1, 2)`, ErrType, "IIF", `the condition is a list of 2 values; expected a comparison, True, False or a number`, "IIF([list], 1, 2)\n    ^"},
		{`CBool("perhaps")`, ErrType, "CBool", `"perhaps" is neither true nor false nor a number`, "CBool(\"perhaps\")\n      ^"},
		{`SingleAppRoleAssignment([n])`, ErrType, "SingleAppRoleAssignment", `the argument is "7"; expected [appRoleAssignments]`, "SingleAppRoleAssignment([n])\n                        ^"},
		{`Item([list], 3)`, ErrRange, "Item", `the index is 3; there are 2 values, counted from 1`, "Item([list], 3)\n             ^"},
		{`DateAdd("fortnight", 1, Now())`, ErrRange, "DateAdd", `the interval is "fortnight"; expected yyyy, m, d, ww, h, n or s`, "DateAdd(\"fortnight\", 1, Now())\n        ^"},
		{`ToUpper("x", "xx-Nowhere")`, ErrRange, "ToUpper", `"xx-Nowhere" is no culture; expected one such as en-US or tr-TR`, "ToUpper(\"x\", \"xx-Nowhere\")\n             ^"},
		{`RandomString(4, 3, 0, 0, 3)`, ErrRange, "RandomString", `length is 4; the minima add up to 6`, "RandomString(4, 3, 0, 0, 3)\n             ^"},
		{`CDate([day])`, ErrDate, "CDate", `expression is "16.03.2020"; expected a date such as 2025-07-30, 2025-07-30T09:00:00Z or 7/30/2025 9:00:00 AM`, "CDate([day])\n      ^"},
		{`CBool(Now() > [day])`, ErrDate, "CBool", `the right side is "16.03.2020"; expected a date such as 2025-07-30, 2025-07-30T09:00:00Z or 7/30/2025 9:00:00 AM`, "CBool(Now() > [day])\n              ^"},
		{`FormatDateTime([day], , "dd/MM/yyyy", "yyyy")`, ErrDate, "FormatDateTime", `"16.03.2020" is not in the format "dd/MM/yyyy": expected "/" at ".03.2020"`, "FormatDateTime([day], , \"dd/MM/yyyy\", \"yyyy\")\n               ^"},
		{`FormatDateTime([day], "dd.MM.yyyy", "q")`, ErrDate, "FormatDateTime", `the format "q" is no standard format; a single custom specifier is written with %, such as %d`, "FormatDateTime([day], \"dd.MM.yyyy\", \"q\")\n                                    ^"},
		{`IIF(IsPresent([absent]), 1, Error("a name is needed"))`, ErrCustom, "Error", `a name is needed`, "IIF(IsPresent([absent]), 1, Error(\"a name is needed\"))\n                            ^"},
	} {
		_, err := eval(c.src, attrs)
		var bad *Error
		if !errors.As(err, &bad) {
			t.Errorf("%s: no error", c.src)
			continue
		}
		if bad.Kind != c.kind || bad.Function != c.function || bad.Message != c.message {
			t.Errorf("%s\n got %s in %q: %s\nwant %s in %q: %s", c.src, bad.Kind, bad.Function, bad.Message, c.kind, c.function, c.message)
		}
		if got := bad.Caret(c.src); got != c.caret {
			t.Errorf("%s: the place is shown as\n%s\nwant\n%s", c.src, got, c.caret)
		}
	}
}

func TestErrorText(t *testing.T) {
	_, err := eval(`Trim(Mid([x], 0, 1))`, Attributes{"x": String("a")})
	if got, want := err.Error(), "range at position 15 in Mid: start is 0; expected at least 1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	_, err = eval(`x`, nil)
	if got, want := err.Error(), `syntax at position 1: x stands without brackets or quotes: write [x] for an attribute, "x" for a constant`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCaret(t *testing.T) {
	long := strings.Repeat("x", 200)
	for _, c := range []struct {
		src      string
		position int
		want     string
	}{
		{"日本語", 3, "日本語\n    ^"},
		{"e\u0301a", 3, "e\u0301a\n ^"}, // a combining mark takes no column
		{"😀a", 2, "😀a\n  ^"},
		{"\tab", 3, "\tab\n\t ^"},
		{"one\ntwo\nthree", 6, "two\n ^"},
		{"ab", 3, "ab\n  ^"},
		{"ab", 99, "ab\n  ^"},
		{"a\x1b[31mb", 2, "a [31mb\n ^"}, // nothing of an expression reaches the terminal's controls
		{long, 100, "…" + strings.Repeat("x", 120) + "…\n " + strings.Repeat(" ", 60) + "^"},
		{long, 1, strings.Repeat("x", 60) + "…\n^"},
	} {
		if got := (&Error{Position: c.position}).Caret(c.src); got != c.want {
			t.Errorf("%q at %d:\n%s\nwant\n%s", c.src, c.position, got, c.want)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"givenName", "surname", "mail", "mailNickname"}
	for in, want := range map[string]string{"givenNam": "givenName", "surnmae": "surname", "MAIL": "mail", "mial": "mail", "phone": "", "": ""} {
		if got := Nearest(in, names); got != want {
			t.Errorf("nearest to %q is %q, want %q", in, got, want)
		}
	}
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"abc", "abd", 1}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"ünd", "und", 1}, {strings.Repeat("a", 201), strings.Repeat("a", 200), 201}} {
		if got := Distance(c.a, c.b); got != c.want {
			t.Errorf("distance of %q and %q is %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
