package portal

import (
	"bytes"
	"sync"

	"entrasim/sim/mapping"
)

// drafts are changed mappings that are not saved yet, by application. They last until Save, Discard, a reset or the end of
// the program, and everybody who looks at an application's mappings sees the same one. It is safe for concurrent use.
type drafts struct {
	mu   sync.Mutex
	list map[string]draft
}

// draft is a schema document beside the one that it was begun with.
type draft struct{ schema, base []byte }

func (d *drafts) get(appID string) (draft, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	x, ok := d.list[appID]
	return x, ok
}

// put keeps a changed schema; one that equals what the draft was begun with is none.
func (d *drafts) put(appID string, schema, base []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if was, ok := d.list[appID]; ok {
		base = was.base
	}
	if bytes.Equal(schema, base) {
		delete(d.list, appID)
		return
	}
	d.list[appID] = draft{schema, base}
}

func (d *drafts) drop(appID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.list, appID)
}

func (d *drafts) clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.list)
}

// Forget drops what was not saved. A reset of the program calls it.
func (p *Portal) Forget() { p.drafts.clear() }

// mappingDraft returns an application's schema as its mapping page shows it: with what was changed and not saved.
func (p *Portal) mappingDraft(appID string) (schema *mapping.Schema, changed bool, err error) {
	if schema, err = p.Service.Schema(appID); err != nil {
		return nil, false, err
	}
	x, ok := p.drafts.get(appID)
	if !ok {
		return schema, false, nil
	}
	schema, err = mapping.Parse(x.schema)
	return schema, true, err
}

// keepDraft notes a changed schema.
func (p *Portal) keepDraft(appID string, schema *mapping.Schema) error {
	now, err := p.Service.Schema(appID)
	if err != nil {
		return err
	}
	p.drafts.put(appID, schema.JSON(), now.JSON())
	return nil
}

// saveDraft makes a draft the schema in force. When that was changed elsewhere meanwhile, nothing is saved.
func (p *Portal) saveDraft(appID string) error {
	x, ok := p.drafts.get(appID)
	if !ok {
		return said("Nothing was changed.")
	}
	now, err := p.Service.Schema(appID)
	if err != nil {
		return err
	}
	if !bytes.Equal(now.JSON(), x.base) {
		return said("The mappings were changed elsewhere meanwhile. Discard these changes, and make them anew.")
	}
	schema, err := mapping.Parse(x.schema)
	if err != nil {
		return err
	}
	if err := p.Service.SetSchema(appID, schema); err != nil {
		return err
	}
	p.drafts.drop(appID)
	return nil
}

// rescope takes scoping filters that were saved into the draft of the other changes, which goes on from there.
func (p *Portal) rescope(appID, kind string, scope *mapping.FilterDocument) error {
	x, ok := p.drafts.get(appID)
	if !ok {
		return nil
	}
	now, err := p.Service.Schema(appID)
	if err != nil {
		return err
	}
	schema, err := mapping.Parse(x.schema)
	if err != nil {
		return err
	}
	if m := schema.ObjectMapping(kind); m != nil {
		m.Scope = scope
	}
	p.drafts.drop(appID)
	p.drafts.put(appID, schema.JSON(), now.JSON())
	return nil
}
