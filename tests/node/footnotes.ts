// Prints the claims about a condition as a small HTML page: statement, caveat, numbered footnotes for and against.
//
//   node footnotes.js http://127.0.0.1:8000 murmuria
//
// `schema.d.ts` is generated from the OpenAPI document, so a field that the API does not have does not compile.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Claim = components["schemas"]["Claim"];
type ClaimQuery = NonNullable<paths["/v1/claims"]["get"]["parameters"]["query"]>;
type Citation = Claim["citations"][number];

/** Works cited so far, in order of first appearance: a work keeps its number over the whole page. */
class Footnotes {
  private readonly numbers = new Map<string, number>();

  number(citation: Citation): number {
    const id = citation.document.id;
    const known = this.numbers.get(id) ?? this.numbers.size + 1;
    this.numbers.set(id, known);
    return known;
  }
}

function renderCitation(citation: Citation, footnotes: Footnotes): string {
  const { label } = citation.document;
  const { best } = citation.links;
  const source = best === null ? escape(label) : `<a href="${escape(best)}">${escape(label)}</a>`;
  const finding = citation.finding === null ? "" : `: ${escape(citation.finding)}`;
  return `<li value="${footnotes.number(citation)}" class="${citation.stance}">${source} (${citation.stance})${finding}</li>`;
}

function renderClaim(claim: Claim, footnotes: Footnotes): string {
  const marks = claim.citations.map((citation) => `<sup>${footnotes.number(citation)}</sup>`).join("");
  const caveat = claim.caveat_required && claim.caveat !== null ? `<p class="caveat">${escape(claim.caveat)}</p>` : "";
  const notes = claim.citations.map((citation) => renderCitation(citation, footnotes)).join("\n");
  return `<article id="${claim.id}">
<p>${escape(claim.statement)}${marks}</p>${caveat}
<ol>
${notes || "<li>No citation is known.</li>"}
</ol>
</article>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

async function main(baseUrl: string, condition: string): Promise<void> {
  const client = createClient<paths>({ baseUrl });
  const footnotes = new Footnotes();
  const query: ClaimQuery = { condition: [condition], kind: ["efficacy"] };
  for (;;) {
    const { data, error } = await client.GET("/v1/claims", { params: { query } });
    if (error !== undefined) {
      throw new Error(`${error.code}: ${error.detail}`);
    }
    for (const claim of data.items) {
      console.log(renderClaim(claim, footnotes));
    }
    if (data.next_cursor === null) {
      return;
    }
    query.cursor = data.next_cursor;
  }
}

const [baseUrl, condition] = process.argv.slice(2);
if (baseUrl === undefined || condition === undefined) {
  throw new Error("usage: node footnotes.js URL CONDITION");
}
await main(baseUrl, condition);
