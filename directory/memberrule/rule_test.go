package memberrule

import (
	"strings"
	"testing"
	"time"
)

// person is a user by its Graph properties.
type person map[string]any

func (p person) Get(name string) (any, bool) {
	v, ok := p[name]
	return v, ok
}

var ann = person{
	"id": "11111111-2222-3333-4444-555555555555", "displayName": "Ann Ace", "department": "Sales", "jobTitle": "Pilot \"A\"", "city": "O'Fallon",
	"accountEnabled": true, "userType": "Member", "country": "NO", "mail": "ann@contoso.example", "businessPhones": []string{"+47 1"}, "faxNumber": "7",
	"proxyAddresses": []string{"SMTP:ann@contoso.example", "smtp:a@fabrikam.test"}, "otherMails": []string{"ann@fabrikam.test"}, "officeLocation": "B2",
	"employeeHireDate": time.Date(2020, 6, 10, 18, 13, 20, 0, time.UTC), "onPremisesExtensionAttributes/extensionAttribute15": "Marketing",
	"extension_c272a57b722d4eb29bfe327874ae79cb_OfficeNumber": "123", "extension_c272a57b722d4eb29bfe327874ae79cb_level": float64(4), "employeeId": "50003",
}

func TestMatch(t *testing.T) {
	for rule, want := range map[string]bool{
		`user.department -eq "Sales"`:                                                  true,
		`(user.department -eq "sales")`:                                                true,
		`user.department eq "Sales"`:                                                   true,
		`user.department –eq "Sales" –and user.country –eq "NO"`:                       true,
		`user.department -ne "Sales"`:                                                  false,
		`USER.Department -EQ "Sales"`:                                                  true,
		`user.surname -eq "Ace"`:                                                       false,
		`user.surname -ne "Ace"`:                                                       true,
		`user.surname -eq null`:                                                        true,
		`user.surname -eq $null`:                                                       true,
		`user.surname -ne null`:                                                        false,
		`user.department -eq "null"`:                                                   false,
		`user.objectId -ne null`:                                                       true,
		`(user.objectId -ne null) -and (user.userType -eq "Guest")`:                    false,
		`user.accountEnabled -eq true`:                                                 true,
		`user.accountEnabled -ne true`:                                                 false,
		`user.dirSyncEnabled -eq true`:                                                 false,
		`user.dirSyncEnabled -eq null`:                                                 true,
		`user.displayName -startsWith "ann"`:                                           true,
		`user.displayName -notStartsWith "ann"`:                                        false,
		`user.mail -endsWith "@contoso.example"`:                                       true,
		`user.mail -notEndsWith "@Contoso.example"`:                                    false,
		`user.displayName -contains "N A"`:                                             true,
		`user.displayName -notContains "bob"`:                                          true,
		`user.surname -notContains "bob"`:                                              true,
		`user.displayName -match "^an.*"`:                                              true,
		`user.displayName -match "ce$"`:                                                true,
		`user.displayName -notMatch "^ce"`:                                             true,
		`user.displayName -match "^ann$"`:                                              false,
		`user.employeeId -in ["50001","50003"]`:                                        true,
		`user.employeeId -in [50001, 50003]`:                                           true,
		`user.employeeId -notIn ["50001"]`:                                             true,
		`user.surname -notIn ["50001"]`:                                                true,
		`user.employeeId -eq 50003`:                                                    true,
		"user.jobTitle -eq \"Pilot `\"A`\"\"":                                          true,
		`user.city -eq 'O''Fallon'`:                                                    true,
		`user.city -eq "O'Fallon"`:                                                     true,
		`user.telephoneNumber -eq "+47 1"`:                                             true,
		`user.facsimileTelephoneNumber -eq "7"`:                                        true,
		`user.physicalDeliveryOfficeName -eq "B2"`:                                     true,
		`user.mobile -eq null`:                                                         true,
		`user.extensionAttribute15 -eq "Marketing"`:                                    true,
		`user.extension_c272a57b722d4eb29bfe327874ae79cb_OfficeNumber -eq "123"`:       true,
		`user.extension_c272a57b722d4eb29bfe327874ae79cb_level -eq 4`:                  true,
		`user.extension_c272a57b722d4eb29bfe327874ae79cb_none -eq null`:                true,
		`user.otherMails -startsWith "ann@"`:                                           true,
		`user.otherMails -eq null`:                                                     false,
		`user.proxyAddresses -notEndsWith "@fabrikam.test"`:                            false,
		`user.proxyAddresses -any (_ -startsWith "smtp:a@")`:                           true,
		`user.proxyAddresses -any _ -startsWith "smtp:b@"`:                             false,
		`user.proxyAddresses -all (_ -startsWith "smtp:")`:                             true,
		`user.proxyAddresses -all (_ -endsWith "test")`:                                false,
		`user.proxyAddresses -any (_ -startsWith "smtp:a@" -and -not _ -contains "q")`: true,
		`user.employeehiredate -le 2020-06-10T18:13:20Z`:                               true,
		`user.employeeHireDate -ge "2021-01-01T00:00:00Z"`:                             false,
		`user.employeeHireDate -eq 2020-06-10T20:13:20+02:00`:                          true,
		`user.employeeHireDate -ne null`:                                               true,
		// -not binds more than -and, -and more than -or.
		`user.country -eq "NO" -or user.country -eq "SE" -and user.department -eq "HR"`:                        true,
		`(user.country -eq "NO" -or user.country -eq "SE") -and user.department -eq "HR"`:                      false,
		`-not user.country -eq "SE" -and user.department -eq "Sales"`:                                          true,
		`-not (user.country -eq "SE" -or user.department -eq "Sales")`:                                         false,
		`-not -not (user.country -eq "NO")`:                                                                    true,
		`(user.department -eq "Sales") -and -not (user.jobTitle -startsWith "SDE")`:                            true,
		"user.country -eq \"NO\"\n -and (user.department -eq \"Marketing\" -or user.department -eq \"Sales\")": true,
	} {
		r, err := Parse(rule)
		if err != nil {
			t.Errorf("%s: %v", rule, err)
			continue
		}
		if got := r.Match(ann); got != want {
			t.Errorf("%s: %t", rule, got)
		}
	}
	none, err := Parse(`user.proxyAddresses -all (_ -eq "x") -and user.proxyAddresses -eq null -and -not user.proxyAddresses -any (_ -ne "x")`)
	if err != nil || !none.Match(person{}) {
		t.Errorf("of nobody's addresses all are x: %v", err)
	}
}

