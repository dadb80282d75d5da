package scenarios

// Template is a scenario to begin with.
const Template = `# Play it with: entrasim run FILE
# Against your endpoint: entrasim run FILE --target-url https://scim.example/scim --token TOKEN
# What else a file can say: any built-in one, such as entrasim scenarios show stories/joiner-mover-leaver
# Completion in an editor: entrasim scenarios schema > scenario.schema.json
# yaml-language-server: $schema=scenario.schema.json
name: A person is created and switched off
narration: >
  What happens, and why it matters.

tenant:
  users:
    adele-vance: {department: Sales}
  groups:
    sales: {members: [adele-vance]}

application:
  template: guide # the few mappings of a set-up guide; default are those of a new non-gallery application
  assigned: [sales]

steps:
  - say: The first cycle creates the person and the group.
    cycle:
    expect:
      requests:
        contains:
          - POST /Users: {userName: adele.vance@contoso.example}
          - POST /Groups: {displayName: Sales}
      target:
        adele-vance: {active: true}
        sales: {members: [adele-vance]}

  - say: Blocked in the directory, the person is switched off at the target forty minutes later.
    update: {adele-vance: {accountEnabled: false}}
    advance: 40m
    expect:
      requests:
        - GET /Users/{adele-vance}
        - PATCH /Users/{adele-vance}: {Operations: [{op: Replace, path: active, value: "False"}]}
      log: [adele-vance: disable success]
      target:
        adele-vance: {active: false}
`
