"""One function per endpoint: parameters in, read model asked, answer out."""

import time
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web

from api import cursors, parameters
from api.problems import Problem
from api.resources import (
    ManyResource,
    OneResource,
    PageResource,
    meta_resource,
    transaction_resource,
    vault_resource,
)
from projections.documents import VaultDocument
from projections.read_models import Answer, PageStart, ReadModels

READ_MODELS = web.AppKey("read_models", ReadModels)
READY_MAX_AGE_S = web.AppKey("ready_max_age_s", float)


async def list_vaults(request: web.Request) -> web.Response:
    parameters.refuse_unknown(request, "limit", "cursor")
    limit, start = parameters.paging(request, "vaults", (str,))
    page = await request.app[READ_MODELS].vaults(start=start, limit=limit)
    vaults = [vault_resource(vault, page.meta) for vault in page.items]
    return _json(ManyResource(data=vaults, page=_page("vaults", page.next), meta=meta_resource(page.meta)))


async def get_vault(request: web.Request) -> web.Response:
    parameters.refuse_unknown(request)
    address = parameters.address(request, "vault")
    return _vault(await request.app[READ_MODELS].vault(address), f"no vault {address} is known")


async def get_vault_of_owner(request: web.Request) -> web.Response:
    parameters.refuse_unknown(request)
    owner = parameters.address(request, "owner")
    return _vault(await request.app[READ_MODELS].vault_of_owner(owner), f"no vault of owner {owner} is known")


async def list_transactions(request: web.Request) -> web.Response:
    parameters.refuse_unknown(request, "limit", "cursor", "order")
    address, order = parameters.address(request, "vault"), parameters.order(request)
    walk = f"transactions:{address}:{order}"
    limit, start = parameters.paging(request, walk, (int, int, int, str))
    read_models = request.app[READ_MODELS]
    page = await read_models.transactions(address, start=start, limit=limit, order=order)
    if not page.items and start is None:
        _vault(await read_models.vault(address), f"no vault {address} is known")
    transactions = [transaction_resource(one, page.meta) for one in page.items]
    return _json(ManyResource(data=transactions, page=_page(walk, page.next), meta=meta_resource(page.meta)))


async def health(_: web.Request) -> web.Response:
    """The process answers; nothing else is looked at."""
    return _json({"status": "ok"})


async def ready(request: web.Request) -> web.Response:
    """Every projection can be read, and its projector is alive."""
    read_models, metas = request.app[READ_MODELS], {}
    for projection in ("vaults", "transactions"):
        meta = await read_models.meta(projection)
        metas[projection] = meta_resource(meta)
        age_s = time.time() - meta.updated_at
        if age_s > request.app[READY_MAX_AGE_S]:
            said = "never said" if not meta.updated_at else f"last said {age_s:.0f} s ago"
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "projector_silent",
                f"the projector of {projection} {said} that it is alive: is vault-projector running?",
                meta=metas[projection],
            )
    return _json({"status": "ready", "projections": metas})


def _vault(answer: Answer[VaultDocument | None], missing: str) -> web.Response:
    if answer.data is None:
        raise Problem(HTTPStatus.NOT_FOUND, "vault_not_found", missing, meta=meta_resource(answer.meta))
    vault = vault_resource(answer.data, answer.meta)
    return _json(OneResource(data=vault, meta=meta_resource(answer.meta)))


def _page(walk: str, following: PageStart | None) -> PageResource:
    cursor = cursors.to_text(walk, following) if following is not None else None
    return PageResource(next_cursor=cursor, has_more=following is not None)


def _json(body: Any) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")
