"""The clients: what most people import."""

from callsheet.client.clients import AsyncClient, Client
from callsheet.client.services import AsyncService, Service

__all__ = ["AsyncClient", "AsyncService", "Client", "Service"]
