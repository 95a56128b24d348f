"""What is no HTTP request is answered as a problem and logged in one line, like everything else."""

import asyncio
import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import web

from api.middleware import finished
from api.problems import Problem, problem_response

log = structlog.get_logger()


class Protocol(web.RequestHandler):
    """One connection."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if status != HTTPStatus.BAD_REQUEST or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        # Not the parser's own words: they repeat what was sent.
        response = _refusal(
            request, HTTPStatus.BAD_REQUEST, "bad_request", "that is no HTTP request, or one that is too long"
        )
        response.force_close()
        return response

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """A body that nobody asked for and that cannot be read is no failure of ours."""
        if isinstance(kw.get("exc_info"), web.RequestPayloadError):
            log.info("body_unreadable", reason=type(kw["exc_info"]).__name__)
        else:
            super().log_exception(*args, **kw)


def protocols_of(runner: web.AppRunner, logger: Any) -> Callable[[], Protocol]:
    """Of connections. The library refuses an expectation before any middleware is asked: here it becomes a problem."""
    server = runner.server
    assert server is not None
    without: Any = None  # the library takes None, and is annotated otherwise
    server.request_handler = _expecting_only_what_is_known(server.request_handler)
    return lambda: Protocol(server, loop=asyncio.get_running_loop(), access_log=without, logger=logger)


def _expecting_only_what_is_known(handler: Any) -> Any:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        try:
            response: web.StreamResponse = await handler(request)
        except web.HTTPExpectationFailed:
            detail = "the only expectation that is known here is 100-continue"
            return _refusal(request, HTTPStatus.EXPECTATION_FAILED, "expectation_failed", detail)
        return response

    return handle


def _refusal(request: web.BaseRequest, status: HTTPStatus, code: str, detail: str) -> web.StreamResponse:
    """Of a request that reached no handler."""
    request_id = secrets.token_hex(16)
    response = problem_response(Problem(status, code, detail), "", request_id)
    return finished(response, method="", path="", request_id=request_id, ip=request.remote, elapsed_ms=0.0)
