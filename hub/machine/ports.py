"""Ports, and the smallest question one can ask a Kafka broker."""

from __future__ import annotations

import base64
import socket
import struct
import uuid

from hub.errors import StartError

HOST = "127.0.0.1"


def free_port() -> int:
    """A port of the loopback address that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def check_free(port: int) -> None:
    """StartError if somebody listens on the port (bound as Java does it: a port in TIME_WAIT counts as free)."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise StartError(
                f"port {port} for the embedded broker cannot be had ({error.strerror}): stop what listens there, "
                "or set HUB_EMBEDDED__PORT (0: any free port)"
            ) from None


def answers_api_versions(port: int, timeout: float = 2.0) -> bool:
    """Does a Kafka broker on this port answer ApiVersions v0 without error? False also when nobody listens yet.

    The node opens its client listener last, so its answer means that it takes produce and fetch requests. The request
    is allowed before SASL.
    """
    client_id = b"hub-probe"
    request = struct.pack(">hhih", 18, 0, 1, len(client_id)) + client_id
    try:
        with socket.create_connection((HOST, port), timeout) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            head = _read(connection, 10)  # size, correlation id, error code
    except OSError:
        return False
    return len(head) == 10 and struct.unpack(">iih", head)[1:] == (1, 0)


def _read(connection: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size and (more := connection.recv(size - len(got))):
        got += more
    return got


def cluster_id() -> str:
    """A new Kafka cluster id: 16 random bytes in URL-safe base64 without padding; never one that starts with '-'."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=")).startswith("-"):
        continue
    return text
