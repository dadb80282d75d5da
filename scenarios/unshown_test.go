package scenarios

// unshown are rules that nothing shows, each with the reason. A rule that gets a scenario or a test leaves this list.
var unshown = map[string]string{
	"F-087": "the preview is for inbound provisioning; its flag is kept in schemas and does nothing",
	"F-093": "the list of target attributes is edited by hand, as for every non-gallery application",
	"F-106": "no page says which characters fail; the switch escapeFilterValues covers quotes",
	"F-197": "records have the names of Graph alone",
	"F-198": "the portal's log counts and filters; there is no workbook",
	"F-200": "mails tell of quarantines; nothing watches for spikes or silence",
	"F-216": "whoever may open the program may do everything",
	"F-217": "provisioning to SCIM endpoints is what this program is for",
}
