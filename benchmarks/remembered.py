"""Large messages that a browser keeps, so that the server sends only their names again."""

from collections.abc import Iterator

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

# Runs of a page for which an unused message is kept, Streamlit's own number.
KEPT_RUNS = 2


class Remembered:
    """Messages by their hash, forgotten when they have not been used for some runs."""

    def __init__(self) -> None:
        self._messages: dict[str, ForwardMsg] = {}
        self._used: dict[str, int] = {}
        self._run = 0

    def __iter__(self) -> Iterator[str]:
        return iter(self._messages)

    def whole(self, message: ForwardMsg) -> ForwardMsg:
        """A message, or the one that it stands for in another place."""
        if message.WhichOneof("type") == "ref_hash":
            self._used[message.ref_hash] = self._run
            found = ForwardMsg()
            found.CopyFrom(self._messages[message.ref_hash])
            found.metadata.CopyFrom(message.metadata)
            return found
        if message.metadata.cacheable:
            self._messages[message.hash] = message
            self._used[message.hash] = self._run
        return message

    def finished(self, is_whole: bool) -> None:
        """Forget what has not been used for long; runs of a part of a page do not count."""
        if not is_whole:
            return
        self._run += 1
        for name in [name for name, run in self._used.items() if self._run - run > KEPT_RUNS]:
            del self._used[name], self._messages[name]
