"""Generate the typed clients from `openapi.json` and pack them: `python scripts/clients.py` (what `make clients` runs).

Into `clients/python` go `answers.py` (a TypedDict for each component) and `operations.py` (a method for each
operation); into `clients/typescript` goes `schema.d.ts`, if npm is there. `--generate` leaves the packing out.
"""

import argparse
import json
import keyword
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / "clients" / "python"
TYPESCRIPT = ROOT / "clients" / "typescript"
DIST = ROOT / "clients" / "dist"

Schema = dict[str, Any]
_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None", "object": "Object"}
_HEAD = '"""{what} Generated from the OpenAPI document; do not edit."""\n\n'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generate", action="store_true", help="only generate, do not pack")
    given = parser.parse_args()
    generate_python(document(), PYTHON)
    has_npm = shutil.which("npm") is not None
    if has_npm:
        run("npm", "ci", "--loglevel", "error")
        run("npm", "run", "--silent", "generate")
    else:
        print("npm is not installed: the TypeScript client is left out.", file=sys.stderr)
    if given.generate:
        return
    DIST.mkdir(exist_ok=True)
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(DIST), at=PYTHON)
    if has_npm:
        run("npm", "run", "--silent", "build")
        run("npm", "pack", "--silent", "--pack-destination", str(DIST))
    print("\n".join(sorted(f"clients/dist/{file.name}" for file in DIST.iterdir())))


def document() -> Schema:
    described: Schema = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))
    return described


def generate_python(described: Schema, project: Path | str) -> None:
    """Write the generated modules of the Python client into its project."""
    package = Path(project) / "src" / "ldn_evidence_client"
    (package / "answers.py").write_text(answers(described), encoding="utf-8")
    (package / "operations.py").write_text(operations(described), encoding="utf-8")


def run(*command: str, at: Path = TYPESCRIPT) -> None:
    subprocess.run(command, check=True, cwd=at, stdout=subprocess.DEVNULL)


# --- types --------------------------------------------------------------------------------------------------------


def answers(document: Schema) -> str:
    """A TypedDict for every component that is an object, and an alias for every other one."""
    parts = [
        _HEAD.format(what="What the API answers, and what it takes in bodies."),
        "from typing import Any, Literal, NotRequired, TypeAlias, TypedDict\n\nObject = dict[str, Any]\n",
    ]
    for name, schema in sorted(document["components"]["schemas"].items()):
        parts.append(_component(name, schema))
    return "\n\n".join(parts)


def _component(name: str, schema: Schema) -> str:
    if "properties" not in schema:
        alias = f'{name}: TypeAlias = "{_type(schema)}"'
        return f'{alias}\n"""{_text(schema)}"""' if _text(schema) else alias
    required = set(schema.get("required", ()))
    fields = {
        field: _type(of) if field in required else f"NotRequired[{_type(of)}]"
        for field, of in schema["properties"].items()
    }
    described = f'    """{_text(schema)}"""\n\n' if _text(schema) else ""
    if all(field.isidentifier() and not keyword.iskeyword(field) for field in fields):
        body = "\n".join(f'    {field}: "{kind}"' for field, kind in fields.items())
        return f"class {name}(TypedDict):\n{described}{body}"
    pairs = ", ".join(f'"{field}": "{kind}"' for field, kind in fields.items())
    return f'{name} = TypedDict("{name}", {{{pairs}}})'


