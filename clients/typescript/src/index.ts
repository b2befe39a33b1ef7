/**
 * A typed client of an LDN Evidence server, for browsers and Node.
 *
 *     const client = createEvidenceClient("http://127.0.0.1:8000");
 *     const { data } = await client.GET("/v1/claims/{id}", { params: { path: { id } } });
 *     for await (const claim of items(client, "/v1/claims", { condition: ["fibromyalgia"] })) { … }
 *     const { name } = await item(client, "/v1/conditions/{id}", "fibromyalgia", { fields: ["name"] });
 *
 * Answers may gain fields and values of enumerations: show a value that you do not know by its label or as text.
 */

import createClient, { type Client, type ClientOptions } from "openapi-fetch";
import type { components, paths } from "./schema.js";

export type { components, operations, paths } from "./schema.js";

/** A component of the OpenAPI document, such as `Schema<"Claim">`. */
export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];

/** A server's refusal; `errors` names the fields and what would be right. */
export type Problem = Schema<"Problem">;

/** Answers are read as JSON; other formats have addresses of their own. */
export type EvidenceClient = Client<paths, "application/json">;

/** The server refused a request, or could not answer. */
export class EvidenceError extends Error {
  readonly status: number;
  /** Null where the answer was no problem document, such as that of a proxy. */
  readonly problem: Problem | null;

  constructor(status: number, problem: Problem | null) {
    super(problem === null ? `The server answered ${status}.` : `${problem.code}: ${problem.detail}`);
    this.name = "EvidenceError";
    this.status = status;
    this.problem = problem;
  }
}

/**
 * A client of one server. Refusals are thrown as `EvidenceError`, so that `data` is there whenever a call returns.
 *
 * `baseUrl` is the address of the server, with its path where it is served below one.
 */
export function createEvidenceClient(baseUrl: string, options: Omit<ClientOptions, "baseUrl"> = {}): EvidenceClient {
  const client = createClient<paths, "application/json">({ ...options, baseUrl: baseUrl.replace(/\/+$/, "") });
  client.use({
    async onResponse({ response }) {
      if (response.ok || response.status === 304) {
        return undefined;
      }
      let problem: Problem | null = null;
      try {
        problem = (await response.clone().json()) as Problem;
      } catch {
        // No JSON: the status has to do.
      }
      throw new EvidenceError(response.status, problem !== null && typeof problem.code === "string" ? problem : null);
    },
  });
  return client;
}

/** Addresses of lists: what they answer has items and leads to a next page. */
export type ListPath = {
  [Path in keyof paths]: paths[Path] extends {
    get: { parameters: { path?: never; query?: infer Query }; responses: { 200: { content: { "application/json": infer Answer } } } };
  }
    ? "cursor" extends keyof NonNullable<Query>
      ? Answer extends { items: unknown[]; next_cursor: string | null }
        ? Path
        : never
      : never
    : never;
}[keyof paths];

/** Addresses of single records that can be shown in part. */
export type ItemPath = {
  [Path in keyof paths]: Path extends `${string}/{id}`
    ? paths[Path] extends {
        get: { parameters: { query?: infer Query }; responses: { 200: { content: { "application/json": { type: string } } } } };
      }
      ? "fields" extends keyof NonNullable<Query>
        ? Path
        : never
      : never
    : never;
}[keyof paths];

type Parameters<Path extends keyof paths> = paths[Path] extends { get: { parameters: { query?: infer Query } } }
  ? NonNullable<Query>
  : never;

/** The parameters that a list takes, but for its cursor. */
export type ListQuery<Path extends ListPath> = Omit<Parameters<Path>, "cursor">;

/** What a list holds. */
export type ListItem<Path extends ListPath> = paths[Path] extends {
  get: { responses: { 200: { content: { "application/json": { items: (infer Item)[] } } } } };
}
  ? Item
  : never;

/** What the address of a single record answers. */
export type ItemAt<Path extends ItemPath> = paths[Path] extends {
  get: { responses: { 200: { content: { "application/json": infer Item } } } };
}
  ? Item
  : never;

// --- chosen fields ----------------------------------------------------------------------------------------------------

