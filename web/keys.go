package web

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// keysRoute is where Entra publishes the keys of the tokens that it issues.
const keysRoute = "/:tenant/discovery/v2.0/keys"

// keys publishes the keys of the tokens that jobs without a Secret token send, so that a target can check them. The tenant
// is common, the tenant's id or its domain (use-scim-to-provision-users-and-groups.md, "Handling endpoint authentication").
func (s *Server) keys(c echo.Context) error {
	tenant, asked := s.deps.Service.Directory().Tenant(), c.Param("tenant")
	if asked != "common" && !strings.EqualFold(asked, tenant.ID) && !strings.EqualFold(asked, tenant.DefaultDomain) {
		return c.JSON(http.StatusBadRequest, map[string]string{
			"error": "invalid_tenant", "error_description": "There is no tenant " + asked + " here. It is " + tenant.ID + ", " + tenant.DefaultDomain + " or common.",
		})
	}
	keys, err := s.deps.Service.IssuerKeys()
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, keys)
}
