"""WebSocket frames that are made once and written as they are to many screens.

ASGI gives a message to one connection at a time, and each time its frame is made anew.  `ScreenProtocol` is uvicorn's
own protocol; it does the handshake, pings, what comes in and the close as ever, and offers one thing more to the
application, in the scope's `extensions`: a `Wire`, on which whole frames can be put.  A server's frames are not masked
(RFC 6455, 5.1), so the same bytes are right for everybody, as long as nothing is compressed.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State

EXTENSION: Final = "opencram.wire"
Payload = str | bytes  # of a text message, of a binary one


def frames(payloads: Iterable[Payload]) -> bytes:
    """Return messages as WebSocket frames, one after the other."""
    return b"".join(
        Frame(Opcode.TEXT, payload.encode()).serialize(mask=False)
        if isinstance(payload, str)
        else Frame(Opcode.BINARY, payload).serialize(mask=False)
        for payload in payloads
    )


class Wire:
    """The connection of one screen, for whole frames."""

    def __init__(self, protocol: WebSocketsSansIOProtocol) -> None:
        self._protocol = protocol

    @property
    def open(self) -> bool:
        """Whether messages may still be sent."""
        return self._protocol.conn.state is State.OPEN and not self._protocol.transport.is_closing()

    @property
    def waiting(self) -> int:
        """How many bytes the other side has not taken, beyond what the system keeps for it."""
        return self._protocol.transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        """Put whole frames on the wire.  Never waits: who writes asks for `open` and `waiting` before."""
        self._protocol.transport.write(data)

    def cut(self) -> None:
        """End the connection without another word, and let go of what it has not taken."""
        self._protocol.transport.abort()


class ScreenProtocol(WebSocketsSansIOProtocol):
    """What `uvicorn.Config(ws=...)` is given."""

    def __init__(
        self,
        config: Any,
        server_state: Any,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        app = self.app

        async def with_wire(scope: Scope, receive: Receive, send: Send) -> None:
            scope["extensions"][EXTENSION] = Wire(self)
            await app(scope, receive, send)

        self.app = with_wire
