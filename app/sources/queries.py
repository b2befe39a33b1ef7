"""Questions to the tables of sources."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.sources.models import Document, DocumentStudyLink, Study
from app.sources.vocabulary import Standing

RETRACTED_REPORT = "A report of it was retracted"
"""What stands beside such a study wherever it is shown."""


def retracted_studies(session: Session, studies: Collection[str]) -> frozenset[str]:
    """Those of the studies that a retracted document reports."""
    reported = (
        select(Study.id)
        .join(DocumentStudyLink, DocumentStudyLink.study_pk == Study.pk)
        .join(Document, Document.pk == DocumentStudyLink.document_pk)
        .where(Study.id.in_(studies), Document.standing == Standing.retracted)
    )
    return frozenset(session.scalars(reported))
