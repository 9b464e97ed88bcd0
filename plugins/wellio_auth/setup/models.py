"""What a practice and its first account are made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from wellio import Currency, Email, Locale, Name, Password, Role, TimeZone, Wire
from wellio_auth.credentials.models import Secret


class PracticeSetup(Wire):
    """The practice as the set-up describes it."""

    name: Name
    time_zone: TimeZone
    currency: Currency
    locale: Locale


class OwnerSetup(Wire):
    """The first account."""

    name: Name
    email: Email
    password: Password


class NewUser(BaseModel):
    """`wellio user create`, and the owner whom `[setup]` names."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    email: Email
    name: Name
    role: Role
    coach: Annotated[Email | None, Field(description="Whom a client is assigned to.")] = None
    password: Annotated[SecretStr, Field(min_length=10, max_length=256)]


class SetupRequest(Wire):
    """`POST /setup`."""

    token: Secret
    practice: PracticeSetup
    owner: OwnerSetup
