package sim

import (
	"entrasim/sim/scim"
)

// TemplateCustomAppSSO is the template of provisioning jobs that were made before December 2018, and of those that a Graph
// client still makes from it: they write in the oldest dialect
// (application-provisioning-config-problem-scim-compatibility.md).
const TemplateCustomAppSSO = "customappsso"

// endpointOf reads the tenant URL of a job. The flags in it choose between the dialects of a job of the template scim; one
// of the template customappsso has its own.
func endpointOf(template, url string) (scim.Endpoint, error) {
	ep, err := scim.ParseTenantURL(url)
	if err != nil || template != TemplateCustomAppSSO {
		return ep, err
	}
	return ep.CustomAppSSO()
}

// dialectOf is the dialect of a job.
func dialectOf(template, url string) scim.Dialect {
	if ep, err := endpointOf(template, url); err == nil {
		return ep.Dialect
	}
	if template == TemplateCustomAppSSO {
		return scim.CustomAppSSO
	}
	return scim.Legacy
}
