package directory

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/brianvoe/gofakeit/v6"
	"go.etcd.io/bbolt"
)

// Company says how large a generated company is. The same values give the same company, byte for byte.
type Company struct {
	Users, Groups int
	Seed          int64
}

var (
	givenNames = strings.Fields(`Adele Aisha Akira Alejandro Amara Amelie Anders Anika Anton Arjun Astrid Beatriz Benedikt Bianca Callum Camille
		Carlos Chloé Daniela David Diego Dominik Elena Elif Emeka Emma Erik Esther Fatima Felix Florian Freya Gabriel Giulia Grace Hannah
		Haruto Hugo Ida Imani Inès Isaac Ivana Jakub Jasmin Joana Johan José Julia Kai Kamila Karim Katarzyna Kavya Kenji Klára Kwame Lars
		Leila Lena Liam Lucía Lukas Magnus Maja Malik Marco Margot Mateus Maya Mei Mikael Mina Nadia Naomi Nikolai Noor Nora Oliver Olu
		Oscar Petra Priya Rafael Ravi Rosa Sanna Sara Sofia Stefan Tariq Tomás Uma Valentina Viktor Wanjiru Yara Yusuf Zofia Zoë`)
	surnames = strings.Fields(`Abara Adeyemi Andersen Baker Bauer Becker Bergström Bianchi Brandt Campbell Carvalho Castro Chen Costa Dahl Delgado Diallo
		Dubois Dvořák Eriksen Evans Fernández Fischer Fontaine Foster García Gruber Haddad Hansen Hoffmann Horvat Hughes Ibrahim Ito Ivanova
		Jansen Jensen Johansson Kaya Keller Khan Kim Kovács Kowalski Krüger Kumar Laurent Lehmann Lindqvist López Marino Martin Mbeki Mensah
		Meyer Moreau Müller Murphy Nakamura Nguyen Nielsen Nováková Nowak Okafor Olsen Ortiz Osei Park Patel Pereira Petrov Popescu Quinn
		Ramos Reddy Reyes Ricci Rossi Ruiz Saito Santos Sato Schmidt Schneider Sharma Silva Singh Sørensen Sokolov Suzuki Svensson Tanaka
		Thompson Torres Vance Vargas Vogel Walker Wang Watanabe Weber Wójcik Yamamoto Yılmaz Zhang Ziegler`)
	departments = []string{"Engineering", "Product", "Sales", "Support", "Finance", "Marketing", "Operations", "People", "Legal", "Design",
		"Security", "Data", "Procurement", "Quality", "Research", "Facilities"}
	titles = map[string][]string{
		"Engineering": {"Software Engineer", "Senior Software Engineer", "Staff Engineer", "Engineering Manager", "Site Reliability Engineer"},
		"Product":     {"Product Manager", "Senior Product Manager", "Product Analyst", "Technical Writer"},
		"Sales":       {"Account Executive", "Sales Engineer", "Sales Development Representative", "Account Manager"},
		"Support":     {"Support Engineer", "Senior Support Engineer", "Support Specialist", "Customer Success Manager"},
		"Finance":     {"Accountant", "Financial Analyst", "Controller", "Payroll Specialist"},
	}
	projects = []string{"Aurora", "Borealis", "Cascade", "Delta", "Ember", "Fjord", "Glacier", "Horizon", "Iris", "Juniper", "Kestrel", "Lumen",
		"Meridian", "Nimbus", "Orion", "Polaris", "Quartz", "Ridge", "Sierra", "Tundra", "Umbra", "Vertex", "Willow", "Zephyr"}
	offices = []struct{ office, street, city, state, postal, country, usage, language, dial string }{
		{"Berlin 1/204", "Lindenallee 12", "Berlin", "Berlin", "10115", "Germany", "DE", "de-DE", "+49 30 5550"},
		{"Lisbon 3/110", "Rua das Flores 48", "Lisbon", "Lisboa", "1200-192", "Portugal", "PT", "pt-PT", "+351 21 555"},
		{"Seattle 18/2111", "400 Harbor Avenue", "Seattle", "WA", "98101", "United States", "US", "en-US", "+1 206 555"},
		{"London 5/017", "7 Mill Lane", "London", "England", "EC1A 1BB", "United Kingdom", "GB", "en-GB", "+44 20 7946"},
		{"Tokyo 22/08", "2-1 Marunouchi", "Tokyo", "Tokyo", "100-0005", "Japan", "JP", "ja-JP", "+81 3 5550"},
	}
)

// ascii writes a name with the letters that a user principal name may hold.
var ascii = strings.NewReplacer("á", "a", "à", "a", "ã", "a", "ä", "a", "å", "a", "ç", "c", "č", "c", "ć", "c", "é", "e", "è", "e", "ë", "e", "ě", "e",
	"í", "i", "ï", "i", "ı", "i", "ł", "l", "ñ", "n", "ń", "n", "ó", "o", "ô", "o", "õ", "o", "ö", "o", "ø", "o", "ř", "r", "š", "s", "ß", "ss",
	"ú", "u", "ü", "u", "ů", "u", "ý", "y", "ž", "z", "ż", "z", "ź", "z", "Á", "A", "Ø", "O", "Ö", "O", "Ü", "U", "Ł", "L", "Ž", "Z")

