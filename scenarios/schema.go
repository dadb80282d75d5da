package scenarios

type schemaWriter struct{}

func (s *schemaWriter) of(v any) map[string]any        { return nil }
func (s *schemaWriter) structure(v any) map[string]any { return nil }
