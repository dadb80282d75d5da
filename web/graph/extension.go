package graph

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"time"

	"entrasim/directory"
)

func extensionObject(sp *directory.ServicePrincipal, e directory.ExtensionProperty) object {
	return object{{"id", e.ID}, {"deletedDateTime", nil}, {"appDisplayName", sp.DisplayName}, {"dataType", e.DataType}, {"isMultiValued", e.MultiValued},
		{"isSyncedFromOnPremises", false}, {"name", e.Name}, {"targetObjects", e.Targets}}
}

func (g *Graph) listExtensions(c *call) error {
	sp, err := g.application(c)
	if err != nil {
		return err
	}
	var list []object
	for _, e := range sp.Extensions {
		list = append(list, extensionObject(&sp, e))
	}
	return collection(c, "applications('"+sp.ApplicationID+"')/extensionProperties", list)
}

func (g *Graph) getExtension(c *call) error {
	sp, err := g.application(c)
	if err != nil {
		return err
	}
	for _, e := range sp.Extensions {
		if strings.EqualFold(e.ID, c.params["extension"]) {
			return c.entity(http.StatusOK, "applications('"+sp.ApplicationID+"')/extensionProperties/$entity", extensionObject(&sp, e))
		}
	}
	return missing(c.params["extension"])
}

// createExtension is api/application-post-extensionproperty.md.
func (g *Graph) createExtension(c *call) error {
	sp, err := g.application(c)
	if err != nil {
		return err
	}
	var body struct {
		Name        string   `json:"name"`
		DataType    string   `json:"dataType"`
		Targets     []string `json:"targetObjects"`
		MultiValued bool     `json:"isMultiValued"`
	}
	if err := c.decode(&body, false); err != nil {
		return err
	}
	for _, p := range []struct{ name, value string }{{"name", body.Name}, {"dataType", body.DataType}} {
		if p.value == "" {
			return refused("A value is required for property '%s' of resource 'ExtensionProperty'.", p.name)
		}
	}
	e, err := g.dir.AddExtension(g.svc.Clock().Now(), sp.ApplicationID,
		directory.ExtensionProperty{Name: body.Name, DataType: body.DataType, MultiValued: body.MultiValued, Targets: body.Targets})
	if err != nil {
		return err
	}
	return c.created("/applications/"+sp.ApplicationID+"/extensionProperties/"+e.ID, "applications('"+sp.ApplicationID+"')/extensionProperties/$entity", extensionObject(&sp, e))
}

func (g *Graph) deleteExtension(c *call) error {
	sp, err := g.application(c)
	if err != nil {
		return err
	}
	if err := g.dir.RemoveExtension(g.svc.Clock().Now(), sp.ApplicationID, c.params["extension"]); err != nil {
		return err
	}
	return c.noContent()
}

// checkExtensions refuses values of directory extensions that no application defines for the kind, and those of another type.
func (g *Graph) checkExtensions(k *kind, props directory.Props) error {
	for name, v := range props {
		if !strings.HasPrefix(name, "extension_") {
			continue
		}
		e, ok := g.extension(k, name)
		if !ok {
			return refused("Property '%s' does not exist as a declared property or extension property.", name)
		}
		values := []any{v}
		if list, isList := v.([]any); isList && e.MultiValued {
			values = list
		}
		for _, x := range values {
			if !fitsExtension(e.DataType, x) {
				return wrongValue(k, name)
			}
		}
		if e.Name != name { // in the spelling of its definition
			delete(props, name)
			props[e.Name] = v
		}
	}
	return nil
}

// extension finds a directory extension by its full name.
func (g *Graph) extension(k *kind, name string) (e directory.ExtensionProperty, ok bool) {
	hex, _, _ := strings.Cut(strings.TrimPrefix(name, "extension_"), "_")
	if len(hex) != 32 {
		return e, false
	}
	app, err := g.dir.Registration(hex[:8] + "-" + hex[8:12] + "-" + hex[12:16] + "-" + hex[16:20] + "-" + hex[20:])
	if err != nil {
		return e, false
	}
	i := slices.IndexFunc(app.Extensions, func(e directory.ExtensionProperty) bool {
		return strings.EqualFold(e.Name, name) && slices.Contains(e.Targets, k.title)
	})
	if i < 0 {
		return e, false
	}
	return app.Extensions[i], true
}

func fitsExtension(dataType string, v any) bool {
	s, isText := v.(string)
	switch n := v.(type) {
	case nil:
		return true
	case bool:
		return dataType == "Boolean"
	case float64:
		return (dataType == "Integer" || dataType == "LargeInteger") && n == float64(int64(n))
	}
	switch dataType {
	case "String":
		return isText && len(s) <= 256
	case "DateTime":
		_, err := time.Parse(time.RFC3339Nano, s)
		return isText && err == nil
	case "Binary":
		_, err := base64.StdEncoding.DecodeString(s)
		return isText && err == nil
	}
	return false
}