// plan is the shape of a company before anybody has a name.
type plan struct {
	Company
	departments      int // how many there are
	departmentGroups int // how many of them have a group
	disabled, guests map[int]bool
}

// shape spreads departments, blocked accounts and guests. The first two departments and the first project hold exactly
// one blocked account, one guest and one person who is in two of them, and less than half of the company: that is what a
// starter application shows.
func shape(c Company) plan {
	p := plan{Company: c, departmentGroups: (c.Groups*5 + 7) / 8, disabled: map[int]bool{}, guests: map[int]bool{}}
	p.departments = max(8, p.departmentGroups) // some small departments have no group of their own
	if c.Users < p.departments {
		p.departments = max(1, c.Users)
	}
	few := c.Users / 20
	last := func(department int) int { // the newest person of a department
		i := c.Users - 1 - (c.Users-1-department)%p.departments
		return i
	}
	if few > 0 {
		p.disabled[last(0)] = true
		p.guests[last(1%p.departments)] = true
	}
	for i := c.Users - 1; i > p.departments && (len(p.disabled) < few || len(p.guests) < few); i-- {
		switch {
		case i%p.departments < 2 || p.disabled[i] || p.guests[i]:
		case len(p.disabled) < few:
			p.disabled[i] = true
		case len(p.guests) < few:
			p.guests[i] = true
		}
	}
	return p
}

func (p plan) department(i int) int { return i % p.departments }

func (p plan) departmentName(d int) string {
	return numbered(departments[d%len(departments)], d/len(departments))
}

// manager returns the index of a person's manager, -1 for the one at the top: the first of each department reports to
// the first of all, and within a department eight report to one.
func (p plan) manager(i int) int {
	if i == 0 {
		return -1
	}
	j := i / p.departments
	if j == 0 {
		return 0
	}
	return (j-1)/8*p.departments + p.department(i)
}

// members lists the members of group i, each once: everybody of a department, or the people of a project.
func (p plan) members(i int, f *gofakeit.Faker) []int {
	if p.Users == 0 {
		return nil
	}
	if i >= p.departmentGroups {
		return p.projectMembers(i-p.departmentGroups, f)
	}
	if i >= p.departments {
		return nil // a group for a department that a small company does not have
	}
	var list []int
	for u := i; u < p.Users; u += p.departments {
		list = append(list, u)
	}
	return list
}

// projectMembers picks the members of project k, each once.
func (p plan) projectMembers(k int, f *gofakeit.Faker) []int {
	size := min(max(3, p.Users/12), 40)
	var list []int
	seen := map[int]bool{}
	add := func(i int) {
		if !seen[i] {
			seen[i] = true
			list = append(list, i)
		}
	}
	if k == 0 {
		add(0) // of the first department: the person who is in two groups
	}
	for tries := 0; len(list) < min(size, p.Users) && tries < 50*size; tries++ {
		i := f.IntRange(0, p.Users-1)
		if k == 0 && (p.department(i) < 2 || p.disabled[i] || p.guests[i]) {
			continue
		}
		add(i)
	}
	return list
}

// person makes the account of person i.
func (p plan) person(i int, f *gofakeit.Faker, taken map[[2]int]int, domain string) User {
	g, s := f.IntRange(0, len(givenNames)-1), f.IntRange(0, len(surnames)-1)
	given, surname := givenNames[g], surnames[s]
	name := strings.ToLower(ascii.Replace(given) + "." + ascii.Replace(surname))
	pair := [2]int{g, s}
	if n := taken[pair]; n > 0 {
		name = fmt.Sprintf("%s%d", name, n+1)
	}
	taken[pair]++
	d := p.department(i)
	department := p.departmentName(d)
	roles := titles[departments[d%len(departments)]]
	if roles == nil {
		roles = []string{"Specialist", "Senior Specialist", "Analyst", "Coordinator"}
	}
	o := offices[f.IntRange(0, len(offices)-1)]
	title := roles[f.IntRange(0, len(roles)-1)]
	switch {
	case i == 0:
		title = "Chief Executive Officer"
	case i < p.departments:
		title = "Head of " + department
	}
	u := User{
		AccountEnabled: !p.disabled[i], UserPrincipalName: name + "@" + domain, MailNickname: name, GivenName: given, Surname: surname,
		Mail: name + "@" + domain, JobTitle: title, Department: department, CompanyName: "Contoso", EmployeeID: fmt.Sprintf("%06d", 100001+i),
		EmployeeType: "Employee", OfficeLocation: o.office, StreetAddress: o.street, City: o.city, StateOrProvince: o.state, PostalCode: o.postal,
		Country: o.country, UsageLocation: o.usage, PreferredLanguage: o.language, UserType: Member,
		BusinessPhones: []string{fmt.Sprintf("%s %04d", o.dial, f.IntRange(100, 9999))}, ProxyAddresses: []string{"SMTP:" + name + "@" + domain},
	}
	u.DisplayName = given + " " + surname
	if f.IntRange(0, 9) < 6 {
		u.MobilePhone = fmt.Sprintf("%s %04d", o.dial, f.IntRange(100, 9999))
	}
	if p.guests[i] {
		mail := name + "@fabrikam.test"
		u.UserPrincipalName = name + "_fabrikam.test#EXT#@" + domain
		u.Mail, u.OtherMails, u.UserType = mail, []string{mail}, Guest
		u.MailNickname = name + "_fabrikam.test#EXT#"
		u.CompanyName, u.EmployeeID, u.EmployeeType = "Fabrikam", "", "Contractor"
		u.ProxyAddresses, u.CreationType, u.ExternalUserState = nil, "Invitation", "Accepted"
	}
	return u
}

