// Progressive: every page works without this file. It adds suggestions to search boxes, and loads a folded layer in place.
"use strict";

const DELAY_MS = 120;
const MAX_SUGGESTIONS = 8;

/** An editable combobox with a list (WAI-ARIA authoring practices): arrow keys, Home, End, Enter, Escape, announced. */
class Suggestions {
  constructor(form, input) {
    this.input = input;
    // The form's own address holds whatever prefix a deployment adds.
    this.base = new URL(form.action).pathname.replace(/\/search$/, "");
    this.list = document.createElement("ul");
    this.list.id = `${input.id}-suggestions`;
    this.list.className = "suggestions";
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "Suggestions");
    this.list.hidden = true;
    this.status = document.createElement("p");
    this.status.className = "announced";
    this.status.setAttribute("role", "status");
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-controls", this.list.id);
    const anchor = document.createElement("div");
    anchor.className = "combobox";
    input.replaceWith(anchor);
    anchor.append(input, this.list, this.status);
    this.active = -1;
    input.addEventListener("input", () => this.typed());
    input.addEventListener("keydown", (event) => this.pressed(event));
    input.addEventListener("blur", () => this.close());
    this.list.addEventListener("pointerdown", (event) => event.preventDefault()); // the box keeps the focus
    this.list.addEventListener("click", (event) => this.follow(event.target.closest("[role=option]")));
  }

  get options() {
    return [...this.list.children];
  }

  typed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), DELAY_MS);
  }

  async ask() {
    const words = this.input.value.trim();
    this.request?.abort();
    if (!words || words.length > 100) {
      this.close();
      return;
    }
    this.request = new AbortController();
    try {
      const address = `${this.base}/v1/suggest?limit=${MAX_SUGGESTIONS}&q=${encodeURIComponent(words)}`;
      const response = await fetch(address, { signal: this.request.signal });
      if (response.ok && document.activeElement === this.input) this.show((await response.json()).items);
    } catch {
      // Asked anew while this was under way, or no network: the form itself goes on working.
    }
  }

  show(items) {
    this.list.replaceChildren(...items.map((item, number) => this.option(item, number)));
    this.select(-1);
    this.list.hidden = !items.length;
    this.input.setAttribute("aria-expanded", String(items.length > 0));
    this.status.textContent = items.length
      ? `${items.length} ${items.length === 1 ? "suggestion" : "suggestions"}, with the arrow keys.`
      : "No suggestions; Enter searches all records.";
  }

  /** A claim is suggested by its answer, with all that must travel with it. */
  option(item, number) {
    const option = document.createElement("li");
    option.id = `${this.list.id}-${number}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    option.dataset.address = item.links.self.replace(`${this.base}/v1`, this.base);
    const add = (className, text) => {
      const line = document.createElement("span");
      line.className = className;
      line.textContent = text;
      option.append(line, " ");
    };
    if (item.claim) {
      add("name", item.claim.answer);
      add(`badge ${item.claim.verdict.tone}`, item.claim.verdict.label);
      const { supports, disputes } = item.claim;
      add("counts", item.claim.counts_text || `Citations for it: ${supports.citations}; against it: ${disputes.citations}.`);
      if (item.claim.caveat) add("caveat-line", item.claim.caveat);
    } else {
      add("name", item.name);
      if (item.matched !== item.name) add("quiet", item.matched);
      add("kind quiet", item.type.replaceAll("_", " "));
    }
    return option;
  }

  select(number) {
    const options = this.options;
    this.active = number;
    options.forEach((option, at) => option.setAttribute("aria-selected", String(at === number)));
    if (number < 0) {
      this.input.removeAttribute("aria-activedescendant");
    } else {
      this.input.setAttribute("aria-activedescendant", options[number].id);
      options[number].scrollIntoView({ block: "nearest" });
    }
  }

  pressed(event) {
    const last = this.options.length - 1;
    if (event.key === "Escape" && !this.list.hidden) {
      event.preventDefault(); // the words stay; a second Escape empties the box, as browsers do
      this.close();
    } else if (this.list.hidden) {
      if (event.key === "ArrowDown") this.ask();
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      this.select(this.active === last ? -1 : this.active + 1);
    } else if (event.key === "ArrowUp") {
      event.preventDefault();
      this.select(this.active < 0 ? last : this.active - 1);
    } else if (event.key === "Enter" && this.active >= 0) {
      event.preventDefault();
      this.follow(this.options[this.active]);
    } else if (event.key === "Home" || event.key === "End") {
      this.select(-1);
    }
  }

  follow(option) {
    if (option) location.assign(option.dataset.address);
  }

  close() {
    clearTimeout(this.timer);
    this.request?.abort();
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.select(-1);
    this.status.textContent = "";
  }
}

/** A folded layer that a link loads: opening it brings its content into this page. */
function loadWhenOpened(layer) {
  const link = layer.querySelector("a[data-layer]");
  if (!link) return;
  layer.addEventListener("toggle", async () => {
    if (!layer.open || !link.isConnected || layer.ariaBusy === "true") return;
    layer.ariaBusy = "true";
    try {
      const response = await fetch(link.href);
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const content = page.getElementById(link.dataset.layer);
      if (response.ok && content) link.parentElement.replaceWith(document.adoptNode(content));
    } finally {
      layer.ariaBusy = "false";
    }
  });
}

for (const form of document.querySelectorAll("form[role=search]")) {
  const input = form.querySelector("input[type=search]");
  if (input) new Suggestions(form, input);
}
for (const layer of document.querySelectorAll("details.layer")) loadWhenOpened(layer);
// A link to a place inside a folded part opens the part.
function openTarget() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let place = target; place; place = place.parentElement) if (place.tagName === "DETAILS") place.open = true;
  if (target) target.scrollIntoView();
}
addEventListener("hashchange", openTarget);
openTarget();
