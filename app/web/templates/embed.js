{# Served at /embed.js with the style sheet and the words below filled in; under 12 KB. #}
/* <evidence-claim id="…">: a claim with its answer, counts, caveat and footnotes. Data reaches the page as text alone. */
(() => {
  "use strict";
  const STYLE = {{ style | tojson }};
  const LANGUAGE = {{ language | tojson }};
  const SIDES = {{ sides | tojson }};
  const MARKS = {{ marks | tojson }};
  const SHORT_DISCLAIMER = {{ short_disclaimer | tojson }};

  const script = document.currentScript || document.querySelector('script[src*="/embed.js"]');
  const FIELDS = [
    ...["statement", "status", "successor", "reviewed_on", "citations_truncated", "citations.stance"],
    ...["id", "label", "title", "container_title", "issued", "standing", "doi", "pmid", "links.doi"].map((name) => `citations.document.${name}`),
  ].join(",");
  const ownServer = script && script.src ? new URL(".", script.src).href : "";
  let sheet = null;
  try {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
  } catch {
    // An old browser shows the same without colours: any other way to add a style may be forbidden by the page.
  }

  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) if (value != null) element.setAttribute(key, value);
    element.append(...children.filter((child) => child != null && child !== ""));
    return element;
  };
  const paragraph = (kind, ...children) => make("p", { class: kind }, ...children);

  class EvidenceClaim extends HTMLElement {
    static observedAttributes = ["id", "claim", "serial", "server", "theme", "footnotes"];
    #abort = null;
    #isQueued = false;

    constructor() {
      super();
      const root = this.attachShadow({ mode: "open" });
      if (sheet) root.adoptedStyleSheets = [sheet];
    }

    connectedCallback() {
      this.#queue();
    }

    disconnectedCallback() {
      this.#abort?.abort();
    }

    attributeChangedCallback(_name, before, after) {
      if (before !== after && this.isConnected) this.#queue();
    }

    #queue() {
      if (this.#isQueued) return;
      this.#isQueued = true;
      queueMicrotask(() => {
        this.#isQueued = false;
        if (this.isConnected) this.#load();
      });
    }

    get #base() {
      const server = this.getAttribute("server");
      return server ? server.replace(/\/?$/, "/") : ownServer;
    }

    get #claim() {
      return this.getAttribute("claim") || this.id;
    }

    /** An address of the server, or one of the web as it is. */
    #link(address, ...children) {
      const url = new URL(address, this.#base);
      const href = /^https?:$/.test(url.protocol) ? url.href : null;
      return make("a", { href, target: "_blank", rel: "noopener" }, ...children);
    }

    #show(isBusy, ...children) {
      const theme = this.getAttribute("theme");
      const kind = ["light", "dark", "auto"].includes(theme) ? `card ${theme}` : "card";
      const card = make("article", { class: kind, lang: LANGUAGE, "aria-busy": isBusy ? "true" : null }, ...children);
      if (card.querySelector("#answer")) card.setAttribute("aria-labelledby", "answer");
      else card.setAttribute("aria-label", "Evidence on a claim");
      this.shadowRoot.replaceChildren(card);
    }

    /** Words in place of the claim, and what the page itself offers for this case. */
    #say(isBusy, ...words) {
      let instead = make("slot");
      if (!isBusy && !this.firstElementChild && this.#base && this.#claim)
        instead = this.#link(`claims/${encodeURIComponent(this.#claim)}`, "Read the claim at its source");
      this.#show(isBusy, make("p", { role: "status", class: isBusy ? "quiet" : "notice" }, ...words), instead);
    }

    async #load() {
      this.#abort?.abort();
      const { signal } = (this.#abort = new AbortController());
      const id = this.#claim;
      if (!id) return this.#say(false, "This element names no claim: give it the id of one.");
      if (!this.#base) return this.#say(false, "This element does not know its server: give it the attribute server.");
      this.#say(true, "Loading the evidence …");
      const serial = this.getAttribute("serial");
      const query = `fields=${FIELDS}${serial ? `&serial=${encodeURIComponent(serial)}` : ""}`;
      const url = `${this.#base}v1/claims/${encodeURIComponent(id)}?${query}`;
      const blocked = [];
      const listener = (event) => blocked.push(event.effectiveDirective);
      document.addEventListener("securitypolicyviolation", listener);
      try {
        const response = await fetch(url, { signal, credentials: "omit", headers: { Accept: "application/json" } });
        const body = await response.json().catch(() => ({}));
        if (signal.aborted) return;
        if (response.ok) this.#showClaim(body, response.headers.get("Dataset-Serial"));
        else this.#say(false, ...this.#refusal(response, body));
      } catch {
        const isReachable = await fetch(url, { signal, mode: "no-cors", credentials: "omit" }).then(() => true, () => false);
        await new Promise((resolve) => setTimeout(resolve, 20));
        if (!signal.aborted) this.#say(false, this.#failure(isReachable, blocked));
      } finally {
        document.removeEventListener("securitypolicyviolation", listener);
      }
    }

    #failure(isReachable, blocked) {
      const { origin } = new URL(this.#base);
      if (blocked.includes("connect-src"))
        return `The Content-Security-Policy of this page does not let it read evidence: add ${origin} to connect-src.`;
      if (isReachable)
        return `${origin} answers, but does not let this site read it. Its operator can add ${location.origin} to CORS_ORIGINS.`;
      return `The evidence could not be loaded: ${origin} cannot be reached.`;
    }

    #refusal({ status }, problem) {
      if (status === 410) return this.#retired(problem.successor);
      if (status === 404) return ["The evidence server has no claim with this id."];
      if (status === 429 || status === 503) return ["The evidence server is busy. Try again in a moment."];
      const faults = (problem.errors || []).map((fault) => `${fault.field}: ${fault.message}`);
      return [`The evidence could not be loaded. ${[problem.detail || `Status ${status}.`, ...faults].join(" ")}`];
    }

    #retired(successor) {
      if (!successor) return ["This claim was withdrawn, and no other replaces it."];
      const link = this.#link(`claims/${encodeURIComponent(successor)}`, "the claim that replaces it");
      return ["This claim was withdrawn. Read ", link, " instead."];
    }

    #showClaim(claim, newest) {
      const { evidence, links } = claim;
      const serial = this.getAttribute("serial");
      const page = links.html ? links.html + (serial ? `?serial=${encodeURIComponent(serial)}` : "") : links.self;
      this.#show(
        false,
        claim.status === "retired" ? paragraph("notice", ...this.#retired(claim.successor)) : null,
        paragraph("", make("span", { class: `badge ${evidence.verdict.tone}` }, `${evidence.verdict.label} · ${evidence.verdict.tone}`)),
        make("p", { class: "answer", id: "answer" }, evidence.answer),
        evidence.counts_text ? paragraph("", evidence.counts_text) : null,
        claim.caveat ? paragraph("caveat", make("strong", {}, "Caveat: "), claim.caveat) : null,
        paragraph("quiet", "What is claimed: ", claim.statement),
        ...this.#sources(claim, page),
        paragraph(
          "quiet foot",
          this.#link(page, "All evidence on this claim"),
          ` · ${new URL(this.#base).host}`,
          claim.reviewed_on ? ` · reviewed ${claim.reviewed_on}` : "",
          serial ? ` · as of serial ${serial}` : newest ? ` · serial ${newest}` : "",
          `. ${SHORT_DISCLAIMER}`,
        ),
      );
    }

    #sources({ evidence, citations, citations_truncated: isTruncated }, page) {
      const stances = evidence.by_stance;
      const count = (names) => names.reduce((sum, name) => sum + stances[name].documents, 0);
      const other = count(Object.keys(stances)) - count(["supports", "disputes"]);
      const counts = `Sources for the claim: ${count(["supports"])}, against: ${count(["disputes"])}${other ? `, other: ${other}` : ""}`;
      const footnotes = this.getAttribute("footnotes");
      if (!citations.length) return [paragraph("quiet", `${counts}. No source is cited.`)];
      if (footnotes === "none") return [paragraph("quiet", `${counts}.`)];
      const groups = new Map();
      for (const citation of citations) {
        const side = citation.document.standing === "retracted" ? "retracted" : citation.stance;
        if (!groups.has(side)) groups.set(side, []);
        groups.get(side).push(citation);
      }
      const lists = [];
      let next = 1;
      for (const [side, members] of groups) {
        const name = SIDES[side] || side;
        const items = members.map(({ document }) => this.#footnote(document));
        lists.push(paragraph("side", name), make("ol", { start: next, "aria-label": name }, ...items));
        next += members.length;
      }
      const more = isTruncated ? paragraph("quiet", "There are more: ", this.#link(page, "all of them")) : null;
      const open = footnotes === "open" ? "" : null;
      return [make("details", { open }, make("summary", { class: "quiet" }, counts), ...lists, more)];
    }

    #footnote(source) {
      const words = [source.label, source.title, source.container_title, source.issued].filter(Boolean);
      const mark = MARKS[source.standing];
      const links = [
        source.links.doi && this.#link(source.links.doi, `doi:${source.doi}`),
        source.pmid && this.#link(`https://pubmed.ncbi.nlm.nih.gov/${encodeURIComponent(source.pmid)}/`, `PubMed ${source.pmid}`),
      ].filter(Boolean);
      if (!links.length) links.push(this.#link(`documents/${encodeURIComponent(source.id)}`, "Source"));
      return make(
        "li",
        {},
        mark ? make("strong", {}, `${mark}: `) : null,
        words.map((word) => word.replace(/[.]$/, "")).join(". ") + ". ",
        ...links.flatMap((link) => [link, " "]),
      );
    }
  }

  if (!customElements.get("evidence-claim")) customElements.define("evidence-claim", EvidenceClaim);
})();
