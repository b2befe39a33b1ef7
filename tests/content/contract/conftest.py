"""What the contract's own tests are given, over the shipped data set."""

from tests.contract.conftest import everything
from tests.contract.test_openapi import document

__all__ = ["document", "everything"]
