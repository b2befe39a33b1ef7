"""The transports of the SDK around our server: streamable HTTP, and standard input and output."""

from collections.abc import Sequence

from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.types import ASGIApp

from app.http.bodies import BodyBounds
from app.http.request_limits import RequestLimits
from app.mcp.claims import QuotableClaimReader
from app.mcp.reading import OwnApplication
from app.mcp.server import evidence_server


def guard(hosts: Sequence[str], origins: Sequence[str]) -> TransportSecurityMiddleware:
    """Refuses requests that a page of another origin has led here."""
    settings = TransportSecuritySettings(allowed_hosts=list(hosts), allowed_origins=list(origins))
    return TransportSecurityMiddleware(settings)


async def session_manager(reader: QuotableClaimReader) -> StreamableHTTPSessionManager:
    """Each request has a session of its own; `guard` has looked at it before."""
    return StreamableHTTPSessionManager(await evidence_server(reader), json_response=True, stateless=True)


async def serve_stdio(app: ASGIApp, base: str, deadline_seconds: float, max_body_bytes: int) -> None:
    """Answer one client until it closes its end; every read has the deadline that it has over HTTP."""
    bounded = RequestLimits(app, BodyBounds(max_body_bytes), deadline_seconds, {})
    server = await evidence_server(QuotableClaimReader(OwnApplication(bounded), base))
    async with stdio_server() as (received, sent):
        await server.run(received, sent, server.create_initialization_options())
