"""Re-create `app/web/static/vendor`: the reader of the OpenAPI document, so that no page loads from elsewhere.

    python scripts/vendor.py

Needs Node's `npm` and a package registry that it can reach. Each package is fetched with `npm pack` at the version
named below and refused unless the archive has the SHA-256 written beside it. To take a newer version: change the
version and run; the refusal prints the new sum; read the upstream changes, then write the new sum down and run the
browser tests (the page must draw every operation, and no request may leave the machine).

The files are kept as Brotli, which is a fifth of the size and what every browser takes from a server with TLS and from
its own machine. Another version of the compressor may write other bytes: then the sums of the compressed files change
and those of the raw files do not.
"""

import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import brotli

VENDOR = Path(__file__).resolve().parents[1] / "app" / "web" / "static" / "vendor"


@dataclass(frozen=True)
class Package:
    """One npm package; `files` and `licence_files` are paths inside its archive."""

    npm_name: str
    version: str
    archive_sha256: str
    licence: str
    folder: str
    files: tuple[str, ...]
    licence_files: tuple[str, ...] = ()


PACKAGES = (
    Package(
        npm_name="swagger-ui-dist",
        version="5.35.0",
        archive_sha256="1b8e891893404ea4c3558b6a87e2a3e494e7eedba41168c2ece5800a391a6ea6",
        licence="Apache-2.0",
        folder="swagger-ui-dist",
        files=("swagger-ui-bundle.js", "swagger-ui.css"),
        licence_files=("LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt"),
    ),
)


def main() -> None:
    manifest = {"packages": [vendor(package) for package in PACKAGES]}
    (VENDOR / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def vendor(package: Package) -> dict[str, object]:
    """Write the package's files and answer its entry in the manifest."""
    folder = VENDOR / package.folder
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(fetch(package))) as archive:
        for path in package.licence_files:
            (folder / Path(path).name).write_bytes(member(archive, path))
        entries = [write_compressed(folder, path, member(archive, path)) for path in package.files]
    if not (folder / "LICENSE").exists():
        sys.exit(f"{folder / 'LICENSE'} is missing: add the text of the project's licence by hand")
    return {
        "name": package.npm_name,
        "version": package.version,
        "licence": package.licence,
        "archive_sha256": package.archive_sha256,
        "folder": package.folder,
        "files": entries,
    }


def fetch(package: Package) -> bytes:
    """The package's archive, exactly as it was when its sum was written down."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is not installed: it comes with Node")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [npm, "pack", "--silent", f"{package.npm_name}@{package.version}"],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        (archive,) = Path(folder).glob("*.tgz")
        content = archive.read_bytes()
    found = sha256(content)
    if found != package.archive_sha256:
        sys.exit(f"{package.npm_name}@{package.version}: SHA-256 is {found}, expected {package.archive_sha256}")
    return content


def member(archive: tarfile.TarFile, path: str) -> bytes:
    extracted = archive.extractfile(f"package/{path}")
    if extracted is None:
        sys.exit(f"{path} is not a file in the archive")
    return extracted.read()


def write_compressed(folder: Path, path: str, raw: bytes) -> dict[str, object]:
    """Write the compressed file; answer what the manifest says of it."""
    name = Path(path).name
    content = brotli.compress(raw, quality=11, lgwin=24)
    (folder / f"{name}.br").write_bytes(content)
    return {
        "name": name,
        "upstream": path,
        "bytes": len(raw),
        "sha256": sha256(raw),
        "br_bytes": len(content),
        "br_sha256": sha256(content),
    }


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    main()
