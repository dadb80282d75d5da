package directory

//go:generate go run github.com/tinylib/msgp@v1.6.5 -file $GOFILE -o extension_gen.go -io=false -tests=false
//msgp:tag json
//msgp:timezone utc

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// ExtensionProperty is a directory extension that an application defines for users or groups (resources/extensionproperty.md).
type ExtensionProperty struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"` // as it stands on objects: extension_<appId without hyphens>_<name>
	DataType    string   `json:"dataType"`
	MultiValued bool     `json:"isMultiValued,omitempty"`
	Targets     []string `json:"targetObjects"`
}

var (
	shortName     = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,127}$`)
	extensionData = []string{"Binary", "Boolean", "DateTime", "Integer", "LargeInteger", "String"}
	extensionFor  = []string{"User", "Group", "AdministrativeUnit", "Application", "Device", "Organization"}
)

// maxExtensions bounds what one object holds values of (resources/extensionproperty.md).
const maxExtensions = 100

// AddExtension defines a directory extension on a registration; Name comes without its prefix
// (api/application-post-extensionproperty.md).
func (s *Store) AddExtension(now time.Time, registration string, e ExtensionProperty) (ExtensionProperty, error) {
	switch {
	case !shortName.MatchString(e.Name):
		return e, invalid("name", "Invalid value specified for property 'name' of resource 'ExtensionProperty'.")
	case !slices.Contains(extensionData, e.DataType):
		return e, invalid("dataType", "Invalid value specified for property 'dataType' of resource 'ExtensionProperty': it is one of %s.", strings.Join(extensionData, ", "))
	case len(e.Targets) == 0:
		return e, invalid("targetObjects", "A value is required for property 'targetObjects' of resource 'ExtensionProperty'.")
	}
	for _, t := range e.Targets {
		if !slices.Contains(extensionFor, t) {
			return e, invalid("targetObjects", "Invalid value specified for property 'targetObjects' of resource 'ExtensionProperty': it holds some of %s.", strings.Join(extensionFor, ", "))
		}
	}
	_, err := s.changePrincipal(now, registered(registration), func(t *txn, sp *ServicePrincipal) ([]string, error) {
		e.Name = extensionPrefix + strings.ReplaceAll(sp.AppID, "-", "") + "_" + e.Name
		if slices.ContainsFunc(sp.Extensions, func(o ExtensionProperty) bool { return strings.EqualFold(o.Name, e.Name) }) {
			return nil, &Error{Code: Conflict, Property: "name", Message: "An extension property exists with the name " + e.Name + "."}
		}
		if len(sp.Extensions) >= maxExtensions {
			return nil, invalid("extensionProperties", "An application defines at most %d extension properties.", maxExtensions)
		}
		n, err := t.next()
		if err != nil {
			return nil, err
		}
		e.ID = derive(s.seed, "extension", n)
		sp.Extensions = append(slices.Clone(sp.Extensions), e)
		return []string{"extensionProperties"}, nil
	})
	return e, err
}

// RemoveExtension takes a directory extension away; values that objects hold of it stay until they are written
// (api/application-delete-extensionproperty.md).
func (s *Store) RemoveExtension(now time.Time, registration, id string) error {
	_, err := s.changePrincipal(now, registered(registration), func(_ *txn, sp *ServicePrincipal) ([]string, error) {
		left := slices.DeleteFunc(slices.Clone(sp.Extensions), func(e ExtensionProperty) bool { return strings.EqualFold(e.ID, id) })
		if len(left) == len(sp.Extensions) {
			return nil, notFound(id)
		}
		sp.Extensions = left
		return []string{"extensionProperties"}, nil
	})
	return err
}
