"""What the service is made of: `python scripts/dependencies.py` writes a CycloneDX SBOM, `sbom.cdx.json`; no network.

The components are those of `requirements/run.txt`, whatever else is installed; their licences are read from the
packages that are installed here.
"""

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from cyclonedx.spdx import is_expression
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "run.txt"
SBOM = ROOT / "sbom.cdx.json"
SPDX = {
    "MIT License": "MIT",
    "BSD License": "BSD",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "Apache Software License": "Apache-2.0",
}
"""Licences by the names that packages use beside SPDX's."""


def locked() -> list[Requirement]:
    """Every requirement of the lock, those for other systems too."""
    lines = re.findall(r"^[a-z0-9][^\\\n]*", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    return [Requirement(line.strip()) for line in lines]


def is_for_linux(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"sys_platform": "linux"})


def licence(name: str) -> str:
    """As the package declares it; empty if it declares none, or is not installed."""
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return ""
    for field in ("License-Expression", "License"):
        if field in about and len(about[field]) <= 60:  # longer ones are the text of the licence
            return SPDX.get(about[field], about[field])
    classifiers = (text.split(" :: ")[-1] for text in about.get_all("Classifier") or [] if text.startswith("License"))
    return " OR ".join(SPDX.get(text, text) for text in classifiers)


def write_sbom(target: Path) -> None:
    """Components with version, hashes and licence, and the licence of the project itself."""
    options = ["--pyproject", f"{ROOT / 'pyproject.toml'}", "--output-reproducible", "--short-PURLs", "--no-validate"]
    command = [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "requirements", *options, f"{LOCK}"]
    bom = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    for component in bom["components"]:
        del component["description"]  # the line of the lock
        if text := licence(component["name"]):
            component["licenses"] = [{"expression": text} if is_expression(text) else {"license": {"name": text}}]
    target.write_text(json.dumps(bom, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_sbom(SBOM)
    print(f"{SBOM.name}: {len(locked())} components")