func TestDirectReports(t *testing.T) {
	const boss = "11111111-2222-3333-4444-555555555555"
	for _, rule := range []string{`Direct Reports for "` + boss + `"`, `direct reports FOR '` + boss + `'`} {
		if r, err := Parse(rule); err != nil || r.Manager() != boss || r.Match(ann) {
			t.Errorf("%s: %+v, %v", rule, r, err)
		}
	}
}

// TestErrors: each says where, and what is expected there.
func TestErrors(t *testing.T) {
	for rule, want := range map[string]string{
		``:                                                       "Column 1: a property is expected, such as user.department, not the end of the rule",
		`x`:                                                      `Column 1: a property of a user is expected, such as user.department, not "x"`,
		`user.departmnt -eq "x"`:                                 `Column 1: users have no property "departmnt"; perhaps user.department is meant`,
		`user.qqq -eq "x"`:                                       `Column 1: users have no property "qqq"`,
		`user.department`:                                        "Column 16: an operator is expected, such as -eq, not the end of the rule",
		`user.department -eq`:                                    "Column 20: a value is expected, not the end of the rule",
		`user.department -like "x"`:                              `Column 17: "-like" is no operator for user.department`,
		`user.department -not null`:                              `Column 17: "-not" is no operator for user.department`,
		`user.department -eq Sales`:                              `Column 21: put a text into double quotes: "Sales"`,
		`user.department -eq "Sales`:                             `Column 21: a text begins here and does not end; close its quotes`,
		`user.department -eq ""`:                                 "Column 21: an empty text is no value; compare with null",
		`user.department -contains null`:                         "Column 27: null goes with -eq and -ne only",
		`user.department - eq "x"`:                               "Column 17: an operator is expected behind the hyphen, such as -eq",
		`user.department = "x"`:                                  `Column 17: "=" has no meaning here; put a text into double quotes`,
		`user.department -in "x"`:                                `Column 21: a list is expected, such as ["a","b"], not "x"`,
		`user.department -in []`:                                 `Column 22: a text in double quotes is expected, not "]"`,
		`user.department -in ["x" "y"]`:                          `Column 26: , or ] is expected, not "y"`,
		`user.department -match "("`:                             "Column 24: the pattern can't be read: missing closing ): `(`",
		`user.accountEnabled -eq "true"`:                         `Column 25: user.accountEnabled is true or false, without quotes, not "true"`,
		`user.accountEnabled -startsWith true`:                   `Column 21: "-startsWith" is no operator for user.accountEnabled`,
		`user.employeeHireDate -le soon`:                         `Column 27: a date is expected, such as 2020-06-10T18:13:20Z, not "soon"`,
		`user.employeeHireDate -notle null`:                      `Column 23: "-notle" is no operator for user.employeeHireDate`,
		`user.employeehiredate -ge system.now -plus p1d`:         "Column 27: system.now is not evaluated here: members change with users, not with time",
		`(user.department -eq "x"`:                               `Column 25: ) is expected for the ( of column 1, not the end of the rule`,
		`user.department -eq "x")`:                               `Column 24: -and, -or or the end of the rule is expected, not ")"`,
		`user.department -eq "x" user.city -eq "y"`:              `Column 25: -and, -or or the end of the rule is expected, not "user.city"`,
		`user.department -eq "x" -and`:                           "Column 29: a property is expected, such as user.department, not the end of the rule",
		`device.displayName -eq "x"`:                             "Column 1: rules for devices are not evaluated: the directory holds none",
		`user.memberOf -any (group.objectId -in ['x'])`:          "Column 1: rules by memberOf are not evaluated here",
		`user.assignedPlans -any (assignedPlan.service -eq "x")`: "Column 1: the directory holds no service plans",
		`_ -eq "x"`:                                              "Column 1: the underscore stands for an item behind -any or -all only",
		`user.proxyAddresses -any (user.city -eq "x")`:           "Column 27: the underscore is expected behind -any and -all, which compare the items of a list",
		`user.department -any (_ -eq "x")`:                       "Column 17: -any goes with a list, such as user.proxyAddresses, which user.department is not",
		`Direct Reports for "ann"`:                               `Column 20: the object id of a manager is expected, not "ann"`,
		`Direct Reports for "11111111-2222-3333-4444-555555555555" -and true`: `Column 1: Direct Reports for "object id of the manager" stands alone in a rule`,
		`äö.x -eq "x"`:           `Column 1: a property of a user is expected, such as user.department, not "äö.x"`,
		strings.Repeat("(", 200): "Column 101: the rule is nested too deeply",
	} {
		if _, err := Parse(rule); err == nil || err.Error() != want {
			t.Errorf("%.60s:\n %v, want\n %s", rule, err, want)
		}
	}
}

// FuzzParse: whatever is read is answered, and an error lies within the rule.
func FuzzParse(f *testing.F) {
	for _, rule := range []string{`user.department -eq "Sales"`, `-not (user.mail -match ".*" -or user.proxyAddresses -any (_ -in ["a",'b']))`,
		`Direct Reports for "11111111-2222-3333-4444-555555555555"`, `user.employeeHireDate -ge 2020-06-10T18:13:20Z`, "user.city -ne \"`\"\" -and user.x", `user.accountEnabled -eq $true`} {
		f.Add(rule)
	}
	f.Fuzz(func(t *testing.T, rule string) {
		r, err := Parse(rule)
		if err != nil {
			if e := err.(*Error); e.Column < 1 || e.Column > len([]rune(rule))+1 || e.Message == "" {
				t.Errorf("%q: %+v", rule, e)
			}
			return
		}
		if r.Match(ann) && r.Manager() != "" {
			t.Errorf("%q is of direct reports and of properties", rule)
		}
		r.Match(person{})
	})
}
