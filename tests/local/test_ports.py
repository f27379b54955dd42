"""Reserved ports are free for the server that is to have them, and for nobody else."""

from __future__ import annotations

import socket

import pytest

from senconet.local.ports import LOOPBACK, is_listening, reserved_ports


def listening(port: int) -> socket.socket:
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((LOOPBACK, port))
    server.listen()
    return server


def test_a_server_can_listen_on_a_reserved_port():
    with reserved_ports([None]) as (port,):
        assert not is_listening(port)
        with listening(port):
            assert is_listening(port)


def test_reserved_ports_differ_and_lie_below_the_ephemeral_range():
    with reserved_ports([None] * 20) as first, reserved_ports([None] * 20) as second:
        assert len({*first, *second}) == 40
        assert max(*first, *second) < 32_768


def test_a_wanted_port_is_given_if_it_is_free():
    with reserved_ports([None]) as (port,):
        pass
    with reserved_ports([port]) as again:
        assert again == (port,)


def test_a_wanted_port_that_is_taken_is_replaced():
    with reserved_ports([None]) as (port,), listening(port), reserved_ports([port]) as (other,):
        assert other != port


def test_a_port_whose_connections_linger_can_be_had_again():
    with reserved_ports([None]) as (port,):
        server = listening(port)
        client = socket.create_connection((LOOPBACK, port))
        accepted, _ = server.accept()
        for each in (accepted, client, server):  # the server's end closes first and so lingers
            each.close()
    with reserved_ports([port]) as again:
        assert again == (port,)


def test_nothing_is_left_open(recwarn: pytest.WarningsRecorder):
    with reserved_ports([None]) as (port,):
        pass
    with listening(port):
        assert is_listening(port)
    assert not recwarn.list
