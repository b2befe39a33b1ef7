"""The protocol around the tools. Loading the SDK takes a second and 27 MB, so that it is loaded with the first use."""

import logging
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import structlog
from mcp import MCPError, types
from mcp.server.lowlevel import Server
from pydantic import ValidationError
from pydantic_core import from_json

from app.core.content import ResponseModel
from app.core.errors import AppError
from app.core.logging import describe
from app.http.problems import internal_error, invalid_arguments, problem
from app.mcp.claims import QuotableClaimReader
from app.mcp.reading import ApiProblem
from app.mcp.tools import TOOLS, EvidenceTool

INSTRUCTIONS = (
    "{name}: {description} "
    "Repeat answers with their counts and caveats, name the sources, and never turn a missing record into safety or "
    "no effect. What is marked uncited has no source. Nothing here is advice to a person."
)
_READ_ONLY = types.ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True)
logging.getLogger("mcp").setLevel(logging.CRITICAL)
"""Its warnings repeat headers of requests; what goes wrong is logged below."""


async def evidence_server(reader: QuotableClaimReader) -> Server[Any]:
    """A server that keeps nothing between two calls. It introduces itself as the data set that there is now."""
    meta = (await reader.own.get("/v1/meta")).body
    by_name = {tool.name: tool for tool in TOOLS}
    listed = types.ListToolsResult(tools=[_described(tool) for tool in TOOLS])

    async def list_tools(_context: Any, _params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return listed

    async def call_tool(_context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        tool = by_name.get(params.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, f"There is no such tool. There are: {', '.join(by_name)}.")
        try:
            answer = await tool.run(reader, tool.arguments.model_validate(params.arguments or {}))
        except ValidationError as error:
            return _failed(_as_problem(invalid_arguments(error)))
        except ApiProblem as refused:
            return _failed(refused.problem)
        except Exception as error:
            structlog.get_logger("app.errors").error("unhandled", tool=tool.name, **describe(error))
            return _failed(_as_problem(internal_error()))
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=tool.write(answer))],
            structured_content=answer.model_dump(mode="json"),
        )

    return Server(
        "ldn-evidence",
        version=version("ldn-evidence"),
        title=meta["name"],
        instructions=INSTRUCTIONS.format(name=meta["name"], description=meta["description"]),
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _described(tool: EvidenceTool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=_schema(tool.arguments.model_json_schema()),
        output_schema=_schema(_answer_schema(tool.answer)),
        annotations=_READ_ONLY,
    )


def _answer_schema(answer: type[ResponseModel]) -> dict[str, Any]:
    return answer.model_json_schema(mode="serialization")


def _schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Without the titles that pydantic makes of names: they say nothing, and a model reads every word."""
    return {
        name: _without_titles(value) for name, value in schema.items() if name != "title" or not isinstance(value, str)
    }


def _without_titles(value: Any) -> Any:
    if isinstance(value, dict):
        return _schema(value)
    return [_without_titles(entry) for entry in value] if isinstance(value, list) else value


# --- errors -------------------------------------------------------------------------------------------------------


def _as_problem(error: AppError) -> dict[str, Any]:
    document: dict[str, Any] = from_json(bytes(problem(error, None).body))
    return document


def _failed(document: Mapping[str, Any]) -> types.CallToolResult:
    """An error that the assistant can mend, in the words of the problem that HTTP would answer."""
    lines = [f"{document['title']} ({document['code']}): {document['detail']}"]
    lines += [_fault_line(fault) for fault in document["errors"]]
    if document["successor"]:
        lines.append(f"Use {document['successor']} instead.")
    return types.CallToolResult(content=[types.TextContent(type="text", text="\n".join(lines))], is_error=True)


def _fault_line(fault: dict[str, Any]) -> str:
    parts = [f"- {fault['field']}: {fault['message']}"]
    for label, values in (("Did you mean", fault["did_you_mean"]), ("Allowed", fault["allowed"])):
        parts += [f"{label}: {_listed(values)}."] if values else []
    return " ".join(parts)


def _listed(values: Sequence[str]) -> str:
    return ", ".join(values)
