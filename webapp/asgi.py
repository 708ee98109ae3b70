"""The hub's entry for ASGI servers: composition only."""

from webapp.env import default_settings_module

default_settings_module()

from channels.routing import ProtocolTypeRouter  # noqa: E402 - after the settings are named
from django.core.asgi import get_asgi_application  # noqa: E402 - same

django_application = get_asgi_application()

from webapp.common.page_threads import PageThreads  # noqa: E402 - after Django is set up
from webapp.common.request_limits import limit_requests  # noqa: E402 - same
from webapp.inference.proxy import TierProxy  # noqa: E402 - same
from webapp.routing import websockets  # noqa: E402 - same

application = ProtocolTypeRouter(
    {
        "http": limit_requests(TierProxy(PageThreads(django_application))),
        "websocket": websockets,
    }
)
