"""Claims as other servers are asked for them, so that they tell what the API does.

Left out, in their favour: addresses, and counts by stance in a claim; facets and marked words in a search.
"""

CLAIM = """id kind form statement effect comparator timepoint population magnitude evidence_level aspect jurisdiction
authority valid_from valid_to as_of caveat caveat_required reviewed_on stale_on updated_at consensus leaning certainty
method citation_count study_count review_count participant_count is_stale"""
CITATION = """id stance stance_reason directness role finding locator_section locator_page locator_figure analysed_n
attached_by verification verification_basis checked_on extent extent_note strength strength_scale"""
QUOTE = "text section page figure"
ESTIMATE = """is_primary measure value unit scale timepoint ci_low ci_high ci_level dispersion dispersion_kind
p_operator p_value favours comparison analysis multiplicity_adjusted n_analysed pooled k i2"""
DOCUMENT = "id label title container_title issued year standing"
STUDY = "id design evidence_source participants"


def in_sqlite() -> str:
    """The claim as one column of JSON, with its citations in it."""
    named = _object("k", "id name")
    document = _object(
        "d",
        DOCUMENT,
        authors="json(d.authors)",
        identifiers=_array(_object("i", "scheme value"), "document_identifiers i", "i.document_pk = d.pk"),
    )
    study = _object("s", STUDY, registry_ids=_array("r.value", "study_identifiers r", "r.study_pk = s.pk"))
    estimates = _array(_object("e", ESTIMATE), "estimates e", "e.citation_pk = x.pk")
    quotes = _array(_object("q", QUOTE), "citation_quotes q", "q.citation_pk = x.pk")
    citations = _array(
        _object("x", CITATION, quotes=quotes, estimates=estimates, document=document, study=study),
        "citations x join documents d on d.pk = x.document_pk left join studies s on s.pk = x.study_pk",
        "x.claim_pk = c.pk",
    )
    concepts = _array(
        _object("k", "id name", role="l.role"),
        "claim_concepts l join concepts k on k.pk = l.concept_pk",
        "l.claim_pk = c.pk",
    )
    claim = _object(
        "c",
        CLAIM,
        intervention=_one(named, "concepts k", "k.pk = c.intervention_pk"),
        outcome=_one(named, "concepts k", "k.pk = c.outcome_pk"),
        concepts=concepts,
        citations=citations,
    )
    return f"select {claim} as claim from claims c"  # noqa: S608 - our own words


SEARCH_IN_SQLITE = """select json_object('id', c.id, 'statement', c.statement, 'caveat', c.caveat,
'caveat_required', c.caveat_required, 'consensus', c.consensus, 'leaning', c.leaning, 'certainty', c.certainty,
'score', f.rank, 'by_stance', (select json_group_array(json_object('stance', n.stance, 'citations', n.citations,
  'documents', n.documents, 'studies', n.studies, 'participants', n.participants)) from (
    select x.stance, count(*) as citations, count(distinct x.document_pk) as documents,
      count(distinct x.study_pk) as studies, sum(s.participants) as participants
    from citations x left join studies s on s.pk = x.study_pk where x.claim_pk = c.pk group by x.stance) n)) as claim,
(select count(*) from search_fts g cross join search_entries h on h.pk = g.rowid
  where search_fts match :q and h.type = 'claim') as total
from search_fts f join search_entries e on e.pk = f.rowid join claims c on c.id = e.id
where search_fts match :q and e.type = 'claim' order by f.rank limit 20"""
"""Claims by a word, with their verdicts and what they rest on, and how many there are."""


def in_postgrest() -> str:
    """The claim as PostgREST's `select`, by embedding. All columns: to name these took it 20 ms more."""
    document, study = "documents(*,document_identifiers(scheme,value))", "studies(*,study_identifiers(value))"
    named = "intervention:concepts!intervention_pk(id,name),outcome:concepts!outcome_pk(id,name)"
    citations = f"citations(*,estimates(*),citation_quotes(*),{document},{study})"
    return f"*,{named},claim_concepts(role,concepts(id,name)),{citations}"


def _object(table: str, columns: str, **others: str) -> str:
    """A JSON object of columns, which keep their names, and of other values."""
    values = {name: f"{table}.{name}" for name in columns.split()} | others
    pairs = ", ".join(f"'{name}', {value}" for name, value in values.items())
    return f"json_object({pairs})"


def _array(value: str, source: str, condition: str) -> str:
    return _one(f"json_group_array({value})", source, condition)


def _one(value: str, source: str, condition: str) -> str:
    return f"(select {value} from {source} where {condition})"  # noqa: S608 - our own words
