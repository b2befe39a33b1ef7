"""The files under /static: our own few, and the vendored reader that `scripts/vendor.py` stores as Brotli.

`ASSETS` is made once from `static/` and its manifest. A request looks its path up there and never on the disk, so no
path leads outside.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import brotli
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.http import conditional as caching

STATIC = Path(__file__).parent / "static"
MANIFEST = STATIC / "vendor" / "manifest.json"

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class Asset:
    """One file. `digest` is the SHA-256 of its bytes, of a compressed file after decompression."""

    file: Path
    media_type: str
    digest: str
    cache_control: str

    @property
    def is_compressed(self) -> bool:
        return self.file.suffix == ".br"


def vendored() -> Iterator[tuple[str, Asset]]:
    """The version is part of the address, so a browser may cache the file for ever."""
    for package in json.loads(MANIFEST.read_text())["packages"]:
        folder, version = package["folder"], package["version"]
        for file in package["files"]:
            yield (
                f"vendor/{folder}/{version}/{file['name']}",
                Asset(
                    file=STATIC / "vendor" / folder / f"{file['name']}.br",
                    media_type=MEDIA_TYPES[Path(file["name"]).suffix],
                    digest=file["sha256"],
                    cache_control=caching.IMMUTABLE,
                ),
            )


def own() -> Iterator[tuple[str, Asset]]:
    for file in STATIC.iterdir():
        if file.is_file():
            yield (
                file.name,
                Asset(
                    file=file,
                    media_type=MEDIA_TYPES[file.suffix],
                    digest=hashlib.sha256(file.read_bytes()).hexdigest(),
                    cache_control=caching.REVALIDATE,
                ),
            )


ASSETS = dict([*own(), *vendored()])


def vendor_path(folder: str, name: str) -> str:
    """The address of a vendored file, at the version in the manifest, for a page to link."""
    (path,) = (path for path in ASSETS if path.startswith(f"vendor/{folder}/") and path.endswith(f"/{name}"))
    return f"static/{path}"


def respond(path: str, request: Request) -> Response:
    """The asset, compressed if the client accepts Brotli; 304 if the client has it; HTTPException 404 if unknown.

    For others it is decompressed, and may be compressed again by what stands around the application.
    """
    asset = ASSETS.get(path)
    if asset is None:
        raise HTTPException(404)
    send_brotli = asset.is_compressed and accepts_brotli(request.headers.get("accept-encoding", ""))
    etag = f'"{asset.digest}-br"' if send_brotli else f'"{asset.digest}"'
    headers = {"ETag": etag, "Cache-Control": asset.cache_control, "X-Content-Type-Options": "nosniff"}
    if asset.is_compressed:
        headers["Vary"] = "Accept-Encoding"
    if caching.matching_tag(request.headers.get("if-none-match"), f'"{asset.digest}"') is not None:
        return Response(status_code=304, headers=headers)
    content = asset.file.read_bytes()
    if send_brotli:
        headers["Content-Encoding"] = "br"
    elif asset.is_compressed:
        content = brotli.decompress(content)
    return Response(content, headers=headers, media_type=asset.media_type)


def accepts_brotli(accept_encoding: str) -> bool:
    """RFC 9110, section 12.5.3: named without `q=0`, or covered by `*` without it."""
    weights: dict[str, str] = {}
    for item in accept_encoding.lower().split(","):
        coding, _, weight = item.partition(";")
        weights[coding.strip()] = weight.replace(" ", "").removeprefix("q=") or "1"
    weight = weights.get("br", weights.get("*", "0"))
    # A weight is at most 1 with three decimals, so zero is the only one without another digit in it.
    return weight.strip("0.") != ""
