"""A TURN client of one allocation over UDP (RFC 8656), blocking, so that each answer can be looked at."""

from __future__ import annotations

import socket
from typing import Any

from aioice import stun
from aioice.turn import UDP_TRANSPORT, make_integrity_key

Address = tuple[str, int]


class TurnRefused(Exception):
    """The server's error answer."""

    def __init__(self, number: int) -> None:
        super().__init__(str(number))
        self.number = number


class TurnClient:
    """Owns one UDP socket, hence at most one allocation."""

    def __init__(self, server: Address, username: str, password: str) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(10)  # as long as a busy machine needs; nothing is tested by silence
        self.socket.connect(server)
        self.use(username, password)
        self._realm, self._nonce = "", b""

    def __enter__(self) -> TurnClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def use(self, username: str, password: str) -> None:
        """Sign with these from now on."""
        self._username, self._password = username, password

    def allocate(self, lifetime_s: int = 60) -> Address:
        """The relayed address. Raises `TurnRefused`."""
        asked = {"LIFETIME": lifetime_s, "REQUESTED-TRANSPORT": UDP_TRANSPORT}
        answer = self._ask(stun.Method.ALLOCATE, asked)
        relayed: Address = answer.attributes["XOR-RELAYED-ADDRESS"]
        return relayed

    def refresh(self, lifetime_s: int = 60) -> int:
        """Granted seconds. Raises `TurnRefused`."""
        return int(self._ask(stun.Method.REFRESH, {"LIFETIME": lifetime_s}).attributes["LIFETIME"])

    def permit(self, peer: Address) -> None:
        """Ask to exchange datagrams with a peer. Raises `TurnRefused`."""
        self._ask(stun.Method.CREATE_PERMISSION, {"XOR-PEER-ADDRESS": peer})

    def send(self, peer: Address, payload: bytes) -> None:
        """Through the relay to a peer."""
        attributes = {"XOR-PEER-ADDRESS": peer, "DATA": payload}
        self.socket.send(bytes(stun.Message(stun.Method.SEND, stun.Class.INDICATION, attributes=attributes)))

    def receive(self) -> tuple[Address, bytes]:
        """The next datagram the relay brings, and whose it is."""
        while True:
            message = stun.parse_message(self.socket.recv(2048))
            if message.message_method == stun.Method.DATA:
                return message.attributes["XOR-PEER-ADDRESS"], message.attributes["DATA"]

    def _ask(self, method: stun.Method, attributes: dict[str, Any]) -> stun.Message:
        answer = self._exchange(method, attributes)
        if answer.error_code in (401, 438) and answer.attributes.get("NONCE", self._nonce) != self._nonce:
            self._realm, self._nonce = answer.attributes["REALM"], answer.attributes["NONCE"]
            answer = self._exchange(method, attributes)
        if answer.error_code is not None:
            raise TurnRefused(answer.error_code)
        return answer

    def _exchange(self, method: stun.Method, attributes: dict[str, Any]) -> stun.Message:
        request = stun.Message(method, stun.Class.REQUEST, attributes=dict(attributes))
        if self._nonce:
            request.attributes |= {"USERNAME": self._username, "REALM": self._realm, "NONCE": self._nonce}
            request.add_message_integrity(make_integrity_key(self._username, self._realm, self._password))
        self.socket.send(bytes(request))
        while True:
            answer = stun.parse_message(self.socket.recv(2048))
            if answer.transaction_id == request.transaction_id:
                return answer
