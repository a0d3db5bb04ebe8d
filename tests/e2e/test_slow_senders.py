"""Whoever sends half a request, and keeps the connection, does not keep web from taking deliveries."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from previewbot.runtime.web_server import THREADS
from previewbot_demo.ports import free_port
from previewbot_demo.processes import Process, start

SERVER = """
import sys
from flask import Flask, request
from previewbot.runtime import web_server as server

server._Worker.request_seconds = 0.5
app = Flask("slow")
app.add_url_rule("/healthz", view_func=lambda: "ok")
app.add_url_rule("/webhook", "webhook", lambda: str(len(request.get_data())), methods=["POST"])
server.serve(app, f"127.0.0.1:{sys.argv[1]}")
"""
HALF_A_HEADER = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-"
HALF_A_BODY = b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc"


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Process]:
    port = free_port()
    environment = dict(os.environ, PYTHONPATH=str(Path(__file__).parents[2]))
    command = (sys.executable, "-c", SERVER, str(port))
    process = await start(command, environment, tmp_path, tmp_path / "web.log", port, "/healthz")
    yield process
    await process.stop()


@pytest.mark.parametrize("half", [HALF_A_HEADER, HALF_A_BODY], ids=["a header", "a body"])
async def test_half_requests_on_more_connections_than_there_are_threads_end_and_others_are_answered(
    web: Process, half: bytes
) -> None:
    address = ("127.0.0.1", int(web.url.rpartition(":")[2]))
    slow = [socket.create_connection(address) for _ in range(THREADS + 4)]
    for connection in slow:
        connection.sendall(half)

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        async with session.get(f"{web.url}/healthz") as answer:
            assert (answer.status, await answer.text()) == (200, "ok")
        async with session.post(f"{web.url}/webhook", data=b"x" * 100_000) as answer:
            assert await answer.text() == "100000"
    for connection in slow:
        connection.settimeout(60)
        # Closed, with or without a word.
        await asyncio.to_thread(_until_closed, connection)


def _until_closed(connection: socket.socket) -> None:
    with connection:
        try:
            while connection.recv(1000):
                pass
        except ConnectionResetError:
            return
