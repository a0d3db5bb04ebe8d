"""Whoever asks for a port keeps it, also while nobody listens there."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from previewbot_demo import ports
from previewbot_demo.ports import Ports


def test_no_port_is_given_twice_while_there_are_others(tmp_path: Path) -> None:
    given = Ports(tmp_path)
    found = [given.next() for _ in range(250)]

    assert len(set(found)) == 250
    assert all(20_000 <= port < 32_000 for port in found)


def test_two_processes_never_get_the_same_port(tmp_path: Path) -> None:
    one, other = Ports(tmp_path), Ports(tmp_path)

    assert {one.next() for _ in range(150)}.isdisjoint(other.next() for _ in range(150))


def test_what_a_stranger_listens_on_is_left_out_and_ports_come_round_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where no other test listens.
    monkeypatch.setattr(ports, "_FIRST", 18_000)
    monkeypatch.setattr(ports, "_BLOCKS", 1)
    given = Ports(tmp_path)
    with socket.create_server(("127.0.0.1", given.next())) as stranger:
        found = [given.next() for _ in range(198)]

    assert stranger.fileno() == -1
    assert len(set(found)) == 99


def test_where_all_are_taken_by_others_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_BLOCKS", 1)
    first = Ports(tmp_path)
    first.next()

    with pytest.raises(OSError, match="too many of them run"):
        Ports(tmp_path).next()
