/** The four calls of the page. Each asks for the fields that the page shows; what must travel with them comes unasked. */

import { createEvidenceClient, item, items } from "ldn-evidence-client";

const INTERVENTION = "low-dose-naltrexone";

export type Evidence = Awaited<ReturnType<typeof loadEvidence>>;
export type Claim = Evidence["claims"][number];
export type SideEffect = Evidence["sideEffects"][number];

/** All that the page shows of one condition, by its id. EvidenceError if refused. */
export async function loadEvidence(server: string, condition: string) {
  const client = createEvidenceClient(server);
  const [about, claims, sideEffects, meta] = await Promise.all([
    item(client, "/v1/conditions/{id}", condition, { fields: ["name", "description"] }),
    all(
      items(client, "/v1/claims", {
        condition: [condition],
        intervention: [INTERVENTION],
        kind: ["efficacy"],
        form: ["general_effect"],
        citations: "top",
        limit: 100,
        fields: [
          "statement",
          "citations.stance",
          "citations.finding",
          "citations.document.id",
          "citations.document.label",
          "citations.document.standing",
          "citations.links.doi",
          "citations.links.pubmed",
        ],
      }),
    ),
    // No filter by condition: harm is not less true of other people.
    all(
      items(client, "/v1/side-effects", {
        intervention: [INTERVENTION],
        limit: 100,
        fields: ["name", "frequency.answer", "onset.answer", "course.answer", "severity.answer", "mitigation.answer"],
      }),
    ),
    client.GET("/v1/meta"),
  ]);
  return { about, claims, sideEffects, disclaimer: meta.data!.disclaimer };
}

async function all<Item>(pages: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const one of pages) {
    found.push(one);
  }
  return found;
}
