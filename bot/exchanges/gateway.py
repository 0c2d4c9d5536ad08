"""How do requests to a venue's own host names reach one address instead?"""

import socket
import ssl
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.errors import ConfigError

CONNECT_SECONDS = 1.0
"""Patience for name, connection and handshake. [s]"""


def _nothing() -> None:
    """Let pass."""


look: ContextVar[Callable[[], None]] = ContextVar("look", default=_nothing)
"""Called with a connection in hand, before the first byte of a request; may raise to stop it."""


class LookedAtRequest(aiohttp.ClientRequest):
    """A request that is looked at once more after name, connection and handshake."""

    async def send(self, conn: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        """Look, then write the request.

        Whatever the look raises passes through; the connection is closed unused.
        """
        look.get()()
        return await super().send(conn)


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """One address that answers for the venue's hosts.

    Attributes:
        address: ``host:port``.
        ca_file: The private authority it is trusted by, and nothing else.
    """

    address: str
    ca_file: Path


class GatewayResolver(AbstractResolver):
    """Sends the hosts of one venue to the gateway; every other host is refused."""

    def __init__(self, hosts: frozenset[str], address: str, port: int) -> None:
        self._hosts, self._address, self._port = hosts, address, port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the gateway's address.

        Raises:
            OSError: The host is not one of the venue's.
        """
        del port, family
        if host not in self._hosts:
            raise OSError(f"{host} is not behind the gateway")
        return [
            ResolveResult(
                hostname=host,
                host=self._address,
                port=self._port,
                proto=0,
                family=socket.AF_INET,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Nothing is held."""


def open_session(gateway: GatewaySettings | None, urls: Sequence[str]) -> aiohttp.ClientSession:
    """Return a session for a venue, through its gateway if it has one.

    Args:
        gateway: ``None`` connects to the venue itself, trusting the system's authorities.
        urls: The venue's own base addresses.

    Raises:
        ConfigError: The address or the authority's file cannot be used.
    """
    connector: aiohttp.TCPConnector
    if gateway is None:
        connector = aiohttp.TCPConnector(ssl=ssl.create_default_context())
    else:
        host, _, port = gateway.address.rpartition(":")
        connector = aiohttp.TCPConnector(
            resolver=GatewayResolver(hosts_of(urls), host, int(port)),
            ssl=_trust(gateway.ca_file),
            use_dns_cache=False,
        )
    return aiohttp.ClientSession(
        connector=connector, trust_env=False, request_class=LookedAtRequest
    )


def hosts_of(urls: Sequence[str]) -> frozenset[str]:
    """Return the host names of base addresses."""
    return frozenset(host for url in urls if (host := urlsplit(url).hostname))


def texts_of(urls: Any) -> list[str]:
    """Return every address inside ccxt's nested table of addresses."""
    if isinstance(urls, str):
        return [urls]
    if isinstance(urls, dict):
        return [text for value in urls.values() for text in texts_of(value)]
    return []


def _trust(ca_file: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"gateway.ca_file {ca_file} must be a readable certificate: {error}; start the paper "
            "exchange first, it makes one"
        ) from None
