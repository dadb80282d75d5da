package expr

// The pages that describe the functions.
const (
	functionsPage = "functions-for-customizing-application-data.md"
	cloudSyncPage = "hybrid/cloud-sync/reference-expressions.md" // of the same engine
	rolesPage     = "customize-application-attributes.md"
	graphPage     = "synchronization-synchronizationschema-functions.md"
	apiPage       = "inbound-provisioning-api-faqs.md"
)

const selectUniqueValue = "SelectUniqueValue"

func param(kind ParamKind, name string) Param { return Param{Name: name, Kind: kind} }

// otherwise makes a parameter optional; the words say what leaving it out means.
func (p Param) otherwise(words string) Param {
	p.Optional, p.Default = true, words
	return p
}

// again makes a parameter repeat; it occurs at least so many times.
func (p Param) again(least int) Param {
	p.Repeat, p.Least = true, least
	return p
}

// key sets the name that Graph gives a parameter in the tree of an expression where it differs from the reference.
func (p Param) key(name string) Param {
	p.Key = name
	return p
}

func (p Param) words(keywords ...string) Param {
	p.Keywords = keywords
	return p
}

// Shorthands for the rows.
func anything(name string) Param { return param(ParamAny, name) }
func text(name string) Param     { return param(ParamText, name) }
func number(name string) Param   { return param(ParamInteger, name) }
func date(name string) Param     { return param(ParamDate, name) }
func roles() Param               { return param(ParamRoles, "appRoleAssignments").key("source") }

