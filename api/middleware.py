"""What every request passes through: a request id, errors as problems, security headers, one log line."""

import re
import secrets
import time
from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from api.problems import Problem, problem_response
from projections.errors import GenerationGone, ProjectionError

REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
RETRY_AFTER_S = "1"
PATH_LENGTH_MAX = 500
"""Of what is said of a path, in answers and logs."""
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Server": "collateral-vault",
    "X-Content-Type-Options": "nosniff",
}
log = structlog.get_logger()


@web.middleware
async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
    began_s = time.perf_counter()
    path = request.rel_url.raw_path[:PATH_LENGTH_MAX]
    given = request.headers.get("X-Request-Id", "")
    request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
    try:
        _refuse_large(request)
        response = await handler(request)
    except Exception as error:  # noqa: BLE001 the top of a request: whatever it is, the client gets a problem
        response = problem_response(_problem(error, request_id), path, request_id)
    elapsed_ms = round((time.perf_counter() - began_s) * 1_000, 2)
    return finished(
        response, method=request.method, path=path, request_id=request_id, ip=request.remote, elapsed_ms=elapsed_ms
    )


def finished(
    response: web.StreamResponse, *, method: str, path: str, request_id: str, ip: str | None, elapsed_ms: float
) -> web.StreamResponse:
    """With the headers of every answer, and logged."""
    response.headers.update(HEADERS)
    response.headers["X-Request-Id"] = request_id
    log.info(
        "request",
        method=method,
        path=path,
        status=response.status,
        elapsed_ms=elapsed_ms,
        request_id=request_id,
        ip=ip,
    )
    return response


def _refuse_large(request: web.Request) -> None:
    """Raises Problem. No endpoint wants a body yet; a method that is not allowed stays 405."""
    length_max = request.client_max_size
    if request.match_info.http_exception is None and (request.content_length or 0) > length_max:
        detail = f"the body may have {length_max} bytes"
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", detail)


def _problem(error: Exception, request_id: str) -> Problem:
    match error:
        case Problem():
            return error
        case GenerationGone():
            return Problem(HTTPStatus.GONE, "generation_gone", str(error))
        case ProjectionError():
            log.warning("read_models_unavailable", reason=str(error), request_id=request_id)
            # Not the error's own text: it names paths of the server.
            detail = "the read models cannot be read at the moment; try again soon"
            headers = {"Retry-After": RETRY_AFTER_S}
            return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "read_models_unavailable", detail, headers=headers)
        case web.HTTPException():
            status = HTTPStatus(error.status)
            allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
            return Problem(status, status.name.lower(), error.reason, headers=allow)
        case _:
            log.error("request_failed", request_id=request_id, exc_info=error)
            return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "something went wrong here, not there")
