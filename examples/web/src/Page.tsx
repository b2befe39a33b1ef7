/** The page as React elements. Data reaches it as text alone; every link goes to the server or to a checked address. */

import type { Claim, Evidence, SideEffect } from "./evidence";
import { footnotesOf, type Citation, type Footnote } from "./footnotes";

type Footnotes = ReadonlyMap<string, Footnote>;

export function Page({ evidence, server }: { evidence: Evidence; server: string }) {
  const { about, claims, sideEffects, disclaimer } = evidence;
  const footnotes = footnotesOf(claims);
  const [first, ...others] = claims;
  return (
    <main>
      <h1>Low-dose naltrexone in {about.name}</h1>
      <p>{about.description}</p>
      <p className="disclaimer">{disclaimer}</p>

      <section aria-labelledby="headline">
        <h2 id="headline">The answer</h2>
        {first === undefined ? (
          <p>No claim on a benefit is recorded. That does not mean that there is none, nor that it is safe.</p>
        ) : (
          <ClaimCard claim={first} footnotes={footnotes} server={server} className="headline" />
        )}
      </section>

      <section aria-labelledby="side-effects">
        <h2 id="side-effects">Side effects</h2>
        <p>Recorded of all who took it, whatever it was for.</p>
        {sideEffects.map((sideEffect) => (
          <SideEffectPart key={sideEffect.id} sideEffect={sideEffect} server={server} />
        ))}
      </section>

      <section aria-labelledby="claims">
        <h2 id="claims">What else was studied</h2>
        {others.length === 0 && <p>Nothing is recorded.</p>}
        {others.map((claim) => (
          <ClaimCard key={claim.id} claim={claim} footnotes={footnotes} server={server} />
        ))}
      </section>

      <section aria-labelledby="sources">
        <h2 id="sources">Sources</h2>
        <p>The strongest source of each side; each claim links to all of its sources.</p>
        <ol>
          {[...footnotes.values()].map((footnote) => (
            <Source key={footnote.number} {...footnote} />
          ))}
        </ol>
      </section>
    </main>
  );
}

/** What stands beside the text of every claim: the evidence's answer, its verdict, both sides' counts, the caveat. */
type Finding = {
  answer: string;
  verdict: { label: string; tone: string };
  counts_text: string | null;
  supports: { documents: number };
  disputes: { documents: number };
  caveat: string | null;
};

function Answer({ answer, verdict, counts_text, supports, disputes, caveat }: Finding) {
  return (
    <>
      <p className="answer">{answer}</p>
      <p>
        <Badge {...verdict} />
      </p>
      {counts_text !== null && <p>{counts_text}</p>}
      <p>{`Sources for the claim: ${supports.documents}, against it: ${disputes.documents}`}</p>
      {caveat !== null && (
        <p className="caveat">
          <strong>Caveat:</strong> {caveat}
        </p>
      )}
    </>
  );
}

const SIGNS = new Map([["favourable", "▲"], ["unfavourable", "▼"], ["caution", "!"], ["unclear", "?"]]);
const SIDES = new Map([["supports", "For the claim"], ["disputes", "Against the claim"]]);

/** The verdict with its tone, in words and by a sign; colour only repeats it. */
function Badge({ label, tone }: Finding["verdict"]) {
  return (
    <strong className="badge" data-tone={tone}>
      <span aria-hidden="true">{SIGNS.get(tone) ?? "●"}</span> {label} ({tone})
    </strong>
  );
}

type CardProps = { claim: Claim; footnotes: Footnotes; server: string; className?: string };

function ClaimCard({ claim, footnotes, server, className = "" }: CardProps) {
  const { id, evidence, caveat, statement, citations } = claim;
  return (
    <article className={className} aria-label={evidence.answer}>
      <Answer {...evidence} {...evidence.by_stance} caveat={caveat} />
      <p>What is claimed: {statement}</p>
      <ul>
        {citations.map((citation) => (
          <Cited key={citation.document.id} citation={citation} footnote={footnotes.get(citation.document.id)} />
        ))}
      </ul>
      <AllSources server={server} claim={id} />
    </article>
  );
}

function Cited({ citation, footnote }: { citation: Citation; footnote: Footnote | undefined }) {
  return (
    <li>
      <strong>{SIDES.get(citation.stance) ?? citation.stance.replaceAll("_", " ")}:</strong>{" "}
      {citation.finding ?? citation.document.label}
      {footnote !== undefined && (
        <sup>
          <a href={`#source-${footnote.number}`} aria-label={`Source ${footnote.number}`}>
            [{footnote.number}]
          </a>
        </sup>
      )}
    </li>
  );
}

const ASPECTS = {
  frequency: "How often",
  onset: "When it begins",
  course: "How it goes on",
  severity: "How bad it is",
  mitigation: "What lessens it",
} as const;

function SideEffectPart({ sideEffect, server }: { sideEffect: SideEffect; server: string }) {
  return (
    <section aria-label={sideEffect.name}>
      <h3>{sideEffect.name}</h3>
      {(Object.keys(ASPECTS) as (keyof typeof ASPECTS)[]).flatMap((aspect) =>
        sideEffect[aspect].map((said) => (
          <article key={`${aspect} ${said.claim_id}`} aria-label={said.answer}>
            <h4>{ASPECTS[aspect]}</h4>
            <Answer {...said} />
            <AllSources server={server} claim={said.claim_id} />
          </article>
        )),
      )}
    </section>
  );
}

function AllSources({ server, claim }: { server: string; claim: string }) {
  return (
    <p>
      <a href={`${server}/claims/${encodeURIComponent(claim)}`}>All sources of this claim</a>
    </p>
  );
}

function Source({ number, label, isRetracted, doi, pubmed }: Footnote) {
  return (
    <li id={`source-${number}`} value={number}>
      {isRetracted && <strong>RETRACTED: </strong>}
      {label}
      {doi !== null && (
        <>
          {" "}
          <a href={doi} rel="noopener">
            DOI
          </a>
        </>
      )}
      {pubmed !== null && (
        <>
          {" "}
          <a href={pubmed} rel="noopener">
            PubMed
          </a>
        </>
      )}
    </li>
  );
}
