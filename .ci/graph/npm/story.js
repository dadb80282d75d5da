// The story of an application from nothing to its log, told by Microsoft's own client for JavaScript. It takes the address
// of the server, and exits with 1 when something is not as Graph does it.
import assert from "node:assert/strict";
import {
  BatchRequestContent, BatchResponseContent, Client, GraphError, HTTPMessageHandler, PageIterator, RetryHandler,
} from "@microsoft/microsoft-graph-client";

const base = process.argv[2]; // without a slash at its end
const target = process.env.STORY_TARGET;
const secure = base.startsWith("https:");

async function token() {
  const answer = await fetch(`${base}/contoso.example/oauth2/v2.0/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials", client_id: "11111111-2222-4333-8444-555555555555", client_secret: process.env.STORY_SECRET, scope: `${base}/.default`,
    }),
  });
  assert.equal(answer.status, 200);
  return (await answer.json()).access_token;
}

const bearer = await token();

// The standard chain sends a token over https alone; over http a chain of one's own does.
class Authorization {
  setNext(next) {
    this.next = next;
  }
  async execute(context) {
    context.options.headers = { ...context.options.headers, Authorization: `Bearer ${bearer}` };
    await this.next.execute(context);
  }
}

function connect() {
  if (secure) {
    return Client.init({ baseUrl: `${base}/`, customHosts: new Set([new URL(base).hostname]), authProvider: (done) => done(null, bearer) });
  }
  const first = new Authorization();
  const retry = new RetryHandler();
  first.setNext(retry);
  retry.setNext(new HTTPMessageHandler());
  return Client.initWithMiddleware({ baseUrl: `${base}/`, middleware: first });
}

const graph = connect();

async function fails(promise, status, code) {
  const error = await promise.then(() => assert.fail("it succeeded"), (e) => e);
  assert.ok(error instanceof GraphError, String(error));
  assert.equal(error.statusCode, status);
  assert.equal(error.code, code);
  assert.ok(error.requestId);
}

async function pages(first) {
  const all = [];
  await new PageIterator(graph, first, (item) => all.push(item)).iterate();
  return all;
}

async function advance(by) {
  const answer = await fetch(`${base}/sim/clock`, {
    method: "POST", headers: { Authorization: `Bearer ${bearer}` }, body: JSON.stringify({ advance: by }),
  });
  assert.equal(answer.status, 200);
  return answer.json();
}

const newUser = (name) => ({
  accountEnabled: true, displayName: name, mailNickname: name.toLowerCase(), userPrincipalName: `${name.toLowerCase()}@contoso.example`,
  passwordProfile: { forceChangePasswordNextSignIn: true, password: "not kept 1" },
});

// Page through the company.
const company = await pages(await graph.api("/users").top(100).select("id,displayName").get());
assert.ok(company.length >= 250);
assert.equal(new Set(company.map((u) => u.id)).size, company.length);
const counted = await graph.api("/users").header("ConsistencyLevel", "eventual").count(true).top(1).get();
assert.equal(counted["@odata.count"], company.length);

// A delta round begins.
const round = async (link) => {
  const changes = [];
  for (;;) {
    const page = await graph.api(link).get();
    changes.push(...page.value);
    if (page["@odata.deltaLink"]) {
      return { changes, link: page["@odata.deltaLink"] };
    }
    link = page["@odata.nextLink"];
  }
};
const began = await round("/users/delta?$select=displayName,jobTitle,manager");
assert.equal(began.changes.length, company.length);
const groupsBegan = await round("/groups/delta?$select=displayName,members");

// Users, a manager, a group and its members.
const ada = await graph.api("/users").post(newUser("Ada"));
const bob = await graph.api("/users").post(newUser("Bob"));
assert.match(ada.id, /^[0-9a-f-]{36}$/);
await fails(graph.api("/users").post(newUser("Ada")), 400, "Request_BadRequest");
assert.equal(await graph.api(`/users/${bob.id}/manager/$ref`).put({ "@odata.id": `${base}/v1.0/users/${ada.id}` }), undefined);
assert.equal((await graph.api(`/users/${bob.id}/manager`).get()).id, ada.id);
assert.equal((await graph.api("/users/bob@contoso.example").expand("manager($select=id)").get()).manager.id, ada.id);
const group = await graph.api("/groups").post({
  displayName: "Pioneers", mailEnabled: false, mailNickname: "pioneers", securityEnabled: true,
  "members@odata.bind": [`${base}/v1.0/directoryObjects/${ada.id}`],
});
await graph.api(`/groups/${group.id}/members/$ref`).post({ "@odata.id": `https://graph.microsoft.com/v1.0/directoryObjects/${bob.id}` });
const members = await graph.api(`/groups/${group.id}/members/microsoft.graph.user`).get();
assert.deepEqual(members.value.map((m) => m.id).sort(), [ada.id, bob.id].sort());
assert.equal((await graph.api(`/users/${bob.id}/memberOf`).get()).value[0].id, group.id);

// The application.
const made = await graph.api("/applicationTemplates/8adf8e6e-67b2-4cf2-a259-e3dc5476c621/instantiate").post({ displayName: "Story" });
const sp = made.servicePrincipal.id;
const app = await graph.api(`/servicePrincipals/${sp}`).get();
assert.equal(app.appId, made.application.appId);
const sync = `/servicePrincipals/${sp}/synchronization`;
await graph.api(`${sync}/secrets`).put({ value: [{ key: "BaseAddress", value: target }, { key: "SecretToken", value: "entrasim" }] });
const job = await graph.api(`${sync}/jobs`).post({ templateId: "scim" });
const at = `${sync}/jobs/${job.id}`;
assert.equal(job.schedule.state, "Disabled");
await graph.api(`${at}/validateCredentials`).post({ useSavedCredentials: true });
const schema = await graph.api(`${at}/schema`).get();
const people = schema.synchronizationRules[0].objectMappings.find((m) => m.sourceObjectName === "User");
people.attributeMappings = people.attributeMappings.filter((m) => m.targetAttributeName !== "phoneNumbers[type eq \"fax\"].value");
await graph.api(`${at}/schema`).put(schema);
const kept = await graph.api(`${at}/schema`).get();
assert.deepEqual(
  kept.synchronizationRules[0].objectMappings.find((m) => m.sourceObjectName === "User").attributeMappings.map((m) => m.targetAttributeName),
  people.attributeMappings.map((m) => m.targetAttributeName),
);
const role = app.appRoles.find((r) => r.displayName === "User");
const assignment = await graph.api(`/servicePrincipals/${sp}/appRoleAssignedTo`).post({ principalId: group.id, resourceId: sp, appRoleId: role.id });
assert.equal(assignment.principalType, "Group");

// Provisioning.
assert.equal(await graph.api(`${at}/start`).post({}), undefined);
const { cycles } = await advance("41m");
assert.equal(cycles[0].kind, "initial");
assert.equal(cycles[0].counts.fail, 0);
const ran = await graph.api(at).get();
assert.equal(ran.status.lastExecution.state, "Succeeded");
assert.equal(ran.status.code, "Active");
const rule = schema.synchronizationRules[0].id;
const demand = await graph.api(`${at}/provisionOnDemand`).post({ parameters: [{ ruleId: rule, subjects: [{ objectId: bob.id, objectTypeName: "User" }] }] });
assert.match(demand.value, /EntryImport/);
const log = await pages(await graph.api("/auditLogs/provisioning").filter(`jobId eq '${job.id}' and provisioningAction eq 'create'`).top(1).get());
assert.deepEqual([...new Set(log.map((r) => r.sourceIdentity.displayName))].sort(), ["Ada", "Bob", "Pioneers"]);
assert.ok(log.every((r) => r.provisioningStatusInfo.status === "success"));

// Delete, restore, purge.
await graph.api(`/users/${bob.id}`).delete();
await fails(graph.api(`/users/${bob.id}`).get(), 404, "Request_ResourceNotFound");
const bin = await graph.api("/directory/deletedItems/microsoft.graph.user").get();
assert.deepEqual(bin.value.map((u) => u.id), [bob.id]);
assert.equal((await graph.api(`/directory/deletedItems/${bob.id}/restore`).post({})).id, bob.id);
assert.equal((await graph.api(`/users/${bob.id}`).get()).displayName, "Bob");
await graph.api(`/users/${bob.id}`).delete();
await graph.api(`/directory/deletedItems/${bob.id}`).delete();
await fails(graph.api(`/directory/deletedItems/${bob.id}`).get(), 404, "Request_ResourceNotFound");

// A batch, whose second request waits for its first.
const batch = new BatchRequestContent([
  { id: "1", request: new Request(`${base}/v1.0/users/${ada.id}`, { method: "PATCH", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ jobTitle: "Countess" }) }) },
  { id: "2", request: new Request(`${base}/v1.0/users/${ada.id}?$select=jobTitle`, { method: "GET" }), dependsOn: ["1"] },
  { id: "3", request: new Request(`${base}/v1.0/users/${bob.id}`, { method: "GET" }), dependsOn: ["2"] },
]);
const answers = new BatchResponseContent(await graph.api("/$batch").post(await batch.getContent()));
assert.equal(answers.getResponseById("1").status, 204);
assert.equal((await answers.getResponseById("2").json()).jobTitle, "Countess");
assert.equal(answers.getResponseById("3").status, 404);

// What changed since the delta round began.
const after = await round(began.link);
const change = (id) => after.changes.find((c) => c.id === id);
assert.equal(change(ada.id).jobTitle, "Countess");
assert.deepEqual(change(bob.id)["@removed"], { reason: "deleted" });
assert.equal(after.changes.length, 2);
const groupsAfter = await round(groupsBegan.link);
assert.deepEqual(groupsAfter.changes.map((c) => c.id), [group.id]);
assert.deepEqual(groupsAfter.changes[0]["members@delta"].filter((m) => !m["@removed"]).map((m) => m.id), [ada.id]);
console.log(`the story ran over ${base}`);
