"""What settings are made of: addresses, networks, origins, times; refused in plain words."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PlainValidator, SecretStr
from yarl import URL

from .database_url import readable
from .origins import read_origin, read_site

_NO_BASE_URL = "expected an address such as https://practice.example"


def _base_url(text: str) -> str:
    try:
        url = URL(text)
        path = url.raw_path.strip("/") if url.raw_host else ""
        site = "" if path else read_site(text.rstrip("/"))
    except ValueError:
        raise ValueError(_NO_BASE_URL) from None
    if path:
        raise ValueError(
            "expected an address without a path: Wellio answers at the root of a host, so give it "
            "a name of its own, such as https://wellio.practice.example"
        )
    if not site.startswith(("http://", "https://")):
        raise ValueError(_NO_BASE_URL)
    return site


def _network(value: Any) -> IPv4Network | IPv6Network:
    try:
        return ip_network(str(value))
    except ValueError as error:
        raise ValueError("expected an address or a network such as 10.0.0.0/8") from error


def _database_url(secret: SecretStr) -> SecretStr:
    return SecretStr(readable(secret.get_secret_value()))


Network = Annotated[IPv4Network | IPv6Network, PlainValidator(_network)]
Origin = Annotated[str, AfterValidator(read_origin)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
Port = Annotated[int, Field(ge=0, le=65535)]
Milliseconds = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]
