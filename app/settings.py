"""Settings, from the environment alone; every name is the variable in upper case."""

import os
import re
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Read once at start; the defaults serve a laptop."""

    model_config = SettingsConfigDict(frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)

    database_url: str = Field(default=f"sqlite:///{ROOT / 'var' / 'ldn-evidence.db'}", repr=False)
    """`sqlite:///path` or `postgresql://user:password@host/name`. Where `SEED_DIR` names other seed files, the default
    is a file of their own in `var/`."""
    database_read_url: str | None = Field(default=None, repr=False)
    """PostgreSQL only: a replica that answers reads, while writes go to `DATABASE_URL`."""
    database_listen_url: str | None = Field(default=None, repr=False)
    """PostgreSQL only: a direct connection to the primary, where `DATABASE_URL` leads through a pooler."""
    cache_bytes: int = Field(default=32_000_000, ge=0)
    """Memory for answers that were given before, for each process."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=8000, ge=1, le=65535)
    """Port to listen on."""
    public_url: str = Field(
        default="", pattern=r"^(https?://[^\s/?#]+(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?)?$", max_length=500
    )
    """Where the world reaches this server, such as `https://kb.example.com` or `https://example.org/kb`. FHIR wants
    absolute addresses; tokens of record systems must name it, and links on cards begin with it. Every address in an
    answer begins with its path; requests may come with that path or without it."""
    seed_dir: Annotated[tuple[Path, ...], NoDecode] = (ROOT / "seed_data",)
    """Directory of the seed files; several with `:` between them (`;` on Windows), each of which builds on those before
    it."""
    cors_origins: tuple[str, ...] = ("*",)
    """Origins whose pages may read; `*` is every origin, without credentials."""
    log_json: bool = True
    """One JSON object a line; false for a person at a terminal."""
    log_client_addresses: bool = False
    """Write the addresses of clients to the access lines. They are personal data in many countries."""
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    """Addresses or networks of proxies in front, such as `["10.0.0.0/8"]`: only their `X-Forwarded-For` says who a
    client is."""
    rate_limit: str = Field(default="", pattern=r"^([1-9]\d{1,8}/(second|minute|hour|day))?$")
    """How much one client may ask for, such as `600/minute`; no limit unless set. An item costs 1, a list 2, a search
    5, a brief or a verification 10; a 304 and health checks are free."""
    rate_limit_redis_url: str | None = Field(default=None, repr=False)
    """Where processes count together, such as `redis://host:6379`; else each counts for itself."""
    metrics_address: str = Field(default="", pattern=r"^(\S+:\d{1,5})?$")
    """Where `/metrics` answers Prometheus, such as `127.0.0.1:9464`; nowhere unless set."""
    max_body_bytes: int = Field(default=1_000_000, ge=1)
    """Longer bodies are refused with 413; requests to `/cds-services` may have 4 MB in any case."""
    deadline_seconds: float = Field(default=10.0, gt=0)
    """A request that has not been answered by then is answered 503."""
    shutdown_delay_seconds: float = Field(default=0.0, ge=0, le=600)
    """After SIGTERM `/readyz` is 503, and the server goes on answering for so long before it closes: time for a load
    balancer to notice. 5 to 15 behind one; 0 where nobody looks."""
    pool_size: int = Field(default=10, ge=1, le=200)
    """Connections that one process may hold to each of its databases."""

    crossref_url: str = Field(default="https://api.crossref.org", pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$")
    """Where `add-source` asks for works by DOI."""
    pubmed_url: str = Field(
        default="https://eutils.ncbi.nlm.nih.gov/entrez/eutils", pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$"
    )
    """Where `add-source` asks for records by PMID."""
    pmc_ids_url: str = Field(
        default="https://pmc.ncbi.nlm.nih.gov/tools/idconv/api/v1/articles", pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$"
    )
    """Where `add-source` asks which DOI, PMID and PMCID belong together."""

    @model_validator(mode="before")
    @classmethod
    def _database_of_its_own(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Other seed files mostly are another data set, which the database of the first would refuse."""
        directories = [Path(name).resolve() for name in _several(given.get("seed_dir"))]
        if "database_url" in given or directories in ([], [ROOT / "seed_data"]):
            return given
        digest = blake2b(os.pathsep.join(map(str, directories)).encode(), digest_size=4).hexdigest()
        name = f"{re.sub(r'[^A-Za-z0-9_-]+', '-', directories[-1].name)[:40]}-{digest}"
        return {**given, "database_url": f"sqlite:///{ROOT / 'var' / name}.db"}

    @field_validator("public_url")
    @classmethod
    def _without_final_slash(cls, address: str) -> str:
        return address.rstrip("/")

    @field_validator("seed_dir", mode="before")
    @classmethod
    def _directories(cls, value: Any) -> Any:
        return _several(value)

    @property
    def path_prefix(self) -> str:
        """The path of `public_url`, such as `/kb`; mostly empty."""
        return urlsplit(self.public_url).path

    @property
    def own_url(self) -> str:
        """`public_url`, else where the server listens; what listens everywhere is named as this machine."""
        if self.public_url:
            return self.public_url
        host = "127.0.0.1" if self.host in ("", "0.0.0.0", "::") else self.host  # noqa: S104 - nothing is bound to it
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


def _several(given: Any) -> Any:
    """What `seed_dir` was set to, one by one."""
    return str(given).split(os.pathsep) if isinstance(given, str | Path) else given or ()


@lru_cache
def settings() -> Settings:
    return Settings()
