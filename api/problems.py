"""Errors as application/problem+json (RFC 9457), with a stable `code` for programs."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from aiohttp import web
from msgspec import UNSET, Struct, UnsetType

from api.resources import MetaResource


class FieldError(Struct, frozen=True, kw_only=True):
    """One parameter that is wrong."""

    parameter: str
    detail: str


class ProblemBody(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    type: str
    title: str
    status: int
    detail: str
    instance: str
    """The request's path."""
    code: str
    request_id: str
    errors: list[FieldError] | UnsetType = UNSET
    meta: MetaResource | UnsetType = UNSET


class Problem(Exception):
    """Raised in handlers; the middleware makes the answer of it."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        errors: list[FieldError] | None = None,
        meta: MetaResource | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.errors, self.meta, self.headers = errors, meta, headers


def problem_response(problem: Problem, path: str, request_id: str) -> web.Response:
    body = ProblemBody(
        type=f"urn:collateral-vault:problem:{problem.code}",
        title=problem.status.phrase,
        status=problem.status.value,
        detail=problem.detail,
        instance=path,
        code=problem.code,
        request_id=request_id,
        errors=problem.errors or UNSET,
        meta=problem.meta or UNSET,
    )
    return web.Response(
        body=msgspec.json.encode(body),
        status=problem.status.value,
        content_type="application/problem+json",
        headers=problem.headers,
    )


def bad_parameters(*errors: FieldError) -> Problem:
    """400, naming the parameters that are wrong."""
    detail = "; ".join(f"{error.parameter}: {error.detail}" for error in errors)
    return Problem(HTTPStatus.BAD_REQUEST, "bad_parameter", detail, errors=list(errors))