// People lists who and which groups a generated company has, without relations and ids.
func (c Company) People(domain string) (users []User, groups []Group) {
	p, f, taken := shape(c), c.faker(), map[[2]int]int{}
	for i := range c.Users {
		users = append(users, p.person(i, f, taken, domain))
	}
	for i := range c.Groups {
		groups = append(groups, p.group(i))
	}
	return users, groups
}

func (c Company) faker() *gofakeit.Faker {
	return gofakeit.New(c.Seed*2 + 1) // its seed 0 would mean a random one
}

// Generate fills an empty directory with a company: departments, titles, managers as one tree, offices, phones, a group
// for five departments in eight groups and one for each project, some blocked accounts, some guests. The change feed
// begins behind it: nothing of it is a change. progress, which may be nil, is told now and then how many objects are
// written. A company that an error, the end of ctx or a crash cut short is removed, at once or when the file is opened.
func (s *Store) Generate(ctx context.Context, now time.Time, c Company, progress func(done, total int)) error {
	if c.Users < 0 || c.Groups < 0 {
		return invalid("users", "A company has no negative number of users or groups.")
	}
	if progress == nil {
		progress = func(int, int) {}
	}
	if err := s.db.Update(func(tx *bbolt.Tx) error {
		if tx.Bucket(bucketDirectory).Bucket(bucketObjects).Sequence() > 0 {
			return &Error{Code: Conflict, Message: "The directory is not empty.", Hint: "Generate into a new file."}
		}
		return tx.Bucket(bucketMeta).Put(keyGenerating, []byte("yes"))
	}); err != nil {
		return err
	}
	// The index entries of all objects are in memory at once, almost without pointers: to collect more often costs little,
	// and not to let the heap grow to twice that size saves much.
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	b := &bulk{s: s, now: now.UTC().Truncate(time.Second), ctx: ctx, total: c.Users + c.Groups, progress: progress,
		live: map[Kind]span64{}, counts: map[string]int{}}
	if err := b.company(c); err != nil {
		return errors.Join(fmt.Errorf("generate a company: %w", err), s.Reset())
	}
	return nil
}

func (b *bulk) company(c Company) error {
	p := shape(c)
	f := c.faker()
	taken := map[[2]int]int{}
	err := b.objects(c.Users, func(i int, n uint64) (any, *Object) {
		u := p.person(i, f, taken, b.s.tenant.DefaultDomain)
		if m := p.manager(i); m >= 0 {
			u.ManagerNum = b.first + uint64(m)
		}
		return &u, &u.Object
	})
	if err != nil {
		return err
	}
	err = b.objects(c.Groups, func(i int, n uint64) (any, *Object) {
		g := p.group(i)
		return &g, &g.Object
	})
	if err != nil {
		return err
	}
	if err := b.indexes(); err != nil {
		return err
	}
	if err := b.relations(p, f); err != nil {
		return err
	}
	return b.finish()
}

// group makes group i: those of departments come first.
func (p plan) group(i int) Group {
	g := Group{SecurityEnabled: true}
	if i < p.departmentGroups {
		g.DisplayName = p.departmentName(i)
		g.Description = "Everybody in " + g.DisplayName
	} else {
		g.DisplayName = numbered("Project "+projects[(i-p.departmentGroups)%len(projects)], (i-p.departmentGroups)/len(projects))
		g.Description = "The people of " + g.DisplayName
	}
	g.MailNickname = strings.ToLower(strings.ReplaceAll(g.DisplayName, " ", "-"))
	return g
}

// numbered tells names apart that are used more than once.
func numbered(name string, before int) string {
	if before > 0 {
		return fmt.Sprintf("%s %d", name, before+1)
	}
	return name
}
