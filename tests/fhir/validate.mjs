// Validates the resources of a file against HL7's packages and prints, as JSON, how many of each type are valid and
// every error. It stays offline: a terminology that is not here is not asked for.
import { readFileSync } from "node:fs";
import { FhirValidator } from "fhir-validator-mx";

globalThis.fetch = async () => {
  throw new Error("offline");
};

const packages = ["hl7.fhir.r5.core", "hl7.fhir.uv.extensions.r5", "hl7.terminology.r5"];
const [core, extensions, terminology] = packages.map((name) => `node_modules/${name}`);
const validator = await FhirValidator.create({
  profilesDirs: [core, extensions],
  terminologyDirs: [core, extensions, terminology],
});
const valid = {};
const errors = [];
for (const resource of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  const result = await validator.validate(resource);
  valid[resource.resourceType] = (valid[resource.resourceType] ?? 0) + (result.valid ? 1 : 0);
  for (const issue of result.issues.filter((found) => found.severity === "error")) {
    errors.push(`${resource.resourceType}/${resource.id} ${issue.path}: ${issue.message}`);
  }
}
console.log(JSON.stringify({ valid, errors }));