def _type(schema: Schema) -> str:
    """The type of a value. Enumerations of answers are open, so a plain `str` stands for them where they are."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return " | ".join(dict.fromkeys(_type(one) for one in schema[union]))
    if "allOf" in schema:
        return _type(schema["allOf"][0])
    if "const" in schema:
        return f"Literal[{schema['const']!r}]"
    if "enum" in schema:
        return f"Literal[{', '.join(repr(value) for value in schema['enum'])}]"
    kind = schema.get("type")
    if isinstance(kind, list):
        return " | ".join(_SCALARS[one] for one in kind)
    if kind == "array":
        return f"list[{_type(schema['items']) if isinstance(schema.get('items'), dict) else 'Any'}]"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"dict[str, {_type(schema['additionalProperties'])}]"
    return _SCALARS.get(kind or "", "Any")


def _text(schema: Schema) -> str:
    first = str(schema.get("description", "")).split("\n\n")[0]
    return first.replace("\n", " ").replace("\\", "").replace('"', "'")


# --- methods ------------------------------------------------------------------------------------------------------


def operations(document: Schema) -> str:
    """A method for every operation that answers JSON or text; `iterate_…` for every list that has pages."""
    parts = [
        _HEAD.format(what="A method for each operation of the API."),
        "from __future__ import annotations\n\n"
        "from collections.abc import Iterator, Sequence\nfrom typing import Any, Literal, cast\n\n"
        "from ldn_evidence_client import answers\nfrom ldn_evidence_client.transport import Transport\n\n\n"
        "class Operations(Transport):\n"
        '    """Every operation of the API. Parameters that are left out are not sent."""',
    ]
    for path, item in document["paths"].items():
        if path.startswith("/v1"):
            for verb in ("get", "post"):
                if verb in item:
                    parts += _methods(document, path, verb, item[verb])
    return "\n\n".join(parts) + "\n"


def _methods(document: Schema, path: str, verb: str, operation: Schema) -> Iterator[str]:
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", operation["operationId"]).lower()
    parameters = [_resolved(document, one) for one in operation.get("parameters", ())]
    in_path = [one for one in parameters if one["in"] == "path"]
    in_query = [one for one in parameters if one["in"] == "query"]
    content = operation["responses"]["200"].get("content", {})
    schema = content.get("application/json", {}).get("schema")
    answer = _in_answers(_type(schema)) if schema else "str"
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    own = [f"{_python_name(one['name'])}: str" for one in in_path]
    own += [f"body: {_in_answers(_type(body))}"] if body else []
    named = [f"{_python_name(one['name'])}: {_parameter_type(one)}" for one in in_query]
    target = re.sub(r"\{(\w+)\}", lambda match: "{self.segment(" + _python_name(match[1]) + ")}", path)
    text = textwrap.indent(textwrap.fill(operation.get("summary", name) + ".", 100), " " * 8).strip()

    def method(name: str, answer: str, call: str, left_out: frozenset[str] = frozenset()) -> str:
        used = [one for one in named if one.split(":")[0] not in left_out]
        signature = ", ".join(["self", *own, *(["*", *used] if used else [])])
        sent = [one["name"] for one in in_query if one["name"] not in left_out]
        pairs = ", ".join(f'"{each}": {_python_name(each)}' for each in sent)
        return (
            f"    def {name}({signature}) -> {answer}:\n"
            f'        """{text}"""\n        {call.replace("QUERY", "{" + pairs + "}")}'
        )

    address = f'f"{target}"' if in_path else f'"{target}"'
    if not schema:
        yield method(name, "str", f"return self.text({address}, QUERY)")
        return
    sent = f'"{verb.upper()}", {address}, QUERY' + (", body" if body else "")
    yield method(name, answer, f"return cast({answer!r}, self.json({sent}))")
    item = _item_of(document, schema)
    if verb == "get" and item and any(one["name"] == "cursor" for one in in_query):
        call = f'return cast("Iterator[{item}]", self.items({address}, QUERY))'
        yield method(f"iterate_{name.removeprefix('list_')}", f"Iterator[{item}]", call, frozenset({"cursor"}))


def _item_of(document: Schema, schema: Schema) -> str | None:
    """The type of a list's items; null where the answer is no list with pages."""
    if "$ref" not in schema:
        return None
    listed = document["components"]["schemas"][str(schema["$ref"]).rpartition("/")[2]].get("properties", {})
    return _in_answers(_type(listed["items"]["items"])) if {"items", "next_cursor"} <= listed.keys() else None


def _resolved(document: Schema, parameter: Schema) -> Schema:
    if "$ref" in parameter:
        resolved: Schema = document["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]
        return resolved
    return parameter


def _python_name(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name.replace("-", "_")


def _parameter_type(parameter: Schema) -> str:
    kind = _in_answers(_type(parameter["schema"]))
    match = re.fullmatch(r"list\[(.*)\]( \| None)?", kind)
    kind = f"{match[1]} | Sequence[{match[1]}]" if match else kind.removesuffix(" | None")
    return f"{kind} | None = None"


def _in_answers(kind: str) -> str:
    """The type with the module in front of the names of components."""
    return re.sub(r"'[^']*'|\b(?!None\b|Any\b|Literal\b|Sequence\b)([A-Z]\w*)", _with_module, kind)


def _with_module(match: re.Match[str]) -> str:
    return f"answers.{match[1]}" if match[1] else match[0]


if __name__ == "__main__":
    main()
