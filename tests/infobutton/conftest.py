"""The Infobutton is asked over the same small application as the facade."""

from tests.fhir.conftest import facade, scratch_facade

__all__ = ["facade", "scratch_facade"]
