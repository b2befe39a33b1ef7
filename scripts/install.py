"""Install the locked requirements into `.venv`: `python3 scripts/install.py run`, `dev` or `browser`.

Standard library only. An older Python must be able to read this file down to the version check and say what is missing.
"""

import ast
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - whoever runs this may have any Python
    sys.exit(
        "LDN Evidence needs Python 3.11 or newer, found {}.{} ({}).\n"
        "Name another one, for example: make PYTHON=python3.12 run".format(*sys.version_info[:2], sys.executable)
    )

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
TOOLS = ROOT / ".tools"
UV = TOOLS / "bin" / "uv"
REQUIREMENTS = ROOT / "requirements"

PIP_OPTIONS = ["--quiet", "--retries", "2", "--disable-pip-version-check"]

LOCKS = {name: [REQUIREMENTS / f"{name}.txt"] for name in ("dev", "browser")}
# The larger sets hold the build backend themselves.
LOCKS["run"] = [REQUIREMENTS / "run.txt", REQUIREMENTS / "build.txt"]

# A set that contains another one makes installing the smaller one unnecessary.
LARGER_SETS = {"run": ["run", "dev", "browser"], "dev": ["dev", "browser"], "browser": ["browser"]}

NETWORK_TROUBLE = re.compile(
    r"Failed to establish a new connection: [^'\"]+|Cannot connect to proxy[^'\"]*|error sending request.*"
    r"|SSLError.*|ProxyError.*|(?:Connect|Read)Timeout\w*|timed out"
)


class InstallError(Exception):
    """A reason to stop, in words for the person who typed `make`."""


def main(requirement_set: str) -> None:
    if any(is_installed(larger) for larger in LARGER_SETS[requirement_set]):
        return
    check_writable()
    print(f"Installing the {requirement_set} requirements into .venv ...", flush=True)
    try:
        install_with_uv(requirement_set)
    except (OSError, subprocess.CalledProcessError):
        print("uv does not work here, going on with venv and pip (slower) ...", flush=True)
        install_with_pip(requirement_set)
    execute([VENV_PYTHON, "-m", "compileall", "-q", ROOT / "app", ROOT / "migrations"])
    stamp(requirement_set).write_text(fingerprint(requirement_set))


def stamp(requirement_set: str) -> Path:
    return VENV / f".installed-{requirement_set}"


def is_installed(requirement_set: str) -> bool:
    try:
        return stamp(requirement_set).read_text() == fingerprint(requirement_set)
    except OSError:
        return False


def fingerprint(requirement_set: str) -> str:
    """Changes with the lock, with the project's own metadata, with the Python and with the place of the checkout."""
    digest = hashlib.sha256(f"{sys.version}\n{ROOT}\n".encode())
    for file in (*LOCKS[requirement_set], ROOT / "pyproject.toml"):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def locks(requirement_set: str) -> list[object]:
    return [part for lock in LOCKS[requirement_set] for part in ("-r", lock)]


def check_writable() -> None:
    for directory in (ROOT, VENV, TOOLS):
        if directory.exists() and not os.access(directory, os.W_OK):
            raise InstallError(
                f"Cannot write to {directory}, where .venv and .tools have to live.\n"
                "Copy the checkout to a directory of your own and try there."
            )


def install_with_uv(requirement_set: str) -> None:
    if not UV.exists():
        fetch_uv()
    environment = {**os.environ, **pip_index()}
    if not venv_fits():
        execute([UV, "venv", "--quiet", "--clear", "--python", sys.executable, VENV], environment)
    # Compiled now, as pip does, rather than at the first start, or at every start where Python may not write.
    install = [UV, "pip", "install", "--quiet", "--compile-bytecode", "--python", VENV_PYTHON]
    execute([*install, "--require-hashes", *locks(requirement_set)], environment)
    execute([*install, "--no-deps", "--no-build-isolation", "-e", ROOT], environment)


def fetch_uv() -> None:
    # --target needs no venv module, and works where the system's Python is marked as externally managed.
    pip = [sys.executable, "-m", "pip", "install", *PIP_OPTIONS, "--require-hashes", "--no-deps"]
    try:
        execute([*pip, "--upgrade", "--target", TOOLS, "-r", REQUIREMENTS / "uv.txt"])
    except subprocess.CalledProcessError as problem:
        trouble = NETWORK_TROUBLE.search(problem.stderr)
        if trouble:
            raise no_network(trouble.group()) from problem
        raise


def install_with_pip(requirement_set: str) -> None:
    try:
        if not venv_fits() or not VENV_PYTHON.with_name("pip").exists():
            execute([sys.executable, "-m", "venv", "--clear", VENV])
    except subprocess.CalledProcessError as problem:
        raise InstallError(
            f"{sys.executable} cannot create a virtual environment: its venv or ensurepip module is missing.\n"
            "On Debian and Ubuntu: apt install python3-pip python3-venv"
        ) from problem
    pip = [VENV_PYTHON, "-m", "pip", "install", *PIP_OPTIONS, "--no-deps"]
    try:
        execute([*pip, "--require-hashes", *locks(requirement_set)])
        execute([*pip, "--no-build-isolation", "-e", ROOT])
    except subprocess.CalledProcessError as problem:
        trouble = NETWORK_TROUBLE.search(problem.stderr)
        if trouble:
            raise no_network(trouble.group()) from problem
        raise InstallError(f"The installation failed:\n{problem.stderr.strip()}") from problem


def venv_fits() -> bool:
    """Whether `.venv` exists, runs, and is of the Python that was asked for."""
    try:
        return execute([VENV_PYTHON, "-c", "import sys; print(sys.version)"]).strip() == sys.version
    except (OSError, subprocess.CalledProcessError):
        return False


def pip_index() -> dict[str, str]:
    """uv does not read pip's configuration; whoever set a mirror for pip means it for uv too."""
    if "UV_DEFAULT_INDEX" in os.environ:
        return {}
    try:
        settings = execute([sys.executable, "-m", "pip", "config", "list"])
    except subprocess.CalledProcessError:
        return {}
    found = re.findall(r"^(?:global|install|:env:)\.index-url=(.+)$", settings, re.MULTILINE)
    return {"UV_DEFAULT_INDEX": ast.literal_eval(found[-1])} if found else {}


def no_network(reason: str) -> InstallError:
    return InstallError(
        "Cannot reach the package registry: the first start needs the network, or a mirror that pip is set up for.\n"
        f"({reason.strip()})"
    )


def execute(command: list[object], environment: dict[str, str] | None = None) -> str:
    arguments = [str(part) for part in command]
    return subprocess.run(arguments, env=environment, cwd=ROOT, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except InstallError as reason:
        sys.exit(str(reason))
    except OSError as reason:
        sys.exit(f"The installation failed: {reason}")
