// Asks a server as an application would, with fhir-kit-client, and prints what it heard as JSON.
import { Client } from "fhir-kit-client";

const client = new Client({ baseUrl: process.argv[2] });
const metadata = await client.capabilityStatement();
const first = await client.search({ resourceType: "Evidence", searchParams: { _count: 2 } });
const second = await client.nextPage({ bundle: first });
const read = await client.read({ resourceType: "Citation", id: "alder-2013" });
const missing = await client.read({ resourceType: "Citation", id: "nobody" }).catch((error) => error.response);
console.log(
  JSON.stringify({
    version: metadata.fhirVersion,
    pages: [first, second].map((page) => page.entry.map((entry) => entry.resource.id)),
    read: read.id,
    missing: [missing.status, missing.data.issue[0].code],
  }),
);
