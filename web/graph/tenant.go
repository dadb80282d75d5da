package graph

import (
	"net/http"
	"strings"
)

// The tables of what describes the tenant (resources/organization.md, resources/domain.md, resources/subscribedsku.md).
var (
	organizationKind = newKind("organization", "Organization", "organization", standardFields("id", text, "deletedDateTime", moment, "businessPhones", textList,
		"city", text, "country", text, "countryLetterCode", text, "createdDateTime", moment, "displayName", text, "onPremisesSyncEnabled", boolean,
		"tenantType", text, "technicalNotificationMails", textList, "assignedPlans", objectList, "provisionedPlans", objectList, "verifiedDomains", objectList))
	domainKind = newKind("domain", "Domain", "domains", standardFields("id", text, "authenticationType", text, "availabilityStatus", text, "isAdminManaged", boolean,
		"isDefault", boolean, "isInitial", boolean, "isRoot", boolean, "isVerified", boolean, "supportedServices", textList, "state", typeObject))
	skuKind = newKind("subscribedSku", "SubscribedSku", "subscribedSkus", standardFields("id", text, "accountId", text, "accountName", text,
		"appliesTo", text, "capabilityStatus", text, "consumedUnits", typeNumber, "prepaidUnits", typeObject, "servicePlans", objectList, "skuId", text,
		"skuPartNumber", text, "subscriptionIds", textList))
)

func init() {
	organizationKind.lacks(`certificateBasedAuthConfiguration defaultUsageLocation extensions marketingNotificationEmails mobileDeviceManagementAuthority
		onPremisesLastSyncDateTime partnerTenantType postalCode preferredLanguage privacyProfile securityComplianceNotificationMails
		securityComplianceNotificationPhones state street`)
	domainKind.lacks("manufacturer model passwordNotificationWindowInDays passwordValidityPeriodInDays")
}

// organization is the tenant.
func (g *Graph) organization(c *call) error {
	t := g.dir.Tenant()
	domain := object{{"capabilities", "Email"}, {"isDefault", true}, {"isInitial", true}, {"name", t.DefaultDomain}, {"type", "Managed"}}
	return c.single(organizationKind, object{{"id", t.ID}, {"createdDateTime", t.Created}, {"displayName", t.DisplayName}, {"tenantType", "AAD"},
		{"verifiedDomains", []object{domain}}})
}

func (g *Graph) domains(c *call) error {
	return c.single(domainKind, object{{"id", g.dir.Tenant().DefaultDomain}, {"authenticationType", "Managed"}, {"isAdminManaged", true}, {"isDefault", true},
		{"isInitial", true}, {"isRoot", true}, {"isVerified", true}, {"supportedServices", []string{"Email"}}})
}

// single answers with the one object of a collection, in a list or, with its id in the path, alone.
func (c *call) single(k *kind, o object) error {
	selected, err := k.selection(c)
	if err != nil {
		return err
	}
	shown := k.show(o.get, selected)
	id, given := c.params["id"]
	switch own, _ := o.get("id").(string); {
	case !given:
		return collection(c, k.context(selected, false), []object{shown})
	case !strings.EqualFold(id, own):
		return missing(id)
	}
	return c.entity(http.StatusOK, k.context(selected, true), shown)
}

func (g *Graph) subscribedSkus(c *call) error {
	selected, err := skuKind.selection(c)
	if err != nil {
		return err
	}
	return collection(c, skuKind.context(selected, false), []object{})
}
