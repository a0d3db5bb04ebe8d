"""Where the browser that takes pictures may be led: which addresses are no preview's, and how names are."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from previewbot.api.pictures import Device, Picture, Side
from previewbot.pictures.addresses import Address, addresses_for, asked_from, may_be_reached, opened
from previewbot.pictures.album import Job
from previewbot.rules.pictures import Place, Wish, host_of
from tests.support.previews import HEAD, NOW

NOBODYS = (
    *(
        "127.0.0.1",
        "::1",
        "0.0.0.0",
        "0.0.0.1",
        "224.0.0.1",
        "169.254.169.254",
        "fe80::1",
        "::ffff:127.0.0.1",
    ),
    *("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254"),
    *("64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2001::1", "::7f00:1"),
)


@pytest.mark.parametrize("address", NOBODYS)
def test_addresses_that_are_no_previews(address: str) -> None:
    assert not may_be_reached(ip_address(address))


@pytest.mark.parametrize(
    "address", ["10.96.0.10", "192.168.1.4", "100.64.0.7", "203.0.113.9", "fd12::7", "64:ff9b::cb00:7109"]
)
def test_addresses_where_a_gateway_may_be(address: str) -> None:
    assert may_be_reached(ip_address(address))


@pytest.mark.parametrize("ours", ["10.0.3.17", "fd12::7", "64:ff9b::a00:311"])
def test_nor_are_those_that_this_machine_has_itself(ours: str) -> None:
    def same(address: Address) -> Address:
        return address

    assert may_be_reached(ip_address(ours), lambda address: ip_address("10.0.3.16"))
    assert not may_be_reached(ip_address(ours), same)


def test_a_machine_asks_itself_from_the_address_that_it_asks() -> None:
    assert asked_from(ip_address("127.0.0.1")) == ip_address("127.0.0.1")


WRITTEN = {
    "https://staging_eu.example.com/cart?a=1#b": "https://staging_eu.example.com/cart?a=1#b",
    "https://Bücher.example.com:8443/": "https://xn--bcher-kva.example.com:8443/",
    "https://staging.example.com./": "https://staging.example.com/",
    "https://_staging.example.com": "https://_staging.example.com",
}


@pytest.mark.parametrize("url", WRITTEN)
async def test_a_host_is_opened_as_browsers_write_it(url: str) -> None:
    wish = Wish(HEAD, NOW, (Place("/", url, url),))
    job = Job("gh-812-42", wish, Picture("/", Device.PHONE, Side.AFTER))

    assert opened(url) == WRITTEN[url]
    assert host_of(url) == host_of(WRITTEN[url])
    assert await addresses_for(job, {host_of(url): "192.0.2.1"}) == {host_of(WRITTEN[url]): "192.0.2.1"}


def test_a_host_that_is_another_for_a_browser_is_none() -> None:
    assert host_of("https://straße.example.com/") == ""
