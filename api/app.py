"""The application: one table of routes, one middleware, the read models."""

from aiohttp import web

from api import handlers
from api.middleware import around
from projections.read_models import ReadModels

REQUEST_BODY_BYTES_MAX = 16 * 1_024

ROUTES = (
    web.get("/health", handlers.health),
    web.get("/ready", handlers.ready),
    web.get("/v1/vaults", handlers.list_vaults),
    web.get("/v1/vaults/{vault}", handlers.get_vault),
    web.get("/v1/vaults/{vault}/transactions", handlers.list_transactions),
    web.get("/v1/owners/{owner}/vault", handlers.get_vault_of_owner),
)


def make_app(read_models: ReadModels, *, ready_max_age_s: float) -> web.Application:
    """Closes the read models at its end."""
    app = web.Application(middlewares=[around], client_max_size=REQUEST_BODY_BYTES_MAX)
    app[handlers.READ_MODELS] = read_models
    app[handlers.READY_MAX_AGE_S] = ready_max_age_s
    app.add_routes(ROUTES)
    app.on_cleanup.append(_close)
    return app


async def _close(app: web.Application) -> None:
    await app[handlers.READ_MODELS].close()
