from __future__ import annotations

import pytest

from core.service_links import is_service_link


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HEADRACE_SERVER_SERVICE_HOST", "10.0.0.1"),
        ("HEADRACE_SERVER_SERVICE_HOST", "fd00::1"),
        ("HEADRACE_SERVER_SERVICE_PORT", "4200"),
        ("HEADRACE_SERVER_SERVICE_PORT_HTTP_METRICS", "4200"),
        ("HEADRACE_SERVER_PORT", "tcp://10.0.0.1:4200"),
        ("HEADRACE_SERVER_PORT", "tcp://[fd00::1]:4200"),
        ("HEADRACE_DNS_PORT_53_UDP", "udp://10.0.0.1:53"),
        ("HEADRACE_DNS_PORT_53_UDP_PROTO", "udp"),
        ("HEADRACE_SERVER_PORT_4200_TCP_PORT", "4200"),
        ("HEADRACE_SERVER_PORT_4200_TCP_ADDR", "10.0.0.1"),
        ("HEADRACE_SERVICE_HOST", "10.0.0.1"),
        ("HEADRACE_PORT", "tcp://10.0.0.1:80"),
    ],
)
def test_is_service_link_knows_each_form(name: str, value: str) -> None:
    assert is_service_link(name, value, "HEADRACE_")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HEADRACE_WEB_PORT", "8080"),
        ("HEADRACE_DATABASE_HOST", "10.0.0.1"),
        ("HEADRACE_DATABASE__SERVICE_PORT", "5432"),
        ("HEADRACE_SERVER_SERVICE_HOST", "db.example.org"),
        ("HEADRACE_SERVER_SERVICE_PORTS", "1"),
        ("HEADRACE_SERVER_PORT_4200_TCP_PROT", "tcp"),
        ("HEADRACE_REDIS_URL", "tcp://10.0.0.1:6379"),
        ("OTHER_SERVICE_HOST", "10.0.0.1"),
    ],
)
def test_is_service_link_leaves_misspelt_settings(name: str, value: str) -> None:
    assert not is_service_link(name, value, "HEADRACE_")
