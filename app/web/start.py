"""`/`: what the data set is, what people ask, and the first call for developers."""

from fastapi import APIRouter, Depends, Request, Response

from app.http.problems import declared_parameters_only
from app.http.reads import reads_of
from app.storage.manifest import current_manifest
from app.storage.read_view import ReadView
from app.web.pages import page_response

router = APIRouter(include_in_schema=False, dependencies=[Depends(declared_parameters_only)])


@router.get("/")
async def start(request: Request) -> Response:
    return await reads_of(request).run(request, _start, request)


def _start(view: ReadView, request: Request) -> Response:
    manifest = current_manifest(view.session)
    return page_response(
        request, view, "web/start.html", title=manifest.title, description=manifest.description, json_address="/v1/meta"
    )
