"""What settings are made of: addresses, networks, origins, times; refused in plain words."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PlainValidator, SecretStr


def _base_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("expected an address such as https://practice.example")
    return text.rstrip("/")


def _network(value: Any) -> IPv4Network | IPv6Network:
    try:
        return ip_network(str(value))
    except ValueError as error:
        raise ValueError("expected an address or a network such as 10.0.0.0/8") from error


def _origin(text: str) -> str:
    parts = urlsplit(text)
    is_origin = parts.scheme in {"http", "https"} and text == f"{parts.scheme}://{parts.netloc}"
    if text != "*" and not (is_origin and parts.netloc and text == text.lower()):
        raise ValueError('expected an origin such as https://app.example, or "*"')
    return text


def _database_url(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().startswith(("sqlite:///", "postgresql://", "postgres://")):
        raise ValueError("expected sqlite:/// with a path, or postgresql://")
    return secret


Network = Annotated[IPv4Network | IPv6Network, PlainValidator(_network)]
Origin = Annotated[str, AfterValidator(_origin)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
Port = Annotated[int, Field(ge=0, le=65535)]
Milliseconds = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]
