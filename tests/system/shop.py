"""A site of another origin that shows the widget: who it is to the platform. The widget's tests serve its pages."""

from bench.hosts import free_port

SHOP = f"http://127.0.0.1:{free_port()}"
SHOP_SECRET = "a secret that only the shop and we know"
ACCOUNTS = [
    *[{"channel": channel} for channel in ("web", "chat", "api")],
    {"channel": "mail", "address": "support@localhost.localdomain"},
    *[
        {"channel": channel, "id": "shop", "brand": "Alpha Shop", "origins": [SHOP], "secrets": [SHOP_SECRET]}
        for channel in ("web", "chat")
    ],
]
