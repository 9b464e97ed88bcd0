"""What proves who somebody is, as it comes in."""

from typing import Annotated

from pydantic import StringConstraints

from wellio import Text

Secret = Annotated[Text, StringConstraints(max_length=512)]
"""A token or an existing password: its form is nobody's business before it is compared."""
