"""What is no HTTP request is answered as a problem and logged in one line, like everything else."""

import asyncio
import secrets
from http import HTTPStatus
from typing import Any

from aiohttp import web

from api.middleware import finished
from api.problems import Problem, problem_response


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
        problem = Problem(HTTPStatus.BAD_REQUEST, "bad_request", "that is no HTTP request, or one that is too long")
        request_id = secrets.token_hex(16)
        response = problem_response(problem, "", request_id)
        response.force_close()
        return finished(response, method="", path="", request_id=request_id, ip=request.remote, elapsed_ms=0.0)


def protocol_of(runner: web.AppRunner, logger: Any) -> Protocol:
    assert runner.server is not None
    without: Any = None  # the library takes None, and is annotated otherwise
    return Protocol(runner.server, loop=asyncio.get_running_loop(), access_log=without, logger=logger)