// table has one row for each function, in the order of the alphabet.
var table = []Function{
	{Name: "Append", Params: []Param{text("source"), text("suffix")}, Returns: ParamText, Page: functionsPage, source: 1, each: true, call: appendSuffix,
		Doc: "Writes a suffix behind the source. The suffix may be \"\"."},
	{Name: "AppRoleAssignments", Params: []Param{roles()}, Returns: ParamText, Page: graphPage, source: 1, call: roleNames,
		Doc: "The display names of all application roles as one text, separated by commas. An older function: new mappings take one of the Complex ones."},
	{Name: "AppRoleAssignmentsComplex", Params: []Param{roles()}, Returns: ParamRoles, Page: rolesPage, source: 1, call: rolesAs(RolesComplex),
		Doc: "All application roles as objects with display name and value. Updates add roles and never take one away. Not for Sync all users and groups."},
	{Name: "AssertiveAppRoleAssignmentsComplex", Params: []Param{roles()}, Returns: ParamRoles, Page: rolesPage, source: 1, call: rolesAs(RolesAssertive),
		Doc: "All application roles as objects. Updates replace, so that roles which the target has on its own go too. Not for Sync all users and groups."},
	{Name: "BitAnd", Params: []Param{number("value1"), number("value2")}, Returns: ParamInteger, Page: functionsPage, call: bitAnd,
		Doc: "The bits that are set in both numbers. A number may be written in hexadecimal, such as &HF7."},
	{Name: "CBool", Params: []Param{param(ParamCondition, "expression")}, Returns: ParamBoolean, Page: functionsPage, call: toBoolean,
		Doc: "A Boolean: of a comparison its result, of a number whether it is not 0, of text whether it is true in any case. Empty text is False."},
	{Name: "CDate", Params: []Param{text("expression")}, Returns: ParamDate, Page: functionsPage, source: 1, call: toDate,
		Doc: "A date in UTC from text such as 2020-03-16, 2020-03-16-07:00, 2009-06-15T01:45:30-07:00 or 12/31/2025 11:59 PM."},
	{Name: "Coalesce", Params: []Param{anything("source").again(1)}, Returns: ParamAny, Page: functionsPage, build: buildCoalesce,
		Doc: "The first source that is neither null nor empty; when there is none, the last one, which so serves as default."},
	{Name: "ConvertFromBase64", Params: []Param{text("source"), text("encoding").otherwise("Unicode").words(encodingUnicode, encodingASCII, encodingUTF8)},
		Returns: ParamText, Page: cloudSyncPage, source: 1, each: true, call: fromBase64,
		Doc: "The text that was written as Base64; of UTF-16 unless encoding says ASCII or UTF8."},
	{Name: "ConvertToBase64", Params: []Param{text("source")}, Returns: ParamText, Page: functionsPage, source: 1, each: true, call: toBase64,
		Doc: "Base64 of the text in UTF-16, low byte first."},
	{Name: "ConvertToUTF8Hex", Params: []Param{text("source")}, Returns: ParamText, Page: functionsPage, source: 1, each: true, call: toUTF8Hex,
		Doc: "The bytes of the text in UTF-8 as hexadecimal digits in upper case."},
	{Name: "Count", Params: []Param{param(ParamList, "attribute")}, Returns: ParamInteger, Page: functionsPage, call: count,
		Doc: "How many values there are: 0 of null, 1 of a single value."},
	{Name: "CStr", Params: []Param{anything("value")}, Returns: ParamText, Page: functionsPage, source: 1, call: toText,
		Doc: "The value as text: a Boolean as True or False, a date as M/d/yyyy h:mm:ss tt."},
	{Name: "DateAdd", Params: []Param{text("interval"), number("value"), date("dateTime")}, Returns: ParamDate, Page: functionsPage, source: 3, call: dateAdd,
		Doc: "A date some time later, or earlier for a negative value. The interval is yyyy, m, d, ww, h, n (minutes) or s. A month without that day gives its last day."},
	{Name: "DateDiff", Params: []Param{text("interval"), date("date1"), date("date2")}, Returns: ParamInteger, Page: functionsPage, call: dateDiff,
		Doc: "How much later date2 is than date1. d, h, n and s count whole units that have passed, m and yyyy those of the calendar, ww the Sundays between."},
	{Name: "DateFromNum", Params: []Param{number("value")}, Returns: ParamDate, Page: functionsPage, source: 1, call: dateFromNum,
		Doc: "The date of a Windows file time, as Active Directory keeps it."},
	{Name: "DefaultDomain", Returns: ParamText, Page: apiPage, call: defaultDomain,
		Doc: "The default verified domain of the tenant."},
	{Name: "Error", Params: []Param{text("message")}, Returns: ParamAny, Page: cloudSyncPage, call: fail,
		Doc: "Fails the object with a message of your own."},
	{Name: "FormatDateTime", Params: []Param{text("source"), text("dateTimeStyles").otherwise("RoundtripKind, AllowLeadingWhite, AllowTrailingWhite"), text("inputFormat"), text("outputFormat")},
		Returns: ParamText, Page: functionsPage, source: 1, without: 2, build: buildFormatDateTime,
		Doc: "Reads a date in one .NET format and writes it in another, such as yyyy-MM-dd. What is a date already is only written. An older form has three parameters, without the styles."},
	{Name: "Guid", Returns: ParamText, Page: functionsPage, call: guid,
		Doc: "A random GUID, in lower case with dashes. Use it with Only during object creation."},
	{Name: "IgnoreFlowIfNullOrEmpty", Params: []Param{anything("expression")}, Returns: ParamAny, Page: functionsPage, build: buildIgnoreFlow,
		Doc: "The value; when it is null or empty the attribute is left out of this object's flow, its default value too, and the target keeps what it has."},
	{Name: "IIF", Params: []Param{param(ParamCondition, "condition"), anything("valueIfTrue"), anything("valueIfFalse")}, Returns: ParamAny, Page: functionsPage, build: buildIIF,
		Doc: "One of two values. A comparison with a null or empty attribute is False, whichever it is. For AND nest an IIF in the true branch, for OR in the false one."},
	{Name: "InStr", Params: []Param{text("value1"), text("value2"), number("start").otherwise("1"), text("compareType").otherwise(binaryCompare).words(textCompare, binaryCompare)},
		Returns: ParamInteger, Page: functionsPage, call: inStr,
		Doc: "Where value2 first occurs in value1, counted from 1; 0 when it does not. vbTextCompare ignores case."},
	{Name: "IsNothing", Params: []Param{anything("source")}, Returns: ParamBoolean, Page: graphPage, build: predicate(Value.IsNull),
		Doc: "The old name of IsNull."},
	{Name: "IsNull", Params: []Param{anything("expression")}, Returns: ParamBoolean, Page: functionsPage, build: predicate(Value.IsNull),
		Doc: "True for null, which is an attribute without value. Empty text is not null."},
	{Name: "IsNullOrEmpty", Params: []Param{anything("expression")}, Returns: ParamBoolean, Page: functionsPage, build: predicate(Value.IsEmpty),
		Doc: "True for null and for empty text."},
	{Name: "IsPresent", Params: []Param{anything("expression")}, Returns: ParamBoolean, Page: functionsPage, build: predicate(isPresent),
		Doc: "True for anything that is neither null nor empty text."},
	{Name: "IsString", Params: []Param{anything("expression")}, Returns: ParamBoolean, Page: functionsPage, build: predicate(isString),
		Doc: "True for a single value that can be written as text; False for null and for several values."},
	{Name: "Item", Params: []Param{param(ParamList, "attribute"), number("index")}, Returns: ParamText, Page: functionsPage, source: 1, call: item,
		Doc: "One of several values, counted from 1. An index outside fails the object."},
	{Name: "Join", Params: []Param{text("separator"), param(ParamList, "source").again(1)}, Returns: ParamText, Page: functionsPage, call: join,
		Doc: "The sources as one text with a separator between them. Null and empty ones are passed over; of several values each counts."},
	{Name: "Left", Params: []Param{text("string"), number("numChars")}, Returns: ParamText, Page: functionsPage, source: 1, each: true, nulls: true, call: left,
		Doc: "The first characters. A negative number gives the whole text, null gives \"\"."},
	{Name: "Len", Params: []Param{text("source")}, Returns: ParamInteger, Page: functionsPage, call: length,
		Doc: "How many characters the text has; 0 of null."},
	{Name: "Mid", Params: []Param{text("source"), number("start"), number("length")}, Returns: ParamText, Page: functionsPage, source: 1, each: true, nulls: true, call: mid,
		Doc: "Characters from a place on, counted from 1. A length beyond the end stops there."},
	{Name: "NormalizeDiacritics", Params: []Param{text("source")}, Returns: ParamText, Page: functionsPage, source: 1, each: true, call: normalizeDiacritics,
		Doc: "Latin letters without their marks: é becomes e, ß ss, ø oe, ł l. Everything else stays."},
	{Name: "Not", Params: []Param{anything("source")}, Returns: ParamBoolean, Page: functionsPage, build: predicate(not),
		Doc: "False for True; True for anything else."},
	{Name: "Now", Returns: ParamDate, Page: functionsPage, call: now,
		Doc: "The present time in UTC, in whole seconds."},
	{Name: "NumFromDate", Params: []Param{date("value")}, Returns: ParamInteger, Page: functionsPage, source: 1, call: numFromDate,
		Doc: "The Windows file time of a date, as Active Directory keeps it."},
	{Name: "PCase", Params: []Param{text("source"), text("wordSeparators").otherwise("blanks, dashes, punctuation and symbols, as .NET's ToTitleCase")},
		Returns: ParamText, Page: functionsPage, source: 1, each: true, call: properCase,
		Doc: "The first letter of each word in upper case, all others in lower case."},
	{Name: "Prepend", Params: []Param{text("prefix"), text("source")}, Returns: ParamText, Page: graphPage, source: 2, each: true, call: prependPrefix,
		Doc: "Writes a prefix before the source."},
	{Name: "RandomString", Params: []Param{number("length"), number("minNumbers"), number("minSpecial"), number("minCapital"), number("minLowerCase"), text("charactersToAvoid").otherwise("none")},
		Returns: ParamText, Page: functionsPage, call: randomString,
		Doc: "Random text of at most 256 characters with at least so many digits, special characters, capitals and small letters."},
	{Name: "Redact", Params: []Param{anything("value")}, Returns: ParamAny, Page: functionsPage, call: redact,
		Doc: "The value as it is; logs show [Redact] in its place."},
	{Name: "RemoveDuplicates", Params: []Param{param(ParamList, "attribute")}, Returns: ParamList, Page: functionsPage, source: 1, call: removeDuplicates,
		Doc: "The values without those that occurred before."},
	{Name: "Replace", Params: []Param{text("source"), text("oldValue").key("Find").otherwise("none"), param(ParamPattern, "regexPattern").key("RegularExpression").otherwise("none"),
		text("regexGroupName").key("RegularExpressionGroupName").otherwise("none"), text("replacementValue").key("Replacement").otherwise("none"),
		text("replacementAttributeName").key("ReplacementPropertyName").otherwise("none"), text("template").key("Template").otherwise("none")},
		Returns: ParamText, Page: functionsPage, source: 1, each: true, build: buildReplace,
		Doc: "Replaces text, with case. Filled slots choose the form: oldValue + replacementValue; oldValue + template; regexPattern + replacementValue (with ${group}); " +
			"regexPattern + regexGroupName + replacementValue; regexPattern + regexGroupName + replacementAttributeName (for a source without value)."},
	{Name: selectUniqueValue, Params: []Param{anything("rule").again(2)}, Returns: ParamText, Page: functionsPage, build: buildSelectUnique,
		Doc: "The first value that no other object of the target holds. Only as the outermost function, with Only during object creation, and supported from HR to Active Directory only."},
	{Name: "SingleAppRoleAssignment", Params: []Param{roles()}, Returns: ParamText, Page: rolesPage, source: 1, call: singleRole,
		Doc: "The display name of the one application role. With several assigned it is not defined which; here it is the oldest."},
	{Name: "Split", Params: []Param{text("source"), text("delimiter")}, Returns: ParamList, Page: functionsPage, source: 1, call: split,
		Doc: "Several values from one text, cut at a delimiter; each trimmed, empty ones dropped."},
	{Name: "StripSpaces", Params: []Param{text("source")}, Returns: ParamText, Page: functionsPage, source: 1, each: true, call: stripSpaces,
		Doc: "The text without blanks."},
	{Name: "Switch", Params: []Param{anything("source"), anything("defaultValue").otherwise("null"), anything("key, value").key("switchValue").again(2)}, Returns: ParamAny, Page: functionsPage, build: buildSwitch,
		Doc: "The value behind the first key that equals the source, with case; else the default. A null source equals the key \"\"."},
	{Name: "ToLower", Params: []Param{text("source"), text("culture").otherwise("the invariant culture")}, Returns: ParamText, Page: functionsPage, source: 1, each: true, call: toLower,
		Doc: "The text in lower case, by the rules of a culture such as tr-TR."},
	{Name: "ToUpper", Params: []Param{text("source"), text("culture").otherwise("the invariant culture")}, Returns: ParamText, Page: functionsPage, source: 1, each: true, call: toUpper,
		Doc: "The text in upper case, by the rules of a culture such as tr-TR. The length stays: ß stays ß."},
	{Name: "Trim", Params: []Param{text("source")}, Returns: ParamText, Page: cloudSyncPage, source: 1, each: true, call: trim,
		Doc: "The text without blanks at its ends."},
	{Name: "Word", Params: []Param{text("string"), number("wordNumber"), text("delimiters")}, Returns: ParamText, Page: functionsPage, source: 1, nulls: true, call: word,
		Doc: "One of the words of a text, counted from 1; any of the delimiters separates. Outside: \"\"."},
}
