/**
 * A typed client of an LDN Evidence server, for browsers and Node.
 *
 *     const client = createEvidenceClient("http://127.0.0.1:8000");
 *     const { data } = await client.GET("/v1/claims/{id}", { params: { path: { id } } });
 *     for await (const claim of items(client, "/v1/claims", { condition: ["fibromyalgia"] })) { … }
 *
 * Answers may gain fields and values of enumerations: show a value that you do not know by its label or as text.
 */

import createClient, { type Client, type ClientOptions } from "openapi-fetch";
import type { components, paths } from "./schema.js";

export type { components, operations, paths } from "./schema.js";

/** A component of the OpenAPI document, such as `Schema<"ClaimRead">`. */
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

/** The parameters that a list takes, but for its cursor. */
export type ListQuery<Path extends ListPath> = paths[Path] extends { get: { parameters: { query?: infer Query } } }
  ? Omit<NonNullable<Query>, "cursor">
  : never;

/** What a list holds. */
export type ListItem<Path extends ListPath> = paths[Path] extends {
  get: { responses: { 200: { content: { "application/json": { items: (infer Item)[] } } } } };
}
  ? Item
  : never;

/** Every item of a list, page after page. */
export async function* items<Path extends ListPath>(
  client: EvidenceClient,
  path: Path,
  query: ListQuery<Path> = {} as ListQuery<Path>,
): AsyncGenerator<ListItem<Path>, void, undefined> {
  const get = client.GET as unknown as (
    path: string,
    options: { params: { query: object } },
  ) => Promise<{ data?: { items: ListItem<Path>[]; next_cursor: string | null } }>;
  let cursor: string | null = null;
  do {
    const { data } = await get(path, { params: { query: cursor === null ? query : { ...query, cursor } } });
    if (data === undefined) {
      return;
    }
    yield* data.items;
    cursor = data.next_cursor;
  } while (cursor !== null);
}
