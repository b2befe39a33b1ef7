/** Footnotes of a whole page: a source keeps the number that it got first. */

import type { Claim } from "./evidence";

export type Citation = Claim["citations"][number];
export type Footnote = { number: number; label: string; isRetracted: boolean; doi: string | null; pubmed: string | null };

/** The sources that the claims cite, in the order in which they stand on the page, by the id of the document. */
export function footnotesOf(claims: readonly Claim[]): ReadonlyMap<string, Footnote> {
  const footnotes = new Map<string, Footnote>();
  for (const { document, links } of claims.flatMap((claim) => claim.citations)) {
    if (!footnotes.has(document.id)) {
      footnotes.set(document.id, {
        number: footnotes.size + 1,
        label: document.label,
        isRetracted: document.standing === "retracted",
        doi: webAddress(links.doi),
        pubmed: webAddress(links.pubmed),
      });
    }
  }
  return footnotes;
}

/** The address, if it is one of the web: data never becomes a `javascript:` link. */
function webAddress(address: string | null): string | null {
  return address !== null && /^https?:\/\//i.test(address) ? address : null;
}
