// A round of the client fhir-kit-client: create, read, JSON Patch, search, transaction, delete.
import assert from "node:assert";
import { Client } from "fhir-kit-client";

const client = new Client({ baseUrl: process.argv[2] });
const statement = await client.capabilityStatement();
assert.equal(statement.fhirVersion, "4.0.1");
const body = { resourceType: "Patient", name: [{ family: "Round", given: ["Kit"] }] };
const made = await client.create({ resourceType: "Patient", body });
const read = await client.read({ resourceType: "Patient", id: made.id });
assert.equal(read.name[0].family, "Round");
const jsonPatch = [{ op: "add", path: "/active", value: true }];
const patched = await client.patch({ resourceType: "Patient", id: made.id, jsonPatch });
assert.equal(patched.active, true);
const found = await client.search({
  resourceType: "Patient",
  searchParams: { family: "round", _sort: "-birthdate" },
});
assert.deepEqual(found.entry.map((entry) => entry.resource.id), [made.id]);
const entry = [{ request: { method: "PUT", url: "Basic/kit" }, resource: { resourceType: "Basic", id: "kit" } }];
const done = await client.transaction({ body: { resourceType: "Bundle", type: "transaction", entry } });
assert.ok(done.entry[0].response.status.startsWith("201"));
const history = await client.history({ resourceType: "Patient", id: made.id });
assert.equal(history.total, 2);
await client.delete({ resourceType: "Patient", id: made.id });
await assert.rejects(client.read({ resourceType: "Patient", id: made.id }));