type Schemas = components["schemas"];

/** The schema of a record that is shown in part: fields that always stay are required there, all others optional. */
type PartialOf<Item> = Item extends { type: infer Type }
  ? Extract<Schemas[keyof Schemas & `${string}Partial`], { type: Type; links: unknown }>
  : never;

/** Labels come by `labels=true`; no path names them. */
type NameIn<Item> = Exclude<keyof Item & string, `${string}_label`>;

type PathIn<Item> = Item extends readonly (infer Element)[]
  ? PathIn<Element>
  : Item extends object
    ? string extends keyof Item
      ? never
      : { [Name in NameIn<Item>]: Name | `${Name}.${PathIn<NonNullable<Item[Name]>>}` }[NameIn<Item>]
    : never;

/** What `fields` may name of a record: dotted paths such as `"citations.document.doi"`. */
export type FieldPath<Item> = PathIn<Item>;

type RequiredName<Item> = { [Name in keyof Item]-?: object extends Pick<Item, Name> ? never : Name }[keyof Item];
type Head<Path extends string> = Path extends `${infer Name}.${string}` ? Name : Path;
type Rest<Path extends string, Name> = Path extends `${infer First}.${infer Below}` ? (First extends Name ? Below : never) : never;

/** `Part` is the same with all fields optional but those that always stay; where it is the whole, there is no choice. */
type Chosen<Item, Part, Path extends string> = Item extends readonly (infer Element)[]
  ? Chosen<Element, Part extends readonly (infer One)[] ? One : never, Path>[]
  : Item extends object
    ? {
        [Name in NameIn<Item> & (Head<Path> | RequiredName<Part>)]: Name extends Path
          ? Item[Name]
          : [Rest<Path, Name>] extends [never]
            ? Name extends keyof Part
              ? Chosen<Item[Name], NonNullable<Part[Name]>, never>
              : never
            : Chosen<Item[Name], Name extends keyof Part ? NonNullable<Part[Name]> : never, Rest<Path, Name>>;
      }
    : Item;

/**
 * A record of which `fields=` chose these paths: they and what always stays are there, and nothing else.
 *
 *     type Footnoted = Selected<Schema<"Claim">, "citations.number" | "citations.document.label">;
 */
export type Selected<Item, Path extends string> = [Path] extends [never] ? Item : Chosen<Item, PartialOf<Item>, Path>;

/** A query in which `fields` decides the type of the answer. */
export type Selecting<Query, Path extends string> = Omit<Query, "fields"> & { fields?: Path[] };

// --- reading ----------------------------------------------------------------------------------------------------------

type Get = (path: string, options: { params: object }) => Promise<{ data?: unknown }>;

/** Every item of a list, page after page; with `fields`, each is typed as holding these fields and what always stays. */
export async function* items<Path extends ListPath, Field extends FieldPath<ListItem<Path>> = never>(
  client: EvidenceClient,
  path: Path,
  query: Selecting<ListQuery<Path>, Field> = {} as Selecting<ListQuery<Path>, Field>,
): AsyncGenerator<Selected<ListItem<Path>, Field>, void, undefined> {
  const get = client.GET as unknown as Get;
  let cursor: string | null = null;
  do {
    const { data } = await get(path, { params: { query: cursor === null ? query : { ...query, cursor } } });
    if (data === undefined) {
      return;
    }
    const page = data as { items: Selected<ListItem<Path>, Field>[]; next_cursor: string | null };
    yield* page.items;
    cursor = page.next_cursor;
  } while (cursor !== null);
}

/** One record; with `fields`, it is typed as holding these fields and what always stays. */
export async function item<Path extends ItemPath, Field extends FieldPath<ItemAt<Path>> = never>(
  client: EvidenceClient,
  path: Path,
  id: string,
  query: Selecting<Parameters<Path>, Field> = {} as Selecting<Parameters<Path>, Field>,
): Promise<Selected<ItemAt<Path>, Field>> {
  const get = client.GET as unknown as Get;
  const { data } = await get(path, { params: { path: { id }, query } });
  return data as Selected<ItemAt<Path>, Field>;
}
