"""Settings of the CDS Hooks services, from the environment: `CDS_` and the name in upper case; lists are JSON."""

import ipaddress
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Issuer(BaseModel):
    """A record system whose tokens are accepted."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    iss: str = Field(min_length=1, max_length=500)
    """Exactly the `iss` of its tokens."""
    jwks: str = Field(min_length=1, max_length=1000)
    """Its public keys: path of a JWK Set file, or the https address of one. No other address is ever used."""
    algorithms: tuple[Literal["ES384", "RS384"], ...] = Field(default=("ES384", "RS384"), min_length=1)
    fhir_servers: tuple[Annotated[str, Field(pattern=r"^[a-z0-9.-]{1,253}(:\d{1,5})?$")], ...] = ()
    """Hosts (`host` or `host:port`) of its FHIR servers, from which lists that were not sent are fetched; none unless
    named."""

    @field_validator("jwks")
    @classmethod
    def _is_secure(cls, jwks: str) -> str:
        parts = urlsplit(jwks)
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise ValueError("an address of keys must be https")
        return jwks

    @property
    def is_remote(self) -> bool:
        return self.jwks.startswith(("https://", "http://"))


class CdsSettings(BaseSettings):
    """Read once, when the services are installed."""

    model_config = SettingsConfigDict(
        env_prefix="CDS_", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )

    services: tuple[str, ...] | None = None
    """The services that answer, by id; without it those that the data set switches on."""
    issuers: tuple[Issuer, ...] = ()
    """Without one, the services answer callers on this machine only."""
    statements: bool = True
    """Ask for MedicationStatement too; false for record systems that do not have it."""
    plain_search: bool = False
    """Ask for medicines by patient and status alone; true for FHIR servers that know neither `_sort` nor `_include` of
    MedicationRequest, such as Oracle's for R4."""

    @model_validator(mode="after")
    def _names_each_issuer_once(self) -> Self:
        if len({issuer.iss for issuer in self.issuers}) < len(self.issuers):
            raise ValueError("each iss may be named once")
        return self


class InsecureAddress(ValueError):
    """Tokens would travel in the open."""


def require_secure(base_url: str, issuers: tuple[Issuer, ...]) -> None:
    """Raises InsecureAddress if tokens of issuers would be sent to this server without https."""
    host = urlsplit(base_url).hostname or ""
    if issuers and not base_url.startswith("https://") and not is_loopback(host):
        raise InsecureAddress("With CDS_ISSUERS, PUBLIC_URL must be https: tokens would travel in the open.")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine; names other than `localhost` are not resolved."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
