"""`[plugins.chat]`: how much a conversation may hold at once."""

from typing import Annotated

from pydantic import Field

from wellio import ConfigError, Rate, SectionModel

#: JSON may write each byte of a text as `\\u0041`; beside it a message has little.
_WRITTEN_BYTES = 6
_REST_BYTES = 4_096


class ChatConfig(SectionModel):
    """The limits of messages, groups and hints."""

    text_bytes: Annotated[
        int, Field(ge=1, le=160_000, description="The longest message, in bytes of UTF-8.")
    ] = 16_384
    group_members: Annotated[
        int, Field(ge=2, le=5000, description="The most people in a group.")
    ] = 256
    messages: Annotated[
        Rate, Field(description="How many messages one account may send, over REST and sockets.")
    ] = Rate(120, 10)
    typing: Annotated[Rate, Field(description="How often one account may say that it types.")] = (
        Rate(10, 2)
    )
    typing_interval_s: Annotated[
        float,
        Field(ge=0, le=60, description="The same typing state is passed on once in this time."),
    ] = 3.0
    sync_page: Annotated[
        int, Field(ge=1, le=1000, description="The most events in one answer to `sync`.")
    ] = 200

    def require_room(self, max_payload_bytes: int) -> None:
        """Refuse messages that could be sent by REST and not by a socket.

        Raises:
            ConfigError: One of the longest, however its JSON is written, does not fit into a frame.
        """
        needed = self.text_bytes * _WRITTEN_BYTES + _REST_BYTES
        if max_payload_bytes < needed:
            raise ConfigError(
                f"plugins.chat.text_bytes = {self.text_bytes} needs realtime.max_payload_bytes "
                f"= {needed} or more, not {max_payload_bytes}"
            )
