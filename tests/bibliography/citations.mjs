// Imports every document of a server with citation-js, in each format, and prints what it made of them as JSON.
import { plugins } from "@citation-js/core";
import "@citation-js/plugin-bibtex";
import "@citation-js/plugin-ris";

const MEDIA_TYPES = {
  bibtex: "application/x-bibtex",
  ris: "application/x-research-info-systems",
  "csl-json": "application/vnd.citationstyles.csl+json",
};

async function imported(address, mediaType) {
  const answer = await fetch(address, { headers: { Accept: mediaType } });
  const items = plugins.input.chain(await answer.text(), { generateGraph: false });
  const next = answer.headers.get("link")?.match(/<([^>]+)>; rel="next"/);
  return next ? [...items, ...(await imported(new URL(next[1], address), mediaType))] : items;
}

const read = {};
for (const [name, mediaType] of Object.entries(MEDIA_TYPES)) {
  read[name] = await imported(`${process.argv[2]}/v1/documents?limit=50`, mediaType);
}
console.log(JSON.stringify(read));
