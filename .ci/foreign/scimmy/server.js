// Serves users and groups from memory on scimmy with scimmy-routers, as their documentation shows it: a foreign server to
// try scenarios against. It stores what the library hands it, and no more. It prints its base URL.
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

let last = 0;

// store keeps the resources of one type; unique is the attribute that no two may share.
function store(unique) {
  const byID = new Map();
  return {
    egress(resource) {
      if (resource.id) {
        if (!byID.has(resource.id)) throw new SCIMMY.Types.Error(404, null, `Resource ${resource.id} not found`);
        return byID.get(resource.id);
      }
      const all = [...byID.values()];
      return resource.filter ? resource.filter.match(all) : all;
    },
    ingress(resource, data) {
      const id = resource.id ?? `s-${String(++last).padStart(6, "0")}`;
      if (resource.id && !byID.has(resource.id)) throw new SCIMMY.Types.Error(404, null, `Resource ${resource.id} not found`);
      const plain = JSON.parse(JSON.stringify(data));
      if (unique) {
        for (const [other, held] of byID) {
          if (other !== id && held[unique]?.toLowerCase() === plain[unique]?.toLowerCase()) throw new SCIMMY.Types.Error(409, "uniqueness", `${unique} is taken`);
        }
      }
      const kept = { ...plain, id };
      byID.set(id, kept);
      return kept;
    },
    degress(resource) {
      if (!byID.delete(resource.id)) throw new SCIMMY.Types.Error(404, null, `Resource ${resource.id} not found`);
    },
  };
}

SCIMMY.Resources.declare(SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false), store("userName"));
SCIMMY.Resources.declare(SCIMMY.Resources.Group, store());

const app = express();
app.use("/scim", new SCIMMYRouters({
  type: "bearer",
  handler: (request) => {
    if (request.header("Authorization") !== "Bearer foreign-secret") throw new Error("Authorization not detected!");
    return "provisioning";
  },
}));
const server = app.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/scim`));
